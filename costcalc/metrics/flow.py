"""Which tensors of a network need a gradient: those behind a trained parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..model.holding import holder_of
from ..model.scope import Source
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


class Flow(NamedTuple):
    """Of each row: where its inputs come from, and what of it needs a gradient."""

    sources: Sequence[tuple[Source, ...]]
    needs: Sequence[Need]


def flow(rows: Sequence[Row]) -> Flow:
    """The Flow of all rows of a walk."""
    holders = [holder_of(rows, number) if row.table is None else row.table for number, row in enumerate(rows)]
    sources = [row.sources for row in rows]
    return Flow(sources, _needs(rows, sources, holders))


def is_weighted(op: str, layer: Layer) -> bool:
    """Whether a layer multiplies with weights, its own or those of another layer."""
    return op in _WEIGHTED or (op == "opaque" and "weight" in layer.params)


def _needs(rows: Sequence[Row], sources: Sequence[tuple[Source, ...]], holders: Sequence[int]) -> list[Need]:
    found: list[Need] = []
    for row, froms, holder in zip(rows, sources, holders, strict=True):
        own = row.trained and any(not _is_nothing(row.layer.params.get(kind, 0)) for kind in TRAINABLE)
        weighted = is_weighted(row.op.name, row.layer)
        weights = weighted and row.trained and rows[holder].trained
        learned = own and not weighted  # the constants that it reads are parameters then
        inputs = tuple(learned if one is None else type(one) is int and found[one].output for one in froms)
        found.append(Need(inputs, weights, own or weights or any(inputs)))
    return found


def _is_nothing(count: Any) -> bool:
    return type(count) is int and not count
