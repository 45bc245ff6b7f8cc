"""Spec files: reading their text, and resolving which files a spec may include."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, BinaryIO, TypeAlias

from . import limits
from .errors import FileError, Place, Problem, Source, brief, nearest
from .records import NamedTuple

MOST_NOTED = 10_000  # files in a record
PAGE = 65_536  # bytes read at once from a large file
Stamp: TypeAlias = "tuple[int, int, int] | None"  # modification time, size and inode; None for a missing file
_HELP = "a path is relative to the directory of the file that contains it, as in `backbones/mobilenet.yaml`"


_read: ContextVar[dict[str, Stamp] | None] = ContextVar("read", default=None)  # the current record, if any


def record() -> dict[str, Stamp]:
    """Start recording the files and directories that are read or looked for, each with its stamp at that moment."""
    stamps: dict[str, Stamp] = {}
    _read.set(stamps)
    return stamps


def stamp(path: str) -> Stamp:
    """A stamp that changes when a file changes, or when the names of the specs in a directory change."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(status.st_mode):
        names = _specs_in(path)
        return len(names), hash(frozenset(names)), status.st_ino
    return status.st_mtime_ns, status.st_size, status.st_ino


def note_read(path: str) -> None:
    """Record a file that is about to be read or was looked for, or a directory whose specs are listed."""
    noted = _read.get()
    if noted is None:
        return
    try:
        path = os.path.abspath(path)
    except ValueError:  # not a valid file name
        return
    if path not in noted and len(noted) < MOST_NOTED:
        noted[path] = stamp(path)


class Folder:
    """A directory tree on disk. Other file stores implement the same three methods.

    A `path` is relative to the directory and separates names with `/`. `included` ensures that it stays inside.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def real(self, path: str) -> str | None:
        """Resolve symbolic links; None if the file does not exist.

        Raises FileError for a link that leaves the directory.
        """
        note_read(self._full(path))
        top, full = os.path.realpath(self.path or "."), os.path.realpath(self._full(path))
        if not full.startswith(os.path.join(top, "")):
            raise _refusal(path, "is a link that leaves the directory of the spec", "put the file itself there")
        return os.path.relpath(full, top).replace(os.sep, "/") if os.path.exists(full) else None

    def source(self, path: str) -> Source:
        """Read the text of a file. Raises FileError."""
        return Source(self._full(path), text(self._full(path)))

    def names(self, path: str) -> list[str]:
        """The names of the specs in a directory, for a hint."""
        return specs_in(self._full(path) or ".")

    def _full(self, path: str) -> str:
        return os.path.join(self.path, *path.split("/"))


class Origin(NamedTuple):
    """The location of a spec: a folder and a path in it."""

    folder: Any  # a Folder, or a directory at a git revision
    path: str

    def included(self, name: str) -> Origin:
        """Resolve `include: name` in this spec: a file relative to it, else a shipped config.

        Raises FileError if the name is not a path within the directory, or does not exist.
        """
        check_path(name)
        relative = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), name))
        real = self.folder.real(relative)
        if real is not None:
            return Origin(self.folder, real)
        if name.removesuffix(".yaml") in configs():
            return Origin(shipped(), name)
        help = nearest(name, [*self.folder.names(posixpath.dirname(relative)), *shipped().names("")])
        raise FileError(Problem("no-file", f"there is no file `{brief(name)}` here", help=help or _HELP))


def copied(name: str) -> str | None:
    """Help for copying the shipped config of this name to a file; None if there is no such config."""
    known = name.removesuffix(".yaml")
    return f"`costcalc zoo {known} > {known}.yaml` writes the shipped config" if known in configs() else None


def check_path(
    name: str, suffixes: tuple[str, ...] = (".yaml", ".yml"), help: Callable[[str], str | None] | None = None
) -> None:
    """Require a relative path to a spec within the directory; `help` is for a wrong suffix. Raises FileError."""
    parts = name.split("/")
    if not name.isprintable():
        raise _refusal(name, "has a character that is not allowed in a path")
    if name.startswith("/") or "\\" in name or ":" in name:
        raise _refusal(name, "is not a relative path")
    if ".." in parts:
        raise _refusal(name, "leaves the directory with `..`")
    if not name.lower().endswith(suffixes):
        why = f"is not a spec: its name must end in {', '.join(suffixes[:-1])} or {suffixes[-1]}"
        raise _refusal(name, why, help(name) if help else nearest(name, shipped().names("")))


def _refusal(name: str, why: str, help: str | None = None) -> FileError:
    return FileError(Problem("bad-include", f"`{brief(name)}` {why}", help=help or _HELP))


def unresolved(path: str) -> str:
    """Make a path absolute. Links are followed only in the part before the last `..`."""
    parts = os.path.join(os.getcwd(), path).split(os.sep)
    up = len(parts) - parts[::-1].index("..") if ".." in parts else 0
    start = os.path.realpath(os.sep.join(parts[:up])) if up else ""
    return os.path.normpath(os.path.join(start, *parts[up:]) if up else os.sep.join(parts))


def check_links(path: str, top: str | None = None) -> None:
    """Refuse a path whose symbolic links lead out of the directory `top`. Raises FileError.

    `top` defaults to the working directory if the path is below it, else to the directory of the file.
    """
    if top is None:
        full, here = unresolved(path), os.getcwd()
        top = here if full.startswith(os.path.join(here, "")) else os.path.dirname(full)
    if not os.path.realpath(path).startswith(os.path.join(os.path.realpath(top), "")):
        raise _refusal(path, "is a link that leaves the directory", "put the file itself there")


def origin(path: str) -> Origin:
    """The origin of the spec at a path; for standard input (`-`), the folder is the working directory."""
    folder, name = os.path.split(path)
    return Origin(Folder(folder), name)


@lru_cache(1)
def shipped() -> Shipped:
    """The folder of the shipped configs."""
    here = os.path.dirname(__file__)
    inside, checkout = os.path.join(here, "configs"), os.path.join(os.path.dirname(here), "configs")
    return Shipped(inside if os.path.isdir(inside) else checkout)


class Shipped(Folder):
    """The shipped configs. Messages show their names without a directory."""

    def source(self, path: str) -> Source:
        """Read the text of a config."""
        return Source(path, text(self._full(path)), shipped=True)


@lru_cache(1)
def configs() -> dict[str, str]:
    """The shipped configs: name -> path."""
    folder = shipped().path
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return {name[:-5]: os.path.join(folder, name) for name in names if name.endswith(".yaml")}


def specs_in(folder: str) -> list[str]:
    """The names of the specs in a directory, at most 1,000, for the hint about a missing file."""
    note_read(folder)
    return _specs_in(folder)


def _specs_in(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except (OSError, ValueError):
        return []
    return [name for name in names if name.endswith((".yaml", ".yml"))][:1000]


def stem(path: str) -> str:
    """The name of a file without directories and suffixes; characters that UTF-8 cannot encode are replaced."""
    name = path.replace("\\", "/").rpartition("/")[2].partition(".")[0]
    return name.encode(errors="replace").decode()


def text(path: str) -> str:
    """Read the text of a regular file, up to the size limit. Raises FileError."""
    with opened(path) as file:
        return decoded(file.read(limits.FILE_BYTES + 1), path)


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Open a regular file for reading. Pipes, devices and sockets are refused without blocking. Raises FileError."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    note_read(path)
    try:
        if os.path.isdir(path):
            raise FileError(Problem("not-a-file", f"{path!r} is a directory", help=_way_in(path)))
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _irregular(path)
            yield file
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) in (errno.ENXIO, errno.EOPNOTSUPP):  # a socket
            raise _irregular(path) from None
        reason = getattr(error, "strerror", None) or error
        raise FileError(Problem("unreadable", f"cannot read {path!r}: {reason}")) from None


_WAYS_IN = {  # file found in a model directory -> help
    "config.json": "name its config.json",
    "saved_model.pb": "a TensorFlow SavedModel: convert it to ONNX with `python -m tf2onnx.convert --saved-model`",
    "Manifest.json": "a Core ML package: convert the original model to ONNX",
}


def _way_in(folder: str) -> str:
    """The help for a directory given as a file."""
    return next(
        (way for name, way in _WAYS_IN.items() if os.path.exists(os.path.join(folder, name))), "name a file in it"
    )


class Pages:
    """The bytes of a file, with one page at a time in memory."""

    def __init__(self, file: BinaryIO, size: int):
        self.file, self.size, self.start, self.page = file, size, 0, b""

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice) -> bytes:
        start, end = part.start - self.start, part.stop - self.start
        if start < 0 or end > len(self.page):
            self.file.seek(part.start)
            if part.stop - part.start > PAGE:
                return self.file.read(part.stop - part.start)
            self.start, self.page = part.start, self.file.read(PAGE)
            start, end = 0, part.stop - part.start
        return self.page[start:end]


def _irregular(path: str) -> FileError:
    return FileError(Problem("not-a-file", f"{path!r} is not a regular file"))


def decoded(data: bytes, path: str) -> str:
    """Decode the bytes of a file. Raises FileError if they are not UTF-8 text or exceed the size limit."""
    if len(data) > limits.FILE_BYTES:
        raise FileError(
            Problem("limit", f"{path!r} is larger than {limits.FILE_BYTES:,} bytes", help=limits.hint("file_bytes"))
        )
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or max(data[:80:2].count(0), data[1:80:2].count(0)) > 16:
        raise FileError(Problem("not-utf8", f"{path!r} is UTF-16", help="save it as UTF-8"))
    if b"\0" in data:
        raise FileError(Problem("binary", f"{path!r} is a binary file, not a spec", help="a spec is a YAML text"))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(data, path, error.start) from None


def _not_utf8(data: bytes, path: str, start: int) -> FileError:
    before, text = data[:start].decode("utf-8"), data.decode("utf-8", "replace")
    place = Place(Source(path, text), before.count("\n") + 1, len(before) - before.rfind("\n"))
    return FileError(
        Problem("not-utf8", f"not UTF-8: here is byte 0x{data[start]:02x}", place, "save the file as UTF-8")
    )
