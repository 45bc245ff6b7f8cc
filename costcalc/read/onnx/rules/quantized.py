"""Conversions to and from quantized numbers. Operators on quantized numbers are in the other modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tensors import INPUT, Outputs, Tensor
from ..widths import BYTE, width_of
from . import rule

if TYPE_CHECKING:
    from ..node import Node


@rule("QuantizeLinear")
def quantize(node: Node) -> Outputs:
    """Quantization: x, scale, zero point."""
    x = node.need(0)
    bits = width_of(node, 2)
    if x.roots is not None:
        node.reader.widths.stored.update(dict.fromkeys(x.roots, bits))
    elif not node.reader.widths.quantize(node, x, bits):
        _copied(node, x, bits)
    return [x]


def _copied(node: Node, x: Tensor, bits: int) -> None:
    """Add a step for the quantized numbers as a separate tensor."""
    shape, times = node.seen(x)
    node.emit("identity", shape, times=times, follows=True)
    if len(node.reader.steps) > node.began:
        node.reader.widths.made[len(node.reader.steps) - 1] = bits


@rule("DequantizeLinear")
def dequantize(node: Node) -> Outputs:
    """Dequantization. Scales and zero points are not weights."""
    x = node.need(0)
    return [x._replace(value=None)]


@rule("DynamicQuantizeLinear")
def dynamic(node: Node) -> list[Tensor]:
    """Dynamic quantization: 8-bit numbers, their scale and zero point."""
    x = node.need(0)
    if x.roots is None:
        _copied(node, x, BYTE)
    return [x._replace(value=None), Tensor((), scaled=INPUT), Tensor(())]
