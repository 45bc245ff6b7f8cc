"""Where a change began: the commit that costs are compared with."""

import os
import posixpath

from ..errors import FileError, OptionError, Problem
from ..loading import modelled
from ..repository import Repository
from ..revisions import origin_at
from .verdict import Base

_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_LINK, _SUBMODULE = "120000", "160000"


class Bases:
    """Specs as they were at the base; `why_none` says why there is no base, where there is none."""

    def __init__(self, folder, revision=None):
        self.repository, self.revision, self.commit, self.why_none = Repository.find(folder), None, None, None
        self.renamed = None
        if self.repository is None:
            message = "this is not a git repository: there is no base to compare with"
            self.why_none = Problem("not-a-repository", message, help="`max` and `min` need no base")
            if revision:
                raise OptionError(self.why_none)
        elif revision:
            self.revision, self.commit = revision, self.repository.commit(revision)
        else:
            self._begin()

    def _begin(self):
        """The merge base with the branch that a change goes to."""
        wanted = _of_ci()
        for revision in [wanted] if wanted else _BRANCHES:
            if self.repository.has(revision):
                self.revision, self.commit = self.repository.called(revision), self.repository.merge_base(revision)
                break
        if self.commit is None:
            message = f"HEAD and {self.revision} have no commit in common" if self.revision else _no_branch(wanted)
            self.why_none = Problem("no-base", message, help=self.repository.shallow or _fetch(wanted))

    @property
    def root(self):
        """The directory that paths are relative to for those who know the repository: its root, or the working one."""
        return self.repository.root if self.repository else os.path.realpath(".")

    @property
    def note(self):
        """What is compared with, in a line."""
        if self.commit is None:
            return "no base: limits are judged by themselves"
        same = self.repository.git("rev-parse", "HEAD") == f"{self.commit}\n".encode()
        own = ", the commit that is checked out: only what is not committed is a change" if same else ""
        return f"base: {self.revision} ({self.commit[:7]}){own}"

    def of(self, path):
        """The Base of a spec on disk: `name` is None for one that is new; None where there is no base at all."""
        if self.commit is None or not os.path.exists(path):  # a shipped config is no file of the repository
            return None
        name = self.repository.name(path)
        if name is None or self._is_submodule(name):
            return None
        return Base(self.revision, self.commit, self._name_then(name))

    def _is_submodule(self, name):
        tree = self.repository.tree(self.commit)
        while name := posixpath.dirname(name):
            if name in tree and tree[name].mode == _SUBMODULE:
                return True
        return False

    def _name_then(self, name):
        if name in self.repository.tree(self.commit):
            return name
        return self._renamed().get(name)

    def _renamed(self):
        if self.renamed is None:
            self.renamed = self.repository.moved(self.commit)
        return self.renamed

    def model(self, base):
        """The Model of a spec at the base. Raises CostcalcError."""
        origin = origin_at(self.repository, base.commit, base.revision, base.name)
        if self.repository.tree(base.commit)[base.name].mode == _LINK:
            raise FileError(Problem("not-a-file", f"{base.name!r} was a link there"))
        return modelled(origin.folder.source(origin.path), origin)

    def is_same(self, base, path, model):
        """Whether a spec and all that it includes had these bytes and names at the base."""
        files = [path, *(source.path for source in model.included)]
        return base.name == self.repository.name(path) and all(map(self._is_unchanged, files))

    def _is_unchanged(self, path):
        from hashlib import sha1

        blob = self.repository.tree(self.commit).get(self.repository.name(path))
        if blob is None or not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            data = file.read()
        return blob.sha == sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def deleted(self, folder, matches):
        """The specs below a directory that were there at the base and are not now."""
        top = self.repository.name(folder) if self.commit else None
        if top is None:
            return []
        start = "" if top == "." else f"{top}/"
        then = [name for name in self.repository.tree(self.commit) if name.startswith(start)]
        gone = [name for name in then if not os.path.lexists(posixpath.join(self.repository.root, name))]
        gone = [name for name in gone if matches(name.removeprefix(start))]
        return [name for name in gone if name not in self._renamed().values()] if gone else []


def _of_ci():
    """The branch or commit that a pull or merge request goes to, where CI says it."""
    branch = os.environ.get("GITHUB_BASE_REF") or os.environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
    return os.environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") or (f"origin/{branch}" if branch else None)


def _no_branch(wanted):
    return f"git knows no revision `{wanted}`" if wanted else "there is no branch main or master to compare with"


def _fetch(wanted):
    if wanted and wanted.startswith("origin/"):
        return f"git fetch origin {wanted.removeprefix('origin/')}, or `fetch-depth: 0` in CI"
    return "name the base: --base main"
