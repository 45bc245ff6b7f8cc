"""Elementwise operations in ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .builder import Builder, Value

if TYPE_CHECKING:
    from ...model.wiring import Node


_ONE = {
    "relu": "Relu",
    "leaky_relu": "LeakyRelu",
    "elu": "Elu",
    "selu": "Selu",
    "celu": "Celu",
    "gelu": "Gelu",
    "mish": "Mish",
    "sigmoid": "Sigmoid",
    "hswish": "HardSwish",
    "tanh": "Tanh",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "abs": "Abs",
    "neg": "Neg",
    "identity": "Identity",
}
_ATTRIBUTES: dict[str, dict[str, Any]] = {"leaky_relu": {"alpha": 0.01}}
_CLIPS = {"relu6": (0, 6), "hardtanh": (-1, 1), "clamp": (0, 1)}
_ROWS = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}
_JOINS = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div"}


def one(b: Builder, node: Node, x: Value) -> Value:
    """A single operator."""
    name = node.row.op.name
    return _like(b.add(_ONE[name], x.name, **_ATTRIBUTES.get(name, {})), x)


def clip(b: Builder, node: Node, x: Value) -> Value:
    """Clip."""
    low, high = _CLIPS[node.row.op.name]
    return _like(b.add("Clip", x.name, b.number(low), b.number(high)), x)


def hsigmoid(b: Builder, node: Node, x: Value) -> Any:
    """HardSigmoid with the slope of MobileNetV3: relu6(x + 3) / 6."""
    return _like(b.add("HardSigmoid", x.name, alpha=1 / 6, beta=0.5), x)


def swish(b: Builder, node: Node, x: Value) -> Any:
    """x * sigmoid(x)."""
    return _like(b.add("Mul", x.name, b.add("Sigmoid", x.name)), x)


def square(b: Builder, node: Node, x: Value) -> Any:
    """x * x."""
    return _like(b.add("Mul", x.name, x.name), x)


def rows(b: Builder, node: Node, x: Value) -> Value:
    """Softmax or LogSoftmax over the channels."""
    return _like(b.add(_ROWS[node.row.op.name], x.name, axis=b.axis(x, len(x.shape) - 1)), x)


def prelu(b: Builder, node: Node, x: Value) -> Any:
    """PRelu. With channels first, the slopes have trailing axes of size 1."""
    slopes = (1,) if node.options["shared"] else (x.shape[-1], *[1] * (len(x.shape) - 1 if x.first else 0))
    return _like(b.add("PRelu", x.name, b.weight(node.holder, "slope", slopes, "zeros")), x)


def glu(b: Builder, node: Node, x: Value) -> Any:
    """GLU: half of the channels, multiplied by the sigmoid of the other half."""
    value, gate = b.add("Split", x.name, count=2, axis=b.axis(x, len(x.shape) - 1), num_outputs=2)
    return Value(b.add("Mul", value, b.add("Sigmoid", gate)), node.row.layer.shape, x.first)


def dropout(b: Builder, node: Node, x: Value) -> Value:
    """Dropout, which has no effect at inference."""
    return _like(b.add("Dropout", x.name, b.number(node.options["rate"])), x)


def join(b: Builder, node: Node, *values: Any) -> Value:
    """Join branches pairwise. A branch of lower rank gets axes of size 1 after the batch."""
    rank = max(len(value.shape) for value in values)
    if all(len(value.shape) == rank for value in values):
        first, *rest = (b.like(value, values[0]) for value in values)
    else:
        first, *rest = (_lifted(b, b.last(value), rank) for value in values)
    name = first.name
    for value in rest:
        name = b.add(_JOINS[node.row.op.name], name, value.name)
    return Value(name, node.row.layer.shape, first.first)


def _lifted(b: Builder, value: Value, rank: int) -> Value:
    missing = rank - len(value.shape)
    if not missing:
        return value
    return value._replace(name=b.add("Unsqueeze", value.name, b.ints(*range(1, missing + 1))))


def _like(name: str, x: Value) -> Value:
    return Value(name, x.shape, x.first)


RULES = {
    **dict.fromkeys(_ONE, one),
    **dict.fromkeys(_CLIPS, clip),
    **dict.fromkeys(_ROWS, rows),
    **dict.fromkeys(_JOINS, join),
    "silu": swish,
    "swish": swish,
    "square": square,
    "hsigmoid": hsigmoid,
    "prelu": prelu,
    "glu": glu,
    "dropout": dropout,
}
