"""Exact counts of sums: how many ways there are to reach each cost, and how many stay within a limit.

A `Counts` is a histogram with whole-number weights. Parts that do not touch each other combine by convolution. Small
ones are combined as pairs; what is left is looked up in a table of all costs in steps of their common divisor. Where
64 bits cannot hold the weights, the table is made modulo several primes and the number put together again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...errors import OptionError, Problem

Tell = Callable[[int, int], None]  # told how many additions more are done, and how many there are
PAIRS = 4_000_000  # of values that are combined one by one
BINS = 2**25  # of the table of all costs
WORK = 2 * 10**10  # additions into it


class Counts(NamedTuple):
    """Costs in rising order, and how many networks have each: 64-bit whole numbers."""

    costs: Any
    weights: Any

    @property
    def total(self) -> int:
        """How many networks there are."""
        return sum(map(int, self.weights))


def counted(costs: Any, weights: Any = None) -> Counts:
    """The histogram of costs, which may repeat; without weights each counts once."""
    values, at = np.unique(np.asarray(costs, dtype=np.int64), return_inverse=True)
    found = np.zeros(len(values), dtype=np.int64)
    np.add.at(found, at.ravel(), 1 if weights is None else weights)
    return Counts(values, found)


ZERO = counted([0])


def merged(parts: Sequence[Counts]) -> Counts:
    """One histogram of several that stand beside each other."""
    if len(parts) == 1:
        return parts[0]
    return counted(np.concatenate([one.costs for one in parts]), np.concatenate([one.weights for one in parts]))


def combined(a: Counts, b: Counts) -> Counts:
    """The histogram of sums. Raises OptionError where there are too many pairs."""
    if len(a.costs) * len(b.costs) > 10 * PAIRS or a.total * b.total > 2**62:
        message = "the space does not decompose: parts that touch each other have too many costs to combine"
        raise OptionError(Problem("limit", message, help="set some of the variables; or `costcalc sweep --sample N`"))
    sums, weights = np.add.outer(a.costs, b.costs).ravel(), np.multiply.outer(a.weights, b.weights).ravel()
    return counted(sums, weights)


class Sums:
    """The sums of independent parts: their number, their ends, and how many stay within a limit."""

    def __init__(self, parts: Iterable[Counts], tell: Tell | None = None) -> None:
        self.tell = tell
        found = [one for one in parts if len(one.costs)]
        self.base = sum(int(one.costs[0]) for one in found)
        self.most = sum(int(one.costs[-1]) for one in found)
        self.total = math.prod(one.total for one in found)
        moved = [Counts(one.costs - one.costs[0], one.weights) for one in found]
        self.step = math.gcd(*(int(one) for part in moved for one in part.costs)) or 1
        self.parts = [Counts(one.costs // self.step, one.weights) for one in moved]
        self.table: list[tuple[int, Any]] | None = None
        self.rest = ZERO

    def within(self, limit: int) -> int:
        """How many sums are at most `limit`."""
        if limit < self.base:
            return 0
        room = (limit - self.base) // self.step
        if self.table is None:
            self._prepare()
        found = [_looked_up(self.rest, table, room, prime) for prime, table in self.table or ()]
        return _whole(found, [prime for prime, _ in self.table or ()])

    def _prepare(self) -> None:
        """Choose which parts become the table of all costs, and make it."""
        pairs = _paired(self.parts)
        by_pairs, by_parts = _work(pairs), _work(self.parts)
        parts = sorted(pairs if by_pairs <= by_parts else self.parts, key=lambda one: len(one.costs))
        self.rest = parts.pop() if parts else ZERO
        bins = 1 + sum(int(one.costs[-1]) for one in parts)
        if bins > BINS or min(by_pairs, by_parts) > WORK:
            message = f"the space has too many costs to count exactly: {bins:,} steps of {self.step:,}"
            raise OptionError(
                Problem("limit", message, help="set some of the variables; or `costcalc sweep --sample N`")
            )
        primes = _moduli(self.total)
        work = min(by_pairs, by_parts) * len(primes)

        def tell(count: int) -> None:
            if self.tell:
                self.tell(count, work)

        self.table = [(prime, _cumulated(parts, bins, prime, tell)) for prime in primes]


def _paired(parts: list[Counts]) -> list[Counts]:
    """The parts, the smallest two made one as long as that stays small."""
    left = sorted(parts, key=lambda one: len(one.costs))
    while len(left) > 1 and len(left[0].costs) * len(left[1].costs) <= PAIRS and left[0].total * left[1].total < 2**62:
        left = sorted([combined(left[0], left[1]), *left[2:]], key=lambda one: len(one.costs))
    return left


def _work(parts: list[Counts]) -> int:
    """How many additions a table of all parts but the largest takes."""
    sizes = sorted((len(one.costs), int(one.costs[-1]) + 1) for one in parts)[:-1]
    done, filled, bins = 0, 1, 1
    for values, reach in reversed(sizes):
        done += values * filled
        bins += reach
        filled = min(filled * values, bins)
    return done


def _moduli(total: int) -> list[int]:
    """Primes whose product is past the total; 0, which is none, where 64 bits hold all."""
    if total < 2**62:
        return [0]
    from sympy import prevprime

    found = [prevprime(2**31)]
    while math.prod(found) <= total:
        found.append(prevprime(found[-1]))
    return found


def _cumulated(parts: list[Counts], bins: int, prime: int, tell: Callable[[int], None]) -> Any:
    """How many sums of the parts are at most each step."""
    table, reach = np.zeros(bins, dtype=np.int64), 0
    table[0] = 1
    for one in reversed(parts):  # the largest first: it is only written
        table, reach = _added(table, reach, one, prime, tell), reach + int(one.costs[-1])
    if not prime:
        return np.cumsum(table, out=table)
    return _cumulated_modulo(table, prime)


def _cumulated_modulo(table: Any, prime: int) -> Any:
    """Running sums modulo a prime: blocks short enough for 64 bits, then what comes before each block."""
    size, carried = 2**20, 0
    for start in range(0, len(table), size):
        block = np.cumsum(table[start : start + size])
        block = (block + carried) % prime
        table[start : start + size], carried = block, int(block[-1])
    return table


def _added(table: Any, reach: int, one: Counts, prime: int, tell: Callable[[int], None]) -> Any:
    """The table, which is written over, with a part added to what it has up to `reach`."""
    before = table[: reach + 1]
    held = np.flatnonzero(before)
    sparse = len(held) * 8 < len(before)
    values = before[held] if sparse else before.copy()
    table[: reach + 1] = 0
    for cost, weight in zip(one.costs.tolist(), one.weights.tolist(), strict=True):
        scaled = values * (weight % prime) % prime if prime else values * weight
        if sparse:
            table[held + cost] += scaled
        else:
            table[cost : cost + reach + 1] += scaled
        tell(len(values))
    return np.remainder(table, prime, out=table) if prime else table


def _looked_up(rest: Counts, table: Any, room: int, prime: int) -> int:
    """The sum over a part of what the table leaves within the rest of the room."""
    left = room - rest.costs
    at = np.minimum(left[left >= 0], len(table) - 1)
    weights = rest.weights[left >= 0]
    if not prime:
        return _products(weights, table[at])
    return int(np.sum((weights % prime) * table[at] % prime, dtype=np.int64)) % prime


def _products(a: Any, b: Any) -> int:
    """The sum of products of two arrays of numbers from 0, by parts so short that 64 bits hold their sums."""
    found, bits = 0, 20
    for high in range(0, int(a.max(initial=0)).bit_length(), bits):
        for low in range(0, int(b.max(initial=0)).bit_length(), bits):
            part = ((a >> high) & (2**bits - 1)) * ((b >> low) & (2**bits - 1))
            found += int(part.sum(dtype=np.int64)) << (high + low)
    return found


def _whole(remainders: list[int], primes: list[int]) -> int:
    """The number that has these remainders (Chinese remainder theorem)."""
    if primes == [0]:
        return remainders[0]
    found, product = 0, 1
    for remainder, prime in zip(remainders, primes, strict=True):
        found += product * ((remainder - found) * pow(product, -1, prime) % prime)
        product *= prime
    return found
