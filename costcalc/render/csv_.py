"""A page's rows as CSV: plain integers, no totals row."""

from __future__ import annotations

import csv
import io
from typing import Any

from . import Screen
from .text import printable

_WIDE = ("\uff1d", "\uff0b", "\uff0d", "\uff20")  # = + - @ as wide as an ideograph
FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", *_WIDE)  # what a formula can begin with


def render(page: Any, screen: Screen) -> str:
    """The rows, under the column names of the JSON contract."""
    names, rows = page.records()
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: harmless(value) for name, value in row.items()})
    return out.getvalue()


def harmless(value: float | str | None) -> float | str | None:
    """A text without control characters; an apostrophe in front if a spreadsheet would read it as a formula."""
    if type(value) is not str:
        return value
    text = printable(value)
    return "'" + text if value[:1] in FORMULA else text
