"""Convolutions, attention, recurrent layers, tables of embeddings."""

from __future__ import annotations

from typing import Any

from ...onnx.rules.linear import broadcast
from ..node import Node, shape
from . import translates


def each(value: Any, rank: int) -> list[int]:
    """One number for each axis of a grid."""
    value = list(value) if isinstance(value, (tuple, list)) else [value]
    return value * rank if len(value) == 1 else value


def window(node: Node, rank: int, padding: Any) -> dict[str, Any]:
    """The attributes of a sliding window."""
    found = {"strides": each(node["stride"], rank), "dilations": each(node.get("dilation", 1), rank)}
    if isinstance(padding, str):
        return {**found, "auto_pad": "SAME_UPPER" if padding == "same" else "VALID"}
    return {**found, "pads": each(padding, rank) * 2}


def batched(node: Node, op: str, rank: int, x: Any, *others: Any, **attributes: Any) -> None:
    """Call an operator on a grid of so many axes; what flows in as one sample without a batch gets one for it."""
    if len(shape(x)) != rank + 1:
        node.call(op, x, *others, **attributes)
        return
    one = node.step("Unsqueeze", x, axes=[0], shape=(1, *shape(x)))
    many = [node.step(op, one, *others, shape=(1, *node.shapes[0]), **attributes)]
    node.call("Squeeze", *many, axes=[0])


@translates("conv1d", "conv2d", "conv3d", "convolution", "_convolution")
def conv(node: Node) -> None:
    """Convolution; `transposed` turns it round."""
    rank = len(shape(node["weight"])) - 2
    attributes = {**window(node, rank, node["padding"]), "group": node["groups"]}
    if node.get("transposed"):
        attributes["output_padding"] = each(node["output_padding"], rank)
    op = "ConvTranspose" if node.get("transposed") else "Conv"
    batched(node, op, rank, node["input"], node["weight"], node["bias"], **attributes)


@translates("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(node: Node) -> None:
    """Convolution turned round."""
    rank = len(shape(node["weight"])) - 2
    attributes = {**window(node, rank, node["padding"]), "output_padding": each(node["output_padding"], rank)}
    attributes["group"] = node["groups"]
    batched(node, "ConvTranspose", rank, node["input"], node["weight"], node["bias"], **attributes)


@translates("torchvision::deform_conv2d")
def deform_conv(node: Node) -> None:
    """Convolution that reads at learned offsets."""
    window: dict[str, Any] = {
        "strides": [node["stride_h"], node["stride_w"]],
        "pads": [node["pad_h"], node["pad_w"]] * 2,
    }
    window["dilations"] = [node["dilation_h"], node["dilation_w"]]
    tensors = (node["input"], node["weight"], node["offset"], node["bias"])
    node.call("DeformConv", *tensors, group=node["groups"], **window)


@translates(
    "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
)
def attention(node: Node) -> None:
    """Attention of queries (.., heads, tokens, size) to keys, and the mean of the values."""
    q, k, v = node["query"], node["key"], node["value"]
    outer = broadcast(*(shape(one)[:-2] for one in (q, k, v))) if not node.get("enable_gqa") else shape(q)[:-2]
    same = shape(k)[-3:-2] == shape(v)[-3:-2]
    keys = [k, v] if same else [widened(node, one, outer) for one in (k, v)]
    node.own("attend", widened(node, q, outer), *keys, is_causal=int(node["is_causal"]))


def widened(node: Node, x: Any, outer: tuple[int, ...]) -> Any:
    """A tensor with these leading axes, repeated along those where it has 1 or none."""
    wanted = (*outer, *shape(x)[-2:])
    return x if shape(x) == wanted else node.step("Expand", x, wanted, shape=wanted)


@translates("embedding")
def embedding(node: Node) -> None:
    """Rows of a table."""
    node.call("Gather", node["weight"], node["indices"], axis=0)


@translates("embedding_bag", "_embedding_bag")
def embedding_bag(node: Node) -> None:
    """Rows of a table, those of a bag as one: their sum, mean or maximum."""
    rows = node.step(
        "Gather", node["weight"], node["indices"], axis=0, shape=(*shape(node["indices"]), shape(node["weight"])[1])
    )
    node.own("passive", rows)


@translates("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def cell(node: Node) -> None:
    """One step of a recurrent layer."""
    x, kind = node["input"], node.base.partition("_")[0]
    one = node.step("Unsqueeze", x, axes=[0], shape=(1, *shape(x)))
    weights = [one for one in map(node.get, ("w_ih", "w_hh", "b_ih", "b_hh")) if one is not None]
    hidden = shape(node["w_hh"])[1]
    node.own("recurrent", one, *weights, kind=kind, layers=1, hidden=hidden, output=hidden)


@translates("lstm", "gru", "rnn_tanh", "rnn_relu")
def recurrent(node: Node) -> None:
    """Recurrent layers on each other: the weights of all, input and state first, then the biases."""
    state = node["hx"] if isinstance(node["hx"], (tuple, list)) else [node["hx"]]
    node.own(
        "recurrent",
        node["input"],
        *node["params"],
        kind=node.base.partition("_")[0],
        layers=node["num_layers"],
        bidirectional=int(node["bidirectional"]),
        batch_first=int(node["batch_first"]),
        hidden=shape(node["params"][0])[0] // {"lstm": 4, "gru": 3}.get(node.base, 1),
        output=shape(state[0])[-1],
    )
