"""Padding of sliding windows as numbers, since formats lack `same` or round differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ops.window import each, is_word, margins

if TYPE_CHECKING:
    from ..model.wiring import Node
    from ..num.values import Shape


def window_of(node: Node, kernel: Shape, space: Any) -> tuple[Shape, Shape, Shape]:
    """(kernel, stride, dilation) of a node, with one number per axis."""
    options = node.options
    kernel = each(kernel, space)
    stride = options["stride"]
    return kernel, each(kernel if stride is None else stride, space), each(options.get("dilation", 1), space)


def pads_of(padding: Any, space: Any, grid: Any, window: tuple[Shape, ...]) -> list[Shape]:
    """(before, after) for every axis, such that a window sliding over `space` gives `grid`.

    `same` splits the padding in halves, the larger one at the end (TensorFlow, "SAME"). Padding for `ceil_mode` is
    also at the end.
    """
    kernel, stride, dilation = window
    same = is_word(padding, "same")
    given = [(0, 0)] * len(space) if type(padding) is str else margins(padding, space)
    pads = []
    for n, o, k, s, d, (before, after) in zip(space, grid, kernel, stride, dilation, given, strict=True):
        total = max((o - 1) * s + d * (k - 1) + 1 - n, 0)
        pads.append((total // 2, total - total // 2) if same else (before, max(after, total - before)))
    return pads


def crops_of(padding: int | str, space: Any, window: tuple[Shape, ...]) -> Any:
    """(before, after, extra) for every axis: crops of a transposed convolution's output, and padding added at its end.

    `same` gives a grid of n * stride (Keras, Conv2DTranspose).
    """
    kernel, stride, dilation = window
    if not is_word(padding, "same"):
        return [(*pair, 0) for pair in margins(0 if is_word(padding, "valid") else padding, space)]
    spare = [d * (k - 1) + 1 - s for k, s, d in zip(kernel, stride, dilation, strict=True)]
    return [(max(one, 0) // 2, max(one, 0) - max(one, 0) // 2, max(-one, 0)) for one in spare]
