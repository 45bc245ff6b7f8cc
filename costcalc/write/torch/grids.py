"""Convolutions, pools and norms as PyTorch modules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...model.wiring import Node
from ...num.values import Shape
from ...ops.layout import axis_number
from ...ops.window import each, is_word
from ..windows import crops_of, pads_of, window_of
from .pieces import Flow, of_rank


def plain(value: Iterable[int]) -> Any:
    """One number if all axes are equal."""
    value = tuple(value)
    return value[0] if len(set(value)) == 1 else value


def border(pads: list[Shape]) -> Any:
    """(before, after) of each axis in the order of torch.nn.functional.pad: the last axis first."""
    return tuple(side for pair in reversed(pads) for side in pair)


def symmetric(flow: Flow, node: Node, window: tuple[Shape, ...], value: float = 0.0) -> int:
    """Padding of a module. If the sides differ, a border is added first.

    `same` of an odd window is half of it on both sides, which gives the same grid for every size.
    """
    kernel, _, dilation = window
    padding, space = node.options["padding"], flow.shape[:-1]
    half = all(k % 2 for k in kernel) and (all(d == 1 for d in dilation) or not value)
    if is_word(padding, "same") and half:
        return plain(d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=True))
    pads = pads_of(padding, space, node.row.layer.shape[:-1], window)
    if node.options.get("ceil_mode") and not is_word(padding, "same"):
        pads = pads_of(padding, space, [1] * len(space), window)  # the module rounds up itself
    wide = value and any(2 * pad > k for pair, k in zip(pads, kernel, strict=True) for pad in pair)
    if all(before == after for before, after in pads) and not wide:
        return plain(before for before, _ in pads)
    add_border(flow, node, pads, value)
    return 0


def add_border(flow: Flow, node: Node, pads: list[Shape], value: float = 0.0) -> None:
    """Add a border of zeros or of a value. Negative sizes crop."""
    options = {f"size{at}": side for at, side in enumerate(border(pads))}
    if any(options.values()):
        flow.add("Pad", node.name, **options, **({"value": value} if value else {}))


def conv(flow: Flow, node: Node) -> None:
    """nn.Conv2d. A depthwise convolution has one group per channel."""
    o, channels = node.options, flow.shape[-1]
    flow.turn(True)
    window = window_of(node, o["kernel"], flow.shape[:-1])
    padding = symmetric(flow, node, window)
    depthwise = node.row.op.name == "dwconv"
    flow.add(
        of_rank("Conv", node, len(flow.shape) - 1),
        node.name,
        inputs=channels,
        outputs=node.row.layer.shape[-1],
        kernel=plain(window[0]),
        stride=plain(window[1]),
        padding=padding,
        dilation=plain(window[2]),
        groups=channels if depthwise else o["groups"],
        bias=bool(o["bias"]),
    )


def conv_transpose(flow: Flow, node: Node) -> None:
    """nn.ConvTranspose2d. Asymmetric crops are applied to its output."""
    o, space = node.options, flow.shape[:-1]
    flow.turn(True)
    window = window_of(node, o["kernel"], space)
    crops = crops_of(o["padding"], space, window)
    extra = [own + more for own, (*_, more) in zip(each(o["output_padding"], space), crops, strict=True)]
    least = [min(before, after) for before, after, _ in crops]
    flow.add(
        of_rank("ConvTranspose", node, len(space)),
        node.name,
        inputs=flow.shape[-1],
        outputs=o["out"],
        kernel=plain(window[0]),
        stride=plain(window[1]),
        padding=plain(least),
        output_padding=plain(extra),
        groups=o["groups"],
        bias=bool(o["bias"]),
        dilation=plain(window[2]),
    )
    rest = [(n - before, n - after) for n, (before, after, _) in zip(least, crops, strict=True)]
    if any(map(any, rest)):
        flow.first = True
        add_border(flow, node, rest)


_POOLS = {"maxpool": "MaxPool", "avgpool": "AvgPool", "lppool": "LPPool"}


def pool(flow: Flow, node: Node) -> None:
    """nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, or nn.AdaptiveAvgPool2d(1) for the whole grid."""
    name, o, space = node.row.op.name, node.options, flow.shape[:-1]
    flow.turn(True)
    kind = _POOLS[name]
    if is_word(o["kernel"], "global") and name != "lppool":
        flow.add(of_rank(f"Adaptive{kind}", node, len(space)), node.name, size=1)
        return
    kernel = space if is_word(o["kernel"], "global") else o["kernel"]
    window = window_of(node, kernel, space)
    if is_word(o["kernel"], "global"):
        window, padding = (tuple(space), (1,) * len(space), window[2]), 0
    else:
        padding = symmetric(flow, node, window, float("-inf") if name == "maxpool" else 0.0)
    if name == "lppool" and padding:
        add_border(flow, node, [(pad, pad) for pad in each(padding, space)])
    options = {"norm": 2} if name == "lppool" else {}
    options.update(kernel=plain(window[0]), stride=plain(window[1]))
    if name != "lppool":
        options["padding"] = padding
    if name == "maxpool":
        options["dilation"] = plain(window[2])
    options["ceil_mode"] = bool(o["ceil_mode"]) and not is_word(o["padding"], "same")
    if name == "avgpool":
        options["count_include_pad"] = not is_word(o["padding"], "same")
    flow.add(of_rank(kind, node, len(space)), node.name, **options)


def adaptive(flow: Flow, node: Node) -> None:
    """nn.AdaptiveAvgPool2d."""
    flow.turn(True)
    kind = {"adaptive_avgpool": "AdaptiveAvgPool", "adaptive_maxpool": "AdaptiveMaxPool"}[node.row.op.name]
    rank = len(flow.shape) - 1
    flow.add(of_rank(kind, node, rank), node.name, size=plain(each(node.options["size"], flow.shape[:-1])))


def reduce(flow: Flow, node: Node) -> None:
    """Mean, sum or maximum along one axis."""
    flow.turn(False)
    method = {"max": "amax"}.get(node.options["method"], node.options["method"])
    at = axis_number(flow.shape, node.options["axis"]) + 1
    flow.add("Reduce", node.name, method=method, dim=at, keepdim=bool(node.options["keep"]))
    flow.first = False


def norm(flow: Flow, node: Node) -> None:
    """PyTorch norms. A separate module adds the scale or shift if a norm supports only both."""
    name, o, channels = node.row.op.name, node.options, flow.shape[-1]
    last = name in ("layernorm", "rmsnorm")
    flow.turn(not last)
    scale, shift = bool(o["scale"]), bool(o.get("shift", False))
    both = scale if name == "rmsnorm" else scale and shift
    rank = max(len(flow.shape) - 1, 1)
    if name == "batchnorm":
        flow.add(of_rank("BatchNorm", node, rank), node.name, channels=channels, affine=both)
    elif name == "instancenorm":
        flow.add(of_rank("InstanceNorm", node, len(flow.shape) - 1), node.name, channels=channels, affine=both)
    elif name == "groupnorm":
        flow.add("nn.GroupNorm", node.name, groups=o["groups"], channels=channels, affine=both)
    else:
        kind = {"layernorm": "nn.LayerNorm", "rmsnorm": "nn.RMSNorm"}[name]
        flow.add(kind, node.name, channels=channels, elementwise_affine=both)
    if (scale or shift) and not both:
        flow.add("Affine", node.name, channels=channels, scale=scale, shift=shift, last=last)


def lrn(flow: Flow, node: Node) -> None:
    """nn.LocalResponseNorm."""
    flow.turn(True).add("nn.LocalResponseNorm", node.name, size=node.options["size"])


RULES = {
    **dict.fromkeys(("conv", "dwconv"), conv),
    **dict.fromkeys(_POOLS, pool),
    **dict.fromkeys(("adaptive_avgpool", "adaptive_maxpool"), adaptive),
    **dict.fromkeys(("batchnorm", "layernorm", "groupnorm", "instancenorm", "rmsnorm"), norm),
    "conv_transpose": conv_transpose,
    "reduce": reduce,
    "lrn": lrn,
}
FIRST = {"conv", "dwconv", "conv_transpose", *_POOLS, "adaptive_avgpool", "adaptive_maxpool"}  # require a grid
