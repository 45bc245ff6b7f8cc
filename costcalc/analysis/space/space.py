"""Spaces of designs: how many networks there are, what they cost, and how many are within limits, exactly.

A space is a spec whose variables have `choices`. No network is sampled. If the output shape of each unit is independent
of its choices, costs are sums over units and their histogram is a convolution. If widths couple neighbouring units, a
dynamic programme over the shapes between them gives the histogram. Choices that several units read are enumerated.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ...errors import OptionError, Problem, listed
from ...metrics.conventions import Prices
from ...metrics.metrics import Metric, metric, totals
from ...metrics.walk import Walk
from ...model.network import Model
from ...model.storage import DEFAULT
from ...model.trace import trace
from ...model.variables import settle
from ...quantities import RATIO
from ...read.anything import Network, load
from ...render import Result
from ..fit.fit import most_of
from .chains import Decomposed, Design
from .counter import Counter
from .counts import Tell, Undecomposed
from .sums import Sums, within_both
from .units import Counting, Designs

if TYPE_CHECKING:
    from .page import SpacePage

Limits = Mapping[str, Any]  # metric -> limit, such as "300M"
TRIES = 10_000  # draws for each network that fits
CHECKED = 4  # networks that are also counted as a whole
TRAINING = ("backward_mult_adds", "training_mult_adds", "saved_bytes", "training_bytes")  # not local to a layer


class Space(Result):
    """All networks of a space, counted by one metric."""

    def __init__(self, model: Model, of: str, prices: Prices, given: Mapping[str, Any], tell: Tell | None) -> None:
        self.model, self.given, self.prices, self.tell = model, given, prices, tell
        self.metric = counted_by(model, of, prices)
        self.choices = open_choices(model, given)
        self._found: dict[Any, Decomposed] = {}
        self.decomposed = self._decomposed([self.metric], {})

    def page(self) -> SpacePage:
        """Output of `costcalc space`."""
        from .page import SpacePage

        return SpacePage(self)

    @property
    def shared(self) -> tuple[str, ...]:
        """Choices that several units read; they were enumerated."""
        return self.decomposed.shared

    @property
    def method(self) -> str:
        """Counting method."""
        return self.decomposed.method

    def other_ways(self) -> dict[tuple[str, ...], str]:
        """Counting methods for other metrics, or for limits on them, where they differ."""
        counted = [way for way in self._found.values() if way.settings]  # nothing is counted if no network fits
        methods = {tuple(one.name for one in way.designs.counting.metrics): way.how for way in counted}
        return {names: how for names, how in methods.items() if how != self.decomposed.how}

    @property
    def networks(self) -> int:
        """Number of networks. Choices that a network does not read do not make it a different network."""
        return self.decomposed.networks

    @property
    def least(self) -> int:
        """Cost of the cheapest network."""
        return self.decomposed.least

    @property
    def most(self) -> int:
        """Cost of the most expensive network."""
        return self.decomposed.most

    def within(self, limit: str | int) -> int:
        """Number of networks that cost at most a limit, such as "300M"."""
        return self.within_count(int(most_of(self.metric.name, limit)))

    def within_count(self, most: int) -> int:
        """Number of networks that cost at most `most`."""
        return self.decomposed.within(most)

    def fitting(self, limits: Limits) -> int:
        """Number of networks within all limits: {"mult_adds": "300M", "params": "5M"}.

        In a space that decomposes, limits may be on one metric that adds up and on any number of maxima. Limits on two
        metrics that add up require few pairs of costs. Raises OptionError for other limits.
        """
        sums, tops = self._sorted(limits)
        if not sums:
            found = self._decomposed([self.metric], tops)
            return found.networks if self.metric.fold is sum or not tops else self._within_tops(tops)
        if len(sums) == 1:
            ((name, most),) = sums.items()
            return self._decomposed([self._metric(name)], tops).within(most)
        if len(sums) == 2:
            return self._within_both(sums, tops)
        message = f"{listed(sums)} at once cannot be counted exactly"
        raise Undecomposed(Problem("limit", message, help="limit two of them"))

    def histogram(self, bars: int = 12) -> list[tuple[int, int, int]]:
        """(more than, at most, networks) of intervals of equal width between the lowest and the highest cost."""
        width = max(-(-(self.most - self.least + 1) // bars), 1)
        edges = [min(self.least - 1 + width * at, self.most) for at in range(bars + 1)]
        counts = [0, *map(self.within_count, edges[1:])]
        return [
            (start, end, counts[at + 1] - counts[at]) for at, (start, end) in enumerate(pairwise(edges)) if end > start
        ]

    def quantile(self, share: float) -> int:
        """Lowest cost that a share of the networks, from 0 to 1, does not exceed."""
        return self.decomposed.cost_at(max(-(-round(share * 10**6) * self.networks // 10**6), 1))

    def nth(self, number: int, limits: Limits | None = None) -> dict[str, Any]:
        """Choices and metrics of network `number`, from 1, by ascending cost among the networks within limits.

        Networks of equal cost have a fixed order. Raises OptionError for a number past the last network, and for limits
        on another metric that adds up.
        """
        space, most, others = self.under(limits or {})
        if [one for one in others if self._metric(one).fold is sum]:
            message = f"networks are numbered by {self.metric.name}: a limit on {listed(others)} cannot be applied too"
            raise OptionError(Problem("limit", message, help=f"limit {self.metric.name} and memory, or use --samples"))
        many = space.networks if most is None else space.within(most)
        if not 1 <= number <= many:
            raise OptionError(Problem("bad-value", f"there is no network {number:,}: {many:,} are within the limits"))
        return self._named(space, space.ranked(number - 1))

    def samples(self, count: int, limits: Limits | None = None, seed: int = 0) -> Iterator[dict[str, Any]]:
        """Draw networks uniformly from those within limits; the same seed gives the same networks.

        Each has its choices and the metrics of the limits. A network may be drawn twice. Networks beyond a limit on a
        second metric that adds up are redrawn. Raises OptionError if no network fits, or too few.
        """
        space, most, others = self.under(limits or {})
        most = space.most if most is None and space.settings else most or 0
        many = space.within(most) if space.settings else 0
        if not many:
            raise no_networks()
        generator = random.Random(seed)
        for _ in range(count):
            for _ in range(TRIES):
                found = self._named(space, space.drawn(most, generator.randrange(many)))
                if all(found["metrics"][name] <= limit for name, limit in others.items()):
                    break
            else:
                message = f"of {TRIES:,} networks drawn, none is within the limits on {listed(others)}"
                raise OptionError(Problem("limit", message, help="loosen the limits"))
            yield found

    def front(self, other: str, most: Sequence[str] = (), limits: Limits | None = None) -> list[dict[str, Any]]:
        """Exact Pareto front of the metric and another one: the networks that no other network beats in both.

        Less is better, except for the metrics in `most`. Of networks with equal costs, one is listed. With limits, only
        the networks within them count. Raises OptionError if there are none, and for a limit on a third metric that
        adds up.
        """
        from .chains import Sides, front

        metrics = list({one.name: one for one in (self.metric, self._metric(other))}.values())
        if len(metrics) < 2:
            message = f"a front needs two metrics: `{other}` and another one"
            raise OptionError(Problem("usage", message, help=f"count the space by another metric than `{other}`"))
        sums, tops = self._sorted(limits or {})
        names = [one.name for one in metrics]
        if third := [name for name in sums if name not in names]:
            message = f"the front is of {listed(names)}: a limit on {listed(third)} cannot be applied too"
            raise OptionError(Problem("limit", message, help="limit these two and memory"))
        space = self._decomposed(metrics, tops)
        turned = [-1 if name in most else 1 for name in names]
        found = front(space, Sides((turned[0], turned[1]), (sums.get(names[0]), sums.get(names[1]))))
        if not found:
            raise no_networks()
        return [self._named(space, one) for one in found]

    def under(self, limits: Limits) -> tuple[Decomposed, int | None, dict[str, int]]:
        """(networks within the limits on maxima, limit on the metric or None, remaining limits)."""
        sums, tops = self._sorted(limits)
        most = self.limits_of(limits).get(self.metric.name)
        filters = {name: limit for name, limit in tops.items() if name != self.metric.name}
        others = {name: limit for name, limit in sums.items() if name != self.metric.name}
        metrics = [self.metric, *map(self._metric, others)]
        return self._decomposed(metrics, filters), most, others

    def _metric(self, name: str) -> Metric:
        return self.metric if name == self.metric.name else counted_by(self.model, name, self.prices)

    def limits_of(self, limits: Limits) -> dict[str, int]:
        """Limits as integers."""
        return {name: int(most_of(name, limit)) for name, limit in limits.items()}

    def _sorted(self, limits: Limits) -> tuple[dict[str, int], dict[str, int]]:
        """(limits on metrics that add up, limits on maxima)."""
        found = self.limits_of(limits)
        tops = {name: most for name, most in found.items() if self._metric(name).fold is not sum}
        return {name: most for name, most in found.items() if name not in tops}, tops

    def _within_tops(self, tops: Mapping[str, int]) -> int:
        others = {name: most for name, most in tops.items() if name != self.metric.name}
        return self._decomposed([self.metric], others).within(tops[self.metric.name])

    def _within_both(self, sums: Mapping[str, int], tops: Mapping[str, int]) -> int:
        first, second = (self._metric(name) for name in sums)
        radix = max(one.sums.most for one in self._decomposed([second], {}).settings) + 1
        if radix * (self._decomposed([first], {}).most + 1) >= 2**62:
            raise OptionError(Problem("limit", f"{listed(sums)} at once are too large to count exactly"))
        found = self._decomposed([first, second], tops, radix)
        limits = (sums[first.name], sums[second.name])
        return sum(within_both(one.sums, radix, limits) for one in found.settings if isinstance(one.sums, Sums))

    def _decomposed(self, metrics: list[Metric], tops: Mapping[str, int], radix: int = 0) -> Decomposed:
        """Networks within limits on maxima, counted by the first metric."""
        metrics = [*metrics, *(self._metric(name) for name in tops if name not in [one.name for one in metrics])]
        names = [one.name for one in metrics]
        key = (*names, *tops.items(), radix)
        if key not in self._found:
            counting = Counting(tuple(metrics), {names.index(name): most for name, most in tops.items()}, radix)
            designs = Designs(self.model, self.choices, self.given, counting, self.tell)
            known = [each.sums for one in self._found.values() for each in one.settings]
            found = Counter(designs, self.tell, known).decomposed()
            check_whole(self.model, self.given, found)
            self._found[key] = found
        return self._found[key]

    def _named(self, space: Decomposed, design: Design) -> dict[str, Any]:
        names = [one.name for one in space.designs.counting.metrics]
        return {"choices": dict(design.choices), "metrics": dict(zip(names, design.metrics, strict=True))}


def check_whole(model: Model, given: Mapping[str, Any], space: Decomposed) -> None:
    """Check a few networks by counting them as a whole. Raises OptionError if the results differ."""
    generator = random.Random(0)
    metrics = space.designs.counting.metrics
    for _ in range(CHECKED if space.networks else 0):
        one = space.any(generator)
        values = settle(model, {**given, **one.choices})
        whole = totals(Walk(model, trace(model, values), values), metrics)
        wrong = [name for name, cost in zip(whole, one.metrics, strict=True) if whole[name] != cost]
        if wrong:
            message = f"the space does not decompose by {listed(wrong)}: its parts do not combine to the whole"
            raise Undecomposed(Problem("limit", message))


def check_limits(model: Model, limits: Limits, prices: Prices) -> None:
    """Raise OptionError for an impossible limit, before networks are counted."""
    for name, limit in limits.items():
        counted_by(model, name, prices)
        most_of(name, limit)


def no_networks() -> OptionError:
    """Error if no network is within the limits."""
    return OptionError(Problem("no-points", "no network is within the limits"))


def counted_by(model: Model, name: str, prices: Prices) -> Metric:
    """A metric by which networks can be counted. Raises OptionError for others."""
    counted = metric(name, prices)
    whole = counted.stored and counted.fold is sum
    if counted.unit is RATIO or whole or name.rpartition(".")[2] in TRAINING:
        message = f"`{name}` is neither a sum nor a maximum over layers: a space cannot be counted by it"
        raise OptionError(Problem("not-by-layer", message, help="like mult_adds, params, weights_bytes, peak_bytes"))
    if (counted.stored or counted.name.endswith("bytes")) and model.storage != DEFAULT:
        message = f"`{name}` of a space can only be counted with tensors stored {DEFAULT.text}"
        raise OptionError(Problem("limit", message))
    return counted


def space(
    spec: Network,
    *,
    of: str = "mult_adds",
    convention: Prices = "paper",
    settings: Mapping[str, Any] | None = None,
    tell: Tell | None = None,
    **given: Any,
) -> Space:
    """Count every network of a space of designs by the metric `of`.

    spec   what `costcalc.load` takes; its variables with `choices` are the space
    of     a metric that is a sum over layers (mult_adds, params, weights_bytes, ..) or their maximum (peak_bytes)
    given  fixed variables: space("ofa_mobilenet_v3", res=160); or as a mapping in `settings`
    tell   called with (steps done since the last call, steps of the current part); with 0 when a part begins

    Counts are exact integers. Raises CostcalcError, also if the space does not decompose.
    """
    model = load(spec)
    if len(model.inputs) != 1:
        raise OptionError(Problem("several-inputs", f"a space needs one input: {model.name} has several"))
    return Space(model, of, convention, {**(settings or {}), **given}, tell)


def open_choices(model: Model, given: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Variables that form the space: those with choices and no value in `given`, each position separately."""
    settle(model, given)
    choices = {
        name: one.choices
        for name, one in model.variables.items()
        if len(one.choices) > 1 and not one.each and name not in given and name.partition("[")[0] not in given
    }
    if choices:
        return choices
    help = "give a variable `choices: [3, 5, 7]`, and `each: 4` for a choice at each of 4 positions"
    raise OptionError(Problem("no-choices", f"{model.name} has no unset variable with choices", help=help))
