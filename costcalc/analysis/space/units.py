"""The units of a network whose costs add up, and what each costs for every choice that it reads.

A unit is one entry of the list of layers, or one row of a block call. It is walked alone, from the shape that flows in.
Which positions of a variable it reads is watched while it is walked: those that it does not read do not make more
networks. Choices that change the structure (a depth, a condition) are tried one by one, the rest all at once as arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import OptionError, Problem, SpecError
from ...metrics.metrics import Metric, is_bound, totals
from ...metrics.walk import Walk
from ...model.expr import Expr
from ...model.network import BlockCall, Chosen, Group, Include, Input, Model, Step, names_of
from ...model.tables import Watched
from ...model.trace import trace
from ...model.variables import settle
from ...num.arrays import Varies
from ...num.points import array_of, leaf
from ...records import NamedTuple
from .counts import Counts, counted, merged
from .holding import writes_over

if TYPE_CHECKING:
    from ...num.values import Shape

MOST = 1_000_000  # settings of one structure of a unit
STRUCTURES = 20_000  # of a unit: each is walked alone
KEPT = 64  # units whose settings are kept for the next question
ENTERS = "what enters"  # the name of a unit's input: no layer can read it by name


class Found(NamedTuple):
    """What a unit costs from one shape on: the choices that it reads, and by the shape that leaves it the costs."""

    reads: frozenset[str]
    by_shape: Mapping[Shape, Counts]


class Structure(NamedTuple):
    """The networks of a unit that have one structure: the choices that make it, and what all settings of others cost.

    costs   one a setting, by which networks are counted
    each    a row per metric
    leaves  the shape that leaves the unit, a row per setting
    places  which settings these are, in the order of their grid
    """

    fixed: Mapping[str, Any]
    read: tuple[str, ...]
    costs: Any
    each: Any
    leaves: Any
    places: Any


class Counting(NamedTuple):
    """What networks are counted by: the metrics, and limits on those that combine by their maximum.

    With a `radix`, past the most that the second metric can be, a cost is the first one times it plus the second.
    """

    metrics: tuple[Metric, ...]
    limits: Mapping[int, int]  # number of a metric -> the most that a unit may have
    radix: int = 0

    def costs(self, each: Any) -> tuple[Any, Any]:
        """(cost by which settings are counted, whether each is within the limits), of a row per metric."""
        kept = np.ones(each.shape[1], dtype=bool)
        for number, most in self.limits.items():
            kept &= each[number] <= most
        return each[0] * self.radix + each[1] if self.radix else each[0], kept


class Designs:
    """A model whose variables with choices are open, and what its networks are counted by."""

    def __init__(
        self, model: Model, choices: Mapping[str, tuple[Any, ...]], settings: Mapping[str, Any], counting: Counting
    ):
        self.model, self.choices, self.settings, self.counting = model, choices, settings, counting
        numbers = {name for name, values in choices.items() if {*map(type, values)} <= {int, float, bool}}
        self.words = {*choices} - numbers  # words and kernels, which no array holds
        self.stored = any(one.stored for one in counting.metrics)
        self.first: tuple[Step, ...] = ()  # the unit that the network's input enters
        self.kept: dict[Any, tuple[set[str], list[Structure]]] = {}

    def found(self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any]) -> Found:
        """Every network of a unit. Raises SpecError for one that cannot be, OptionError where there are too many."""
        reads, structures = self.structures(steps, shape, given)
        parts: dict[Shape, list[Counts]] = {}
        for one in structures:
            shapes, at = np.unique(one.leaves, axis=0, return_inverse=True)
            for number, leaving in enumerate(shapes):
                parts.setdefault(tuple(leaving.tolist()), []).append(counted(one.costs[at.ravel() == number]))
        return Found(frozenset(reads), {leaving: merged(found) for leaving, found in parts.items()})

    def structures(
        self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any]
    ) -> tuple[set[str], list[Structure]]:
        """(the choices that a unit reads, its networks by their structure); the last that were looked for are kept."""
        key = (*map(id, steps), shape, *given.items())
        if key not in self.kept:
            if len(self.kept) >= KEPT:
                self.kept.pop(next(iter(self.kept)))
            self.kept[key] = self._structures(steps, shape, given)
        return self.kept[key]

    def _structures(
        self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any]
    ) -> tuple[set[str], list[Structure]]:
        always = self._always(steps) - {*given}
        waiting: list[dict[str, Any]] = [{}]
        reads, tried = set(always), 0
        found: list[Structure] = []
        while waiting:
            fixed = waiting.pop()
            try:
                read = self._read(steps, shape, {**given, **fixed}, always)
                one = self._costs(steps, shape, {**given, **fixed}, read)
            except _Structural as structural:
                name, tried = structural.name, tried + 1
                if tried > STRUCTURES:
                    message = f"the space does not decompose: a part of it has more than {STRUCTURES:,} structures"
                    raise OptionError(Problem("limit", message, help="set some of its variables")) from None
                waiting += [{**fixed, name: value} for value in self.choices[name]]
                reads.add(name)
                continue
            reads |= {*read}
            if len(one.costs):
                found.append(one._replace(fixed=fixed))
        return reads, found

    def network(
        self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any], leaving: Shape, cost: int, number: int
    ) -> tuple[dict[str, Any], list[int]]:
        """(the choices, the metrics) of number `number`, from 0, of a unit's networks of one cost and leaving shape."""
        for one in self.structures(steps, shape, given)[1]:
            at = np.flatnonzero((one.costs == cost) & (one.leaves == np.array(leaving)).all(axis=1))
            if number < len(at):
                return self.chosen(one, int(at[number])), one.each[:, at[number]].tolist()
            number -= len(at)
        raise AssertionError("a number past the last network")

    def chosen(self, one: Structure, at: int) -> dict[str, Any]:
        """The choices of a setting of a structure."""
        sizes = [len(self.choices[name]) for name in one.read]
        places = np.unravel_index(int(one.places[at]), sizes) if sizes else ()
        picked = {name: self.choices[name][int(place)] for name, place in zip(one.read, places, strict=True)}
        return {**one.fixed, **picked}

    def at(
        self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[int], Shape] | None:
        """(the choices it reads, its metrics, the shape that leaves it) of a unit at a setting; None if ruled out."""
        for one in self.structures(steps, shape, given)[1]:
            if all(settings[name] == value for name, value in one.fixed.items()):
                sizes = [len(self.choices[name]) for name in one.read]
                places = [self.choices[name].index(settings[name]) for name in one.read]
                at = np.flatnonzero(one.places == (np.ravel_multi_index(places, sizes) if sizes else 0))
                if not len(at):
                    return None
                number = int(at[0])
                return self.chosen(one, number), one.each[:, number].tolist(), tuple(one.leaves[number].tolist())
        return None

    def of_inputs(self) -> list[str]:
        """The choices that the shapes of inputs read, which reach every unit."""
        part = tuple(self.model.inputs.values())
        whole = {one for name in _names(part) if name in self.model.variables for one in _positions(self.model, name)}
        return sorted(self._always(part) | (whole & {*self.choices}))

    def _always(self, steps: tuple[Any, ...]) -> set[str]:
        """The choices that a unit reads as variables of their own; positions of a list are watched instead."""
        names: set[str] = set(_names(steps))
        seen: set[str] = set()
        left = [*names]
        while left:
            name = left.pop()
            if name in seen or name not in self.model.variables:
                continue
            seen.add(name)
            variable = self.model.variables[name]
            left += [] if variable.each else names_of(variable.default)
        behind = {one for name in seen - names for one in _positions(self.model, name)}
        return (seen | behind) & {*self.choices}

    def _read(self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any], always: set[str]) -> list[str]:
        """The choices that are open and read, in the order in which they are."""
        open_ones = {name: values for name, values in self.choices.items() if name not in given}
        arrays = {name: values for name, values in open_ones.items() if name not in self.words}
        most = max(map(len, arrays.values()), default=1)
        columns = {name: np.resize(np.array(values), most) for name, values in arrays.items()}
        noted: list[str] = []
        self._walked(steps, shape, given, columns, noted, always)
        read = [name for name in dict.fromkeys([*sorted(always), *noted]) if name in open_ones]
        for name in read:
            if name in self.words:
                raise _Structural(name)
        return read

    def _costs(self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any], read: list[str]) -> Structure:
        size = int(np.prod([len(self.choices[name]) for name in read], dtype=object))
        if size > MOST:
            message = f"the space does not decompose: a part of it has {size:,} networks, past {MOST:,}"
            help = "split its layers, set some of its variables, or sample: costcalc sweep --sample N"
            raise OptionError(Problem("limit", message, help=help))
        axes = np.meshgrid(*(np.array(self.choices[name]) for name in read), indexing="ij") if read else []
        columns = {name: axis.ravel() for name, axis in zip(read, axes, strict=True)}
        found, leaving = self._walked(steps, shape, given, columns, [], set(read))
        each = np.stack([np.broadcast_to(array_of(cost), (size,)).astype(np.int64) for cost in found])
        sides = np.stack([np.broadcast_to(array_of(side), (size,)) for side in leaving], axis=1)
        costs, kept = self.counting.costs(each)
        at = np.flatnonzero(kept)
        return Structure({}, tuple(read), costs[at], each[:, at], sides[at], at)

    def _walked(
        self,
        steps: tuple[Step, ...],
        shape: Shape,
        given: Mapping[str, Any],
        columns: Mapping[str, Any],
        noted: list[str],
        read: set[str],
    ) -> tuple[list[Any], Shape]:
        """(each metric, shape that leaves) of a unit, numbers or points; `noted` gets the positions that are read."""
        table: dict[Any, Any] = {}
        points = {
            name: leaf(table, column) if len(column) > 1 else column[0].item() for name, column in columns.items()
        }
        values = settle(self.model, {**self.settings, **given, **points})
        for name, variable in self.model.variables.items():
            if variable.each:
                values[name] = Watched(values[name], name, noted)
        enters = Input(shape, next(iter(self.model.inputs.values())).place, True)
        unit = self.model._replace(steps=steps, inputs={ENTERS: enters})
        try:
            walk = trace(unit, values)
            if any(is_bound(row, self.counting.metrics) for row in walk.rows):
                raise OptionError(Problem("incomplete", "the cost of a layer is not known: nothing exact can be said"))
            whole = Walk(unit, walk.rows, values)
            if self.stored and steps != self.first and writes_over(whole, ENTERS):
                raise Joined
            found = totals(whole, self.counting.metrics)
            return [found[one.name] for one in self.counting.metrics], walk.output
        except Varies:
            open_ones = [name for name in reversed(noted) if name in columns and name not in given]
            raise _Structural(open_ones[0] if open_ones else next(iter(sorted(read & {*columns})))) from None


class Joined(Exception):
    """A unit shares storage with the one before it, so that its memory cannot be counted alone."""


class _Structural(Exception):
    """A choice on which the structure of the network hangs."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def units(steps: tuple[Step, ...]) -> Iterator[Step]:
    """The entries of a list of layers, plain groups opened and the rows of block calls apart."""
    for step in steps:
        if step.plain and not step.then and type(step.body) is Group:
            yield from units(step.body.steps)
        elif step.plain and not step.then and type(step.body) is BlockCall:
            yield from (step._replace(body=step.body._replace(rows=(row,))) for row in step.body.rows)
        else:
            yield step


def needs_more(error: SpecError) -> bool:
    """Whether a unit reads a layer before it by name, so that it cannot be walked alone."""
    return any(problem.code in ("unknown-layer", "bad-reuse") for problem in error.problems)


def every(choices: Mapping[str, tuple[Any, ...]], names: list[str]) -> Iterator[dict[str, Any]]:
    """Every setting of some choices."""
    for values in product(*(choices[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def _positions(model: Model, name: str) -> list[str]:
    each = model.variables[name].each
    return [f"{name}[{at}]" for at in range(each)]


def _names(part: Any) -> Iterator[str]:
    """The names that a part of a spec reads; of another spec that it includes, those that are given to it."""
    if type(part) is Expr:
        yield from part.names
    elif type(part) is Chosen:
        yield part.param
    elif type(part) is Include:
        yield from _names(part.given)
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _names(value)
    elif isinstance(part, (tuple, frozenset)):
        for value in part:
            yield from _names(value)
