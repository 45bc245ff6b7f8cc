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
    size: int


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
            listing = self.git("ls-tree", "-r", "-z", "-l", "--full-tree", commit) or b""
            entries = os.fsdecode(listing).split("\0")[:FILES]
            self.trees[commit] = dict(_entry(entry) for entry in entries if entry)
        return self.trees[commit]

    def moved(self, commit):
        """Files that have other names now than at a commit: path now -> path then."""
        listing = self.git("diff", "--no-ext-diff", "-z", "--name-status", "--diff-filter=R", "-M", commit) or b""
        parts = os.fsdecode(listing).split("\0")
        return {parts[at + 2]: parts[at + 1] for at in range(0, len(parts) - 2, 3)}

    def blob(self, sha):
        """The bytes of a blob, through one git that stays open for all of them."""
        if self.batch is None:
            command = ["git", "-C", self.root, "cat-file", "--batch"]
            self.batch = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            weakref.finalize(self, _end, self.batch)
        self.batch.stdin.write(sha.encode() + b"\n")
        self.batch.stdin.flush()
        size = int(self.batch.stdout.readline().split()[-1])
        return self.batch.stdout.read(size + 1)[:-1]


def _end(process):
    """Let an open git end; it does so when nothing more can come."""
    process.stdin.close()
    process.stdout.close()
    process.wait(SECONDS)


def _entry(entry):
    about, _, path = entry.partition("\t")
    mode, _, sha, size = about.split()
    return path, Blob(mode, sha, int(size) if size.isdigit() else 0)


def _git(folder, *args):
    try:
        done = subprocess.run(["git", "-C", folder, *args], capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise OptionError(Problem("no-git", "there is no program `git`", help="it has the history")) from None
    except subprocess.TimeoutExpired:
        raise OptionError(Problem("limit", f"git took longer than {SECONDS} seconds")) from None
    return done.stdout if done.returncode == 0 else None
