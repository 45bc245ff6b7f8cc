"""The functions of keras.ops in functional models, which stand there like layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...model.network import Step
from ...num import equal
from ...ops import INDEX
from .graph import keys_of
from .layer import UNKNOWN, Layer, axis_of
from .shapes import filled


def function(name: str) -> Callable[..., Any]:
    """The rule of a function of one tensor, element by element."""
    return lambda layer: layer.step(name)


def pair(op: str) -> Callable[..., Any]:
    """The rule of a function of two tensors, or of one and a number."""

    def rule(layer: Layer) -> Step:
        return layer.step("identity") if len(layer.inputs) == 1 else layer.step(op, inputs=tuple(layer.inputs))

    return rule


def reshape(layer: Layer) -> Step | None:
    """Reshape; the first size is the batch."""
    first, *target = layer.config["newshape"]
    if first not in (-1, None) or not target:
        return UNKNOWN
    found = filled(layer, target)
    out = layer.reader.flow.tried(found, layer.shape) if found else None
    return found if out is not None else UNKNOWN


def transpose(layer: Layer) -> Step | None:
    """Transpose that leaves the batch first."""
    axes = layer.get("axes", list(range(len(layer.shape), -1, -1)))
    return layer.step("permute", order=[axis_of(axis, len(layer.shape)) for axis in axes[1:]]) if axes[0] == 0 else None


def concatenate(layer: Layer) -> Step | None:
    """Concatenate along an axis that is not the batch."""
    axis = layer.get("axis", 0)
    return layer.step("concat", inputs=tuple(layer.inputs), axis=axis_of(axis, len(layer.shape))) if axis else UNKNOWN


def expand(layer: Layer) -> Step | None:
    """ExpandDims behind the batch."""
    shape, axis = list(layer.shape), layer.config["axis"]
    at = axis + len(shape) + 1 if axis < 0 else axis - 1
    if axis == 0 or not 0 <= at <= len(shape):
        return UNKNOWN
    return layer.reshaped((*shape[:at], 1, *shape[at:]))


def squeeze(layer: Layer) -> Step | None:
    """Squeeze of axes of one."""
    axis = layer.config.get("axis")
    axes = [axis] if type(axis) is int else axis
    if not axes:
        return UNKNOWN
    gone = {axis_of(axis, len(layer.shape)) for axis in axes}
    shape = tuple(size for at, size in enumerate(layer.shape) if at not in gone)
    return layer.reshaped(shape) if shape and all(equal(layer.shape[at], 1) for at in gone) else UNKNOWN


def reduced(method: str) -> Callable[..., Any]:
    """The rule of a reduction along axes that are not the batch."""

    def rule(layer: Layer) -> Step | None:
        axis, keep = layer.config.get("axis"), bool(layer.get("keepdims", False))
        axes = [axis] if type(axis) is int else axis
        if not axes or (len(axes) >= len(layer.shape) and not keep):
            return UNKNOWN
        found = sorted((axis_of(axis, len(layer.shape)) for axis in axes), reverse=True)
        return layer.group(*(layer.step("reduce", method=method, axis=at, keep=keep) for at in found))

    return rule


def taken(layer: Layer) -> Step | None:
    """GetItem: a part of every sample, by whole numbers and slices that the file holds."""
    at = layer.argument("key", 1)
    parts = at if isinstance(at, list) else [at]
    if not parts or not _is_whole(parts[0]) or keys_of(parts) or len(parts) > len(layer.shape) + 1:
        return UNKNOWN
    shape = []
    for part, size in zip([*parts[1:], *[_WHOLE] * len(layer.shape)], layer.shape, strict=False):
        if type(part) is not int:
            if not _is_slice(part) or (not _is_whole(part) and type(size) is not int):
                return UNKNOWN
            shape.append(size if _is_whole(part) else len(range(size)[_slice(part)]))
    return layer.made(tuple(shape) or (1,), "part") if 0 not in shape else UNKNOWN


_WHOLE = {"class_name": "__slice__", "config": {}}


def _is_slice(part: Mapping[str, Any]) -> bool:
    return isinstance(part, dict) and part.get("class_name") == "__slice__" and isinstance(part.get("config"), dict)


def _slice(part: Mapping[str, Any]) -> slice:
    return slice(*(part["config"].get(key) for key in ("start", "stop", "step")))


def _is_whole(part: Mapping[str, Any]) -> bool:
    return _is_slice(part) and not any(part["config"].get(key) for key in ("start", "stop", "step"))


def matmul(layer: Layer) -> Step | None:
    """Matmul of two tensors of one rank for every sample."""
    if len(layer.tensors) != 2 or len({len(one.shape or ()) for one in layer.tensors}) > 1 or len(layer.shape) < 2:
        return UNKNOWN
    return layer.step("matmul", inputs=tuple(layer.inputs))


def einsum(layer: Layer) -> Step | None:
    """Einsum of one tensor or two, the batch first in each."""
    terms, _, result = layer.config["subscripts"].replace(" ", "").partition("->")
    every = [*terms.split(","), result]
    if len(every) - 1 != len(layer.tensors) or len({one[:1] for one in every}) > 1 or "." in terms or not result:
        return UNKNOWN
    if any(one.count(one[0]) > 1 for one in every) or len(result) < 2:
        return UNKNOWN
    equation = f"{','.join(one[1:] for one in every[:-1])}->{result[1:]}"
    return layer.step("einsum", equation=equation, of=tuple(layer.inputs))


_FUNCTIONS = {
    **{name: op for op in INDEX for name in (op.title().replace("_", ""),) if INDEX[op] == "pointwise"},
    "Silu": "silu",
    "Square": "square",
    "Sqrt": "sqrt",
    "Negative": "neg",
    "HardSigmoid": "hsigmoid",
    "HardSilu": "hswish",
    "Absolute": "abs",
    "Abs": "abs",
    "LeakyRelu": "leaky_relu",
    "Clip": "clamp",
}
_SKIP = ("Add", "Sub", "Mul", "Div", "Dropout", "Glu", "Prelu", "Softmax", "LogSoftmax")
OPERATIONS = {
    **{name: function(op) for name, op in _FUNCTIONS.items() if name not in _SKIP},
    **{name: pair("add") for name in ("Add", "Maximum", "Minimum")},
    "Subtract": pair("sub"),
    "Multiply": pair("mul"),
    "TrueDivide": pair("div"),
    "Divide": pair("div"),
    "Mean": reduced("mean"),
    "Sum": reduced("sum"),
    "Max": reduced("max"),
    "Min": reduced("max"),
    "Cast": function("identity"),
    "Concatenate": concatenate,
    "Einsum": einsum,
    "ExpandDims": expand,
    "GetItem": taken,
    "Matmul": matmul,
    "Reshape": reshape,
    "Softmax": lambda layer: layer.step("softmax") if layer.get("axis", -1) == -1 else UNKNOWN,
    "Squeeze": squeeze,
    "Transpose": transpose,
}
