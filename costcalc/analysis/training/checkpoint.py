"""Checkpointed blocks: they keep what flows in, and are computed again in the backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from ...errors import OptionError, Problem, nearest
from ...metrics.saved import Keeping, Kept
from ...metrics.walk import Walk
from ...model.rows import Row
from ...records import NamedTuple


class Checkpointed(NamedTuple):
    """What rows keep with some blocks checkpointed.

    rows    what each row keeps: of a checkpointed block, its first row keeps what flows into the block
    again   the numbers of the rows that are computed again
    inside  bytes that the largest of the blocks keeps while its gradients are computed
    """

    rows: list[Kept]
    sizes: dict[Any, Any]
    again: frozenset[int]
    inside: int


def checkpointed(walk: Walk, kept: Keeping, patterns: Sequence[str]) -> Checkpointed:
    """What rows keep with the blocks of these names or patterns checkpointed. Raises OptionError for no block."""
    blocks = _blocks(walk.rows, patterns)
    rows = list(kept.rows)
    needs = walk.needs
    active = [numbers for numbers in blocks if any(needs[number].output for number in numbers)]
    for numbers in active:
        for number in numbers:
            rows[number] = Kept((), 0)
        rows[numbers[0]] = Kept(_flowing(walk, kept, numbers), 0)
    outside = {key for one in rows for key in one.storages}
    inside = [_inside(kept, numbers, outside) for numbers in active]
    again = frozenset(number for numbers in active for number in numbers)
    return Checkpointed(rows, kept.sizes, again, max(inside, default=0))


def _inside(kept: Keeping, numbers: Sequence[int], outside: set) -> int:
    """Bytes that a block keeps besides what is kept outside of it."""
    keys = {key for number in numbers for key in kept.rows[number].storages} - outside
    return sum((kept.sizes[key] for key in keys), sum(kept.rows[number].own for number in numbers))


def _flowing(walk: Walk, kept: Keeping, numbers: Sequence[int]) -> tuple[Any, ...]:
    """The storages that flow into a block from outside."""
    own = {*numbers}
    sources = [source for number in numbers for source in walk.root.rows[number].sources if source not in own]
    found = [kept.at[source] if type(source) is int else source for source in sources]
    return tuple(key for key in dict.fromkeys(found) if key is not None and key in kept.sizes)


def _blocks(rows: Sequence[Row], patterns: Sequence[str]) -> list[list[int]]:
    """The numbers of the rows of each block that a pattern means; of blocks inside each other, the outer one."""
    found: dict[str, list[int]] = {}
    met = set()
    for number, row in enumerate(rows):
        path = row.frame.path
        for depth in range(1, len(path) + 1):
            name = "/".join(path[:depth])
            hits = [one for one in patterns if one.count("/") == depth - 1 and fnmatchcase(name, one)]
            met |= {*hits}
            if hits:
                found.setdefault(name, []).append(number)
                break
    missing = [one for one in patterns if one not in met]
    if missing:
        tops = list(dict.fromkeys(row.frame.path[0] for row in rows))
        help = nearest(missing[0], tops) or "`costcalc analyze SPEC --by block` lists them"
        raise OptionError(Problem("unknown-layer", f"no block is called `{missing[0]}`", help=help))
    return list(found.values())
