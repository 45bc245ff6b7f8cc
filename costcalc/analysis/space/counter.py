"""Decompose a space into units, into stretches of dependent units, and into shared choices.

A stretch ends at a unit whose output shape does not depend on the choices inside it. Within a stretch, costs are
counted for each shape between two units; if there are too many, the stretch is cut, and both sides are independent for
each shape at the cut. Choices that several units read are enumerated. If those are too many, the units are split by
choices, or all settings are enumerated if the space is small.

A unit is split by the choices that its layers read: a metric that adds up is then a sum over groups of choices. Traces
record the choices that each step reads and its output shape. Steps that read common choices form a group. If each of
these steps has a fixed output shape, whatever the choices of all groups, the rest of the network is unaffected. The
cost of the unit is then its cost with all choices at one value, plus the change that each group makes: a sum of
independent parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from ... import ops
from ...allowance import within
from ...errors import Problem, SpecError, listed
from ...model.inputs import input_shape
from ...model.network import BlockCall, Call, Group, Model, Reference, Reuse, Step
from ...model.rows import Row, Trace
from ...model.scope import Scope, Tensor
from ...model.trace import Tracer
from ...model.variables import settle
from ...num.points import array_of
from ...num.values import Shape
from .chains import Decomposed, Layer, Setting, Stretch
from .counts import NOTHING, PAIRS, WHOLE, Counts, Tell, Undecomposed, combined, merged, most_sums, step_of, too_many
from .sums import BINS, Maxima, Sums
from .units import FEW, MOST, Crowded, Designs, Found, Joined, Unit, every, needs_more, units

Path = tuple[int, ...]  # index of a step among the steps of its parent, from the outermost level inwards


def parted(designs: Designs, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any]) -> list[Unit]:
    """Split a unit into independent parts, each with the choices of some of its layers; an empty list if impossible.

    Raises Crowded if a part has too many networks, and SpecError for an invalid network.
    """
    if any(one.fold is not sum or one.stored for one in designs.counting.metrics):
        return []
    return _Parting(designs, steps, shape, given).units()


class _Parting:
    """Groups of choices of a unit, found by traces that vary one group and fix the others."""

    def __init__(self, designs: Designs, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any]) -> None:
        self.seen = Seen()
        self.steps, self.shape, self.given = steps, shape, given
        self.first = {name: values[0] for name, values in designs.choices.items() if name not in given}
        self.designs = _Watching(designs, self.seen, {*self.first})

    def units(self) -> list[Unit]:
        """One part per group, the first with the fixed costs; an empty list if there is only one group."""
        whole = self._unit(frozenset())
        (base,) = self.designs.structures(whole, self.shape, self.given)[1]
        groups, tried = self.seen.groups(), frozenset[frozenset[str]]()
        while groups != tried and len(groups) > 1:
            for group in groups - tried:
                self.designs.structures(self._unit(group), self.shape, self.given)
            groups, tried = self.seen.groups(), groups
        if len(groups) < 2 or not self.seen.independent():
            return []
        less = tuple(int(cost) for cost in base.each[:, 0])
        units = [self._unit(group) for group in sorted(groups, key=sorted)]
        return [units[0], *(one._replace(less=less) for one in units[1:])]

    def _unit(self, group: frozenset[str]) -> Unit:
        """The unit with all choices pinned to their first value, except those of a group."""
        pinned = tuple((name, value) for name, value in self.first.items() if name not in group)
        return Unit(self.steps, self.shape, pinned)


class Seen:
    """Observations about the steps of a unit, from its traces.

    reads   choices that a step reads itself, without the steps in it
    leaves  first output shape of a step
    moved   steps whose output shape changed later
    tied    whether a layer shares weights or does not always run: then its cost depends on other layers
    """

    def __init__(self) -> None:
        self.reads: dict[Path, set[str]] = {}
        self.leaves: dict[Path, Shape] = {}
        self.steps: dict[Path, Step] = {}
        self.moved: set[Path] = set()
        self.tied = False

    def left(self, path: Path, step: Step, shape: Shape) -> None:
        """Record the output shape of a step."""
        self.steps[path] = step
        first = self.leaves.setdefault(path, shape)
        if len(first) != len(shape) or any(
            np.any(array_of(a) != array_of(b)) for a, b in zip(first, shape, strict=True)
        ):
            self.moved.add(path)

    def added(self, rows: Sequence[Row]) -> None:
        """Record the rows of a trace."""
        self.tied |= any(row.shared or row.chance or row.holder is not None or row.table is not None for row in rows)

    def outermost(self) -> set[Path]:
        """Steps that read choices and are not inside another such step."""
        return {path for path in self.reads if not any(path[:end] in self.reads for end in range(len(path)))}

    def groups(self) -> frozenset[frozenset[str]]:
        """Sets of choices that steps read together."""
        groups: list[set[str]] = []
        top = self.outermost()
        for one in top:
            names = set().union(*(reads for path, reads in self.reads.items() if path[: len(one)] == one))
            apart = [group for group in groups if not group & names]
            groups = [*apart, names.union(*(group for group in groups if group & names))]
        return frozenset(map(frozenset, groups))

    def independent(self) -> bool:
        """Whether the steps that read choices leave all other steps, and the steps around them, unchanged."""
        top = self.outermost()
        inside = {path for path in self.leaves if any(path[:end] in top for end in range(len(path)))}
        hidden = {name for path in inside for name in _labels(self.steps[path])}
        named = {name for step in self.steps.values() for name in _references(step)}
        return not (self.tied or self.moved - inside or hidden & named)


class _Watching(Designs):
    """Designs that record which of the `open` choices each step reads."""

    def __init__(self, designs: Designs, seen: Seen, open: set[str]) -> None:
        super().__init__(designs.model, designs.choices, designs.settings, designs.counting, designs.tell)
        self.seen, self.open = seen, open
        self.own: dict[int, set[str]] = {}  # keyed by the identity of a step

    def own_reads(self, step: Step) -> set[str]:
        """Open choices that a step reads as whole variables."""
        if id(step) not in self.own:
            self.own[id(step)] = self.always(_own(step)) & self.open
        return self.own[id(step)]

    def _traced(self, unit: Model, values: dict[str, Any], noted: list[str]) -> Trace:
        walk = WatchedWalk(unit, values, self, noted)
        self.watch(values, walk)
        with within("seconds", "this network"):
            found = walk.run()
        self.seen.added(found.rows)
        return found


class WatchedWalk(Tracer):
    """A tracer that records the current step and the positions that it reads."""

    def __init__(self, model: Model, values: Mapping[str, Any], designs: _Watching, noted: list[str]) -> None:
        super().__init__(model, values)
        self.designs, self.seen, self.noted = designs, designs.seen, noted
        self.path: Path = ()
        self.inside = [0]  # number of steps run at each level

    def append(self, name: str) -> None:
        """Record that the current step reads a position of a variable."""
        self.noted.append(name)
        if name in self.designs.open:
            self.seen.reads.setdefault(self.path, set()).add(name)

    def step(self, step: Step, x: Tensor, scope: Scope) -> Tensor:
        """Run a step without controls, and record its output."""
        outer = self._enter(step)
        return self._leave(step, super().step(step, x, scope), outer)

    def controlled(self, step: Step, x: Tensor, scope: Scope) -> Tensor:
        """Run a step with its controls, and record its output."""
        outer = self._enter(step)
        return self._leave(step, super().controlled(step, x, scope), outer)

    def _enter(self, step: Step) -> Path:
        outer, self.path = self.path, (*self.path, self.inside[-1])
        self.inside[-1] += 1
        self.inside.append(0)
        if names := self.designs.own_reads(step):
            self.seen.reads.setdefault(self.path, set()).update(names)
        return outer

    def _leave(self, step: Step, x: Tensor, outer: Path) -> Tensor:
        self.seen.left(self.path, step, x.shape)
        self.inside.pop()
        self.path = outer
        return x


def _own(step: Step) -> Any:
    """The part of a step that it reads itself, without the steps in its body or after it."""
    body = step.body
    if type(body) is Group:
        body = None
    elif type(body) is BlockCall:
        body = (body.rows, body.block.defaults)
    elif type(body) is Call:
        branches = ops.find(body.op).branches
        body = {name: value for name, value in body.options.items() if name not in branches}
    return step._replace(body=body, then=())


def _labels(step: Step) -> Iterator[str]:
    """Names that refer to layers of a step: its label, and that of its operation or block."""
    if step.label:
        yield step.label
    if type(step.body) is Call:
        yield step.body.op
    elif type(step.body) is BlockCall:
        yield step.body.block.name
        yield from (f"{step.body.block.name}_{name}" for name, _ in step.body.rows if name)


def _references(step: Step) -> Iterator[str]:
    """Words of a step that may refer to an earlier layer."""
    body = step.body
    yield from _words((step.origin, body.options if type(body) is Call else ()))
    if type(body) is BlockCall:
        yield from _words((body.rows, body.block.defaults))
    if type(body) is Reuse:
        yield from _words(body.name)


def _words(part: Any) -> Iterator[str]:
    """All words in a part of a spec except in steps; paths are split."""
    if type(part) is str:
        yield from part.split("/")
    elif type(part) is Reference:
        yield from (name for name, _ in part.parts)
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _words(value)
    elif isinstance(part, (tuple, frozenset)) and type(part) is not Step:
        for value in part:
            yield from _words(value)


SHARED = 10_000  # settings of shared choices that are enumerated
APART = 100  # settings of shared choices above which units are split by choices
CUTS = 64  # combinations of shapes at which chains of widths are cut
CONVOLUTION = "a convolution of independent parts"
WIDTHS = "a dynamic programme over widths"
CHOICES = "a convolution over groups of choices that layers read together"
ENUMERATION = "enumeration of all settings"
States = Mapping["Shape", Counts]  # costs so far, by output shape


class Counter:
    """Finds the units of a space and counts them. `known` sums of the same parts are reused."""

    def __init__(self, designs: Designs, tell: Tell | None = None, known: Iterable[Sums | Maxima] = ()) -> None:
        self.designs, self.tell, self.known = designs, tell, list(known)
        self.fold = designs.counting.metrics[0].fold
        self.units = [Unit((step,)) for step in units(designs.model.steps)]
        self.apart: set[int] = set()  # units split by choices, given by the identity of their first step

    def decomposed(self) -> Decomposed:
        """Count the networks. A newly found shared choice is enumerated, and counting restarts. Raises OptionError."""
        designs = self.designs
        shared = designs.of_inputs()
        self._check(shared, False)
        while True:
            try:
                found = [(given, self._paths(given)) for given in every(designs.choices, shared)]
            except _Shared as more:
                shared = shared + sorted(more.names)
                if self._check(shared, len(self.units) > 1):
                    shared = designs.of_inputs()
                continue
            settings = [
                Setting(given, path, self._folded(path, len(paths))) for given, paths in found for path in paths
            ]
            return Decomposed(designs, shared, _method([paths for _, paths in found]), settings)

    def _folded(self, stretches: Iterable[Stretch], ways: int) -> Sums | Maxima:
        """Total cost of the stretches of one of `ways` alternatives, whose tables exist at the same time."""
        parts = [one.counts for one in stretches]
        for one in self.known:
            if isinstance(one, Sums) and self.fold is sum and one.has(parts):
                return one
        return Sums(parts, self.tell, BINS // ways) if self.fold is sum else Maxima(parts)

    def _check(self, shared: list[str], whole: bool) -> bool:
        """Check the number of shared choices; join all units and return True if all settings can be enumerated."""
        count = math.prod(len(self.designs.choices[name]) for name in shared)
        every_one = math.prod(len(values) for values in self.designs.choices.values())
        if count <= SHARED:
            return False
        if every_one <= MOST and whole:
            self.units = [Unit(tuple(step for unit in self.units for step in unit.steps))]
            return True
        message = f"the space does not decompose: {listed(shared[:8])} reach several parts of the network"
        help = f"they have {count:,} settings, the limit is {SHARED:,}; set some of them"
        raise Undecomposed(Problem("limit", message, help=help))

    def _paths(self, given: Mapping[str, Any]) -> list[tuple[Stretch, ...]]:
        """Independent stretches, one sequence for each combination of shapes at which chains are cut."""
        while True:
            try:
                return list(_Chain(self, given).paths())
            except _Again:
                continue

    def join(self, first: int, last: int, apart: bool = False) -> NoReturn:
        """Join units into one, which is split by choices if `apart`. Raises _Again to restart the chain."""
        joined = self.units[first : last + 1]
        self.units[first : last + 1] = [Unit(tuple(step for one in joined for step in one.steps))]
        if apart or any(map(self.is_apart, joined)):
            self.apart.add(id(joined[0].steps[0]))
        raise _Again

    def is_apart(self, unit: Unit) -> bool:
        """Whether a unit is split by choices."""
        return id(unit.steps[0]) in self.apart


def _method(found: list[list[tuple[Stretch, ...]]]) -> str:
    """Counting method, given the sequences of stretches for each setting of the shared choices."""
    method = ENUMERATION
    for paths in found:
        for layers in ([layer for one in path for layer in one.layers] for path in paths):
            if len(paths) > 1 or any(len(layer.states) > 1 for layer in layers):
                return WIDTHS
            if any(layer.unit.pinned for layer in layers):
                method = CHOICES
            elif method == ENUMERATION and sum(map(_has_choices, layers)) > 1:
                method = CONVOLUTION
    return method


def _has_choices(layer: Layer) -> bool:
    """Whether a unit reads choices that are not enumerated."""
    return any(one.reads for one in layer.found.values())


class _Again(Exception):
    """Units were joined: restart the chain."""


class _Shared(Exception):
    """Choices that several units read."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(names)
        self.names = names


class _Chain:
    """One pass through the units, with the shared choices `given`.

    units    each with its index in the counter; the parts of a split unit share an index
    entered  input shape of each unit so far; None if there are several
    """

    def __init__(self, counter: Counter, given: Mapping[str, Any]) -> None:
        self.counter, self.designs, self.given = counter, counter.designs, given
        self.units = list(zip(counter.units, range(len(counter.units)), strict=True))
        self.entered: dict[int, Shape | None] = {}
        self.readers: dict[int, frozenset[str]] = {}
        self.ways = 0
        self.designs.first = counter.units[0]

    def paths(self) -> Iterator[tuple[Stretch, ...]]:
        """Yield each sequence of stretches; none if no network is within the limits."""
        model = self.designs.model
        values = settle(model, {**self.designs.settings, **self.given})
        ((name, one),) = model.inputs.items()
        return self._from(0, {tuple(input_shape(name, one, values, model.variables)): NOTHING}, frozenset())

    def _from(self, at: int, states: States, seen: frozenset[str]) -> Iterator[tuple[Stretch, ...]]:
        """Sequences of stretches from a unit on, for its input shapes; `seen` are choices of earlier units."""
        stretches: list[Stretch] = []
        layers: list[Layer] = []
        while at < len(self.units):
            layer, reads = self._layer(at, states, seen)
            if layers and self._has_many(layer):
                yield from self._cut(at, states, seen, stretches, layers)
                return
            states, seen, at = self._after(layer), seen | reads, at + 1
            layers.append(layer)
            if not states:
                return
            if len(states) == 1 or at == len(self.units):
                stretches.append(Stretch(tuple(layers), states, merged(list(states.values()))))
                layers, states = [], {next(iter(states)): NOTHING}
        self.ways += 1
        if self.ways > CUTS:
            raise too_many()
        yield tuple(stretches)

    def _cut(
        self, at: int, states: States, seen: frozenset[str], stretches: list[Stretch], layers: list[Layer]
    ) -> Iterator[tuple[Stretch, ...]]:
        """Sequences of stretches from a unit on, for each input shape separately: splits depend on it."""
        units = self.units
        for shape, counts in states.items():
            self.units = list(units)
            before = (*stretches, Stretch(tuple(layers), {shape: counts}, counts))
            yield from ((*before, *after) for after in self._from(at, {shape: NOTHING}, seen))

    def _layer(self, at: int, states: States, seen: frozenset[str]) -> tuple[Layer, frozenset[str]]:
        """(layer of a unit, choices that it reads). Raises _Shared for choices that were seen before."""
        number = self.units[at][1]
        self.entered[number] = next(iter(states)) if len(states) == 1 else None
        try:
            found = self._found(at, states)
        except (SpecError, Joined) as error:
            if not number or (isinstance(error, SpecError) and not needs_more(error)):
                raise
            self.counter.join(number - 1, number)
        reads = frozenset(name for one in found.values() for name in one.reads)
        if again := reads & seen:
            self._apart_from(again | self._again(number), number)
            raise _Shared(again)
        self.readers[number] = self.readers.get(number, frozenset()) | reads
        return Layer(self.units[at][0], states, found), reads

    def _found(self, at: int, states: States) -> dict[Shape, Found]:
        """Costs of a unit for each input shape. A unit with too many settings is split if possible."""
        (unit, number), given = self.units[at], self.given
        if len(states) > 1 or unit.pinned:
            return self.designs.every_found(unit, states, given)
        try:
            if self.counter.is_apart(unit):
                raise Crowded
            return self.designs.every_found(unit, states, given, FEW)
        except Crowded:
            parts = parted(self.designs, unit.steps, next(iter(states)), given)
        self.units[at : at + 1] = [(one, number) for one in parts or [unit]]
        return self.designs.every_found(self.units[at][0], states, given)

    def _again(self, number: int) -> frozenset[str]:
        """Choices that a split unit shares with earlier units."""
        parts = [unit for unit, own in self.units if own == number and unit.pinned]
        reads = frozenset(self.designs.choices).difference(self.given)
        own = frozenset[str]().union(*(reads.difference(dict(one.pinned)) for one in parts))
        return own & frozenset[str]().union(*(names for at, names in self.readers.items() if at < number))

    def _apart_from(self, again: frozenset[str], number: int) -> None:
        """Join the units that share many choices into one that is split by choices, if that is possible.

        Raises _Again if it joins them.
        """
        first = min(own for own, names in self.readers.items() if names & again)
        shape = self.entered[first]
        many = math.prod(len(self.designs.choices[name]) for name in again) > APART
        if not many or shape is None:
            return
        steps = tuple(step for unit in self.counter.units[first : number + 1] for step in unit.steps)
        try:
            parts = parted(self.designs, steps, shape, self.given)
        except (Crowded, SpecError):
            return
        if parts:
            self.counter.join(first, number, apart=True)

    def _has_many(self, layer: Layer) -> bool:
        """Whether a unit would lead to so many costs that the stretch is cut before it."""
        pairs = [
            (counts, part) for shape, counts in layer.states.items() for part in layer.found[shape].by_shape.values()
        ]
        if any(a.total * b.total > WHOLE for a, b in pairs):
            return True
        return self.counter.fold is sum and sum(most_sums(a, b, step_of([a, b])) for a, b in pairs) > PAIRS

    def _after(self, layer: Layer) -> dict[Shape, Counts]:
        """Costs up to the end of a unit, by output shape."""
        after: dict[Shape, list[Counts]] = {}
        for shape, counts in layer.states.items():
            for leaving, part in layer.found[shape].by_shape.items():
                both = part if counts is NOTHING else combined(counts, part, self.counter.fold)
                after.setdefault(leaving, []).append(both)
        return {leaving: merged(several) for leaving, several in after.items()}
