"""A git repository: which files were there at a commit, and what they said. Nothing is checked out, nothing is run."""

import os
import subprocess
import weakref
from typing import NamedTuple

from .errors import OptionError, Problem

SECONDS = 60  # for one call of git
FILES = 1_000_000  # in one commit


class Blob(NamedTuple):
    """A file at a commit."""

    mode: str
    sha: str


class Repository:
    """The repository around a directory; `find` gives None where there is none."""

    def __init__(self, root):
        self.root, self.trees, self.batch = root, {}, None

    @classmethod
    def find(cls, folder):
        """The repository that a directory is in, or None."""
        root = os.path.isdir(folder) and _git(folder, "rev-parse", "--show-toplevel")
        return cls(os.path.realpath(os.fsdecode(root.rstrip(b"\n")))) if root else None

    def git(self, *args):
        """What git prints, or None when it refuses."""
        return _git(self.root, *args)

    def said(self, *args):
        """What git prints, as text. Raises OptionError when it refuses: nothing may pass for empty."""
        found = self.git(*args)
        if found is None:
            raise OptionError(
                Problem("git-failed", f"git {args[0]} failed in {self.root!r}", help="git fsck may say why")
            )
        return os.fsdecode(found)

    def name(self, path):
        """A path as git has it, or None for one outside the repository."""
        name = os.path.relpath(os.path.realpath(path), self.root).replace(os.sep, "/")
        return None if name.startswith("../") or name == ".." else name

    def commit(self, revision):
        """The hash of a revision's commit. Raises OptionError."""
        found = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if found is None:
            help = self.shallow or "a branch, a tag or a commit, as in --base main; git fetch brings the server's"
            raise OptionError(Problem("no-revision", f"git knows no revision `{revision}`", help=help))
        return found.decode().strip()

    def has(self, revision):
        """Whether there is a commit of that name."""
        found = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return found is not None

    def called(self, revision):
        """A revision by the name of its branch: origin/HEAD as origin/main."""
        found = self.git("rev-parse", "--abbrev-ref", "--end-of-options", revision)
        names = found.decode(errors="replace").split() if found else []
        return names[-1] if names else revision

    @property
    def shallow(self):
        """What to do about a clone without history; None if it has one."""
        found = self.git("rev-parse", "--is-shallow-repository")
        cut = found is not None and found.strip() == b"true"
        return "the clone is shallow: git fetch --unshallow, or `fetch-depth: 0` in CI" if cut else None

    def merge_base(self, revision):
        """The commit where HEAD left a revision, or None."""
        found = self.git("merge-base", "--end-of-options", "HEAD", revision)
        return found.decode().strip() if found else None

    def tree(self, commit):
        """The files of a commit: path -> Blob."""
        if commit not in self.trees:
            entries = self.said("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
            if len(entries) > FILES:
                raise OptionError(Problem("limit", f"commit {commit[:7]} has more than {FILES:,} files"))
            self.trees[commit] = dict(_entry(entry) for entry in entries if entry)
        return self.trees[commit]

    def moved(self, commit):
        """Files that have other names now than at a commit: path now -> path then."""
        options = ("--no-ext-diff", "--ignore-submodules", "-z", "--name-status", "--diff-filter=R", "-M")
        parts = self.said("diff", *options, commit).split("\0")
        return {parts[at + 2]: parts[at + 1] for at in range(0, len(parts) - 2, 3)}

    def blob(self, sha, most):
        """The bytes of a blob, through one git that stays open for all of them; None for more than `most` bytes.

        Raises OptionError if git does not have it, as may be in a clone that leaves files out.
        """
        if self.batch is None:
            command = ["git", "-C", self.root, "cat-file", "--batch"]
            pipe = subprocess.PIPE
            self.batch = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=_quiet())
            weakref.finalize(self, _end, self.batch)
        try:
            self.batch.stdin.write(sha.encode() + b"\n")
            self.batch.stdin.flush()
        except BrokenPipeError:
            raise _no_object(sha) from None
        answer = self.batch.stdout.readline().split()
        if len(answer) != 3:  # name, type and size; `missing`, or nothing when git has ended
            raise _no_object(sha)
        if int(answer[2]) > most:
            self.batch = None  # the next call starts another, which has nothing left to say of this one
            return None
        return self.batch.stdout.read(int(answer[2]) + 1)[:-1]


def _no_object(sha):
    return OptionError(Problem("git-failed", f"git does not have the object {sha}", help="git fetch may bring it"))


def _end(process):
    """Let an open git end; it does so when nothing more can come."""
    from contextlib import suppress

    for stream in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            stream.close()
    process.wait(SECONDS)


def _entry(entry):
    about, _, path = entry.partition("\t")
    mode, _, sha = about.split()
    return path, Blob(mode, sha)


def _git(folder, *args):
    try:
        command = ["git", "-C", folder, *args]
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False, env=_quiet())
    except FileNotFoundError:
        raise OptionError(Problem("no-git", "there is no program `git`", help="it has the history")) from None
    except subprocess.TimeoutExpired:
        raise OptionError(Problem("limit", f"git took longer than {SECONDS} seconds")) from None
    return done.stdout if done.returncode == 0 else None


def _quiet():
    """An environment in which git asks nobody and leaves its index as it is."""
    return {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
