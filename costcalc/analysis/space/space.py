"""Spaces of designs: how many networks there are, what they cost, and how many stay within a limit, exactly.

A space is a spec whose variables have `choices`. No network is sampled: where what leaves a unit does not depend on the
choices inside it, costs are sums over units and their histogram a convolution; where widths couple neighbours, a
dynamic programme over the shape between them gives the same; choices that several units read are tried one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import OptionError, Problem, SpecError, listed
from ...metrics.conventions import Prices
from ...metrics.metrics import Metric, metric
from ...model.inputs import input_shape
from ...model.network import Model, Step
from ...model.variables import settle
from ...read.anything import Network, load
from ...render.result import Result
from ..fit.fit import most_of
from .counts import ZERO, Counts, Sums, Tell, combined, merged
from .units import Designs, every, needs_more, units

if TYPE_CHECKING:
    from ...num.values import Shape
    from .page import SpacePage

SHARED = 10_000  # settings of choices that several units read


class _Counted(NamedTuple):
    model: Model
    metric: Metric
    choices: Mapping[str, tuple[Any, ...]]
    shared: tuple[str, ...]  # choices that several units read: tried one by one
    method: str
    sums: tuple[Sums, ...]  # one a setting of the shared choices
    given: Mapping[str, Any]  # the variables that are set


class Space(Result, _Counted):
    """Every network of a space, by one metric."""

    def page(self) -> SpacePage:
        """The page that `costcalc space` prints."""
        from .page import SpacePage

        return SpacePage(self, {})

    @property
    def networks(self) -> int:
        """How many networks there are. Positions that a network does not read do not make it another one."""
        return sum(one.total for one in self.sums)

    @property
    def least(self) -> int:
        """The cost of the cheapest network."""
        return min(one.base for one in self.sums)

    @property
    def most(self) -> int:
        """The cost of the dearest network."""
        return max(one.most for one in self.sums)

    def within(self, limit: str | int) -> int:
        """How many networks cost at most a limit, such as "300M"."""
        return self.within_count(int(most_of(self.metric.name, limit)))

    def within_count(self, most: int) -> int:
        """How many networks cost at most `most`."""
        return sum(one.within(most) for one in self.sums)

    def histogram(self, bars: int = 12) -> list[tuple[int, int, int]]:
        """(more than, at most, networks) of stretches of equal width from the cheapest to the dearest network."""
        width = max(-(-(self.most - self.least + 1) // bars), 1)
        edges = [min(self.least - 1 + width * at, self.most) for at in range(bars + 1)]
        counts = [0, *map(self.within_count, edges[1:])]
        return [
            (start, end, counts[at + 1] - counts[at]) for at, (start, end) in enumerate(pairwise(edges)) if end > start
        ]

    def quantile(self, share: float) -> int:
        """The least cost that a share of the networks, 0 to 1, stays within."""
        due = max(-(-round(share * 10**6) * self.networks // 10**6), 1)
        low, high = (self.least - 1, 0), (self.most, self.networks)  # (cost, networks within it): less than due, enough
        turn = 0
        while high[0] - low[0] > 1:
            between = (due - low[1]) * (high[0] - low[0]) // max(high[1] - low[1], 1) if turn % 3 else 0
            at = low[0] + between if 0 < between < high[0] - low[0] else (low[0] + high[0]) // 2
            count, turn = self.within_count(at), turn + 1
            low, high = (low, (at, count)) if count >= due else ((at, count), high)
        return high[0]


def space(
    spec: Network,
    *,
    of: str = "mult_adds",
    convention: Prices = "paper",
    settings: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
    **given: Any,
) -> Space:
    """Every network of a space of designs, by the metric `of`.

    spec   what `costcalc.load` takes; its variables with `choices` are the space
    of     a metric that adds up over layers: mult_adds, params, activations, ..
    given  variables that are set: space("ofa_mobilenet_v3", res=160); `settings` in a mapping
    tell   called while costs are added up, with how many additions are done

    Counts are exact whole numbers. Raises CostcalcError: also where the space does not decompose.
    """
    model = load(spec)
    wanted = metric(of, convention)
    if wanted.fold is not sum or wanted.stored:
        message = f"`{of}` does not add up over layers: a space is counted by a metric that does, such as mult_adds"
        raise OptionError(Problem("not-by-layer", message))
    if len(model.inputs) != 1:
        raise OptionError(Problem("several-inputs", f"{model.name} has several inputs: a space has one"))
    given = {**(settings or {}), **given}
    choices = open_choices(model, given)
    return _Counter(Designs(model, choices, given, wanted), tell).space()


def open_choices(model: Model, given: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The variables that make the space: those with choices that are not set, each position by itself."""
    settle(model, given)
    found = {
        name: one.choices
        for name, one in model.variables.items()
        if len(one.choices) > 1 and not one.each and name not in given and name.partition("[")[0] not in given
    }
    if found:
        return found
    help = "give a variable `choices: [3, 5, 7]`, and `each: 4` for one by position"
    raise OptionError(Problem("no-choices", f"{model.name} has no variable with choices that is not set", help=help))


class _Counter:
    """Finds the units of a space and counts them."""

    def __init__(self, designs: Designs, tell: Tell | None) -> None:
        self.designs, self.tell, self.couples = designs, tell, False
        self.units: list[tuple[Step, ...]] = [(step,) for step in units(designs.model.steps)]

    def space(self) -> Space:
        """Count; a choice that turns out to be shared starts anew with it tried one by one."""
        designs = self.designs
        shared = designs.of_inputs()
        self._check(shared)
        while True:
            sums = []
            for given in every(designs.choices, shared):
                parts, more = self._chain(given)
                if more:
                    break
                sums.append(Sums(parts, self.tell))
            else:
                method = "a dynamic programme over widths" if self.couples else "a convolution of independent parts"
                return Space(
                    designs.model, designs.metric, designs.choices, tuple(shared), method, tuple(sums), designs.settings
                )
            shared += sorted(more)
            self._check(shared)

    def _check(self, shared: list[str]) -> None:
        count = 1
        for name in shared:
            count *= len(self.designs.choices[name])
        if count > SHARED:
            message = f"the space does not decompose: {listed(shared[:8])} reach several parts of the network"
            help = f"their {count:,} settings are past {SHARED:,}; set some, or sample: costcalc sweep --sample N"
            raise OptionError(Problem("limit", message, help=help))

    def _chain(self, given: Mapping[str, Any]) -> tuple[list[Counts], set[str]]:
        """The histograms of independent stretches; and choices that several units read, where there are any."""
        model, at = self.designs.model, 0
        values = settle(model, {**self.designs.settings, **given})
        ((name, one),) = model.inputs.items()
        states: dict[Shape, Counts] = {tuple(input_shape(name, one, values, model.variables)): ZERO}
        parts: list[Counts] = []
        seen: set[str] = set()
        while at < len(self.units):
            try:
                after, reads = self._after(self.units[at], states, given)
            except SpecError as error:
                if not at or not needs_more(error):
                    raise
                self.units[at - 1 : at + 1] = [self.units[at - 1] + self.units[at]]
                return self._chain(given)
            if reads & seen:
                return [], reads & seen
            seen, at = seen | reads, at + 1
            if len(after) == 1:
                ((shape, counts),) = after.items()
                parts.append(counts)
                states = {shape: ZERO}
            else:
                self.couples, states = True, after
        return [*parts, *([merged(list(states.values()))] if len(states) > 1 else [])], set()

    def _after(
        self, unit: tuple[Step, ...], states: Mapping[Shape, Counts], given: Mapping[str, Any]
    ) -> tuple[dict[Shape, Counts], set[str]]:
        """The states after a unit: by the shape that leaves it, the costs so far."""
        after: dict[Shape, list[Counts]] = {}
        reads: set[str] = set()
        for shape, counts in states.items():
            found = self.designs.found(unit, shape, given)
            reads |= found.reads
            for leaving, part in found.by_shape.items():
                after.setdefault(leaving, []).append(part if counts is ZERO else combined(counts, part))
        return {leaving: merged(several) for leaving, several in after.items()}, reads
