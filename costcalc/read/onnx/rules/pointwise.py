"""Elementwise operators: activations, and sums, products and comparisons of broadcast tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....num import prod
from ....ops import INDEX
from ..node import Node, axis
from ..tensors import WEIGHT, Outputs, Tensor
from . import rule
from .linear import broadcast

if TYPE_CHECKING:
    from ....model.network import Stated, Step
    from ....num.values import Shape


ACTIVATIONS = {
    "Relu": "relu",
    "LeakyRelu": "leaky_relu",
    "Elu": "elu",
    "Selu": "selu",
    "Celu": "celu",
    "Gelu": "gelu",
    "FastGelu": "gelu",
    "BiasGelu": "gelu",
    "QuickGelu": "gelu",
    "Swish": "swish",
    "Mish": "mish",
    "Clip": "clamp",
    "Sigmoid": "sigmoid",
    "HardSigmoid": "hsigmoid",
    "HardSwish": "hswish",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Exp": "exp",
    "Log": "log",
    "Sqrt": "sqrt",
    "Abs": "abs",
    "Neg": "neg",
    "QLinearSigmoid": "sigmoid",
    "QLinearLeakyRelu": "leaky_relu",
}
_JOINS = {"Add": "add", "Sum": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Mean": "add"}
_QUANTIZED = {"QLinearAdd": "add", "QLinearMul": "mul"}
_OTHER = (
    *("Erf", "Reciprocal", "Floor", "Ceil", "Round", "Sign", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh"),
    *("Cosh", "Asinh", "Acosh", "Atanh", "IsNaN", "IsInf", "Not", "BitwiseNot", "Shrink", "ThresholdedRelu", "Hardmax"),
)
_BETWEEN = (
    *("Pow", "Mod", "Max", "Min", "And", "Or", "Xor", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"),
    *("BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Where"),
)


@rule(*ACTIVATIONS)
def activation(node: Node) -> list[Tensor]:
    """Elementwise function of one tensor. BiasGelu adds a bias first."""
    x = node.need(0)
    shape, times = node.seen(x)
    holds = {"bias": node.input(1)} if node.op == "BiasGelu" else None
    node.emit(ACTIVATIONS[node.op], shape, times=times, follows=True, holds=holds)
    return [_like(node, x)]


@rule("Softmax", "LogSoftmax", "QLinearSoftmax")
def softmax(node: Node) -> list[Tensor]:
    """Softmax along an axis; before version 13, along that axis and all after it."""
    x = node.need(0)
    at = axis(node.get("axis", -1 if node.version >= 13 else 1), max(len(x.shape), 1))
    size = x.shape[at] if node.version >= 13 else prod(x.shape[at:])
    rows = prod(x.shape[:at]) * (prod(x.shape[at + 1 :]) if node.version >= 13 else 1)
    if at == len(x.shape) - 1:
        shape, times = node.seen(Tensor(x.shape))
    else:
        shape, times = (rows, size), 1
    node.emit("log_softmax" if node.op == "LogSoftmax" else "softmax", shape, times=times, follows=True)
    return [_like(node, x)]


@rule("PRelu")
def prelu(node: Node) -> list[Tensor]:
    """Leaky ReLU with learned slopes."""
    x, slope = node.need(0), node.need(1)
    shape, times = node.seen(x)
    node.emit("prelu", shape, times=times, follows=True, holds={"slope": slope}, shared=slope.size == 1)
    return [_like(node, x)]


@rule(*_OTHER)
def other(node: Node) -> list[Tensor]:
    """Functions without an operation in the spec language."""
    x = node.need(0)
    node.passive(x.shape, x.first)
    return [_like(node, x)]


@rule(*_JOINS)
def join(node: Node) -> list[Tensor]:
    """Sums, differences, products and quotients."""
    return joined(node, node.inputs, _JOINS[node.op])


@rule("SwiGLU")
def swiglu(node: Node) -> list[Tensor]:
    """Swish of the first tensor, multiplied by the second."""
    gate = Node(node.reader, node.proto, [node.need(0)], {}, node.version, node.number)
    shape, times = node.seen(node.need(0))
    gate.emit("swish", shape, times=times, follows=True)
    node.inputs = [*gate.made([_like(gate, node.need(0))]), node.need(1)]
    return joined(node, node.inputs, "mul")


@rule(*_QUANTIZED)
def quantized(node: Node) -> Outputs:
    """Sums and products of quantised tensors, each with scale and zero point."""
    return joined(node, [node.need(0), node.need(3)], _QUANTIZED[node.op])


@rule(*_BETWEEN)
def between(node: Node) -> list[Tensor]:
    """Other elementwise operators on several tensors."""
    shape, first = _broadcast(node.inputs)
    node.passive(shape, first)
    return [Tensor(shape, None, _roots(node), first)]


def joined(node: Node, tensors: Any, op: str) -> list[Tensor]:
    """Result of an elementwise operation on several tensors."""
    shape, first = _broadcast(tensors)
    seen, times = node.seen(Tensor(shape, first=first))
    dropped = len(shape) - len(seen) if len(shape) > 1 else 0
    shapes = [_aligned(one.shape, len(shape), dropped, first) for one in tensors]
    constants = [one for one in tensors if node.reader.numbers.are_learned(one)]
    scaled = _scaled(node, op)
    if scaled and not any(one.scaled >= WEIGHT for one in tensors):
        constants = []
    flowing = next((one.made for one in tensors if one.made is not None), None)
    holds = {kind(node, op, one, flowing): one for one in constants}
    if len(tensors) > 1:
        node.emit(op, *shapes, times=times, follows=bool(constants), holds=holds)
    return [Tensor(shape, None, _roots(node), first, scaled=scaled)]


def _scaled(node: Node, op: str) -> frozenset[str]:
    """Scales that an integer product contains after this node. A constant factor is the scale of its weights."""
    found = frozenset().union(*(one.scaled for one in node.inputs if one is not None))
    if op != "mul" or not found or found >= WEIGHT:
        return found if op == "mul" else frozenset()
    constants = frozenset(at for at, one in enumerate(node.inputs) if one is not None and one.roots)
    node.settings = constants.union(node.ignored)
    return found | WEIGHT if constants else found


def _broadcast(tensors: Any) -> tuple[Shape, bool]:
    """Shape after broadcasting, and whether its channels come first."""
    shape = broadcast(*(one.shape for one in tensors))
    return shape, any(one.first and len(one.shape) == len(shape) for one in tensors)


def _aligned(shape: Any, rank: int, dropped: int, first: bool) -> Shape:
    """Shape of an operand with the axes of `seen`: the same axes dropped and moved as for the result."""
    shape = ((1,) * (rank - len(shape)) + tuple(shape))[dropped:]
    if first and dropped and len(shape) > 1:
        shape = (*shape[1:], shape[0])
    return shape or (1,)


def _like(node: Node, x: Tensor) -> Tensor:
    """Tensor of the same shape."""
    return x._replace(value=None, roots=x.roots if node.is_constant else None)


def _roots(node: Node) -> frozenset[str] | None:
    """Roots of a result if it is constant, else None."""
    return frozenset().union(*(one.roots for one in node.inputs if one is not None)) if node.is_constant else None


_ARITHMETIC = frozenset(("add", "sub", "mul", "div", "sqrt", "opaque"))  # operations of a standard deviation
_STATISTICS = frozenset(("reduce", "avgpool"))
_DEEP = 6  # most steps from a mean to the division by a value derived from it


def kind(node: Node, op: str, tensor: Any, flowing: int | str | None) -> str:
    """Kind of a learned operand: `bias` or `gamma` if it is a vector; else `weight`, for example a position table.

    A factor is the scale of a norm if it multiplies normalised values, or if a shift is added to the product (a norm at
    inference). Otherwise, as the layer scale of ConvNeXt (arXiv:2201.03545), it is a weight.
    """
    if sum(size != 1 for size in tensor.shape) > 1 or not node.reader.numbers.vectors.issuperset(tensor.roots or ()):
        return "weight"  # also one row of a table: the kind does not depend on the part that is read
    if op in ("add", "sub"):
        _shifted(node.reader.steps, flowing)
        return "bias"
    return "gamma" if _is_normalised(node.reader.steps, flowing) else "weight"


def _shifted(steps: Any, made: Any) -> None:
    """Mark the factor of a product as `gamma` if a shift is added to the product."""
    body = steps[made].body if type(made) is int else None
    if body and body.op in ("mul", "div") and len(body.inputs) == 2 and _is_vector(body):
        holds = {"gamma" if one == "weight" else one: count for one, count in body.holds.items()}
        steps[made] = steps[made]._replace(body=body._replace(holds=holds))


def _is_vector(body: Stated) -> bool:
    """Whether an operand of a step has at most one axis that is not 1."""
    return any(sum(size != 1 for size in shape) < 2 for shape in body.inputs)


def _is_normalised(steps: list[Step], made: int | str | None) -> bool:
    """Whether a step is a norm, or multiplies or divides by a value derived from a mean or sum."""
    if type(made) is not int:
        return False
    body = steps[made].body
    if INDEX.get(body.op) == "norm" or body.op == "sub":
        return body.op != "sub" or any(type(one) is str for one in body.sources)  # an image minus its mean
    return body.op in ("mul", "div") and any(_is_statistic(steps, one, _DEEP) for one in body.sources)


def _is_statistic(steps: list[Step], made: int | str, deep: Any) -> Any:
    """Whether a step is a mean or sum, or derived from one by arithmetic alone."""
    if type(made) is not int or not deep:
        return False
    body = steps[made].body
    if body.op in _STATISTICS:
        return True
    return body.op in _ARITHMETIC and any(_is_statistic(steps, one, deep - 1) for one in body.sources)
