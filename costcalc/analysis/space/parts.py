"""Units taken apart by the choices that their layers read: costs that add up are then sums over groups of choices.

A walk notes which step reads which choices, and what shape leaves it. Steps that read choices in common are a group. If
each of these steps gives one shape for all choices of its group, whatever the choices of other groups are, the rest of
the network stays as it is. The cost of the unit is then what it is with all choices at one value, plus what each group
changes of it: a sum of independent parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import ops
from ...allowance import within
from ...model.network import BlockCall, Call, Group, Model, Reference, Reuse, Step
from ...model.trace import Tracer
from ...num.points import array_of
from .units import Designs, Unit

if TYPE_CHECKING:
    from ...model.rows import Row, Trace
    from ...model.scope import Scope, Tensor
    from ...num.values import Shape

Path = tuple[int, ...]  # the number of a step among those that its parent runs, from the outermost on


def parted(designs: Designs, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any]) -> list[Unit]:
    """A unit as independent parts, each with the choices of some of its layers; none where it cannot be taken apart.

    Raises Crowded where a part has too many networks, SpecError for one that cannot be.
    """
    if any(one.fold is not sum or one.stored for one in designs.counting.metrics):
        return []
    return _Parting(designs, steps, shape, given).units()


class _Parting:
    """The groups of choices of a unit, found by walks that vary one of them and keep all others."""

    def __init__(self, designs: Designs, steps: tuple[Step, ...], shape: Shape, given: Mapping[str, Any]) -> None:
        self.seen = Seen()
        self.steps, self.shape, self.given = steps, shape, given
        self.first = {name: values[0] for name, values in designs.choices.items() if name not in given}
        self.designs = _Watching(designs, self.seen, {*self.first})

    def units(self) -> list[Unit]:
        """One part for each group, the first with what no choice moves; none where there is but one group."""
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
        """The unit with all choices at their first value but for those of a group."""
        pinned = tuple((name, value) for name, value in self.first.items() if name not in group)
        return Unit(self.steps, self.shape, pinned)


class Seen:
    """What walks of a unit have shown of its steps.

    reads   the choices that a step reads itself, not by steps in it
    leaves  the shape that left it first
    moved   the steps that another shape left later
    tied    whether a layer has weights of another one, or does not always run: its cost depends on others
    """

    def __init__(self) -> None:
        self.reads: dict[Path, set[str]] = {}
        self.leaves: dict[Path, Shape] = {}
        self.steps: dict[Path, Step] = {}
        self.moved: set[Path] = set()
        self.tied = False

    def left(self, path: Path, step: Step, shape: Shape) -> None:
        """Note the shape that leaves a step."""
        self.steps[path] = step
        first = self.leaves.setdefault(path, shape)
        if len(first) != len(shape) or any(
            np.any(array_of(a) != array_of(b)) for a, b in zip(first, shape, strict=True)
        ):
            self.moved.add(path)

    def added(self, rows: Sequence[Row]) -> None:
        """Note the rows of a walk."""
        self.tied |= any(row.shared or row.chance or row.holder is not None or row.table is not None for row in rows)

    def outermost(self) -> set[Path]:
        """The steps that read choices and are in no other that does."""
        return {path for path in self.reads if not any(path[:end] in self.reads for end in range(len(path)))}

    def groups(self) -> frozenset[frozenset[str]]:
        """The choices that steps read together."""
        found: list[set[str]] = []
        top = self.outermost()
        for one in top:
            names = set().union(*(reads for path, reads in self.reads.items() if path[: len(one)] == one))
            apart = [group for group in found if not group & names]
            found = [*apart, names.union(*(group for group in found if group & names))]
        return frozenset(map(frozenset, found))

    def independent(self) -> bool:
        """Whether no step that reads choices changes what another one, or a step around it, has."""
        top = self.outermost()
        inside = {path for path in self.leaves if any(path[:end] in top for end in range(len(path)))}
        hidden = {name for path in inside for name in _labels(self.steps[path])}
        named = {name for step in self.steps.values() for name in _references(step)}
        return not (self.tied or self.moved - inside or hidden & named)


class _Watching(Designs):
    """Designs whose walks are watched step by step: what steps read of the choices that are `open`."""

    def __init__(self, designs: Designs, seen: Seen, open: set[str]) -> None:
        super().__init__(designs.model, designs.choices, designs.settings, designs.counting, designs.tell)
        self.seen, self.open = seen, open
        self.own: dict[int, set[str]] = {}  # by the identity of a step

    def own_reads(self, step: Step) -> set[str]:
        """The open choices that a step reads as variables of their own."""
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
    """The one walk, watched: it knows which step it is in, and is told of the positions that are read."""

    def __init__(self, model: Model, values: Mapping[str, Any], designs: _Watching, noted: list[str]) -> None:
        super().__init__(model, values)
        self.designs, self.seen, self.noted = designs, designs.seen, noted
        self.path: Path = ()
        self.inside = [0]  # how many steps have run at each level

    def append(self, name: str) -> None:
        """Note that the step that runs reads a position of a variable."""
        self.noted.append(name)
        if name in self.designs.open:
            self.seen.reads.setdefault(self.path, set()).add(name)

    def step(self, step: Step, x: Tensor, scope: Scope) -> Tensor:
        """A step without controls."""
        outer = self._enter(step)
        return self._leave(step, super().step(step, x, scope), outer)

    def controlled(self, step: Step, x: Tensor, scope: Scope) -> Tensor:
        """A step as its controls say."""
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
    """What a step reads itself: not the steps in its body, or after it."""
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
    """The names by which layers are found in a step: its own, and that of its operation or block."""
    if step.label:
        yield step.label
    if type(step.body) is Call:
        yield step.body.op
    elif type(step.body) is BlockCall:
        yield step.body.block.name
        yield from (f"{step.body.block.name}_{name}" for name, _ in step.body.rows if name)


def _references(step: Step) -> Iterator[str]:
    """The words of a step that can name a layer before it."""
    body = step.body
    yield from _words((step.origin, body.options if type(body) is Call else ()))
    if type(body) is BlockCall:
        yield from _words((body.rows, body.block.defaults))
    if type(body) is Reuse:
        yield from _words(body.name)


def _words(part: Any) -> Iterator[str]:
    """All words in a part of a spec that are no steps: a path by its parts, too."""
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
