"""Files of a git repository at a commit. Nothing is checked out, no code is run."""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import weakref
from collections.abc import Callable, ItemsView, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import Any

from .. import git, limits
from ..errors import FileError, OptionError, Problem, Source
from ..files import Origin, Pages, configs, unresolved
from ..records import NamedTuple
from .loading import READERS, format_of

FILES = 200_000  # most specs and links held for one commit
NAMES = 20_000_000  # most characters of their paths
LINK, SUBMODULE, FOLDER = "120000", "160000", "040000"
_NO_NAMES = frozenset(("", ".", ".."))


class Blob(NamedTuple):
    """A file at a commit."""

    mode: str
    sha: str


class Files:
    """Files of a commit by path. Specs, links and submodules are held; other files are looked up on demand.

    Iteration yields the paths of the held files.
    """

    def __init__(self, entries: Iterable[bytes], ask: Callable[[str], Iterable[bytes]], commit: str) -> None:
        self.ask, self.held, size = ask, dict[str, Blob](), 0
        for path, blob in map(_entry, entries):
            if blob.mode in (LINK, SUBMODULE) or _may_be_spec(path):
                self.held[path] = blob
                size += len(path)
                if len(self.held) > FILES or size > NAMES:
                    message = f"commit {commit[:7]} has more than {FILES:,} specs and links, or too long names"
                    raise OptionError(Problem("limit", message))
        self.asked: dict[str, Blob | None] = {}

    def get(self, path: str) -> Blob | None:
        """Return the file at a path, or None if it is missing or a directory."""
        if path in self.held or _may_be_spec(path) or _NO_NAMES.intersection(path.split("/")):
            return self.held.get(path)
        if path not in self.asked:
            found = dict(map(_entry, self.ask(path))).get(path)
            self.asked[path] = found if found and found.mode != FOLDER else None
        return self.asked[path]

    def is_a(self, mode: str, path: str) -> bool:
        """Whether the path is a link or submodule, as given by `mode`."""
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
        """Paths and files that are held."""
        return self.held.items()


def _may_be_spec(path: str) -> bool:
    return path.lower().endswith(tuple(READERS))


def _entry(entry: bytes) -> tuple[str, Blob]:
    """Parse an entry of `git ls-tree` into its path and file."""
    about, _, path = os.fsdecode(entry).partition("\t")
    mode, _, sha = about.split()
    return path, Blob(mode, sha)


HELD = 16_000_000  # largest blob that is kept in memory, in bytes
PIECE = 2**20  # bytes of a larger blob that are read at a time


def top() -> str | None:
    """Nearest directory with `.git`, from the working directory upwards, or None."""
    folder = os.path.realpath(".")
    while not os.path.lexists(os.path.join(folder, ".git")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    return folder


class Repository:
    """A repository by its root directory. `find` returns the one of the working directory."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.trees: dict[str, Files] = {}
        self.batch: Any = None  # running `git cat-file`, or None
        self.ending: Any = None  # finalizer that ends it

    @classmethod
    def find(cls) -> Repository | None:
        """Return the repository of the working directory, or None.

        The directory of a file that is read is never searched: its author may have placed a repository there.
        Raises OptionError if git refuses the repository or is too old.
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
        """Output of a git command, or None if git refuses."""
        return git.output(self.root, *args)

    def entries(self, *args: str) -> Iterator[bytes]:
        """Entries of a git command's output. Raises OptionError if git refuses: a failure is never an empty result."""
        return git.entries(self.root, *args)

    def name(self, path: str) -> str | None:
        """Path relative to the root, links in it not followed, or None for a path outside the repository."""
        full = unresolved(path)
        above: list[str] = []
        while not above or above[-1] != os.path.dirname(above[-1]):
            above.append(os.path.dirname(above[-1]) if above else full)
        for folder in reversed(above):
            if os.path.realpath(folder) == self.root:
                return os.path.relpath(full, folder).replace(os.sep, "/")
        return None

    def commit(self, revision: str) -> str:
        """Hash of a revision's commit. Raises OptionError if the revision is unknown or ambiguous."""
        found = self._hash(revision)
        if found is None:
            help = self.shallow or "a branch, a tag or a commit, as in --base main; git fetch gets the server's"
            raise OptionError(Problem("no-revision", f"git knows no revision `{revision}`", help=help))
        self._check_ambiguous(revision)
        return found

    def _hash(self, revision: str) -> str | None:
        found = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return found.decode().strip() if found else None

    def _check_ambiguous(self, revision: str) -> None:
        """Refuse a name that is both a tag and a branch. Git would use the tag, which more people can push."""
        name = re.split(r"[~^:@{]", revision)[0]
        if name.startswith("refs/"):
            return
        names = [f"refs/{kind}/{name}" for kind in ("tags", "heads", "remotes")]
        found = self.git("for-each-ref", "--format=%(objectname) %(refname)", *names) or b""
        pairs = [line.split(" ", 1) for line in os.fsdecode(found).splitlines()]
        refs = {ref: sha for sha, ref in pairs if ref in names}
        if len(set(refs.values())) > 1:
            help = f"write the full name: --base {sorted(refs)[0]}"
            raise OptionError(
                Problem("no-revision", f"`{revision}` is ambiguous: {', '.join(sorted(refs))}", help=help)
            )

    def has(self, revision: str) -> bool:
        """Whether a commit of that name exists."""
        return self._hash(revision) is not None

    def called(self, revision: str) -> str:
        """Branch name of a revision, for example origin/main for origin/HEAD."""
        found = self.git("rev-parse", "--abbrev-ref", "--end-of-options", revision)
        names = [name for name in (found or b"").decode(errors="replace").split() if not name.startswith("-")]
        return names[-1] if names else revision  # empty if several tags and branches have this name

    @property
    def shallow(self) -> str | None:
        """Advice for a shallow clone, or None if the clone has its history."""
        found = self.git("rev-parse", "--is-shallow-repository")
        cut = found is not None and found.strip() == b"true"
        return "the clone is shallow: git fetch --unshallow, or `fetch-depth: 0` in CI" if cut else None

    def merge_base(self, revision: str) -> str | None:
        """Merge base of HEAD and a revision, or None."""
        found = self.git("merge-base", "--end-of-options", "HEAD", revision)
        return found.decode().strip() if found else None

    def tree(self, commit: Any) -> Files:
        """Files of a commit. Raises OptionError if it has more specs than the limit."""
        if commit not in self.trees:
            every = self.entries("ls-tree", "-r", "-z", "--full-tree", commit)
            self.trees[commit] = Files(every, partial(self._entry, commit), commit)
        return self.trees[commit]

    def _entry(self, commit: str, path: str) -> Iterator[bytes]:
        return self.entries("ls-tree", "-z", "--full-tree", commit, "--", path)

    def blob(self, sha: str, most: int) -> bytes | None:
        """Bytes of a blob, or None if it is larger than `most`. Raises OptionError if git does not have it."""
        size = self._asked(sha, most)
        return None if size is None else self._read(sha, size + 1)[:-1]

    @contextmanager
    def opened(self, sha: str, most: int) -> Iterator[bytes | Pages | None]:
        """Like `blob`, for a blob of any size. A large one is returned as the Pages of an unnamed temporary file."""
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
        """End the running git process. The next request starts another."""
        if self.batch is not None:
            self.ending()
            self.batch = None

    def _read(self, sha: str, size: int) -> bytes:
        """Read `size` bytes of git's output."""
        data = self.batch.stdout.read(size)
        if len(data) < size:
            self.batch = None
            raise _no_object(sha)
        return data

    def _asked(self, sha: str, most: int) -> int | None:
        """Request a blob from the running git process and return its size, or None if it is larger than `most` bytes.

        Raises OptionError if git does not have the blob, for example in a partial clone.
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
        if len(answer) != 3 or answer[1] != b"blob":  # name, type, size; `missing`, or empty if git has ended
            self.batch = None
            raise _no_object(sha)
        if int(answer[2]) > most:
            self.batch = None  # the next request starts a new process, without this blob in its output
            return None
        return int(answer[2])


def _refused(root: str) -> OptionError:
    help = "`git status` there says why; if another user owns it: git config --global --add safe.directory DIRECTORY"
    return OptionError(Problem("git-failed", f"git refuses the repository {root!r}", help=help))


def _elsewhere(root: str) -> OptionError:
    message = f"the configuration of the repository {root!r} names another directory for its files"
    return OptionError(Problem("git-failed", message, help="see core.worktree in its configuration"))


def _no_object(sha: str) -> OptionError:
    return OptionError(Problem("git-failed", f"git does not have the object {sha}", help="git fetch may get it"))


def _end(process: Any) -> None:
    """Close the pipes of a git process, which makes it exit, and wait for it."""
    from contextlib import suppress

    for stream in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            stream.close()
    process.wait(git.SECONDS)


REGULAR = ("100644", "100755", "100664")
LINKS = 40  # most links on one path
_TARGET = 4096  # most bytes of a link


def at_revision(path: str, revision: str) -> tuple[Source, Origin]:
    """The Source of a file at a git revision, and the origin for its includes there.

    The repository is that of the working directory. Raises OptionError for the revision, FileError for the file.
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
    """The Source of a file at a commit, and its origin. `revision` is the name that the user gave.

    Raises FileError if the file does not exist there, or is a link that leaves the repository.
    """
    real = Revision(repository, commit, revision, "").real(name)
    if real is None:
        message = f"there is no {name!r} at {revision}"
        raise FileError(Problem("no-file-at-revision", message, help="it is new, or had another name there"))
    origin = origin_at(repository, commit, revision, name)
    return origin.folder.blob(real, name), origin


def origin_at(repository: Any, commit: str, revision: str, name: str) -> Origin:
    """The origin of a file at a commit."""
    return Origin(Revision(repository, commit, revision, posixpath.dirname(name)), posixpath.basename(name))


class Revision:
    """A directory at a commit, with the interface of `files.Folder`."""

    def __init__(self, repository: Repository, commit: str, revision: str, folder: str) -> None:
        self.repository, self.revision, self.folder = repository, revision, folder
        self.tree = repository.tree(commit)

    def real(self, path: str) -> str | None:
        """Path of the file after following links at the commit, or None if there is no such file.

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
        """Text of a link, a relative path."""
        text = self.repository.blob(blob.sha, _TARGET)
        if text is None or links > LINKS:
            raise FileError(Problem("bad-include", f"`{path}` is a circular link at {self.revision}"))
        if text.startswith(b"/"):
            raise self._leaves(path)
        return os.fsdecode(text)

    def _leaves(self, path: str) -> FileError:
        message = f"`{path}` is a link that leaves the directory at {self.revision}"
        return FileError(Problem("bad-include", message, help="try another base: --base REF"))

    def source(self, path: str) -> Source:
        """The Source of a file: text, or the bytes of a graph. Raises FileError."""
        return self.blob(self._full(path), path)

    def blob(self, full: str, name: str) -> Source:
        """The Source of the file at path `full`, in the format of the suffix of `name`. Raises FileError."""
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
        """Specs in a directory, for suggestions."""
        start = posixpath.join(self._full(path), "")
        below = (name.removeprefix(start) for name in self.tree if name.startswith(start))
        return [name for name in below if "/" not in name and name.endswith((".yaml", ".yml"))]

    def _full(self, path: str) -> str:
        return posixpath.join(self.folder, path)
