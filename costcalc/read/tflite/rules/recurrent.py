"""Recurrent layers over a sequence (batch, steps, features), or (steps, batch, features) with `TimeMajor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import Refused
from ....num import equal, require
from ....num.values import Number
from ...onnx.node import Node
from ...onnx.tensors import Outputs, Tensor, together
from . import rule

_RUNS = {
    **dict.fromkeys(("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM"), "steps"),
    **dict.fromkeys(("UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN"), "steps"),
    "LSTM": "one",
    "RNN": "one",
}
_GATES, _PEEPHOLES, _BIASES = slice(1, 9), slice(9, 12), slice(12, 16)
_NORMS = slice(20, 24)


@rule("UNIDIRECTIONAL_SEQUENCE_LSTM", "LSTM", multiplies=True, fuses=False)
def lstm(node: Node) -> Outputs:
    """LSTM: 4 input weights, 4 recurrent weights, 3 peepholes, 4 biases, and a projection."""
    return [_lstm(node, node.inputs)]


@rule("BIDIRECTIONAL_SEQUENCE_LSTM", options="BidirectionalSequenceLSTMOptions", multiplies=True, fuses=False)
def bidirectional_lstm(node: Node) -> Outputs:
    """Bidirectional LSTM: the inputs of the forward direction, then those of the backward one, from its weights on."""
    forward, backward = node.inputs[:18], [node.need(0), *node.inputs[18:35]]
    return _merged(node, _lstm(node, forward), _lstm(node, backward))


@rule("UNIDIRECTIONAL_SEQUENCE_RNN", "RNN", multiplies=True, fuses=False)
def rnn(node: Node) -> Outputs:
    """RNN: input weights, recurrent weights, bias."""
    return [_rnn(node, node.inputs[1:4])]


@rule("BIDIRECTIONAL_SEQUENCE_RNN", options="BidirectionalSequenceRNNOptions", multiplies=True, fuses=False)
def bidirectional_rnn(node: Node) -> Outputs:
    """Bidirectional RNN."""
    return _merged(node, _rnn(node, node.inputs[1:4]), _rnn(node, node.inputs[5:8]))


def _merged(node: Node, forward: Tensor, backward: Tensor) -> Any:
    """Outputs of two directions, concatenated or separate."""
    if not node.get("MergeOutputs"):
        return [forward, backward][: node.outputs]
    *rest, width = forward.shape
    return [Tensor((*rest, width + backward.shape[-1]))]


def _steps(node: Node) -> tuple[Number, Number, Number]:
    """(batch, steps, features) of the input."""
    x = node.need(0)
    if _RUNS[node.op] == "one":
        batch, features = x.shape
        return batch, 1, features
    if len(x.shape) != 3:
        raise Refused(f"a sequence has a batch, steps and features, got {len(x.shape)} axes")
    first, second, features = x.shape
    return (second, first, features) if node.get("TimeMajor") else (first, second, features)


def _given(tensors: Sequence[Tensor | None]) -> list[Tensor]:
    return [one for one in tensors if one is not None]


def _lstm(node: Node, inputs: Sequence[Tensor | None]) -> Tensor:
    """Emit the step of one direction. Coupled gates, peepholes and norms make it `opaque`, of known cost."""
    inputs = [*inputs, *[None] * (24 - len(inputs))]
    batch, steps, features = _steps(node)
    weights, biases = _given(inputs[_GATES]), _given(inputs[_BIASES])
    more, projection = _given([*inputs[_PEEPHOLES], *inputs[_NORMS]]), _given(inputs[16:18])
    if len(weights) not in (6, 8) or inputs[2] is None or inputs[6] is None:
        raise Refused(f"{len(weights)} weights are not those of an LSTM")
    hidden, width = inputs[2].shape
    require(equal(width, features), "{} features do not match weights for {}", features, width)
    out = inputs[6].shape[1]
    holds = {"weight": together([*weights, *projection[:1], *more]), "bias": together([*biases, *projection[1:]])}
    plain = len(weights) == 8 and not more and len(biases) == 4
    if plain:
        options = {"projection": out} if projection else {}
        node.emit("lstm", (steps, features), holds=holds, times=batch, hidden=hidden, **options)
    else:
        gates = len(weights) // 2
        cost = steps * (gates * hidden * (features + out) + (hidden * out if projection else 0))
        shape = (steps, out)
        node.emit(
            "opaque", (steps, features), holds=holds, times=batch, label=node.op, out=shape, mult_adds=cost, params=0
        )
    return Tensor((*node.need(0).shape[:-1], out))


def _rnn(node: Node, inputs: Sequence[Tensor | None]) -> Tensor:
    """Emit the step of one direction."""
    weights, bias = _given(inputs[:2]), _given(inputs[2:3])
    batch, steps, features = _steps(node)
    if len(weights) != 2:
        raise Refused(f"{len(weights)} weights are not those of a recurrent layer")
    hidden, width = weights[0].shape
    require(equal(width, features), "{} features do not match weights for {}", features, width)
    holds = {"weight": together(weights), "bias": together(bias) if bias else None}
    node.emit("rnn", (steps, features), holds=holds, times=batch, hidden=hidden, bias=bool(bias))
    return Tensor((*node.need(0).shape[:-1], hidden))
