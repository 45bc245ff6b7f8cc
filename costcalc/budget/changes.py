"""Cost of a change: the changed specs and those in a file of checks, now and at the base."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..analysis.compare.beside import adds_unknown, change, count, percent
from ..analysis.report.analyze import analyze
from ..errors import CostcalcError, OptionError, Source, brief
from ..files import text
from ..metrics.conventions import Prices, price_list
from ..metrics.metrics import metric
from ..metrics.pricing import Convention
from ..model.network import Model
from ..read.json_ import is_network
from ..read.loading import READERS, load
from ..read.repository import REGULAR
from ..records import NamedTuple
from ..render.json_ import SCHEMA_VERSION
from ..render.sheet import Column, Sheet
from ..render.text import printable
from .bases import Bases
from .config import Exemption, find_config, read_config
from .exempting import begins_at, between, key_of
from .measure import chosen, known_at
from .paths import tasks

if TYPE_CHECKING:
    from ..analysis.report.report import Report


class Moved(NamedTuple):
    """A spec in one setting: its totals at the base and now (None if missing there), or its problem."""

    spec: str
    at: Mapping[str, Any]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    problem: str = ""
    complete: bool = True
    exceptions: tuple[Exemption, ...] = ()
    hidden: bool = False  # whether it has layers of unknown cost that the base does not have

    @property
    def share(self) -> float:
        """Relative change of cost or parameters since the base; infinite for a spec that cannot be read."""
        if self.problem or not self.before or not self.after:
            return math.inf
        pairs = zip(self.before.values(), self.after.values(), strict=True)
        return max(abs(now / then - 1) if then else float(now != then) for then, now in pairs)


class ChangesPage:
    """Specs now and at the base, largest changes first."""

    title = "costcalc diff"

    def __init__(self, found: list[Moved], base: str, convention: Convention) -> None:
        self.found, self.base, self.convention = sorted(found, key=lambda one: -one.share), base, convention
        self.names = (convention.cost, "params")

    @property
    def rose(self) -> bool:
        """Whether a total is larger than at the base."""
        both = [(one.before, one.after) for one in self.found if one.before and one.after]
        return any(now[name] > then[name] for then, now in both for name in now)

    @property
    def may_have_risen(self) -> bool:
        """Whether a spec could not be read, or has new layers of unknown cost."""
        return any(one.problem or one.hidden for one in self.found)

    def heads(self) -> list[str]:
        """Empty: the table needs no heading."""
        return []

    def sheets(self) -> list[Sheet]:
        """One row per spec and setting."""
        columns = [Column("spec", folds=True)]
        for name in self.names:
            title = metric(name, self.convention).title
            columns += [Column(f"{title} base", True, spare=2, counts=True), Column(f"{title} now", True, counts=True)]
            columns += [Column(f"{title} change", True, counts=True), Column("%", True, spare=1)]
        return [Sheet((*columns, Column("", folds=True)), [self._cells(one) for one in self.found])]

    def _cells(self, one: Moved) -> tuple[str, ...]:
        cells = [printable(" ".join([one.spec, *(f"{name}={value}" for name, value in one.at.items())]))]
        for name in self.names:
            then, now = (side[name] if side else None for side in (one.before, one.after))
            cells += ["-" if then is None else count(then), "-" if now is None else count(now)]
            known = then is not None and now is not None
            cells += [change(then, now), percent(then, now)] if known else ["-", "-"]  # type: ignore[arg-type]
        bound = "" if one.complete else "lower bounds (>=)"
        said = [printable(one.problem) or bound or ("new" if one.before is None else "")]
        said += [f"exception: {name}" for name in _exceptions(one)]
        return (*cells, "; ".join(filter(None, said)))

    def notes(self) -> list[str]:
        """Base of the comparison, and meaning of the figures."""
        none = [] if self.found else ["no spec changed, and no file of checks names one"]
        return [*none, self.base, f"convention {self.convention.name}: {self.convention.title}; costcalc {__version__}"]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per spec and setting."""
        names = ["spec", "settings", *(f"{name}_{side}" for name in self.names for side in ("base", "now"))]
        rows = []
        for one in self.found:
            row: dict[str, Any] = {"spec": one.spec, "settings": " ".join(f"{k}={v}" for k, v in one.at.items())}
            for name in self.names:
                row |= {f"{name}_base": (one.before or {}).get(name), f"{name}_now": (one.after or {}).get(name)}
            said = {"problem": one.problem, "exceptions": _exceptions(one)}
            rows.append({**row, "complete": one.complete, **said})
        return [*names, "complete", "problem", "exceptions"], rows

    def document(self) -> dict[str, Any]:
        """One entry per spec and setting."""
        head = {"schema_version": SCHEMA_VERSION, "costcalc": __version__, "base": self.base}
        return {**head, "convention": self.convention.name, "specs": self.records()[1]}


def changes(base: str | None, convention: Prices) -> ChangesPage:
    """Compare the specs in the nearest file of checks, and each changed spec of the repository, with the base.

    Raises OptionError if there is no base.
    """
    bases, priced = Bases(base), price_list(convention)
    if bases.why_none:
        raise OptionError(bases.why_none)
    moved = [_excepted(_moved(bases, path, at, priced), own, priced) for path, at, own in _wanted(bases)]
    return ChangesPage(moved, bases.note, priced)


def _excepted(one: Moved, own: tuple[Exemption, ...], convention: Convention) -> Moved:
    """The spec with its exceptions, except stale ones."""
    before = (one.before or {}) if one.complete else {}
    seen = [each for each in own if each.metric in before and each.counted_by == convention.name]
    stale = [each for each in seen if not begins_at(each, before[each.metric])]
    return one._replace(exceptions=tuple(each for each in own if each not in stale))


def _exceptions(one: Moved) -> list[str]:
    """`mult_adds 5,000 -> 9,000`: exceptions in the file of checks for the spec in this setting."""
    return [printable(f"{each.metric} {between(each)}") for each in one.exceptions]


def _wanted(bases: Bases) -> Iterator[tuple[str, Mapping[str, Any], tuple[Exemption, ...]]]:
    """(path, setting, exceptions) of each spec to compare, without duplicates."""
    seen = set()
    path = find_config()
    for task in tasks(read_config(path)) if path else ():
        for check in task.checks or ():
            key = task.path, tuple(check.at.items())
            if key not in seen:
                seen.add(key)
                own = tuple(one for one in task.exceptions if one.key == key_of(check, one.metric))
                yield task.path, check.at, own
    named = {os.path.realpath(path) for path, _ in seen}
    for path in _changed(bases):
        if os.path.realpath(path) not in named:
            yield path, {}, ()


def _changed(bases: Bases) -> Iterator[str]:
    """Specs on disk whose bytes differ from the base, and tracked specs that are missing at the base."""
    tree = bases.repository.tree(bases.commit)
    for name, blob in sorted(tree.items()):
        path = _path(bases, name)
        if os.path.splitext(name)[1].lower() not in READERS or blob.mode not in REGULAR or not os.path.isfile(path):
            continue
        if bases.renames.sha(path, len(blob.sha)) != blob.sha and _may_be_spec(path):
            yield path
    for path in (_path(bases, name) for name in sorted(bases.renames.new())):
        if os.path.isfile(path) and not os.path.islink(path) and _may_be_spec(path):
            yield path


def _path(bases: Bases, name: str) -> str:
    return os.path.relpath(os.path.join(bases.repository.root, name))


def _may_be_spec(path: str) -> bool:
    """Whether a file is a graph, or a text with layers; repositories contain other YAML and JSON too."""
    if path.lower().endswith((".onnx", ".tflite", ".keras")):
        return True
    try:
        source = Source(path, text(path))
    except CostcalcError:
        return False
    return is_network(source) if path.lower().endswith(".json") else "layers" in source.text


def _moved(bases: Bases, path: str, at: Mapping[str, Any], convention: Convention) -> Moved:
    try:
        model = load(path, bases.root)
        after = _report(model, at, convention)
    except CostcalcError as error:
        return Moved(path, at, None, None, brief(error.problems[0].message))
    base = bases.of(path)
    if base is None or base.name is None:
        return Moved(path, at, None, after.totals, complete=after.complete)
    try:
        then = bases.model(base)
        before = _report(then, known_at(then, at), convention)
    except CostcalcError as error:
        problem = f"at the base: {brief(error.problems[0].message)}"
        return Moved(path, at, None, after.totals, problem, after.complete)
    complete, hidden = before.complete and after.complete, adds_unknown(before, after)
    return Moved(path, at, before.totals, after.totals, complete=complete, hidden=hidden)


def _report(model: Model, at: Mapping[str, Any], convention: Convention) -> Report:
    model, values, rho = chosen(model, at)
    return analyze(model, convention=convention, rho=rho, settings=values)
