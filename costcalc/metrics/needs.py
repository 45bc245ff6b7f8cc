"""Which tensors of a network need a gradient: those behind a trained parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..model.holding import holder_of
from ..records import NamedTuple
from .pricing import TRAINABLE

if TYPE_CHECKING:
    from ..model.rows import Row
    from ..ops.base import Layer

_WEIGHTED = frozenset(
    (
        *("conv", "dwconv", "conv_transpose", "linear", "bilinear", "attention", "rnn", "lstm", "gru", "embedding"),
        *("logits", "moe", "latent_attention", "sparse_conv"),
    )
)


class Need(NamedTuple):
    """What of one row needs a gradient."""

    inputs: tuple[bool, ...]
    weights: bool  # those that it multiplies with, its own or another layer's
    output: bool


def needs(rows: Sequence[Row]) -> list[Need]:
    """The Need of each row of a walk."""
    found: list[Need] = []
    for number, row in enumerate(rows):
        own = row.trained and any(not _is_nothing(row.layer.params.get(kind, 0)) for kind in TRAINABLE)
        weighted = is_weighted(row.op.name, row.layer)
        weights = weighted and row.trained and _holder(rows, number).trained
        learned = own and not weighted  # the constants that it reads are parameters then
        inputs = tuple(learned if one is None else type(one) is int and found[one].output for one in row.sources)
        found.append(Need(inputs, weights, own or weights or any(inputs)))
    return found


def _holder(rows: Sequence[Row], number: int) -> Row:
    """The row whose weights a row reads."""
    table = rows[number].table
    return rows[holder_of(rows, number) if table is None else table]


def is_weighted(op: str, layer: Layer) -> bool:
    """Whether a layer multiplies with weights, its own or those of another layer."""
    return op in _WEIGHTED or (op == "opaque" and "weight" in layer.params)


def _is_nothing(count: Any) -> bool:
    return type(count) is int and not count
