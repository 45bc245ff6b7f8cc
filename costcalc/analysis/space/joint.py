"""How many networks stay within two limits at once, where both metrics add up.

Both costs of a network are one whole number, the first times a radix plus the second, so that a joint histogram adds
up as a single one does. Two halves of the parts are combined at the end: for each network of one, how many of the other
leave both sums within the limits is looked up in stretches of the other that are sorted by the second cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import Problem
from .counts import NOTHING, PAIRS, WHOLE, Counts, Undecomposed, combined, products
from .sums import Sums

HALF = 2_000_000  # pairs of costs in either half


def within_both(sums: Sums, radix: int, limits: tuple[int, int]) -> int:
    """How many sums of parts have both costs within their limits. Raises OptionError where there are too many."""
    halves = sorted(sums.parts, key=lambda one: len(one.costs))
    while len(halves) > 2:
        a, b, *rest = halves
        if len(a.costs) * len(b.costs) > 10 * PAIRS or a.total * b.total >= WHOLE:
            raise _too_many(len(a.costs) * len(b.costs))
        halves = sorted([combined(a, b), *rest], key=lambda one: len(one.costs))
    few, many = [*[NOTHING] * (2 - len(halves)), *halves]
    if len(many.costs) > HALF:
        raise _too_many(len(many.costs))
    return _both(few, many, radix, limits)


def _too_many(count: int) -> Undecomposed:
    message = f"both limits at once cannot be counted exactly: a part of the space has {count:,} pairs of costs"
    return Undecomposed(Problem("limit", message, help="limit one of them"))


def _both(few: Counts, many: Counts, radix: int, limits: tuple[int, int]) -> int:
    """Pairs within both limits: the ones left by the first limit are a prefix, taken apart into blocks of 2^k."""
    first, second = many.costs // radix, many.costs % radix  # costs rise, so `first` does
    end = np.searchsorted(first, limits[0] - few.costs // radix, side="right")
    room = limits[1] - few.costs % radix
    found, size = 0, 1
    while size <= len(first):
        whole = len(first) // size * size
        at = np.flatnonzero((end & size) > 0)
        if len(at):
            block = np.arange(whole) // size
            order = np.lexsort((second[:whole], block))
            found += _looked_up(few.weights[at], many, order, (second, radix), (end[at] // size - 1, size, room[at]))
        size *= 2
    return found


def _looked_up(weights: Any, many: Counts, order: Any, costs: tuple[Any, int], asked: tuple[Any, int, Any]) -> int:
    """The networks of blocks of `many`, each sorted by its second cost, that leave some room."""
    (second, radix), (block, size, room) = costs, asked
    keys = np.arange(len(order)) // size * radix + second[order]
    running = np.concatenate([[0], np.cumsum(many.weights[order])])
    place = np.searchsorted(keys, block * radix + np.clip(room, -1, radix - 1), side="right")
    return products(weights, running[np.maximum(place, block * size)] - running[block * size])
