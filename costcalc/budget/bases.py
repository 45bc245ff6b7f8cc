"""Where a change began: the commit that costs are compared with."""

import os
import posixpath

from ..errors import OptionError, Problem
from ..loading import modelled
from ..repository import Repository
from ..revisions import origin_at
from .verdict import Base

_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


class Bases:
    """Specs as they were at the base; `why_none` says why there is no base, where there is none."""

    def __init__(self, folder, revision=None):
        self.repository, self.revision, self.commit, self.why_none = Repository.find(folder), None, None, None
        self.renamed = None
        if self.repository is None:
            self.why_none = Problem(
                "not-a-repository", "this is not a git repository: there is no base to compare with"
            )
            if revision:
                raise OptionError(self.why_none)
        elif revision:
            self.revision, self.commit = revision, self.repository.commit(revision)
        else:
            self._begin()

    def _begin(self):
        """The merge base with the branch that a change goes to."""
        for revision in [_of_ci()] if _of_ci() else _BRANCHES:
            if self.repository.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"):
                self.revision, self.commit = revision, self.repository.merge_base(revision)
                break
        if self.commit is None:
            message = f"HEAD and {self.revision} have no commit in common" if self.revision else _no_branch()
            help = self.repository.shallow or "name the base: --base main"
            self.why_none = Problem("no-base", message, help=help)

    def of(self, path):
        """The Base of a spec on disk: `name` is None for one that is new; None where there is no base at all."""
        if self.commit is None:
            return None
        name = self.repository.name(path)
        if name is None:
            return None
        return Base(self.revision, self.commit, self._name_then(name))

    def _name_then(self, name):
        if name in self.repository.tree(self.commit):
            return name
        if self.renamed is None:
            self.renamed = self.repository.moved(self.commit)
        return self.renamed.get(name)

    def model(self, base):
        """The Model of a spec at the base. Raises SpecError or FileError."""
        origin = origin_at(self.repository, base.commit, base.revision, base.name)
        return modelled(origin.folder.source(origin.path), origin)

    def is_same(self, base, data):
        """Whether a file had these bytes at the base."""
        from hashlib import sha1

        blob = self.repository.tree(base.commit)[base.name]
        return blob.sha == sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def deleted(self, folder, matches):
        """The specs below a directory that were there at the base and are not now."""
        if self.commit is None:
            return []
        top = self.repository.name(folder) or "."
        start = "" if top == "." else f"{top}/"
        then = [name for name in self.repository.tree(self.commit) if name.startswith(start)]
        gone = [name for name in then if not os.path.exists(posixpath.join(self.repository.root, name))]
        if gone and self.renamed is None:
            self.renamed = self.repository.moved(self.commit)
        return [name for name in gone if matches(name.removeprefix(start)) and name not in self.renamed.values()]


def _of_ci():
    """The branch or commit that a pull or merge request goes to, where CI says it."""
    branch = os.environ.get("GITHUB_BASE_REF") or os.environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
    return os.environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") or (f"origin/{branch}" if branch else None)


def _no_branch():
    wanted = _of_ci()
    return f"git knows no revision `{wanted}`" if wanted else "there is no branch main or master to compare with"
