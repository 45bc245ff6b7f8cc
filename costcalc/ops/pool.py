"""Pooling and reduction: they change the shape, without parameters or mult-adds."""

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import Refused
from ..num import prod, require
from ..num.values import Number, Shape
from .base import Layer, op
from .kinds import Axis, Flag, Padding, Reduction, Steps, Window
from .layout import axis_number
from .window import each, grid_of, is_word, margins, slide, span_text


def _label(name: str) -> Callable[..., Any]:
    def label(detail: Mapping[str, Shape]) -> str:
        return f"{name} {span_text(detail['kernel'])}" if detail else name

    return label


def _pool(
    x: Any,
    kernel: int | str | Shape,
    stride: int | Shape | None,
    padding: int | str | tuple[int | Shape, ...],
    ceil_mode: bool,
    dilation: int | tuple[int, ...],
    quantity: str,
) -> Layer:
    *space, channels = x
    grid_of(space)
    measured = "pool"
    if is_word(kernel, "global"):
        kernel, stride, padding, measured = tuple(space), 1, "valid", "global"
    window = each(kernel, space, "the kernel")
    steps = each(window if stride is None else stride, space, "stride")
    _at_most_half(padding, window, space)
    grid = slide(space, window, steps, padding, each(dilation, space, "dilation"), ceil_mode)
    shape = (*grid, channels)
    terms = {f"{measured}_in": prod(x), f"{measured}_out": prod(shape), quantity: prod(shape) * prod(window)}
    return Layer(shape, terms=terms, detail={"kernel": window, "stride": steps})


def _at_most_half(padding: int | str | tuple[int | Shape, ...], window: Shape, space: list[Number]) -> None:
    """Refuse padding of more than half the window: a window of padding only would be empty (torch.nn.MaxPool2d)."""
    for k, pair in zip(window, () if type(padding) is str else margins(padding, space), strict=False):
        for pad in pair:
            require(2 * pad <= k, "padding {} is more than half the window of {}", pad, k, option="padding")


@op("maxpool", label=_label("maxpool"))
def maxpool(
    x: Shape,
    kernel: Window,
    *,
    stride: Steps = None,
    padding: Padding = "same",
    ceil_mode: Flag = False,
    dilation: Steps = 1,
) -> Layer:
    """Maximum over a sliding window, or over the whole grid (`global`).

    (*grid, C) -> (*grid', C). The stride defaults to the window. `ceil_mode` rounds the grid up.
    torch.nn.MaxPool2d.

    Example: {maxpool: 3x3, stride: 2}
    """
    return _pool(x, kernel, stride, padding, ceil_mode, dilation, "compare")


@op("avgpool", label=_label("avgpool"))
def avgpool(
    x: Shape, kernel: Window, *, stride: Steps = None, padding: Padding = "same", ceil_mode: Flag = False
) -> Layer:
    """Mean over a sliding window, or over the whole grid (`global`), which leaves a 1x1 grid.

    (*grid, C) -> (*grid', C). The stride defaults to the window. torch.nn.AvgPool2d.

    Example: {avgpool: global}
    """
    return _pool(x, kernel, stride, padding, ceil_mode, 1, "average")


@op("lppool", label=_label("lppool"))
def lppool(
    x: Shape, kernel: Window, *, stride: Steps = None, padding: Padding = "valid", ceil_mode: Flag = False
) -> Layer:
    """Power mean (p-norm) over a sliding window. torch.nn.LPPool2d.

    (*grid, C) -> (*grid', C). The stride defaults to the window.

    Example: {lppool: 2x2}
    """
    return _pool(x, kernel, stride, padding, ceil_mode, 1, "power")


def _adaptive(x: Any, size: int | tuple[int, ...]) -> Layer:
    *space, channels = x
    grid = each(size, grid_of(space), "the size")
    shape = (*grid, channels)
    return Layer(shape, terms={"adaptive_in": prod(x), "adaptive_out": prod(shape)})


@op("adaptive_avgpool")
def adaptive_avgpool(x: Shape, size: Steps) -> Layer:
    """Mean over windows chosen so that the output grid has the given size. torch.nn.AdaptiveAvgPool2d.

    (*grid, C) -> (*size, C).

    Example: {adaptive_avgpool: 7x7}
    """
    return _adaptive(x, size)


@op("adaptive_maxpool")
def adaptive_maxpool(x: Shape, size: Steps) -> Layer:
    """Maximum over windows chosen so that the output grid has the given size. torch.nn.AdaptiveMaxPool2d.

    (*grid, C) -> (*size, C).

    Example: {adaptive_maxpool: 7x7}
    """
    return _adaptive(x, size)


@op("reduce")
def reduce(x: Shape, method: Reduction, *, axis: Axis, keep: Flag = False) -> Layer:
    """Mean, sum or maximum along one axis, which is removed unless `keep` is set.

    (.., n, ..) -> (.., ..). torch.mean, torch.sum, torch.amax.

    Example: {reduce: mean, axis: tokens}
    """
    at = axis_number(x, axis)
    if len(x) == 1 and not keep:
        raise Refused("a vector has one axis only: write `keep: true`", "axis")
    shape = (*x[:at], *((1,) if keep else ()), *x[at + 1 :])
    return Layer(shape, terms={f"reduce_{method}": prod(x), f"reduce_{method}_out": prod(shape)})
