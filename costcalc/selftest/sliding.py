"""How a window slides over a grid, one start after the other.

Margins and windows may lie outside the grid: coordinates below 0 or past the end are padding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

from .tally import Impossible, both_sides, box, per_axis

if TYPE_CHECKING:
    from .tally import Shape


def windows(
    space: Shape,
    kernel: int | Shape,
    stride: int | Shape,
    padding: int | str | tuple[int | tuple[int, ...], ...],
    dilation: int | tuple[int, ...],
    ceil_mode: bool = False,
) -> Iterator[tuple[tuple[int, ...], list[tuple[tuple[int, ...], ...]]]]:
    """(position in the output, [(tap of the kernel, coordinates in the input)]) of every window."""
    rank = len(space)
    kernel = per_axis(kernel, rank)
    starts = starts_of(space, kernel, stride, padding, dilation, ceil_mode)
    spread = per_axis(dilation, rank)
    for position in box([len(axis) for axis in starts]):
        corner = [axis[at] for axis, at in zip(starts, position, strict=True)]
        yield position, [(tap, _reach(corner, tap, spread)) for tap in box(kernel)]


def _reach(corner: list[int], tap: tuple[int, ...], spread: Any) -> tuple[int, ...]:
    return tuple(start + at * gap for start, at, gap in zip(corner, tap, spread, strict=True))


def starts_of(
    space: Shape,
    kernel: Shape,
    stride: int | Shape,
    padding: int | str | tuple[int | tuple[int, ...], ...],
    dilation: int | tuple[int, ...],
    ceil_mode: bool = False,
) -> list[list[int]]:
    """Where windows start, for every axis of the grid."""
    rank = len(space)
    spans = [last + 1 for last in last_taps(per_axis(kernel, rank), per_axis(dilation, rank))]
    steps = per_axis(stride, rank)
    if padding == "same":
        return [same_starts(n, span, step) for n, span, step in zip(space, spans, steps, strict=True)]
    sides = both_sides(0 if padding == "valid" else padding, rank)
    slide: Callable[..., list[int]] = _hanging_starts if ceil_mode else _fitting_starts
    return [slide(n, span, step, *pair) for n, span, step, pair in zip(space, spans, steps, sides, strict=True)]


def last_taps(kernel: Shape, dilation: Any) -> list[int]:
    """How far the last tap of a kernel is from its first, for every axis."""
    return [list(range(0, size * gap, gap))[-1] for size, gap in zip(kernel, dilation, strict=True)]


def same_starts(n: int, span: int, step: Any) -> list[int]:
    """Starts of TensorFlow's `SAME`: a window for every step-th value, padded by what the last one lacks.

    The odd one of the padding goes behind.
    """
    anchors = list(range(0, n, step))
    lacking = max(anchors[-1] + span - n, 0)
    return [anchor - lacking // 2 for anchor in anchors]


def _fitting_starts(n: int, span: int, step: int, before: int, after: int) -> list[int]:
    """Starts of the windows that lie wholly in the padded line."""
    starts, start = [], -before
    while start + span <= n + after:
        starts.append(start)
        start += step
    return _some(starts)


def _hanging_starts(n: int, span: int, step: int, before: int, after: int) -> list[int]:
    """Starts with `ceil_mode`: windows may hang over the end (torch.nn.MaxPool2d).

    A window is opened while a value is left behind the end of the one before; what starts in the right padding
    is ignored.
    """
    starts, start = [], -before
    while start - step + span < n + after and start < n:
        starts.append(start)
        start += step
    return _some(starts)


def _some(starts: list[int]) -> list[int]:
    if not starts:
        raise Impossible("not one window fits")
    return starts


def corners(sizes: Iterable[Any]) -> Iterator[Any]:
    """Coordinates of the blocks that tile a grid: pairs of (sizes of the grid, sizes of the block)."""
    return product(*(range(0, n, k) for n, k in sizes))
