"""Bytes that the forward pass saves for the backward pass in eager PyTorch; each storage counts once.

Measured with saved-tensor hooks (torch 2.13, tests/data/saved_bytes.json). In-place operations save the same amount: an
in-place relu or sum overwrites a tensor that is not saved, and an in-place relu6, hswish or silu saves a copy of its
input. A saved view keeps the whole underlying tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .. import num
from ..num import equal, prod
from ..ops import ACTIVATIONS
from ..ops.attention import decoding
from ..ops.pointwise import joined
from ..ops.window import each, is_word, margins
from ..records import NamedTuple
from .gradients import Need

if TYPE_CHECKING:
    from ..model.rows import Row
    from .walk import Walk

FLOAT, INDEX = 4, 8  # bytes of a statistic (32 bits in every precision), and of an index
ATTENTION = ("unfused", "math", "fused")
_INPUT = frozenset(
    (
        *("conv_transpose", "batchnorm", "layernorm", "groupnorm", "instancenorm"),
        *("relu6", "hswish", "hsigmoid", "silu", "swish", "mish", "gelu", "leaky_relu", "prelu", "elu", "selu", "celu"),
        *("hardtanh", "softplus", "softsign", "log", "square", "abs", "clamp", "glu"),
        *("adaptive_avgpool", "adaptive_maxpool", "lppool", "lrn"),
        *("rnn", "lstm", "gru", "opaque"),
        *("moe", "selective_scan", "latent_attention", "sparse_conv"),
    )
)
_OUTPUT = frozenset(("relu", "sigmoid", "tanh", "softmax", "log_softmax", "exp", "sqrt", "lstm"))
_LOSSES = ("softmax", "log_softmax")
_SUMS = ("add", "sub", "mul", "div")
_VIEWS = frozenset(("flatten", "reshape", "identity", "split", "slice", "permute", "tokens", "grid"))
_TURNS = ("permute", "tokens", "grid")  # returned by PyTorch as a view in another memory order
_KEEP_ORDER = (frozenset(ACTIVATIONS) - {"softmax", "log_softmax", "glu"}) | {"dropout", "identity", *_SUMS}
_LANGUAGE = ("moe", "selective_scan", "latent_attention", "sparse_conv")
_ROUGH = frozenset(("opaque", "lstm", "lppool", *_LANGUAGE))  # these save more than is counted here
_HALVED = frozenset(("conv", "dwconv", "conv_transpose", "linear", "bilinear", "matmul", "einsum", "attention"))
_HALVED |= {"logits", "moe", "latent_attention", "attend", "rnn", "lstm", "gru"}  # autocast runs these in 16 bits
_WIDENED = frozenset(("layernorm", "groupnorm", "softmax", "log_softmax", "exp", "log", "softplus"))  # and these in 32


class Policy(NamedTuple):
    """The training settings that affect saved tensors.

    batch      samples per step
    precision  fp32; amp: 16 bits where autocast uses them; bf16: 16 bits for every value
    attention  unfused saves queries, keys, values and probabilities; math is nn.MultiheadAttention with PyTorch's
               unfused kernel, which also saves the results of joint projections and scaled copies of queries and keys;
               fused saves no probabilities
    masks      bytes per value of a dropout mask; None: as many as the values have
    """

    batch: Any = 1
    precision: str = "fp32"
    attention: str = "unfused"
    masks: int | None = None


class Kept(NamedTuple):
    """What a row saves: storages of tensors, and own bytes for statistics, indices, masks and copies."""

    storages: tuple[Any, ...]
    own: Any


class Keeping(NamedTuple):
    """What all rows save, and the bytes of each storage."""

    rows: list[Kept]
    sizes: dict[Any, Any]
    widths: list[int]  # bytes per value of each row's output
    at: list[Any]  # the storage of each row's output
    loss: int | None  # the row of a final softmax, which belongs to the loss

    def bytes(self) -> list[Any]:
        """The bytes of each row: its own bytes and the storages that no earlier row saves."""
        seen: set = set()
        sizes = []
        for kept in self.rows:
            new = [key for key in dict.fromkeys(kept.storages) if key not in seen]
            seen.update(new)
            sizes.append(sum((self.sizes[key] for key in new), kept.own))
        return sizes


def keeping(walk: Walk, policy: Policy) -> Keeping:
    """What the rows of a whole network save for the backward pass."""
    return _Keeper(walk.root, policy).found()


def is_rough(row: Row) -> bool:
    """Whether the saved bytes of a row are a lower bound."""
    name = row.op.name
    copied = name in ("rnn", "gru") and bool(row.options.get("bidirectional"))  # for batch 2 or more
    placed = name in ("attention", "attend") and decoding(row.options) is not None
    return copied or placed or name in _ROUGH


def is_halved(row: Row) -> bool:
    """Whether autocast runs a row in 16 bits."""
    return row.op.name in _HALVED


class _Keeper:
    def __init__(self, walk: Walk, policy: Policy):
        self.walk, self.policy = walk, policy
        self.value = 2 if policy.precision == "bf16" else FLOAT
        self.at: list[Any] = []  # the storage of each row's output; None for parameters and constants
        self.widths: list[int] = []
        self.sizes: dict[Any, Any] = {}
        self.spans: dict[Any, Any] = {}  # storage -> number of values
        self.indexed: set[Any] = set()  # inputs that are indices
        self.turned: list[bool] = []  # whether the memory order of each row's output differs from its axes

    def found(self) -> Keeping:
        """Process all rows in order."""
        rows = self.walk.rows
        read = {source for row in rows for source in row.sources}
        last = len(rows) - 1
        loss = last if rows and last not in read and rows[last].op.name in _LOSSES else None
        kept = []
        for number, (row, need) in enumerate(zip(rows, self.walk.needs, strict=True)):
            self.enter(number, row, row.sources)
            kept.append(self.kept(number, row, row.sources, need) if need.output and number != loss else Kept((), 0))
        return Keeping(kept, self.sizes, self.widths, self.at, loss)

    def enter(self, number: int, row: Row, sources: tuple) -> None:
        """Set the storage and the value width of a row's output."""
        before = [self.width(source) for source in sources]
        self.widths.append(self.made(row, before))
        view = row.op.name in _VIEWS or (row.op.name == "dropout" and _is(row.options.get("rate", 0.5), 0))
        view = view and not (row.op.name == "flatten" and self.is_turned(sources))
        self.turned.append(self.turns(row, sources))
        if row.op.name == "parameter":
            self.at.append(None)
        elif view and sources and sources[0] is not None:
            self.at.append(self.storage(sources[0], row.inputs[0], row.times))
        else:
            self.at.append(number)
            self.store(number, prod(row.layer.shape) * row.times, self.widths[-1])

    def turns(self, row: Row, sources: tuple) -> bool:
        """Whether the memory order of a row's output differs from its axes."""
        name, before = row.op.name, self.is_turned(sources)
        if name in _TURNS:
            order = row.options.get("order")
            return not before and len(row.inputs[0]) > 1 and (order is None or [*order] != sorted(order))
        return before and (name in _KEEP_ORDER or name in _VIEWS) and name != "flatten"

    def is_turned(self, sources: tuple) -> bool:
        """Whether the memory order of the first input differs from its axes."""
        return bool(sources) and type(sources[0]) is int and self.turned[sources[0]]

    def width(self, source: Any) -> int:
        """Bytes per value of a tensor."""
        return self.widths[source] if type(source) is int else self.value

    def made(self, row: Row, before: list[int]) -> int:
        """Bytes per value of a row's output."""
        if self.policy.precision != "amp":
            return self.value
        if row.op.name in _HALVED:
            return 2
        return FLOAT if row.op.name in _WIDENED or not before else max(before)

    def store(self, key: Any, values: Any, width: int) -> None:
        self.spans[key] = values
        self.sizes[key] = values * width * self.policy.batch

    def storage(self, source: Any, shape: Any, times: Any) -> Any:
        """The storage of an input tensor; None for parameters. A network input is added when first read."""
        if type(source) is str and source not in self.sizes:
            self.store(source, prod(shape) * times, self.value)
        return self.at[source] if type(source) is int else source

    def read(self, row: Row, sources: tuple, which: int) -> tuple[Any, ...]:
        """The storage of a saved input, or of its copy if autocast casts it."""
        if which >= len(sources):
            return ()
        key = self.storage(sources[which], row.inputs[which], row.times)
        if key is None:
            return ()
        cast = self.cast(row)
        if cast is None or cast == self.width(sources[which]):
            return (key,)
        self.store((key, cast), self.spans[key], cast)
        return ((key, cast),)

    def cast(self, row: Row) -> int | None:
        if self.policy.precision != "amp":
            return None
        return 2 if row.op.name in _HALVED else FLOAT if row.op.name in _WIDENED else None

    def kept(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """What a row saves if its output needs a gradient."""
        name = row.op.name
        if name in _STEPS and not need.weights:
            return Kept((), _steps(_STEPS[name], 0)(row, self))
        if name in _SPECIAL:
            return _SPECIAL[name](self, number, row, sources, need)
        own = _OWN[name](row, self) if name in _OWN else 0
        result = (number,) if name in _OUTPUT else ()
        if name == "reduce" and row.options.get("method", row.layer.detail.get("method")) == "max":
            return Kept((*self.read(row, sources, 0), number), own)
        if name in _INPUT and not _is_mean(row):
            return Kept((*self.read(row, sources, 0), *result), own)
        return Kept(result, own)

    def operands(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """Operands of a product: each is saved if another operand needs a gradient."""
        others = [any(need.inputs[:at] + need.inputs[at + 1 :]) or need.weights for at in range(len(sources))]
        if row.op.name == "div":
            others[1] = any(need.inputs)
        return Kept(tuple(k for at, other in enumerate(others) if other for k in self.read(row, sources, at)), 0)

    def product(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """A product of several factors, computed pairwise: each side is saved if the other needs a gradient."""
        shapes = accumulate(row.inputs, lambda a, b: joined((a, b), row.op.name))
        storages, own, so_far = [], 0, need.inputs[0]
        for at, (shape, flows) in enumerate(zip(shapes, need.inputs[1:], strict=False), 1):
            first = self.read(row, sources, 0) if at == 1 and flows else ()
            storages += [*first, *(self.read(row, sources, at) if so_far else ())]
            own = own + (prod(shape) if at > 1 and flows else 0)
            so_far = so_far or flows
        return Kept(tuple(storages), own * row.times * self.widths[-1] * self.policy.batch)

    def indices(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """The indices of a lookup, saved once for all tables."""
        source, values = sources[0], prod(row.inputs[0]) * row.times
        if type(source) is str and source not in self.sizes:
            self.store(source, values, INDEX)
            self.indexed.add(source)
        key = self.storage(source, row.inputs[0], row.times)
        if key not in self.indexed:
            key = "index", key
            self.sizes[key] = INDEX * values * self.policy.batch
        return Kept((key,), 0)

    def factors(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """The input of a linear layer, or a contiguous copy if its memory order differs from its axes."""
        if not need.weights:
            return Kept((), 0)
        flat = len(row.inputs[0]) < 2 + (_is(self.policy.batch, 1) and _is(row.times, 1))
        if flat or not self.is_turned(sources):
            return Kept(self.read(row, sources, 0), 0)
        return Kept((), self.copy(row, sources, row.inputs[0]))

    def bordered(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """The input of a convolution or pool, or a padded copy if the padding is asymmetric."""
        if _is_mean(row):
            return Kept((), 0)
        padded, own = _padded(row), _OWN[row.op.name](row, self) if row.op.name in _OWN else 0
        if padded is None:
            return Kept(self.read(row, sources, 0), own)
        return Kept((), own + self.copy(row, sources, padded))

    def copy(self, row: Row, sources: tuple, shape: tuple) -> Any:
        """The bytes of a copy of a row's first input in a given shape."""
        return prod(shape) * row.times * (self.cast(row) or self.width(sources[0])) * self.policy.batch

    def rmsnorm(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """Normalised values for the weight gradient; the input and one value per row for the input gradient."""
        learned = row.trained and any(row.layer.params.values())
        scaled = _out(row) * self.widths[-1] * self.policy.batch if learned else 0
        if not any(need.inputs):
            return Kept((), scaled)
        return Kept(self.read(row, sources, 0), _OWN["rmsnorm"](row, self) + scaled)

    def attention(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """Queries, keys and values by policy, probabilities or their row sums, and the inputs of the projections."""
        policy, inside = self.policy, _inside(row)
        tensors = inside.query + inside.key + inside.value
        if policy.attention == "math":
            tensors = tensors + _packed(row, sources, inside)
        elif policy.attention == "fused":
            tensors = inside.query + 2 * inside.few
        inner = inside.mixed if need.weights or policy.attention == "fused" else 0
        flowing = [key for at in range(len(sources)) for key in self.read(row, sources, at)]
        own = (tensors + inner) * self.widths[number] + self.scores(number, inside)
        return Kept(tuple(flowing) if need.weights else (), own * row.times * policy.batch)

    def attend(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """Attention without projections: each operand of its products is saved if another needs a gradient."""
        policy, inside, width = self.policy, _inside(row), self.widths[number]
        query, key, value = need.inputs
        fused, scaled = policy.attention == "fused", policy.attention == "math"
        wanted = (key or fused, query or fused, query or key or fused)
        repeated = inside.key is not inside.few and not fused
        apart = not fused and self.is_apart(row)
        copied = (scaled or apart, scaled or repeated or apart, repeated or apart)
        sizes = (inside.query, inside.key, inside.value)
        flowing = [one for at in range(3) if wanted[at] and not copied[at] for one in self.read(row, sources, at)]
        own = sum(size for size, one, copy in zip(sizes, wanted, copied, strict=True) if one and copy)
        scores = self.scores(number, inside) if query or key or value else 0
        return Kept((*flowing, *((number,) if fused else ())), (own * width + scores) * row.times * policy.batch)

    def is_apart(self, row: Row) -> bool:
        """Whether heads are copied to contiguous memory before the products, as no view can express the layout."""
        samples = self.policy.batch * row.times * prod(row.inputs[0][:-2])
        return not (_is(row.layer.detail["heads"], 1) or _is(samples, 1))

    def scores(self, number: int, inside: _Inside) -> Any:
        """Bytes of the probabilities; if fused, of one value per query."""
        return inside.rows * FLOAT if self.policy.attention == "fused" else inside.pairs * self.widths[number]


class _Inside(NamedTuple):
    """Numbers of values inside an attention layer.

    few           keys before they are repeated for the query heads that share them; `key` and `value` count them once
                  per head, as PyTorch repeats them before the product; the same object as `key` if heads share none
    pairs, rows   query-key pairs, and queries, of all heads
    """

    query: Any
    key: Any
    value: Any
    few: Any
    mixed: Any
    pairs: Any
    rows: Any


def _inside(row: Row) -> _Inside:
    *outer, queries, wide = row.inputs[0]
    memory = row.inputs[1] if len(row.inputs) > 1 else row.inputs[0]
    heads, many, keys = row.layer.detail["heads"], prod(outer), memory[-2] + (row.options.get("cache") or 0)
    pairs, rows = heads * queries * keys * many, heads * queries * many
    if row.op.name == "attend":
        query, few, value = (prod(shape) for shape in row.inputs)
        mixed = prod(row.layer.shape)
        if _is(memory[-1] - wide, 0):
            return _Inside(query, few, value, few, mixed, pairs, rows)
        return _Inside(query, wide * keys * many, row.layer.shape[-1] * keys * many, few, mixed, pairs, rows)
    of_queries, of_keys, *_ = (product.macs["mac"] for product in row.layer.products if "mac" in product.macs)
    query = num.floor_div(of_queries, row.inputs[0][-1])
    few = 0 if row.options.get("cached") else num.floor_div(of_keys, memory[-1])
    shared = row.options.get("kv_heads")
    key = few if shared is None or _is(shared - heads, 0) else num.floor_div(few * heads, shared)
    return _Inside(query, key, key, few, query, pairs, rows)


def _packed(row: Row, sources: tuple, inside: _Inside) -> Any:
    """The number of query and key values stored in one tensor with the values.

    nn.MultiheadAttention projects equal inputs jointly: all three of one input, or keys and values of a memory of the
    same width.
    """
    if inside.key is not inside.few:
        return 0
    if len({*sources[:2]}) < 2:
        return inside.query + inside.key
    return inside.key if _is(row.inputs[1][-1] - row.inputs[0][-1], 0) else 0


def _padded(row: Row) -> tuple[Any, ...] | None:
    """The padded input shape of a convolution if PyTorch pads in a separate step (asymmetric padding), or None."""
    *space, channels = row.inputs[0]
    if "global_in" in row.layer.terms:  # a global pool
        return None
    padding, kernel = row.options.get("padding", "same"), row.layer.detail["kernel"]
    if is_word(padding, "same"):  # symmetric for an odd span; for an even one, one side has an extra position
        spans = zip(kernel, each(row.options.get("dilation", 1), space), row.layer.detail["stride"], strict=True)
        more = [int(_is(d * (k - 1) % 2, 1) and _is(s, 1)) for k, d, s in spans]
    else:
        pairs = margins(0 if is_word(padding, "valid") else padding, space)
        uneven = any(not _is(before - after, 0) for before, after in pairs)
        more = [before + after if uneven else 0 for before, after in pairs]
    if all(type(one) is int and not one for one in more):
        return None
    return (*(size + one for size, one in zip(space, more, strict=True)), channels)


def _is(value: Any, number: int) -> bool:
    truth = equal(value, number)
    return truth if type(truth) is bool else num.domain(truth).decide(truth)


def _is_mean(row: Row) -> bool:
    """Whether a pool is a global mean, which saves nothing."""
    if row.op.name == "avgpool":
        return "global_in" in row.layer.terms
    if row.op.name != "adaptive_avgpool":
        return False
    truth = equal(prod(row.layer.shape[:-1]), 1)
    return truth if type(truth) is bool else num.domain(truth).decide(truth)


def _out(row: Row) -> Any:
    return prod(row.layer.shape) * row.times


def _mask(row: Row, keeper: _Keeper) -> Any:
    rate = row.options.get("rate", 0.5)
    if _is(rate, 0) or _is(rate, 1):
        return FLOAT if _is(rate, 1) else 0
    masks = keeper.policy.masks
    return _out(row) * (keeper.widths[-1] if masks is None else masks) * keeper.policy.batch


def _index(row: Row, keeper: _Keeper) -> Any:
    return INDEX * _out(row) * keeper.policy.batch


def _normalized(row: Row, keeper: _Keeper) -> Any:
    """A local response norm: squares padded along the channels, and both steps of the power."""
    *space, channels = row.layer.shape
    values = prod(space) * (3 * channels + row.options.get("size", 5) - 1)
    return values * row.times * keeper.widths[-1] * keeper.policy.batch


def _instances(row: Row, keeper: _Keeper) -> Any:
    """Mean and deviation per channel and sample, and the scale, which is repeated for every sample."""
    counts = 3 if row.options.get("scale") else 2
    return counts * FLOAT * row.layer.shape[-1] * row.times * keeper.policy.batch


def _rows(count: int, of: Callable[[Row], Any]) -> Callable[[Row, _Keeper], Any]:
    return lambda row, keeper: count * FLOAT * of(row) * row.times * keeper.policy.batch


def _steps(states: Callable[[Any], Any], flowing: int = 1) -> Callable[[Row, _Keeper], Any]:
    """Values saved by the steps of a recurrent layer: `states` of them, and inputs of later layers if `flowing`."""

    def kept(row: Row, keeper: _Keeper) -> Any:
        options, steps = row.options, row.inputs[0][-2]
        layers, ways = options.get("layers", 1), 2 if options.get("bidirectional") else 1
        wide = ways * options["hidden"]
        values = layers * wide * states(steps) + flowing * steps * wide * (layers - 1)
        return values * row.times * keeper.widths[-1] * keeper.policy.batch

    return kept


_OWN: dict[str, Callable[[Row, _Keeper], Any]] = {
    "batchnorm": lambda row, keeper: 2 * FLOAT * row.layer.shape[-1],
    "layernorm": _rows(2, lambda row: prod(row.layer.shape[:-1])),
    "rmsnorm": _rows(1, lambda row: prod(row.layer.shape[:-1])),
    "rnn": _steps(lambda steps: steps + 1),
    "gru": _steps(lambda steps: 7 * steps),
    "groupnorm": _rows(2, lambda row: row.layer.detail["groups"]),
    "instancenorm": _instances,
    "maxpool": _index,
    "adaptive_maxpool": _index,
    "dropout": _mask,
    "lrn": _normalized,
    "softsign": lambda row, keeper: _out(row) * keeper.widths[-1] * keeper.policy.batch,
}
_STEPS: dict[str, Callable[[Any], Any]] = {  # for a recurrent layer with frozen weights
    "rnn": lambda steps: steps,
    "gru": lambda steps: 6 * steps,
}
_SPECIAL: dict[str, Callable[..., Kept]] = {
    "rmsnorm": _Keeper.rmsnorm,
    "attention": _Keeper.attention,
    "attend": _Keeper.attend,
    "embedding": _Keeper.indices,
    "mul": _Keeper.product,
    **dict.fromkeys(("div", "matmul", "einsum", "bilinear"), _Keeper.operands),
    **dict.fromkeys(("linear", "logits"), _Keeper.factors),
    **dict.fromkeys(("conv", "dwconv", "maxpool", "avgpool"), _Keeper.bordered),
}
