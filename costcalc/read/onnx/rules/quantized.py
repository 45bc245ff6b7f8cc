"""Numbers of few bits: the steps into them and out of them. What is done with them is in the families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..tensors import INPUT, Tensor
from . import rule

if TYPE_CHECKING:
    from ..node import Node


@rule("DequantizeLinear")
def dequantize(node: Node) -> Any:
    """Whole numbers as real ones again. Scales and zero points are no weights."""
    x = node.need(0)
    return [x._replace(value=None)]


@rule("DynamicQuantizeLinear")
def dynamic(node: Node) -> list[Tensor]:
    """Numbers of eight bits, their scale and their zero point."""
    x = node.need(0)
    return [x._replace(value=None), Tensor((), scaled=INPUT), Tensor(())]
