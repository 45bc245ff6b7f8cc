"""Capabilities of the terminal: width, colour, characters."""

from __future__ import annotations

import os
import sys
from typing import Any

from ..render import Screen
from .talk import manner

USUAL = 80  # columns of a terminal that does not say how many it has


def screen(color: str = "auto") -> Screen:
    """The screen that standard output is: as wide as the table needs when it is no terminal."""
    columns, how = width(sys.stdout), manner()
    brief = columns is not None and not how.verbose
    return Screen(columns, has_color(sys.stdout, color), not _shows(sys.stdout, "─"), brief, how.units)


def width(stream: Any) -> int | None:
    """COLUMNS if set, the terminal's width (USUAL if it reports none), or None for output that goes elsewhere."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return max(int(columns), 20)
    if not _is_terminal(stream):
        return None
    try:
        return max(os.get_terminal_size(stream.fileno()).columns or USUAL, 20)
    except OSError:
        return USUAL


def has_color(stream: Any, choice: str = "auto") -> bool:
    """Whether to use colour: --color, then NO_COLOR, FORCE_COLOR and TERM, then whether it is a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    forced = os.environ.get("FORCE_COLOR")
    if forced is not None and forced != "":
        return forced not in ("0", "false")
    return _is_terminal(stream) and os.environ.get("TERM") != "dumb"


def _is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal; one that a program captures with may not say."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def _shows(stream: Any, character: str) -> bool:
    try:
        character.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
