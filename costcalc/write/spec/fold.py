"""Fold repetition: `repeat` for equal layers in a row, blocks for runs of equal structure.

Two runs have the same structure if they differ only in numbers, which become parameters of a block. The block that
saves the most text is created first, until none saves any (Nevill-Manning and Witten 1997, arXiv:cs/9709102, with
parameters). The key of a longer run is derived from the shorter one, so each extension costs one step.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...records import NamedTuple
from .blocks import PER_ITEM, Block, Leaf, Term, block_of, call_of, leaves_of
from .structure import Item, is_number, walk

if TYPE_CHECKING:
    from ..torch.pieces import Style


LONGEST = 40  # most items of one block


class Run(NamedTuple):
    """A part of a list: the list, start, length, and whether it is a level of names.

    It is a level if its layers share a name component that the layers before and after it do not have.
    """

    items: list
    start: int
    size: int
    is_level: bool

    @property
    def content(self) -> list[Item]:
        """Items of the run."""
        return self.items[self.start : self.start + self.size]


def candidates(lists: list[list[Item]], skeleton: Callable[..., Any]) -> Iterator[list[Run]]:
    """Groups of two or more non-overlapping runs of equal structure, ordered by the position of the first."""
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
        several = {key for key, group in groups.items() if len(group) > 1}  # a unique run stays unique when it grows
        growing = [one for one in growing if one.key in several and one.grow(keys)]
    for _, runs in sorted(found, key=lambda pair: pair[0]):
        apart = _apart(runs)
        if len(apart) > 1 and (apart[0].size > 1 or apart[0].content[0].lists):
            yield apart


class _Line:
    """A list with derived data for each item."""

    def __init__(
        self, items: list[Item], readers: dict[Any, Any], skeleton: Callable[..., Any], keys: dict[tuple[Any, ...], int]
    ) -> None:
        self.items, self.keys = items, keys
        places = {id(item): at for at, item in enumerate(items)}
        self.ids = [keys.setdefault(skeleton(item, places), len(keys)) for item in items]
        self.levels = [*map(_Levels.of, items)]
        self.from_here: dict[int, list] = {}  # start of runs -> levels of runs of 1, 2, .. items
        self.inside = {id(one): at for at, item in enumerate(items) for one in walk([item])}
        self.reach = [self.reached(item, at, readers) for at, item in enumerate(items)]

    def reached(self, item: Item, at: int, readers: dict[Any, Any]) -> Any:
        """First and last item that a run must contain with this one, or None if it cannot be in a run."""
        if any(_has_term(value) for one in walk([item]) for value in (*one.options.values(), one.repeat)):
            return None  # it belongs to one block only
        others = [id(one) for one in item.refers() if type(one) is not str]
        spots: list[Any] = [self.inside.get(one) for one in (*others, *readers.get(id(item), ()))]
        return None if None in spots else (min([at, *spots]), max([at, *spots]))

    def run(self, start: int, size: int) -> Run:
        """Create a run. It is a level if its items share more name levels than they share with its neighbours."""
        known = self.from_here.setdefault(start, [self.levels[start]])
        while len(known) < size:
            known.append(known[-1].joined(self.levels[start + len(known)]))
        own, around = len(known[size - 1].shared), (start - 1, start + size)
        neighbours = [self.levels[start].joined(self.levels[at]) for at in around if 0 <= at < len(self.items)]
        return Run(self.items, start, size, own > 0 and all(len(one.shared) < own for one in neighbours))


class _Growing:
    """A run that is extended, with the key of its structure and the range that its references reach."""

    __slots__ = ("end", "high", "key", "line", "low", "number", "start")

    def __init__(self, line: _Line, number: int, start: int) -> None:
        self.line, self.number, self.start, self.end = line, number, start, start
        self.key, self.low, self.high = line.ids[start], start, start
        self.reach()

    def reach(self) -> None:
        """Extend the range by the references of the last item."""
        low, high = self.line.reach[self.end] or (-1, -1)
        self.low, self.high = min(self.low, low), max(self.high, high)

    def grow(self, keys: dict[tuple[Any, ...], int]) -> bool:
        """Extend by one item. Return False at the end of the list."""
        self.end += 1
        if self.end == len(self.line.items):
            return False
        self.key = keys.setdefault((self.key, self.line.ids[self.end], "then"), len(keys))
        self.reach()
        return True

    @property
    def is_closed(self) -> bool:
        """Whether all its references are within the run."""
        return self.low == self.start and self.high <= self.end

    def run(self, size: int) -> Run:
        """The run at its current size."""
        return self.line.run(self.start, size)


class _Levels(NamedTuple):
    """Shared levels of names, of all items that weigh and of the items themselves; None if there are none."""

    weighing: tuple | None
    names: tuple | None

    @classmethod
    def of(cls, item: Item) -> _Levels:
        """Levels of an item and its inner items."""
        weighing = None
        for one in walk([item]):
            if one.weighs:
                weighing = _common(weighing, tuple(one.name.split("/")[:-1]))
        return cls(weighing, tuple(item.name.split("/")[:-1]))

    def joined(self, other: _Levels) -> _Levels:
        """Levels shared by both."""
        return _Levels(_common(self.weighing, other.weighing), _common(self.names, other.names))

    @property
    def shared(self) -> Any:
        """Levels of the items that weigh, or else of all items."""
        return self.names if self.weighing is None else self.weighing


def _common(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None or one == other:
        return other if one is None else one
    count = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    return one[: min(len(one), len(other)) if count is None else count]


def _readers(lists: list[list[Item]]) -> dict[Any, Any]:
    """Items that refer to each item."""
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
    """Select non-overlapping runs from the left, those that are levels of names first."""
    found: list[Run] = []
    taken: set[tuple[int, int]] = set()
    for run in sorted(runs, key=lambda run: not run.is_level):
        places = {(id(run.items), at) for at in range(run.start, run.start + run.size)}
        if not places & taken:
            found.append(run)
            taken |= places
    return found


MOST = 20_000  # most items in which blocks are searched
ROUNDS = 40
NAMED = 2  # weight of savings if the runs are levels of names
LEAST = 30  # characters that a block must save to be worthwhile


def folded(items: list[Item], style: Any) -> tuple[list[Item], list[Block]]:
    """Fold items into repeats and calls. Return the items and the blocks."""
    blocks: list[Block] = []
    for _ in range(ROUNDS):
        for one in (items, *(block.items for block in blocks)):
            one[:] = _repeated(one)
        best = _best(items, blocks, style)
        if best is None:
            break
        block, runs = best
        blocks.append(block)
        for run in sorted(runs, key=lambda run: -run.start):
            run.items[run.start : run.start + run.size] = [call_of(block, run.content)]
    return items, blocks


def lists_of(items: list[Item]) -> Iterator[list[Item]]:
    """A list and all lists nested in it."""
    yield items
    for item in items:
        for inner in item.lists:
            yield from lists_of(inner)


def _best(items: list[Item], blocks: list[Block], style: Style) -> tuple[Block, list[Run]] | None:
    lists = [*lists_of(items), *(one for block in blocks for one in lists_of(block.items))]
    if sum(map(len, lists)) > MOST:
        return None
    taken = {*(block.name for block in blocks), *style.words}
    sizes = {id(item): style.length(item) for one in lists for item in one}
    leaves = {id(item): [*leaves_of([item])] for one in lists for item in one}
    groups = [(_most(runs, sizes), runs) for runs in candidates(lists, _skeleton)]
    best, most = None, 0
    for bound, runs in sorted(groups, key=lambda one: -one[0]):
        if bound <= most:
            break
        table = [[leaf for item in run.content for leaf in leaves[id(item)]] for run in runs]
        block = block_of(runs, table, taken, style)
        saved = _worth(runs) * _saving(block, runs, table, style, sizes)
        if saved > most:
            best, most = (block, runs), saved
    return best


def _worth(runs: list[Run]) -> int:
    """Weight of the characters that a block of these runs saves."""
    return NAMED if all(run.is_level for run in runs) else 1


def _most(runs: list[Run], sizes: Mapping[int, int]) -> int:
    """Upper limit of the weighted savings of a block of these runs."""
    saved = sum(sizes[id(item)] for run in runs[1:] for item in run.content)
    return _worth(runs) * (saved - LEAST - PER_ITEM * runs[0].size)


def _saving(block: Block, runs: list[Run], table: list[list[Leaf]], style: Style, sizes: Mapping[int, int]) -> int:
    """Number of characters that a block saves."""
    before = sum(sizes[id(item)] for run in runs for item in run.content)
    calls = Counter(tuple(str(leaves[at].value) for at in block.leaves) for leaves in table)
    after = sum(len(", ".join(call)) + 4 for call in calls) + len(block.name)
    return before - after - block.length(style) - LEAST


def _skeleton(item: Item, places: Mapping[int, int]) -> tuple[Any, ...]:
    """Structure of an item without its numbers. References are relative positions in the list."""
    at = places[id(item)]

    def of(one: str | Item) -> int | str:
        if type(one) is str:
            return one
        return at - places[id(one)] if id(one) in places else "outside"

    return _shape(item, of)


def _shape(item: Item, of: Callable[..., Any]) -> tuple[Any, ...]:
    options = tuple((name, _number(value) if is_number(value) else str(value)) for name, value in item.options.items())
    branches = tuple(
        tuple(_shape(one, of) for one in branch) if type(branch) is list else of(branch) for branch in item.branches
    )
    then = tuple(_shape(one, of) for one in item.then)
    origin = None if item.origin is None else of(item.origin)
    block = id(item.block) if item.block is not None else None
    table = None if item.table is None else of(item.table)
    return (
        item.op,
        options,
        str(item.holds),
        item.bits,
        table,
        branches,
        then,
        origin,
        item.rank,
        item.kept,
        str(item.times),
        _number(item.repeat) if item.repeat != 1 else 1,
        block,
    )


def _number(value: Any) -> str:
    return f"#{len(value)}" if type(value) is tuple else "#"


def _repeated(items: list[Item]) -> list[Item]:
    """Merge equal items in a row into one with `repeat`."""
    for item in items:
        item.branches = [_repeated(branch) if type(branch) is list else branch for branch in item.branches]
    found: list[Item] = []
    for item in items:
        last = found[-1] if found else None
        if last is not None and _is_equal(last, item):
            last.repeat += item.repeat
            _forget(last, item)
        else:
            found.append(item)
    return found


def _forget(last: Item, item: Item) -> None:
    """Reset input channels of a repeated layer that differ between runs."""
    for one, other in zip(walk([last]), walk([item]), strict=True):
        if one.channels != other.channels:
            one.channels = None


def _is_equal(one: Item, other: Item) -> bool:
    if type(one.repeat) is not int or type(other.repeat) is not int:
        return False
    return not [*one.refers(), *other.refers()] and _whole(one) == _whole(other) and not other.label and not one.label


def _whole(item: Item) -> tuple[Any, ...]:
    options = tuple((name, str(value)) for name, value in item.options.items())
    branches = tuple(tuple((_whole(one), one.repeat) for one in branch) for branch in item.lists)
    return item.op, options, str(item.holds), branches, tuple(map(_whole, item.then)), str(item.times), id(item.block)
