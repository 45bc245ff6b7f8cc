"""A spec as it was at a git revision: costs are a function of the file, so history needs no store."""

import os
import subprocess

from . import limits
from .errors import FileError, OptionError, Problem, Source
from .loading import decoded

SECONDS = 30  # for one call of git


def at_revision(path, revision):
    """The Source of a file at a git revision. Raises OptionError for a revision, FileError for a file that is not."""
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
    size = _git(folder, "cat-file", "-s", f"{commit.decode().strip()}:{name}")
    if size is None:
        message = f"there is no {name!r} at {revision}"
        raise FileError(Problem("no-file-at-revision", message, help="it is new, or had another name there"))
    if int(size) > limits.FILE_BYTES:
        raise FileError(Problem("limit", f"{name!r} at {revision} is larger than {limits.FILE_BYTES:,} bytes"))
    data = _git(folder, "cat-file", "blob", f"{commit.decode().strip()}:{name}")
    return Source(path, decoded(data, f"{name} at {revision}"))


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
