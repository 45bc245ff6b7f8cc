"""Operators that split, slice, broadcast, repeat, pad or crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....errors import Refused
from ....num import floor_div, maximum, minimum
from ....num.polynomials import Dim
from ..node import Node, Unknown, axis
from ..tensors import Outputs, Tensor
from . import rule
from .linear import broadcast

if TYPE_CHECKING:
    from ....num.values import Shape


@rule("Split")
def split(node: Node) -> list[Tensor]:
    """Split along an axis, into given sizes or as evenly as possible."""
    x = node.need(0)
    at = axis(node.get("axis", 0), len(x.shape))
    sizes = node.sizes(1, "split")
    if sizes is None:
        parts = node.get("num_outputs", node.outputs)
        each = -floor_div(-1 * x.shape[at], parts) if isinstance(x.shape[at], Dim) else -(-x.shape[at] // parts)
        sizes = [each] * (parts - 1) + [x.shape[at] - each * (parts - 1)]
    if any(isinstance(size, int) and size < 0 for size in sizes):
        raise Refused(f"its parts cannot have the sizes {list(sizes)}")
    if len(sizes) != node.outputs:
        raise Refused(f"{len(sizes)} parts do not match {node.outputs} outputs")
    node.same(sum(sizes), x.shape[at], "parts of {} in all are cut from an axis of {}")
    shapes = [(*x.shape[:at], size, *x.shape[at + 1 :]) for size in sizes]
    node.passive(x.shape, x.first)
    return [Tensor(shape, None, x.roots, x.first) for shape in shapes]


@rule("Slice")
def slice_(node: Node) -> list[Tensor]:
    """Slice: starts, ends, axes, steps; attributes before version 10."""
    x = node.need(0)
    inputs = len(node.inputs) > 1
    starts, ends = node.sizes(1 if inputs else None, "starts"), node.sizes(2 if inputs else None, "ends")
    axes = node.sizes(3 if inputs else None, "axes") or range(len(starts))
    steps = (node.sizes(4) if inputs else None) or [1] * len(starts)
    shape = list(x.shape)
    for start, end, at, step in zip(starts, ends, axes, steps, strict=True):
        at = axis(at, len(shape))
        shape[at] = sliced(x.shape[at], start, end, step)
    y = Tensor(tuple(shape), None, x.roots, x.first)
    if y.shape != x.shape:
        node.passive(y.shape, y.first)
    return [y]


def sliced(size: int, start: int, end: int, step: int) -> Any:
    """Number of elements that `start:end:step` selects from an axis."""
    if isinstance(step, Dim) or step == 0:
        raise Unknown
    if step < 0:
        start, end = _clamped(start, size, -1), _clamped(end, size, -1)
        count = floor_div(start - end - step - 1, -step)
    else:
        start, end = _clamped(start, size, 0), _clamped(end, size, 0)
        count = floor_div(end - start + step - 1, step)
    return maximum(count, 0) if not isinstance(count, Dim) else count


def _clamped(at: int, size: int, low: int) -> int:
    """Normalize a negative index and limit it to the axis."""
    if isinstance(at, Dim):
        return at if at == size else minimum(at, size + low)
    if at < 0:
        at = at + size
        return at if isinstance(at, Dim) else max(at, low)
    if isinstance(size, Dim):
        return size + low if at >= 2**31 - 1 else minimum(at, size + low) if at else at
    return min(at, size + low)


@rule("Expand")
def expand(node: Node) -> list[Tensor]:
    """Expand: broadcast to a shape."""
    x, wanted = node.need(0), node.sizes(1)
    shape = broadcast(x.shape, wanted)
    if shape != x.shape:
        node.passive(shape, x.first and len(shape) == len(x.shape))
    return [Tensor(shape, None, x.roots, x.first and len(shape) == len(x.shape))]


@rule("Tile")
def tile(node: Node) -> Outputs:
    """Tile: repeat along each axis."""
    x, repeats = node.need(0), node.sizes(1)
    shape = tuple(size * n for size, n in zip(x.shape, repeats, strict=True))
    node.passive(shape, x.first)
    return [Tensor(shape, None, x.roots, x.first)]


@rule("Pad")
def pad(node: Node) -> list[Tensor]:
    """Pad: values before and after each axis; attributes before version 11."""
    x = node.need(0)
    pads = node.sizes(1, "pads" if node.get("pads") else "paddings")
    axes = node.sizes(3) or range(len(x.shape))
    shape, half = list(x.shape), len(pads) // 2
    for at, before, after in zip(axes, pads[:half], pads[half:], strict=True):
        shape[axis(at, len(shape))] += before + after
    if shape != list(x.shape):
        _padded(node, x, shape, {axis(at, len(shape)): (pads[n], pads[half + n]) for n, at in enumerate(axes)})
    return [Tensor(tuple(shape), None, x.roots, x.first)]


def _padded(node: Node, x: Tensor, shape: list[int], pads: Mapping[int, Shape]) -> None:
    """Add a `pad` step for padding of the grid. Negative padding, or of other axes, is a passive step."""
    rank = len(shape)
    around = [pads.get(at, (0, 0)) for at in range(rank)]
    grid = range(2, rank) if x.first else range(1, rank - 1)
    seen, times = node.seen(x)
    plain = all(type(one) is int and one >= 0 for pair in around for one in pair)
    if not plain or len(seen) != rank - 1 or rank < 3 or any(around[at] != (0, 0) for at in {*range(rank)} - {*grid}):
        node.passive(shape, x.first)
    else:
        node.emit("pad", seen, times=times, follows=True, padding=tuple(around[at] for at in grid))


@rule("CenterCropPad")
def crop(node: Node) -> Outputs:
    """CenterCropPad: axes cropped or padded to given sizes."""
    x = node.need(0)
    shape = list(x.shape)
    for at, size in zip(node.get("axes") or range(len(shape)), node.sizes(1), strict=True):
        shape[axis(at, len(shape))] = size
    node.passive(shape, x.first)
    return [Tensor(tuple(shape), None, x.roots, x.first)]
