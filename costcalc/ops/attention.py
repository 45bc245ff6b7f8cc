"""Attention: products of queries with keys and of weights with values, with or without projections."""

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..num import equal, floor_div, maximum, minimum, prod, require
from ..num.values import Number, Shape
from .base import WEIGHT, Layer, Product, op
from .kinds import Alignment, Branch, Branches, Flag, Flags, Size, Width


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
    align: Alignment = "last",
    out: Width = None,
    bias: Flags = True,
) -> Layer:
    """Multi-head attention with its four projections.

    (*windows, Tq, C) -> (*windows, Tq, out); keys and values come from the input, or from `memory` (*windows, Tk, M)
    for cross attention. Mult-adds: C*Q for the queries and Q*out for the result at every query, 2*M*K for keys and
    values at every key, with Q = heads*head_size, K = kv_heads*head_size; then 2*Q for every pair of query and key
    (q.k, and the weight times v). Queries stand at the last Tq of the Tk places, as a decoder with a cache has them,
    or with `align: first` at the first, as `is_causal` of PyTorch and ONNX. A causal mask leaves the pairs whose key
    is not after the query: Tq*(Tk-Tq) + Tq*(Tq+1)/2 at the last places. The rest is the quantity `mac_masked`, which a
    plain implementation computes too. A `window` leaves a query its own key and window - 1 before it when causal, else
    its own and window // 2 on each side; then `mac_masked` is the future half of that band, and what is outside of it
    is not computed at all. `bias` is one answer for all projections, or a list for queries, keys, values and the
    result. arXiv:1706.03762 section 3.2; grouped keys arXiv:2305.13245; torch.nn.MultiheadAttention.

    Example: {attention: 12}
    """
    *outer, queries, channels = _sequence(x)
    *others, keys, features = x if memory is None else _sequence(memory)
    _same_windows(outer, others)
    inner, shared = _widths(channels, heads, kv_heads, head_size)
    out = channels if out is None else out
    query, key, result = channels * inner, features * shared, inner * out
    pairs, masked = _pairs(queries, keys, causal, window, align)
    batch = prod(outer)
    return Layer(
        shape=(*outer, queries, out),
        params={"weight": query + 2 * key + result, "bias": _chosen(bias, (inner, shared, shared, out))},
        terms={
            "mac": ((query + result) * queries + 2 * key * keys) * batch,
            "mac_attention": 2 * inner * pairs * batch,
            "mac_masked": 2 * inner * masked * batch,
            "scale": inner * queries * batch,
            "softmax": heads * pairs * batch,
            "bias": _chosen(bias, (inner * queries, shared * keys, shared * keys, out * queries)) * batch,
        },
        detail={"heads": heads},
        products=_all((query * queries, key * keys, result * queries), (inner, pairs, masked), batch, memory),
    )


@op("attend")
def attend(
    x: Shape, inputs: Branches, *, heads: Size, causal: Flag = False, window: Size = None, align: Alignment = "last"
) -> Layer:
    """Attention without projections: softmax(q k) v of queries, keys and values that are there already.

    (*windows, Tq, Q), (*windows, Tk, K), (*windows, Tk, V) -> (*windows, Tq, V*heads/kv_heads); K has as
    many channels a head as Q. Mult-adds: one per channel of every pair of query and key, for q.k and for the
    weight times v; `causal`, `window` and `align` are those of `attention`.
    torch.nn.functional.scaled_dot_product_attention.

    Example: {attend: [q, k, v], heads: 12}
    """
    if len(inputs) != 3:
        raise Refused(f"attend takes queries, keys and values, got {len(inputs)} inputs")
    (*outer, queries, wide), (*others, keys, narrow), (*rest, values, value) = (_sequence(one) for one in inputs)
    _same_windows(outer, others, rest)
    require(equal(keys, values), "{} keys but {} values", keys, values)
    require(equal(wide % heads, 0), "{} channels do not split into {} heads", wide, heads, option="heads")
    size = floor_div(wide, heads)
    require(equal(narrow % size, 0), "{} key channels are no multiple of the head size {}", narrow, size)
    kv_heads = floor_div(narrow, size)
    require(equal(value % kv_heads, 0), "{} value channels do not split into {} heads", value, kv_heads)
    require(
        equal(heads % kv_heads, 0), "{} heads do not share {} heads of keys evenly", heads, kv_heads, option="heads"
    )
    result = heads * floor_div(value, kv_heads)
    pairs, masked = _pairs(queries, keys, causal, window, align)
    each_pair, batch = wide + result, prod(outer)
    return Layer(
        shape=(*outer, queries, result),
        terms={
            "mac_attention": each_pair * pairs * batch,
            "mac_masked": each_pair * masked * batch,
            "scale": wide * queries * batch,
            "softmax": heads * pairs * batch,
        },
        detail={"heads": heads},
        products=_mixing((0, 1, 2), (wide * batch, result * batch), pairs, masked),
    )


def _all(macs: Shape, pairs: Shape, batch: Number, memory: Shape | None) -> tuple[Product, ...]:
    """The products of attention: projections of queries, keys and values, those of every pair, and of the result."""
    query, key, result = ({"mac": count * batch} for count in macs)
    source, (inner, seen, masked) = 0 if memory is None else 1, pairs
    return (
        Product(query, (0, WEIGHT), "query"),
        Product(key, (source, WEIGHT), "key"),
        Product(key, (source, WEIGHT), "value"),
        *_mixing(("query", "key", "value"), (inner * batch, inner * batch), seen, masked),
        Product(result, ("mixed", WEIGHT)),
    )


def _mixing(operands: tuple[int | str, ...], sizes: Shape, pairs: Number, masked: Number) -> tuple[Product, Product]:
    """The products of queries with keys and of weights with values; `sizes` are the mult-adds of a pair in each."""
    query, key, value = operands
    scores, mixed = ({"mac_attention": size * pairs, "mac_masked": size * masked} for size in sizes)
    return Product(scores, (query, key), "scores"), Product(mixed, ("scores", value), "mixed")


def biased(bias: bool | tuple[bool, ...]) -> Any:
    """Whether each of the four projections has a bias."""
    if type(bias) is tuple and len(bias) != 4:
        raise Refused(
            f"`bias` is one answer, or one each for queries, keys, values and the result; got {len(bias)}", "bias"
        )
    return bias if type(bias) is tuple else (bias,) * 4


def _chosen(bias: bool | tuple[bool, ...], counts: Shape) -> Number:
    """The sum of the counts of the projections that have a bias."""
    total = 0
    for one, count in zip(biased(bias), counts, strict=True):
        total = total + count if one else total
    return total


def _widths(channels: Number, heads: int, kv_heads: int | None, head_size: int | None) -> tuple[Number, Number]:
    """Channels of all queries, and of all keys."""
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


def _pairs(queries: Number, keys: Number, causal: bool, window: int | None, align: str) -> Shape:
    """Pairs of query and key that count, and those under the mask."""
    if not causal and window is None:
        return queries * keys, 0
    if align == "last" or window is not None:
        message = "a causal mask or a window needs a key of its own for each query, got {} keys for {} queries"
        require(equal(maximum(queries, keys), keys), message, keys, queries)
    longest = keys if align == "last" else maximum(queries, keys)
    reach = longest - 1 if window is None else window - 1 if causal else floor_div(window, 2)
    if align == "last":
        own, before, after = queries, _side(keys, reach) - _side(keys - queries, reach), _side(queries, reach)
    else:
        own, before = minimum(queries, keys), _side(queries, reach) - _side(longest - keys, reach)
        after = _side(keys, reach) - _side(longest - queries, reach)
    return (own + before, after) if causal else (own + before + after, 0)


def _side(length: Number, reach: Number) -> Number:
    """Pairs at a distance of 1 to `reach` on one side of so many places, those at the end having fewer."""
    reach = minimum(reach, length - 1)
    return length * reach - floor_div(reach * (reach + 1), 2)


def inside(op: str, inputs: tuple[Shape, ...], options: Mapping[str, Any], fused: bool) -> Any:
    """Values of the tensors inside an attention layer: queries, keys, values, scores (unless `fused`) and context.

    `attend` has its queries, keys and values already: it makes the scores alone.
    """
    *outer, queries, channels = inputs[0]
    keys, heads = inputs[1 if len(inputs) > 1 else 0][-2], options["heads"]
    band = options.get("window")
    if band is not None and not options.get("causal"):
        band = 2 * floor_div(band, 2) + 1
    width = keys if band is None else minimum(keys, band)
    scores = 0 if fused else heads * queries * width
    if op == "attention":
        inner, shared = _widths(channels, heads, options.get("kv_heads"), options.get("head_size"))
        scores = scores + 2 * inner * queries + 2 * shared * keys
    return scores * prod(outer)
