"""Operations of language models: mixture of experts, selective scan and latent attention."""

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..num import equal, maximum, prod, require
from ..num.values import Number, Shape
from ..records import NamedTuple
from .attention import Mask, cached_pairs
from .base import WEIGHT, Layer, Product, op
from .kinds import Branches, Count, Flag, Size, Width


@op("moe")
def moe(
    x: Shape,
    hidden: Width,
    *,
    experts: Size,
    active: Size,
    shared: Count = 0,
    shared_hidden: Width = None,
    shared_gate: Flag = False,
    gated: Flag = True,
    router_bias: Flag = False,
    bias: Flag = False,
) -> Layer:
    """Mixture of experts: a router sends each token to `active` of `experts` feed-forward networks.

    (*positions, C) -> (*positions, C). A gated expert (act(x*A) * (x*B), then back to C) has 3*C*H weights, others
    2*C*H. Params: all experts, and C*E for the router; `params_active` counts the experts of one token. Mult-adds per
    token: the router, its experts, and the `shared` experts that process every token. `shared_gate` scales their
    output by a sigmoid of the token. arXiv:2101.03961; gated arXiv:2401.04088; shared experts arXiv:2401.06066.

    Example: {moe: 256, experts: 8, active: 2}
    """
    *positions, channels = x
    require(active <= experts, "{} active of only {} experts", active, experts, option="active")
    least = maximum(shared, 1 if shared_gate else 0)
    require(equal(shared, least), "a gate of {} shared experts", shared, option="shared")
    many, wide = prod(positions), hidden if shared_hidden is None else shared_hidden
    up, units = (2 if gated else 1), active * hidden + shared * wide  # matrices into an expert, hidden units per token
    one, router = (up + 1) * channels * hidden, channels * experts + (channels if shared_gate else 0)
    always = router + shared * (up + 1) * channels * wide
    biases = up * hidden + channels if bias else 0
    others = shared * (up * wide + channels) if bias else 0
    routed = experts if router_bias else 0
    return Layer(
        shape=(*positions, channels),
        params={"weight": always + experts * one, "bias": routed + experts * biases + others},
        terms={
            "mac": (always + active * one) * many,
            "bias": (routed + active * biases + others) * many,
            "activate": (experts + units + (1 if shared_gate else 0)) * many,
            "multiply": ((units if gated else 0) + (active + (1 if shared_gate else 0)) * channels) * many,
            "add": (active + shared - 1) * channels * many,
        },
        detail={"experts": experts, "active": active},
        products=_two((router + up * channels * units) * many, channels * units * many),
        idle={"weight": (experts - active) * one, "bias": (experts - active) * biases},
    )


def _two(first: Number, second: Number) -> tuple[Product, Product]:
    """The products that compute the hidden values and the output."""
    return Product({"mac": first}, (0, WEIGHT), "hidden"), Product({"mac": second}, ("hidden", WEIGHT))


@op("selective_scan")
def selective_scan(x: Shape, inputs: Branches, *, skip: Flag = True) -> Layer:
    """Selective state-space scan of Mamba: h = exp(d*A)*h + d*B*x, y = C*h, plus D*x with `skip`.

    (L, D) values, (L, D) steps d, (L, N) each for B and C -> (L, D). Params: D*N for A, and D for the skip. It has no
    matrix product, so no mult-adds. The quantity `scan` is L*D*N state values; the convention `mamba` prices each at 9
    FLOPs, like its authors. The projections around it are separate layers: see the block `mamba`. arXiv:2312.00752.

    Example: {selective_scan: [u, step, into, out]}
    """
    if len(inputs) != 4:
        raise Refused(f"selective_scan takes values, steps, B and C, got {len(inputs)} inputs")
    if any(len(shape) != 2 for shape in inputs):
        raise Refused("selective_scan works on sequences: [length, channels]")
    (length, channels), _, (_, state), _ = inputs
    for shape, width in zip(inputs[1:], (channels, state, state), strict=True):
        require(equal(shape[0], length), "{} steps of one sequence meet {} of another", shape[0], length)
        require(equal(shape[1], width), "a width of {} where {} is needed", shape[1], width)
    values = length * channels
    return Layer(
        shape=(length, channels),
        params={"weight": channels * state + (channels if skip else 0)},
        terms={"scan": values * state, "multiply": values if skip else 0, "add": values if skip else 0},
        detail={"state": state},
    )


@op("latent_attention")
def latent_attention(
    x: Shape,
    heads: Size,
    *,
    rank: Width,
    rope: Count,
    head_size: Width,
    value_size: Width = None,
    query_rank: Width = None,
    causal: Flag = False,
    cache: Count = None,
    absorb: Flag = False,
    out: Width = None,
    bias: Flag = False,
) -> Layer:
    """Multi-head latent attention of DeepSeek: keys and values are projected from a vector of `rank` per token.

    (T, C) -> (T, out). The cache stores rank + rope values per token: the vector, and a position key for all heads.
    Queries have head_size + rope channels per head, computed via `query_rank` if given. Keys and values of all tokens,
    also cached ones, are computed from the vectors: rank*heads*(head_size + value_size) per token. `absorb` instead
    multiplies queries and results by these matrices; a pair then costs 2*rank + rope per head. `bias` applies to the
    projections from and to C. arXiv:2405.04434, section 2.1.

    Example: {latent_attention: 12, rank: 64, rope: 16, head_size: 64, causal: true}
    """
    if len(x) != 2:
        raise Refused("latent_attention works on one sequence: [tokens, features]")
    (tokens, channels), out = x, x[1] if out is None else out
    value_size = head_size if value_size is None else value_size
    pairs, before, held = cached_pairs(tokens, tokens, cache, Mask(causal), None)
    shapes = (heads, rank, rope, head_size, value_size, query_rank, out)
    sizes = Latent(tokens, cache, channels, *shapes, pairs[0], pairs[1], before)
    products = sizes.products(absorb)
    narrow = 0 if query_rank is None else query_rank
    biases = narrow + rank + rope + out if bias else 0
    return Layer(
        shape=(tokens, out),
        params={"weight": sizes.weights, "bias": biases, "gamma": narrow + rank},
        terms={
            **_sums(products),
            "bias": biases * tokens,
            **dict.fromkeys(("normalize", "affine"), (narrow + rank) * tokens),
            "rotate": (heads + 1) * rope * tokens,
            "scale": heads * (head_size + rope) * tokens,
            "softmax": heads * pairs[0],
        },
        detail={"heads": heads, "rank": rank},
        products=products,
        kept=0 if cache is None and not causal else sizes.down * held,
    )


class Latent(NamedTuple):
    """The sizes of latent attention: its options, and the pairs seen, masked, and with cached tokens."""

    tokens: Number
    cache: Any
    channels: Number
    heads: Number
    rank: Number
    rope: Number
    size: Number
    value: Number
    query_rank: Any
    out: Number
    seen: Number
    masked: Number
    before: Number

    @property
    def weights(self) -> Number:
        """The weights of all projections."""
        return self.query + self.channels * self.down + self.up + self.heads * self.value * self.out

    @property
    def down(self) -> Number:
        """The values cached per token."""
        return self.rank + self.rope

    @property
    def up(self) -> Number:
        """The weights that compute the keys and values of all heads."""
        return self.rank * self.heads * (self.size + self.value)

    @property
    def query(self) -> Number:
        """The weights that compute the queries."""
        wide = self.heads * (self.size + self.rope)
        return self.channels * wide if self.query_rank is None else self.query_rank * (self.channels + wide)

    def products(self, absorb: bool) -> tuple[Product, ...]:
        """All products, in order. Cached vectors are constants; keys and values computed from them need gradients."""
        tokens, down, result = self.tokens, self.channels * self.down, self.heads * self.value * self.out
        first = self.channels * (self.query - self.query if self.query_rank is None else self.query_rank)
        narrow = () if self.query_rank is None else (Product({"mac": first * tokens}, (0, WEIGHT), "narrow"),)
        source = 0 if self.query_rank is None else "narrow"
        return (
            *narrow,
            Product({"mac": (self.query - first) * tokens}, (source, WEIGHT), "query"),
            Product({"mac": down * tokens}, (0, WEIGHT), "latent"),
            *(self._absorbed() if absorb else self._expanded()),
            Product({"mac": result * tokens}, ("context", WEIGHT)),
        )

    def _expanded(self) -> tuple[Product, ...]:
        """Products that compute keys and values of every token, and the attention of all heads."""
        old: tuple[Product, ...] = ()
        if self.cache is not None:
            made = Product({"mac": self.up * self.cache}, (WEIGHT,), "old keys")
            scores = self._pairs(self.size, self.before, 0, ("query", "old keys"), "old scores")
            turned = self._pairs(self.rope, self.before, 0, ("query",), "old turned")
            mixed = self._pairs(self.value, self.before, 0, ("old scores", "old keys"), "old context")
            old = (made, scores, turned, mixed)
        new, masked = self.seen - self.before, self.masked
        return (
            *old,
            Product({"mac": self.up * self.tokens}, ("latent", WEIGHT), "keys"),
            self._pairs(self.size, new, masked, ("query", "keys"), "scores"),
            self._pairs(self.rope, new, masked, ("query", "latent"), "turned"),
            self._pairs(self.value, new, masked, ("scores", "keys"), "context"),
        )

    def _absorbed(self) -> tuple[Product, ...]:
        """Products that map queries to the vector space, attend there, and map the result back."""
        old: tuple[Product, ...] = ()
        if self.cache is not None:
            scores = self._pairs(self.rank, self.before, 0, ("wide query",), "old scores")
            turned = self._pairs(self.rope, self.before, 0, ("query",), "old turned")
            old = (scores, turned, self._pairs(self.rank, self.before, 0, ("old scores",), "old mixed"))
        new, masked = self.seen - self.before, self.masked
        entry, end = (self.tokens * self.heads * self.rank * size for size in (self.size, self.value))
        return (
            Product({"mac": entry}, ("query", WEIGHT), "wide query"),
            *old,
            self._pairs(self.rank, new, masked, ("wide query", "latent"), "scores"),
            self._pairs(self.rope, new, masked, ("query", "latent"), "turned"),
            self._pairs(self.rank, new, masked, ("scores", "latent"), "mixed"),
            Product({"mac": end}, ("mixed", WEIGHT), "context"),
        )

    def _pairs(
        self, size: Number, seen: Number, masked: Number, operands: tuple[int | str, ...], result: str
    ) -> Product:
        each = self.heads * size
        return Product({"mac_attention": each * seen, "mac_masked": each * masked}, operands, result)


def _sums(products: tuple[Product, ...]) -> dict[str, Number]:
    """The total mult-adds of products by quantity."""
    total: dict[str, Any] = {}
    for name, macs in ((name, macs) for product in products for name, macs in product.macs.items()):
        total[name] = total.get(name, 0) + macs
    return total


def inside(op: str, inputs: tuple[Shape, ...], options: Mapping[str, Any], fused: bool) -> Any:
    """The number of values in a layer's internal tensors: hidden values of experts, the state of a scan, ..."""
    if op == "moe":
        many, wide = prod(inputs[0][:-1]), options.get("shared_hidden") or options["hidden"]
        units = options["active"] * options["hidden"] + options.get("shared", 0) * wide
        return many * units * (2 if options.get("gated", True) else 1)
    if op == "selective_scan":
        return inputs[0][-1] * inputs[2][-1]
    tokens, heads, rope = inputs[0][0], options["heads"], options["rope"]
    keys = tokens + (0 if options.get("cache") is None else options["cache"])
    size, rank = options["head_size"], options["rank"]
    scores = 0 if fused else heads * tokens * keys
    latent = (rank + rope) * keys
    if options.get("absorb"):
        return scores + latent + heads * (2 * rank + rope) * tokens
    value = size if options.get("value_size") is None else options["value_size"]
    return scores + latent + heads * ((size + rope + value) * tokens + (size + value) * keys)


def cached(inputs: tuple[Shape, ...], options: Mapping[str, Any]) -> Any:
    """The number of cached values that latent attention reads."""
    return maximum(options.get("cache") or 0, 0) * (options["rank"] + options["rope"])
