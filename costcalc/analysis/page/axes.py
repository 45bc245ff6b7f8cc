"""Values of a page's sliders: given, declared by the spec, or usual."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from ...allowance import OutOfTime
from ...errors import CostcalcError
from ...metrics.metrics import storage_note
from ...metrics.pricing import Convention
from ...metrics.walk import Walk
from ...model.network import Claim, Model, Variable
from ...model.trace import trace
from ...model.variables import checked, settings_of, settle, typical
from ...quantities import ACCURACIES
from ...quantities import value as figure
from ...records import NamedTuple
from ...render.html_file import embedded
from ...render.text import printable
from ..report.columns import View, phase_of, setting, shipped
from ..report.document import heading
from ..report.notes import notes
from ..report.report import report
from .structure import FIELDS, Point, of_metric, signature, structure, variants
from .structure import document as of_variant

MOST_VALUES = 48  # of one slider
STEPS = 8  # between `min` and `max` of a variable
# Both names mean the same in the shipped specs and in papers: width multiplier and input resolution.
USUAL: Mapping[str, tuple[Any, ...]] = {
    "alpha": (0.25, 0.5, 0.75, 1.0),
    "res": (128, 160, 192, 224, 256, 288, 320),
}


class Axis(NamedTuple):
    """A variable, its values in order, and the index of the initial value.

    `extra` axes are dropped if the others form a grid without them.
    """

    name: str
    values: tuple[Any, ...]
    start: int
    help: str = ""
    extra: bool = False


class Points(NamedTuple):
    """Settings of a page: a grid of axes, or one axis at a time if a grid would be too large."""

    axes: tuple[Axis, ...]
    is_grid: bool
    note: str = ""  # why it is not the whole grid

    @property
    def indices(self) -> list[tuple[int, ...]]:
        """For each setting, the index of the value of each axis; the initial setting is first."""
        start = tuple(axis.start for axis in self.axes)
        found = product(*(range(len(axis.values)) for axis in self.axes)) if self.is_grid else self._single(start)
        return list(dict.fromkeys((start, *found)))

    def _single(self, start: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        for number, axis in enumerate(self.axes):
            for at in range(len(axis.values)):
                yield (*start[:number], at, *start[number + 1 :])

    def setting(self, at: tuple[int, ...]) -> dict[str, Any]:
        """Values of the variables at one setting."""
        return {axis.name: axis.values[number] for axis, number in zip(self.axes, at, strict=True)}

    @property
    def whole(self) -> int:
        """Number of settings of the whole grid."""
        return _size(self.axes)

    @property
    def size(self) -> int:
        """Number of settings."""
        return len(self.indices)


class Chosen(NamedTuple):
    """Some settings of a page whose engine can compute others on request."""

    axes: tuple[Axis, ...]
    indices: list[tuple[int, ...]]
    is_grid: bool = True
    note: str = ""

    def setting(self, at: tuple[int, ...]) -> dict[str, Any]:
        """Values of the variables at one setting."""
        return Points(self.axes, True).setting(at)


def axes_of(
    model: Model, given: Mapping[str, Sequence[Any]], around: bool = False
) -> tuple[tuple[Axis, ...], dict[str, Any]]:
    """(axes, fixed values) of a page: `given` has one value of a variable, or several.

    Other variables take their `choices`, true and false, the values of published rows, or usual ones. With `around`,
    other numbers take values around their default. Raises OptionError for an invalid value.
    """
    fixed = {name: values[0] for name, values in given.items() if len(values) == 1}
    starts = typical(model, fixed)
    axes = []
    for name, variable in model.variables.items():
        if name in fixed or "[" in name:
            continue
        values = _values(variable, given[name]) if name in given else _declared(model, variable)
        if around and len(values) == 1:
            values = _around(variable)
        if len(values) > 1:
            extra = name not in given and _is_extra(variable)
            axes.append(_axis(variable, values, starts[name])._replace(extra=extra))
    return tuple(axes), fixed


def _values(variable: Variable, given: Sequence[Any]) -> list[Any]:
    return _sorted([checked(variable, value) for value in given])


def _axis(variable: Variable, values: Sequence[Any], start: Any) -> Axis:
    at = values.index(start) if start in values else len(values) - 1
    return Axis(variable.name, tuple(values), at, variable.help)


def _declared(model: Model, variable: Variable) -> list[Any]:
    """Values that a spec declares for a variable, including its default; none for a derived variable."""
    default = variable.default
    if variable.each or type(default) not in (int, float, bool, str, type(None)):
        return _sorted(variable.choices[:MOST_VALUES]) if variable.choices and not variable.each else []
    if variable.choices:
        return _sorted(variable.choices[:MOST_VALUES])
    if type(default) is bool:
        return [False, True]
    if type(default) is str:
        return []
    found = [default, *published_values(model, variable.name), *USUAL.get(variable.name, ()), *_between(variable)]
    return _sorted([value for value in found if value is not None and _can_be(variable, value)])[:MOST_VALUES]


def axes_at(model: Model, at: Mapping[str, Any]) -> tuple[tuple[Axis, ...], dict[str, Any]]:
    """(axes, fixed values) of every variable that a slider can move, with the values `at` included.

    Raises OptionError for a value that a variable cannot have.
    """
    axes, fixed = axes_of(model, {}, around=True)
    names = {axis.name for axis in axes}
    set_ = {name: checked(model.variables[name], value) for name, value in at.items()}
    moved = tuple(_among(axis, set_[axis.name]) if axis.name in set_ else axis for axis in axes)
    return moved, {**fixed, **{name: value for name, value in set_.items() if name not in names}}


def _among(axis: Axis, value: Any) -> Axis:
    if value in axis.values:
        return axis
    values = _sorted([*axis.values, value])
    return axis._replace(values=tuple(values), start=values.index(axis.values[axis.start]))


def _around(variable: Variable) -> list[Any]:
    """Values around a numeric default, from a quarter of it to twice it."""
    default = variable.default
    if type(default) not in (int, float) or default <= 0:
        return [default]
    quarters = [default * four / 4 if type(default) is float else default * four // 4 for four in (1, 2, 3, 4, 6, 8)]
    return _sorted([default, *(value for value in quarters if value and _can_be(variable, value))])


def published_values(model: Model, name: str) -> list[Any]:
    """Values of a variable in published rows."""
    return [claim.at[name] for claim in model.published if name in claim.at]


def _is_extra(variable: Variable) -> bool:
    """Whether a variable has several values only because of published rows."""
    bounded = type(variable.least) is int and type(variable.most) is int
    return not (variable.choices or variable.name in USUAL or type(variable.default) is bool or bounded)


def _between(variable: Variable) -> list[Any]:
    """Values from `min` to `max` of a variable that has both."""
    least, most = variable.least, variable.most
    if type(least) is not int or type(most) is not int or most <= least:
        return []
    step = max((most - least) // STEPS, 1)
    return [*range(least, most, step), most]


def _can_be(variable: Variable, value: Any) -> bool:
    try:
        checked(variable, value)
    except CostcalcError:
        return False
    return type(value) in (int, float, bool)


def _sorted(values: Sequence[Any]) -> list[Any]:
    """Unique values: numbers ascending, words in their given order."""
    found = list(dict.fromkeys(values))
    return found if any(type(value) is str for value in found) else sorted(found)


ONE_AT_A_TIME = "The grid of all {count:,} settings is too large for this page: one variable moves at a time."
FEWER = "There are too many values for this page: some are left out."
NONE = "This network is too large for sliders: the page shows one setting."


def plans(axes: tuple[Axis, ...], allowed: Callable[[int], bool]) -> Iterator[Points]:
    """Settings of a page, from all down to one, whose number is `allowed`."""
    for axis in [axis for axis in axes if axis.extra]:
        if not allowed(_size(axes)):
            axes = tuple(one for one in axes if one is not axis)
    grid = Points(axes, True)
    single = Points(axes, False, ONE_AT_A_TIME.format(count=_size(axes)))
    fewer = Points(tuple(map(_fewer, axes)), False, FEWER)
    for points, size in ((grid, _size(axes)), (single, _length(axes)), (fewer, _length(fewer.axes))):
        if axes and allowed(size):
            yield points
    yield Points((), True, NONE if axes else "")


def _size(axes: Sequence[Axis]) -> int:
    found = 1
    for axis in axes:
        found *= len(axis.values)
    return found


def _length(axes: Sequence[Axis]) -> int:
    return 1 + sum(len(axis.values) - 1 for axis in axes)


def _fewer(axis: Axis) -> Axis:
    """Keep the first, last and initial values, and one in between."""
    last = len(axis.values) - 1
    kept = sorted({0, last, axis.start, last // 2})
    return axis._replace(values=tuple(axis.values[at] for at in kept), start=kept.index(axis.start))


METRICS = ("activations", "weights_bytes", "bytes_moved", "peak_bytes")
MOST_CLAIMS = 64


class Wanted(NamedTuple):
    """Contents of a page: a model, how it is counted, and the values shared by all settings."""

    model: Model
    convention: Convention
    metrics: tuple[str, ...]
    fixed: Mapping[str, Any]


def point(wanted: Wanted, values: Mapping[str, Any]) -> Point:
    """A network at one setting. Raises CostcalcError if the setting is invalid."""
    settled = settle(wanted.model, {**wanted.fixed, **values})
    walked = trace(wanted.model, settled)
    walk = Walk(wanted.model, walked, settled)  # the metrics and the page share its lives
    found = report(wanted.model, walked, settled, wanted.convention, wanted.metrics, walk)
    found.totals  # noqa: B018 (raises if they are too large)
    return Point(found, walk.lives)


PARTS = frozenset({"variants", "published"})  # parts of a document that take longest


def document(wanted: Wanted, points: Points | Chosen, first: Point, parts: frozenset[str] = PARTS) -> dict[str, Any]:
    """Document of a network at some settings, starting with `first`; omitted parts are null."""
    found, errors = _points(wanted, points, first)
    groups: dict[Any, list[int]] = {}
    for number, one in enumerate(found):
        if one is not None:
            groups.setdefault(signature(one), []).append(number)
    one_of = {number: group for group, members in enumerate(groups.values()) for number in members}
    return {
        **_head(wanted, first),
        "axes": [_described(axis) for axis in points.axes],
        "fixed": {name: embedded(value) for name, value in settings_of(first.report.values).items()},
        "grid": points.is_grid,
        "limit": points.note,
        "points": [
            {"at": at, **(_point(each, one_of[number]) if each else {"error": errors[number]})}
            for number, (at, each) in enumerate(zip(points.indices, found, strict=True))
        ],
        "fields": FIELDS,
        "structures": [structure([one for n in members if (one := found[n])]) for members in groups.values()],
        "members": list(groups.values()),
        "variants": _variants(wanted, found, first) if "variants" in parts else None,
        "published": _published(wanted) if "published" in parts else None,
    }


def _points(wanted: Wanted, points: Points | Chosen, first: Point) -> tuple[list[Point | None], dict[int, str]]:
    """(network at every setting, or None; error messages by index of the setting)."""
    found: list[Point | None] = []
    errors: dict[int, str] = {}
    for number, at in enumerate(points.indices):
        try:
            found.append(point(wanted, points.setting(at)) if number else first)
        except OutOfTime:
            raise
        except CostcalcError as error:
            found.append(None)
            errors[number] = printable(error.problems[0].message)
    return found, errors


def _head(wanted: Wanted, first: Point) -> dict[str, Any]:
    one, priced = first.report, wanted.convention
    metrics = [of_metric(each, one.figures) for each in one.metrics]
    stored = storage_note(wanted.model, [each.name for each in one.metrics])
    head = heading(wanted.model, priced, one.inputs, {})
    before = (f"convention {priced.name}: {priced.title}", shipped(wanted.model), phase_of(wanted.model))
    return {
        "kind": "network",
        "version": head["costcalc"],
        "title": printable(wanted.model.name),
        "spec": {name: printable(str(value)) for name, value in head["spec"].items() if name in ("path", "sha256")},
        "given": [printable(f"{name}={value}") for name, value in settings_of(wanted.fixed).items()],
        "convention": {"name": priced.name, "title": priced.title, "cost": priced.cost},
        "stamp": ["; ".join(filter(None, before)), "; ".join(filter(None, (stored, f"costcalc {head['costcalc']}")))],
        "metrics": metrics,
    }


def _described(axis: Axis) -> dict[str, Any]:
    values = [embedded(value) for value in axis.values]
    return {"name": axis.name, "values": values, "start": axis.start, "help": printable(axis.help)}


def _point(one: Point, group: int) -> dict[str, Any]:
    """One setting for JSON: its structure, its totals as in `analyze`, and their notes."""
    said = notes(one.report, View(), len(one.report.shown()))[:-1]
    unknown = any(row.layer.unknown for row in one.report.trace.rows)
    return {
        "structure": group,
        "setting": printable(setting(one.report.inputs, one.report.values)),
        "totals": [embedded(total) for total in one.report.totals.values()],
        **({} if one.report.complete else {"complete": False}),
        **({"unknown": True} if unknown else {}),
        **({"notes": said} if said else {}),
    }


def _variants(wanted: Wanted, found: Sequence[Point | None], first: Point) -> list[dict[str, Any]]:
    """Variants that differ from the network, or phases that differ from each other."""
    settings = [one and one.report.values for one in found]
    made = variants(wanted.model, first.report.values, len(first.report.lines))
    starts = [of_variant(one, settings[:1], wanted.convention)["totals"][0] for one in made]
    phases = [start for one, start in zip(made, starts, strict=True) if one.group == "phase"]
    shown = [embedded(first.report.totals[name]) for name in (wanted.convention.cost, "params")]
    same = {"conv": [None, shown], "phase": [None, *(phases if len(phases) < 2 or phases[0] == phases[1] else ())]}
    kept = [one for one, start in zip(made, starts, strict=True) if start not in same[one.group]]
    return [of_variant(one, settings, wanted.convention) for one in kept]


def _published(wanted: Wanted) -> list[dict[str, Any]]:
    """Published rows of the whole network under this convention, each with the computed totals at its setting."""
    claims = [
        claim
        for claim in wanted.model.published
        if not claim.of and not claim.is_rewritten and claim.convention == wanted.convention.name
    ]
    made = (_claim(wanted, claim) for claim in claims[:MOST_CLAIMS])
    return [one for one in made if one is not None]


def _claim(wanted: Wanted, claim: Claim) -> dict[str, Any] | None:
    try:
        found = point(wanted._replace(fixed={}), claim.at).report
    except OutOfTime:
        raise
    except CostcalcError:
        return None
    return {
        "title": printable(claim.notes.get("model", "")),
        "source": printable(claim.source),
        "setting": printable(setting({}, found.values)),
        "values": {name: embedded(value) for name, value in settings_of(found.values).items()},
        "totals": [embedded(total) for total in found.totals.values()],
        "figures": {name: printable(text) for name, text in claim.figures.items()},
        "accuracies": {name: figure(text) for name, text in claim.figures.items() if name in ACCURACIES},
    }
