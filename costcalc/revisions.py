"""A spec as it was at a git revision: costs are a function of the file, so history needs no store."""

import os
import posixpath
import subprocess

from . import limits
from .errors import FileError, OptionError, Problem, Source
from .files import Origin, decoded

SECONDS = 30  # for one call of git


def at_revision(path, revision):
    """The Source of a file at a git revision, and the origin from which it includes others there.

    Raises OptionError for a revision, FileError for a file that is not.
    """
    folder = os.path.dirname(os.path.realpath(path)) or "."
    if not os.path.isdir(folder):
        raise FileError(Problem("no-file", f"there is no directory {folder!r}"))
    root = _git(folder, "rev-parse", "--show-toplevel")
    if root is None:
        message = f"{path!r} is not in a git repository"
        raise FileError(Problem("not-a-repository", message, help="compare two files: costcalc diff OLD NEW"))
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise OptionError(Problem("no-revision", f"git knows no revision `{revision}`", help=_why(folder)))
    name = os.path.relpath(os.path.realpath(path), os.path.realpath(root.decode().strip())).replace(os.sep, "/")
    tree = Revision(root.decode().strip(), commit.decode().strip(), revision, posixpath.dirname(name))
    here = posixpath.basename(name)
    if tree.real(here) is None:
        message = f"there is no {name!r} at {revision}"
        raise FileError(Problem("no-file-at-revision", message, help="it is new, or had another name there"))
    return tree.source(here)._replace(path=path), Origin(tree, here)


class Revision:
    """A directory and all below it at a commit, as `files.Folder` is one on disk."""

    def __init__(self, root, commit, revision, folder):
        self.root, self.commit, self.revision, self.folder = root, commit, revision, folder

    def real(self, path):
        """The path itself; None if nothing is there. Raises FileError for a link: nothing follows it."""
        found = _git(self.root, "ls-tree", self.commit, "--", f":(literal){self._full(path)}") or b""
        if found.startswith(b"120000"):
            raise FileError(
                Problem("bad-include", f"`{path}` is a link at {self.revision}", help="name the file itself")
            )
        return path if b" blob " in found else None

    def source(self, path):
        """The text of a file. Raises FileError."""
        spec, shown = f"{self.commit}:{self._full(path)}", f"{self._full(path)} at {self.revision}"
        size = _git(self.root, "cat-file", "-s", spec)
        if size is None or int(size) > limits.FILE_BYTES:
            raise FileError(Problem("limit", f"{shown!r} is larger than {limits.FILE_BYTES:,} bytes"))
        return Source(shown, decoded(_git(self.root, "cat-file", "blob", spec), shown))

    def names(self, path):
        """The specs in a directory, for a hint."""
        found = _git(self.root, "ls-tree", "--name-only", "-z", f"{self.commit}:{self._full(path)}") or b""
        return [name for name in found.decode(errors="replace").split("\0") if name.endswith((".yaml", ".yml"))]

    def _full(self, path):
        return posixpath.join(self.folder, path)


def _why(folder):
    shallow = _git(folder, "rev-parse", "--is-shallow-repository")
    if shallow and shallow.strip() == b"true":
        return "the clone is shallow: git fetch --unshallow, or `fetch-depth: 0` in CI"
    return "a branch, a tag or a commit, as in --base main; git fetch brings those of the server"


def _git(folder, *args):
    """What git prints, or None when it refuses."""
    try:
        done = subprocess.run(["git", "-C", folder, *args], capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise OptionError(
            Problem("no-git", "there is no program `git`", help="install it, or diff two files")
        ) from None
    except subprocess.TimeoutExpired:
        raise OptionError(Problem("limit", f"git took longer than {SECONDS} seconds")) from None
    return done.stdout if done.returncode == 0 else None
