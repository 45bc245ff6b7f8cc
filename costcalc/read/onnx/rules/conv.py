"""Convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .... import limits
from ....errors import Refused
from ..node import Node, check_count, grid
from ..tensors import PRODUCT, Outputs, Tensor
from . import rule

if TYPE_CHECKING:
    from ....num.values import Number
    from ....ops.base import Layer


def window(node: Node, kernel: Sequence[int]) -> dict[str, Any]:
    """Options of a sliding window for our operations."""
    rank = len(kernel)
    pads = node.get("pads") or [0] * 2 * rank
    for name, many in (("strides", rank), ("dilations", rank), ("pads", 2 * rank)):
        given = node.get(name)
        if given and (len(given) != many or min(given) < (name != "pads") or max(given) > limits.SIZE):
            raise Refused(f"`{name}` {list(given)} does not fit a kernel of {rank} axes")
    padding = tuple(zip(pads[:rank], pads[rank:], strict=True))
    auto = node.get("auto_pad", "NOTSET")
    return {
        "stride": tuple(node.get("strides") or (1,) * rank),
        "padding": "same" if auto.startswith("SAME") else "valid" if auto == "VALID" else padding,
        "dilation": tuple(node.get("dilations") or (1,) * rank),
    }


def check_kernel(node: Node, kernel: list[int]) -> None:
    """Refuse a `kernel_shape` that differs from the shape of the weights."""
    given = node.get("kernel_shape")
    if given and tuple(given) != tuple(kernel):
        raise Refused(f"`kernel_shape` {list(given)} is not that of the weights, {list(kernel)}")


@rule("Conv", "FusedConv", multiplies=True)
def conv(node: Node) -> list[Tensor]:
    """Conv: y = x * w + b."""
    return convolved(node, node.need(0), node.need(1), node.input(2))


@rule("ConvInteger", multiplies=True)
def conv_integer(node: Node) -> Outputs:
    """Integer convolution, scaled by a later node: x, w, zero points."""
    return [one._replace(scaled=PRODUCT) for one in convolved(node, node.need(0), node.need(1), None)]


@rule("QLinearConv", multiplies=True)
def qlinear_conv(node: Node) -> Outputs:
    """Quantised convolution: x, w and y, each with scale and zero point, then the bias."""
    return convolved(node, node.need(0), node.need(3), node.input(8))


@rule("DeformConv", multiplies=True)
def deform_conv(node: Node) -> Outputs:
    """Deformable convolution: x, w, offset, b. Reading at offsets is interpolation and has no mult-adds."""
    return convolved(node, node.need(0), node.need(1), node.input(3))


def convolved(node: Node, x: Tensor, weight: Any, bias: Tensor | None) -> list[Tensor]:
    """Output of a convolution, standard or depthwise."""
    batch, channels, space = grid(x)
    out, narrow, *kernel = weight.shape
    groups = node.get("group", 1)
    if len(kernel) != len(space):
        raise Refused(f"a kernel of {len(kernel)} axes on a grid of {len(space)}")
    if not isinstance(groups, int) or groups < 1:
        raise Refused(f"`group` cannot be {groups}")
    node.same(channels, narrow * groups, "{} channels do not match weights for {}")
    channels = narrow * groups
    check_count(bias, out, "a bias of {} numbers does not match {} channels")
    check_kernel(node, kernel)
    options = {"kernel": tuple(kernel), **window(node, kernel), "bias": bias is not None}
    depthwise = groups > 1 and narrow == 1 and out % groups == 0
    if depthwise:
        options["multiplier"] = out // groups
    else:
        options.update(out=out, groups=groups)
    layer = node.emit(
        *("dwconv" if depthwise else "conv", (*space, channels)),
        holds={"weight": weight, "bias": bias},
        times=batch,
        **options,
    )
    return [result(batch, layer)]


def result(batch: Number, layer: Layer) -> Tensor:
    """Output of a layer with its batch, channels first."""
    *space, channels = layer.shape
    return Tensor((batch, channels, *space), first=True)


@rule("CausalConvWithState", multiplies=True)
def causal_conv(node: Node) -> list[Tensor]:
    """Depthwise causal convolution of a sequence (batch, channels, length) and a past state. Also returns its state."""
    x, weight, bias = node.need(0), node.need(1), node.input(2)
    (batch, channels, (length,)), (rows, narrow, size) = grid(x), weight.shape
    if narrow != 1:
        raise Refused(f"weights of {list(weight.shape)} are not those of a depthwise convolution")
    node.same(channels, rows, "{} channels do not match weights for {}")
    check_count(bias, rows, "a bias of {} numbers does not match {} channels")
    options: dict[str, Any] = {
        "kernel": (size,),
        "padding": ((size - 1, 0),),
        "multiplier": 1,
        "bias": bias is not None,
    }
    layer = node.emit("dwconv", (length, channels), holds={"weight": weight, "bias": bias}, times=batch, **options)
    if node.get("activation", "none") != "none":
        node.emit("swish", layer.shape, times=batch, follows=True)
    return [result(batch, layer), Tensor((batch, channels, size - 1), first=True)]


@rule("ConvTranspose", multiplies=True)
def conv_transpose(node: Node) -> list[Tensor]:
    """ConvTranspose: x, w as (channels, outputs / groups, *kernel), b."""
    batch, channels, space = grid(node.need(0))
    weight, bias = node.need(1), node.input(2)
    rows, narrow, *kernel = weight.shape
    groups = node.get("group", 1)
    if len(kernel) != len(space) or rows != channels:
        raise Refused(
            f"weights of {list(weight.shape)} do not match {channels} channels on a grid of {len(space)} axes"
        )
    check_kernel(node, kernel)
    check_count(bias, narrow * groups, "a bias of {} numbers does not match {} channels")
    options = window(node, kernel)
    extra = tuple(node.get("output_padding") or (0,) * len(kernel))
    layer = node.emit(
        *("conv_transpose", (*space, channels)),
        holds={"weight": weight, "bias": bias},
        times=batch,
        kernel=tuple(kernel),
        out=narrow * groups,
        groups=groups,
        output_padding=extra,
        bias=bias is not None,
        **options,
    )
    given = node.get("output_shape")
    if given:
        layer = layer._replace(shape=(*given[-len(kernel) :], narrow * groups))
    return [result(batch, layer)]
