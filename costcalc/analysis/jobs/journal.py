"""A journal: a file with one line of JSON per finished task, so that interrupted work can resume."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO, cast

from ...errors import FileError, Problem
from ...files import opened

LINE = 2**24  # maximum characters of a line; longer lines are ignored
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


def notes(path: str) -> Iterator[Any]:
    """Values of a journal; none if the file is missing. Lines that are not JSON are skipped: one may be cut short.

    Callers must validate the values, because the file is untrusted. Raises FileError if it is not a regular file.
    """
    if not os.path.lexists(path):
        return
    if os.path.islink(path):
        raise _irregular(path)
    with opened(path) as file:
        while line := file.readline(LINE):
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                continue


def opened_journal(path: str, resume: bool) -> TextIO:
    """Open a journal for writing: empty, or with `resume` at the end of its last whole line.

    Links are not followed, and only a regular file is written to. Raises FileError.
    """
    if os.path.islink(path):
        raise _irregular(path)
    try:
        file = open(os.open(path, _FLAGS, 0o666), "r+", encoding="utf-8", newline="")  # noqa: SIM115 (the caller closes it)
    except OSError as error:
        raise FileError(Problem("unwritable", f"cannot write {path!r}: {error.strerror}")) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _irregular(path)
    end = _whole(cast("BinaryIO", file.buffer)) if resume else 0
    file.seek(end)
    file.truncate()
    return file


def _whole(file: BinaryIO) -> int:
    """Number of bytes of a file up to the end of its last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(end - 65_536, 0)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _irregular(path: str) -> FileError:
    help = "progress is recorded there; remove it, or name another output"
    return FileError(Problem("not-a-file", f"{path!r} is not a regular file", help=help))
