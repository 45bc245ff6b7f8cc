"""Activations, layout, linear, attention and recurrent layers as modules of PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...model.wiring import Node
from ...num.values import Shape
from ...ops.attention import decoding
from ...ops.layout import axis_number
from ...ops.window import each, margins
from .grids import add_border
from .pieces import Flow, Raw, refused

_NAMES = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "selu": "SELU",
    "celu": "CELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "swish": "SiLU",
    "mish": "Mish",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "hsigmoid": "Hardsigmoid",
    "hswish": "Hardswish",
    "hardtanh": "Hardtanh",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "identity": "Identity",
}
_FUNCTIONS = ("exp", "log", "sqrt", "square", "abs", "neg")
_ROWS = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "glu": "GLU"}


def named(flow: Flow, node: Node) -> None:
    """An activation with its own module."""
    flow.add(f"nn.{_NAMES[node.row.op.name]}", node.name)


def function(flow: Flow, node: Node) -> None:
    """A function of torch."""
    flow.add("Function", node.name, function=Raw(f"torch.{node.row.op.name}"))


def clamp(flow: Flow, node: Node) -> None:
    """Clamp to the range 0 to 1."""
    flow.add("nn.Hardtanh", node.name, least=0, most=1)


def rows(flow: Flow, node: Node) -> None:
    """Softmax or GLU along the channels."""
    flow.add(f"nn.{_ROWS[node.row.op.name]}", node.name, dim=flow.axis(len(flow.shape) - 1))


def prelu(flow: Flow, node: Node) -> None:
    """nn.PReLU. Its slopes apply to the axis after the batch."""
    if not node.options["shared"]:
        flow.turn(True)
    flow.add("nn.PReLU", node.name, channels=1 if node.options["shared"] else flow.shape[-1])


def dropout(flow: Flow, node: Node) -> None:
    """nn.Dropout."""
    flow.add("nn.Dropout", node.name, rate=node.options["rate"])


def split(flow: Flow, node: Node) -> None:
    """One of several equal parts."""
    at = axis_number(flow.shape, node.options["axis"])
    size = flow.shape[at] // node.options["parts"]
    flow.add("Narrow", node.name, dim=flow.axis(at), start=node.options["part"] * size, size=size)


def slice_(flow: Flow, node: Node) -> None:
    """A slice along an axis."""
    at = axis_number(flow.shape, node.options["axis"])
    flow.add("Narrow", node.name, dim=flow.axis(at), start=node.options["start"], size=node.options["size"])


def pad(flow: Flow, node: Node) -> None:
    """Zero padding."""
    flow.turn(True)
    add_border(flow, node, list(margins(node.options["padding"], flow.shape[:-1])))


def flatten(flow: Flow, node: Node) -> None:
    """nn.Flatten, in storage order."""
    flow.add("nn.Flatten", node.name)
    flow.first = False


def reshape(flow: Flow, node: Node) -> None:
    """A reshape."""
    flow.turn(False)
    flow.add("Reshape", node.name, **sizes(node.row.layer.shape))


def sizes(shape: Shape) -> Any:
    """Sizes as positional arguments."""
    return {f"size{at}": size for at, size in enumerate(shape)}


def permute(flow: Flow, node: Node) -> None:
    """A permutation of axes."""
    flow.turn(False)
    flow.add("Permute", node.name, **sizes((0, *(axis + 1 for axis in node.options["order"]))))


def windows(flow: Flow, node: Node) -> None:
    """A grid cut into windows."""
    *space, channels = flow.shape
    parts = [size for n, k in zip(space, each(node.options["size"], space), strict=True) for size in (n // k, k)]
    _rearranged(flow, node, (*parts, channels), _outer_first(len(space)))


def _outer_first(count: int) -> Any:
    return [*range(1, 2 * count, 2), *range(2, 2 * count + 1, 2), 2 * count + 1]


def space_to_depth(flow: Flow, node: Node) -> None:
    """nn.PixelUnshuffle for images, otherwise reshape and permute."""
    *space, channels = flow.shape
    factor = node.options["factor"]
    if len(space) == 2:
        flow.turn(True).add("nn.PixelUnshuffle", node.name, factor=factor)
        return
    _rearranged(
        flow, node, (*(size for n in space for size in (n // factor, factor)), channels), _outer_first(len(space))
    )


def depth_to_space(flow: Flow, node: Node) -> None:
    """nn.PixelShuffle for images, otherwise reshape and permute."""
    *space, channels = flow.shape
    factor, count = node.options["factor"], len(flow.shape) - 1
    if count == 2:
        flow.turn(True).add("nn.PixelShuffle", node.name, factor=factor)
        return
    order = [axis for at in range(count) for axis in (1 + at, 1 + count + at)]
    _rearranged(flow, node, (*space, *[factor] * count, channels // factor**count), [*order, 2 * count + 1])


def _rearranged(flow: Flow, node: Node, parts: Shape, order: Sequence[int]) -> None:
    flow.turn(False)
    flow.add("Reshape", node.name, **sizes(parts))
    flow.add("Permute", node.name, **sizes((0, *order)))
    flow.add("Reshape", node.name, **sizes(node.row.layer.shape))


def channel_shuffle(flow: Flow, node: Node) -> None:
    """nn.ChannelShuffle for images, otherwise reshape and permute."""
    groups, channels = node.options["groups"], flow.shape[-1]
    if len(flow.shape) == 3:
        flow.turn(True).add("nn.ChannelShuffle", node.name, groups=groups)
        return
    rank = len(flow.shape)
    order = [*range(1, rank), rank + 1, rank]
    _rearranged(flow, node, (*flow.shape[:-1], groups, channels // groups), order)


_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def upsample(flow: Flow, node: Node) -> None:
    """nn.Upsample to the size of the layer."""
    *size, _ = node.row.layer.shape
    mode = "nearest" if node.options["method"] == "nearest" else _LINEAR.get(len(size), "bilinear")
    flow.turn(True).add("nn.Upsample", node.name, size=tuple(size), mode=mode)


def linear(flow: Flow, node: Node) -> None:
    """nn.Linear."""
    options = {"inputs": flow.shape[-1], "outputs": node.row.layer.shape[-1], "bias": bool(node.options["bias"])}
    flow.turn(False).add("nn.Linear", node.name, **options)


def embedding(flow: Flow, node: Node) -> None:
    """nn.Embedding."""
    flow.add("nn.Embedding", node.name, vocab=node.options["vocab"], outputs=node.options["out"])
    flow.first = False


def parameter(flow: Flow, node: Node) -> None:
    """A learned constant."""
    flow.add("Constant", node.name, **sizes(node.row.layer.shape))
    flow.first = False


def attention(flow: Flow, node: Node) -> None:
    """Attention with its projections."""
    o, channels = node.options, flow.shape[-1]
    size = o["head_size"] or channels // o["heads"]
    memory = node.row.inputs[-1][-1]
    heads = {"heads": o["heads"], "kv_heads": o["kv_heads"] or o["heads"], "size": size}
    bias = Raw(str(tuple(map(bool, o["bias"])))) if type(o["bias"]) is tuple else bool(o["bias"])
    rest = {"memory": memory, "outputs": node.row.layer.shape[-1], "bias": bias}
    flow.turn(False).add("Attention", node.name, channels=channels, **heads, **rest, **seen(node))


def seen(node: Node) -> Any:
    """Options of the attention mask."""
    check_attention(node)
    return {"causal": bool(node.options["causal"]), **{name: node.options[name] for name in ("window", "align")}}


def check_attention(node: Node) -> None:
    """Refuse attention that the written module does not support."""
    more = decoding(node.options)
    if more:
        raise refused(node, f"attention with `{more}` is not supported in PyTorch export", f"leave `{more}` out")


def recurrent(flow: Flow, node: Node) -> None:
    """nn.LSTM, nn.GRU or nn.RNN."""
    o = node.options
    given = f"{flow.shape[-1]}, {o['hidden']}"
    more = [f"num_layers={o['layers']}"] if o["layers"] > 1 else []
    more += [] if o["bias"] else ["bias=False"]
    more += ["bidirectional=True"] if o["bidirectional"] else []
    more += [f"proj_size={o['projection']}"] if o.get("projection") else []
    text = ", ".join([given, *more, "batch_first=True"])
    flow.turn(False).add("Recurrent", node.name, layer=Raw(f"nn.{node.row.op.name.upper()}({text})"))


RULES = {
    **dict.fromkeys(_NAMES, named),
    **dict.fromkeys(_FUNCTIONS, function),
    **dict.fromkeys(_ROWS, rows),
    **dict.fromkeys(("reshape", "tokens", "grid"), reshape),
    **dict.fromkeys(("space_to_depth", "pixel_unshuffle"), space_to_depth),
    **dict.fromkeys(("depth_to_space", "pixel_shuffle"), depth_to_space),
    **dict.fromkeys(("lstm", "gru", "rnn"), recurrent),
    "clamp": clamp,
    "prelu": prelu,
    "dropout": dropout,
    "split": split,
    "slice": slice_,
    "pad": pad,
    "flatten": flatten,
    "permute": permute,
    "windows": windows,
    "channel_shuffle": channel_shuffle,
    "upsample": upsample,
    **dict.fromkeys(("linear", "logits"), linear),
    "embedding": embedding,
    "parameter": parameter,
    "attention": attention,
}
