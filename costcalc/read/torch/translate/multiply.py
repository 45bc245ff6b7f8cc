"""Convolutions, linear layers, products of matrices, attention, recurrent layers, tables of embeddings."""

from ..node import shape
from . import translates


def each(value, rank):
    """One number for each axis of a grid."""
    value = list(value) if isinstance(value, (tuple, list)) else [value]
    return value * rank if len(value) == 1 else value


def window(node, rank, padding):
    """The attributes of a sliding window."""
    found = {"strides": each(node["stride"], rank), "dilations": each(node.get("dilation", 1), rank)}
    if isinstance(padding, str):
        return {**found, "auto_pad": "SAME_UPPER" if padding == "same" else "VALID"}
    return {**found, "pads": each(padding, rank) * 2}


@translates("conv1d", "conv2d", "conv3d", "convolution", "_convolution")
def conv(node):
    """Convolution; `transposed` turns it round."""
    rank = len(shape(node["weight"])) - 2
    attributes = {**window(node, rank, node["padding"]), "group": node["groups"]}
    if node.get("transposed"):
        attributes["output_padding"] = each(node["output_padding"], rank)
    op = "ConvTranspose" if node.get("transposed") else "Conv"
    node.call(op, node["input"], node["weight"], node["bias"], **attributes)


@translates("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(node):
    """Convolution turned round."""
    rank = len(shape(node["weight"])) - 2
    attributes = {**window(node, rank, node["padding"]), "output_padding": each(node["output_padding"], rank)}
    node.call("ConvTranspose", node["input"], node["weight"], node["bias"], group=node["groups"], **attributes)


@translates("torchvision::deform_conv2d")
def deform_conv(node):
    """Convolution that reads at learned offsets."""
    window = {"strides": [node["stride_h"], node["stride_w"]], "pads": [node["pad_h"], node["pad_w"]] * 2}
    window["dilations"] = [node["dilation_h"], node["dilation_w"]]
    tensors = (node["input"], node["weight"], node["offset"], node["bias"])
    node.call("DeformConv", *tensors, group=node["groups"], **window)


@translates("linear")
def linear(node):
    """Linear layer: weight as (out, in)."""
    node.own("linear", node["input"], node["weight"], node["bias"])


@translates("addmm")
def addmm(node):
    """A product of matrices and a bias."""
    node.call("Gemm", node["mat1"], node["mat2"], node["self"])


@translates("baddbmm")
def baddbmm(node):
    """Products of stacked matrices, and what is added to them."""
    product = node.step("MatMul", node["batch1"], node["batch2"], shape=node.shapes[0])
    node.call("Add", product, node["self"])


@translates("mm", "bmm", "matmul", "mv", "dot", "inner")
def matmul(node):
    """A product of matrices."""
    node.call("MatMul", *node.tensors)


@translates("einsum")
def einsum(node):
    """A product that an equation tells."""
    node.call("Einsum", *node["tensors"], equation=node["equation"])


@translates(
    "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
)
def attention(node):
    """Attention of queries (.., heads, tokens, size) to keys, and the mean of the values."""
    node.own("attend", node["query"], node["key"], node["value"], is_causal=int(node["is_causal"]))


@translates("embedding")
def embedding(node):
    """Rows of a table."""
    node.call("Gather", node["weight"], node["indices"], axis=0)


@translates("lstm", "gru", "rnn_tanh", "rnn_relu")
def recurrent(node):
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
