"""Colours on a terminal: red is over or more, green is less or fine, a bar behind a share shows its size."""

from __future__ import annotations

import re

from rich.text import Text

WORST, WARNING, FINE, MORE, LESS = "bold red", "yellow", "green", "red", "green"
BAR = "on bright_black"
_STATES = {"FAIL": WORST, "ERROR": WORST, "WARN": WARNING, "ok": FINE, "error": WORST, "warning": WARNING}
_FIRST = re.compile(r"(FAIL|ERROR|WARN|error|warning)\b")
_CHANGE = re.compile(r"(?<!\S)([+-])\d[\d,.]*( [MG%]+(?!\S))?")
_SHARE = re.compile(r"(\d+(?:\.\d+)?) %")


def line(text: str, style: str = "") -> Text:
    """A line above a table, with its verdict and its changes coloured."""
    found = Text(text, style=style)
    first = _FIRST.match(text)
    if first:
        found.stylize(_STATES[first[1]], 0, first.end())
    return _changes(found)


def cell(text: str, heading: str, width: int) -> Text:
    """A cell: a verdict, a change, or a share with a proportional bar in `width` columns."""
    share = _SHARE.fullmatch(text)
    if share:
        found = Text(text.rjust(width))
        found.stylize(BAR, 0, round(width * min(float(share[1]), 100) / 100))
        return found
    if text in _STATES:
        return Text(text, style=_STATES[text])
    return _changes(Text(text)) if heading.endswith(("change", "difference")) else Text(text)


def _changes(text: Text) -> Text:
    """Colour every signed number: more is red, less is green."""
    for found in _CHANGE.finditer(text.plain):
        text.stylize(MORE if found[1] == "+" else LESS, found.start(), found.end())
    return text
