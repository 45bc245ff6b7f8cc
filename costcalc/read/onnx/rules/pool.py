"""Pooling and resizing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....errors import Refused
from ....num import floor
from ....num.polynomials import Dim
from ....ops.window import slide
from ..node import Node, Unknown, grid
from ..tensors import Outputs, Tensor, sizes
from . import rule
from .conv import result, window

if TYPE_CHECKING:
    from ....num.values import Shape


@rule("MaxPool", "AveragePool", "LpPool", "QLinearAveragePool")
def pool(node: Node) -> list[Tensor]:
    """Pooling over a sliding window."""
    kernel = tuple(node.get("kernel_shape") or ())
    batch, channels, space = grid(node.need(0))
    if len(kernel) != len(space) or min(kernel) < 1:
        raise Refused(f"a kernel of {list(kernel)} on a grid of {len(space)} axes")
    options = {**window(node, kernel), "ceil_mode": bool(node.get("ceil_mode", 0))}
    if _is_common(node.op, kernel, options):
        ours = {"MaxPool": "maxpool", "LpPool": "lppool"}.get(node.op, "avgpool")
        if ours != "maxpool":
            del options["dilation"]
        layer = node.emit(ours, (*space, channels), times=batch, kernel=kernel, **options)
        return [result(batch, layer)] * node.outputs
    shape = (batch, channels, *slide(space, kernel, **options))
    node.passive(shape, first=True)
    return [Tensor(shape, first=True)] * node.outputs


def _is_common(op: str, kernel: Shape, options: Mapping[str, Any]) -> bool:
    """Whether our pooling supports it: dilation for a maximum only, and no window entirely in the padding."""
    dilated = op != "MaxPool" and any(one != 1 for one in options["dilation"])
    pads = () if type(options["padding"]) is str else zip(kernel, options["padding"], strict=True)
    return not dilated and all(2 * side <= k for k, pair in pads for side in pair)


@rule("GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool", "QLinearGlobalAveragePool")
def global_pool(node: Node) -> list[Tensor]:
    """Pooling over the whole grid."""
    batch, channels, space = grid(node.need(0))
    ours = {"GlobalMaxPool": "maxpool", "GlobalLpPool": "lppool"}.get(node.op, "avgpool")
    return [result(batch, node.emit(ours, (*space, channels), times=batch, kernel="global"))]


@rule("Resize", "Upsample")
def resize(node: Node) -> list[Tensor | Shape]:
    """Resize to a size or by factors, given as inputs or, in Upsample before version 9, as an attribute."""
    x = node.need(0)
    target = _target(node, x)
    method = "nearest" if node.get("mode", "nearest") == "nearest" else "bilinear"
    if len(target) > 2 and target[:2] == tuple(x.shape[:2]):
        (batch, channels, *space), grid_after = x.shape, target[2:]
        layer = node.emit("upsample", (*space, channels), times=batch, to=grid_after, method=method)
        return [result(batch, layer)]
    seen, times = node.seen(Tensor(target))
    node.emit("upsample", (*node.seen(x)[0], 1), times=times, to=seen, method=method)
    return [target]


def _target(node: Node, x: Any) -> tuple[int, ...]:
    """Sizes after a Resize: from `sizes`, or floor(size * factor)."""
    old = node.version < 10 or node.op == "Upsample" or (len(node.inputs) < 3 and node.version < 11)
    given = None if old else node.input(3)
    factors = node.input(1 if old else 2)
    axes = tuple(axis % len(x.shape) for axis in node.get("axes") or range(len(x.shape)))
    if given is not None and given.shape != (0,):
        new = _in_ratio(node, [x.shape[axis] for axis in axes], node.sizes(3))
    else:
        scale = factors.value if factors is not None else node.get("scales")
        if scale is None or any(isinstance(one, Dim) for one in scale):
            raise Unknown
        new = tuple(floor(x.shape[axis] * one) for axis, one in zip(axes, scale, strict=True))
    target = list(x.shape)
    for axis, size in zip(axes, new, strict=True):
        target[axis] = size
    return tuple(target)


def _in_ratio(node: Node, old: list[int], new: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes that keep the aspect ratio if requested: one side as given, the others not larger or not smaller."""
    policy = node.get("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return new
    if any(isinstance(size, Dim) for size in (*old, *new)):
        raise Unknown
    choose = min if policy == "not_larger" else max
    to, of = choose(zip(new, old, strict=True), key=lambda pair: pair[0] / pair[1])
    return tuple((2 * size * to + of) // (2 * of) for size in old)


@rule("RoiAlign", "MaxRoiPool")
def roi(node: Node) -> list[Tensor]:
    """Pooling of regions to a fixed grid: x, regions."""
    x, regions = node.need(0), node.need(1)
    height, width = node.get("pooled_shape") or (node.get("output_height", 1), node.get("output_width", 1))
    shape = (regions.shape[0], x.shape[1], height, width)
    node.passive(shape, first=True)
    return [Tensor(shape, first=True)]


@rule("MaxUnpool")
def unpool(node: Node) -> Outputs:
    """Inverse of MaxPool, to the output shape or to the inferred size of the original grid."""
    shape = sizes(node.input(2)) if node.input(2) is not None else None
    if shape is None:
        batch, channels, space = grid(node.need(0))
        kernel, options = node.get("kernel_shape"), window(node, node.get("kernel_shape"))
        pads = options["padding"]
        axes = zip(space, kernel, options["stride"], pads, strict=True)
        shape = (batch, channels, *((n - 1) * s + k - before - after for n, k, s, (before, after) in axes))
    node.passive(shape, first=True)
    return [Tensor(tuple(shape), first=True)]


@rule("GridSample", "AffineGrid", "Col2Im")
def sampled(node: Node) -> list[Tensor]:
    """Values read at given positions: GridSample (x, positions), AffineGrid (theta, size), Col2Im (x, size, block)."""
    x = node.need(0)
    if node.op == "GridSample":
        shape = (*x.shape[:2], *node.need(1).shape[1:-1])
    elif node.op == "AffineGrid":
        batch, _, *space = node.sizes(1)
        shape = (batch, *space, len(space))
    else:
        block = node.sizes(2)
        channels = x.shape[1]
        for size in block:
            channels = channels // size
        shape = (x.shape[0], channels, *node.sizes(1))
    node.passive(shape, first=node.op != "AffineGrid")
    return [Tensor(shape, first=node.op != "AffineGrid")]
