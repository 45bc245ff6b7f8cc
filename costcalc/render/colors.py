"""Colours on a terminal: red is over or more, green is less or passed, a bar behind a share shows its size."""

from __future__ import annotations

import re

from rich.color import ColorSystem
from rich.style import Style

WORST, WARNING, FINE, MORE, LESS = "bold red", "yellow", "green", "red", "green"
BAR = "on bright_black"
_STATES = {"FAIL": WORST, "ERROR": WORST, "WARN": WARNING, "ok": FINE, "error": WORST, "warning": WARNING}
_FIRST = re.compile(r"(FAIL|ERROR|WARN|error|warning)\b")
_CHANGE = re.compile(r"(?<!\S)([+-])\d[\d,.]*( [MG%]+(?!\S))?")
_SHARE = re.compile(r" *(\d+(?:\.\d+)?) % *")


def line(text: str, style: str = "") -> str:
    """Colour a line above or below a table: its verdict and its changes."""
    first = _FIRST.match(text)
    verdict = first[1] if first else ""
    return _painted(verdict, f"{style} {_STATES.get(verdict, '')}") + _changes(text, len(verdict), style)


def cell(text: str, heading: str, style: str = "") -> str:
    """Colour a line of a padded cell: a verdict, a change, or a share with a proportional bar."""
    share, word = _SHARE.fullmatch(text), text.strip()
    if style:
        return _painted(text, style)
    if share:
        end = round(len(text) * min(float(share[1]), 100) / 100)
        return _painted(text[:end], BAR) + text[end:]
    if word in _STATES:
        return text.replace(word, _painted(word, _STATES[word]))
    return _changes(text) if heading.endswith(("change", "difference")) else text


def _changes(text: str, start: int = 0, style: str = "") -> str:
    """Colour the signed numbers of a text from `start` on: more is red, less is green."""
    parts = []
    for found in _CHANGE.finditer(text, start):
        change = f"{style} {MORE if found[1] == '+' else LESS}"
        parts += [_painted(text[start : found.start()], style), _painted(found[0], change)]
        start = found.end()
    return "".join(parts) + _painted(text[start:], style)


def _painted(text: str, style: str) -> str:
    return Style.parse(style).render(text, color_system=ColorSystem.STANDARD) if text.strip() and style else text
