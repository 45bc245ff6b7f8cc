"""Render the rows of a page as CSV: plain integers, no totals row."""

from __future__ import annotations

import csv
import io
from typing import Any

from . import Screen
from .text import printable

_WIDE = ("\uff1d", "\uff0b", "\uff0d", "\uff20")  # full-width = + - @
FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", *_WIDE)  # characters that start a formula


def render(page: Any, screen: Screen) -> str:
    """Rows under the column names of the JSON output."""
    names, rows = page.records()
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: harmless(value) for name, value in row.items()})
    return out.getvalue()


def harmless(value: float | str | None) -> float | str | None:
    """A text without control characters, prefixed by an apostrophe if a spreadsheet would read it as a formula."""
    if type(value) is not str:
        return value
    text = printable(value)
    return "'" + text if value[:1] in FORMULA else text
