"""Attention operators: the standard one on queries, keys and values, and those that include projections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....errors import Refused
from ..node import Node, Unknown
from ..tensors import Outputs, Tensor
from . import rule
from .linear import linear

if TYPE_CHECKING:
    from ....num.values import Number


@rule("Attention", multiplies=True)
def attention(node: Node) -> Outputs:
    """Attention of the standard domain, or of com.microsoft, which includes projections."""
    return _projected(node) if node.proto.domain == "com.microsoft" else _standard(node)


def _standard(node: Node) -> Any:
    """q, k, v as (batch, tokens, heads * size) or (batch, heads, tokens, size); then mask, past keys and values."""
    q, k, v = (node.need(number) for number in range(3))
    heads, shared = node.get("q_num_heads"), node.get("kv_num_heads")
    if len(q.shape) == 4:
        heads, shared = q.shape[1], k.shape[1]
    if not heads or not shared:
        raise Refused("it does not state its number of heads")
    past = node.input(4)
    before = past.shape[2] if past is not None else 0
    batch, queries, keys, widths = _split(q, k, v)
    _attend(node, batch, (queries, widths[0]), (before + keys, widths[1]), (before + keys, widths[2]), heads, before)
    size, value = widths[1] // shared, widths[2] // shared
    y = (batch, heads, queries, value) if len(q.shape) == 4 else (batch, queries, heads * value)
    total = before + keys
    present = [(batch, shared, total, size), (batch, shared, total, value), (batch, heads, queries, total)]
    return [y, *present][: node.outputs]


def _split(q: Any, k: Any, v: Any) -> Any:
    """(batch, queries, keys, widths of q, k and v) of tensors with three or four axes."""
    if len(q.shape) == 4:
        widths = [one.shape[1] * one.shape[3] for one in (q, k, v)]
        return q.shape[0], q.shape[2], k.shape[2], widths
    return q.shape[0], q.shape[1], k.shape[1], [one.shape[2] for one in (q, k, v)]


def _attend(node: Node, batch: Number, q: Any, k: Any, v: Any, heads: Any, past: Any = 0) -> None:
    """Add an attention step. `past` keys are cached; a causal mask starts after them."""
    first, last = past == 0, past + q[0] == k[0]
    causal = bool(node.get("is_causal", 0) or node.get("unidirectional", 0)) and (first or last)
    alignment: dict[str, Any] = {"align": "first"} if causal and not last else {}
    node.emit("attend", q, k, v, times=batch, heads=heads, causal=causal, **alignment)


def _projected(node: Node) -> Any:
    """x (batch, tokens, features), one weight for queries, keys and values, bias."""
    x, weight = node.need(0), node.need(1)
    batch, tokens, _ = x.shape
    sizes = node.get("qkv_hidden_sizes") or [weight.shape[1] // 3] * 3
    linear(node, x, weight, node.input(2))
    q, k, v = ((tokens, size) for size in sizes)
    heads = node.get("num_heads", 1)
    _attend(node, batch, q, k, v, heads)
    return [(batch, tokens, sizes[2]), (2, batch, heads, tokens, sizes[0] // heads)][: node.outputs]


@rule("MultiHeadAttention", "GroupQueryAttention", multiplies=True)
def multi_head(node: Node) -> Outputs:
    """q, k, v as (batch, tokens, heads * size). A past adds to the keys."""
    q, k, v = node.need(0), node.input(1), node.input(2)
    if k is None or v is None or len(q.shape) != 3 or len(k.shape) != 3 or len(v.shape) != 3:
        raise Unknown
    heads = node.get("num_heads", 1)
    shared = node.get("kv_num_heads", heads)
    past = node.input(3 if node.op == "GroupQueryAttention" else 6)
    before = past.shape[2] if past is not None and past.shape else 0
    batch, queries, width = q.shape
    keys = before + k.shape[1]
    _attend(node, batch, (queries, width), (keys, k.shape[2]), (keys, v.shape[2]), heads, before)
    value = v.shape[2] // shared
    present = [(batch, shared, keys, k.shape[2] // shared), (batch, shared, keys, value)]
    return [(batch, queries, heads * value), *present][: node.outputs]


@rule("LinearAttention", multiplies=True)
def linear_attention(node: Node) -> list[tuple]:
    """Linear attention: each head has a state of keys by values; each token updates it and its query reads it.

    The rules `delta` and `gated_delta` first read it by the key.
    """
    q, k, v = (node.need(number) for number in range(3))
    heads, shared = node.get("q_num_heads"), node.get("kv_num_heads")
    (batch, tokens, width), size, value = q.shape, k.shape[2] // shared, v.shape[2] // shared
    node.same(width, heads * size, "queries of {} channels do not match heads of {}")
    reads = [shared, heads] if "delta" in node.get("update_rule", "gated_delta") else [heads]
    for many in reads:
        node.emit("matmul", (many, 1, size), (many, size, value), times=batch * tokens)
    node.emit("matmul", (shared, size, 1), (shared, 1, value), times=batch * tokens)
    return [(batch, tokens, heads * value), (batch, shared, size, value)][: node.outputs]


@rule("RotaryEmbedding")
def rotary(node: Node) -> Outputs:
    """Rotary position embedding. The shape is unchanged."""
    x = node.need(0)
    node.settings = frozenset(range(1, len(node.inputs)))  # positions, and tables of cosines and sines
    node.passive(x.shape)
    return [Tensor(x.shape)]
