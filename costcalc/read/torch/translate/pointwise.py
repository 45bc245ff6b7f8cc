"""Elementwise operators, normalisations, and reductions along axes."""

from __future__ import annotations

from typing import Any

from ..node import Node, shape
from . import translates

ACTIVATIONS = {  # names in the spec language
    "relu": "relu",
    "relu6": "relu6",
    "hardtanh": "hardtanh",
    "hardswish": "hswish",
    "hardsigmoid": "hsigmoid",
    "leaky_relu": "leaky_relu",
    "rrelu": "leaky_relu",
    "elu": "elu",
    "selu": "selu",
    "celu": "celu",
    "gelu": "gelu",
    "silu": "silu",
    "mish": "mish",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softplus": "softplus",
    "exp": "exp",
    "log": "log",
    "sqrt": "sqrt",
    "square": "square",
    "abs": "abs",
    "neg": "neg",
    "clamp": "clamp",
    "clamp_min": "clamp",
    "clamp_max": "clamp",
    "clip": "clamp",
}
_JOINS = {"add": "Add", "sub": "Sub", "subtract": "Sub", "mul": "Mul", "multiply": "Mul", "div": "Div", "divide": "Div"}
_JOINS |= {"true_divide": "Div", "__add__": "Add"}
_OTHER = {
    **{name: name.capitalize() for name in ("erf", "floor", "ceil", "round", "sign", "sin", "cos", "tan", "asin")},
    **{name: name.capitalize() for name in ("acos", "atan", "sinh", "cosh", "reciprocal")},
    "logical_not": "Not",
    "bitwise_not": "BitwiseNot",
    "isnan": "IsNaN",
    "isinf": "IsInf",
    **dict.fromkeys(("rsqrt", "log1p", "expm1", "log2", "exp2", "log10", "sgn", "trunc", "frac"), "Reciprocal"),
    **dict.fromkeys(("log_sigmoid", "tanhshrink", "hardshrink", "softshrink", "threshold", "erfinv"), "Shrink"),
    **{name: name.capitalize() for name in ("asinh", "acosh", "atanh")},
    **dict.fromkeys(
        ("erfc", "lgamma", "digamma", "polygamma", "logit", "sinc", "i0", "deg2rad", "rad2deg"), "Reciprocal"
    ),
    **dict.fromkeys(("nan_to_num", "signbit", "positive", "isfinite", "isposinf", "isneginf", "poisson"), "Reciprocal"),
    **dict.fromkeys(
        (f"special_{name}" for name in ("erfcx", "entr", "i0e", "i1", "i1e", "ndtr", "ndtri")), "Reciprocal"
    ),
}
_BETWEEN = {
    "pow": "Pow",
    "remainder": "Mod",
    "fmod": "Mod",
    "maximum": "Max",
    "minimum": "Min",
    "eq": "Equal",
    "ne": "Equal",
    "gt": "Greater",
    "ge": "GreaterOrEqual",
    "lt": "Less",
    "le": "LessOrEqual",
    "floor_divide": "Mod",
    "logical_and": "And",
    "logical_or": "Or",
    "logical_xor": "Xor",
    "bitwise_and": "And",
    "bitwise_or": "Or",
    "atan2": "Pow",
    "where": "Where",
    "masked_fill": "Where",
    "__and__": "And",
    "__or__": "Or",
    "lerp": "Where",
    **dict.fromkeys(("copysign", "hypot", "heaviside", "ldexp", "float_power", "nextafter", "xlogy"), "Pow"),
    **dict.fromkeys(("logaddexp", "logaddexp2", "special_xlog1py", "special_zeta", "gcd", "lcm", "isclose"), "Pow"),
    **dict.fromkeys(("igamma", "igammac", "normal"), "Pow"),
    **dict.fromkeys(("fmax", "fmin"), "Max"),
    **dict.fromkeys(("bitwise_xor", "__xor__"), "Xor"),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift", "__lshift__", "__rshift__"), "BitShift"),
}


@translates(*ACTIVATIONS)
def activation(node: Node) -> None:
    """Function of one tensor."""
    op = ACTIVATIONS[node.base if node.base in ACTIVATIONS else node.base.removesuffix("_")]
    if op == "hardtanh" and (node["min_val"], node["max_val"]) == (0, 6):
        op = "relu6"
    node.own("activation", node.tensors[0], function=op)


@translates("prelu", "_prelu_kernel")
def prelu(node: Node) -> None:
    """PReLU: leaky ReLU with learned slopes."""
    node.call("PRelu", *node.tensors)


@translates("softmax", "_softmax", "log_softmax", "_log_softmax")
def softmax(node: Node) -> None:
    """Softmax along an axis."""
    node.call("LogSoftmax" if "log" in node.base else "Softmax", node.tensors[0], axis=node["dim"])


@translates("glu")
def glu(node: Node) -> None:
    """Gated linear unit."""
    node.own("glu", node["self"], dim=node["dim"])


@translates(*_JOINS)
def join(node: Node) -> None:
    """Sum, difference, product or quotient of tensors, or of a tensor and a number."""
    node.call(
        _JOINS[node.base.removesuffix("_") if node.base not in _JOINS else node.base], node["self"], node["other"]
    )


@translates("rsub")
def rsub(node: Node) -> None:
    """Subtraction with swapped operands."""
    node.call("Sub", node["other"], node["self"])


@translates("addcmul", "addcdiv")
def addcmul(node: Node) -> None:
    """Product or quotient of two tensors, added to a third."""
    op = "Mul" if "mul" in node.base else "Div"
    product = node.step(op, node["tensor1"], node["tensor2"], shape=node.shapes[0])
    node.call("Add", node["self"], product)


@translates(*_OTHER)
def other(node: Node) -> None:
    """Functions without an operation in the spec language."""
    node.call(_OTHER[node.base if node.base in _OTHER else node.base.removesuffix("_")], node.tensors[0])


@translates(*_BETWEEN)
def between(node: Node) -> None:
    """Other operators on broadcast tensors. `where` with a condition only returns indices."""
    if node.base == "where" and node.many:
        node.own("passive", *node.tensors)
        return
    node.call(_BETWEEN[node.base if node.base in _BETWEEN else node.base.removesuffix("_")], *node.tensors)


def filled(node: Node, value: Any) -> Any:
    """The tensor, or zeros for each channel if it is None."""
    return value if value is not None else [0.0] * shape(node["input"])[1]


@translates(
    "batch_norm",
    "native_batch_norm",
    "cudnn_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
)
def batch_norm(node: Node) -> None:
    """Batch normalisation, with or without scale, shift and running statistics."""
    names = ("weight", "bias", "running_mean", "running_var")
    node.call("BatchNormalization", node["input"], *(filled(node, node.get(name)) for name in names))


@translates("layer_norm", "native_layer_norm")
def layer_norm(node: Node) -> None:
    """Layer normalisation over the last axes."""
    axis = -len(node["normalized_shape"])
    node.call("LayerNormalization", node["input"], node["weight"], node["bias"], axis=axis)


@translates("rms_norm", "_fused_rms_norm")
def rms_norm(node: Node) -> None:
    """RMS normalisation over the last axes."""
    node.call("RMSNormalization", node["input"], node["weight"], axis=-len(node["normalized_shape"]))


@translates("group_norm")
def group_norm(node: Node) -> None:
    """Group normalisation."""
    node.call("GroupNormalization", node["input"], node["weight"], node["bias"], num_groups=node["num_groups"])


@translates("native_group_norm")
def native_group_norm(node: Node) -> None:
    """Group normalisation that also returns its statistics."""
    node.call("GroupNormalization", node["input"], node["weight"], node["bias"], num_groups=node["group"])


@translates("instance_norm")
def instance_norm(node: Node) -> None:
    """Instance normalisation."""
    node.call("InstanceNormalization", node["input"], node["weight"], node["bias"])


@translates("local_response_norm")
def lrn(node: Node) -> None:
    """Local response normalisation across channels."""
    node.call("LRN", node["input"], size=node["size"])


_OPS = {
    "mean": "ReduceMean",
    "sum": "ReduceSum",
    "amax": "ReduceMax",
    "amin": "ReduceMin",
    "prod": "ReduceProd",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "logsumexp": "ReduceLogSumExp",
    "norm": "ReduceL2",
    "nansum": "ReduceSum",
    "linalg_vector_norm": "ReduceL2",
    "var": "ReduceSumSquare",
    "std": "ReduceSumSquare",
    "all": "ReduceMin",
    "any": "ReduceMax",
    "var_mean": "ReduceSumSquare",
    "std_mean": "ReduceSumSquare",
}


@translates(*_OPS)
def reduction(node: Node) -> None:
    """Mean, sum, maximum etc. along axes. With two tensors, `max` and `min` are elementwise."""
    if len(node.tensors) > 1:
        node.call("Max" if node.base == "max" else "Min", *node.tensors)
        return
    if node.many:
        along(node)
        return
    axes = node.get("dim")
    axes = [axes] if isinstance(axes, int) else list(axes) if axes else None
    node.call(_OPS[node.base], node.tensors[0], axes=axes, keepdims=int(node.get("keepdim", False)))


@translates(
    *("argmax", "argmin", "cumsum", "cumprod", "topk", "sort", "argsort", "tril", "triu", "bernoulli", "cummax"),
    *("histc", "bincount", "median", "nanmedian", "mode", "kthvalue", "cummin", "multinomial"),
)
def along(node: Node) -> None:
    """Operators that only compare or add."""
    node.own("passive", *node.tensors)
