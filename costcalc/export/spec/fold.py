"""What is written several times, written once: `repeat` for runs of equal layers, blocks for runs of equal structure.

Two runs have the same structure if they differ in numbers only; those become the parameters of a block. The block that
saves most text comes first, until none saves any (Nevill-Manning and Witten 1997, arXiv:cs/9709102, with parameters).
"""

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from .blocks import Block, Term, block_of, call_of, levels_of
from .items import Item, is_number, walk

LONGEST = 40  # items of one block
MOST = 20_000  # items that are searched for blocks
ROUNDS = 40
NAMED = 2  # how much more the saving of a block is worth whose runs are levels of the names already
LEAST = 30  # characters that a block must save, for it is one more thing to read


class Run(NamedTuple):
    """A stretch of a list: the list, where it starts and how many items it has."""

    items: list
    start: int
    size: int

    @property
    def content(self):
        """The items."""
        return self.items[self.start : self.start + self.size]


def folded(items, style):
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


def lists_of(items):
    """A list and all lists inside it."""
    yield items
    for item in items:
        for inner in item.lists:
            yield from lists_of(inner)


def _best(items, blocks, style):
    lists = [*lists_of(items), *(one for block in blocks for one in lists_of(block.items))]
    if sum(map(len, lists)) > MOST:
        return None
    taken = {*(block.name for block in blocks), *style.words}
    sizes = {id(item): style.length(item) for one in lists for item in one}
    groups = [(_most(runs, sizes), runs) for runs in _candidates(lists)]
    best, most = None, 0
    for bound, runs in sorted(groups, key=lambda one: -one[0]):
        if bound * NAMED <= most:
            break
        block = block_of(runs, taken, style)
        saved = _saving(block, runs, style)
        saved *= NAMED if saved > most / NAMED and all(map(_is_level, runs)) else 1
        if saved > most:
            best, most = (block, runs), saved
    return best


def _most(runs, sizes):
    """More characters than a block of these runs can save."""
    return sum(sizes[id(item)] for run in runs[1:] for item in run.content)


def _saving(block, runs, style):
    """How many characters a block saves."""
    before = sum(style.length(item) for run in runs for item in run.content)
    calls = Counter(tuple(map(str, call_of(block, run.content).options.values())) for run in runs)
    after = sum(len(", ".join(call)) + 4 for call in calls) + len(block.name)
    return before - after - block.length(style) - LEAST


def _is_level(run):
    """Whether the layers of a run share a level of their names that those before and behind it do not have."""
    own = len(levels_of(run.content))
    around = [run.items[at] for at in (run.start - 1, run.start + run.size) if 0 <= at < len(run.items)]
    return own > 0 and all(len(levels_of([run.content[0], one])) < own for one in around)


def _candidates(lists):
    """Groups of runs of equal structure that do not overlap, the most promising first."""
    named = _readers(lists)
    keys: dict[Any, int] = {}
    found = defaultdict(list)
    for items in lists:
        places = {id(item): at for at, item in enumerate(items)}
        ids = [keys.setdefault(_skeleton(item, places), len(keys)) for item in items]
        for size in range(1, min(LONGEST, len(items)) + 1):
            for start in range(len(items) - size + 1):
                found[tuple(ids[start : start + size])].append(Run(items, start, size))
    for runs in found.values():
        if len(runs) > 1:
            apart = _apart([run for run in runs if _is_closed(run, named)])
            if len(apart) > 1 and (apart[0].size > 1 or apart[0].content[0].lists):
                yield apart


def _readers(lists):
    """Which items read an item by name."""
    named = defaultdict(set)
    for items in lists:
        for item in items:
            for other in item.refers():
                named[id(other)].add(id(item))
    return named


def _is_closed(run, named):
    """Whether the names in a run are those of the run alone, and it starts from what flows in."""
    inside = {id(item) for item in walk(run.content)}
    for item in run.content:
        if any(_has_term(value) for one in walk([item]) for value in (*one.options.values(), one.repeat)):
            return False  # it is of one block only
        if any(type(other) is not str and id(other) not in inside for other in item.refers()):
            return False
        if named[id(item)] - inside:
            return False
    return True


def _has_term(value):
    return any(map(_has_term, value)) if type(value) is tuple else type(value) is Term


def _apart(runs):
    """The runs that do not overlap, from the left; those that are levels of the names first."""
    found, taken = [], set()
    for run in sorted(runs, key=lambda run: not _is_level(run)):
        places = {(id(run.items), at) for at in range(run.start, run.start + run.size)}
        if not places & taken:
            found.append(run)
            taken |= places
    return found


def _skeleton(item, places):
    """What an item is but for its numbers; names are how far away their layer is, by its place in the list."""
    at = places[id(item)]

    def of(one):
        if type(one) is str:
            return one
        return at - places[id(one)] if id(one) in places else "outside"

    return _shape(item, of)


def _shape(item, of):
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


def _number(value):
    return f"#{len(value)}" if type(value) is tuple else "#"


def _repeated(items):
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


def _forget(last, item):
    """Unlearn the channels that flow into a layer which repeats, where they are not the same each time."""
    for one, other in zip(walk([last]), walk([item]), strict=True):
        if one.channels != other.channels:
            one.channels = None


def _is_equal(one, other):
    if type(one.repeat) is not int or type(other.repeat) is not int:
        return False
    return not [*one.refers(), *other.refers()] and _whole(one) == _whole(other) and not other.label and not one.label


def _whole(item):
    options = tuple((name, str(value)) for name, value in item.options.items())
    branches = tuple(tuple((_whole(one), one.repeat) for one in branch) for branch in item.lists)
    return item.op, options, str(item.holds), branches, tuple(map(_whole, item.then)), str(item.times), id(item.block)
