"""Find the former names of new files. Files on disk are read directly, because git would apply filters to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from hashlib import sha1, sha256
from typing import Any

from .. import limits
from ..errors import OptionError, Problem
from ..read.loading import READERS
from ..read.repository import FILES, REGULAR
from .similarity import LEAST, alike

PAIRS = 10_000  # maximum pairs of files that are compared byte by byte


class Renames:
    """Specs of a commit that are missing on disk, and their possible new names."""

    def __init__(self, repository: Any, commit: str) -> None:
        self.repository, self.tree, self.pairs = repository, repository.tree(commit), 0
        self.found: dict[Any, Any] = {}

    @cached_property
    def gone(self) -> list[str]:
        """Specs at the commit that no longer exist, in order."""
        specs = (name for name, blob in self.tree.items() if _is_spec(name) and blob.mode in REGULAR)
        return sorted(name for name in specs if not os.path.lexists(self._path(name)))

    def of(self, name: str) -> str | None:
        """Former name of a file: the missing file with the same bytes, or the most similar one.

        Files with the same file name are preferred. None if no missing file is at least half the same.
        """
        if name not in self.found:
            self.found[name] = self._of(name) if self.gone and name not in self.tree else None
        return self.found[name]

    def _of(self, name: str) -> str | None:
        gone = sorted(self.gone, key=lambda other: os.path.basename(other) != os.path.basename(name))
        path = self._path(name)
        if not os.path.isfile(path) or os.path.islink(path):
            return None
        size = len(self.tree[gone[0]].sha)
        sha = self.sha(path, size)
        same = [other for other in gone if self.tree[other].sha == sha]
        return same[0] if same else self._most_alike(path, gone)

    def _most_alike(self, path: str, gone: list[str]) -> str | None:
        data = _bytes(path)
        if data is None:
            return None
        best, most = None, 0.0
        for other in gone:
            self.pairs += 1
            if self.pairs > PAIRS:
                message = f"more than {PAIRS:,} pairs of new and deleted specs: renames are not detected"
                raise OptionError(
                    Problem("limit", message, help="change the specs in one step, rename them in another")
                )
            then = self.repository.blob(self.tree[other].sha, limits.FILE_BYTES)
            share = alike(data, then) if then else 0.0
            if share >= LEAST and share > most:
                best, most = other, share
        return best

    def below(self, folder: str) -> dict[str, str]:
        """Renamed files below a directory, for files that git tracks: {former name: new name}.

        `folder` is a name in the repository, "." for all.
        """
        start = "" if folder == "." else f"{folder}/"
        names = dict.fromkeys([*self.new(), *self.found])
        return {then: now for now in names if now.startswith(start) and (then := self.of(now))}

    def new(self) -> Iterator[str]:
        """Tracked specs that the commit does not have. Raises OptionError if there are too many."""
        tracked = map(os.fsdecode, self.repository.entries("ls-files", "-z", "--full-name"))
        for count, name in enumerate(name for name in tracked if _is_spec(name) and name not in self.tree):
            if count == FILES:
                raise OptionError(Problem("limit", f"git has more than {FILES:,} new specs"))
            yield name

    def _path(self, name: str) -> str:
        return os.path.join(self.repository.root, *name.split("/"))

    def sha(self, path: str, digits: int) -> str:
        """Name that git gives to the content of a file, with 40 or 64 digits."""
        digest = sha1() if digits == 40 else sha256()
        with open(path, "rb") as file:
            left = os.fstat(file.fileno()).st_size
            digest.update(b"blob %d\0" % left)
            while part := file.read(min(left, 1 << 20)):
                digest.update(part)
                left -= len(part)
        return digest.hexdigest()


def _is_spec(name: str) -> bool:
    return name.lower().endswith(tuple(READERS))


def _bytes(path: str) -> bytes | None:
    """Bytes of a file; None if it is too large for a spec."""
    with open(path, "rb") as file:
        data = file.read(limits.FILE_BYTES + 1)
    return data if len(data) <= limits.FILE_BYTES else None
