"""Building blocks of brute-force runs: tensors as {index: value}, and the tally of all work.

Also enumerates the windows that slide over a grid. Windows may extend beyond the grid: coordinates below 0 or past the
end are padding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple, TypeAlias

Shape: TypeAlias = tuple[Any, ...]  # the sizes of a tensor per sample, channels last


MACS = ("mac", "mac_attention", "mac_masked")


class Impossible(Exception):
    """The operation cannot be performed on these tensors with these options."""


class Counted(NamedTuple):
    """The counts of a run of an operation."""

    shape: tuple  # measured on the result, channels last
    params: Mapping[str, int]  # kind -> number of parameters: weight, bias, gamma, beta, slope, running
    terms: Mapping[str, int]  # quantity -> count: mac, bias, activate, compare, move, ..
    unknown: tuple = ()  # unknown quantities

    @property
    def macs(self) -> dict[str, int]:
        """Multiply-adds by quantity: mac, mac_attention, mac_masked."""
        return {name: self.terms.get(name, 0) for name in MACS}


class Tally:
    """Counts the parameters and the work of an operation, one at a time."""

    def __init__(self) -> None:
        self.params: Counter = Counter()
        self.terms: Counter = Counter()
        self.unknown: tuple = ()

    def parameters(self, kind: str, *shape: Any) -> dict[tuple[int, ...], float]:
        """A tensor of parameters."""
        made = {}
        for number, index in enumerate(box(shape)):
            made[index] = value_of(number + 5)
            self.params[kind] += 1
        return made

    def mac(self, total: float, a: Any, b: float, quantity: str = "mac") -> float:
        """total + a * b: one multiply-add."""
        self.terms[quantity] += 1
        return total + a * b

    def outside(self, whose: Any = 0) -> float:
        """A value outside all tensors: padding of an input, or an initial state (`whose`)."""
        return 0.0

    def pair(self, a: float, b: float) -> float:
        """a * b, used as one operand of a multiply-add with three factors."""
        return a * b

    def apply(self, function: Callable[[float], float], value: float) -> float:
        """Apply a function to a number."""
        return function(value)

    def did(self, quantity: str, value: Any = None) -> float:
        """Count one unit of work; return `value`."""
        self.terms[quantity] += 1
        return value


def value_of(number: int) -> float:
    """A small nonzero value, exact in binary, for the number-th element of a tensor."""
    return ((number * 7 + 3) % 11 - 5.5) / 4


def box(sizes: Any) -> Iterator[Any]:
    """Every index of a tensor with these sizes, last axis fastest."""
    return product(*(range(size) for size in sizes))


def tensor(shape: Shape) -> dict[tuple[int, ...], float]:
    """A tensor of that shape with a value at every index."""
    return {index: value_of(number) for number, index in enumerate(box(shape))}


def shape_of(values: Mapping[tuple[int, ...], float]) -> Shape:
    """The shape of a tensor, measured on its indices. Raises Impossible if an index is missing."""
    if len({len(index) for index in values}) != 1:
        raise Impossible("not one tensor: its indices have different lengths")
    sizes = tuple(max(axis) + 1 for axis in zip(*values, strict=True))
    if set(box(sizes)) != values.keys():
        raise Impossible(f"not a full tensor of {sizes}")
    return sizes


def grid_of(values: Mapping[tuple[int, ...], float]) -> tuple[tuple[int, ...], int]:
    """(sizes of the grid, channels) of a tensor with at least one spatial axis. Raises Impossible."""
    *space, channels = shape_of(values)
    if not space:
        raise Impossible("a plain vector has no grid")
    return tuple(space), channels


def at(x: Mapping[tuple[int, ...], float], *index: int) -> float:
    """The value of a tensor at an index. Raises Impossible if there is none."""
    if index not in x:
        raise Impossible(f"nothing at {index}")
    return x[index]


def share_out(total: int, parts: int) -> int:
    """total / parts. Raises Impossible if there is a remainder."""
    if total % parts:
        raise Impossible(f"{total} cannot be shared out evenly among {parts}")
    return total // parts


def per_axis(value: Any, rank: int) -> tuple[int | tuple[int, ...], ...]:
    """One value for each of `rank` axes; a single value is repeated."""
    values = value if isinstance(value, tuple) else (value,) * rank
    if len(values) != rank:
        raise Impossible(f"{len(values)} values for {rank} axes")
    return values


def both_sides(padding: Any, rank: int) -> tuple[tuple[int, ...], ...]:
    """(before, after) for each of `rank` axes; a single number applies to both sides."""
    pairs = tuple(one if isinstance(one, tuple) else (one, one) for one in per_axis(padding, rank))
    if any(len(pair) != 2 for pair in pairs):
        raise Impossible("an axis has two sides")
    return pairs


def windows(
    space: Shape,
    kernel: int | Shape,
    stride: int | Shape,
    padding: int | str | tuple[int | tuple[int, ...], ...],
    dilation: int | tuple[int, ...],
    ceil_mode: bool = False,
) -> Iterator[tuple[tuple[int, ...], list[tuple[tuple[int, ...], ...]]]]:
    """Yield (output position, [(kernel tap, input coordinates)]) for every window."""
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
    """The start positions of windows for every axis of the grid."""
    rank = len(space)
    spans = [last + 1 for last in last_taps(per_axis(kernel, rank), per_axis(dilation, rank))]
    steps = per_axis(stride, rank)
    if padding == "same":
        return [same_starts(n, span, step) for n, span, step in zip(space, spans, steps, strict=True)]
    sides = both_sides(0 if padding == "valid" else padding, rank)
    slide: Callable[..., list[int]] = _hanging_starts if ceil_mode else _fitting_starts
    return [slide(n, span, step, *pair) for n, span, step, pair in zip(space, spans, steps, sides, strict=True)]


def last_taps(kernel: Shape, dilation: Any) -> list[int]:
    """The distance from the first to the last tap of a kernel, for every axis."""
    return [list(range(0, size * gap, gap))[-1] for size, gap in zip(kernel, dilation, strict=True)]


def same_starts(n: int, span: int, step: Any) -> list[int]:
    """Window starts of TensorFlow's `SAME`: one window per `step` values, padded as far as the last window needs.

    If the padding is odd, the extra position goes at the end.
    """
    anchors = list(range(0, n, step))
    lacking = max(anchors[-1] + span - n, 0)
    return [anchor - lacking // 2 for anchor in anchors]


def _fitting_starts(n: int, span: int, step: int, before: int, after: int) -> list[int]:
    """Starts of the windows that fit in the padded line."""
    starts, start = [], -before
    while start + span <= n + after:
        starts.append(start)
        start += step
    return _some(starts)


def _hanging_starts(n: int, span: int, step: int, before: int, after: int) -> list[int]:
    """Window starts with `ceil_mode`: windows may extend past the end (torch.nn.MaxPool2d).

    A window is added while values remain after the end of the previous one. A window that would start in the right
    padding is dropped.
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
    """The corners of the blocks that tile a grid; `sizes` holds (grid size, block size) per axis."""
    return product(*(range(0, n, k) for n, k in sizes))
