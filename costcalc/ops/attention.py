"""Attention: products of queries with keys and of attention weights with values, with or without projections."""

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..num import equal, floor_div, maximum, minimum, prod, require
from ..num.values import Number, Shape
from ..records import NamedTuple
from .base import WEIGHT, Layer, Product, op
from .kinds import Alignment, Branch, Branches, Count, Flag, Flags, Size, Width


@op("attention")
def attention(
    x: Shape,
    heads: Size,
    *,
    kv_heads: Size = None,
    head_size: Width = None,
    memory: Branch = None,
    causal: Flag = False,
    window: Size = None,
    sinks: Count = None,
    cache: Count = None,
    cached: Flag = False,
    align: Alignment = "last",
    relative: Size = None,
    rotary: Size = None,
    qk_norm: Flag = False,
    out: Width = None,
    bias: Flags = True,
) -> Layer:
    """Multi-head attention with its four projections.

    (*windows, Tq, C) -> (*windows, Tq, out). Keys and values come from the input, or from `memory` (*windows, Tk, M).
    Mult-adds: C*Q + Q*out per query, 2*M*K per key and 2*Q per unmasked pair, with Q = heads*head_size and
    K = kv_heads*head_size. With `cache: P`, queries also see P earlier tokens with cached keys and values; with
    `cached: true`, the keys and values of `memory` are cached. `relative: R` adds a learned bias per head for each of R
    distances to the scores. `rotary: D` rotates D channels of each head by position. `qk_norm` normalises queries and
    keys, with scales. `bias` may be a list for queries, keys, values and the result. arXiv:1706.03762; grouped keys
    arXiv:2305.13245; sinks arXiv:2309.17453; torch.nn.MultiheadAttention.

    Example: {attention: 12}
    """
    (*outer, queries, channels), (*others, keys, features) = _sequence(x), _sequence(x if memory is None else memory)
    _same_windows(outer, others)
    (inner, shared), out = _widths(channels, heads, kv_heads, head_size), channels if out is None else out
    pairs, before, held = cached_pairs(queries, keys, cache, Mask(causal, window, sinks, align), memory)
    (made, there), batch = _made(keys, memory, cached, (pairs, before)), prod(outer)
    query, key, result = channels * inner, features * shared, inner * out
    layer = Layer(
        shape=(*outer, queries, out),
        params={"weight": query + 2 * key + result, "bias": _chosen(bias, (inner, shared, shared, out))},
        terms={
            "mac": ((query + result) * queries + 2 * key * made) * batch,
            **_mixed((2 * inner, inner * queries, heads), pairs, batch),
            "bias": _chosen(bias, (inner * queries, shared * made, shared * made, out * queries)) * batch,
        },
        detail={"heads": heads},
        products=_all((query * queries, key * made, result * queries), (inner, pairs, there), batch, memory),
        kept=0 if memory is None and cache is None and not causal else 2 * shared * held * batch,
    )
    return _placed(layer, (inner, shared, heads), (queries * batch, made * batch), (relative, rotary, qk_norm), pairs)


@op("attend")
def attend(
    x: Shape,
    inputs: Branches,
    *,
    heads: Size,
    causal: Flag = False,
    window: Size = None,
    sinks: Count = None,
    align: Alignment = "last",
) -> Layer:
    """Attention without projections: softmax(q k) v of given queries, keys and values.

    (*windows, Tq, Q), (*windows, Tk, K), (*windows, Tk, V) -> (*windows, Tq, V*heads/kv_heads); K has as
    many channels per head as Q. Mult-adds: one per channel of every query-key pair, for q.k and for the
    product of weights and v; `causal`, `window`, `sinks` and `align` work as in `attention`.
    torch.nn.functional.scaled_dot_product_attention.

    Example: {attend: [q, k, v], heads: 12}
    """
    if len(inputs) != 3:
        raise Refused(f"attend takes queries, keys and values, got {len(inputs)} inputs")
    (*outer, queries, wide), (*others, keys, narrow), (*rest, values, value) = (_sequence(shape) for shape in inputs)
    _same_windows(outer, others, rest)
    require(equal(keys, values), "{} keys but {} values", keys, values)
    require(equal(wide % heads, 0), "{} channels do not split into {} heads", wide, heads, option="heads")
    size = floor_div(wide, heads)
    require(equal(narrow % size, 0), "{} key channels are not a multiple of the head size {}", narrow, size)
    kv_heads = floor_div(narrow, size)
    require(equal(value % kv_heads, 0), "{} value channels do not split into {} heads", value, kv_heads)
    require(
        equal(heads % kv_heads, 0), "{} heads do not share {} heads of keys evenly", heads, kv_heads, option="heads"
    )
    result = heads * floor_div(value, kv_heads)
    mask, each_pair, batch = Mask(causal, window, sinks, align), wide + result, prod(outer)
    pairs = _pairs(queries, keys, mask)
    return Layer(
        shape=(*outer, queries, result),
        terms=_mixed((each_pair, wide * queries, heads), pairs, batch),
        detail={"heads": heads},
        products=_mixing((0, 1, 2), (wide * batch, result * batch), *pairs),
        kept=(narrow + value) * mask.held(keys) * batch if causal else 0,
    )


class Mask(NamedTuple):
    """The keys that a query sees. `sinks` is the number of first keys that it sees in addition to its window."""

    causal: bool
    window: Any = None
    sinks: Any = None
    align: str = "last"

    def held(self, keys: Number) -> Number:
        """The number of keys that later queries need."""
        if self.window is None or not self.causal:
            return keys
        return minimum(keys, self.window if self.sinks is None else self.window + self.sinks)


def _mixed(sizes: Shape, pairs: Shape, batch: Number) -> dict[str, Number]:
    """The quantities of seen and masked pairs; `sizes` is (mult-adds per pair, query values, heads)."""
    (each, scaled, heads), (seen, masked) = sizes, pairs
    return {
        "mac_attention": each * seen * batch,
        "mac_masked": each * masked * batch,
        "scale": scaled * batch,
        "softmax": heads * seen * batch,
    }


def cached_pairs(queries: Number, keys: Number, cache: Any, mask: Mask, memory: Any) -> tuple[Shape, Number, Number]:
    """((unmasked pairs, masked pairs), unmasked pairs with cached keys, keys to keep in the cache)."""
    if cache is None:
        return _pairs(queries, keys, mask), 0, mask.held(keys)
    if memory is not None:
        raise Refused("a cache holds the tokens before the input: with `memory`, give its keys as the memory", "cache")
    if mask.align != "last":
        raise Refused("with a cache, queries are at the last positions", "align")
    pairs = _pairs(queries, cache + keys, mask)
    sinks = None if mask.sinks is None else maximum(mask.sinks - cache, 0)
    return pairs, pairs[0] - _pairs(queries, keys, mask._replace(sinks=sinks))[0], mask.held(cache + keys)


def _made(keys: Number, memory: Any, cached: bool, pairs: tuple[Shape, Number]) -> tuple[Number, Shape]:
    """(keys to compute, (seen, masked) pairs with cached keys)."""
    every, before = pairs
    if not cached:
        return keys, (before, 0)
    if memory is None:
        raise Refused(
            "`cached` means that the keys of `memory` are cached: without `memory`, give `cache: n`", "cached"
        )
    return 0, every


def _placed(layer: Layer, sizes: Shape, tokens: Shape, options: tuple[Any, ...], pairs: Shape) -> Layer:
    """Add the parameters and quantities of relative and rotary positions and of query and key norms to a layer."""
    (inner, shared, heads), (queries, keys), (relative, rotary, qk_norm) = sizes, tokens, options
    params, terms = dict(layer.params), dict(layer.terms)
    size = floor_div(inner, heads)
    values = inner * queries + shared * keys
    if relative is not None:
        params["weight"] = params["weight"] + heads * relative
        terms["add"] = heads * (pairs[0] + pairs[1]) * prod(layer.shape[:-2])
    if rotary is not None:
        require(rotary <= size, "{} rotary channels, but a head has {}", rotary, size, option="rotary")
        terms["rotate"] = floor_div(values, size) * rotary
    if qk_norm:
        params["gamma"] = 2 * size
        terms["normalize"] = terms["affine"] = values
    return layer._replace(params=params, terms=terms)


def _all(macs: Shape, mixing: tuple[Any, ...], batch: Number, memory: Shape | None) -> tuple[Product, ...]:
    """The products of attention: query, key and value projections, pairs, and the output projection.

    Cached keys and values are constants, so in their products only the queries and scores have gradients.
    """
    query, key, result = ({"mac": count * batch} for count in macs)
    source, (inner, (seen, masked), (before, hidden)) = 0 if memory is None else 1, mixing
    old: tuple[Product, ...] = ()
    if not (type(before) is int and before == 0):
        both = {"mac_attention": inner * batch * before, "mac_masked": inner * batch * hidden}
        old = (Product(both, ("query",), "old scores"), Product(both, ("old scores",), "mixed"))
    if mixing[1] is mixing[2]:  # all keys are cached
        return Product(query, (0, WEIGHT), "query"), *old, Product(result, ("mixed", WEIGHT))
    return (
        Product(query, (0, WEIGHT), "query"),
        Product(key, (source, WEIGHT), "key"),
        Product(key, (source, WEIGHT), "value"),
        *old,
        *_mixing(("query", "key", "value"), (inner * batch, inner * batch), seen - before, masked - hidden),
        Product(result, ("mixed", WEIGHT)),
    )


def _mixing(operands: tuple[int | str, ...], sizes: Shape, pairs: Number, masked: Number) -> tuple[Product, Product]:
    """The products of queries with keys and of weights with values; `sizes` holds the mult-adds per pair of each."""
    query, key, value = operands
    scores, mixed = ({"mac_attention": size * pairs, "mac_masked": size * masked} for size in sizes)
    return Product(scores, (query, key), "scores"), Product(mixed, ("scores", value), "mixed")


def biased(bias: bool | tuple[bool, ...]) -> Any:
    """Whether each of the four projections has a bias."""
    if type(bias) is tuple and len(bias) != 4:
        raise Refused(
            f"`bias` is one value, or one each for queries, keys, values and the result; got {len(bias)}", "bias"
        )
    return bias if type(bias) is tuple else (bias,) * 4


def _chosen(bias: bool | tuple[bool, ...], counts: Shape) -> Number:
    """The sum of the counts of projections with a bias."""
    total = 0
    for one, count in zip(biased(bias), counts, strict=True):
        total = total + count if one else total
    return total


def _widths(channels: Number, heads: int, kv_heads: int | None, head_size: int | None) -> tuple[Number, Number]:
    """(channels of all queries, channels of all keys)."""
    kv_heads = heads if kv_heads is None else kv_heads
    require(equal(heads % kv_heads, 0), "{} heads do not share {} kv_heads evenly", heads, kv_heads, option="kv_heads")
    if head_size is None:
        require(equal(channels % heads, 0), "{} channels do not split into {} heads", channels, heads)
        head_size = floor_div(channels, heads)
    return heads * head_size, kv_heads * head_size


def _same_windows(*sets: list[Number]) -> None:
    for others in sets[1:]:
        if len(others) != len(sets[0]):
            raise Refused("queries and keys have different leading axes")
        for a, b in zip(sets[0], others, strict=True):
            require(equal(a, b), "queries and keys have different leading axes: {} against {}", a, b)


def _sequence(x: Any) -> Shape:
    if len(x) < 2:
        raise Refused("attention works on a sequence: [tokens, features]")
    return x


def _pairs(queries: Number, keys: Number, mask: Mask) -> tuple[Number, Number]:
    """(unmasked query-key pairs, masked pairs)."""
    causal, window, align = mask.causal, mask.window, mask.align
    if mask.sinks is not None and (window is None or not causal):
        raise Refused("sinks need a causal window: give `causal` and `window`", "sinks")
    if mask.sinks is not None and align != "last":
        raise Refused("sinks cannot be combined with `align: first`", "sinks")
    if not causal and window is None:
        return queries * keys, 0
    if align == "last" or window is not None:
        message = "a causal mask or a window needs at least as many keys as queries, got {} keys for {} queries"
        require(equal(maximum(queries, keys), keys), message, keys, queries)
    longest = keys if align == "last" else maximum(queries, keys)
    reach = longest - 1 if window is None else window - 1 if causal else floor_div(window, 2)
    if align == "last":
        own, before, after = queries, _side(keys, reach) - _side(keys - queries, reach), _side(queries, reach)
    else:
        own, before = minimum(queries, keys), _side(queries, reach) - _side(longest - keys, reach)
        after = _side(keys, reach) - _side(longest - queries, reach)
    if mask.sinks is not None:
        before = before + _sunk(keys - window, mask.sinks) - _sunk(keys - queries - window, mask.sinks)
    return (own + before, after) if causal else (own + before + after, 0)


def _sunk(past: Number, sinks: Number) -> Number:
    """Query-sink pairs for queries with 1 to `past` keys before their window: min(1, sinks) + min(2, sinks) + .."""
    past = maximum(past, 0)
    few = minimum(past, sinks)
    return floor_div(few * (few + 1), 2) + sinks * (past - few)


def _side(length: Number, reach: Number) -> Number:
    """The number of pairs at distance 1 to `reach` on one side, over `length` positions; fewer near the end."""
    reach = minimum(reach, length - 1)
    return length * reach - floor_div(reach * (reach + 1), 2)


def inside(op: str, inputs: tuple[Shape, ...], options: Mapping[str, Any], fused: bool) -> Any:
    """The number of values in queries, keys, values, scores (unless `fused`) and context of an attention layer.

    `attend` gets queries, keys and values as inputs, so only its scores count.
    """
    *outer, queries, channels = inputs[0]
    cache, heads = options.get("cache"), options["heads"]
    keys = inputs[1 if len(inputs) > 1 else 0][-2]
    keys = keys if cache is None else keys + cache
    band = options.get("window")
    if band is not None and not options.get("causal"):
        band = 2 * floor_div(band, 2) + 1
    elif band is not None and options.get("sinks") is not None:
        band = band + options["sinks"]
    width = keys if band is None else minimum(keys, band)
    scores = 0 if fused else heads * queries * width
    if op == "attention":
        inner, shared = _widths(channels, heads, options.get("kv_heads"), options.get("head_size"))
        scores = scores + 2 * inner * queries + 2 * shared * keys
    return scores * prod(outer)


def decoding(options: Mapping[str, Any]) -> str | None:
    """The first option in use that no other format can express, or None."""
    words = ("cache", "cached", "sinks", "relative", "rotary", "qk_norm")
    return next((name for name in words if options.get(name) not in (None, False)), None)


def cached(inputs: tuple[Shape, ...], options: Mapping[str, Any]) -> Any:
    """The number of cached key and value elements that an attention layer reads."""
    *outer, _, channels = inputs[0]
    cache = inputs[-1][-2] if options.get("cached") else options.get("cache")
    if cache is None:
        return 0
    _, shared = _widths(channels, options["heads"], options.get("kv_heads"), options.get("head_size"))
    return 2 * shared * cache * prod(outer)
