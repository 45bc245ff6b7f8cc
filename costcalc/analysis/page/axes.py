"""Which values the sliders of a page have: those that are given, that the spec declares, or that are usual."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from ...model.network import Model, Variable
from ...model.variables import checked, typical
from ...records import NamedTuple

MOST_VALUES = 48  # of one slider
STEPS = 8  # between the `min` and the `max` of a variable
# Both names have one meaning in the shipped specs and in papers: width multiplier and input resolution.
USUAL: Mapping[str, tuple[Any, ...]] = {
    "alpha": (0.25, 0.5, 0.75, 1.0),
    "res": (128, 160, 192, 224, 256, 288, 320),
}


class Axis(NamedTuple):
    """A variable, its values in order, and which of them the page starts with.

    `extra` axes are left out where all others still form a grid without them.
    """

    name: str
    values: tuple[Any, ...]
    start: int
    help: str = ""
    extra: bool = False


class Points(NamedTuple):
    """The settings of a page: a grid of axes, or one axis at a time where a grid would be too large."""

    axes: tuple[Axis, ...]
    is_grid: bool
    note: str = ""  # why it is not the whole grid

    @property
    def indices(self) -> list[tuple[int, ...]]:
        """For each setting, the number of the value of each axis; the first setting is where the page starts."""
        start = tuple(axis.start for axis in self.axes)
        found = product(*(range(len(axis.values)) for axis in self.axes)) if self.is_grid else self._single(start)
        return list(dict.fromkeys((start, *found)))

    def _single(self, start: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        for number, axis in enumerate(self.axes):
            for at in range(len(axis.values)):
                yield (*start[:number], at, *start[number + 1 :])

    def setting(self, at: tuple[int, ...]) -> dict[str, Any]:
        """The values of the variables at one setting."""
        return {axis.name: axis.values[number] for axis, number in zip(self.axes, at, strict=True)}

    @property
    def whole(self) -> int:
        """How many settings the whole grid has."""
        return _size(self.axes)

    @property
    def size(self) -> int:
        """How many settings."""
        return len(self.indices)


class Chosen(NamedTuple):
    """Some settings of a page whose engine can be asked for others."""

    axes: tuple[Axis, ...]
    indices: list[tuple[int, ...]]
    is_grid: bool = True
    note: str = ""

    def setting(self, at: tuple[int, ...]) -> dict[str, Any]:
        """The values of the variables at one setting."""
        return Points(self.axes, True).setting(at)


def axes_of(
    model: Model, given: Mapping[str, Sequence[Any]], around: bool = False
) -> tuple[tuple[Axis, ...], dict[str, Any]]:
    """(axes, fixed values) of a page: `given` has one value of a variable, or several.

    Variables that are not given have their `choices`, both truths, the values of published rows, or usual ones; with
    `around`, other numbers have values around their default. Raises OptionError for a value that cannot be.
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
    """The values that a spec itself gives a variable, its default among them; none for a derived one."""
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
    """(axes, fixed values) of every variable that a slider can move, the values `at` which they stand among theirs.

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
    """Values around the default of a number, from a quarter of it to its double."""
    default = variable.default
    if type(default) not in (int, float) or default <= 0:
        return [default]
    quarters = [default * four / 4 if type(default) is float else default * four // 4 for four in (1, 2, 3, 4, 6, 8)]
    return _sorted([default, *(value for value in quarters if value and _can_be(variable, value))])


def published_values(model: Model, name: str) -> list[Any]:
    """The values of a variable in published rows."""
    return [claim.at[name] for claim in model.published if name in claim.at]


def _is_extra(variable: Variable) -> bool:
    """Whether a variable has several values in published rows only."""
    bounded = type(variable.least) is int and type(variable.most) is int
    return not (variable.choices or variable.name in USUAL or type(variable.default) is bool or bounded)


def _between(variable: Variable) -> list[Any]:
    """Values from the `min` to the `max` of a variable that has both."""
    least, most = variable.least, variable.most
    if type(least) is not int or type(most) is not int or most <= least:
        return []
    step = max((most - least) // STEPS, 1)
    return [*range(least, most, step), most]


def _can_be(variable: Variable, value: Any) -> bool:
    from ...errors import CostcalcError

    try:
        checked(variable, value)
    except CostcalcError:
        return False
    return type(value) in (int, float, bool)


def _sorted(values: Sequence[Any]) -> list[Any]:
    """Each value once, numbers in ascending order, words as they come."""
    found = list(dict.fromkeys(values))
    return found if any(type(value) is str for value in found) else sorted(found)


ONE_AT_A_TIME = "The grid of all {count:,} settings is too large for this page: one variable moves at a time."
FEWER = "The values of the variables are too many for this page: some are left out."
NONE = "This network is too large for sliders: the page shows one setting."


def plans(axes: tuple[Axis, ...], allowed: Callable[[int], bool]) -> Iterator[Points]:
    """The settings of a page, from all to one; those are left out whose number is not `allowed`."""
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
    """The first, the last and the starting value, and one between."""
    last = len(axis.values) - 1
    kept = sorted({0, last, axis.start, last // 2})
    return axis._replace(values=tuple(axis.values[at] for at in kept), start=kept.index(axis.start))
