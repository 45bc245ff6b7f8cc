"""Attention in loops over query-key pairs, with the mask evaluated for each pair."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .tally import Impossible, Tally, at, box, shape_of, share_out


def attention(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    memory: Mapping[tuple[int, ...], float] | None = None,
    *,
    heads: int,
    kv_heads: int | None = None,
    head_size: int | None = None,
    causal: bool = False,
    window: int | None = None,
    sinks: int | None = None,
    cache: int | None = None,
    cached: bool = False,
    align: str = "last",
    relative: int | None = None,
    rotary: int | None = None,
    qk_norm: bool = False,
    out: int | None = None,
    bias: bool | tuple[bool, ...] = True,
) -> dict[tuple[int, ...], float]:
    """Multi-head attention with four projections (arXiv:1706.03762; grouped keys arXiv:2305.13245)."""
    if cache is not None and (memory is not None or align != "last"):
        raise Impossible("a cache holds the tokens before the input")
    if cached and memory is None:
        raise Impossible("there is no memory")
    memory = x if memory is None else memory
    *outer, queries, channels = _sequence(x)
    *outer_memory, keys, features = _sequence(memory)
    kv_heads = heads if kv_heads is None else kv_heads
    share_out(heads, kv_heads)
    size = share_out(channels, heads) if head_size is None else head_size
    out = channels if out is None else out
    _same(outer, outer_memory)
    of_query, of_key, of_value, of_result = bias if type(bias) is tuple else (bias,) * 4
    query = projected(tally, x, channels, heads, size, of_query)
    make = _there if cached else projected
    key = make(tally, memory, features, kv_heads, size, of_key)
    value = make(tally, memory, features, kv_heads, size, of_value)
    query = _turned(tally, scaled(tally, query, qk_norm), rotary, size)
    if cached:
        tally.parameters("gamma", size if qk_norm else 0)
    else:
        key = _turned(tally, scaled(tally, key, qk_norm), rotary, size)
    key, value = (_after_cache(tally, one, cache) for one in (key, value))
    keys += cache or 0
    mask = _mask(queries, keys, causal, window, align, sinks)
    table = None if relative is None else tally.parameters("weight", heads, relative)
    mixed = scored(tally, query, key, value, mask, table)
    return joined(projected(tally, joined(mixed), heads * size, 1, out, of_result))


def scaled(tally: Tally, x: dict[tuple[int, ...], float], qk_norm: bool) -> dict[tuple[int, ...], float]:
    """Divide every head by its root mean square, and multiply by a scale per channel."""
    if not qk_norm:
        return x
    scale = tally.parameters("gamma", 1 + max(index[-1] for index in x))
    result = {}
    for place, vector in _vectors(x).items():
        root = tally.apply(math.sqrt, sum(number * number for number in vector) / len(vector) + 1e-5)
        for n, number in enumerate(vector):
            spot = (*place, n)
            result[spot] = tally.did("affine", tally.did("normalize", number / root) * scale[n,])
    return result


def _turned(tally: Tally, x: dict[tuple[int, ...], float], rotary: int | None, size: int) -> Any:
    """Rotate the first `rotary` channels of every head in pairs, by an angle that depends on the token."""
    if rotary is None:
        return x
    if rotary > size:
        raise Impossible("a head has fewer channels")
    result = dict(x)
    for (*place, token, head, n), number in x.items():
        if n < rotary:
            angle = token / (1 + n // 2)
            other = x.get((*place, token, head, n ^ 1), 0.0)
            moved = number * math.cos(angle) + other * math.sin(angle)
            spot = (*place, token, head, n)
            result[spot] = tally.did("rotate", moved)
    return result


def _there(tally: Tally, x: Any, channels: int, heads: int, size: int, bias: Any) -> dict[tuple[int, ...], float]:
    """Cached keys or values: the layer has their weights but does not compute them."""
    tally.parameters("weight", channels, heads * size)
    tally.parameters("bias", heads * size if bias else 0)
    places = {index[:-1] for index in x}
    return {(*place, *spot): tally.outside("cache") for place in places for spot in box((heads, size))}


def _after_cache(tally: Tally, x: dict[tuple[int, ...], float], cache: int | None) -> dict[tuple[int, ...], float]:
    """Append keys or values to those of the `cache` earlier tokens."""
    result = {}
    for (*place, token, head, n), number in x.items():
        spot = (*place, token + (cache or 0), head, n)
        result[spot] = number
        for before in range(cache or 0):
            if (*place, before, head, n) not in result:
                spot = (*place, before, head, n)
                result[spot] = tally.outside("cache")
    return result


def attend(
    tally: Tally,
    *inputs: Mapping[tuple[int, ...], float],
    heads: int,
    causal: bool = False,
    window: int | None = None,
    sinks: int | None = None,
    align: str = "last",
) -> dict[tuple[int, ...], float]:
    """softmax(q k) v of given tensors (torch.nn.functional.scaled_dot_product_attention)."""
    if len(inputs) != 3:
        raise Impossible("expected queries, keys and values")
    (*outer, queries, wide), (*outer_k, keys, narrow), (*outer_v, values, deep) = (_sequence(one) for one in inputs)
    _same((outer, outer, keys), (outer_k, outer_v, values))
    size = share_out(wide, heads)
    kv_heads = share_out(narrow, size)
    share_out(heads, kv_heads)
    depth = share_out(deep, kv_heads)
    query, key, value = (_in_heads(one, each) for one, each in zip(inputs, (size, size, depth), strict=True))
    mixed = scored(tally, query, key, value, _mask(queries, keys, causal, window, align, sinks))
    return {(*place, head * depth + n): number for (*place, head, n), number in mixed.items()}


def _sequence(x: Mapping[tuple[int, ...], float]) -> tuple[int, ...]:
    if len(shape_of(x)) < 2:
        raise Impossible("not a sequence")
    return shape_of(x)


def _same(one: Sequence[int | list[int]], other: Sequence[int | list[int]]) -> None:
    if one != other:
        raise Impossible(f"{one} does not meet {other}")


def _in_heads(x: Mapping[tuple[int, ...], float], size: int) -> dict[tuple[int, ...], float]:
    """Split the channels of a tensor into (head, channel of the head)."""
    return {(*place, n // size, n % size): value for (*place, n), value in x.items()}


def projected(
    tally: Any, x: Mapping[tuple[int, ...], float], features: int, heads: int, size: int, bias: Any
) -> dict[tuple[int, ...], float]:
    """Multiply every position by a weight matrix, and split the result into heads."""
    weight = tally.parameters("weight", features, heads, size)
    offset = tally.parameters("bias", heads, size) if bias else None
    result = {}
    for place in {index[:-1]: None for index in x}:
        for head, n in box((heads, size)):
            total: float = 0
            for m in range(features):
                total = tally.mac(total, at(x, *place, m), weight[m, head, n])
            spot = (*place, head, n)
            result[spot] = total if offset is None else tally.did("bias", total + offset[head, n])
    return result


def _mask(
    queries: int, keys: int, causal: bool, window: int | None, align: str, sinks: int | None
) -> Callable[..., Any]:
    """A function of query and key that returns (state, distance).

    The state is "seen", "masked" (in reach, but in the future) or "far". The first `sinks` keys are never "far".
    """
    if queries > keys and (window is not None or (causal and align == "last")):
        raise Impossible("a query is at the place of no key")
    if sinks is not None and (window is None or not causal or align != "last"):
        raise Impossible("sinks need a causal window")
    if window is None:
        reach = math.inf
    else:
        reach = window - 1 if causal else window // 2

    def fate(query: int, key: int) -> tuple[str, int]:
        query += keys - queries if align == "last" else 0
        distance = abs(key - query)
        if distance > reach and not (key < (sinks or 0) and key <= query):
            return "far", distance
        return ("masked" if causal and key > query else "seen"), distance

    return fate


def scored(
    tally: Tally, query: Any, key: Any, value: Any, fate: Callable[..., Any], table: Any = None
) -> dict[tuple[int, ...], float]:
    """Attention with queries scaled by the square root of their length."""
    root = math.sqrt(1 + max(index[-1] for index in query))
    scaled_down = {place: tally.did("scale", number / root) for place, number in query.items()}
    return attended(tally, scaled_down, key, value, fate, table)


def attended(
    tally: Tally, query: Any, key: Any, value: Any, fate: Callable[..., Any], table: Any = None
) -> dict[tuple[int, ...], float]:
    """The weighted sum of visible values for every query and head; `table` has a bias for each distance."""
    query, key, value = (_vectors(one) for one in (query, key, value))
    heads, kv_heads = (1 + max(head for *_, head in one) for one in (query, key))
    keys = 1 + max(k for *_, k, _ in key)
    most = 0 if table is None else max(distance for _, distance in table)
    result = {}
    for (*place, q, head), vector in query.items():
        shared = head // (heads // kv_heads)
        near = []
        for k in range(keys):
            how, distance = fate(q, k)
            more = None if table is None else table[head, min(distance, most)]
            near.append((how, more, at(key, *place, k, shared), at(value, *place, k, shared)))
        result.update({(*place, q, head, n): number for n, number in enumerate(_mixed(tally, vector, near))})
    return result


def joined(x: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    """Merge the channels of all heads."""
    size = 1 + max(index[-1] for index in x)
    return {(*place, head * size + n): number for (*place, head, n), number in x.items()}


def far_or_seen(queries: int, keys: int, causal: bool) -> Callable[..., Any]:
    """The mask for queries at the last positions, without a window."""
    return _mask(queries, keys, causal, None, "last", None)


def _vectors(x: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], list[float]]:
    """A tensor as lists over its last axis."""
    vectors: dict[Any, Any] = {}
    for index in sorted(x):
        vectors.setdefault(index[:-1], []).append(x[index])
    return vectors


def _mixed(tally: Tally, query: Any, near: Any) -> list[float]:
    """The sum of the visible values of a query, each times its softmax weight.

    Masked pairs are computed too, as in a plain implementation, but get no weight.
    """
    scores, values = [], []
    for fate, more, key, value in near:
        if fate == "seen":
            scores.append(_moved(tally, _score(tally, query, key, "mac_attention"), more))
            values.append(value)
        elif fate == "masked":
            hidden = _moved(tally, _score(tally, query, key, "mac_masked"), more)
            for number in value:
                tally.mac(0, 0 * hidden, number, "mac_masked")
    weights = [tally.did("softmax", tally.apply(math.exp, score - max(scores))) for score in scores]
    mixed = [0.0] * len(values[0])
    for weight, value in zip(weights, values, strict=True):
        for n, number in enumerate(value):
            mixed[n] = tally.mac(mixed[n], weight / sum(weights), number, "mac_attention")
    return mixed


def _score(tally: Tally, query: list[float], key: list[float], quantity: str) -> float:
    """The product of a scaled query and a key."""
    total: float = 0
    for one, other in zip(query, key, strict=True):
        total = tally.mac(total, one, other, quantity)
    return total


def _moved(tally: Tally, score: float, more: float | None) -> float:
    """A score plus its distance bias, if any."""
    return score if more is None else tally.did("add", score + more)
