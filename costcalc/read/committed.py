"""The files of a commit. Of a large repository only those are held that a spec can be, links and submodules."""

from __future__ import annotations

import os
from collections.abc import Callable, ItemsView, Iterable, Iterator

from ..errors import OptionError, Problem
from ..records import NamedTuple
from .formats import READERS

FILES = 200_000  # that are held of one commit
NAMES = 20_000_000  # characters of their paths
LINK, SUBMODULE, FOLDER = "120000", "160000", "040000"
_NO_NAMES = frozenset(("", ".", ".."))


class Blob(NamedTuple):
    """A file at a commit."""

    mode: str
    sha: str


class Files:
    """The files of a commit by their paths. A file that is not held is asked for when its path is given.

    Iteration gives the paths of files that may be specs, of links and of submodules.
    """

    def __init__(self, entries: Iterable[bytes], ask: Callable[[str], Iterable[bytes]], commit: str) -> None:
        self.ask, self.held, size = ask, dict[str, Blob](), 0
        for path, blob in map(_entry, entries):
            if blob.mode in (LINK, SUBMODULE) or _may_be_spec(path):
                self.held[path] = blob
                size += len(path)
                if len(self.held) > FILES or size > NAMES:
                    message = f"commit {commit[:7]} has more than {FILES:,} specs and links, or too long names of them"
                    raise OptionError(Problem("limit", message))
        self.asked: dict[str, Blob | None] = {}

    def get(self, path: str) -> Blob | None:
        """The file of that path, or None; a directory is none."""
        if path in self.held or _may_be_spec(path) or _NO_NAMES.intersection(path.split("/")):
            return self.held.get(path)
        if path not in self.asked:
            found = dict(map(_entry, self.ask(path))).get(path)
            self.asked[path] = found if found and found.mode != FOLDER else None
        return self.asked[path]

    def is_a(self, mode: str, path: str) -> bool:
        """Whether there is a link or a submodule of that path."""
        return path in self.held and self.held[path].mode == mode

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def __getitem__(self, path: str) -> Blob:
        found = self.get(path)
        if found is None:
            raise KeyError(path)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def items(self) -> ItemsView[str, Blob]:
        """The paths and files that are held."""
        return self.held.items()


def _may_be_spec(path: str) -> bool:
    return path.lower().endswith(tuple(READERS))


def _entry(entry: bytes) -> tuple[str, Blob]:
    """What an entry of `git ls-tree` says: its path and file."""
    about, _, path = os.fsdecode(entry).partition("\t")
    mode, _, sha = about.split()
    return path, Blob(mode, sha)
