"""Spaces of designs: how many networks there are, what they cost, and how many stay within limits, exactly.

A space is a spec whose variables have `choices`. No network is sampled: where what leaves a unit does not depend on the
choices inside it, costs are sums over units and their histogram a convolution; where widths couple neighbours, a
dynamic programme over the shape between them gives the same; choices that several units read are tried one by one.
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
TRIES = 10_000  # networks that are drawn for each one that fits
CHECKED = 4  # networks that are counted as a whole, too
TRAINING = ("backward_mult_adds", "training_mult_adds", "saved_bytes", "training_bytes")  # they look past a layer


class Space(Result):
    """Every network of a space, by one metric."""

    def __init__(self, model: Model, of: str, prices: Prices, given: Mapping[str, Any], tell: Tell | None) -> None:
        self.model, self.given, self.prices, self.tell = model, given, prices, tell
        self.metric = counted_by(model, of, prices)
        self.choices = open_choices(model, given)
        self._found: dict[Any, Decomposed] = {}
        self.decomposed = self._decomposed([self.metric], {})

    def page(self) -> SpacePage:
        """The page that `costcalc space` prints."""
        from .page import SpacePage

        return SpacePage(self)

    @property
    def shared(self) -> tuple[str, ...]:
        """Choices that several units read: they were tried one by one."""
        return self.decomposed.shared

    @property
    def method(self) -> str:
        """How the networks were counted."""
        return self.decomposed.method

    def other_ways(self) -> dict[tuple[str, ...], str]:
        """How networks were counted by other metrics, or within limits on them, if the method differs."""
        counted = [way for way in self._found.values() if way.settings]  # where none fits, nothing was
        found = {tuple(one.name for one in way.designs.counting.metrics): way.how for way in counted}
        return {names: how for names, how in found.items() if how != self.decomposed.how}

    @property
    def networks(self) -> int:
        """How many networks there are. Choices that a network does not read do not make it a different network."""
        return self.decomposed.networks

    @property
    def least(self) -> int:
        """The cost of the cheapest network."""
        return self.decomposed.least

    @property
    def most(self) -> int:
        """The cost of the most expensive network."""
        return self.decomposed.most

    def within(self, limit: str | int) -> int:
        """How many networks cost at most a limit, such as "300M"."""
        return self.within_count(int(most_of(self.metric.name, limit)))

    def within_count(self, most: int) -> int:
        """How many networks cost at most `most`."""
        return self.decomposed.within(most)

    def fitting(self, limits: Limits) -> int:
        """How many networks stay within all limits: {"mult_adds": "300M", "params": "5M"}.

        One metric that adds up, and any number that combine by their maximum, are counted for every space that
        decomposes; two that add up where their pairs of costs are few. Raises OptionError for others.
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
        """(more than, at most, networks) of stretches of equal width from the cheapest to the most expensive."""
        width = max(-(-(self.most - self.least + 1) // bars), 1)
        edges = [min(self.least - 1 + width * at, self.most) for at in range(bars + 1)]
        counts = [0, *map(self.within_count, edges[1:])]
        return [
            (start, end, counts[at + 1] - counts[at]) for at, (start, end) in enumerate(pairwise(edges)) if end > start
        ]

    def quantile(self, share: float) -> int:
        """The least cost that a share of the networks, from 0 to 1, does not exceed."""
        return self.decomposed.cost_at(max(-(-round(share * 10**6) * self.networks // 10**6), 1))

    def nth(self, number: int, limits: Limits | None = None) -> dict[str, Any]:
        """Number `number`, from 1, of the networks within limits, in rising order of the metric: choices and metrics.

        Networks of equal cost have a fixed order. Raises OptionError for a number past the last, and where limits
        are on another metric that adds up.
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
        """Networks drawn uniformly from all that stay within limits, the same for the same seed.

        Each has its choices and the metrics of the limits. A network may be drawn twice. Limits on a second metric
        that adds up are kept by drawing again. Raises OptionError where no network fits, or too few do.
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
        """The exact Pareto front of the metric and another one: networks that no other one beats in both.

        Less is better, but of the metrics in `most`. Of networks with equal costs there is one. With limits, it is the
        front of the networks within them. Raises OptionError where no network is, and for a limit on a metric that
        adds up and is neither of the two.
        """
        from .chains import Sides, front

        metrics = list({one.name: one for one in (self.metric, self._metric(other))}.values())
        if len(metrics) < 2:
            message = f"a front has two metrics: `{other}` and another one"
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
        """(the networks within limits on maxima, the limit on the metric if there is one, limits left to look at)."""
        sums, tops = self._sorted(limits)
        most = self.limits_of(limits).get(self.metric.name)
        filters = {name: limit for name, limit in tops.items() if name != self.metric.name}
        others = {name: limit for name, limit in sums.items() if name != self.metric.name}
        metrics = [self.metric, *map(self._metric, others)]
        return self._decomposed(metrics, filters), most, others

    def _metric(self, name: str) -> Metric:
        return self.metric if name == self.metric.name else counted_by(self.model, name, self.prices)

    def limits_of(self, limits: Limits) -> dict[str, int]:
        """Limits as whole numbers."""
        return {name: int(most_of(name, limit)) for name, limit in limits.items()}

    def _sorted(self, limits: Limits) -> tuple[dict[str, int], dict[str, int]]:
        """The limits on metrics that add up, and those on maxima."""
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
        """The networks within limits on maxima, counted by the first metric."""
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
    """Count a few networks as a whole, too. Raises OptionError where their parts say something else."""
    generator = random.Random(0)
    metrics = space.designs.counting.metrics
    for _ in range(CHECKED if space.networks else 0):
        one = space.any(generator)
        values = settle(model, {**given, **one.choices})
        whole = totals(Walk(model, trace(model, values), values), metrics)
        wrong = [name for name, cost in zip(whole, one.metrics, strict=True) if whole[name] != cost]
        if wrong:
            message = f"the space does not decompose by {listed(wrong)}: parts of a network are not counted alone"
            raise Undecomposed(Problem("limit", message))


def check_limits(model: Model, limits: Limits, prices: Prices) -> None:
    """Raise OptionError for a limit that is not possible, before networks are counted."""
    for name, limit in limits.items():
        counted_by(model, name, prices)
        most_of(name, limit)


def no_networks() -> OptionError:
    """The error where all networks are past the limits."""
    return OptionError(Problem("no-points", "no network is within the limits"))


def counted_by(model: Model, name: str, prices: Prices) -> Metric:
    """A metric by which networks can be counted. Raises OptionError."""
    found = metric(name, prices)
    whole = found.stored and found.fold is sum
    if found.unit is RATIO or whole or name.rpartition(".")[2] in TRAINING:
        message = f"`{name}` is neither a sum nor a maximum over layers: a space is counted by a metric that is"
        raise OptionError(Problem("not-by-layer", message, help="like mult_adds, params, weights_bytes, peak_bytes"))
    if (found.stored or found.name.endswith("bytes")) and model.storage != DEFAULT:
        message = f"`{name}` of a space is counted with tensors stored {DEFAULT.text}"
        raise OptionError(Problem("limit", message))
    return found


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
    of     a metric that adds up over layers (mult_adds, params, weights_bytes, ..) or is their largest (peak_bytes)
    given  variables that are set: space("ofa_mobilenet_v3", res=160); `settings` in a mapping
    tell   called with (how many steps more of a part are done, how many it has); with 0 when one begins

    Counts are exact whole numbers. Raises CostcalcError: also where the space does not decompose.
    """
    model = load(spec)
    if len(model.inputs) != 1:
        raise OptionError(Problem("several-inputs", f"a space needs one input: {model.name} has several"))
    return Space(model, of, convention, {**(settings or {}), **given}, tell)


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
    help = "give a variable `choices: [3, 5, 7]`, and `each: 4` for a choice at each of 4 positions"
    raise OptionError(Problem("no-choices", f"{model.name} has no variable with choices that is not set", help=help))
