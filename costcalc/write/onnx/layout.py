"""Operations in ONNX that move values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...ops.layout import axis_number
from ...ops.window import each, margins
from .builder import Builder, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model.wiring import Node
    from ...num.values import Shape


_METHODS = {"nearest": "nearest", "bilinear": "linear"}


def concat(b: Builder, node: Node, *values: Any) -> Value:
    """Concat, in the layout of the first branch."""
    alike = [b.like(value, values[0]) for value in values]
    axis = b.axis(alike[0], axis_number(alike[0].shape, node.options["axis"]))
    name = b.add("Concat", *(value.name for value in alike), axis=axis)
    return Value(name, node.row.layer.shape, alike[0].first)


def split(b: Builder, node: Node, x: Value) -> Any:
    """Slice for one of several equal parts."""
    at = axis_number(x.shape, node.options["axis"])
    size = x.shape[at] // node.options["parts"]
    return _cut(b, node, x, at, node.options["part"] * size, size)


def slice_(b: Builder, node: Node, x: Value) -> Any:
    """Slice."""
    at = axis_number(x.shape, node.options["axis"])
    return _cut(b, node, x, at, node.options["start"], node.options["size"])


def _cut(b: Builder, node: Node, x: Value, at: int, start: int, size: int) -> Any:
    name = b.add("Slice", x.name, b.ints(start), b.ints(start + size), b.ints(b.axis(x, at)))
    return Value(name, node.row.layer.shape, x.first)


def pad(b: Builder, node: Node, x: Value) -> Any:
    """Pad with zeros."""
    *space, _ = x.shape
    pads = [(0, 0)] * (len(space) + 2)
    for at, pair in enumerate(margins(node.options["padding"], space)):
        pads[b.axis(x, at)] = pair
    amounts = b.ints(*(before for before, _ in pads), *(after for _, after in pads))
    return Value(b.add("Pad", x.name, amounts), node.row.layer.shape, x.first)


def flatten(b: Builder, node: Node, x: Value) -> Value:
    """Flatten, in storage order."""
    return Value(b.add("Flatten", x.name, axis=1), node.row.layer.shape)


def reshape(b: Builder, node: Node, x: Value) -> Any:
    """Reshape."""
    return Value(b.reshape(x, node.row.layer.shape), node.row.layer.shape)


def permute(b: Builder, node: Node, x: Value) -> Any:
    """Transpose, without the batch."""
    order = [0, *(axis + 1 for axis in node.options["order"])]
    return Value(b.add("Transpose", b.last(x).name, perm=order), node.row.layer.shape)


def windows(b: Builder, node: Node, x: Value) -> Any:
    """Cut a grid into windows: split each axis in two and move the inner axes to the end."""
    *space, channels = x.shape
    window = each(node.options["size"], space)
    parts = [size for n, k in zip(space, window, strict=True) for size in (n // k, k)]
    count = len(space)
    order = [*range(1, 2 * count, 2), *range(2, 2 * count + 1, 2), 2 * count + 1]
    return _rearranged(b, node, x, (*parts, channels), order)


def space_to_depth(b: Builder, node: Node, x: Value) -> Any:
    """SpaceToDepth. Grids that are not images use reshape and transpose."""
    *space, channels = x.shape
    factor, shape = node.options["factor"], node.row.layer.shape
    if len(space) == 2:
        return Value(b.add("SpaceToDepth", b.first(x).name, blocksize=factor), shape, True)
    parts = [size for n in space for size in (n // factor, factor)]
    count = len(space)
    order = [*range(1, 2 * count, 2), *range(2, 2 * count + 1, 2), 2 * count + 1]
    return _rearranged(b, node, x, (*parts, channels), order)


def depth_to_space(b: Builder, node: Node, x: Value) -> Any:
    """DepthToSpace. Grids that are not images use reshape and transpose."""
    *space, channels = x.shape
    factor, shape, count = node.options["factor"], node.row.layer.shape, len(x.shape) - 1
    if count == 2:
        return Value(b.add("DepthToSpace", b.first(x).name, blocksize=factor, mode="CRD"), shape, True)
    parts = (*space, *[factor] * count, channels // factor**count)
    order = [axis for at in range(count) for axis in (1 + at, 1 + count + at)]
    return _rearranged(b, node, x, parts, [*order, 2 * count + 1])


def _rearranged(b: Builder, node: Node, x: Value, parts: Shape, order: Sequence[int]) -> Any:
    """Split axes, permute them, and merge them into the layer's shape."""
    moved = b.add("Transpose", b.reshape(x, parts), perm=[0, *order])
    shape = node.row.layer.shape
    return Value(b.add("Reshape", moved, b.ints(0, *shape)), shape)


def channel_shuffle(b: Builder, node: Node, x: Value) -> Any:
    """Channel shuffle: transpose the channels as a matrix of groups."""
    groups, channels = node.options["groups"], x.shape[-1]
    at = b.axis(x, len(x.shape) - 1)
    before, after = x.stored[1:at], x.stored[at + 1 :]
    table = b.add("Reshape", x.name, b.ints(0, *before, groups, channels // groups, *after))
    order = list(range(len(x.stored) + 1))
    order[at], order[at + 1] = at + 1, at
    turned = b.add("Transpose", table, perm=order)
    return Value(b.add("Reshape", turned, b.ints(0, *x.stored[1:])), x.shape, x.first)


def upsample(b: Builder, node: Node, x: Value) -> Value:
    """Resize to the size of the layer."""
    shape, x, method = node.row.layer.shape, b.first(x), node.options["method"]
    sizes = b.ints(*Value("", shape, True).stored)
    rule = {"nearest": ("asymmetric", "floor"), "bilinear": ("half_pixel", None)}[method]
    name = b.add(
        *("Resize", x.name, "", "", sizes),
        mode=_METHODS[method],
        coordinate_transformation_mode=rule[0],
        nearest_mode=rule[1],
    )
    return Value(name, shape, True)


RULES = {
    "concat": concat,
    "split": split,
    "slice": slice_,
    "pad": pad,
    "flatten": flatten,
    "permute": permute,
    **dict.fromkeys(("reshape", "tokens", "grid"), reshape),
    "windows": windows,
    "channel_shuffle": channel_shuffle,
    "upsample": upsample,
    **dict.fromkeys(("space_to_depth", "pixel_unshuffle"), space_to_depth),
    **dict.fromkeys(("depth_to_space", "pixel_shuffle"), depth_to_space),
}
