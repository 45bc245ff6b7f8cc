"""Capabilities of the terminal (width, colour, characters), and progress bars."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from ..render import Screen
from .commands import manner

USUAL = 80  # columns of a terminal that does not report its width


def screen(color: str = "auto") -> Screen:
    """Properties of standard output; if it is not a terminal, tables are as wide as needed."""
    columns, how = width(sys.stdout), manner()
    brief = columns is not None and not how.verbose
    return Screen(columns, has_color(sys.stdout, color), not _shows(sys.stdout, "─"), brief, how.units)


def width(stream: Any) -> int | None:
    """COLUMNS if set, the terminal's width (USUAL if it reports none), or None if the output goes elsewhere."""
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
    """Whether a stream is a terminal; streams of capturing programs may lack `isatty`."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def _shows(stream: Any, character: str) -> bool:
    try:
        character.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


PATIENCE = 1.0  # seconds before progress is shown
EVERY = 0.1  # seconds between updates


class Progress:
    """Progress towards a total; as a context manager, it clears its line at the end.

    With `resumes`, Ctrl-C prints that the run can be resumed.
    """

    def __init__(self, total: int, unit: str, resumes: bool = False) -> None:
        self.total, self.unit, self.resumes, self.done = total, unit, resumes, 0
        self.start = self.began = self.last = time.monotonic()
        self.shown = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: Any, *error: Any) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        if kind is KeyboardInterrupt and self.resumes and not manner().quiet:
            of = f" of {self.total:,}" if self.total else ""
            sys.stderr.write(f"stopped at {self.done:,}{of} {self.unit}; the same command with --resume continues\n")

    def begin(self, total: int) -> None:
        """Restart with another total."""
        self.total, self.done, self.began = total, 0, time.monotonic()

    def reach(self, done: int, total: int) -> None:
        """Advance to `done`, of an updated total."""
        self.total = total
        self.add(done - self.done)

    def add(self, count: int) -> None:
        """Advance, and update the line if enough time has passed."""
        self.done += count
        now = time.monotonic()
        if now - self.start < PATIENCE or now - self.last < EVERY or manner().quiet or not sys.stderr.isatty():
            return
        self.last, self.shown = now, True
        speed = self.done / max(now - self.began, EVERY)
        left = f", {(self.total - self.done) / speed:.0f} s left" if speed else ""
        bar = "#" * int(30 * self.done / max(self.total, 1))
        sys.stderr.write(f"\r[{bar:<30}] {self.done:,} of {self.total:,} {self.unit}{left}\x1b[K")
        sys.stderr.flush()
