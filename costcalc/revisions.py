"""A spec as it was at a git revision: costs are a function of the file, so history needs no store."""

import os
import posixpath
from io import BytesIO

from . import limits
from .errors import FileError, OptionError, Problem, Source
from .files import Origin, configs, decoded, is_graph
from .repository import Repository


def at_revision(path, revision):
    """The Source of a file at a git revision, and the origin from which it includes others there.

    Raises OptionError for a revision, FileError for a file that is not.
    """
    if path == "-" or (not os.path.lexists(path) and path.removesuffix(".yaml") in configs()):
        what = "standard input" if path == "-" else f"the shipped config `{path}`"
        raise OptionError(Problem("usage", f"{what} has no history", help="name a file in a git repository"))
    folder = os.path.dirname(os.path.realpath(path)) or "."
    if not os.path.isdir(folder):
        raise FileError(Problem("no-file", f"there is no directory {folder!r}"))
    repository = Repository.find(folder)
    if repository is None:
        message = f"{path!r} is not in a git repository"
        raise FileError(Problem("not-a-repository", message, help="compare two files: costcalc diff OLD NEW"))
    commit, name = repository.commit(revision), repository.name(path)
    origin = origin_at(repository, commit, revision, name)
    if origin.folder.real(origin.path) is None:
        message = f"there is no {name!r} at {revision}"
        raise FileError(Problem("no-file-at-revision", message, help="it is new, or had another name there"))
    return origin.folder.source(origin.path)._replace(path=path), origin


def origin_at(repository, commit, revision, name):
    """The origin of a file of a repository at a commit; `revision` is what a person calls the commit."""
    return Origin(Revision(repository, commit, revision, posixpath.dirname(name)), posixpath.basename(name))


class Revision:
    """A directory and all below it at a commit, as `files.Folder` is one on disk."""

    def __init__(self, repository, commit, revision, folder):
        self.repository, self.revision, self.folder = repository, revision, folder
        self.tree = repository.tree(commit)

    def real(self, path):
        """The path itself; None if nothing is there. Raises FileError for a link: nothing follows it."""
        blob = self.tree.get(self._full(path))
        if blob is None:
            return None
        if blob.mode == "120000":
            message = f"`{path}` is a link at {self.revision}"
            raise FileError(Problem("bad-include", message, help="name the file itself"))
        return path

    def source(self, path):
        """The text of a file, or the bytes of a graph. Raises FileError."""
        blob, shown = self.tree[self._full(path)], f"{self._full(path)} at {self.revision}"
        name = "graph_file_bytes" if is_graph(path) else "file_bytes"
        most = limits.value(name)
        data = self.repository.blob(blob.sha, most)
        if data is None:
            raise FileError(Problem("limit", f"{shown!r} is larger than {most:,} bytes", help=limits.hint(name)))
        if is_graph(path):
            from .read.onnx.file import bounded

            return bounded(data, shown)
        if path.lower().endswith(".keras"):
            from .read.keras.file import unpacked

            return unpacked(BytesIO(data), shown)
        return Source(shown, decoded(data, shown))

    def names(self, path):
        """The specs in a directory, for a hint."""
        start = posixpath.join(self._full(path), "")
        below = (name.removeprefix(start) for name in self.tree if name.startswith(start))
        return [name for name in below if "/" not in name and name.endswith((".yaml", ".yml"))]

    def _full(self, path):
        return posixpath.join(self.folder, path)
