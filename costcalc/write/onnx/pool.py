"""Pooling and reduction in ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...ops.layout import axis_number
from ...ops.window import each, is_word
from ..windows import pads_of, window_of
from .builder import Builder, Value
from .conv import flat

if TYPE_CHECKING:
    from ...model.wiring import Node
    from ...num.values import Shape


_POOLS = {"maxpool": "MaxPool", "avgpool": "AveragePool", "lppool": "LpPool"}
_MEANS = {"adaptive_avgpool": "ReduceMean", "adaptive_maxpool": "ReduceMax"}
_METHODS = {"mean": "ReduceMean", "sum": "ReduceSum", "max": "ReduceMax"}


def pool(b: Builder, node: Node, x: Value) -> Value:
    """MaxPool, AveragePool or LpPool, or their global variants."""
    op, shape, x = _POOLS[node.row.op.name], node.row.layer.shape, b.first(x)
    if is_word(node.options["kernel"], "global"):
        return Value(b.add(f"Global{op}", x.name), shape, True)
    *space, _ = x.shape
    window = window_of(node, node.options["kernel"], space)
    pads = pads_of(node.options["padding"], space, shape[:-1], window)
    kernel, stride, dilation = window
    if any(pad >= k for pair, k in zip(pads, kernel, strict=True) for pad in pair):
        x, pads = _bordered(b, x, pads), [(0, 0)] * len(space)
    attributes: dict[str, Any] = {"kernel_shape": kernel, "strides": stride, "pads": flat(pads)}
    if op == "MaxPool":
        attributes["dilations"] = dilation
    elif op == "AveragePool":
        attributes["count_include_pad"] = int(type(node.options["padding"]) is not str)
    return Value(b.add(op, x.name, **attributes), shape, True)


def _bordered(b: Builder, x: Value, pads: list[Shape]) -> Any:
    """Pad a grid with the least value, because dilated windows may need more padding than the operator supports."""
    space = [n + before + after for n, (before, after) in zip(x.shape, pads, strict=False)]
    around = b.ints(0, 0, *(pair[0] for pair in pads), 0, 0, *(pair[1] for pair in pads))
    return Value(b.add("Pad", x.name, around, b.number(-3e38)), (*space, x.shape[-1]), True)


def adaptive(b: Builder, node: Node, x: Value) -> Value:
    """Adaptive pooling. ONNX lacks it, so each axis is reduced in slices."""
    x = b.first(x)
    name, op = x.name, _MEANS[node.row.op.name]
    for at, (n, o) in enumerate(zip(x.shape, each(node.options["size"], x.shape[:-1]), strict=False)):
        axis = b.ints(at + 2)
        if n != o:
            parts = [_piece(b, op, name, axis, (i * n // o, -(-(i + 1) * n // o))) for i in range(o)]
            name = b.add("Concat", *parts, axis=at + 2) if o > 1 else parts[0]
    return Value(name, node.row.layer.shape, True)


def _piece(b: Builder, op: str, name: str, axis: Any, bounds: Any) -> Any:
    start, end = bounds
    return b.add(op, b.add("Slice", name, b.ints(start), b.ints(end), axis), axis, keepdims=1)


def reduce(b: Builder, node: Node, x: Value) -> Any:
    """ReduceMean, ReduceSum or ReduceMax."""
    x, keep = b.last(x), node.options["keep"]
    axes = b.ints(axis_number(x.shape, node.options["axis"]) + 1)
    return Value(b.add(_METHODS[node.options["method"]], x.name, axes, keepdims=int(keep)), node.row.layer.shape)


RULES = {**dict.fromkeys(_POOLS, pool), **dict.fromkeys(_MEANS, adaptive), "reduce": reduce}
