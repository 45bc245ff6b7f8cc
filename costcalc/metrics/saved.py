"""What the forward pass keeps for the backward pass, in bytes: eager PyTorch, each storage counted once.

Measured with the hooks of saved tensors (torch 2.13, tests/data/saved_bytes.json). In-place operations change
nothing of it: an in-place relu or sum writes over a tensor that nothing keeps, and an in-place relu6, hswish or silu
keeps a copy of its input. A view keeps all of the tensor that it is a part of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import num
from ..num import equal, prod
from ..records import NamedTuple
from .needs import Need

if TYPE_CHECKING:
    from ..model.rows import Row
    from .walk import Walk

FLOAT, INDEX = 4, 8  # bytes of a statistic, which has 32 bits whatever the precision, and of an index
ATTENTION = ("unfused", "math", "fused")
_INPUT = frozenset(
    (
        *("conv", "dwconv", "conv_transpose", "batchnorm", "layernorm", "groupnorm", "instancenorm", "rmsnorm"),
        *("relu6", "hswish", "hsigmoid", "silu", "swish", "mish", "gelu", "leaky_relu", "prelu", "elu", "selu", "celu"),
        *("hardtanh", "softplus", "softsign", "log", "square", "abs", "clamp", "glu"),
        *("maxpool", "avgpool", "adaptive_avgpool", "adaptive_maxpool", "lppool", "lrn"),
        *("rnn", "lstm", "gru", "opaque"),
        *("moe", "selective_scan", "latent_attention", "sparse_conv"),
    )
)
_OUTPUT = frozenset(("relu", "sigmoid", "tanh", "softmax", "log_softmax", "exp", "sqrt", "lstm"))
_LOSSES = ("softmax", "log_softmax")
_FACTORS = frozenset(("mul", "div", "matmul", "einsum", "bilinear"))  # each is kept for the gradient of the others
_VIEWS = frozenset(("flatten", "reshape", "identity", "split", "slice", "permute", "tokens", "grid"))
_LANGUAGE = ("moe", "selective_scan", "latent_attention", "sparse_conv")
_ROUGH = frozenset(("opaque", "lstm", "lppool", *_LANGUAGE))  # they keep more than is said here
_HALVED = frozenset(("conv", "dwconv", "conv_transpose", "linear", "bilinear", "matmul", "einsum", "attention"))
_HALVED |= {"logits", "moe", "latent_attention", "attend", "rnn", "lstm", "gru"}  # what autocast runs with 16 bits
_WIDENED = frozenset(("layernorm", "groupnorm", "softmax", "log_softmax", "exp", "log", "softplus"))  # and with 32


class Policy(NamedTuple):
    """How the network is trained, as far as it says what is kept.

    batch      samples of a step
    precision  fp32; amp: what autocast gives 16 bits has 16; bf16: every value has
    attention  unfused keeps queries, keys, values and probabilities; math is PyTorch's own unfused kernel on one
               packed projection, which keeps scaled copies too; fused keeps no probabilities
    masks      bytes a value of the mask of a dropout, or None for those of a value
    """

    batch: Any = 1
    precision: str = "fp32"
    attention: str = "unfused"
    masks: int | None = None


class Kept(NamedTuple):
    """What one row keeps: tensors by their storage, and bytes of its own: statistics, indices, masks, copies."""

    storages: tuple[Any, ...]
    own: Any


class Keeping(NamedTuple):
    """What all rows keep, and the bytes of each storage."""

    rows: list[Kept]
    sizes: dict[Any, Any]
    widths: list[int]  # bytes of a value of each row's result
    at: list[Any]  # the storage of each row's result
    loss: int | None  # the row of a last softmax, which belongs to the loss

    def bytes(self) -> list[Any]:
        """The bytes of each row: those of its own, and of the storages that no row before it keeps."""
        seen: set = set()
        found = []
        for kept in self.rows:
            new = [key for key in dict.fromkeys(kept.storages) if key not in seen]
            seen.update(new)
            found.append(sum((self.sizes[key] for key in new), kept.own))
        return found


def keeping(walk: Walk, policy: Policy) -> Keeping:
    """What the rows of a whole network keep for the backward pass."""
    return _Keeper(walk.root, policy).found()


def is_rough(row: Row) -> bool:
    """Whether what a row keeps is a lower bound."""
    turned = row.op.name in ("rnn", "gru") and bool(row.options.get("bidirectional"))  # with copies, from batch 2 on
    return turned or row.op.name in _ROUGH


def is_halved(row: Row) -> bool:
    """Whether autocast runs a row with 16 bits."""
    return row.op.name in _HALVED


class _Keeper:
    def __init__(self, walk: Walk, policy: Policy):
        self.walk, self.policy = walk, policy
        self.value = 2 if policy.precision == "bf16" else FLOAT
        self.at: list[Any] = []  # the storage of each row's result; None for parameters and constants
        self.widths: list[int] = []
        self.sizes: dict[Any, Any] = {}
        self.spans: dict[Any, Any] = {}  # storage -> its values

    def found(self) -> Keeping:
        """Every row in order."""
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
        """Give the result of a row its storage and the width of its values."""
        before = [self.width(source) for source in sources]
        self.widths.append(self.made(row, before))
        view = row.op.name in _VIEWS or (row.op.name == "dropout" and _is_zero(row.options.get("rate", 0.5)))
        if row.op.name == "parameter":
            self.at.append(None)
        elif view and sources and sources[0] is not None:
            self.at.append(self.storage(sources[0], row.inputs[0], row.times))
        else:
            self.at.append(number)
            self.store(number, prod(row.layer.shape) * row.times, self.widths[-1])

    def width(self, source: Any) -> int:
        """Bytes of a value of a tensor."""
        return self.widths[source] if type(source) is int else self.value

    def made(self, row: Row, before: list[int]) -> int:
        """Bytes of a value of a row's result."""
        if self.policy.precision != "amp":
            return self.value
        if row.op.name in _HALVED:
            return 2
        return FLOAT if row.op.name in _WIDENED or not before else max(before)

    def store(self, key: Any, values: Any, width: int) -> None:
        self.spans[key] = values
        self.sizes[key] = values * width * self.policy.batch

    def storage(self, source: Any, shape: Any, times: Any) -> Any:
        """The storage of what flows in, None for parameters; that of an input is entered when it is read."""
        if type(source) is str and source not in self.sizes:
            self.store(source, prod(shape) * times, self.value)
        return self.at[source] if type(source) is int else source

    def read(self, row: Row, sources: tuple, which: int) -> tuple[Any, ...]:
        """The storage of an input that is kept, or of its copy where autocast makes one."""
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
        """What a row keeps, whose result needs a gradient."""
        name = row.op.name
        own = _OWN[name](row, self) if name in _OWN else 0
        if name == "rmsnorm":
            return self.rmsnorm(row, sources, need, own)
        if name in ("attention", "attend"):
            return self.attention(number, row, sources, need)
        if name in _FACTORS:
            others = [any(need.inputs[:at] + need.inputs[at + 1 :]) or need.weights for at in range(len(sources))]
            if name == "div":
                others[1] = any(need.inputs)
            return Kept(tuple(k for at, other in enumerate(others) if other for k in self.read(row, sources, at)), own)
        result = (number,) if name in _OUTPUT else ()
        if name in ("linear", "logits"):
            return Kept(self.read(row, sources, 0) if need.weights else (), own)
        if name == "reduce" and row.options.get("method", row.layer.detail.get("method")) == "max":
            return Kept((*self.read(row, sources, 0), number), own)
        if name in _INPUT and not _is_mean(row):
            return Kept((*self.read(row, sources, 0), *result), own)
        return Kept(result, own)

    def rmsnorm(self, row: Row, sources: tuple, need: Need, own: Any) -> Kept:
        """The normalised values for the gradient of the weights; the input and a number a row for that of the input."""
        learned = row.trained and any(row.layer.params.values())
        scaled = _out(row) * self.widths[-1] * self.policy.batch if learned else 0
        if not any(need.inputs):
            return Kept((), scaled)
        return Kept(self.read(row, sources, 0), own + scaled)

    def attention(self, number: int, row: Row, sources: tuple, need: Need) -> Kept:
        """Queries, keys and values, by the policy; probabilities or their row sums; what flows into the projections."""
        policy, batch, width = self.policy, self.policy.batch, self.widths[number]
        kinds = (row.op.name == "attention") and need.weights
        flowing = [key for at in range(len(sources)) for key in self.read(row, sources, at)]
        query, key, value, mixed, pairs, rows = _sizes(row)
        tensors = query + key + value
        if policy.attention == "math":
            tensors = tensors + query + key
        if row.op.name == "attend":
            tensors = query + key if policy.attention == "math" else query * 0
        scores = rows * FLOAT if policy.attention == "fused" else pairs * width
        inner = mixed if row.op.name == "attention" and (kinds or policy.attention == "fused") else 0
        own = ((tensors + inner) * width + scores) * row.times * batch
        if row.op.name == "attend":
            return Kept((*flowing, *((number,) if policy.attention == "fused" else ())), own)
        return Kept(tuple(flowing) if kinds else (), own)


def _sizes(row: Row) -> tuple[Any, ...]:
    """Values of queries, keys, values and mixed values, pairs of all heads, and queries of all heads."""
    *outer, queries, _ = row.inputs[0]
    memory = row.inputs[1] if len(row.inputs) > 1 else row.inputs[0]
    heads, many, keys = row.layer.detail["heads"], prod(outer), memory[-2] + (row.options.get("cache") or 0)
    if row.op.name == "attend":
        query, key, value = (prod(shape) for shape in row.inputs)
        mixed = prod(row.layer.shape)
    else:
        of_queries, of_keys, *_ = (product.macs["mac"] for product in row.layer.products if "mac" in product.macs)
        query = num.floor_div(of_queries, row.inputs[0][-1])
        key = value = 0 if row.options.get("cached") else num.floor_div(of_keys, memory[-1])
        mixed = query
    return query, key, value, mixed, heads * queries * keys * many, heads * queries * many


def _is_zero(rate: Any) -> bool:
    truth = equal(rate, 0)
    return truth if type(truth) is bool else num.domain(truth).decide(truth)


def _is_mean(row: Row) -> bool:
    """Whether a pool is a mean over all, which keeps nothing."""
    if row.op.name == "avgpool":
        return "global_in" in row.layer.terms
    if row.op.name != "adaptive_avgpool":
        return False
    truth = equal(prod(row.layer.shape[:-1]), 1)
    return truth if type(truth) is bool else num.domain(truth).decide(truth)


def _out(row: Row) -> Any:
    return prod(row.layer.shape) * row.times


def _mask(row: Row, keeper: _Keeper) -> Any:
    if _is_zero(row.options.get("rate", 0.5)):
        return 0
    masks = keeper.policy.masks
    return _out(row) * (keeper.widths[-1] if masks is None else masks) * keeper.policy.batch


def _index(row: Row, keeper: _Keeper) -> Any:
    return INDEX * _out(row) * keeper.policy.batch


def _normalized(row: Row, keeper: _Keeper) -> Any:
    """Of a local response norm: squares padded along the channels, and both steps to their power."""
    *space, channels = row.layer.shape
    values = prod(space) * (3 * channels + row.options.get("size", 5) - 1)
    return values * row.times * keeper.widths[-1] * keeper.policy.batch


def _rows(count: int, of: Callable[[Row], Any]) -> Callable[[Row, _Keeper], Any]:
    return lambda row, keeper: count * FLOAT * of(row) * row.times * keeper.policy.batch


def _steps(states: Callable[[Any], Any]) -> Callable[[Row, _Keeper], Any]:
    """What the steps of a recurrent layer keep: values by states, and inputs of later layers."""

    def kept(row: Row, keeper: _Keeper) -> Any:
        options, steps = row.options, row.inputs[0][-2]
        layers, ways = options.get("layers", 1), 2 if options.get("bidirectional") else 1
        wide = ways * options["hidden"]
        values = layers * wide * states(steps) + steps * wide * (layers - 1)
        return values * row.times * keeper.widths[-1] * keeper.policy.batch

    return kept


_OWN: dict[str, Callable[[Row, _Keeper], Any]] = {
    "batchnorm": lambda row, keeper: 2 * FLOAT * row.layer.shape[-1],
    "layernorm": _rows(2, lambda row: prod(row.layer.shape[:-1])),
    "rmsnorm": _rows(1, lambda row: prod(row.layer.shape[:-1])),
    "rnn": _steps(lambda steps: steps + 1),
    "gru": _steps(lambda steps: 7 * steps),
    "groupnorm": _rows(2, lambda row: row.layer.detail["groups"]),
    "instancenorm": _rows(2, lambda row: row.layer.shape[-1]),
    "maxpool": _index,
    "adaptive_maxpool": _index,
    "dropout": _mask,
    "embedding": lambda row, keeper: INDEX * prod(row.inputs[0]) * row.times * keeper.policy.batch,
    "lrn": _normalized,
    "softsign": lambda row, keeper: _out(row) * keeper.widths[-1] * keeper.policy.batch,
}
