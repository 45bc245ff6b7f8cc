"""Recurrent layers."""

from __future__ import annotations

from typing import Any

from ....errors import Refused
from ..node import Node
from ..tensors import Outputs, Tensor
from . import rule
from .linear import turned

_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@rule("LSTM", "GRU", "RNN", multiplies=True)
def recurrent(node: Node) -> Outputs:
    """Recurrent layer: x (steps, batch, features), w (directions, gates * hidden, features), r, biases.

    With `layout` 1 the batch comes first.
    """
    return _stepped(node, node.op, node.need(1), node.need(2))


@rule("DynamicQuantizeLSTM", multiplies=True)
def quantized(node: Node) -> list[tuple]:
    """LSTM of onnxruntime with 8-bit weights, whose gates are in the last axis."""
    return _stepped(node, "LSTM", turned(node.need(1)), turned(node.need(2)))


def _stepped(node: Node, op: str, w: Any, r: Any) -> list[tuple]:
    """Add a recurrent step for weights (directions, gates * hidden, features) and (.., hidden)."""
    x, bias, gates = node.need(0), node.input(3), _GATES[op]
    directions, rows, features = w.shape
    hidden = r.shape[2]
    if rows != gates * hidden or r.shape[:2] != w.shape[:2] or x.shape[2] != features or directions not in (1, 2):
        raise Refused(f"weights of {list(w.shape)} and {list(r.shape)} do not match {list(x.shape)}")
    layout = node.get("layout", 0)
    steps, batch = (x.shape[1], x.shape[0]) if layout else x.shape[:2]
    weight = Tensor((w.size + r.size,), None, None if w.roots is None or r.roots is None else w.roots | r.roots)
    node.emit(
        *(op.lower(), (steps, features)),
        holds={"weight": weight, "bias": bias},
        times=batch,
        hidden=hidden,
        bidirectional=directions == 2,
        bias=bias is not None,
    )
    y = (batch, steps, directions, hidden) if layout else (steps, directions, batch, hidden)
    last = (batch, directions, hidden) if layout else (directions, batch, hidden)
    return [y, last, last][: node.outputs]
