"""A space taken apart: units one after the other, stretches of them that touch, and the networks of each.

Where what leaves a unit does not depend on the choices inside it, the units up to there are a stretch of their own.
Inside a stretch, costs are counted by the shape between two units. Choices that several units read are tried one by
one; where those are too many, and the space is small, all settings are.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import OptionError, Problem, SpecError, listed
from ...model.inputs import input_shape
from ...model.network import Step
from ...model.variables import settle
from .counts import NOTHING, Counts, Tell, combined, exactly, merged
from .maxima import Maxima
from .sums import Pick, Sums, of_running
from .units import MOST, Designs, Found, Joined, every, needs_more, units

if TYPE_CHECKING:
    from ...num.values import Shape

SHARED = 10_000  # settings of choices that several units read
CONVOLUTION = "a convolution of independent parts"
WIDTHS = "a dynamic programme over widths"
ENUMERATION = "enumeration of all settings"


class Layer(NamedTuple):
    """A unit in a stretch: the costs so far by the shape that enters it, and what it adds from each."""

    unit: tuple[Step, ...]
    states: Mapping[Shape, Counts]
    found: Mapping[Shape, Found]


class Stretch(NamedTuple):
    """Units that touch, up to the next shape that no choice moves: its shapes at the end, and its costs."""

    layers: tuple[Layer, ...]
    states: Mapping[Shape, Counts]
    counts: Counts


class Setting(NamedTuple):
    """The space with the shared choices set to one value each."""

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
        return Design(dict(sorted(choices.items(), key=lambda pair: self._place(pair[0]))), totals)

    def _place(self, name: str) -> int:
        return list(self.designs.choices).index(name)

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


class Counter:
    """Finds the units of a space and counts them. Sums of the same parts that are `known` are not made again."""

    def __init__(self, designs: Designs, tell: Tell | None = None, known: Iterable[Sums | Maxima] = ()) -> None:
        self.designs, self.tell, self.method, self.known = designs, tell, CONVOLUTION, list(known)
        self.fold = designs.counting.metrics[0].fold
        self.units: list[tuple[Step, ...]] = [(step,) for step in units(designs.model.steps)]

    def decomposed(self) -> Decomposed:
        """Count. A choice that turns out to be shared starts anew with it tried one by one. Raises OptionError."""
        designs = self.designs
        shared = designs.of_inputs()
        self._check(shared, False)
        while True:
            settings: list[Setting] = []
            for given in every(designs.choices, shared):
                stretches, more = self._chain(given)
                if more:
                    break
                if stretches is not None:
                    settings.append(Setting(given, tuple(stretches), self._folded(stretches)))
            else:
                return Decomposed(designs, shared, self.method, settings)
            shared = shared + sorted(more)
            if self._check(shared, len(self.units) > 1):
                shared = designs.of_inputs()

    def _folded(self, stretches: list[Stretch]) -> Sums | Maxima:
        parts = [one.counts for one in stretches]
        for one in self.known:
            if isinstance(one, Sums) and self.fold is sum and one.has(parts):
                return one
        return Sums(parts, self.tell) if self.fold is sum else Maxima(parts)

    def _check(self, shared: list[str], whole: bool) -> bool:
        """Whether all settings are tried instead, if the network as a `whole` may be: there are few enough of them."""
        count = math.prod(len(self.designs.choices[name]) for name in shared)
        every_one = math.prod(len(values) for values in self.designs.choices.values())
        if count <= SHARED:
            return False
        if every_one <= MOST and whole:
            self.units, self.method = [tuple(step for unit in self.units for step in unit)], ENUMERATION
            return True
        message = f"the space does not decompose: {listed(shared[:8])} reach several parts of the network"
        help = f"their {count:,} settings are past {SHARED:,}; set some; or `--estimate N`"
        raise OptionError(Problem("limit", message, help=help))

    def _chain(self, given: Mapping[str, Any]) -> tuple[list[Stretch] | None, set[str]]:
        """The independent stretches, None if no network is within the limits; choices that several units read."""
        model, at = self.designs.model, 0
        values = settle(model, {**self.designs.settings, **given})
        ((name, one),) = model.inputs.items()
        states: Mapping[Shape, Counts] = {tuple(input_shape(name, one, values, model.variables)): NOTHING}
        layers: list[Layer] = []
        stretches: list[Stretch] = []
        seen: set[str] = set()
        while at < len(self.units):
            self.designs.first = self.units[0]
            try:
                layer, states, reads = self._after(self.units[at], states, given)
            except (SpecError, Joined) as error:
                if not at or (isinstance(error, SpecError) and not needs_more(error)):
                    raise
                self.units[at - 1 : at + 1] = [self.units[at - 1] + self.units[at]]
                return self._chain(given)
            if reads & seen:
                return [], reads & seen
            seen, at = seen | reads, at + 1
            layers.append(layer)
            if not states:
                return None, set()
            if len(states) > 1 and self.method == CONVOLUTION:
                self.method = WIDTHS
            if len(states) == 1 or at == len(self.units):
                stretches.append(Stretch(tuple(layers), states, merged(list(states.values()))))
                layers, states = [], {next(iter(states)): NOTHING}
        return stretches, set()

    def _after(
        self, unit: tuple[Step, ...], states: Mapping[Shape, Counts], given: Mapping[str, Any]
    ) -> tuple[Layer, dict[Shape, Counts], set[str]]:
        """(the layer of a unit, the states after it, the choices it reads): states are costs by the shape."""
        after: dict[Shape, list[Counts]] = {}
        found = {shape: self.designs.found(unit, shape, given) for shape in states}
        for shape, counts in states.items():
            for leaving, part in found[shape].by_shape.items():
                after.setdefault(leaving, []).append(part if counts is NOTHING else combined(counts, part, self.fold))
        reads = {name for one in found.values() for name in one.reads}
        return Layer(unit, states, found), {leaving: merged(several) for leaving, several in after.items()}, reads
