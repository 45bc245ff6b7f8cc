"""`--watch`: run a command again when a file that it read changes, which is seen by looking at the files' times."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping

import click

from ..files import Stamp, stamp
from .commands import CANNOT, manner, note

EVERY = 0.3  # seconds between two looks
MOST = 20  # looks at files that are being written, before the run


def again(run: Callable[[], tuple[int, Mapping[str, Stamp]]], code: int, read: Mapping[str, Stamp]) -> int:
    """Run again at each change of the files that the last run read, for as long as runs ask for it; the exit code.

    After a run that failed, those of the one before are watched too: what it names may not be there at the moment.
    """
    files: dict[str, Stamp] = {}
    while manner().watch:
        files = {**(files if code == CANNOT else {}), **read}
        if not files:
            break
        _say(files)
        _wait(files)
        if sys.stdout.isatty():
            click.clear()
        code, read = run()
    return code


def _say(files: Mapping[str, Stamp]) -> None:
    """Say what is watched: the first file, and how many others."""
    first, *others = (os.path.relpath(path) for path in files)
    more = f" and {len(others)} more" if others else ""
    sys.stdout.flush()
    note(f"watching {first}{more}; Ctrl-C ends")


def _wait(files: Mapping[str, Stamp]) -> None:
    """Return when a file is not what it was, and none is being written any more."""
    while (now := _stamps(files)) == files:
        time.sleep(EVERY)
    for _ in range(MOST):
        time.sleep(EVERY / 3)
        before, now = now, _stamps(files)
        if now == before:
            return


def _stamps(files: Mapping[str, Stamp]) -> dict[str, Stamp]:
    return {path: stamp(path) for path in files}
