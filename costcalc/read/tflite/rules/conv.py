"""Convolutions, pooling and products. Grids are (batch, .., channels)."""

from __future__ import annotations

from typing import Any

from ....errors import Refused
from ....num import equal, floor_div, prod, require
from ....num.values import Number, Shape
from ...onnx.node import Node, check_count
from ...onnx.rules.linear import multiplied, turned
from ...onnx.tensors import Outputs, Tensor, sizes
from . import rule

_PADDING = {0: "same", 1: "valid"}
_AXES = {2: ("H", "W"), 3: ("D", "H", "W")}


def grid(tensor: Tensor, rank: int) -> tuple[Number, Shape, Number]:
    """(batch, grid sizes, channels) of a tensor with its channels last."""
    if len(tensor.shape) != rank + 2:
        raise Refused(f"it needs a batch, a grid of {rank} axes and channels, got {len(tensor.shape)} axes")
    batch, *space, channels = tensor.shape
    return batch, tuple(space), channels


def window(node: Node, rank: int) -> dict[str, Any]:
    """Strides, padding and, if the operator has them, dilations from its options."""
    found: dict[str, Any] = {"padding": _PADDING[node.attributes["Padding"]]}
    steps = tuple(node.attributes[f"Stride{axis}"] for axis in _AXES[rank])
    holes = tuple(node.get(f"Dilation{axis}Factor", 1) for axis in _AXES[rank])
    if min(*steps, *holes) < 1:
        raise Refused(f"strides {list(steps)} and dilations {list(holes)} must be at least 1")
    return {**found, "stride": steps, "dilation": holes}


@rule("CONV_2D", options="Conv2DOptions", multiplies=True)
def conv(node: Node) -> Outputs:
    """Convolution: x, weights (out, height, width, in / groups), bias."""
    out, *kernel, narrow = node.need(1).shape
    return _convolved(node, 2, tuple(kernel), narrow, out)


@rule("CONV_3D", options="Conv3DOptions", multiplies=True)
def conv3d(node: Node) -> Outputs:
    """3D convolution: x, weights (depth, height, width, in / groups, out), bias."""
    *kernel, narrow, out = node.need(1).shape
    return _convolved(node, 3, tuple(kernel), narrow, out)


def _convolved(node: Node, rank: int, kernel: Shape, narrow: Number, out: Number) -> Any:
    weight, bias = node.need(1), node.input(2)
    batch, space, channels = grid(node.need(0), rank)
    if len(kernel) != rank or narrow < 1:
        raise Refused(f"weights of {list(weight.shape)} do not fit a grid of {rank} axes")
    require(equal(channels % narrow, 0), "{} channels do not match weights for {}", channels, narrow)
    check_count(bias, out, "a bias of {} numbers does not match {} channels")
    groups = floor_div(channels, narrow)
    options = {"kernel": kernel, "out": out, "groups": groups, "bias": bias is not None, **window(node, rank)}
    layer = node.emit("conv", (*space, channels), holds={"weight": weight, "bias": bias}, times=batch, **options)
    return [(batch, *layer.shape)]


@rule("DEPTHWISE_CONV_2D", options="DepthwiseConv2DOptions", multiplies=True)
def depthwise(node: Node) -> Outputs:
    """Depthwise convolution: x, weights (1, height, width, channels * multiplier), bias."""
    weight, bias = node.need(1), node.input(2)
    batch, space, channels = grid(node.need(0), 2)
    one, *kernel, out = weight.shape
    if len(kernel) != 2 or one != 1:
        raise Refused(f"weights of {list(weight.shape)} are not those of a depthwise convolution")
    require(equal(out % channels, 0), "{} channels do not match weights for {}", channels, out)
    check_count(bias, out, "a bias of {} numbers does not match {} channels")
    options = {"kernel": tuple(kernel), "multiplier": floor_div(out, channels), "bias": bias is not None}
    options.update(window(node, 2))
    layer = node.emit("dwconv", (*space, channels), holds={"weight": weight, "bias": bias}, times=batch, **options)
    return [(batch, *layer.shape)]


@rule("TRANSPOSE_CONV", options="TransposeConvOptions", multiplies=True)
def transposed(node: Node) -> Outputs:
    """Transposed convolution: output sizes, weights (out, height, width, in), x, bias."""
    out, *kernel, narrow = node.need(1).shape
    return _transposed(node, 2, tuple(kernel), narrow, out)


@rule("CONV_3D_TRANSPOSE", options="Conv3DOptions", multiplies=True)
def transposed3d(node: Node) -> Outputs:
    """3D transposed convolution: output sizes, weights (depth, height, width, out, in), x, bias."""
    *kernel, out, narrow = node.need(1).shape
    return _transposed(node, 3, tuple(kernel), narrow, out)


def _transposed(node: Node, rank: int, kernel: Shape, narrow: Number, out: Number) -> Any:
    weight, x, bias = node.need(1), node.need(2), node.input(3)
    batch, space, channels = grid(x, rank)
    if len(kernel) != rank:
        raise Refused(f"weights of {list(weight.shape)} do not fit a grid of {rank} axes")
    require(equal(channels, narrow), "{} channels do not match weights for {}", channels, narrow)
    check_count(bias, out, "a bias of {} numbers does not match {} channels")
    options = {"kernel": kernel, "out": out, "bias": bias is not None, **window(node, rank)}
    given = sizes(node.need(0))
    options.update(_cropped(options, space, given[1:-1]) if given is not None else {})
    node.inputs = [node.inputs[0]._replace(made=None), *node.inputs[1:]]  # the sizes are not an input of the step
    layer = node.emit(
        "conv_transpose", (*space, channels), holds={"weight": weight, "bias": bias}, times=batch, **options
    )
    return [(batch, *layer.shape)]


def _cropped(options: dict[str, Any], space: Shape, wanted: Shape) -> dict[str, Any]:
    """Padding and output padding that produce an output of the given sizes."""
    pads, extra = [], []
    for size, kernel, step, hole, goal in zip(
        space, options["kernel"], options["stride"], options["dilation"], wanted, strict=True
    ):
        full = (size - 1) * step + (kernel - 1) * hole + 1
        margin = full - goal
        if not isinstance(margin, int):
            return {}
        pads.append((max(margin, 0) // 2, max(margin, 0) - max(margin, 0) // 2))
        extra.append(max(-margin, 0))
    return {"padding": tuple(pads), "output_padding": tuple(extra)}


@rule("FULLY_CONNECTED", options="FullyConnectedOptions", multiplies=True)
def fully_connected(node: Node) -> Outputs:
    """A linear layer: x, weights (out, in), bias. All axes but the last are positions, kept or merged."""
    x, weight, bias = node.need(0), node.need(1), node.input(2)
    if len(weight.shape) != 2:
        raise Refused(f"weights of {list(weight.shape)} are not a matrix")
    features = weight.shape[1]
    if not node.get("KeepNumDims") or x.shape[-1] != features:
        require(equal(x.size % features, 0), "{} numbers do not match weights for {}", x.size, features)
        x = x._replace(shape=(floor_div(x.size, features), features))
    check_count(bias, weight.shape[0], "a bias of {} numbers does not match {} outputs")
    return multiplied(node, x, turned(weight), bias)


@rule("BATCH_MATMUL", options="BatchMatMulOptions", multiplies=True)
def batch_matmul(node: Node) -> Outputs:
    """Batched matrix products, with optional transposition."""
    left, right = node.need(0), node.need(1)
    left = turned(left) if node.get("AdjX") else left
    return multiplied(node, left, turned(right) if node.get("AdjY") else right, None)


_POOLS = {"MAX_POOL_2D": "maxpool", "AVERAGE_POOL_2D": "avgpool", "L2_POOL_2D": "lppool"}


@rule(*_POOLS, options="Pool2DOptions")
def pool(node: Node) -> Outputs:
    """Pooling over a sliding window."""
    batch, space, channels = grid(node.need(0), 2)
    kernel = node.attributes["FilterHeight"], node.attributes["FilterWidth"]
    if min(kernel) < 1:
        raise Refused(f"the window {list(kernel)} is empty")
    options = window(node, 2)
    del options["dilation"]
    layer = node.emit(_POOLS[node.op], (*space, channels), times=batch, kernel=kernel, **options)
    return [(batch, *layer.shape)]


@rule("SVDF", options="SVDFOptions", multiplies=True, fuses=False)
def svdf(node: Node) -> Outputs:
    """SVDF: x (batch, in), weights over features (filters, in) and over time (filters, steps), bias.

    Each filter computes one number from the input, keeps it for `steps` calls, and weights these over time. An output
    is the sum of `Rank` filters.
    Source: Nakkiran et al., Compressing Deep Neural Networks using a Rank-Constrained Topology.
    """
    x, features, time, bias = node.need(0), node.need(1), node.need(2), node.input(3)
    (batch, width), (filters, inner), (rows, steps) = x.shape, features.shape, time.shape
    require(equal(width, inner), "{} features do not match weights for {}", width, inner)
    require(equal(filters, rows), "{} filters do not match weights of {}", filters, rows)
    out = floor_div(filters, node.get("Rank", 1))
    holds = {"weight": _both(features, time), "bias": bias}
    cost = prod((filters, inner + steps))
    node.emit("opaque", (width,), holds=holds, times=batch, label="SVDF", out=(out,), mult_adds=cost, params=0)
    return [(batch, out)]


def _both(one: Tensor, other: Tensor) -> Tensor:
    roots = None if one.roots is None or other.roots is None else one.roots | other.roots
    return Tensor((one.size + other.size,), None, roots)
