"""Stretches of lists of layers that could be calls of one block: where they are, and what can be said of all at once.

What a longer stretch from the same layer has follows from the shorter one, so that every stretch costs one step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from ...records import NamedTuple
from .blocks import Term
from .items import Item, walk

LONGEST = 40  # items of one block


class Run(NamedTuple):
    """A stretch of a list: the list, where it starts, how many items it has, and whether it is a level of names.

    It is one if its layers share a level of their names that those before and behind it do not have.
    """

    items: list
    start: int
    size: int
    is_level: bool

    @property
    def content(self) -> list[Item]:
        """The items."""
        return self.items[self.start : self.start + self.size]


def candidates(lists: list[list[Item]], skeleton: Callable[..., Any]) -> Iterator[list[Run]]:
    """Groups of two runs or more of equal structure that do not overlap, in the order of where the first stands."""
    readers, keys = _readers(lists), dict[Any, int]()
    lines = [_Line(items, readers, skeleton, keys) for items in lists]
    growing = [_Growing(line, number, start) for number, line in enumerate(lines) for start in range(len(line.items))]
    found = []
    for size in range(1, LONGEST + 1):
        groups = defaultdict(list)
        for one in growing:
            groups[one.key].append(one)
        for group in groups.values():
            runs = [one.run(size) for one in group if one.is_closed] if len(group) > 1 else ()
            if len(runs) > 1:
                found.append(((group[0].number, size, group[0].start), runs))
        several = {key for key, group in groups.items() if len(group) > 1}  # what is alone stays so when it grows
        growing = [one for one in growing if one.key in several and one.grow(keys)]
    for _, runs in sorted(found, key=lambda pair: pair[0]):
        apart = _apart(runs)
        if len(apart) > 1 and (apart[0].size > 1 or apart[0].content[0].lists):
            yield apart


class _Line:
    """One list, and what is known of each of its items."""

    def __init__(
        self, items: list[Item], readers: dict[Any, Any], skeleton: Callable[..., Any], keys: dict[tuple[Any, ...], int]
    ) -> None:
        self.items, self.keys = items, keys
        places = {id(item): at for at, item in enumerate(items)}
        self.ids = [keys.setdefault(skeleton(item, places), len(keys)) for item in items]
        self.levels = [*map(_Levels.of, items)]
        self.from_here: dict[int, list] = {}  # where runs start -> the levels of runs of 1, 2, .. items
        self.inside = {id(one): at for at, item in enumerate(items) for one in walk([item])}
        self.reach = [self.reached(item, at, readers) for at, item in enumerate(items)]

    def reached(self, item: Item, at: int, readers: dict[Any, Any]) -> Any:
        """The first and last item that a run with this one needs; None if no run can have it."""
        if any(_has_term(value) for one in walk([item]) for value in (*one.options.values(), one.repeat)):
            return None  # it is of one block only
        others = [id(one) for one in item.refers() if type(one) is not str]
        spots: list[Any] = [self.inside.get(one) for one in (*others, *readers.get(id(item), ()))]
        return None if None in spots else (min([at, *spots]), max([at, *spots]))

    def run(self, start: int, size: int) -> Run:
        """A run, which is a level if the items around it share fewer levels with its first than its own do."""
        known = self.from_here.setdefault(start, [self.levels[start]])
        while len(known) < size:
            known.append(known[-1].joined(self.levels[start + len(known)]))
        own, around = len(known[size - 1].shared), (start - 1, start + size)
        beside = [self.levels[start].joined(self.levels[at]) for at in around if 0 <= at < len(self.items)]
        return Run(self.items, start, size, own > 0 and all(len(one.shared) < own for one in beside))


class _Growing:
    """A run that gets longer, the key of its structure, and from where to where its names reach."""

    __slots__ = ("end", "high", "key", "line", "low", "number", "start")

    def __init__(self, line: _Line, number: int, start: int) -> None:
        self.line, self.number, self.start, self.end = line, number, start, start
        self.key, self.low, self.high = line.ids[start], start, start
        self.reach()

    def reach(self) -> None:
        """Take in the names of the last item."""
        low, high = self.line.reach[self.end] or (-1, -1)
        self.low, self.high = min(self.low, low), max(self.high, high)

    def grow(self, keys: dict[tuple[Any, ...], int]) -> bool:
        """Take in one more item, if there is one."""
        self.end += 1
        if self.end == len(self.line.items):
            return False
        self.key = keys.setdefault((self.key, self.line.ids[self.end], "then"), len(keys))
        self.reach()
        return True

    @property
    def is_closed(self) -> bool:
        """Whether it needs no other items."""
        return self.low == self.start and self.high <= self.end

    def run(self, size: int) -> Run:
        """The run as it is."""
        return self.line.run(self.start, size)


class _Levels(NamedTuple):
    """The levels that names share: of all that weigh, and of the items themselves; None where there are no names."""

    weighing: tuple | None
    names: tuple | None

    @classmethod
    def of(cls, item: Item) -> _Levels:
        """Those of one item and what is inside."""
        weighing = None
        for one in walk([item]):
            if one.weighs:
                weighing = _common(weighing, tuple(one.name.split("/")[:-1]))
        return cls(weighing, tuple(item.name.split("/")[:-1]))

    def joined(self, other: _Levels) -> _Levels:
        """Those of both."""
        return _Levels(_common(self.weighing, other.weighing), _common(self.names, other.names))

    @property
    def shared(self) -> Any:
        """Those of what weighs, if anything does."""
        return self.names if self.weighing is None else self.weighing


def _common(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None or one == other:
        return other if one is None else one
    count = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    return one[: min(len(one), len(other)) if count is None else count]


def _readers(lists: list[list[Item]]) -> dict[Any, Any]:
    """Which items read an item by name."""
    named = defaultdict(set)
    for items in lists:
        for item in items:
            for other in item.refers():
                if type(other) is Item:
                    named[id(other)].add(id(item))
    return named


def _has_term(value: Any) -> bool:
    return any(map(_has_term, value)) if type(value) is tuple else type(value) is Term


def _apart(runs: list[Run]) -> list[Run]:
    """The runs that do not overlap, from the left; those that are levels of the names first."""
    found: list[Run] = []
    taken: set[tuple[int, int]] = set()
    for run in sorted(runs, key=lambda run: not run.is_level):
        places = {(id(run.items), at) for at in range(run.start, run.start + run.size)}
        if not places & taken:
            found.append(run)
            taken |= places
    return found
