"""The memory planner: assigns every buffer an offset in one contiguous arena, deterministically.

Buffers are placed largest first, with ties broken by first use, then by writing order. Each goes to the lowest offset
that is free during its whole lifetime. A vendor's allocator may need less or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..allowance import spend
from ..records import NamedTuple

STRETCH = 64  # rows in a stretch; most buffers live for fewer


class Span(NamedTuple):
    """A buffer to place: its size in bytes, and the first and last row that need it."""

    size: int
    first: int
    last: int


def planned(spans: Sequence[Span]) -> list[int]:
    """The offset of each buffer, in the order given."""
    order = sorted(range(len(spans)), key=lambda at: (-spans[at].size, spans[at].first, at))
    offsets = [0] * len(spans)
    placed: dict[int, list[int]] = {}  # stretch of rows -> the buffers that live in it
    for at in order:
        span = spans[at]
        stretches = range(span.first // STRETCH, span.last // STRETCH + 1)
        near = {other for stretch in stretches for other in placed.get(stretch, ())}
        spend(1 + len(near) // 8)
        around = ((offsets[other], spans[other].size) for other in near if _meet(span, spans[other]))
        offsets[at] = _lowest(span.size, sorted(around))
        for stretch in stretches:
            placed.setdefault(stretch, []).append(at)
    return offsets


def _meet(one: Span, other: Span) -> bool:
    return one.first <= other.last and other.first <= one.last


def _lowest(size: int, taken: Sequence[tuple[int, int]]) -> int:
    """The lowest offset with `size` free bytes; `taken` holds (offset, size) pairs sorted by offset."""
    start = 0
    for offset, length in taken:
        if start + size <= offset:
            return start
        start = max(start, offset + length)
    return start


def arena(ends: Sequence[tuple[int, int]], sizes: Sequence[Any]) -> Any:
    """The bytes of the arena for buffers with these sizes and (first row, last row) lifetimes."""
    spans = [Span(size, first, last) for size, (first, last) in zip(sizes, ends, strict=True)]
    offsets = planned(spans)
    return max((offset + span.size for offset, span in zip(offsets, spans, strict=True)), default=0)
