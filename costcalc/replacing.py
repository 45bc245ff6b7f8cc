"""Atomic file writes: write a temporary file in the same directory, then rename it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from .errors import FileError, Problem
from .files import check_links

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # O_EXCL also refuses links

_BESIDE = re.compile(r"\.(.*)\.[0-9a-f]{16}\.tmp", re.DOTALL)  # the names that `_beside` creates


@contextmanager
def replacing(path: str, binary: bool = False) -> Iterator[IO[Any]]:
    """Open a temporary file that replaces the file at `path` on success.

    It is in the same directory, has an unpredictable name, and is flushed to disk before the rename. After a crash,
    `path` holds the complete old file or the complete new one. Devices and pipes are written to directly. Raises
    FileError, also for a link out of the directory: otherwise a report on a change could overwrite any file that the
    change links to.
    """
    text: dict[str, Any] = {} if binary else {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    mode = "wb" if binary else "w"
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, mode, **text) as file:
                yield file
            return
        _check_link(path)
        with _beside(os.path.realpath(path)) as number, open(number, mode, **text) as file:
            yield file
            file.flush()
            os.fsync(number)
    except OSError as error:
        raise FileError(Problem("unwritable", f"cannot write {path!r}: {error.strerror}", help=_help(path))) from None


def _check_link(path: str) -> None:
    """Refuse to write through a link that leaves the directory or leads into `.git`. Raises FileError."""
    if not os.path.islink(path):
        return
    check_links(path)
    if ".git" in os.path.realpath(path).split(os.sep):
        message = f"{path!r} is a link to a file of git"
        raise FileError(Problem("unwritable", message, help="remove the link, or name another file"))


@contextmanager
def _beside(target: str) -> Iterator[int]:
    """Create a temporary file next to `target` with the same permissions; rename it to `target` on success."""
    folder, name = os.path.split(target)
    path = os.path.join(folder, f".{name[:60]}.{os.urandom(8).hex()}.tmp")
    rights = os.stat(target).st_mode & 0o7777 if os.path.exists(target) else None
    number = os.open(path, _NEW, 0o666 if rights is None else rights & 0o777)
    try:
        if rights is not None:
            os.chmod(path, rights)
        yield number
        os.replace(path, target)
    except BaseException:
        os.unlink(path)
        raise
    _settle(folder)


def remove_unfinished(folder: str, name: str | None = None) -> None:
    """Remove temporary files that a killed program left in a directory: those for one name, or all.

    Only for names that one program at a time writes: files still being written are removed too. Raises OSError.
    """
    for entry in os.listdir(folder or "."):
        match = _BESIDE.fullmatch(entry)
        if match and name in (None, match[1]):
            os.unlink(os.path.join(folder, entry))


def _settle(folder: str) -> None:
    """Flush a directory to disk, where the system supports it."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def is_lost() -> bool:
    """Whether the working directory no longer exists."""
    try:
        os.getcwd()
    except OSError:
        return True
    return False


def _help(path: str) -> str | None:
    if not os.path.isabs(path) and is_lost():
        return "the working directory is gone"
    folder = os.path.dirname(path)
    return f"there is no directory {folder!r}" if folder and not os.path.isdir(folder) else None
