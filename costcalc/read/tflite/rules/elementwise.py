"""Elementwise operators and reductions."""

from __future__ import annotations

from ...onnx.node import Node
from ...onnx.tensors import Outputs, Tensor, constant
from . import as_onnx, reader, rule, values

_SAME = {
    "ADD": "Add",
    "SUB": "Sub",
    "MUL": "Mul",
    "DIV": "Div",
    "ADD_N": "Sum",
    "MAXIMUM": "Max",
    "MINIMUM": "Min",
    "POW": "Pow",
    "FLOOR_MOD": "Mod",
    "EQUAL": "Equal",
    "NOT_EQUAL": "Equal",
    "LESS": "Less",
    "GREATER": "Greater",
    "LESS_EQUAL": "LessOrEqual",
    "GREATER_EQUAL": "GreaterOrEqual",
    "LOGICAL_AND": "And",
    "LOGICAL_OR": "Or",
    "LOGICAL_NOT": "Not",
    "BITWISE_XOR": "BitwiseXor",
    "RIGHT_SHIFT": "BitShift",
    "ATAN2": "Pow",
    "SELECT": "Where",
    "SELECT_V2": "Where",
    "RELU": "Relu",
    "RELU_N1_TO_1": "Clip",
    "RELU_0_TO_1": "Clip",
    "LOGISTIC": "Sigmoid",
    "TANH": "Tanh",
    "ELU": "Elu",
    "GELU": "Gelu",
    "HARD_SWISH": "HardSwish",
    "LEAKY_RELU": "LeakyRelu",
    "EXP": "Exp",
    "LOG": "Log",
    "SQRT": "Sqrt",
    "ABS": "Abs",
    "NEG": "Neg",
    "FLOOR": "Floor",
    "CEIL": "Ceil",
    "ROUND": "Round",
    "SIGN": "Sign",
    "SIN": "Sin",
    "COS": "Cos",
    "PRELU": "PRelu",
    "DEQUANTIZE": "DequantizeLinear",
    "FAKE_QUANT": "Identity",
    "DENSIFY": "Identity",
    "BITCAST": "Identity",
    "SHAPE": "Shape",
    "BROADCAST_TO": "Expand",
    "TILE": "Tile",
    "GATHER_ND": "GatherND",
    "CUMSUM": "CumSum",
    "REVERSE_SEQUENCE": "ReverseSequence",
    "WHERE": "NonZero",
    "UNIQUE": "Unique",
    "ZEROS_LIKE": "RandomNormalLike",
    "RANGE": "Range",
}
_REDUCTIONS = {
    "MEAN": "ReduceMean",
    "SUM": "ReduceSum",
    "REDUCE_PROD": "ReduceProd",
    "REDUCE_MAX": "ReduceMax",
    "REDUCE_MIN": "ReduceMin",
    "REDUCE_ANY": "ReduceMax",
    "REDUCE_ALL": "ReduceMin",
}
_WHOLE = {"INT32": 6, "INT64": 7, "BOOL": 9, "INT8": 3, "UINT8": 2, "INT16": 5}  # numbers of TensorProto's types


@rule(*_SAME)
def same(node: Node) -> Outputs:
    """Operators that ONNX has too."""
    return as_onnx(node, _SAME[node.op], *node.inputs, outputs=node.outputs)


@rule("CAST", options="CastOptions")
def cast(node: Node) -> Outputs:
    """Conversion to another type."""
    kind = reader(node).given(node.proto.output[0]).type
    return as_onnx(node, "Cast", node.need(0), to=_WHOLE.get(kind, 1))


@rule("QUANTIZE")
def quantize(node: Node) -> Outputs:
    """Quantization, or requantization with another scale: a new tensor."""
    x = node.need(0)
    return _copied(node, x) if x.roots is None else [x]


def _copied(node: Node, x: Tensor) -> list[Tensor]:
    shape, times = node.seen(x)
    node.emit("identity", shape, times=times, follows=True)
    return [Tensor(x.shape)]


@rule("DEQUANTIZE")
def dequantize(node: Node) -> Outputs:
    """Conversion of integers or 16-bit floats to 32-bit floats. Values of constants remain known."""
    if node.need(0).roots is None:
        return _copied(node, node.need(0))
    scaled = reader(node).given(node.proto.input[0]).is_scaled
    if scaled:
        return as_onnx(node, "DequantizeLinear", node.need(0))
    return as_onnx(node, "Cast", node.need(0), to=1)


@rule("RELU6")
def relu6(node: Node) -> Outputs:
    """ReLU6."""
    x = node.need(0)
    shape, times = node.seen(x)
    node.emit("relu6", shape, times=times, follows=True)
    return [x._replace(value=None)]


@rule("SOFTMAX", "LOG_SOFTMAX")
def softmax(node: Node) -> Outputs:
    """Softmax along the last axis."""
    return as_onnx(node, "Softmax" if node.op == "SOFTMAX" else "LogSoftmax", node.need(0), axis=-1)


@rule("SQUARE")
def square(node: Node) -> Outputs:
    """Square."""
    x = node.need(0)
    return as_onnx(node, "Mul", x, x)


@rule("RSQRT")
def rsqrt(node: Node) -> Outputs:
    """Reciprocal square root."""
    (root,) = as_onnx(node, "Sqrt", node.need(0))
    return as_onnx(node, "Reciprocal", root)


@rule("SQUARED_DIFFERENCE")
def squared_difference(node: Node) -> Outputs:
    """Squared difference."""
    (difference,) = as_onnx(node, "Sub", node.need(0), node.need(1))
    return as_onnx(node, "Mul", difference, difference)


@rule("FLOOR_DIV")
def floor_div(node: Node) -> Outputs:
    """Floor division."""
    (quotient,) = as_onnx(node, "Div", node.need(0), node.need(1))
    return as_onnx(node, "Floor", quotient)


@rule(*_REDUCTIONS, options="ReducerOptions")
def reduction(node: Node) -> Outputs:
    """Mean, sum, maximum etc. along axes."""
    x, axes = node.need(0), values(node, 1)
    keep = int(bool(node.get("KeepDims")))
    if not axes:
        return [x._replace(value=None)]
    return as_onnx(node, _REDUCTIONS[node.op], x, constant((len(axes),), axes), keepdims=keep)


@rule("ARG_MAX", "ARG_MIN")
def arg(node: Node) -> Outputs:
    """Index of the maximum or minimum along an axis."""
    (at,) = values(node, 1)
    return as_onnx(node, "ArgMax" if node.op == "ARG_MAX" else "ArgMin", node.need(0), axis=at, keepdims=0)


@rule("L2_NORMALIZATION")
def l2(node: Node) -> Outputs:
    """L2 normalisation of each row."""
    return as_onnx(node, "LpNormalization", node.need(0))


@rule("LOCAL_RESPONSE_NORMALIZATION", options="LocalResponseNormalizationOptions")
def lrn(node: Node) -> Outputs:
    """Local response normalisation over `Radius` channels on each side."""
    x = node.need(0)
    shape, times = node.seen(x)
    node.emit("lrn", shape, times=times, follows=True, size=2 * node.attributes["Radius"] + 1)
    return [Tensor(x.shape)]
