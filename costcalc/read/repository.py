"""A git repository: which files were there at a commit, and what they said. Nothing is checked out, nothing is run."""

from __future__ import annotations

import os
import re
import subprocess
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import Any

from .. import git
from ..errors import OptionError, Problem
from ..files import Pages, unresolved
from .committed import Files

HELD = 16_000_000  # bytes of a blob that are held in memory
PIECE = 2**20  # bytes of a larger one that are read at once


def top() -> str | None:
    """The directory of the repository that the working directory is in: the nearest with `.git` in it. Or None."""
    folder = os.path.realpath(".")
    while not os.path.lexists(os.path.join(folder, ".git")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    return folder


class Repository:
    """The repository at a root directory; `find` gives None where there is none."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.trees: dict[str, Files] = {}
        self.batch: Any = None  # git cat-file, while it is open
        self.ending: Any = None  # ends it

    @classmethod
    def find(cls) -> Repository | None:
        """The repository that the working directory is in, or None.

        It is never looked for around a file that is read: whoever wrote the file may have put a repository there.
        Raises OptionError for one that git refuses, and for a git that is too old.
        """
        root = top()
        if root is None:
            return None
        git.check_version(root)
        found = git.output(root, "rev-parse", "--show-toplevel")
        if found is None or os.path.realpath(os.fsdecode(found.rstrip(b"\n"))) != root:
            raise _refused(root) if found is None else _elsewhere(root)
        return cls(root)

    def git(self, *args: str) -> bytes | None:
        """What git prints, or None when it refuses."""
        return git.output(self.root, *args)

    def entries(self, *args: str) -> Iterator[bytes]:
        """What git prints, entry by entry. Raises OptionError when it refuses: nothing may pass for empty."""
        return git.entries(self.root, *args)

    def name(self, path: str) -> str | None:
        """A path as git has it, links in it not followed; None for one outside the repository."""
        full = unresolved(path)
        above: list[str] = []
        while not above or above[-1] != os.path.dirname(above[-1]):
            above.append(os.path.dirname(above[-1]) if above else full)
        for folder in reversed(above):
            if os.path.realpath(folder) == self.root:
                return os.path.relpath(full, folder).replace(os.sep, "/")
        return None

    def commit(self, revision: str) -> str:
        """The hash of a revision's commit. Raises OptionError, also where it names several."""
        found = self._hash(revision)
        if found is None:
            help = self.shallow or "a branch, a tag or a commit, as in --base main; git fetch brings the server's"
            raise OptionError(Problem("no-revision", f"git knows no revision `{revision}`", help=help))
        self._check_ambiguous(revision)
        return found

    def _hash(self, revision: str) -> str | None:
        found = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return found.decode().strip() if found else None

    def _check_ambiguous(self, revision: str) -> None:
        """Refuse a name that is both a tag and a branch: git takes the tag, which more people can push."""
        name = re.split(r"[~^:@{]", revision)[0]
        if name.startswith("refs/"):
            return
        names = [f"refs/{kind}/{name}" for kind in ("tags", "heads", "remotes")]
        found = self.git("for-each-ref", "--format=%(objectname) %(refname)", *names) or b""
        pairs = [line.split(" ", 1) for line in os.fsdecode(found).splitlines()]
        refs = {ref: sha for sha, ref in pairs if ref in names}
        if len(set(refs.values())) > 1:
            help = f"write which: --base {sorted(refs)[0]}"
            raise OptionError(Problem("no-revision", f"`{revision}` is several: {', '.join(sorted(refs))}", help=help))

    def has(self, revision: str) -> bool:
        """Whether there is a commit of that name."""
        return self._hash(revision) is not None

    def called(self, revision: str) -> str:
        """A revision by the name of its branch: origin/HEAD as origin/main."""
        found = self.git("rev-parse", "--abbrev-ref", "--end-of-options", revision)
        names = [name for name in (found or b"").decode(errors="replace").split() if not name.startswith("-")]
        return names[-1] if names else revision  # git has none where several tags and branches are called so

    @property
    def shallow(self) -> str | None:
        """What to do about a clone without history; None if it has one."""
        found = self.git("rev-parse", "--is-shallow-repository")
        cut = found is not None and found.strip() == b"true"
        return "the clone is shallow: git fetch --unshallow, or `fetch-depth: 0` in CI" if cut else None

    def merge_base(self, revision: str) -> str | None:
        """The commit where HEAD left a revision, or None."""
        found = self.git("merge-base", "--end-of-options", "HEAD", revision)
        return found.decode().strip() if found else None

    def tree(self, commit: Any) -> Files:
        """The files of a commit. Raises OptionError for more specs than can be held."""
        if commit not in self.trees:
            every = self.entries("ls-tree", "-r", "-z", "--full-tree", commit)
            self.trees[commit] = Files(every, partial(self._entry, commit), commit)
        return self.trees[commit]

    def _entry(self, commit: str, path: str) -> Iterator[bytes]:
        return self.entries("ls-tree", "-z", "--full-tree", commit, "--", path)

    def blob(self, sha: str, most: int) -> bytes | None:
        """The bytes of a blob; None for more than `most` bytes. Raises OptionError if git does not have it."""
        size = self._asked(sha, most)
        return None if size is None else self._read(sha, size + 1)[:-1]

    @contextmanager
    def opened(self, sha: str, most: int) -> Iterator[bytes | Pages | None]:
        """The same for a blob of any size: of a large one the pages of a temporary file, which has no name."""
        size = self._asked(sha, most)
        if size is None or size <= HELD:
            yield None if size is None else self._read(sha, size + 1)[:-1]
            return
        with TemporaryFile() as file:
            for start in range(0, size, PIECE):
                file.write(self._read(sha, min(PIECE, size - start)))
            self._read(sha, 1)
            yield Pages(file, size)

    def close(self) -> None:
        """End the git that stays open; the next question starts another."""
        if self.batch is not None:
            self.ending()
            self.batch = None

    def _read(self, sha: str, size: int) -> bytes:
        """So many bytes of what git says."""
        data = self.batch.stdout.read(size)
        if len(data) < size:
            self.batch = None
            raise _no_object(sha)
        return data

    def _asked(self, sha: str, most: int) -> int | None:
        """Ask for a blob, through one git that stays open for all of them: its size, None for more than `most` bytes.

        Raises OptionError if git does not have it, as may be in a clone that leaves files out.
        """
        if self.batch is None:
            command, pipe = git.command(self.root, "cat-file", "--batch"), subprocess.PIPE
            environment = git.environment(self.root)
            self.batch = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment)
            self.ending = weakref.finalize(self, _end, self.batch)
        try:
            self.batch.stdin.write(sha.encode() + b"\n")
            self.batch.stdin.flush()
        except BrokenPipeError:
            raise _no_object(sha) from None
        answer = self.batch.stdout.readline().split()
        if len(answer) != 3 or answer[1] != b"blob":  # name, type, size; `missing`, or nothing when git has ended
            self.batch = None
            raise _no_object(sha)
        if int(answer[2]) > most:
            self.batch = None  # the next call starts another, which has nothing left to say of this one
            return None
        return int(answer[2])


def _refused(root: str) -> OptionError:
    help = "`git status` there says why; of another owner: git config --global --add safe.directory DIRECTORY"
    return OptionError(Problem("git-failed", f"git refuses the repository {root!r}", help=help))


def _elsewhere(root: str) -> OptionError:
    message = f"the configuration of the repository {root!r} names another directory for its files"
    return OptionError(Problem("git-failed", message, help="see core.worktree in its configuration"))


def _no_object(sha: str) -> OptionError:
    return OptionError(Problem("git-failed", f"git does not have the object {sha}", help="git fetch may bring it"))


def _end(process: Any) -> None:
    """Let an open git end; it does so when nothing more can come."""
    from contextlib import suppress

    for stream in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            stream.close()
    process.wait(git.SECONDS)
