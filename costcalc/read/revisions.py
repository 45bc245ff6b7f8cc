"""A spec as it was at a git revision: costs are a function of the file, so history needs no store."""

from __future__ import annotations

import os
import posixpath
from typing import Any

from .. import limits
from ..errors import FileError, OptionError, Problem, Source
from ..files import Origin, Pages, configs
from .committed import LINK, Blob
from .formats import format_of
from .repository import Repository

REGULAR = ("100644", "100755", "100664")
LINKS = 40  # that one path leads over
_TARGET = 4096  # bytes of a link


def at_revision(path: str, revision: str) -> tuple[Source, Origin]:
    """The Source of a file at a git revision, and the origin from which it includes others there.

    The repository is the one that the working directory is in. Raises OptionError for a revision, FileError for a file
    that is not.
    """
    if path == "-" or (not os.path.lexists(path) and path.removesuffix(".yaml") in configs()):
        what = "standard input" if path == "-" else f"the shipped config `{path}`"
        raise OptionError(Problem("usage", f"{what} has no history", help="name a file in a git repository"))
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise FileError(Problem("no-file", f"there is no directory {folder!r}"))
    repository: Any = Repository.find()
    name = repository and repository.name(path)
    if name is None:
        raise _outside(path, repository)
    source, origin = spec_at(repository, repository.commit(revision), revision, name)
    return source._replace(path=path), origin


def _outside(path: str, repository: Any) -> Any:
    where = "the repository of the working directory" if repository else "a git repository"
    message, help = f"{path!r} is not in {where}", "compare two files: costcalc diff OLD NEW"
    if repository or os.path.isabs(path) or ".." in path.split(os.sep):
        help = f"go to the repository of the file, or {help}"
    return FileError(Problem("not-a-repository", message, help=help))


def spec_at(repository: Any, commit: Any, revision: Any, name: Any) -> tuple[Source, Origin]:
    """The Source of a file of a repository at a commit, and its Origin; `revision` is the name that the user gave.

    Raises FileError where it was not there, or was a link that leads out of the repository.
    """
    real = Revision(repository, commit, revision, "").real(name)
    if real is None:
        message = f"there is no {name!r} at {revision}"
        raise FileError(Problem("no-file-at-revision", message, help="it is new, or had another name there"))
    origin = origin_at(repository, commit, revision, name)
    return origin.folder.blob(real, name), origin


def origin_at(repository: Any, commit: str, revision: str, name: str) -> Origin:
    """The origin of a file of a repository at a commit."""
    return Origin(Revision(repository, commit, revision, posixpath.dirname(name)), posixpath.basename(name))


class Revision:
    """A directory and all below it at a commit, as `files.Folder` is one on disk."""

    def __init__(self, repository: Repository, commit: str, revision: str, folder: str) -> None:
        self.repository, self.revision, self.folder = repository, revision, folder
        self.tree = repository.tree(commit)

    def real(self, path: str) -> str | None:
        """The path of the file itself where `path` leads over links at the commit; None if there is none.

        Raises FileError for a link that leaves the directory.
        """
        full = self._followed(path)
        start = posixpath.join(self.folder, "")
        if not full.startswith(start):
            raise self._leaves(path)
        found = self.tree.get(full)
        return full.removeprefix(start) if found and found.mode in REGULAR else None

    def _followed(self, path: str) -> str:
        done: list[str] = []
        left, links = self._full(path).split("/")[::-1], 0
        while left:
            part = left.pop()
            if part == ".." and not done:
                raise self._leaves(path)
            if part == "..":
                done.pop()
            elif part not in ("", "."):
                done.append(part)
            here = "/".join(done)
            if part not in ("..", "", ".") and self.tree.is_a(LINK, here):
                links += 1
                left += self._target(self.tree[here], path, links).split("/")[::-1]
                done.pop()
        return "/".join(done)

    def _target(self, blob: Blob, path: str, links: int) -> str:
        """The text of a link, a relative path."""
        text = self.repository.blob(blob.sha, _TARGET)
        if text is None or links > LINKS:
            raise FileError(Problem("bad-include", f"`{path}` is a link without an end at {self.revision}"))
        if text.startswith(b"/"):
            raise self._leaves(path)
        return os.fsdecode(text)

    def _leaves(self, path: str) -> FileError:
        message = f"`{path}` is a link that leaves the directory at {self.revision}"
        return FileError(Problem("bad-include", message, help="another base may do: --base REF"))

    def source(self, path: str) -> Source:
        """The text of a file, or the bytes of a graph. Raises FileError."""
        return self.blob(self._full(path), path)

    def blob(self, full: str, name: str) -> Source:
        """The Source of the file at a path of the repository, of the format that a name ends in. Raises FileError."""
        shown = f"{full} at {self.revision}"
        form = format_of(name)
        most = limits.value(form.limit)
        with self.repository.opened(self.tree[full].sha, most) as data:
            if data is None:
                message = f"{shown!r} is larger than {most:,} bytes"
                raise FileError(Problem("limit", message, help=limits.hint(form.limit)))
            if isinstance(data, Pages) and form.limit == "file_bytes":
                data = data[0 : len(data)]
            return form.from_bytes(data, shown)

    def names(self, path: str) -> Any:
        """The specs in a directory, for a hint."""
        start = posixpath.join(self._full(path), "")
        below = (name.removeprefix(start) for name in self.tree if name.startswith(start))
        return [name for name in below if "/" not in name and name.endswith((".yaml", ".yml"))]

    def _full(self, path: str) -> str:
        return posixpath.join(self.folder, path)
