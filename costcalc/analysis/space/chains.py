"""The networks of a space that was taken apart: stretches of units that touch, what they cost, and each network."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...records import NamedTuple
from ...render.text import printable
from .counts import Counts, exactly
from .maxima import Maxima
from .sums import Pick, Sums, of_running
from .units import Designs, Found, Unit

if TYPE_CHECKING:
    from ...num.values import Shape


class Layer(NamedTuple):
    """A unit in a stretch: the costs so far by the shape that enters it, and what it adds from each."""

    unit: Unit
    states: Mapping[Shape, Counts]
    found: Mapping[Shape, Found]


class Stretch(NamedTuple):
    """Units that touch, up to the next shape that no choice moves, or that is one of several: the shapes at the end
    from which the network goes on, and its costs."""

    layers: tuple[Layer, ...]
    states: Mapping[Shape, Counts]
    counts: Counts


class Setting(NamedTuple):
    """The networks with one value of each shared choice, and one shape wherever a chain of widths was cut."""

    given: Mapping[str, Any]
    stretches: tuple[Stretch, ...]
    sums: Sums | Maxima


class Design(NamedTuple):
    """A network of a space: the choices that it reads, and its metrics in the order they were asked for."""

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
        """How they were counted, and which choices were tried one by one."""
        return self.method + (f"; {', '.join(map(printable, self.shared))} tried one by one" if self.shared else "")

    @property
    def networks(self) -> int:
        """How many there are. Positions that a network does not read do not make it another one."""
        return sum(one.sums.total for one in self.settings)

    @property
    def least(self) -> int:
        """The least cost."""
        return min(one.sums.base for one in self.settings)

    @property
    def most(self) -> int:
        """The largest cost."""
        return max(one.sums.most for one in self.settings)

    def within(self, limit: int) -> int:
        """How many networks cost at most a limit."""
        return sum(one.sums.within(limit) for one in self.settings)

    def drawn(self, limit: int, number: int) -> Design:
        """Number `number`, from 0, of the networks within a limit, in an order of its own."""
        return self._picked(number, lambda sums: sums.within(limit), lambda sums, own: sums.drawn(limit, own))

    def ranked(self, number: int) -> Design:
        """Number `number`, from 0, of all networks in rising order of cost."""
        cost = self.cost_at(number + 1)
        number -= self.within(cost - 1)
        return self._picked(
            number,
            lambda sums: sums.within(cost) - sums.within(cost - 1),
            lambda sums, own: sums.ranked(cost, own),
        )

    def any(self, generator: random.Random) -> Design:
        """A network, drawn uniformly from all."""
        number = generator.randrange(self.networks)

        def pick(sums: Any, own: int) -> list[Pick]:
            return [of_running(one, generator.randrange(one.total)) for one in sums.parts]

        return self._picked(number, lambda sums: sums.total, pick)

    def cost_at(self, due: int) -> int:
        """The least cost within which there are so many networks."""
        low, high = (self.least - 1, 0), (self.most, self.networks)  # (cost, networks): less than due, and enough
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
        """The network of some choices, of which the units have these metrics."""
        totals = tuple(int(fold(column)) for fold, column in zip(self.folds, zip(*rows, strict=True), strict=True))
        return Design(self.ordered(choices), totals)

    def ordered(self, choices: Mapping[str, Any]) -> dict[str, Any]:
        """Choices in the order in which the spec declares them."""
        return {name: choices[name] for name in self.designs.choices if name in choices}

    def _through(
        self, stretch: Stretch, given: Mapping[str, Any], cost: int, number: int
    ) -> tuple[dict[str, Any], list[list[int]]]:
        """(choices, metrics of each unit) of a network of a stretch, found from its end."""
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
        """(shape before, cost before, cost of the unit, number before, number in the unit) of a network's last unit."""
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
    """(the shape at the end of a network of a stretch, its number among those of that shape)."""
    for shape, counts in stretch.states.items():
        many = int(exactly(counts, cost))
        if number < many:
            return shape, number
        number -= many
    raise AssertionError("a number past the last network")


def _pairs(a: Counts, b: Counts, cost: int, fold: Any) -> list[tuple[int, int, int, int]]:
    """(cost in a, cost in b, networks in a, networks in b) of all pairs that are together `cost`."""
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
