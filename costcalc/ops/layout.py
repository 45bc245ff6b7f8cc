"""Operations that move values, without parameters or mult-adds."""

from collections.abc import Iterable
from typing import Any

from ..errors import Refused
from ..num import equal, floor, floor_div, prod, require
from ..num.values import Number
from .base import Layer, op
from .kinds import Axis, Branches, Count, Interpolation, Order, Padding, Scale, Shape, Sides, Size, Steps
from .window import each, grid_of, margins, sum_of

_NAMES = {  # rank -> names of the axes before the channels
    2: (("length", "tokens"),),
    3: (("height",), ("width",)),
    4: (("depth",), ("height",), ("width",)),
}


def axis_number(x: Any, axis: Any) -> Any:
    """The number of an axis of shape `x`, given by name or number."""
    if axis in ("channels", "features"):
        return len(x) - 1
    if type(axis) is str:
        for number, names in enumerate(_NAMES.get(len(x), ())):
            if axis in names:
                return number
        raise Refused(f"a tensor of rank {len(x)} has no axis `{axis}`", "axis")
    if axis >= len(x):
        raise Refused(f"axis {axis} is past the last of {len(x)} axes (the first is 0)", "axis")
    return axis


def _moved(shape: Iterable[Number]) -> Layer:
    shape = tuple(shape)
    return Layer(shape=shape, terms={"move": prod(shape)})


@op("concat", empty=True)
def concat(x: Shape, inputs: Branches, *, axis: Axis = "channels") -> Layer:
    """Concatenates branches along an axis. torch.cat.

    (.., A), (.., B) -> (.., A + B).

    Example: concat: [[{conv: 1x1, out: 64}], [{conv: 3x3, out: 128}]]
    """
    if not inputs:
        raise Refused("concat joins one branch or more, got none")
    first, *rest = inputs
    at = axis_number(first, axis)
    total = first[at]
    for shape in rest:
        _same_but(first, shape, at)
        total = total + shape[at]
    return _moved((*first[:at], total, *first[at + 1 :]))


def _same_but(first: Shape, shape: Shape, at: int) -> None:
    text = " and ".join("x".join("{}" for _ in sizes) for sizes in (first, shape))
    values = (*first, *shape)
    require(len(first) == len(shape), f"concat: shapes do not match: {text}", *values)
    for number, (a, b) in enumerate(zip(first, shape, strict=True)):
        if number != at and a is not b:
            require(equal(a, b), f"concat: shapes do not match: {text}", *values)


@op("split")
def split(x: Shape, parts: Size, *, part: Count = 0, axis: Axis = "channels") -> Layer:
    """One of several equal parts along an axis, counted from 0. torch.chunk.

    (.., C) -> (.., C / parts).

    Example: {split: 2, part: 1}
    """
    at = axis_number(x, axis)
    require(equal(x[at] % parts, 0), "{} does not split into {} equal parts", x[at], parts)
    require(part < parts, "part {} of {}: the first is 0", part, parts, option="part")
    return _moved((*x[:at], floor_div(x[at], parts), *x[at + 1 :]))


@op("slice")
def slice_(x: Shape, size: Size, *, start: Count = 0, axis: Axis = "channels") -> Layer:
    """`size` values along an axis, starting at `start`. torch.narrow.

    (.., C) -> (.., size).

    Example: {slice: 1, axis: tokens}
    """
    at = axis_number(x, axis)
    require(start + size <= x[at], "values {} to {} of only {}", start, start + size, x[at])
    return _moved((*x[:at], size, *x[at + 1 :]))


@op("pad")
def pad(x: Shape, padding: Padding) -> Layer:
    """Padding of the grid: a number, one per axis, or [before, after] per axis. torch.nn.functional.pad.

    (*grid, C) -> (*grid', C).

    Example: {pad: [[0, 1], [0, 1]]}
    """
    *space, channels = x
    if type(padding) is str:
        raise Refused("pad takes numbers", "padding")
    pads = margins(padding, grid_of(space))
    return _moved((*(n + sum_of(pair) for n, pair in zip(space, pads, strict=True)), channels))


@op("flatten")
def flatten(x: Shape) -> Layer:
    """All values as one vector. torch.flatten.

    (H, W, C) -> (H*W*C).

    Example: - flatten
    """
    return _moved((prod(x),))


@op("reshape")
def reshape(x: Shape, shape: Shape) -> Layer:
    """The same values in another shape. torch.reshape.

    Example: {reshape: [height * width, channels]}
    """
    require(equal(prod(x), prod(shape)), "{} values do not fill a shape of {}", prod(x), prod(shape))
    return _moved(shape)


@op("permute", empty=True)
def permute(x: Shape, order: Order) -> Layer:
    """Reorders the axes, numbered from 0. torch.permute.

    (A, B, C) with [1, 0, 2] -> (B, A, C).

    Example: {permute: [1, 0]}
    """
    if sorted(order) != list(range(len(x))):
        raise Refused(f"the order must name each of the {len(x)} axes once, from 0")
    return _moved(x[axis] for axis in order)


@op("tokens")
def tokens(x: Shape) -> Layer:
    """Flattens a grid to a sequence of tokens, as image patches for a transformer (arXiv:2010.11929, section 3.1).

    (H, W, C) -> (H*W, C).

    Example: - tokens
    """
    *space, channels = x
    return _moved((prod(grid_of(space)), channels))


@op("grid")
def grid(x: Shape, size: Sides) -> Layer:
    """Reshapes a sequence of tokens to a grid: `HxW`, or one number for a square. torch.nn.Unflatten.

    (H*W, C) -> (H, W, C).

    Example: {grid: [res // 16, res // 16]}
    """
    if len(x) != 2:
        raise Refused(f"grid takes [tokens, features], got a tensor of rank {len(x)}")
    count, channels = x
    require(equal(prod(size), count), "{} tokens do not fill a grid of {}", count, prod(size))
    return _moved((*size, channels))


@op("windows")
def windows(x: Shape, size: Steps) -> Layer:
    """Splits a grid into windows, each a sequence, for attention within each window (arXiv:2103.14030).

    (H, W, C) -> (windows, tokens of a window, C). H and W must be multiples of the window.

    Example: {windows: 7x7}
    """
    *space, channels = x
    window = each(size, grid_of(space), "the window")
    for n, k in zip(space, window, strict=True):
        require(equal(n % k, 0), "a grid side of {} does not split into windows of {}", n, k)
    count = prod(floor_div(n, k) for n, k in zip(space, window, strict=True))
    return _moved((count, prod(window), channels))


@op("space_to_depth", "pixel_unshuffle")
def space_to_depth(x: Shape, factor: Size) -> Layer:
    """Moves blocks of the grid into channels. torch.nn.PixelUnshuffle.

    (H, W, C) -> (H/r, W/r, C*r*r).

    Example: {space_to_depth: 2}
    """
    *space, channels = x
    for n in grid_of(space):
        require(equal(n % factor, 0), "a grid side of {} is not a multiple of {}", n, factor)
    return _moved((*(floor_div(n, factor) for n in space), channels * prod([factor] * len(space))))


@op("depth_to_space", "pixel_shuffle")
def depth_to_space(x: Shape, factor: Size) -> Layer:
    """Moves channels into blocks of the grid. torch.nn.PixelShuffle.

    (H, W, C*r*r) -> (H*r, W*r, C).

    Example: {pixel_shuffle: 2}
    """
    *space, channels = x
    block = prod([factor] * len(grid_of(space)))
    require(equal(channels % block, 0), "{} channels are not a multiple of {}", channels, block)
    return _moved((*(n * factor for n in space), floor_div(channels, block)))


@op("channel_shuffle")
def channel_shuffle(x: Shape, groups: Size) -> Layer:
    """Interleaves the channels of groups. ShuffleNet (arXiv:1707.01083) section 3.1.

    (*grid, C) -> the same.

    Example: {channel_shuffle: 3}
    """
    require(equal(x[-1] % groups, 0), "{} channels do not split into {} groups", x[-1], groups, option="groups")
    return _moved(x)


@op("upsample")
def upsample(x: Shape, scale: Scale = None, *, to: Steps = None, method: Interpolation = "nearest") -> Layer:
    """Enlarges the grid by a factor, or `to` a size. torch.nn.Upsample.

    (*grid, C) -> (*grid', C).

    Example: {upsample: 2, method: bilinear}
    """
    *space, channels = x
    grid_of(space)
    if (scale is None) == (to is None):
        raise Refused("upsample takes a factor or `to`, one of them")
    if to is not None:
        size = each(to, space, "to")
    else:
        size = tuple(floor(n * s) for n, s in zip(space, each(scale, space, "the factor"), strict=True))
        for n in size:
            require(n >= 1, "the output would be {} wide", n)
    shape = (*size, channels)
    return Layer(shape=shape, terms={f"interpolate_{method}": prod(shape), "interpolate_in": prod(x)})
