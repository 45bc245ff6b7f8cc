"""Convolutions in ONNX: Conv and ConvTranspose, with explicit padding."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from ...ops.window import each
from ..windows import crops_of, pads_of, window_of
from .builder import Builder, Value

if TYPE_CHECKING:
    from ...model.wiring import Node
    from ...num.values import Shape


def conv(b: Builder, node: Node, x: Value) -> Value:
    """Conv."""
    return _conv(b, node, x, node.options["out"], node.options["groups"])


def dwconv(b: Builder, node: Node, x: Value) -> Value:
    """Conv with one group per channel."""
    channels = x.shape[-1]
    return _conv(b, node, x, channels * node.options["multiplier"], channels)


def _conv(b: Builder, node: Node, x: Value, out: int, groups: int) -> Value:
    *space, channels = x.shape
    window = window_of(node, node.options["kernel"], space)
    shape = node.row.layer.shape
    pads = pads_of(node.options["padding"], space, shape[:-1], window)
    weights = (out, channels // groups, *window[0])
    return _windowed(b, node, "Conv", b.first(x), (weights, prod(weights[1:])), window, pads, group=groups)


def conv_transpose(b: Builder, node: Node, x: Value) -> Any:
    """ConvTranspose."""
    *space, channels = x.shape
    window = window_of(node, node.options["kernel"], space)
    crops = crops_of(node.options["padding"], space, window)
    groups = node.options["groups"]
    extra = [own + more for own, (*_, more) in zip(each(node.options["output_padding"], space), crops, strict=True)]
    weights = (channels, node.options["out"] // groups, *window[0])
    pads = [pair[:2] for pair in crops]
    fan_in = channels // groups * prod(window[0])
    return _windowed(
        b, node, "ConvTranspose", b.first(x), (weights, fan_in), window, pads, group=groups, output_padding=extra
    )


def _windowed(
    b: Builder,
    node: Node,
    op: str,
    x: Value,
    weights: tuple[Shape, int],
    window: tuple[Shape, ...],
    pads: list[Shape],
    **attributes: Any,
) -> Value:
    shape, fan_in = weights
    inputs = [x.name, b.weight(node.holder, "weight", shape, fan_in=fan_in)]
    if node.options["bias"]:
        inputs.append(b.weight(node.holder, "bias", (node.row.layer.shape[-1],), "zeros"))
    kernel, stride, dilation = window
    name = b.add(op, *inputs, kernel_shape=kernel, strides=stride, dilations=dilation, pads=flat(pads), **attributes)
    return Value(name, node.row.layer.shape, True)


def flat(pads: list[Shape]) -> list[int]:
    """Padding in the order of ONNX: all axes before, then all axes after."""
    return [before for before, _ in pads] + [after for _, after in pads]


RULES = {"conv": conv, "dwconv": dwconv, "conv_transpose": conv_transpose}
