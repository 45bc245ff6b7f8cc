"""Base of a change: the commit that costs are compared with.

Sources of the environment variables in which CI services name the target branch of a pull request:

| service   | source                                                                                                   |
| Azure     | MicrosoftDocs/azure-devops-docs, "Predefined variables": `System.PullRequest.TargetBranch` is            |
|           | `refs/heads/main` for Azure Repos and `main` for GitHub; as an environment variable in capitals with `_` |
| Bitbucket | support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets, "Default variables": the destination   |
|           | branch, in builds that a pull request triggers                                                           |
| Jenkins   | jenkinsci/branch-api-plugin, BranchNameContributor.java: `CHANGE_TARGET` of change requests              |
| CircleCI  | circleci.com/docs/variables has no environment variable for it; circleci/circleci-docs, "GitHub trigger  |
|           | event options": the pipeline value `pipeline.event.github.pull_request.base.ref`, in GitHub App          |
|           | pipelines of pull request events                                                                         |
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Any

from ..errors import OptionError, Problem
from ..read.loading import modelled
from ..read.repository import REGULAR, SUBMODULE, Repository, spec_at
from ..render.text import typed
from .renames import Renames
from .verdict import Base

if TYPE_CHECKING:
    from ..model.network import Model


_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
COMMITS = ("COSTCALC_BASE", "CI_MERGE_REQUEST_DIFF_BASE_SHA")  # variables that name a revision
BRANCHES = (  # variables that name the target branch of a pull request
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",  # Azure Pipelines: refs/heads/main, or main
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "CHANGE_TARGET",  # Jenkins, in multibranch pipelines
)


class Bases:
    """Specs at the base; `why_none` is the reason if there is no base."""

    def __init__(self, revision: str | None = None) -> None:
        self.repository: Any = Repository.find()  # None outside of a repository; then there is no commit either
        self.revision: Any = None
        self.commit: Any = None
        self.why_none: Problem | None = None
        if self.repository is None:
            message = "this is not a git repository: there is no base to compare with"
            self.why_none = Problem("not-a-repository", message, help="`max` and `min` need no base")
            if revision:
                raise OptionError(self.why_none)
        elif revision:
            self.revision, self.commit = revision, self.repository.commit(revision)
        else:
            self._begin()
        self.renames: Any = Renames(self.repository, self.commit) if self.commit else None

    def _begin(self) -> None:
        """Find the merge base with the target branch."""
        wanted = _of_ci()
        for revision in [wanted] if wanted else _BRANCHES:
            ref = _ref(revision)
            if self.repository.has(ref):
                self.revision, self.commit = self.repository.called(ref), self.repository.merge_base(ref)
                break
        if self.commit is None:
            message = f"HEAD and {self.revision} have no commit in common" if self.revision else _no_branch(wanted)
            self.why_none = Problem("no-base", message, help=self.repository.shallow or _fetch(wanted))

    @property
    def root(self) -> str:
        """Directory that reported paths are relative to: the root of the repository, or the working directory."""
        return self.repository.root if self.repository else os.path.realpath(".")

    @property
    def note(self) -> str:
        """The comparison in one line."""
        if self.commit is None:
            return "no base: limits are judged without a comparison"
        same = self.repository.git("rev-parse", "HEAD") == f"{self.commit}\n".encode()
        own = ", the checked-out commit: only uncommitted edits count as changes" if same else ""
        return f"base: {self.revision} ({self.commit[:7]}){own}"

    def of(self, path: Any) -> Base | None:
        """Base of a spec by its path: its `name` is None for a new spec; the result is None if there is no base.

        The name is that of the path itself. If the path is now a link, or a shipped config replaces a file, the
        comparison is with what the path contained at the base.
        """
        name = self.repository.name(path) if self.commit else None
        if name is None or self._is_submodule(name):
            return None
        then = name if name in self.repository.tree(self.commit) else None
        if not os.path.lexists(path):  # a shipped config is not a file of the repository, unless it replaces one
            return Base(self.revision, self.commit, then) if then else None
        return Base(self.revision, self.commit, then or self._name_then(name, path))

    def _is_submodule(self, name: str) -> bool:
        tree = self.repository.tree(self.commit)
        while name := posixpath.dirname(name):
            if tree.is_a(SUBMODULE, name):
                return True
        return False

    def _name_then(self, name: str, path: str) -> str | None:
        """Former name of a renamed spec; None if it was not renamed. Links are never renamed."""
        return None if os.path.islink(path) else self.renames.of(name)

    def model(self, base: Base) -> Model:
        """Model of a spec at the base. Raises CostcalcError."""
        return modelled(*spec_at(self.repository, base.commit, base.revision, base.name))

    def is_same(self, base: Any, path: str, model: Model) -> bool:
        """Whether a spec had these bytes and this name at the base; false if it includes other specs.

        The target of an include may change while all included files stay the same, so such a spec is read again at the
        base.
        """
        blob = self.repository.tree(self.commit).get(base.name)
        if model.included or base.name != self.repository.name(path) or blob is None or blob.mode not in REGULAR:
            return False
        return os.path.isfile(path) and self.renames.sha(path, len(blob.sha)) == blob.sha

    def deleted(self, folder: str, matches: Any) -> list[str]:
        """Specs below a directory that existed at the base and are now deleted."""
        top = self.repository.name(folder) if self.commit else None
        if top is None:
            return []
        start = "" if top == "." else f"{top}/"
        gone = [name for name in self.renames.gone if name.startswith(start) and matches(name.removeprefix(start))]
        renamed = self.renames.below(top) if gone else {}
        return [name for name in gone if name not in renamed]


def _of_ci() -> str | None:
    """Target branch or base commit of a pull or merge request, if CI provides one."""
    commit = next(filter(None, map(os.environ.get, COMMITS)), None)
    branch = next(filter(None, map(os.environ.get, BRANCHES)), None)
    return commit or (f"origin/{branch.removeprefix('refs/heads/')}" if branch else None)


def _ref(revision: str) -> str:
    """Full name of a branch, so that a tag of that name is not used; hashes are returned unchanged."""
    kind = "remotes" if revision.startswith("origin/") else "heads"
    return f"refs/{kind}/{revision}" if revision in _BRANCHES or kind == "remotes" else revision


def _no_branch(wanted: str | None) -> str:
    return f"git knows no revision `{wanted}`" if wanted else "there is no branch main or master to compare with"


def _fetch(wanted: str | None) -> str:
    if wanted and wanted.startswith("origin/"):
        return f"{typed('git', 'fetch', 'origin', wanted.removeprefix('origin/'))}, or `fetch-depth: 0` in CI"
    return "name the base: --base main"
