"""Recurrent layers in ONNX, which have the sequence axis before the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .builder import Builder, Value, refused

if TYPE_CHECKING:
    from ...model.wiring import Node


_OPS = {"rnn": ("RNN", 1), "lstm": ("LSTM", 4), "gru": ("GRU", 3)}


def recurrent(b: Builder, node: Node, x: Value) -> Any:
    """RNN, LSTM or GRU, one operator per layer."""
    if node.options.get("projection") is not None:
        raise refused(node, "ONNX's LSTM has no projection", "leave `projection` out, or write a `linear` after it")
    name, features = b.add("Transpose", b.last(x).name, perm=[1, 0, 2]), x.shape[-1]
    hidden, directions = node.options["hidden"], 2 if node.options["bidirectional"] else 1
    for layer in range(node.options["layers"]):
        name = _layer(b, node, layer, name, (features, hidden, directions))
        features = directions * hidden
        turned = b.add("Transpose", name, perm=[2, 0, 1, 3] if layer + 1 == node.options["layers"] else [0, 2, 1, 3])
        name = b.add("Reshape", turned, b.ints(0, 0, features))
    return Value(name, node.row.layer.shape)


def _layer(b: Builder, node: Node, layer: Any, name: str, sizes: Any) -> Any:
    features, hidden, directions = sizes
    op, gates = _OPS[node.row.op.name]
    inputs = [
        b.weight(node.holder, f"{kind}_{layer}", (directions, gates * hidden, width), fan_in=width)
        for kind, width in (("input", features), ("recurrent", hidden))
    ]
    if node.options["bias"]:
        inputs.append(b.weight(node.holder, f"bias_{layer}", (directions, 2 * gates * hidden), "zeros"))
    attributes = {"hidden_size": hidden, "direction": "bidirectional" if directions == 2 else "forward"}
    if op == "GRU":
        attributes["linear_before_reset"] = 1  # two bias vectors, as in PyTorch
    return b.add(op, name, *inputs, **attributes)


RULES = dict.fromkeys(_OPS, recurrent)
