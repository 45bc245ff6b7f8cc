"""Maxima over independent parts, such as peak memory: their number, those within a limit, and each one."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .counts import Counts, at_most, exactly
from .sums import Pick, of_running


class Maxima:
    """The largest costs of independent parts, with the questions of `Sums`."""

    def __init__(self, parts: Iterable[Counts]) -> None:
        self.parts = [one for one in parts if len(one.costs)]
        self.base = max(int(one.costs[0]) for one in self.parts)
        self.most = max(int(one.costs[-1]) for one in self.parts)
        self.total = math.prod(one.total for one in self.parts)

    def within(self, limit: int) -> int:
        """How many networks have no part above `limit`."""
        return math.prod(_within(one, limit) for one in self.parts)

    def drawn(self, limit: int, number: int) -> list[Pick]:
        """Number `number`, from 0, of the networks within `limit`: what each part has of it."""
        return _spread(self.parts, [_within(one, limit) for one in self.parts], number)

    def ranked(self, cost: int, number: int) -> list[Pick]:
        """Number `number`, from 0, of the networks whose largest cost is `cost`, by the first part that has it."""
        for at, one in enumerate(self.parts):
            below = [_within(part, cost - 1) for part in self.parts[:at]]
            above = [_within(part, cost) for part in self.parts[at + 1 :]]
            own = int(exactly(one, cost))
            many = math.prod([*below, own, *above])
            if number < many:
                number, rest = divmod(number, own)
                others = _spread([*self.parts[:at], *self.parts[at + 1 :]], [*below, *above], number)
                return [*others[:at], (cost, rest), *others[at:]]
            number -= many
        raise AssertionError("a number past the last network")


def _within(one: Counts, limit: int) -> int:
    return int(at_most(one, limit))


def _spread(parts: list[Counts], counts: list[int], number: int) -> list[Pick]:
    """A number taken apart into one for each part."""
    found = []
    for one, count in zip(parts, counts, strict=True):
        number, own = divmod(number, count)
        found.append(of_running(one, own))
    return found
