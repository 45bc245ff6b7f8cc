"""Sums of independent parts: count them, count those within a limit, and find one by its index.

Parts are combined into groups as long as these stay small. The largest group is kept as a histogram; the others become
one table of all costs in steps of their greatest common divisor. If its counts exceed 64 bits, tables modulo several
primes are used, and numbers are reconstructed (Chinese remainder theorem).

Networks can also be counted within two limits at once, if both metrics add up. Both costs of a network are packed into
one integer, the first times a radix plus the second, so a joint histogram adds up like a single one. The parts form
two halves. For each network of one half, the matching networks of the other are looked up in blocks that are sorted by
the second cost.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

import numpy as np

from ...errors import Problem
from ...records import NamedTuple
from .counts import (
    NOTHING,
    PAIRS,
    WHOLE,
    Counts,
    Tell,
    Undecomposed,
    at_most,
    combined,
    exactly,
    most_sums,
    products,
    step_of,
    too_large,
)

BINS = 2**26  # maximum steps of the table of all costs
WORK = 2 * 10**10  # maximum additions to fill it
CACHE = 2**17  # numbers of a block of the table that is updated at once
DIGITS = 2**18  # maximum bytes of an integer with all counts of a table as digits
FEW = 64  # costs of a part up to which they are added one by one; above, by Fourier transforms
SHORT = 2**18  # maximum steps of a table for which Fourier transforms are exact
BLOCK = 4096  # costs whose networks are summed together in a search
Pick = tuple[int, int]  # (cost of a part, index of a network among those with this cost)


class _Group(NamedTuple):
    """A group of parts: their sums in steps, the divisor of these, and its two halves or its only part."""

    counts: Counts
    step: int
    halves: tuple[_Group, _Group] | None
    part: int


class Sums:
    """Sums of independent parts, as integers of any size; `bins` is the maximum length of their table."""

    def __init__(self, parts: Iterable[Counts], tell: Tell | None = None, bins: int = BINS) -> None:
        self.tell, self.bins = tell, bins
        self.parts = [one for one in parts if len(one.costs)]
        self.base = sum(int(one.costs[0]) for one in self.parts)
        self.most = sum(int(one.costs[-1]) for one in self.parts)
        if self.most >= WHOLE:
            raise too_large()
        self.total = math.prod(one.total for one in self.parts)
        self.step = step_of(self.parts) if self.parts else 1
        self.tails: list[_Tail] = []
        self.groups: list[_Group] = []
        self.last: tuple[Any, _Choice] | None = None  # last lookup in the largest group, for repeated samples

    def within(self, limit: int) -> int:
        """Number of sums that are at most `limit`."""
        if limit < self.base:
            return 0
        self._prepare()
        return _Choice(self.groups[0].counts, self.tails[0], (limit - self.base) // self.step, False).total

    def has(self, parts: list[Counts]) -> bool:
        """Whether these are the summed parts."""
        return len(parts) == len(self.parts) and all(
            np.array_equal(a.costs, b.costs) and np.array_equal(a.weights, b.weights)
            for a, b in zip(parts, self.parts, strict=True)
        )

    def drawn(self, limit: int, number: int) -> list[Pick]:
        """Picks, one per part, for sum `number`, from 0, among the sums that are at most `limit`."""
        return self._picked(limit, False, number)

    def ranked(self, cost: int, number: int) -> list[Pick]:
        """Picks, one per part, for sum `number`, from 0, among the sums equal to `cost`."""
        return self._picked(cost, True, number)

    def _prepare(self) -> None:
        """Choose the groups, and fill the table of all but the largest."""
        if self.tails:
            return
        moved = (Counts((one.costs - one.costs[0]) // self.step, one.weights) for one in self.parts)
        self.groups = _grouped([_group(one, None, at) for at, one in enumerate(moved)] or [_group(NOTHING, None, -1)])
        rest = self.groups[1:]
        bins, work = 1 + sum(int(one.counts.costs[-1]) for one in rest), _work([one.counts for one in rest])
        if len(rest) > 1 and (bins > self.bins or work > WORK):
            message = f"the space has too many costs to count exactly: {bins:,} steps of {self.step:,}"
            raise Undecomposed(Problem("limit", message, help="set some of the variables"))
        self.tails = [_Tail([one.counts for one in rest], self.total, self.tell, work)]

    def _choice(self, head: Counts, tail: _Tail, room: int, exact: bool) -> _Choice:
        if head is not self.groups[0].counts:
            return _Choice(head, tail, room, exact)
        if self.last is None or self.last[0] != (room, exact):
            self.last = (room, exact), _Choice(head, tail, room, exact)
        return self.last[1]

    def _picked(self, limit: int, exact: bool, number: int) -> list[Pick]:
        self._prepare()
        while len(self.tails) < len(self.groups) - 1:
            parts = [one.counts for one in self.groups[1 + len(self.tails) :]]
            self.tails.append(_Tail(parts, self.total, None, 0))
        picks: dict[int, Pick] = {}
        room = (limit - self.base) // self.step
        for group, tail in zip(self.groups[:-1], self.tails, strict=False):
            cost, own, number = self._choice(group.counts, tail, room, exact).at(number)
            _split(group, cost, own, picks)
            room -= cost
        last = self.groups[-1]
        cost, own = (room, number) if exact else of_running(last.counts, number)
        _split(last, cost, own, picks)
        return [
            (cost * self.step + int(one.costs[0]), own)
            for one, (cost, own) in zip(self.parts, (picks[at] for at in range(len(self.parts))), strict=True)
        ]


class _Tail:
    """Number of sums of some groups at most each amount, modulo primes; the modulus 0 stands for none."""

    def __init__(self, parts: list[Counts], total: int, tell: Tell | None, work: int) -> None:
        self.parts = parts
        own = math.prod(one.total for one in parts)
        self.primes = [0] if own < WHOLE else _moduli(total)
        self.tables: list[Any] = []
        if len(parts) > 1:
            bins = 1 + sum(int(one.costs[-1]) for one in parts)

            def told(count: int) -> None:
                if tell:
                    tell(count, work * len(self.primes))

            told(0)
            width = own.bit_length() // 8 + 1
            if self.primes == [0] or bins * width > DIGITS:
                self.tables = [_cumulated(parts, bins, prime, told) for prime in self.primes]
            else:
                self.tables = _of_digits(parts, bins, width, self.primes)

    def looked_up(self, rooms: Any, exact: bool) -> list[Any]:
        """For each prime, the number of sums at most each amount, or exactly equal to it."""
        found = [self._within(at, rooms) for at in range(len(self.primes))]
        if not exact:
            return found
        less = [self._within(at, rooms - 1) for at in range(len(self.primes))]
        return [(a - b) % prime if prime else a - b for a, b, prime in zip(found, less, self.primes, strict=True)]

    def _within(self, at: int, rooms: Any) -> Any:
        if not self.parts:
            return (rooms >= 0).astype(np.int64)
        if not self.tables:
            found = at_most(self.parts[0], rooms)
            return found % self.primes[at] if self.primes[at] else found
        table = self.tables[at]
        return np.where(rooms >= 0, table[np.clip(rooms, 0, len(table) - 1)], 0)


class _Choice:
    """Costs of a group, and the number of networks that each leaves to the later groups."""

    def __init__(self, head: Counts, tail: _Tail, room: int, exact: bool) -> None:
        self.head, self.tail, self.room, self.exact = head, tail, room, exact
        starts = range(0, len(head.costs), 2**16 if not exact and len(head.costs) > 2**20 else BLOCK)
        self.size = starts.step
        self.sums = [self._sum(start) for start in starts]
        self.total = sum(self.sums)
        self.running = [0, *accumulate(self.sums)]

    def _found(self, start: int) -> tuple[Any, list[Any]]:
        part = slice(start, start + self.size)
        return self.head.weights[part], self.tail.looked_up(self.room - self.head.costs[part], self.exact)

    def _sum(self, start: int) -> int:
        if not self.exact and self.head.costs[start] > self.room:
            return 0
        weights, found = self._found(start)
        if self.tail.primes == [0]:
            return products(weights, found[0])
        sums = [
            int(np.sum((weights % prime) * one % prime, dtype=np.int64)) % prime
            for one, prime in zip(found, self.tail.primes, strict=True)
        ]
        return _whole(sums, self.tail.primes)

    def at(self, number: int) -> tuple[int, int, int]:
        """(cost, index among the group's networks of that cost, index in the remaining groups) of a network."""
        block = bisect_right(self.running, number) - 1
        number -= self.running[block]
        weights, found = self._found(block * self.size)
        for at, weight in enumerate(weights.tolist()):
            left = _whole([int(one[at]) for one in found], self.tail.primes)
            if number < weight * left:
                return int(self.head.costs[block * self.size + at]), *divmod(number, left)
            number -= weight * left
        raise AssertionError("a number past the last network")


def of_running(one: Counts, number: int) -> Pick:
    """(cost, index among the networks of that cost) of a network, by its index in ascending order of cost."""
    running = np.cumsum(one.weights)
    at = int(np.searchsorted(running, number, side="right"))
    return int(one.costs[at]), number - (int(running[at - 1]) if at else 0)


def _split(group: _Group, cost: int, number: int, found: dict[int, Pick]) -> None:
    """Record the cost and index of each part of one of a group's networks."""
    if group.halves is None:
        found[group.part] = cost, number
        return
    a, b = group.halves
    left = exactly(b.counts, cost - a.counts.costs)
    running = np.cumsum(a.counts.weights * left)
    at = int(np.searchsorted(running, number, side="right"))
    own, rest = divmod(number - (int(running[at - 1]) if at else 0), int(left[at]))
    part = int(a.counts.costs[at])
    _split(a, part, own, found)
    _split(b, cost - part, rest, found)


def _grouped(left: list[_Group]) -> list[_Group]:
    """Combine the two groups with the fewest sums as long as they stay small; the largest first, then ascending."""
    while len(left) > 1:
        pairs = [(_size(a, b), i, i + 1 + j) for i, a in enumerate(left) for j, b in enumerate(left[i + 1 :])]
        size, i, j = min(pairs)
        a, b = left[i], left[j]
        if size > PAIRS or a.counts.total * b.counts.total >= WHOLE:
            break
        made = _group(combined(a.counts, b.counts), (a, b), -1)
        left = [one for at, one in enumerate(left) if at not in (i, j)] + [made]
    *rest, largest = sorted(left, key=lambda one: len(one.counts.costs))
    return [largest, *rest]


def _group(counts: Counts, halves: tuple[_Group, _Group] | None, part: int) -> _Group:
    return _Group(counts, step_of([counts]), halves, part)


def _size(a: _Group, b: _Group) -> int:
    """Upper bound of the number of sums of two groups; their pairs if these are too many."""
    return most_sums(a.counts, b.counts, math.gcd(a.step, b.step))


def _work(parts: list[Counts]) -> int:
    """Number of additions to fill a table of the parts."""
    if not parts:
        return 0
    *others, first = parts
    done, reach, step = 0, int(first.costs[-1]), step_of([first])
    for one in reversed(others):
        done += len(one.costs) * (reach // step + 1)
        reach, step = reach + int(one.costs[-1]), step_of([Counts(np.array([0, step]), None), one])
    return done


def _moduli(total: int) -> list[int]:
    """Largest primes below 2^31 whose product exceeds the total."""
    primes: list[int] = []
    number = 2**31 - 1
    while math.prod(primes) <= total:
        if all(number % divisor for divisor in range(3, math.isqrt(number) + 1, 2)):
            primes.append(number)
        number -= 2
    return primes


def _cumulated(parts: list[Counts], bins: int, prime: int, tell: Callable[[int], None]) -> Any:
    """Number of sums of the parts up to each step."""
    *others, first = parts  # the largest is written directly
    table, reach, step = np.zeros(bins, dtype=np.int64), int(first.costs[-1]), step_of([first])
    table[first.costs] = first.weights % prime if prime else first.weights
    for one in reversed(others):
        if prime and len(one.costs) > FEW and bins <= SHORT:
            table = multiplied(table, _spread(one, bins), prime)
        else:
            _add(table, (reach, step), one, prime, tell)
        reach, step = reach + int(one.costs[-1]), step_of([Counts(np.array([0, step]), None), one])
    return _cumulated_modulo(table, prime) if prime else np.cumsum(table, out=table)


def _spread(one: Counts, bins: int) -> Any:
    """Counts of a part, one per step."""
    table = np.zeros(bins, dtype=np.int64)
    table[one.costs] = one.weights
    return table


def multiplied(a: Any, b: Any, prime: int) -> Any:
    """Convolution of two tables modulo a prime below 2^31, truncated to their length, with Fourier transforms.

    Numbers are split into three 11-bit digits. Sums of products of digits stay below 3 * 2^22 * SHORT = 2^42. The
    errors of 64-bit floats, about 2^-53 * log2(SHORT) of that, are far below the 1/2 that rounding tolerates.
    """
    size = 1 << (2 * len(a) - 1).bit_length()
    digits = [[np.fft.rfft((one % prime) >> shift & 2047, size) for shift in (0, 11, 22)] for one in (a, b)]
    product = np.zeros(len(a), dtype=np.int64)
    for high in range(4, -1, -1):
        both = sum(digits[0][at] * digits[1][high - at] for at in range(3) if 0 <= high - at < 3)
        part = np.rint(np.fft.irfft(both, size)[: len(a)]).astype(np.int64)
        product = ((product << 11) + part) % prime
    return product


def _of_digits(parts: list[Counts], bins: int, width: int, primes: list[int]) -> list[Any]:
    """Tables of short parts. Each part is encoded as an integer with a digit of `width` bytes per step.

    The digits of their product are the counts of all sums (Kronecker substitution).
    """
    product = 1
    for one in parts:
        data = bytearray(width * (int(one.costs[-1]) + 1))
        for cost, weight in zip(one.costs.tolist(), one.weights.tolist(), strict=True):
            data[cost * width : (cost + 1) * width] = weight.to_bytes(width, "little")
        product *= int.from_bytes(data, "little")
    made = product.to_bytes(bins * width, "little")
    digits = (int.from_bytes(made[start : start + width], "little") for start in range(0, len(made), width))
    running = list(accumulate(digits))
    return [np.array([count % prime for count in running], dtype=np.int64) for prime in primes]


def _cumulated_modulo(table: Any, prime: int) -> Any:
    """Running sums modulo a prime, in blocks short enough for 64 bits."""
    size, carried = 2**20, 0
    for start in range(0, len(table), size):
        block = np.cumsum(table[start : start + size])
        block = (block + carried) % prime
        table[start : start + size], carried = block, int(block[-1])
    return table


def _add(table: Any, known: tuple[int, int], one: Counts, prime: int, tell: Callable[[int], None]) -> None:
    """Add a part to a table in place; `known` has the table's last used index and the step of its indices.

    Works in blocks that fit the cache, separately for each remainder of a cost modulo the step, so memory access is
    contiguous.
    """
    (reach, step), size = known, int(one.costs[-1])
    dense = table[: reach + 1 : step].copy()
    rows = max(CACHE // step, 1)
    wholes, rests = np.divmod(one.costs, step)
    for start in range(0, (reach + size) // step + 1, rows):
        block = np.zeros((step, rows), dtype=np.int64)
        low, high = np.searchsorted(wholes, [start - len(dense) + 1, start + rows])
        for whole, rest, weight in zip(
            *(part[low:high].tolist() for part in (wholes, rests, one.weights)), strict=True
        ):
            begin, end = max(start, whole), min(start + rows, whole + len(dense))
            scaled = dense[begin - whole : end - whole] * (weight % prime if prime else weight)
            block[rest, begin - start : end - start] += scaled % prime if prime else scaled
            tell(end - begin)
        part = table[start * step : start * step + block.size]
        part[:] = (block % prime if prime else block).T.ravel()[: len(part)]


def _whole(remainders: list[int], primes: list[int]) -> int:
    """Number with these remainders (Chinese remainder theorem)."""
    if primes == [0]:
        return remainders[0]
    value, product = 0, 1
    for remainder, prime in zip(remainders, primes, strict=True):
        value += product * ((remainder - value) * pow(product, -1, prime) % prime)
        product *= prime
    return value


class Maxima:
    """Maxima of the costs of independent parts, with the interface of `Sums`."""

    def __init__(self, parts: Iterable[Counts]) -> None:
        self.parts = [one for one in parts if len(one.costs)]
        self.base = max(int(one.costs[0]) for one in self.parts)
        self.most = max(int(one.costs[-1]) for one in self.parts)
        self.total = math.prod(one.total for one in self.parts)

    def within(self, limit: int) -> int:
        """Number of networks with no part above `limit`."""
        return math.prod(_within(one, limit) for one in self.parts)

    def drawn(self, limit: int, number: int) -> list[Pick]:
        """Picks, one per part, for network `number`, from 0, among the networks within `limit`."""
        return _apart(self.parts, [_within(one, limit) for one in self.parts], number)

    def ranked(self, cost: int, number: int) -> list[Pick]:
        """Picks for network `number`, from 0, among those with the maximum `cost`, by the first part that has it."""
        for at, one in enumerate(self.parts):
            below = [_within(part, cost - 1) for part in self.parts[:at]]
            above = [_within(part, cost) for part in self.parts[at + 1 :]]
            own = int(exactly(one, cost))
            many = math.prod([*below, own, *above])
            if number < many:
                number, rest = divmod(number, own)
                others = _apart([*self.parts[:at], *self.parts[at + 1 :]], [*below, *above], number)
                return [*others[:at], (cost, rest), *others[at:]]
            number -= many
        raise AssertionError("a number past the last network")


def _within(one: Counts, limit: int) -> int:
    return int(at_most(one, limit))


def _apart(parts: list[Counts], counts: list[int], number: int) -> list[Pick]:
    """Split an index into one index per part."""
    picks = []
    for one, count in zip(parts, counts, strict=True):
        number, own = divmod(number, count)
        picks.append(of_running(one, own))
    return picks


HALF = 2_000_000  # maximum pairs of costs in either half


def within_both(sums: Sums, radix: int, limits: tuple[int, int]) -> int:
    """Number of sums of parts with both costs within their limits. Raises OptionError if there are too many pairs."""
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
    """Pairs within both limits. Those within the first limit are a prefix, which is split into blocks of 2^k."""
    first, second = many.costs // radix, many.costs % radix  # costs are ascending, so `first` is too
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
    """Number of networks in blocks of `many`, each sorted by its second cost, that stay within some room."""
    (second, radix), (block, size, room) = costs, asked
    keys = np.arange(len(order)) // size * radix + second[order]
    running = np.concatenate([[0], np.cumsum(many.weights[order])])
    place = np.searchsorted(keys, block * radix + np.clip(room, -1, radix - 1), side="right")
    return products(weights, running[np.maximum(place, block * size)] - running[block * size])
