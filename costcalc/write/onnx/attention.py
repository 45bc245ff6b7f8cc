"""Attention in ONNX: MatMul, Softmax, MatMul. Masks are computed from two ranges and not stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...ops.attention import biased, decoding
from .builder import Builder, Value, refused
from .linear import with_bias

if TYPE_CHECKING:
    from ...model.wiring import Node


def attention(b: Builder, node: Node, x: Value, memory: Any = None) -> Value:
    """Attention with its four projections."""
    x = b.last(x)
    keyed = x if memory is None else b.last(memory)
    o = node.options
    heads, shared = o["heads"], o["kv_heads"] or o["heads"]
    size = o["head_size"] or x.shape[-1] // heads
    has = dict(zip(("query", "key", "value", "out"), biased(o["bias"]), strict=True))
    query = _projected(b, node, "query", x, heads * size, has)
    key, value = (_projected(b, node, kind, keyed, shared * size, has) for kind in ("key", "value"))
    name = _attended(b, node, (query, key, value), heads, shared)
    result = Value(name, (*x.shape[:-1], heads * size))
    out = node.row.layer.shape[-1]
    return Value(_projected(b, node, "out", result, out, has).name, node.row.layer.shape)


def attend(b: Builder, node: Node, query: Any, key: Any, value: Value) -> Any:
    """Attention of given queries, keys and values."""
    values = [b.last(one) for one in (query, key, value)]
    heads = node.options["heads"]
    shared = key.shape[-1] * heads // query.shape[-1]
    return Value(_attended(b, node, values, heads, shared), node.row.layer.shape)


def _projected(b: Builder, node: Node, kind: str, x: Value, out: int, has: Mapping[str, bool]) -> Value:
    features = x.shape[-1]
    weight = b.weight(node.holder, f"{kind}.weight", (features, out), fan_in=features)
    bias = [b.weight(node.holder, f"{kind}.bias", (out,), "zeros")] if has[kind] else []
    return Value(with_bias(b, b.add("MatMul", x.name, weight), bias), (*x.shape[:-1], out))


def _attended(b: Builder, node: Node, values: Any, heads: int, shared: int) -> str:
    """softmax(q k / sqrt(d)) v. Heads that share keys are an additional axis, along which keys are broadcast."""
    more = decoding(node.options)
    if more:
        raise refused(node, f"attention with `{more}` is not supported in ONNX export", f"leave `{more}` out")
    query, key, value = values
    size = query.shape[-1] // heads
    groups = (shared, heads // shared)
    q = _by_head(b, query, groups if shared != heads else (heads,))
    k = _by_head(b, key, (shared, 1) if shared != heads else (shared,), turned=True)
    v = _by_head(b, value, (shared, 1) if shared != heads else (shared,))
    scores = b.add("MatMul", b.add("Mul", q, b.number(size**-0.5)), k)
    weights = b.add("Softmax", _masked(b, node, scores, query.shape[-2], key.shape[-2]), axis=-1)
    return _joined(b, node, b.add("MatMul", weights, v), len(query.shape), 1 + (shared != heads))


def _by_head(b: Builder, value: Value, split: tuple[int, ...], turned: bool = False) -> str:
    """(*outer, T, C) -> (*outer, *heads, T, d), or (*outer, *heads, d, T)."""
    *outer, tokens, channels = value.shape
    size = channels
    for one in split:
        size //= one
    name = b.add("Reshape", value.name, b.ints(0, *outer, tokens, *split, size))
    count, heads = len(outer) + 1, len(split)
    inner = [*range(count + 1, count + 1 + heads)]
    ends = [count + 1 + heads, count] if turned else [count, count + 1 + heads]
    return b.add("Transpose", name, perm=[*range(count), *inner, *ends])


def _joined(b: Builder, node: Node, name: str, rank: int, heads: int) -> str:
    """(*outer, *heads, T, d) -> (*outer, T, C)."""
    count = rank - 1
    tokens = count + heads
    turned = b.add("Transpose", name, perm=[*range(count), tokens, *range(count, tokens), tokens + 1])
    *outer, length, _ = node.row.layer.shape
    return b.add("Reshape", turned, b.ints(0, *outer, length, -1))


def _masked(b: Builder, node: Node, scores: str, queries: int, keys: int) -> str:
    """The scores, with those of masked keys set to minus infinity."""
    causal, window = node.options["causal"], node.options["window"]
    if not causal and window is None:
        return scores
    places = b.add("Range", b.whole(0), b.whole(keys), b.whole(1))
    start = keys - queries if node.options["align"] == "last" else 0  # position of the first query
    most = 0 if causal else window // 2
    seen = b.add("LessOrEqual", places, _places(b, queries, start + most))
    if window is not None:
        least = 1 - window if causal else -most
        seen = b.add("And", seen, b.add("GreaterOrEqual", places, _places(b, queries, start + least)))
    return b.add("Where", seen, scores, b.number(-3e38))


def _places(b: Builder, queries: int, start: int) -> Any:
    """Positions of the queries, from `start`, as a column."""
    places = b.add("Range", b.whole(start), b.whole(start + queries), b.whole(1))
    return b.add("Unsqueeze", places, b.ints(1))


RULES = {"attention": attention, "attend": attend}
