"""Mixture of experts, selective scan and latent attention in loops."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .attention import attended, far_or_seen, joined, projected, scaled
from .linear import linear
from .tally import Impossible, Tally, at, shape_of


def moe(
    tally: Any,
    x: Any,
    *,
    hidden: int,
    experts: int,
    active: int,
    shared: int = 0,
    shared_hidden: int | None = None,
    shared_gate: bool = False,
    gated: bool = True,
    router_bias: bool = False,
    bias: bool = False,
) -> dict[tuple[int, ...], float]:
    """Experts selected by a router (arXiv:2401.04088), plus experts shared by all tokens (arXiv:2401.06066)."""
    if active > experts or (shared_gate and not shared):
        raise Impossible("more active than there are, or a gate of nothing")
    channels, wide = shape_of(x)[-1], hidden if shared_hidden is None else shared_hidden
    scores = _Matrix(tally, channels, experts, router_bias)
    routed = [_Expert(tally, channels, hidden, gated, bias) for _ in range(experts)]
    always = [_Expert(tally, channels, wide, gated, bias) for _ in range(shared)]
    gate = _Matrix(tally, channels, 1, False) if shared_gate else None
    result: dict[Any, Any] = {}
    for place in {index[:-1]: None for index in x}:
        token = [at(x, *place, n) for n in range(channels)]
        weights = [tally.did("activate", tally.apply(math.exp, score)) for score in scores.of(token)]
        best = sorted(range(experts), key=lambda e: (-float(weights[e]), e))[:active]
        parts = [[tally.did("multiply", v * weights[e]) for v in routed[e].of(token)] for e in best]
        beside = [one.of(token) for one in always]
        if gate is not None:
            share = tally.did("activate", tally.apply(math.tanh, gate.of(token)[0]))
            beside = [[tally.did("multiply", v * share) for v in _summed(tally, beside)]]
        for n, value in enumerate(_summed(tally, parts + beside)):
            spot = (*place, n)
            result[spot] = value
    return result


class _Matrix:
    """A linear layer over lists."""

    def __init__(self, tally: Any, features: int, out: int, bias: bool) -> None:
        self.tally, self.out = tally, out
        self.weight = tally.parameters("weight", features, out)
        self.offset = tally.parameters("bias", out) if bias else None

    def of(self, values: list[Any]) -> list[Any]:
        """Multiply values by the matrix."""
        result = []
        for n in range(self.out):
            total: float = 0
            for m, value in enumerate(values):
                total = self.tally.mac(total, value, self.weight[m, n])
            result.append(total if self.offset is None else self.tally.did("bias", total + self.offset[n,]))
        return result


class _Expert:
    """A feed-forward network, gated or not."""

    def __init__(self, tally: Any, channels: int, hidden: int, gated: bool, bias: bool) -> None:
        self.tally = tally
        self.up = _Matrix(tally, channels, hidden, bias)
        self.gate = _Matrix(tally, channels, hidden, bias) if gated else None
        self.down = _Matrix(tally, hidden, channels, bias)

    def of(self, token: list[Any]) -> list[Any]:
        """Apply the network to a token."""
        inner = [self.tally.did("activate", self.tally.apply(math.tanh, v)) for v in self.up.of(token)]
        if self.gate is not None:
            pairs = zip(inner, self.gate.of(token), strict=True)
            inner = [self.tally.did("multiply", v * other) for v, other in pairs]
        return self.down.of(inner)


def _summed(tally: Any, parts: list[list[Any]]) -> list[Any]:
    total = parts[0]
    for part in parts[1:]:
        total = [tally.did("add", a + b) for a, b in zip(total, part, strict=True)]
    return total


def selective_scan(
    tally: Any, *inputs: Mapping[tuple[int, ...], float], skip: bool = True
) -> dict[tuple[int, ...], float]:
    """h = exp(d*A)*h + d*B*x, y = C*h (+ D*x), in loops over channels, steps and states (arXiv:2312.00752)."""
    if len(inputs) != 4 or any(len(shape_of(one)) != 2 for one in inputs):
        raise Impossible("expected values, steps, B and C")
    x, step, b, c = inputs
    (length, channels), (_, state) = shape_of(x), shape_of(b)
    if shape_of(step) != (length, channels) or {shape_of(b), shape_of(c)} != {(length, state)}:
        raise Impossible("sequences of other sizes")
    decay = tally.parameters("weight", channels, state)
    direct = tally.parameters("weight", channels) if skip else None
    result: dict[Any, Any] = {}
    for d in range(channels):
        h = [0.0] * state
        for t in range(length):
            y: float = 0
            for n in range(state):
                kept = tally.apply(math.exp, -abs(float(step[t, d])) * abs(float(decay[d, n])))
                h[n] = tally.did("scan", kept * h[n] + step[t, d] * b[t, n] * x[t, d])
                y = y + c[t, n] * h[n]
            if direct is not None:
                y = tally.did("add", y + tally.did("multiply", direct[d,] * x[t, d]))
            result[t, d] = y
    return result


def latent_attention(
    tally: Tally,
    x: Any,
    *,
    heads: int,
    rank: int,
    rope: int,
    head_size: int,
    value_size: int | None = None,
    query_rank: int | None = None,
    causal: bool = False,
    cache: int | None = None,
    absorb: bool = False,
    out: int | None = None,
    bias: bool = False,
) -> dict[tuple[int, ...], float]:
    """Attention with keys and values computed from one vector per token (arXiv:2405.04434, section 2.1)."""
    if len(shape_of(x)) != 2:
        raise Impossible("not one sequence")
    tokens, channels = shape_of(x)
    value_size, out = head_size if value_size is None else value_size, channels if out is None else out
    narrow = dict(x)
    if query_rank is not None:
        narrow = joined(scaled(tally, projected(tally, x, channels, 1, query_rank, bias), True))
    query = projected(tally, narrow, shape_of(narrow)[-1], heads, head_size + rope, False)
    down = joined(projected(tally, x, channels, 1, rank + rope, bias))
    vector = scaled(tally, {(t, 0, n): v for (t, n), v in down.items() if n < rank}, True)
    latent = _kept(tally, {(t, n): v for (t, _, n), v in vector.items()}, cache)
    turned = _kept(tally, {(t, n - rank): v for (t, n), v in down.items() if n >= rank}, cache)
    _rotated(tally, tokens, heads, rope)
    query = {place: tally.did("scale", value / math.sqrt(head_size + rope)) for place, value in query.items()}
    up = tally.parameters("weight", heads, rank, head_size + value_size)
    fate = far_or_seen(tokens, tokens + (cache or 0), causal)
    parts = (query, latent, turned, up)
    each = (_absorbed if absorb else _expanded)(tally, parts, (heads, rank, rope, head_size, value_size), fate)
    return linear(tally, each, out=out, bias=bias)


def _rotated(tally: Any, tokens: int, heads: int, rope: int) -> None:
    """Count the rotation of all heads' queries and of their shared key; values stay unchanged."""
    for _ in range(tokens * (heads + 1) * rope):
        tally.did("rotate")


def _kept(tally: Tally, x: dict[tuple[int, ...], float], cache: int | None) -> dict[tuple[int, ...], float]:
    """Append the values of tokens to the cached ones."""
    before = cache or 0
    width = 1 + max((n for _, n in x), default=-1)
    old: dict[Any, Any] = {(t, n): tally.outside("cache") for t in range(before) for n in range(width)}
    return {**old, **{(t + before, n): value for (t, n), value in x.items()}}


def _expanded(tally: Any, parts: Any, sizes: tuple[int, ...], fate: Any) -> dict[tuple[int, ...], float]:
    """Attention that computes the keys and values of all heads from every vector."""
    (query, latent, turned, up), (heads, rank, _, size, value) = parts, sizes
    keys = 1 + max(t for t, _ in latent)
    made: dict[Any, Any] = {}
    for t in range(keys):
        for head in range(heads):
            for n in range(size + value):
                total: float = 0
                for m in range(rank):
                    total = tally.mac(total, latent[t, m], up[head, m, n])
                made[t, head, n] = total
    key = {(t, head, n): made[t, head, n] for t, head, n in made if n < size}
    key |= {(t, head, size + n): turned[t, n] for t, n in turned for head in range(heads)}
    values = {(t, head, n - size): made[t, head, n] for t, head, n in made if n >= size}
    mixed = attended(tally, query, key, values, fate)
    return joined(mixed)


def _absorbed(tally: Any, parts: Any, sizes: tuple[int, ...], fate: Any) -> dict[tuple[int, ...], float]:
    """Attention that maps queries to the vector space, attends there, and maps the result back to values."""
    (query, latent, turned, up), (heads, rank, rope, size, value) = parts, sizes
    wide: dict[Any, Any] = {}
    for t in range(1 + max(t for t, *_ in query)):
        for head in range(heads):
            for m in range(rank):
                total: float = 0
                for n in range(size):
                    total = tally.mac(total, query[t, head, n], up[head, m, n])
                wide[t, head, m] = total
            wide |= {(t, head, rank + n): query[t, head, size + n] for n in range(rope)}
    key = {(t, 0, n): v for (t, n), v in latent.items()} | {(t, 0, rank + n): v for (t, n), v in turned.items()}
    mixed = attended(tally, wide, key, {(t, 0, n): v for (t, n), v in latent.items()}, fate)
    result: dict[Any, Any] = {}
    for t, head in {place[:2]: None for place in mixed}:
        for n in range(value):
            total = 0
            for m in range(rank):
                total = tally.mac(total, mixed[t, head, m], up[head, m, size + n])
            result[t, head * value + n] = total
    return result
