"""`--watch`: run a command again when a file that it read changes, detected by polling modification times."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping

import click

from ..files import Stamp, stamp
from .commands import CANNOT, manner, note

EVERY = 0.3  # seconds between two polls
MOST = 20  # polls of files that are being written, before the run


def again(run: Callable[[], tuple[int, Mapping[str, Stamp]]], code: int, read: Mapping[str, Stamp]) -> int:
    """Run again at each change of the files that the last run read, as long as runs request it; return the exit code.

    After a failed run, the files of the previous run are also watched: a file it names may be missing temporarily.
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
    """Print what is watched: the first file, and the number of others."""
    first, *others = (os.path.relpath(path) for path in files)
    more = f" and {len(others)} more" if others else ""
    sys.stdout.flush()
    note(f"watching {first}{more}; Ctrl-C stops")


def _wait(files: Mapping[str, Stamp]) -> None:
    """Return when a file has changed and none is being written."""
    while (now := _stamps(files)) == files:
        time.sleep(EVERY)
    for _ in range(MOST):
        time.sleep(EVERY / 3)
        before, now = now, _stamps(files)
        if now == before:
            return


def _stamps(files: Mapping[str, Stamp]) -> dict[str, Stamp]:
    return {path: stamp(path) for path in files}
