"""The units of a network whose costs add up, and what each costs for every choice that it reads.

A unit is one entry of the list of layers, or one row of a block call. It is walked alone, from the shape that flows in.
Which positions of a variable it reads is watched while it is walked: those that it does not read do not make more
networks. Choices that change the structure (a depth, a condition) are tried one by one, the rest all at once as arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import OptionError, Problem, SpecError
from ...metrics.metrics import Metric, totals
from ...metrics.walk import Walk
from ...model.expr import Expr
from ...model.network import BlockCall, Chosen, Group, Include, Input, Model, Step, names_of
from ...model.tables import Watched
from ...model.trace import trace
from ...model.variables import settle
from ...num.arrays import Varies
from ...num.points import array_of, leaf
from .counts import Counts, counted, merged

if TYPE_CHECKING:
    from ...num.values import Shape

MOST = 1_000_000  # settings of one structure of a unit
ENTERS = "what enters"  # the name of a unit's input: no layer can read it by name


class Found(NamedTuple):
    """What a unit costs from one shape on: the choices that it reads, and by the shape that leaves it the costs."""

    reads: frozenset[str]
    by_shape: Mapping[Shape, Counts]


class Designs:
    """A model whose variables with choices are open, and a metric."""

    def __init__(
        self, model: Model, choices: Mapping[str, tuple[Any, ...]], settings: Mapping[str, Any], metric: Metric
    ):
        self.model, self.choices, self.settings, self.metric = model, choices, settings, metric
        numbers = {name for name, values in choices.items() if {*map(type, values)} <= {int, float, bool}}
        self.words = {*choices} - numbers  # words and kernels, which no array holds

    def found(self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any]) -> Found:
        """Every network of a unit. Raises SpecError for one that cannot be, OptionError where there are too many."""
        always = self._always(steps) - {*given}
        waiting: list[dict[str, Any]] = [{}]
        reads = set(always)
        parts: dict[Shape, list[Counts]] = {}
        while waiting:
            fixed = waiting.pop()
            try:
                read = self._read(steps, shape, {**given, **fixed}, always)
                costs = self._costs(steps, shape, {**given, **fixed}, read)
            except _Structural as structural:
                name = structural.name
                waiting += [{**fixed, name: value} for value in self.choices[name]]
                reads.add(name)
                continue
            reads |= {*read}
            for leaving, one in costs.items():
                parts.setdefault(leaving, []).append(one)
        return Found(frozenset(reads), {leaving: merged(found) for leaving, found in parts.items()})

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

    def _costs(
        self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any], read: list[str]
    ) -> dict[Shape, Counts]:
        size = int(np.prod([len(self.choices[name]) for name in read], dtype=object))
        if size > MOST:
            message = f"the space does not decompose: a part of it has {size:,} networks, past {MOST:,}"
            help = "split its layers, set some of its variables, or sample: costcalc sweep --sample N"
            raise OptionError(Problem("limit", message, help=help))
        axes = np.meshgrid(*(np.array(self.choices[name]) for name in read), indexing="ij") if read else []
        columns = {name: axis.ravel() for name, axis in zip(read, axes, strict=True)}
        cost, leaving = self._walked(steps, shape, given, columns, [], set(read))
        costs = np.broadcast_to(array_of(cost), (size,))
        sides = np.stack([np.broadcast_to(array_of(side), (size,)) for side in leaving], axis=1)
        shapes, at = np.unique(sides, axis=0, return_inverse=True)
        return {tuple(one.tolist()): counted(costs[at.ravel() == number]) for number, one in enumerate(shapes)}

    def _walked(
        self,
        steps: tuple[Step, ...],
        shape: Shape,
        given: Mapping[str, Any],
        columns: Mapping[str, Any],
        noted: list[str],
        read: set[str],
    ) -> tuple[Any, Shape]:
        """(cost, shape that leaves) of a unit, numbers or points; `noted` gets the positions that are read."""
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
            if any(row.layer.unknown for row in walk.rows):
                raise OptionError(Problem("incomplete", "the cost of a layer is not known: nothing exact can be said"))
            cost = totals(Walk(unit, walk.rows, values), [self.metric])[self.metric.name]
            return cost, walk.output
        except Varies:
            open_ones = [name for name in reversed(noted) if name in columns and name not in given]
            raise _Structural(open_ones[0] if open_ones else next(iter(sorted(read & {*columns})))) from None


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
