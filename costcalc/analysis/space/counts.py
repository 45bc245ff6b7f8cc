"""Exact counts of costs: histograms with integer weights, and their combinations.

Costs of parts of a network are combined by sum or by maximum (peak memory): `fold` is `sum` or `max`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import OptionError, Problem
from ...records import NamedTuple

Fold = Callable[..., Any]  # sum or max
Tell = Callable[[int, int], None]  # called with the number of steps done and their total; first with 0
PAIRS = 4_000_000  # maximum pairs of values combined directly
DENSE = 2**24  # maximum steps of a table in which two histograms are combined
WHOLE = 2**62  # bound of weights, so that the sum of two fits 64 bits


class Counts(NamedTuple):
    """Costs in ascending order, and the number of networks with each: 64-bit integers."""

    costs: Any
    weights: Any

    @property
    def total(self) -> int:
        """Number of networks."""
        return products(self.weights, np.ones(1, np.int64))


def counted(costs: Any, weights: Any = None) -> Counts:
    """Histogram of costs, which may repeat; the default weight is 1."""
    values, at = np.unique(np.asarray(costs, dtype=np.int64), return_inverse=True)
    totals = np.zeros(len(values), dtype=np.int64)
    np.add.at(totals, at.ravel(), 1 if weights is None else weights)
    return Counts(values, totals)


NOTHING = counted([0])  # the costs before the first part


def merged(parts: Sequence[Counts]) -> Counts:
    """Union of histograms of alternatives."""
    if len(parts) == 1:
        return parts[0]
    return counted(np.concatenate([one.costs for one in parts]), np.concatenate([one.weights for one in parts]))


def combined(a: Counts, b: Counts, fold: Fold = sum) -> Counts:
    """Histogram of sums or maxima. Raises OptionError if there are too many pairs."""
    if fold is sum and int(a.costs[-1]) + int(b.costs[-1]) >= WHOLE:
        raise too_large()
    many = fold is sum and len(a.costs) * len(b.costs) > 10 * PAIRS
    if many or a.total * b.total > WHOLE:
        raise too_many()
    return _summed(a, b) if fold is sum else _largest(a, b)


class Undecomposed(OptionError):
    """A space whose networks cannot be counted exactly, but can be sampled."""


def too_large(why: str = "a cost is past the limit of 2^62") -> OptionError:
    """Error for costs that do not fit 64 bits."""
    return OptionError(
        Problem("limit", f"a network of the space is too large: {why}", help="set some of the variables")
    )


def too_many() -> Undecomposed:
    """Error for parts of a network whose costs cannot be combined."""
    message = "the space does not decompose: parts that touch each other have too many costs to combine"
    return Undecomposed(Problem("limit", message, help="set some of the variables"))


def most_sums(a: Counts, b: Counts, step: int) -> int:
    """Upper bound of the number of sums of two histograms in steps; their pairs if these are too many."""
    pairs = len(a.costs) * len(b.costs)
    if pairs > 10 * PAIRS:
        return pairs
    return min(pairs, int(a.costs[-1] - a.costs[0] + b.costs[-1] - b.costs[0]) // step + 1)


def _summed(a: Counts, b: Counts) -> Counts:
    """Histogram of sums: in a dense table if it is short, else by sorting all pairs."""
    few, many = sorted((a, b), key=lambda one: len(one.costs))
    base, most = int(few.costs[0] + many.costs[0]), int(few.costs[-1] + many.costs[-1])
    step = step_of([few, many])
    steps = (most - base) // step + 1
    if steps > min(DENSE, max(32 * len(a.costs) * len(b.costs), 1024)):
        sums, weights = np.add.outer(a.costs, b.costs).ravel(), np.multiply.outer(a.weights, b.weights).ravel()
        return counted(sums, weights)
    table = np.zeros(steps, dtype=np.int64)
    places = (many.costs - many.costs[0]) // step
    for cost, weight in zip(((few.costs - few.costs[0]) // step).tolist(), few.weights.tolist(), strict=True):
        table[places + cost] += many.weights * weight
    held = np.flatnonzero(table)
    return Counts(base + step * held, table[held])


def _largest(a: Counts, b: Counts) -> Counts:
    """Histogram of maxima: the number of pairs at most a cost is a product."""
    costs = np.union1d(a.costs, b.costs)
    within = at_most(a, costs) * at_most(b, costs)
    weights = np.diff(within, prepend=0)
    return Counts(costs[weights > 0], weights[weights > 0])


def at_most(one: Counts, rooms: Any) -> Any:
    """Number of networks that cost at most each of some amounts."""
    running = np.concatenate([[0], np.cumsum(one.weights)])
    return running[np.searchsorted(one.costs, rooms, side="right")]


def exactly(one: Counts, costs: Any) -> Any:
    """Number of networks with each of some costs."""
    at = np.minimum(np.searchsorted(one.costs, costs), len(one.costs) - 1)
    return np.where(one.costs[at] == costs, one.weights[at], 0)


def step_of(parts: Sequence[Counts]) -> int:
    """Greatest common divisor of the differences of costs in all parts; 1 if there are none."""
    steps = [int(np.gcd.reduce(one.costs - one.costs[0])) for one in parts]
    return int(np.gcd.reduce(steps)) or 1


def products(a: Any, b: Any) -> int:
    """Sum of products of two arrays of natural numbers, in digits short enough for 64-bit sums."""
    total, bits = 0, 20
    for high in range(0, int(a.max(initial=0)).bit_length(), bits):
        for low in range(0, int(b.max(initial=0)).bit_length(), bits):
            part = ((a >> high) & (2**bits - 1)) * ((b >> low) & (2**bits - 1))
            total += int(part.sum(dtype=np.int64)) << (high + low)
    return total
