"""Sliding windows over a grid, shared by convolutions and pooling."""

from collections.abc import Sequence
from typing import Any

from ..errors import Refused
from ..num import ceil_div, either, equal, floor_div, require, select
from ..num.values import Number, Shape


def each(value: Any, space: Sequence[Number], what: str = "a value") -> tuple[Any, ...]:
    """One value per spatial axis: a tuple is returned unchanged, any other value is repeated."""
    if type(value) is not tuple:
        return (value,) * len(space)
    if len(value) != len(space):
        raise Refused(f"{what} has {len(value)} values for {len(space)} spatial axes")
    return value


def is_word(value: int | str | tuple[int | Shape, ...], word: str) -> bool:
    """Whether an option is the given word."""
    return type(value) is str and value == word


def grid_of(space: Sequence[Number]) -> Sequence[Number]:
    """Refuse a tensor without a spatial axis."""
    if not space:
        raise Refused("needs a grid: [length, channels], [height, width, channels], ..; got a plain vector")
    return space


def margins(padding: Any, space: Sequence[Number]) -> tuple[Shape, ...]:
    """(before, after) for every axis of a numeric padding."""
    pairs = each(padding, space, "padding")
    for pair in pairs:
        if type(pair) is tuple and len(pair) != 2:
            raise Refused("padding per side is [before, after] for each axis", "padding")
    return tuple(pair if type(pair) is tuple else (pair, pair) for pair in pairs)


def slide(
    space: Sequence[Number],
    window: Shape,
    stride: Shape,
    padding: int | str | tuple[int | Shape, ...],
    dilation: tuple[int, ...],
    ceil_mode: bool = False,
) -> Shape:
    """Output grid of a sliding window.

    `same` gives ceil(n / stride) (TensorFlow, "SAME"); otherwise floor((n + before + after - span) /
    stride) + 1 with span = dilation * (k - 1) + 1 (PyTorch, torch.nn.Conv2d); `ceil_mode` rounds up and
    drops a window that would start past the input and its left padding (torch.nn.MaxPool2d).
    """
    if is_word(padding, "same"):
        return tuple(ceil_div(n, s) for n, s in zip(space, stride, strict=True))
    pads = margins(0 if is_word(padding, "valid") else padding, space)
    axes = zip(space, window, stride, pads, dilation, strict=True)
    return tuple(_positions(n, k, s, pad, d, ceil_mode) for n, k, s, pad, d in axes)


def _positions(n: Number, k: Number, s: int, pad: tuple[int, ...], d: int, ceil_mode: bool) -> Number:
    before, after = pad
    span = d * (k - 1) + 1
    room = n + before + after - span
    fits = room + s > 0 if ceil_mode else room >= 0
    padded = "" if type(before) is int and type(after) is int and not before and not after else " with padding"
    require(fits, f"a window of {{}} is larger than its input of {{}}{padded}", span, n + before + after)
    if not ceil_mode:
        return floor_div(room, s) + 1
    positions = ceil_div(room, s) + 1
    if (s + after <= span) is True:  # the last window always starts within the input
        return positions
    return positions - select((positions - 1) * s >= n + before, 1, 0)


def unslide(
    space: list[int],
    window: tuple[int, ...],
    stride: Shape,
    padding: int | str | tuple[int | Shape, ...],
    dilation: tuple[int, ...],
    extra: tuple[int, ...],
) -> tuple[int, ...]:
    """Output grid of a transposed convolution.

    (n - 1) * stride + dilation * (k - 1) + 1 - before - after + extra (PyTorch, torch.nn.ConvTranspose2d);
    `same` gives n * stride (Keras, Conv2DTranspose).
    """
    if is_word(padding, "same"):
        for e in extra:
            require(equal(e, 0), "`padding: same` leaves no room for output_padding", option="output_padding")
        return tuple(n * s for n, s in zip(space, stride, strict=True))
    pads = margins(0 if is_word(padding, "valid") else padding, space)
    for s, d, e in zip(stride, dilation, extra, strict=True):
        small = either(e < s, e < d)
        require(small, "output_padding {} must be less than the stride or the dilation", e, option="output_padding")
    axes = zip(space, window, stride, pads, dilation, extra, strict=True)
    grid = tuple((n - 1) * s + d * (k - 1) + 1 - sum_of(pad) + e for n, k, s, pad, d, e in axes)
    for size in grid:
        require(size >= 1, "the output would be {} wide: the padding cuts all of it off", size)
    return grid


def sum_of(pair: tuple[int, ...]) -> int:
    """before + after."""
    return pair[0] + pair[1]


def span_text(window: Any) -> str:
    """A window for a table: `3x3`."""
    return "x".join(map(str, window))
