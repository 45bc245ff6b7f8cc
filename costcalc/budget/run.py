"""Run checks spec by spec: each spec is read once, and measured once per setting."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import limits
from ..analysis.report.columns import phase_of, shipped
from ..errors import CostcalcError, FileError, Place, Problem, SpecError
from ..metrics.conventions import find
from ..metrics.metrics import storage_note, unit_of
from ..model.network import Model
from ..quantities import amount
from ..read.loading import load
from ..records import NamedTuple
from .config import NAME, Check, Exemption, Limit
from .exempting import excused
from .judge import escaped, judge
from .loosening import Rule
from .measure import Measured, Setting, known_at
from .verdict import ALREADY, Base, Outcome, Shown

if TYPE_CHECKING:
    from ..model.network import Model
    from .bases import Bases
    from .verdict import Verdict


_HELP = f"add `budget: {{mult_adds: 170M}}` to it, a check to {NAME}, or --max mult_adds=170M"


class Task(NamedTuple):
    """The checks on one file; `own` adds the budget in the file itself.

    Links in the path must not leave `top`: see `loading.load`.
    """

    path: str
    checks: tuple[Check, ...] = ()
    own: bool = True
    top: str | None = None
    model: Model | None = None  # a model that is not a file: it has no base
    exceptions: tuple[Exemption, ...] = ()


class _Nowhere:
    """The base of models that are not files: none."""

    why_none = Problem(
        "outside",
        "a network that is not a file has no base to compare with",
        help="check it with `max` or `min`, or give a path",
    )

    def of(self, path: str) -> None:
        """Return None."""


NOWHERE = _Nowhere()


Limited = Callable[[str, Rule], bool]  # whether the base had a limit of that kind on a spec of that name


def outcomes(task: Task, bases: Bases, metrics: Sequence[str] = (), limited: Limited | None = None) -> list[Outcome]:
    """Outcome of each check of a task, the spec's own `budget:` last; each also shows `metrics`.

    A moved spec may stay over a limit only if that limit already applied to it. `limited` tells whether it did; by
    default all limits did.
    """
    spec = _Spec(task, bases if task.model is None else NOWHERE, metrics, limited)
    results = [spec.outcome(check) for check in task.checks]
    try:
        own = budget_of(task.path, spec.model) if task.own else None
        if not results and own is None:
            raise FileError(Problem("no-limits", f"{task.path!r} has no limits", help=_HELP))
    except CostcalcError as error:
        nothing = Outcome(Check(task.path, {}, find("paper"), ()), task.path, {}, problems=error.problems)
        return results or [nothing]
    return [*results, spec.outcome(own)] if own else results


def budget_of(path: str, model: Model) -> Check | None:
    """Check of a spec's own `budget:`; None if it has none."""
    caps = tuple(
        Limit("max", name, "", amount(cap.text, name, unit_of(name)), cap.text, cap.place)
        for name, cap in model.budget.items()
    )
    return Check(path, {}, find("paper"), caps, place=caps[0].place) if caps else None


class _Spec:
    """A spec now and at the base."""

    def __init__(self, task: Task, bases: Any, metrics: Sequence[str] = (), limited: Limited | None = None) -> None:
        self.path, self.top, self.given, self.exceptions = task.path, task.top, task.model, task.exceptions
        self.bases, self.metrics, self.limited = bases, metrics, limited
        self.walks: dict[Any, Any] = {}
        self.measured: dict[Any, Any] = {}

    @cached_property
    def model(self) -> Model:
        """Model of the file. Raises FileError if only a shipped config has this name, which a gate must not judge."""
        if self.given is not None:
            return self.given
        model, name = load(self.path, self.top), self.path.removesuffix(".yaml")
        if model.source.shipped and name != self.path:
            help = f"to check the shipped config of this name, write `costcalc check {name}`"
            raise FileError(Problem("no-file", f"there is no file {self.path!r}", help=help))
        return model

    @cached_property
    def base(self) -> Base | None:
        return self.bases.of(self.path)

    @cached_property
    def base_model(self) -> Model | None:
        """Model at the base, the same object if none of its files changed; None for a new spec."""
        if self.base is None or self.base.name is None:
            return None
        if self.bases.is_same(self.base, self.path, self.model):
            return self.model
        return self.bases.model(self.base)

    def outcome(self, check: Check) -> Outcome:
        outcome = Outcome(check, self.path, check.at)
        try:
            now = self.cost(self.model, check, check.at)
            names = dict.fromkeys([*self.metrics, *(limit.metric for limit in check.limits)])
            found: dict[str, Any] = {"shipped": self.model.source.shipped, "origin": self.origin(names)}
            outcome = outcome._replace(base=self.base, uncounted=now.uncounted(names), **found)
        except CostcalcError as error:
            return outcome._replace(problems=_placed(error.problems, check.at_place or check.place))
        then, trouble = self.then(check)
        verdicts: list[Verdict] = []
        problems: list[Problem] = []
        for limit in check.limits:
            try:
                if limit.kind == "vs_base" and trouble:
                    raise FileError(trouble._replace(place=limit.place))
                verdicts.append(excused(self.judged(limit, check, now, then), check, self.exceptions, now))
            except CostcalcError as error:
                problems += error.problems
        if then and then is not now:
            outcome = outcome._replace(escaped=tuple(escaped(check.limits, now, then)))
        try:
            outcome = outcome._replace(shown=tuple(_shown(name, now, then) for name in self.metrics))
        except CostcalcError as error:
            problems += error.problems
        return outcome._replace(verdicts=tuple(verdicts), problems=tuple(problems))

    def judged(self, limit: Limit, check: Check, now: Measured, then: Measured | None) -> Verdict:
        """Verdict of a limit. A spec that was moved into its reach counts as new."""
        verdict, base = judge(limit, now, then), self.base
        if verdict.status != ALREADY or not base or not base.name or base.name == self.bases.repository.name(self.path):
            return verdict
        is_own = check.spec == self.path and limit.metric in (self.base_model or self.model).budget
        if is_own or self.limited is None or self.limited(base.name, Rule(limit, check)):
            return verdict
        return judge(limit, now)

    def origin(self, names: Iterable[str]) -> str:
        """Shipped configs that were read, the phase, and the storage of tensors, where relevant."""
        return "; ".join(filter(None, (shipped(self.model), phase_of(self.model), storage_note(self.model, names))))

    def cost(self, model: Model, check: Check, at: Mapping[str, float], most_layers: int | None = None) -> Measured:
        """Cost of a model in a setting; each setting is traced once."""
        setting = id(model), tuple(sorted((name, str(value)) for name, value in at.items()))
        if setting not in self.walks:
            self.walks[setting] = Setting(model, at, most_layers)
        key = *setting, id(check.convention)
        if key not in self.measured:
            self.measured[key] = Measured(self.walks[setting], check.convention)
        return self.measured[key]

    def compared(self, check: Check) -> int:
        """Maximum layers of the base. Raises SpecError if the network is too large for any comparison."""
        count = len(self.cost(self.model, check, check.at).walk.rows)
        if count > limits.COMPARED:
            message = f"a network of {count:,} layers cannot be compared with a base: the limit is {limits.COMPARED:,}"
            raise SpecError(Problem("limit", message, help=limits.hint("compared")))
        return limits.COMPARED

    def then(self, check: Check) -> tuple[Measured | None, Problem | None]:
        """(cost at the base or None, problem that prevents a comparison). Variables unknown there are left out."""
        if self.base is None:
            return None, self.bases.why_none or _outside(self.path)
        try:
            model = self.base_model
            if model is None:
                return None, None
            at = known_at(model, check.at)
            return self.cost(model, check, at, None if model is self.model else self.compared(check)), None
        except CostcalcError as error:
            return None, _unreadable(self.base, error.problems[0])


def _shown(name: str, now: Measured, then: Measured | None) -> Shown:
    """A metric of a spec now and at the base."""
    if then is None:
        return Shown(name, now.total(name), None, not now.unknown(name))
    return Shown(name, now.total(name), then.total(name), not now.unknown(name), not then.unknown(name))


def _placed(problems: tuple[Problem, ...], place: Place | None) -> tuple[Problem, ...]:
    """Give problems without a place the place of the check."""
    return tuple(problem if problem.place else problem._replace(place=place) for problem in problems)


def _outside(path: str) -> Problem:
    message = f"{os.path.relpath(path)!r} is not in the repository: there is no base to compare with"
    return Problem("outside", message, help="check it with `max` or `min`, which need no base")


def _unreadable(base: Base, problem: Problem) -> Problem:
    message = f"there is nothing to compare with at {base.revision}: {problem.message}"
    return Problem("base-unreadable", message, help="try another base: --base REF")
