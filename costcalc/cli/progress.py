"""Progress of a long run: one line on standard error, on a terminal only, after the first second."""

from __future__ import annotations

import sys
import time
from typing import Any

from .talk import manner

PATIENCE = 1.0  # seconds before anything is shown
EVERY = 0.1  # seconds between two looks


class Progress:
    """Counts towards a total; used as a context manager, it clears its line at the end.

    With `resumes`, the run can go on after Ctrl-C: that is said then.
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
            sys.stderr.write(f"stopped at {self.done:,}{of} {self.unit}; the same command with --resume goes on\n")

    def begin(self, total: int) -> None:
        """Count anew, towards another total."""
        self.total, self.done, self.began = total, 0, time.monotonic()

    def reach(self, done: int, total: int) -> None:
        """Count up to `done`, of a total that is known now."""
        self.total = total
        self.add(done - self.done)

    def add(self, count: int) -> None:
        """Count some more, and show it if it is time to."""
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
