"""Rules of operators that have no equivalent in the ONNX standard."""

from __future__ import annotations

from typing import Any

from ...num import prod
from ...num.values import Shape
from ..onnx.node import Node, axis
from ..onnx.rules import rule
from ..onnx.rules.linear import multiplied
from ..onnx.tensors import Tensor, together

RULES: dict = {}


@rule("linear", into=RULES, multiplies=True)
def linear(node: Any) -> list[Shape]:
    """Linear layer: x (.., in), weight (out, in), bias."""
    weight = node.need(1)
    return multiplied(node, node.need(0), weight._replace(shape=weight.shape[::-1], value=None), node.input(2))


@rule("attend", into=RULES, multiplies=True)
def attend(node: Any) -> Any:
    """Attention on queries (.., heads, tokens, size), keys and values. Leading axes count as runs."""
    q, k, v = (node.need(number).shape for number in range(3))
    heads = q[-3] if len(q) > 3 else 1
    widths = heads * q[-1], k[-1] * (k[-3] if len(k) > 3 else 1), v[-1] * (v[-3] if len(v) > 3 else 1)
    shapes = [(one[-2], width) for one, width in zip((q, k, v), widths, strict=True)]
    causal = bool(node.get("is_causal", 0))
    alignment = {"align": "first"} if causal and q[-2] != k[-2] else {}
    node.emit("attend", *shapes, times=prod(q[: len(q) - 2]) // heads, heads=heads, causal=causal, **alignment)
    return declared(node)


@rule("bilinear", into=RULES, multiplies=True)
def bilinear(node: Node) -> list[Tensor]:
    """Bilinear form of tensors (.., first) and (.., second): weight (out, first, second), bias."""
    left, right, weight, bias = *map(node.need, range(3)), node.input(3)
    (shape, times), (other, _) = map(node.seen, (left, right))
    holds = {"weight": weight, "bias": bias}
    node.emit("bilinear", shape, other, holds=holds, times=times, out=weight.shape[0], bias=bias is not None)
    return declared(node)


@rule("grouped", into=RULES, multiplies=True)
def grouped(node: Node) -> list[Tensor]:
    """Grouped product: each group of rows, columns or summed axes has its own matrix. The cost is that of one product.

    Two stacks of matrices have one product per pair.
    """
    a, b, bias = node.need(0), node.need(1), node.input(2)
    (rows, inner), columns = a.shape[-2:], b.shape[-1]
    times = a.shape[0] if len(a.shape) == len(b.shape) == 3 else 1
    if b.roots is not None:
        holds = {"weight": b, "bias": bias}
        node.emit("linear", (rows, inner), holds=holds, times=times, out=columns, bias=bias is not None)
    else:
        node.emit("matmul", (rows, inner), (inner, columns), holds={"bias": bias}, times=times)
    return declared(node)


@rule("recurrent", into=RULES, multiplies=True)
def recurrent(node: Any) -> list[Tensor]:
    """Stacked recurrent layers over (steps, batch, features), as one step."""
    x, *weights = node.inputs
    directions = 2 if node.get("bidirectional") else 1
    kind, hidden, width = node.get("kind"), node.get("hidden"), node.get("output")
    steps, batch = x.shape[:2] if not node.get("batch_first") else x.shape[1::-1]
    kinds = {
        "weight": [one for one in weights if len(one.shape) == 2],
        "bias": [one for one in weights if len(one.shape) == 1],
    }
    options = {"projection": width} if kind == "lstm" and width != hidden else {}
    node.emit(
        *(kind, (steps, x.shape[-1])),
        times=batch,
        holds={name: together(tensors) for name, tensors in kinds.items() if tensors},
        hidden=hidden,
        layers=node.get("layers"),
        bidirectional=directions == 2,
        bias=bool(kinds["bias"]),
        **options,
    )
    return declared(node)


@rule("adaptive", into=RULES)
def adaptive(node: Any) -> Any:
    """Pooling to a given grid, channels before the grid."""
    x, rank = node.need(0), node.get("rank")
    space, (shape, *_) = x.shape[-rank:], node.proto.shapes
    *batch, channels = x.shape[: len(x.shape) - rank]
    node.emit(f"adaptive_{node.get('kind')}pool", (*space, channels), times=prod(batch), size=shape[-rank:])
    return [Tensor(one, first=len(one) == rank + 2) for one in node.proto.shapes]


@rule("activation", into=RULES)
def activation(node: Node) -> list[Tensor]:
    """Function of one tensor, named as in the spec language."""
    x = node.need(0)
    shape, times = node.seen(x)
    node.emit(node.get("function"), shape, times=times, follows=True)
    return [x._replace(value=None, roots=x.roots if node.is_constant else None)]


@rule("glu", into=RULES)
def glu(node: Any) -> Any:
    """Gated linear unit. Our operation has the halves in the last axis."""
    x = node.need(0)
    at = axis(node.get("dim"), len(x.shape))
    rest = prod(size for number, size in enumerate(x.shape) if number != at)
    node.emit("glu", (rest, x.shape[at]), follows=True)
    return [one._replace(first=x.first) for one in declared(node)]


@rule("passive", into=RULES)
def passive(node: Any) -> list[Tensor]:
    """Operators without multiplications. Constants stay constants."""
    outputs = declared(node)
    first = any(one.first and len(one.shape) == len(outputs[0].shape or ()) for one in node.inputs)
    if outputs[0].shape is not None:
        node.passive(outputs[0].shape, first)
    return [one._replace(first=first) for one in outputs]


@rule("created", into=RULES)
def created(node: Node) -> list[Tensor]:
    """Tensor that has no inputs."""
    return [Tensor(shape, None, frozenset()) for shape in node.proto.shapes]


def declared(node: Any) -> list[Tensor]:
    """Outputs with their exported shapes."""
    roots = frozenset().union(*(one.roots for one in node.inputs if one is not None)) if node.is_constant else None
    return [Tensor(shape, None, roots) for shape in node.proto.shapes]
