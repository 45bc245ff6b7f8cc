"""Collect the limits of a run and those at its base, spec by spec, for `loosening` to compare."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache

from ..errors import CostcalcError, FileError, Problem, Source
from ..files import Origin, text
from ..metrics.conventions import price_list
from ..read.loading import load, modelled
from ..read.repository import LINK, spec_at
from .bases import Bases
from .config import NAME, Check, Config, Exemption, config_of
from .exempting import excepted, folder_name, known, path_of
from .loosening import Loosened, Rule, Rules, key_of, left, loosened
from .paths import WILD, matcher
from .run import Task, budget_of
from .verdict import Outcome


def compared(
    tasks: list[Task],
    bases: Bases,
    config: str | None,
    named: str | None,
    wanted: list[str],
    outcomes: Sequence[Outcome] = (),
    exceptions: Sequence[Exemption] = (),
) -> tuple[tuple[Loosened, ...], Problem | None]:
    """(limits that a change loosens, problem if they cannot be compared with the base).

    Exceptions come first, then raised limits, removed ones, and those without a match. `config` is the path of the file
    of checks, `named` the same if given as an option. `wanted` are the paths of the run (empty means all), and
    `exceptions` those of the file for these paths.
    """
    if bases.commit is None:
        return (), bases.why_none
    names = {task.path: _name_then(bases, task.path) for task in tasks}
    allowed = [(names.get(path_of(one)) or _name_then(bases, path_of(one)), one) for one in exceptions]
    try:
        then = _Then(bases, named, wanted)
        before_allowed = known(then.exceptions())
        changed = {task.path: names[task.path] for task in tasks if task.own and then.differs(task.path, names)}
        before = _gathered([*then.rules(), *_own(changed, then.budget)])
    except CostcalcError as error:
        return tuple(excepted(allowed, {}, outcomes)), _unreadable(f"the limits at {bases.revision}", error)
    mine = [(names[task.path], check) for task in tasks for check in task.checks]
    rules = [(name, Rule(limit, check)) for name, check in mine for limit in check.limits]
    now = _gathered([*rules, *_own(changed, _budget)])
    path = config or then.path
    escapes = [
        (names.get(one.spec, one.spec), Rule(limit, one.check), was) for one in outcomes for limit, was in one.escaped
    ]
    looser = (*loosened(before, now, _Gone(bases).reason, path), *left(before, escapes, path))
    return (*excepted(allowed, before_allowed, outcomes), *looser), None


def repriced(tasks: list[Task], bases: Bases, path: str | None) -> tuple[tuple[Loosened, ...], Problem | None]:
    """(limits from options that a change of their price list loosens, problem if they cannot be compared).

    `path` is that of the price list, if it is a file: an edit of it changes what every limit counts.
    """
    name = bases.repository.name(path) if path and bases.commit else None
    if name is None:
        help = "leave out --locked: it compares the limits of costcalc.yaml and of specs"
        return (), Problem("usage", "limits from options have no version at the base", help=help)
    try:
        source, _ = spec_at(bases.repository, bases.commit, bases.revision, name)
        then = price_list(source)
    except CostcalcError as error:
        return (), _unreadable(f"the price list at {bases.revision}", error)
    names = {task.path: _name_then(bases, task.path) for task in tasks}
    now = [(names[task.path], Rule(limit, check)) for task in tasks for check in task.checks for limit in check.limits]
    before = [(file, rule._replace(check=rule.check._replace(convention=then))) for file, rule in now]
    return loosened(_gathered(before), _gathered(now), _Gone(bases).reason, path), None


def limits_then(bases: Bases, named: str | None) -> Callable[[str, Rule], bool]:
    """A function that tells whether the file of checks at the base had a limit of that kind on a spec."""

    @lru_cache(1)
    def known() -> Rules:
        try:
            return _gathered([*_Then(bases, named, []).rules()])
        except CostcalcError:  # reported where the limits are compared
            return {}

    return lambda name, rule: key_of(name, rule) in known()


def _unreadable(what: str, error: CostcalcError) -> Problem:
    problem = error.problems[0]
    message = f"{what} cannot be read: {problem.message}"
    return Problem("base-unreadable", message, problem.place, "try another base: --base REF")


def _gathered(found: list[tuple[str, Rule]]) -> Rules:
    rules: dict = {}
    for file, rule in found:
        rules.setdefault(key_of(file, rule), []).append(rule)
    return rules


def _name_then(bases: Bases, path: str) -> str:
    """Name of a spec at the base, or its current name if it is new."""
    base = bases.of(path)
    return (base and base.name) or bases.repository.name(path) or path


def _own(changed: dict[str, str], budget: Callable[[str, str], Check | None]) -> Iterator[tuple[str, Rule]]:
    """Limits in the specs themselves."""
    for path, name in changed.items():
        check = budget(path, name)
        if check:
            yield from ((name, Rule(limit, check)) for limit in check.limits)


def _budget(path: str, name: str) -> Check | None:
    """Limits in the current spec; an unreadable spec is reported elsewhere."""
    try:
        return budget_of(path, load(path))
    except CostcalcError:
        return None


class _Then:
    """The file of checks at the base, and the specs there."""

    def __init__(self, bases: Bases, named: str | None, wanted: list[str]) -> None:
        self.bases, self.tree = bases, bases.repository.tree(bases.commit)
        self.wanted = [bases.repository.name(path) for path in wanted]
        self.path = self._nearest() if named is None else bases.repository.name(named)

    def _nearest(self) -> str | None:
        """Name of the file of checks at the base, here or in a parent directory."""
        folder = self.bases.repository.name(".")
        while folder is not None:
            name = posixpath.normpath(posixpath.join(folder, NAME))
            if name in self.tree:
                return name
            folder = posixpath.dirname(folder) if folder.strip(".") else None
        return None

    def differs(self, path: str, names: dict[str, str]) -> bool:
        """Whether the text of a spec differs from the base; graphs have no limits."""
        name = names[path]
        if name not in self.tree or not path.lower().endswith((".yaml", ".yml", ".json")):
            return False
        try:
            return text(path) != self._source(name).text
        except CostcalcError:  # an unreadable spec is reported elsewhere
            return True

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every limit on every spec that it applied to."""
        for check in self.config.checks:
            for file in self._files(check.spec):
                for limit in check.limits:
                    yield file, Rule(limit, check)

    def exceptions(self) -> Iterator[tuple[str, Exemption]]:
        """Exceptions at the base, by the names of their specs in the repository."""
        return ((folder_name(self.config.path, one.spec), one) for one in self.config.exceptions)

    @cached_property
    def config(self) -> Config:
        """The file of checks; empty if there is none. Raises CostcalcError."""
        if self.path is None or self.path not in self.tree:
            return Config("", ())
        if self.tree.is_a(LINK, self.path):
            raise FileError(Problem("not-a-file", f"{self.path!r} was a link there"))
        source, origin = self._found(self.path)
        return config_of(source, origin.folder)._replace(path=self.path)

    def _files(self, spec: str) -> list[str]:
        """Specs of a check at the base; globs skip hidden ones."""
        folder = posixpath.dirname(self.path or "")
        start = f"{folder}/" if folder else ""
        if not WILD & set(spec):
            names = [posixpath.normpath(posixpath.join(folder, spec))]
            return [name for name in names if name in self.tree and self._is_wanted(name)]
        matches, below = matcher(spec), [name for name in self.tree if name.startswith(start) and name != self.path]
        seen = [name for name in below if not is_hidden(name[len(start) :]) and self._is_wanted(name)]
        return [name for name in seen if matches(name[len(start) :])]

    def _is_wanted(self, name: str) -> bool:
        return not self.wanted or any(one in (".", name) or name.startswith(f"{one}/") for one in self.wanted)

    def budget(self, path: str, name: str) -> Check | None:
        """Limits in a spec at the base; None if it could not be read there."""
        try:
            return budget_of(name, modelled(*self._found(name)))
        except CostcalcError:
            return None

    def _source(self, name: str) -> Source:
        return self._found(name)[0]

    def _found(self, name: str) -> tuple[Source, Origin]:
        return spec_at(self.bases.repository, self.bases.commit, self.bases.revision, name)


def is_hidden(name: str) -> bool:
    """Whether a file or one of its directories is hidden: globs skip these."""
    return any(part.startswith(".") for part in name.split("/"))


class _Gone:
    """Fate of the files of the base, computed on request."""

    def __init__(self, bases: Bases) -> None:
        self.repository, self.renames = bases.repository, bases.renames
        self.moved: dict[str, str] = {}

    def reason(self, name: str) -> str | None:
        """`it is deleted`, or `it is models/other.yaml now`; None for a file that was not moved."""
        if os.path.lexists(os.path.join(self.repository.root, *name.split("/"))):
            return None
        if not self.moved:
            self.moved = self.renames.below(".")
        return f"it is {self.moved[name]} now" if name in self.moved else "it is deleted"
