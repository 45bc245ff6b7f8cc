"""Networks of a decomposed space: count them, pick them by number, draw them, and find the exact Pareto front.

A network on the front of two metrics consists of parts on the fronts of the parts, for sums and for maxima. The front
up to a unit is therefore the undominated subset of all pairs of a point before the unit and a point of the unit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import OptionError, Problem
from ...records import NamedTuple
from ...render.text import printable
from .counts import PAIRS, Counts, exactly
from .sums import Maxima, Pick, Sums, of_running
from .units import Designs, Found, Unit

if TYPE_CHECKING:
    from numpy.random import Generator

    from ...num.values import Shape


class Layer(NamedTuple):
    """A unit in a stretch: the costs so far for each shape that enters it, and its own costs for each."""

    unit: Unit
    states: Mapping[Shape, Counts]
    found: Mapping[Shape, Found]


class Stretch(NamedTuple):
    """A run of units whose shapes depend on each other, up to a shape that is fixed: its final shapes and its costs."""

    layers: tuple[Layer, ...]
    states: Mapping[Shape, Counts]
    counts: Counts


class Setting(NamedTuple):
    """Networks with one value of each shared choice, and with one shape at each cut of a chain of widths."""

    given: Mapping[str, Any]
    stretches: tuple[Stretch, ...]
    sums: Sums | Maxima


class Design(NamedTuple):
    """A network of a space: the choices that it reads, and its metrics in the requested order."""

    choices: Mapping[str, Any]
    metrics: tuple[int, ...]


class Decomposed:
    """All networks of a space, counted."""

    def __init__(self, designs: Designs, shared: list[str], method: str, settings: list[Setting]) -> None:
        self.designs, self.shared, self.method = designs, tuple(shared), method
        self.settings = settings
        self.folds = [one.fold for one in designs.counting.metrics]

    @property
    def how(self) -> str:
        """Counting method, and the choices that were enumerated."""
        return self.method + (f"; {', '.join(map(printable, self.shared))} tried one by one" if self.shared else "")

    @property
    def networks(self) -> int:
        """Number of networks. Positions that a network does not read do not make it a different network."""
        return sum(one.sums.total for one in self.settings)

    @property
    def least(self) -> int:
        """Lowest cost."""
        return min(one.sums.base for one in self.settings)

    @property
    def most(self) -> int:
        """Highest cost."""
        return max(one.sums.most for one in self.settings)

    def within(self, limit: int) -> int:
        """Number of networks that cost at most `limit`."""
        return sum(one.sums.within(limit) for one in self.settings)

    def drawn(self, limit: int, number: int) -> Design:
        """Network by its index, from 0, among the networks within a limit, in an arbitrary fixed order."""
        return self._picked(number, lambda sums: sums.within(limit), lambda sums, own: sums.drawn(limit, own))

    def ranked(self, number: int) -> Design:
        """Network by its index, from 0, among all networks by ascending cost."""
        cost = self.cost_at(number + 1)
        number -= self.within(cost - 1)
        return self._picked(
            number,
            lambda sums: sums.within(cost) - sums.within(cost - 1),
            lambda sums, own: sums.ranked(cost, own),
        )

    def any(self, generator: random.Random) -> Design:
        """Draw a network uniformly from all."""
        number = generator.randrange(self.networks)

        def pick(sums: Any, own: int) -> list[Pick]:
            return [of_running(one, generator.randrange(one.total)) for one in sums.parts]

        return self._picked(number, lambda sums: sums.total, pick)

    def cost_at(self, due: int) -> int:
        """Lowest cost that at least `due` networks do not exceed."""
        low, high = (self.least - 1, 0), (self.most, self.networks)  # (cost, networks): fewer than due, and enough
        turn = 0
        while high[0] - low[0] > 1:
            between = (due - low[1]) * (high[0] - low[0]) // max(high[1] - low[1], 1) if turn % 3 else 0
            at = low[0] + between if 0 < between < high[0] - low[0] else (low[0] + high[0]) // 2
            count, turn = self.within(at), turn + 1
            low, high = (low, (at, count)) if count >= due else ((at, count), high)
        return high[0]

    def _picked(self, number: int, count: Callable[[Any], int], pick: Callable[[Any, int], list[Pick]]) -> Design:
        for one in self.settings:
            many = count(one.sums)
            if number < many:
                return self._design(one, pick(one.sums, number))
            number -= many
        raise AssertionError("a number past the last network")

    def _design(self, setting: Setting, picks: list[Pick]) -> Design:
        choices: dict[str, Any] = dict(setting.given)
        rows: list[list[int]] = []
        for stretch, (cost, number) in zip(setting.stretches, picks, strict=True):
            found, each = self._through(stretch, setting.given, cost, number)
            choices |= found
            rows += each
        return self.design(choices, rows)

    def design(self, choices: Mapping[str, Any], rows: list[list[int]]) -> Design:
        """Network with these choices, whose units have these metrics."""
        totals = tuple(int(fold(column)) for fold, column in zip(self.folds, zip(*rows, strict=True), strict=True))
        return Design(self.ordered(choices), totals)

    def ordered(self, choices: Mapping[str, Any]) -> dict[str, Any]:
        """Choices in the order of their declaration in the spec."""
        return {name: choices[name] for name in self.designs.choices if name in choices}

    def _through(
        self, stretch: Stretch, given: Mapping[str, Any], cost: int, number: int
    ) -> tuple[dict[str, Any], list[list[int]]]:
        """(choices, metrics of each unit) of a network of a stretch, traced back from its end."""
        choices: dict[str, Any] = {}
        rows: list[list[int]] = []
        shape, number = _end(stretch, cost, number)
        for layer in reversed(stretch.layers):
            before, left, own, number, rest = self._step(layer, shape, cost, number)
            found, each = self.designs.network(layer.unit, before, given, shape, own, rest)
            choices |= found
            rows.append(each)
            shape, cost = before, left
        return choices, rows

    def _step(self, layer: Layer, shape: Shape, cost: int, number: int) -> tuple[Shape, int, int, int, int]:
        """(shape before, cost before, cost of the unit, index before, index in the unit) of a network's last unit."""
        for before, so_far in layer.states.items():
            part = layer.found[before].by_shape.get(shape)
            if part is None:
                continue
            for left, own, ways, weight in _pairs(so_far, part, cost, self.folds[0]):
                if number < ways * weight:
                    return before, left, own, *divmod(number, weight)
                number -= ways * weight
        raise AssertionError("a number past the last network")


def _end(stretch: Stretch, cost: int, number: int) -> tuple[Shape, int]:
    """(final shape of a network of a stretch, its index among the networks with that shape)."""
    for shape, counts in stretch.states.items():
        many = int(exactly(counts, cost))
        if number < many:
            return shape, number
        number -= many
    raise AssertionError("a number past the last network")


def _pairs(a: Counts, b: Counts, cost: int, fold: Any) -> list[tuple[int, int, int, int]]:
    """(cost in a, cost in b, networks in a, networks in b) of all pairs that combine to `cost`."""
    if fold is sum:
        ways = exactly(a, cost - b.costs)
        at = np.flatnonzero(ways)
        found = zip(cost - b.costs[at], b.costs[at], ways[at], b.weights[at], strict=True)
        return [(int(left), int(own), int(many), int(weight)) for left, own, many, weight in found]
    rows, columns = np.nonzero(np.maximum.outer(a.costs, b.costs) == cost)
    return [
        (int(a.costs[i]), int(b.costs[j]), int(a.weights[i]), int(b.weights[j]))
        for i, j in zip(rows, columns, strict=True)
    ]


POINTS = 200_000  # maximum points of a front


class Front(NamedTuple):
    """Undominated points, with the signs of costs chosen so that less is better, and links to rebuild their networks.

    costs       two per point
    before      fronts before the last unit
    source      index of each point's front in `before`
    place       index of its point in that front
    structure   index of the structure of its last unit
    setting     index of the setting in that structure
    structures  structures of the last unit; None if fronts of one unit were merged
    """

    costs: Any
    before: list[Front]
    source: Any
    place: Any
    structure: Any
    setting: Any
    structures: Any = None


class Sides(NamedTuple):
    """Direction of both metrics: `turned` is 1 if less is better, else -1; `limits` are the limits on sums, or None.

    If less is better, points within a limit are never dominated by points beyond it. If more is better they may be: the
    best point for every value of that metric is kept, and the limits are applied at the end.
    """

    turned: tuple[int, int]
    limits: tuple[int | None, int | None] = (None, None)

    @property
    def binding(self) -> list[int]:
        """Metrics with a limit of which more is better."""
        return [at for at in (0, 1) if self.turned[at] < 0 and self.limits[at] is not None]

    def kept(self, costs: Any) -> Any:
        """Indices of the points that may be part of the final front."""
        binding = self.binding
        if not binding or not len(costs):
            return undominated(costs)
        if len(binding) == 2:
            return np.unique(costs, axis=0, return_index=True)[1]
        key, other = costs[:, binding[0]], costs[:, 1 - binding[0]]
        order = np.lexsort((other, key))
        return order[np.concatenate([[True], key[order][1:] != key[order][:-1]])]

    def within(self, costs: Any) -> Any:
        """Whether points are within the limits."""
        found = np.ones(len(costs), dtype=bool)
        for at, (sign, most) in enumerate(zip(self.turned, self.limits, strict=True)):
            if most is not None:
                found &= sign * costs[:, at] <= most
        return found


def front(space: Decomposed, sides: Sides) -> list[Design]:
    """Networks on the front of the first two metrics of a space."""
    ends = [(setting, _of(space, setting, sides)) for setting in space.settings]
    parts = [one.costs for _, one in ends] or [np.zeros((0, 2), dtype=np.int64)]
    owner = np.repeat(np.arange(len(parts)), [len(one) for one in parts])
    place = np.concatenate([np.arange(len(one)) for one in parts])
    costs = np.concatenate(parts)
    within = np.flatnonzero(sides.within(costs))
    kept = within[undominated(costs[within])]
    if len(kept) > POINTS:
        raise _too_many(len(kept), POINTS)
    return [_design(space, *ends[int(owner[at])], int(place[at])) for at in kept]


def undominated(costs: Any) -> Any:
    """Indices of the undominated points; of equal points, one is kept."""
    order = np.lexsort((costs[:, 1], costs[:, 0]))
    second = costs[order, 1]
    best = np.minimum.accumulate(second)
    return order[np.concatenate([[True], second[1:] < best[:-1]])] if len(order) else order


def _too_many(count: int, most: int) -> OptionError:
    message = f"the front has {count:,} intermediate points: the limit is {most:,}"
    return OptionError(Problem("limit", message, help="set some of the variables"))


def _of(space: Decomposed, setting: Setting, sides: Sides) -> Front:
    """Front of one setting of the shared choices."""
    start = [0 if fold is sum else -sign * 2**62 for fold, sign in zip(space.folds[:2], sides.turned, strict=True)]
    none = np.zeros(1, dtype=np.int64)
    so_far = Front(np.array([start]), [], none, none, none, none)
    for stretch in setting.stretches:
        states: Mapping[Shape, Front] = {next(iter(stretch.layers[0].states)): so_far}
        for layer in stretch.layers:
            after: dict[Shape, list[Front]] = {}
            for shape, one in states.items():
                for leaving, unit in _of_unit(space, layer.unit, shape, setting.given, sides).items():
                    after.setdefault(leaving, []).append(_after(one, unit, space.folds[:2], sides))
            states = {leaving: _merged(several, sides) for leaving, several in after.items()}
        so_far = _merged([states[shape] for shape in stretch.states], sides)
    return so_far


def _of_unit(space: Decomposed, unit: Any, shape: Any, given: Any, sides: Sides) -> dict[Any, Front]:
    """Front of a single unit, by the shape that leaves it."""
    found: dict[Any, list[Any]] = {}
    structures = space.designs.structures(unit, shape, given)[1]
    for number, one in enumerate(structures):
        shapes, at = np.unique(one.leaves, axis=0, return_inverse=True)
        for which, leaving in enumerate(shapes):
            here = np.flatnonzero(at.ravel() == which)
            costs = one.each[:2, here].T * np.array(sides.turned)
            kept = sides.kept(costs)
            part = costs[kept], np.full(len(kept), number), here[kept]
            found.setdefault(tuple(leaving.tolist()), []).append(part)
    fronts = {}
    for leaving, parts in found.items():
        costs, structure, setting = (np.concatenate(column) for column in zip(*parts, strict=True))
        kept = sides.kept(costs)
        none = np.zeros(len(kept), dtype=np.int64)
        fronts[leaving] = Front(costs[kept], [], none, none, structure[kept], setting[kept], structures)
    return fronts


def _after(a: Front, unit: Front, folds: Any, sides: Sides) -> Front:
    """Front of a unit combined with the front before it."""
    pairs = len(a.costs) * len(unit.costs)
    most = PAIRS if sides.binding else 10 * PAIRS
    if pairs > most:
        raise _too_many(pairs, most)
    columns = []
    for number, (fold, sign) in enumerate(zip(folds, sides.turned, strict=True)):
        combine = np.add if fold is sum else np.maximum if sign > 0 else np.minimum
        columns.append(combine.outer(a.costs[:, number], unit.costs[:, number]).ravel())
    costs = np.stack(columns, axis=1)
    kept = sides.kept(costs)
    place, own = np.divmod(kept, len(unit.costs))
    zero = np.zeros(len(kept), dtype=np.int64)
    return Front(costs[kept], [a], zero, place, unit.structure[own], unit.setting[own], unit.structures)


def _merged(parts: list[Front], sides: Sides) -> Front:
    """Merge alternative fronts into one."""
    if len(parts) == 1:
        return parts[0]
    costs = np.concatenate([one.costs for one in parts])
    kept = sides.kept(costs)
    source = np.repeat(np.arange(len(parts)), [len(one.costs) for one in parts])[kept]
    place = np.concatenate([np.arange(len(one.costs)) for one in parts])[kept]
    return Front(costs[kept], parts, source, place, source, source)


def _design(space: Decomposed, setting: Setting, end: Front, at: int) -> Design:
    """Network of a point, traced back from its last unit to its first."""
    choices: dict[str, Any] = dict(setting.given)
    rows: list[list[int]] = []
    while end.before:
        if end.structures is not None:
            one, own = end.structures[int(end.structure[at])], int(end.setting[at])
            choices |= space.designs.chosen(one, own)
            rows.append(one.each[:, own].tolist())
        end, at = end.before[int(end.source[at])], int(end.place[at])
    return space.design(choices, rows)


RARE = 1000
MOST = 500_000  # maximum networks drawn at once


def drawn_costs(space: Decomposed, count: int, generator: Generator) -> Any:
    """Metrics of `count` networks drawn uniformly from all: one row per metric, one column per network."""
    costs = np.zeros((len(space.folds), count), dtype=np.int64)
    totals = [one.sums.total for one in space.settings]
    which = _chosen(totals, count, generator)
    for number, setting in enumerate(space.settings):
        at = np.flatnonzero(which == number)
        if len(at):
            costs[:, at] = _of_setting(space, setting, len(at), generator)
    return costs


def within_costs(space: Decomposed, most: int, count: int, seed: int) -> Any:
    """Metrics of `count` networks drawn uniformly from those whose first metric is at most `most`.

    If at least one in a thousand networks is within, others are rejected; else networks are drawn by index.
    """
    generator = np.random.default_rng(seed)
    base = space.within(most)
    if base * RARE < space.networks:
        numbers = random.Random(seed)
        rows = [space.drawn(most, numbers.randrange(base)).metrics for _ in range(count)]
        return np.array(rows, dtype=np.int64).T
    parts: list[Any] = []
    left = count
    while left:
        costs = drawn_costs(space, min(left * space.networks // base + 1000, MOST), generator)
        parts.append(costs[:, costs[0] <= most][:, :left])
        left -= parts[-1].shape[1]
    return np.concatenate(parts, axis=1)


def _chosen(weights: list[int], count: int, generator: Generator) -> Any:
    """Draw indices from 0 with the given weights."""
    total = sum(weights)
    return generator.choice(len(weights), size=count, p=np.array([weight / total for weight in weights]))


def _of_setting(space: Decomposed, setting: Setting, count: int, generator: Generator) -> Any:
    found = np.stack([np.full(count, 0 if fold is sum else -(2**62), dtype=np.int64) for fold in space.folds])
    for stretch in setting.stretches:
        for each in _of_stretch(space, stretch, setting, count, generator):
            _fold_in(found, each, space.folds)
    return found


def _fold_in(found: Any, each: Any, folds: list[Any]) -> None:
    for row, (more, fold) in enumerate(zip(each, folds, strict=True)):
        found[row] = found[row] + more if fold is sum else np.maximum(found[row], more)


def _of_stretch(space: Decomposed, stretch: Stretch, setting: Setting, count: int, generator: Generator) -> list[Any]:
    """Metrics of each unit of `count` networks of a stretch.

    Shapes are drawn from the end backwards, each weighted by the number of networks through it.
    """
    shapes = [*stretch.states]
    at = _chosen([stretch.states[shape].total for shape in shapes], count, generator)
    metrics = []
    for layer in reversed(stretch.layers):
        before = [*layer.states]
        each = np.zeros((len(space.folds), count), dtype=np.int64)
        came = np.zeros(count, dtype=np.int64)
        for number, shape in enumerate(shapes):
            here = np.flatnonzero(at == number)
            if len(here):
                came[here], each[:, here] = _step(space, layer, setting, shape, len(here), generator)
        metrics.append(each)
        shapes, at = before, came
    return metrics


def _step(
    space: Decomposed, layer: Layer, setting: Setting, shape: Shape, count: int, generator: Generator
) -> tuple[Any, Any]:
    """(index of the shape before a unit, metrics of the unit) of networks that leave the unit with one shape."""
    tables = [_leaving(space, layer, setting, before, shape) for before in layer.states]
    ways = [counts.total * table.shape[1] for counts, table in zip(layer.states.values(), tables, strict=True)]
    came = _chosen(ways, count, generator)
    each = np.zeros((len(space.folds), count), dtype=np.int64)
    for number, table in enumerate(tables):
        here = np.flatnonzero(came == number)
        if len(here):
            each[:, here] = table[:, generator.integers(0, table.shape[1], len(here))]
    return came, each


def _leaving(space: Decomposed, layer: Layer, setting: Setting, before: Shape, shape: Shape) -> Any:
    """Metrics of all networks of a unit that lead from one shape to another, one column each."""
    structures = space.designs.structures(layer.unit, before, setting.given)[1]
    kept = [one.each[:, (one.leaves == np.array(shape)).all(axis=1)] for one in structures]
    return np.concatenate([np.zeros((len(space.folds), 0), dtype=np.int64), *kept], axis=1)
