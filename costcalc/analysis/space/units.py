"""Units of a network whose costs add up, and the cost of each unit for every choice that it reads.

A unit is one entry of the list of layers, or one row of a block call. It is traced alone, from its input shape. The
trace records which positions of a variable it reads: positions that are not read do not make more networks. All
settings are traced at once, as arrays, or in groups if their structure differs (a depth, a condition).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np

from ...errors import OptionError, Problem, Refused, SpecError
from ...metrics.metrics import Metric, is_bound, totals
from ...metrics.walk import Walk
from ...model.expr import Expr
from ...model.network import BlockCall, Chosen, Group, Include, Input, Model, Step, names_of
from ...model.rows import Trace
from ...model.tables import Notes, Watched
from ...model.trace import trace
from ...model.variables import settle
from ...num.arrays import Varies
from ...num.points import Full, array_of, leaf, pooled
from ...num.values import Shape
from ...records import NamedTuple
from .counts import Counts, Tell, Undecomposed, counted, merged, too_large
from .holding import writes_over
from .pieces import Part, by_value, pieces, together

MOST = 1_000_000  # settings of one structure of a unit
AT_ONCE = 1 << 14  # settings traced together; fewer if their arrays exceed ROOM
ROOM = 100_000_000  # bytes of the arrays of a trace
STRUCTURES = 20_000  # structures of a unit, which are traced one by one
FEW = 30  # structures of a unit above which a split into its layers' choices is tried
STEPS = 1000  # progress steps per unit
ENTERED = 20_000_000  # settings of a unit, over all its input shapes
KEPT = 1_000_000  # cached settings of units
ENTERS = "what enters"  # name of a unit's input; layers cannot refer to it


class Crowded(Undecomposed):
    """A unit has too many settings or structures to enumerate."""


class Unit(NamedTuple):
    """A part of a network that is traced alone.

    Each part of a split unit has the choices of some of its layers; all other choices are `pinned` to a value. `less`
    is the cost of the unit with all choices pinned, per metric, if another part includes it. `enters` is the input
    shape of the unit, which differs from the output shape of the previous part.
    """

    steps: tuple[Step, ...]
    enters: Shape | None = None
    pinned: tuple[tuple[str, Any], ...] = ()
    less: tuple[int, ...] = ()


class Found(NamedTuple):
    """Costs of a unit for one input shape: the choices that it reads, and its costs by output shape."""

    reads: frozenset[str]
    by_shape: Mapping[Shape, Counts]


class Structure(NamedTuple):
    """Networks of a unit with the same structure: the choices that determine it, and the costs of all settings.

    costs   one per setting, by which networks are counted
    each    one row per metric
    leaves  output shape of the unit, one row per setting
    places  indices of the settings in their grid
    """

    fixed: Mapping[str, Any]
    read: tuple[str, ...]
    costs: Any
    each: Any
    leaves: Any
    places: Any


class Counting(NamedTuple):
    """How networks are counted: the metrics, and limits on those that are maxima.

    With a `radix`, greater than any value of the second metric, a cost is the first metric times it plus the second.
    With `blank`, all networks cost 0: only their number is counted.
    """

    metrics: tuple[Metric, ...]
    limits: Mapping[int, int]  # index of a metric -> limit of a unit
    radix: int = 0
    blank: bool = False

    def costs(self, each: Any) -> tuple[Any, Any]:
        """(cost by which each setting is counted, whether it is within the limits), given one row per metric."""
        kept = np.ones(each.shape[1], dtype=bool)
        for number, most in self.limits.items():
            kept &= each[number] <= most
        if self.blank:
            return np.zeros_like(each[0]), kept
        return each[0] * self.radix + each[1] if self.radix else each[0], kept


class Designs:
    """A model with open choices, and how its networks are counted."""

    def __init__(
        self,
        model: Model,
        choices: Mapping[str, tuple[Any, ...]],
        settings: Mapping[str, Any],
        counting: Counting,
        tell: Tell | None = None,
    ):
        self.model, self.choices, self.settings, self.counting = model, choices, settings, counting
        numbers = {name for name, values in choices.items() if {*map(type, values)} <= {int, float, bool}}
        self.words = {*choices} - numbers  # words and kernels, which arrays cannot hold
        self.stored = any(one.stored for one in counting.metrics)
        self.at_once = AT_ONCE
        self.first: Unit | None = None  # unit that reads the network's input
        self.tell = tell
        self.kept: dict[Any, tuple[set[str], list[Structure]]] = {}
        self.held = 0  # number of settings in `kept`

    def found(self, unit: Unit, shape: Shape, given: Mapping[str, Any]) -> Found:
        """Every network of a unit. Raises SpecError for an invalid one, Crowded for too many."""
        reads, structures = self.structures(unit, shape, given)
        parts: dict[Shape, list[Counts]] = {}
        for one in structures:
            shapes, at = np.unique(one.leaves, axis=0, return_inverse=True)
            for number, leaving in enumerate(shapes):
                parts.setdefault(tuple(leaving.tolist()), []).append(counted(one.costs[at.ravel() == number]))
        return Found(frozenset(reads), {leaving: merged(found) for leaving, found in parts.items()})

    def every_found(
        self, unit: Unit, shapes: Iterable[Shape], given: Mapping[str, Any], most: int = STRUCTURES
    ) -> dict[Shape, Found]:
        """Every network of a unit, for each of its input shapes. Raises Crowded for more structures than `most`."""
        shapes = [*shapes]
        for shape in shapes:
            size = _size(self.structures(unit, shape, given, most)[1])
            if len(shapes) * size > ENTERED:
                message = f"the space does not decompose: a part of it has {len(shapes):,} input shapes with"
                message = f"{message} {size - 1:,} networks each: the limit is {ENTERED:,} together"
                raise Crowded(Problem("limit", message, help="set some of its variables"))
        return {shape: self.found(unit, shape, given) for shape in shapes}

    def structures(
        self, unit: Unit, shape: Shape, given: Mapping[str, Any], most: int = STRUCTURES
    ) -> tuple[set[str], list[Structure]]:
        """(choices that a unit reads, its networks by structure); recent results are cached."""
        shape, given = unit.enters or shape, {**given, **dict(unit.pinned)}
        key = (*map(id, unit.steps), shape, unit.less, *given.items())
        if key not in self.kept:
            while self.kept and self.held > KEPT:
                _, gone = self.kept.pop(next(iter(self.kept)))
                self.held -= _size(gone)
            reads, found = self._structures(unit.steps, shape, given, most)
            self.kept[key] = reads, [self._without(one, unit.less) for one in found] if unit.less else found
            self.held += _size(found)
        return self.kept[key]

    def _without(self, one: Structure, less: tuple[int, ...]) -> Structure:
        """Networks of a structure, without the costs that another part of the unit includes."""
        each = one.each - np.array(less, dtype=np.int64)[:, None]
        return one._replace(each=each, costs=self.counting.costs(each)[0])

    def _structures(
        self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any], most: int
    ) -> tuple[set[str], list[Structure]]:
        always = self.always(steps) - {*given}
        waiting = [self._more(Part({}, (), np.zeros(1, dtype=np.int64)), sorted(always))]
        reads, tried, told = set(always), 0, _Told(self.tell)
        found: list[Structure] = []
        while waiting:
            for part in waiting.pop():
                structures, more, apart = self._tried(steps, shape, given, part)
                found += structures
                reads.update(more)
                waiting += [self._more(one, [name]) for name, one in more.items()] + ([apart] if apart else [])
                told.add(part.share - sum(one.share for one in (*more.values(), *apart)))
                tried += 1
                if tried > most:
                    message = f"the space does not decompose: a part of it has more than {STRUCTURES:,} structures"
                    raise Crowded(Problem("limit", message, help="set some of its variables"))
        return reads, found

    def _tried(
        self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any], part: Part
    ) -> tuple[list[Structure], dict[str, Part], list[Part]]:
        """(networks of a part, settings that read another choice, by its name, settings split by structure).

        Each piece is tried separately: a value that varies in the part may be constant in a piece.
        """
        while True:
            try:
                return self._by_piece(steps, shape, given, part)
            except Refused as error:
                raise too_large(error.message) from None
            except Full:
                if self.at_once == 1:
                    message = "the space does not decompose: a part of it takes too much memory"
                    raise Crowded(Problem("limit", message, help="set some of its variables")) from None
                self.at_once = max(self.at_once // 8, 1)

    def _by_piece(
        self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any], part: Part
    ) -> tuple[list[Structure], dict[str, Part], list[Part]]:
        found, reading, varying = list[Structure](), dict[str, list[Part]](), dict[Any, list[Part]]()
        for piece in pieces(part, self.at_once):
            try:
                found.append(self._costs(steps, shape, given, piece))
            except _Reads as one:
                reading.setdefault(one.name, []).append(piece)
            except Varies as varies:
                for value, some in by_value(piece, varies).items():
                    varying.setdefault(value, []).append(some)
        more = {name: together(some) for name, some in reading.items()}
        return _joined(found), more, [together(some) for some in varying.values()]

    def _more(self, part: Part, names: list[str]) -> list[Part]:
        """Extend settings by further choices: words are split by value, numbers stay together."""
        parts = [part]
        for name in names:
            values = self.choices[name]
            if name in self.words:
                parts = [
                    one._replace(fixed={**one.fixed, name: value}, share=one.share / len(values))
                    for one in parts
                    for value in values
                ]
                continue
            size = len(parts[0].places) * len(values)
            if size > MOST:
                message = f"the space does not decompose: a part of it has {size:,} networks: the limit is {MOST:,}"
                help = "split its layers, or set some of its variables"
                raise Crowded(Problem("limit", message, help=help))
            at = (part.places[:, None] * len(values) + np.arange(len(values))).ravel()
            parts = [one._replace(read=(*one.read, name), places=at) for one in parts]
            part = parts[0]
        return parts

    def network(
        self, unit: Unit, shape: Shape, given: Mapping[str, Any], leaving: Shape, cost: int, number: int
    ) -> tuple[dict[str, Any], list[int]]:
        """(choices, metrics) of network `number`, from 0, among a unit's networks with this cost and output shape."""
        for one in self.structures(unit, shape, given)[1]:
            at = np.flatnonzero((one.costs == cost) & (one.leaves == np.array(leaving)).all(axis=1))
            if number < len(at):
                return self.chosen(one, int(at[number])), one.each[:, at[number]].tolist()
            number -= len(at)
        raise AssertionError("a number past the last network")

    def chosen(self, one: Structure, at: int) -> dict[str, Any]:
        """Choices of a setting of a structure."""
        sizes = [len(self.choices[name]) for name in one.read]
        places = np.unravel_index(int(one.places[at]), sizes) if sizes else ()
        picked = {name: self.choices[name][int(place)] for name, place in zip(one.read, places, strict=True)}
        return {**one.fixed, **picked}

    def at(
        self, unit: Unit, shape: Shape, given: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[int], Shape] | None:
        """(choices read, metrics, output shape) of a unit at a setting; None if ruled out."""
        for one in self.structures(unit, shape, given)[1]:
            if all(settings[name] == value for name, value in one.fixed.items()):
                sizes = [len(self.choices[name]) for name in one.read]
                places = [self.choices[name].index(settings[name]) for name in one.read]
                at = np.flatnonzero(one.places == (np.ravel_multi_index(places, sizes) if sizes else 0))
                if len(at):
                    number = int(at[0])
                    return self.chosen(one, number), one.each[:, number].tolist(), tuple(one.leaves[number].tolist())
        return None

    def of_inputs(self) -> list[str]:
        """Choices that the shapes of inputs read; they affect every unit."""
        part = tuple(self.model.inputs.values())
        whole = {one for name in _names(part) if name in self.model.variables for one in _positions(self.model, name)}
        return sorted(self.always(part) | (whole & {*self.choices}))

    def always(self, part: Any) -> set[str]:
        """Choices that a part of a spec reads as whole variables; traces record the positions of a list."""
        names: set[str] = set(_names(part))
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

    def _costs(self, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any], part: Part) -> Structure:
        """Costs of the settings of a part. Raises _Reads for another choice, Varies for different structures."""
        fixed, size = {**given, **part.fixed}, len(part.places)
        known = {name: np.array(self.choices[name])[at] for name, at in self._places(part).items()}
        others = [name for name in self.choices if name not in fixed and name not in known]
        open_ones = {name: self.choices[name] for name in others if name not in self.words}
        length = max([size, *map(len, open_ones.values())])
        columns = {name: np.resize(values, length) for name, values in known.items()}
        alike = {id(values): np.resize(np.array(values), length) for values in open_ones.values()}
        columns |= {name: alike[id(values)] for name, values in open_ones.items()}
        noted: list[str] = []
        try:
            found, leaving = self._walked(steps, shape, fixed, columns, noted)
        except Varies:
            self._read(noted, others)
            if length == size:
                raise
        self._read(noted, others)
        if length > size:
            found, leaving = self._walked(steps, shape, fixed, known, [])
        each = np.stack([np.broadcast_to(array_of(cost), (size,)).astype(np.int64) for cost in found])
        sides = np.stack([np.broadcast_to(array_of(side), (size,)) for side in leaving], axis=1)
        costs, kept = self.counting.costs(each)
        at = np.flatnonzero(kept)
        return Structure(part.fixed, part.read, costs[at], each[:, at], sides[at], part.places[at])

    def _places(self, part: Part) -> dict[str, Any]:
        """Index of the value of each choice, for the settings of a part."""
        sizes = [len(self.choices[name]) for name in part.read]
        return dict(zip(part.read, np.unravel_index(part.places, sizes), strict=True)) if sizes else {}

    @staticmethod
    def _read(noted: list[str], others: list[str]) -> None:
        """Raise _Reads for the first open choice that was read: later reads may depend on it."""
        if name := next((one for one in noted if one in others), None):
            raise _Reads(name)

    def _walked(
        self,
        steps: tuple[Step, ...],
        shape: Shape,
        given: Mapping[str, Any],
        columns: Mapping[str, Any],
        noted: list[str],
    ) -> tuple[list[Any], Shape]:
        """(each metric, output shape) of a unit, as numbers or points; `noted` collects the positions it reads."""
        alike = {id(column): column for column in columns.values()}  # positions with equal choices share a column
        with pooled(ROOM) as table:
            points = {key: leaf(table, one) if len(one) > 1 else one[0].item() for key, one in alike.items()}
            read = {name: points[id(column)] for name, column in columns.items()}
            return self._totals(steps, shape, settle(self.model, {**self.settings, **given, **read}), noted)

    def _totals(
        self, steps: tuple[Step, ...], shape: Shape, values: dict[str, Any], noted: list[str]
    ) -> tuple[list[Any], Shape]:
        """(each metric, output shape) of a unit at values of the variables."""
        enters = Input(shape, next(iter(self.model.inputs.values())).place, True)
        unit = self.model._replace(steps=steps, inputs={ENTERS: enters})
        walk = self._traced(unit, values, noted)
        if any(is_bound(row, self.counting.metrics) for row in walk.rows):
            raise OptionError(Problem("incomplete", "the cost of a layer is unknown: no exact count is possible"))
        whole = Walk(unit, walk, values)
        if self.stored and self.first and steps != self.first.steps and writes_over(whole, ENTERS):
            raise Joined
        found = totals(whole, self.counting.metrics)
        return [found[one.name] for one in self.counting.metrics], walk.output

    def watch(self, values: dict[str, Any], noted: Notes) -> None:
        """Record the positions of variables that are read."""
        for name, variable in self.model.variables.items():
            if variable.each:
                values[name] = Watched(values[name], name, noted)

    def _traced(self, unit: Model, values: dict[str, Any], noted: list[str]) -> Trace:
        self.watch(values, noted)
        return trace(unit, values)


def _size(structures: Iterable[Structure]) -> int:
    """Number of settings plus the number of structures."""
    return sum(len(one.costs) + 1 for one in structures)


class Joined(Exception):
    """A unit shares storage with the previous one, so its memory cannot be counted alone."""


class _Reads(Exception):
    """Settings read a further choice."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Told:
    """Reports the progress of a unit in steps of a thousandth."""

    def __init__(self, tell: Tell | None) -> None:
        self.tell, self.done, self.told = tell, 0.0, 0
        if tell:
            tell(0, STEPS)

    def add(self, share: float) -> None:
        """Add a finished share."""
        self.done += share
        steps = round(self.done * STEPS)
        if self.tell and steps > self.told:
            self.tell(steps - self.told, STEPS)
            self.told = steps


def _joined(found: Iterable[Structure]) -> list[Structure]:
    """Join the costs of pieces of a part: one structure per rank of the output."""
    alike: dict[int, list[Structure]] = {}
    for one in found:
        if len(one.costs):
            alike.setdefault(one.leaves.shape[1], []).append(one)
    return [
        some[0]._replace(
            costs=np.concatenate([one.costs for one in some]),
            each=np.concatenate([one.each for one in some], axis=1),
            leaves=np.concatenate([one.leaves for one in some]),
            places=np.concatenate([one.places for one in some]),
        )
        for some in alike.values()
    ]


def units(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Entries of a list of layers, with plain groups expanded and block calls split into their rows."""
    for step in steps:
        if step.plain and not step.then and type(step.body) is Group:
            yield from units(step.body.steps)
        elif step.plain and not step.then and type(step.body) is BlockCall:
            yield from (step._replace(body=step.body._replace(rows=(row,))) for row in step.body.rows)
        else:
            yield step


def needs_more(error: SpecError) -> bool:
    """Whether a unit refers to an earlier layer by name, so it cannot be traced alone."""
    return any(problem.code in ("unknown-layer", "bad-reuse") for problem in error.problems)


def every(choices: Mapping[str, tuple[Any, ...]], names: list[str]) -> Iterator[dict[str, Any]]:
    """Yield every setting of some choices."""
    for values in product(*(choices[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def _positions(model: Model, name: str) -> list[str]:
    each = model.variables[name].each
    return [f"{name}[{at}]" for at in range(each)]


def _names(part: Any) -> Iterator[str]:
    """Names that a part of a spec reads; for an included spec, the names in its arguments."""
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
