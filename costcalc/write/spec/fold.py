"""What is written several times, written once: `repeat` for runs of equal layers, blocks for runs of equal structure.

Two runs have the same structure if they differ in numbers only; those become the parameters of a block. The block that
saves most text comes first, until none saves any (Nevill-Manning and Witten 1997, arXiv:cs/9709102, with parameters).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .blocks import PER_ITEM, Block, Leaf, block_of, call_of, leaves_of
from .items import Item, is_number, walk
from .runs import Run, candidates

if TYPE_CHECKING:
    from ..torch.text import Style


MOST = 20_000  # items that are searched for blocks
ROUNDS = 40
NAMED = 2  # how much more the saving of a block is worth whose runs are levels of the names already
LEAST = 30  # characters that a block must save, for it is one more thing to read


def folded(items: list[Item], style: Any) -> tuple[list[Item], list[Block]]:
    """The items with repeats and calls, and the blocks that they call."""
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
    """A list and all lists inside it."""
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
    """How much the characters count that a block of these runs saves."""
    return NAMED if all(run.is_level for run in runs) else 1


def _most(runs: list[Run], sizes: Mapping[int, int]) -> int:
    """More than a block of these runs can save, by its worth."""
    saved = sum(sizes[id(item)] for run in runs[1:] for item in run.content)
    return _worth(runs) * (saved - LEAST - PER_ITEM * runs[0].size)


def _saving(block: Block, runs: list[Run], table: list[list[Leaf]], style: Style, sizes: Mapping[int, int]) -> int:
    """How many characters a block saves."""
    before = sum(sizes[id(item)] for run in runs for item in run.content)
    calls = Counter(tuple(str(leaves[at].value) for at in block.leaves) for leaves in table)
    after = sum(len(", ".join(call)) + 4 for call in calls) + len(block.name)
    return before - after - block.length(style) - LEAST


def _skeleton(item: Item, places: Mapping[int, int]) -> tuple[Any, ...]:
    """What an item is but for its numbers; names are how far away their layer is, by its place in the list."""
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
    """The list with runs of equal items as one that repeats."""
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
    """Unlearn the channels that flow into a layer which repeats, where they are not the same each time."""
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
