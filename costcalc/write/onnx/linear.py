"""Matrix products and embeddings in ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .builder import Builder, Value

if TYPE_CHECKING:
    from ...model.wiring import Node


def linear(b: Builder, node: Node, x: Value) -> Value:
    """Gemm for a vector, otherwise MatMul and Add."""
    out, features = node.row.layer.shape[-1], x.shape[-1]
    x = b.last(x)
    weight = b.weight(node.holder, "weight", (features, out), fan_in=features)
    bias = [b.weight(node.holder, "bias", (out,), "zeros")] if node.options["bias"] else []
    if len(x.shape) == 1:
        return Value(b.add("Gemm", x.name, weight, *bias), node.row.layer.shape)
    return Value(with_bias(b, b.add("MatMul", x.name, weight), bias), node.row.layer.shape)


def with_bias(b: Builder, name: str, bias: list[str]) -> str:
    """Add a bias to a tensor if there is one."""
    return b.add("Add", name, bias[0]) if bias else name


def bilinear(b: Builder, node: Node, left: Any, right: Any) -> Any:
    """The products a_i b_j by Mul, then a MatMul over all of them, with as many mult-adds as weights."""
    left, right, out = b.last(left), b.last(right), node.options["out"]
    *positions, a = left.shape
    count = a * right.shape[-1]
    column = b.add("Unsqueeze", left.name, b.ints(len(left.stored)))
    line = b.add("Unsqueeze", right.name, b.ints(len(right.stored) - 1))
    products = b.add("Reshape", b.add("Mul", column, line), b.ints(0, *positions, count))
    name = b.add("MatMul", products, b.weight(node.holder, "weight", (count, out), fan_in=count))
    bias = [b.weight(node.holder, "bias", (out,), "zeros")] if node.options["bias"] else []
    return Value(with_bias(b, name, bias), node.row.layer.shape)


def matmul(b: Builder, node: Node, left: Any, right: Any) -> Any:
    """MatMul."""
    return Value(b.add("MatMul", b.last(left).name, b.last(right).name), node.row.layer.shape)


def einsum(b: Builder, node: Node, *values: dict[str, float]) -> Any:
    """Einsum with an additional letter for the batch."""
    equation = node.options["equation"].replace(" ", "")
    letter = next(one for one in "nbzABCDEFGHIJKLMNOPQRSTUVWXYZ" if one not in equation)
    left, _, result = equation.partition("->")
    batched = ",".join(letter + term for term in left.split(",")) + f"->{letter}{result}"
    return Value(b.add("Einsum", *(b.last(value).name for value in values), equation=batched), node.row.layer.shape)


def embedding(b: Builder, node: Node, x: Value) -> Value:
    """Gather from a table."""
    from_floats = b.last(x).name if x.kind == "int" else b.add("Cast", b.last(x).name, to=7)  # INT64
    table = b.weight(node.holder, "weight", (node.options["vocab"], node.options["out"]))
    return Value(b.add("Gather", table, from_floats, axis=0), node.row.layer.shape)


def parameter(b: Builder, node: Node) -> Value:
    """An initializer."""
    shape = node.row.layer.shape
    return Value(b.weight(node.holder, "weight", (1, *shape)), shape)


RULES = {
    "linear": linear,
    "logits": linear,
    "bilinear": bilinear,
    "matmul": matmul,
    "einsum": einsum,
    "embedding": embedding,
    "parameter": parameter,
}
