"""The quantities and kinds of number that a convention can price, and the operations that state them.

Loaded to show or read a price list; pricing itself does not need it.
"""

from __future__ import annotations

from typing import Any

from ..ops import INDEX
from ..records import NamedTuple

_CONVOLUTIONS = ("conv", "dwconv", "conv_transpose")
_LANGUAGE = ("logits", "moe", "latent_attention")
_PRODUCTS = (*_CONVOLUTIONS, "linear", "bilinear", "attention", "rnn", "lstm", "gru", *_LANGUAGE, "sparse_conv")
_SELF = ("attention", "latent_attention")
_ATTEND = ("attention", "attend", "latent_attention")
_RECURRENT = ("rnn", "lstm", "gru")
_NORMS = ("batchnorm", "layernorm", "groupnorm", "instancenorm", "rmsnorm")
_JOINS = ("add", "sub", "mul", "div", "dropout", "identity")
_POOLS = ("maxpool", "avgpool", "lppool")
_FUNCTIONS = tuple(name for name, module in INDEX.items() if module == "pointwise" and name not in _JOINS)
_MOVES = tuple(name for name, module in INDEX.items() if module == "layout" and name != "upsample")


class Term(NamedTuple):
    """A quantity or a kind of number: its name, what it counts, and the operations that state it."""

    name: str
    what: str
    operations: tuple[str, ...]


def _by_name(*terms: Term) -> dict[str, Term]:
    return {term.name: term for term in terms}


TERMS = _by_name(
    Term("mac", "multiply-adds with weights, and of matrix products", (*_PRODUCTS, "matmul", "einsum", "opaque")),
    Term("mac_attention", "multiply-adds of queries with keys, and of weights with values", _ATTEND),
    Term("mac_masked", "multiply-adds under a causal mask, whose result is thrown away", _ATTEND),
    Term("mac_on_output", "kernel times output positions, as of a plain convolution", ("conv_transpose",)),
    Term("bias", "additions of a bias", _PRODUCTS),
    Term("scale", "queries scaled by the root of their length", _ATTEND),
    Term("rotate", "values of queries and keys turned by their position", _SELF),
    Term("softmax", "pairs of query and key that a softmax weighs", _ATTEND),
    Term("scan", "values of the state of a selective scan, at every step", ("selective_scan",)),
    Term("activate", "values through an activation or another function", (*_FUNCTIONS, *_RECURRENT, "moe")),
    Term("softmax_rows", "rows that a softmax sums up", ("softmax", "log_softmax")),
    Term("states", "hidden values, at every step", _RECURRENT),
    Term("normalize", "values normalised", (*_NORMS, "lrn", *_SELF)),
    Term("affine", "values scaled or shifted after that", (*_NORMS, *_SELF)),
    Term("normalize_rows", "rows with a mean of their own", ("layernorm",)),
    Term("pool_in", "values that a pool with windows gets", _POOLS),
    Term("pool_out", "values that a pool with windows gives", _POOLS),
    Term("global_in", "values that a global pool gets", _POOLS),
    Term("global_out", "values that a global pool gives", _POOLS),
    Term("adaptive_in", "values that an adaptive pool gets", ("adaptive_avgpool", "adaptive_maxpool")),
    Term("adaptive_out", "values that an adaptive pool gives", ("adaptive_avgpool", "adaptive_maxpool")),
    Term("compare", "values that the windows of a maximum pool see", ("maxpool",)),
    Term("average", "values that the windows of an average pool see", ("avgpool",)),
    Term("power", "values that the windows of a power pool see", ("lppool",)),
    Term("reduce_mean", "values that a mean along an axis gets", ("reduce",)),
    Term("reduce_sum", "values that a sum along an axis gets", ("reduce", "einsum")),
    Term("reduce_max", "values that a maximum along an axis gets", ("reduce",)),
    Term("reduce_mean_out", "values that a mean along an axis gives", ("reduce",)),
    Term("reduce_sum_out", "values that a sum along an axis gives", ("reduce", "einsum")),
    Term("reduce_max_out", "values that a maximum along an axis gives", ("reduce",)),
    Term("add", "additions and differences of tensors", ("add", "sub", "attention", "moe", "selective_scan")),
    Term(
        "multiply", "products of tensors, value by value", ("mul", "glu", "einsum", "bilinear", "moe", "selective_scan")
    ),
    Term("divide", "quotients of tensors, value by value", ("div",)),
    Term("interpolate_nearest", "values copied into a larger grid", ("upsample",)),
    Term("interpolate_bilinear", "values interpolated into a larger grid", ("upsample",)),
    Term("interpolate_in", "values of the grid that is enlarged", ("upsample",)),
    Term("lookup", "values looked up in a table", ("embedding",)),
    Term("move", "values moved, joined or cut", _MOVES),
)
NUMBERS = _by_name(
    Term("weight", "weights", (*_PRODUCTS, "embedding", "parameter", "opaque", "selective_scan")),
    Term("bias", "biases", (*_PRODUCTS, "parameter")),
    Term("gamma", "scales of normalisations", (*_NORMS, *_SELF, "parameter")),
    Term("beta", "shifts of normalisations", (*_NORMS, "parameter")),
    Term("slope", "slopes of a PReLU", ("prelu", "parameter")),
    Term("running", "means and variances that batch norm keeps, which are not trained", ("batchnorm", "parameter")),
)

GRADIENTS = _by_name(
    Term("ungrouped", "weight gradients of convolutions, what they cost more without groups", _CONVOLUTIONS),
)
SECTIONS = {"prices": TERMS, "numbers": NUMBERS, "params": NUMBERS, "gradients": GRADIENTS}  # of a price list


def meaning(part: str, key: Any) -> Any:
    """What a key of a price list prices. `part` is `prices`, `numbers`, `params` or `gradients`."""
    operation, dot, name = key.rpartition(".")
    return SECTIONS[part][name].what + (f", in `{operation}`" if dot else "")
