"""Normalisations in ONNX."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from .builder import Builder, Value

if TYPE_CHECKING:
    from ...model.wiring import Node


EPSILON = 1e-5


def batchnorm(b: Builder, node: Node, x: Value) -> Value:
    """BatchNormalization with initial statistics."""
    x, channels = b.first(x), x.shape[-1:]
    mean = b.weight(node.holder, "running_mean", channels, "zeros")
    variance = b.weight(node.holder, "running_var", channels, "ones")
    return _like(b.add("BatchNormalization", x.name, *_affine(b, node, channels), mean, variance, epsilon=EPSILON), x)


def layernorm(b: Builder, node: Node, x: Value) -> Value:
    """LayerNormalization over the last axis."""
    x = b.last(x)
    scale, *shift = _affine(b, node, x.shape[-1:])
    return _like(b.add("LayerNormalization", x.name, scale, *shift, axis=-1, epsilon=EPSILON), x)


def groupnorm(b: Builder, node: Node, x: Value) -> Any:
    """InstanceNormalization over groups, then scale and shift: shape inference lacks GroupNormalization."""
    x, groups = b.first(x), node.options["groups"]
    grouped = b.add("Reshape", x.name, b.ints(0, groups, -1))
    plain = b.filled(1, groups), b.filled(0, groups)
    name = b.add("InstanceNormalization", grouped, *plain, epsilon=EPSILON)
    name = b.add("Reshape", name, b.ints(*x.stored))
    shape = (x.shape[-1], *[1] * (len(x.shape) - 1))
    if node.options["scale"]:
        name = b.add("Mul", name, b.weight(node.holder, "gamma", shape, "ones"))
    if node.options["shift"]:
        name = b.add("Add", name, b.weight(node.holder, "beta", shape, "zeros"))
    return _like(name, x)


def instancenorm(b: Builder, node: Node, x: Value) -> Any:
    """InstanceNormalization. A vector is treated as a grid of size 1."""
    x = b.first(x)
    grid = x.name if len(x.shape) > 1 else b.add("Unsqueeze", x.name, b.ints(2))
    name = b.add("InstanceNormalization", grid, *_affine(b, node, x.shape[-1:]), epsilon=EPSILON)
    return _like(name if len(x.shape) > 1 else b.add("Squeeze", name, b.ints(2)), x)


def rmsnorm(b: Builder, node: Node, x: Value) -> Any:
    """x / sqrt(mean(x*x) + epsilon) * gamma, in elementary operators."""
    x = b.last(x)
    mean = b.add("ReduceMean", b.add("Mul", x.name, x.name), b.ints(-1), keepdims=1)
    root = b.add("Sqrt", b.add("Add", mean, b.number(EPSILON)))
    name = b.add("Div", x.name, root)
    if node.options["scale"]:
        name = b.add("Mul", name, b.weight(node.holder, "gamma", x.shape[-1:], "ones"))
    return _like(name, x)


def lrn(b: Builder, node: Node, x: Value) -> Value:
    """LRN. It is defined on images, so other grids are reshaped to one."""
    x = b.first(x)
    *space, channels = x.shape
    name = x.name if len(space) == 2 else b.add("Reshape", x.name, b.ints(0, channels, prod(space), 1))
    name = b.add("LRN", name, size=node.options["size"])
    return _like(name if len(space) == 2 else b.add("Reshape", name, b.ints(0, channels, *space)), x)


def _affine(b: Builder, node: Node, channels: tuple[int, ...]) -> list[str]:
    """Scale and shift. If the layer has none, constant ones and zeros."""
    return [
        b.weight(node.holder, kind, channels, start) if node.options[option] else b.filled(number, *channels)
        for kind, option, start, number in (("gamma", "scale", "ones", 1), ("beta", "shift", "zeros", 0))
    ]


def _like(name: str, x: Value) -> Value:
    return Value(name, x.shape, x.first)


RULES = {
    "batchnorm": batchnorm,
    "layernorm": layernorm,
    "groupnorm": groupnorm,
    "instancenorm": instancenorm,
    "rmsnorm": rmsnorm,
    "lrn": lrn,
}
