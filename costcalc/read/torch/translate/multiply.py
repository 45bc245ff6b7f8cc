"""Operators with products: convolutions, linear layers, matrix products, attention, recurrent layers, embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from string import ascii_letters
from typing import Any

from ....errors import Refused
from ...onnx.rules.linear import broadcast
from ..node import Node, shape
from . import translates


def each(value: Any, rank: int) -> list[int]:
    """One number per axis of a grid."""
    value = list(value) if isinstance(value, (tuple, list)) else [value]
    return value * rank if len(value) == 1 else value


def window(node: Node, rank: int, padding: Any) -> dict[str, Any]:
    """Attributes of a sliding window."""
    found = {"strides": each(node["stride"], rank), "dilations": each(node.get("dilation", 1), rank)}
    if isinstance(padding, str):
        return {**found, "auto_pad": "SAME_UPPER" if padding == "same" else "VALID"}
    return {**found, "pads": each(padding, rank) * 2}


def batched(node: Node, op: str, rank: int, x: Any, *others: Any, **attributes: Any) -> None:
    """Call an operator on a grid of the given rank. An input without a batch axis gets one for the call."""
    if len(shape(x)) != rank + 1:
        node.call(op, x, *others, **attributes)
        return
    one = node.step("Unsqueeze", x, axes=[0], shape=(1, *shape(x)))
    many = [node.step(op, one, *others, shape=(1, *node.shapes[0]), **attributes)]
    node.call("Squeeze", *many, axes=[0])


@translates("conv1d", "conv2d", "conv3d", "convolution", "_convolution")
def conv(node: Node) -> None:
    """Convolution, or a transposed one if `transposed`."""
    rank = len(shape(node["weight"])) - 2
    attributes = {**window(node, rank, node["padding"]), "group": node["groups"]}
    if node.get("transposed"):
        attributes["output_padding"] = each(node["output_padding"], rank)
    op = "ConvTranspose" if node.get("transposed") else "Conv"
    batched(node, op, rank, node["input"], node["weight"], node["bias"], **attributes)


@translates("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(node: Node) -> None:
    """Transposed convolution."""
    rank = len(shape(node["weight"])) - 2
    attributes = {**window(node, rank, node["padding"]), "output_padding": each(node["output_padding"], rank)}
    attributes["group"] = node["groups"]
    batched(node, "ConvTranspose", rank, node["input"], node["weight"], node["bias"], **attributes)


@translates("torchvision::deform_conv2d")
def deform_conv(node: Node) -> None:
    """Deformable convolution, with learned offsets."""
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
    """Attention of queries (.., heads, tokens, size) to keys, and the weighted mean of the values."""
    q, k, v = node["query"], node["key"], node["value"]
    outer = broadcast(*(shape(one)[:-2] for one in (q, k, v))) if not node.get("enable_gqa") else shape(q)[:-2]
    same = shape(k)[-3:-2] == shape(v)[-3:-2]
    keys = [k, v] if same else [widened(node, one, outer) for one in (k, v)]
    node.own("attend", widened(node, q, outer), *keys, is_causal=int(node["is_causal"]))


def widened(node: Node, x: Any, outer: tuple[int, ...]) -> Any:
    """Broadcast a tensor to the given leading axes."""
    wanted = (*outer, *shape(x)[-2:])
    return x if shape(x) == wanted else node.step("Expand", x, wanted, shape=wanted)


@translates("embedding")
def embedding(node: Node) -> None:
    """Embedding look-up."""
    node.call("Gather", node["weight"], node["indices"], axis=0)


@translates("embedding_bag", "_embedding_bag")
def embedding_bag(node: Node) -> None:
    """Embedding look-up with one sum, mean or maximum per bag."""
    rows = node.step(
        "Gather", node["weight"], node["indices"], axis=0, shape=(*shape(node["indices"]), shape(node["weight"])[1])
    )
    node.own("passive", rows)


@translates("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")
def cell(node: Node) -> None:
    """Single step of a recurrent layer."""
    x, kind = node["input"], node.base.partition("_")[0]
    one = node.step("Unsqueeze", x, axes=[0], shape=(1, *shape(x)))
    weights = [one for one in map(node.get, ("w_ih", "w_hh", "b_ih", "b_hh")) if one is not None]
    hidden = shape(node["w_hh"])[1]
    node.own("recurrent", one, *weights, kind=kind, layers=1, hidden=hidden, output=hidden)


@translates("lstm", "gru", "rnn_tanh", "rnn_relu")
def recurrent(node: Node) -> None:
    """Stacked recurrent layers. Each layer has its weights first, input and state, then its biases."""
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


@translates("linear")
def linear(node: Node) -> None:
    """Linear layer, weight (out, in)."""
    node.own("linear", node["input"], node["weight"], node["bias"])


@translates("addmm")
def addmm(node: Node) -> None:
    """Matrix product plus a bias."""
    node.call("Gemm", node["mat1"], node["mat2"], node["self"])


@translates("baddbmm")
def baddbmm(node: Node) -> None:
    """Batched matrix product plus a tensor."""
    product = node.step("MatMul", node["batch1"], node["batch2"], shape=node.shapes[0])
    node.call("Add", product, node["self"])


@translates("mm", "bmm", "matmul", "mv", "dot", "vdot")
def matmul(node: Node) -> None:
    """Matrix product."""
    node.call("MatMul", *node.tensors)


@translates("inner")
def inner(node: Node) -> None:
    """Inner products along the last axis, of every row of one tensor with every row of the other."""
    x, other = node["self"], node["other"]
    if not shape(x) or not shape(other):
        node.call("Mul", x, other)
    elif len(shape(other)) == 1:
        node.call("MatMul", x, other)
    elif len(shape(other)) == 2:
        node.own("linear", x, other)
    else:
        rows = prod(shape(other)[:-1]), shape(other)[-1]
        flat = node.step("Reshape", other, list(rows), shape=rows)
        product = node.step("linear", x, flat, domain="torch", shape=(*shape(x)[:-1], rows[0]))
        node.call("Reshape", product, shape=node.shapes[0], allowzero=1)


@translates("addmv")
def addmv(node: Node) -> None:
    """Matrix-vector product plus a tensor."""
    product = node.step("MatMul", node["mat"], node["vec"], shape=node.shapes[0])
    node.call("Add", product, node["self"])


@translates("addbmm")
def addbmm(node: Node) -> None:
    """Sum of batched matrix products plus a tensor."""
    many = (shape(node["batch1"])[0], *node.shapes[0])
    product = node.step("MatMul", node["batch1"], node["batch2"], shape=many)
    total = node.step("ReduceSum", product, axes=[0], keepdims=0, shape=node.shapes[0])
    node.call("Add", total, node["self"])


@translates("outer", "ger", "addr")
def outer(node: Node) -> None:
    """Outer product of two vectors. Nothing is summed, so it is an elementwise product."""
    left, right = node.get("vec1", node["self"]), node.get("vec2")
    column = node.step("Unsqueeze", left, axes=[1], shape=(*shape(left), 1))
    if node.base.startswith("addr"):
        product = node.step("Mul", column, right, shape=node.shapes[0])
        node.call("Add", product, node["self"])
    else:
        node.call("Mul", column, right)


@translates("bilinear")
def bilinear(node: Node) -> None:
    """Bilinear form of two tensors, weight (out, first, second)."""
    node.own("bilinear", node["input1"], node["input2"], node["weight"], node["bias"])


@translates("linalg_multi_dot", "chain_matmul")
def multi_dot(node: Node) -> None:
    """Product of several matrices in the cheapest order. The first and the last may be vectors."""
    factors = list(node.get("tensors") or node["matrices"])
    sizes = [(1, *shape(one)) if len(shape(one)) == 1 and at == 0 else shape(one) for at, one in enumerate(factors)]
    sizes = [(*one, 1) if len(one) == 1 else one for one in sizes]
    order = cheapest([*(one[0] for one in sizes), sizes[-1][1]])
    _chain(node, factors, order, 0, len(factors) - 1)


def cheapest(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Cheapest order of a chain of matrices sizes[i] x sizes[i + 1]: (first, last) -> last index of the left part."""
    cost, cut = {(at, at): 0 for at in range(len(sizes) - 1)}, {}
    for length in range(1, len(sizes) - 1):
        for first in range(len(sizes) - 1 - length):
            last = first + length
            tried = [
                (cost[first, at] + cost[at + 1, last] + sizes[first] * sizes[at + 1] * sizes[last + 1], at)
                for at in range(first, last)
            ]
            cost[first, last], cut[first, last] = min(tried)
    return cut


def _chain(node: Node, factors: Sequence, cut: dict[tuple[int, int], int], first: int, last: int) -> Any:
    """Add the products of a part of a chain. The whole chain is the output of the node."""
    if first == last:
        return factors[first]
    at = cut[first, last]
    parts = (_chain(node, factors, cut, first, at), _chain(node, factors, cut, at + 1, last))
    if (first, last) == (0, len(factors) - 1):
        return node.call("MatMul", *parts)
    rows, columns = shape(factors[first])[:-1], shape(factors[last])[1:]
    return node.step("MatMul", *parts, shape=(*rows, *columns))


@translates("tensordot")
def tensordot(node: Node) -> None:
    """Products along pairs of axes of two tensors, as an einsum."""
    ranks = len(shape(node["self"])), len(shape(node["other"]))
    if sum(ranks) > len(ascii_letters):
        raise Refused(f"tensors of {ranks[0]} and {ranks[1]} axes are too many for an einsum")
    left, right = list(ascii_letters[: ranks[0]]), list(ascii_letters[ranks[0] : sum(ranks)])
    for one, other in zip(node["dims_self"], node["dims_other"], strict=True):
        right[other] = left[one]
    result = "".join(one for one in (*left, *right) if (one in left) != (one in right))
    node.call("Einsum", node["self"], node["other"], equation=f"{''.join(left)},{''.join(right)}->{result}")


@translates("einsum")
def einsum(node: Node) -> None:
    """Einsum. More than two tensors are multiplied pairwise in the order of `path`."""
    node.call("Einsum", *node["tensors"], equation=node["equation"], path=node.get("path"))


@translates("_grouped_mm", "_scaled_grouped_mm", "transformers::grouped_mm_fallback")
def grouped(node: Node) -> None:
    """Grouped matrix products, one matrix per group of rows, as for experts."""
    rows, matrices, *_ = node.tensors
    node.own("grouped", rows, matrices, node.get("bias"))
