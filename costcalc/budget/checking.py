"""One run of the checks: the limits, the specs and the base."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..allowance import within
from ..arguments import mapping, names
from ..errors import CostcalcError, FileError, OptionError, Problem
from ..metrics.conventions import Prices, price_list
from ..metrics.metrics import metric
from ..model.network import Model
from ..read.anything import Inputs, Network, is_path, loaded
from ..read.repository import top
from ..render import Result
from ..render.framed import framed
from .bases import Bases
from .config import NAME, Check, Config, Exemption, find_config, read_config
from .exempting import path_of, stale
from .locking import compared, limits_then, repriced
from .loosening import Loosened
from .options import limits_of
from .paths import WILD, is_in, matcher, tasks
from .run import Task, outcomes
from .verdict import Checked, Outcome

if TYPE_CHECKING:
    from ..render.sheet import Page

_EXAMPLE = "write checks: [{spec: my_net.yaml, max: {mult_adds: 170M}}] to it, or use --max mult_adds=170M"


def check(
    *specs: Network,
    input: Inputs | None = None,
    config: str | None = None,
    base: str | None = None,
    max: Mapping[str, Any] | None = None,
    min: Mapping[str, Any] | None = None,
    vs_base: Mapping[str, Any] | None = None,
    at: Mapping[str, Any] | None = None,
    convention: Prices = "paper",
    metrics: str | Sequence[str] = (),
) -> Outcomes:
    """Check specs against limits; return the outcome of each check.

    specs       paths of specs or directories to check; the default is all specs in the file of checks.
                Anything else that `costcalc.load` takes is checked against `max`, `min` and its own `budget:`
    input       for specs that are a torch.nn.Module
    config      the file of checks; the default is the nearest costcalc.yaml, here or in a parent directory
    base        the git revision to compare with; the default is where this branch left the default branch
    max, min, vs_base   limits instead of those in a file: check("mobilenet", max={"mult_adds": "600M"})
    at, convention      for these limits: a setting of the spec's variables, and the convention
    metrics     names of metrics: `shown` of each outcome has their totals, now and at the base

    The `state` of an outcome is `pass`, `warn`, `fail` or `error` (not judged: see its `problems`). Raises
    CostcalcError for checks that cannot be read and for invalid limits.
    """
    limits = {"max": max, "min": min, "vs_base": vs_base}
    given = {kind: mapping(each, kind, '{"mult_adds": "170M"}') for kind, each in limits.items()}
    wanted = names(metrics, "metrics")
    setting = mapping(at, "at", '{"alpha": 0.75}')
    with within("run_seconds", "this run of checks"):
        models = iter(loaded([spec for spec in specs if not is_path(spec)], input))
        named = [os.fspath(spec) if is_path(spec) else next(models) for spec in specs]
        return Outcomes(Run(named, config, base, given, setting, convention, wanted).finished())


class Outcomes(Result, list[Outcome]):
    """Outcomes of a run of checks, as a list; `checked` also has the base of the comparison."""

    def __init__(self, checked: Checked) -> None:
        super().__init__(checked.outcomes)
        self.checked = checked

    @property
    def state(self) -> str:
        """The worst state of an outcome: `error`, `fail`, `warn` or `pass`."""
        states = {outcome.state for outcome in self}
        return next((state for state in ("error", "fail", "warn") if state in states), "pass")

    def page(self) -> Page:
        """Failures with their causes, and a table of all limits, as `costcalc check` prints them."""
        from .page import VerdictPage

        return VerdictPage(self.checked, framed)


class Run:
    """Tasks of a run, and the base that they are compared with."""

    def __init__(
        self,
        specs: Sequence[str | Model],
        config: str | None = None,
        base: str | None = None,
        given: Mapping[str, Mapping[str, Any] | None] | None = None,
        at: Mapping[str, Any] | None = None,
        convention: Prices = "paper",
        metrics: Sequence[str] = (),
    ) -> None:
        priced = price_list(convention)
        self.metrics = tuple(dict.fromkeys(metrics))
        for name in self.metrics:
            metric(name, priced)  # raises an error that lists the metrics
        limits = limits_of(given or {}, priced)
        paths = [spec for spec in specs if not isinstance(spec, Model)]
        self.specs, self.named, self.from_files = paths, config, not limits
        self.prices = _file_of(convention) if limits else None
        self.config = None if limits else _config(config, bool(specs))
        if limits:
            if not specs:
                help = "write costcalc check SPEC --max mult_adds=170M"
                raise OptionError(Problem("usage", "limits from options need a spec", help=help))
            self.tasks = [_task(spec, at or {}, priced, limits) for spec in specs]
        else:
            models = [_task(spec) for spec in specs if isinstance(spec, Model)]
            self.tasks = [*(self._tasks(paths) if paths or not models else ()), *models]
        self.bases = Bases(base)
        self.limited = limits_then(self.bases, config) if self.from_files else None

    def _tasks(self, specs: Sequence[str]) -> list[Task]:
        """Checks of the file on these specs; a spec without checks must have its own budget."""
        found = tasks(self.config, specs) if self.config else []
        for spec in specs:
            if any(is_in(task.path, spec) for task in found):
                continue
            if os.path.isdir(spec):
                raise FileError(Problem("no-limits", f"no check covers a spec in {spec!r}"))
            found.append(Task(spec))
        return found

    def by_spec(self) -> Iterator[list[Outcome]]:
        """Outcomes of each task."""
        for task in self.tasks:
            yield outcomes(task, self.bases, self.metrics, self.limited)

    def finished(self, found: list[Outcome] | None = None, locked: bool = False) -> Checked:
        """All outcomes, with the base of the comparison.

        With `locked`, limits that are less strict than at the base fail. Raises OptionError if that cannot be
        determined.
        """
        found = [outcome for each in self.by_spec() for outcome in each] if found is None else found
        loosened, problem = self._limits(found)
        if locked and problem:
            raise OptionError(problem)
        note = self.bases.note + (f"; {problem.message}" if problem and problem.code == "base-unreadable" else "")
        unused = tuple(stale(self._exceptions(), found)) if self.bases.commit else ()
        checked = Checked(found, note, tuple(self._deleted()), self.bases.root, loosened, locked, unused)
        if self.bases.repository:
            self.bases.repository.close()
        return checked

    def _exceptions(self) -> list[Exemption]:
        """Exceptions of the file for the specs of this run."""
        exceptions = self.config.exceptions if self.config else ()
        return [one for one in exceptions if not self.specs or any(is_in(path_of(one), path) for path in self.specs)]

    def _limits(self, found: Sequence[Outcome]) -> tuple[tuple[Loosened, ...], Problem | None]:
        """(limits that are less strict than at the base, problem if that cannot be determined).

        Limits from options are the user's own, but the change may edit a price list that they name.
        """
        if not self.from_files:
            return repriced(self.tasks, self.bases, self.prices)
        path, exceptions = self.config and self.config.path, self._exceptions()
        return compared(self.tasks, self.bases, path, self.named, self.specs, found, exceptions)

    def _deleted(self) -> dict[str, None]:
        """Specs that matched a glob of the checks at the base and no longer exist."""
        globs = {check.spec for check in self.config.checks if WILD & set(check.spec)} if self.config else ()
        gone = [
            self.bases.deleted((self.config and self.config.folder) or ".", matcher(glob)) for glob in sorted(globs)
        ]
        return dict.fromkeys(name for names in gone for name in names)


def _task(
    spec: str | Model, at: Mapping[str, Any] | None = None, convention: Any = None, limits: Sequence[Any] = ()
) -> Task:
    """Task of a spec with the given limits; without any, with those of its `budget:`."""
    path, model = (spec.name, spec) if isinstance(spec, Model) else (spec, None)
    checks = (Check(path, at or {}, convention, tuple(limits)),) if limits else ()
    return Task(path, checks, not limits, model=model)


def unreadable(error: CostcalcError) -> Checked:
    """Outcome of a run that could not start, for formats that report errors themselves."""
    place = error.problems[0].place
    nothing = Check(place.source.path if place else NAME, {}, price_list("paper"), ())
    outcome = Outcome(nothing, nothing.spec, {}, problems=error.problems)
    return Checked([outcome], "nothing was compared", (), top() or ".")


def _file_of(convention: Prices) -> str | None:
    """Path of a price list that is a file; None for the name of a convention."""
    path = os.fspath(convention) if isinstance(convention, os.PathLike) else convention
    return path if isinstance(path, str) and path.endswith((".yaml", ".yml")) else None


def _config(path: str | None, is_named: bool) -> Config | None:
    path = path or find_config()
    if path is None and not is_named:
        raise FileError(Problem("no-config", f"there is no {NAME} here or in a directory above", help=_EXAMPLE))
    return read_config(path) if path else None
