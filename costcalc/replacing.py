"""Files that are whole or as they were: written beside, then renamed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from .errors import FileError, Problem
from .files import check_links

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # O_EXCL follows no link either

_BESIDE = re.compile(r"\.(.*)\.[0-9a-f]{16}\.tmp", re.DOTALL)  # what `_beside` calls a file


@contextmanager
def replacing(path: str, binary: bool = False) -> Iterator[IO[Any]]:
    """A file to write to, that takes the place of the one at `path` at the end.

    It has a name that cannot be guessed, in the same directory, and is on the disk before it takes the place: whatever
    stops the program or the machine, at `path` is the old file or the new one, whole. A device or a pipe stays what it
    is, and is written to. Raises FileError, also for a link that leads out: a report on a change would take the place
    of any file that the change links to.
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
    """Refuse to write through a link out of the directory, or to what git keeps. Raises FileError."""
    if not os.path.islink(path):
        return
    check_links(path)
    if ".git" in os.path.realpath(path).split(os.sep):
        message = f"{path!r} is a link to a file of git"
        raise FileError(Problem("unwritable", message, help="remove the link, or name another file"))


@contextmanager
def _beside(target: str) -> Iterator[int]:
    """A new file in the directory of `target`, with its rights, that takes its place unless something fails."""
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
    """Remove the files beside that a program which was killed could not rename: of one name, or all in a directory.

    For names that one program at a time writes: the files of another that still writes would go too. Raises OSError.
    """
    for found in os.listdir(folder or "."):
        beside = _BESIDE.fullmatch(found)
        if beside and name in (None, beside[1]):
            os.unlink(os.path.join(folder, found))


def _settle(folder: str) -> None:
    """Bring the names in a directory onto the disk, where the system lets a program do so."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def is_lost() -> bool:
    """Whether the working directory is gone: paths lead nowhere from it."""
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
