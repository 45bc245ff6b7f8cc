"""A better order of the branches between one tensor and the operation that joins them.

All orders of up to MOST branches are tried one by one where that is little work. Of more branches, each is tried as
the last one, which may free what they all read, behind the others in the order that is best while it stays (Liu 1987,
for trees). The tensors of a general graph have no order that is known to be the best in reasonable time, so this one is
called better, not the best.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

from ...model.lives import Lives
from ...model.rows import Trace
from ...records import NamedTuple

MOST = 6  # branches of one join of which all orders are tried
WORK = 200_000  # rows that are looked at over all orders tried


class Order(NamedTuple):
    """Which branches run in which order: their last layers; and the peak that this gives."""

    join: str
    branches: tuple[str, ...]
    peak_bytes: int


class _Fork(NamedTuple):
    """The branches that end in one row, each a stretch of rows next to the one before it."""

    join: int
    stretches: tuple[range, ...]


def better_order(lives: Lives) -> Order | None:
    """The order of one join's branches with the lowest peak, if it is below that of the schedule."""
    peak, best = max(lives.live, default=0), None
    at = lives.live.index(peak) if lives.live else 0
    work = WORK
    for fork in _forks(lives.walked, at):
        for order in _orders(lives, fork):
            work -= len(lives.walked.rows)
            if work < 0:
                return best
            found = max(Lives(_reordered(lives.walked, fork, order), lives.storage).live)
            if found < (best.peak_bytes if best else peak):
                names = tuple(lives.walked.rows[stretch[-1]].name for stretch in order)
                best = Order(lives.walked.rows[fork.join].name, names, found)
    return best


def _forks(walked: Trace, at: int) -> Iterator[_Fork]:
    """The forks with at least two branches that a row is in, innermost first."""
    for join in range(at, len(walked.rows)):
        fork = _fork(walked, join)
        if fork and fork.stretches[0][0] <= at:
            yield fork


def _fork(walked: Trace, join: int) -> _Fork | None:
    ends = sorted({made for made in walked.rows[join].sources if type(made) is int})
    if len(ends) < 2 or ends[-1] != join - 1:
        return None
    stretches: list[range] = []
    entries: set[Any] = set()
    for end, before in zip(reversed(ends), [*reversed(ends[:-1]), None], strict=True):
        if end in entries:  # what the branches read is joined itself
            break
        entry = next(iter(entries), -1)
        first, outside = _stretch(walked, end, before if before is not None else entry if type(entry) is int else -1)
        if (before is not None and before not in entries and first != before + 1) or len(outside) != 1:
            return None
        stretches.append(range(first, end + 1))
        entries |= outside
    if len(stretches) < 2 or len(entries) > 1 or _is_read_later(walked, stretches, join):
        return None
    return _Fork(join, tuple(reversed(stretches)))


def _orders(lives: Lives, fork: _Fork) -> Iterator[Sequence[range]]:
    if len(fork.stretches) <= MOST:
        yield from permutations(fork.stretches)
        return
    ruled = _by_rule(lives, fork)
    yield from ([one for one in ruled if one != last] + [last] for last in ruled)


def _by_rule(lives: Lives, fork: _Fork) -> list[range]:
    """The branches by the bytes that each needs at most beyond those that it leaves, the most first."""
    held, beyond = 0, dict[range, int]()
    for stretch in fork.stretches:
        buffer = lives.buffer(stretch[-1])
        left = buffer.size if buffer else 0
        beyond[stretch] = max(lives.live[stretch.start : stretch.stop]) - held - left
        held += left
    return sorted(fork.stretches, key=lambda stretch: -beyond[stretch])


def _stretch(walked: Trace, end: int, before: int) -> tuple[int, set[Any]]:
    """(first row, what is read from outside) of the rows that lead to one: those that it needs, next to each other."""
    needed, first, outside = {end}, end, set[Any]()
    for number in range(end, before, -1):
        if number not in needed:
            break
        first = number
        needed |= {made for made in walked.rows[number].sources if type(made) is int}
    inside = range(first, end + 1)
    for number in inside:
        outside |= {made for made in walked.rows[number].sources if made is not None and made not in inside}
    return first, outside


def _is_read_later(walked: Trace, stretches: Sequence[range], join: int) -> bool:
    """Whether something but the join reads what is inside the branches: then they are no branches."""
    inside = range(stretches[-1][0], join)
    later = (made for row in walked.rows[join + 1 :] for made in row.sources if type(made) is int)
    return any(made in inside for made in later)


def _reordered(walked: Trace, fork: _Fork, order: Sequence[range]) -> Trace:
    """The same walk with the branches in another order."""
    first = fork.stretches[0][0]
    numbers = [*range(first), *(at for stretch in order for at in stretch), *range(fork.join, len(walked.rows))]
    new = {old: number for number, old in enumerate(numbers)}
    rows = [walked.rows[old] for old in numbers]
    rows = [row._replace(sources=tuple(new.get(made, made) for made in row.sources)) for row in rows]
    return walked._replace(rows=rows, source=new.get(walked.source, walked.source))
