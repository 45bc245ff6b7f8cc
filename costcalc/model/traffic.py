"""Memory traffic of each row: its weights once per use, each input once and its output once, without a cache.

Rows that a policy merges into the preceding layer move no data: a folded norm, an in-place activation, a view, an
operand of a concatenation that is written directly into the result, the choice of a branch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import num
from ..ops.inner import INSIDE, cached, inside
from .lives import Lives
from .rows import Row
from .sharing import copies
from .widths import held_bytes
from .wiring import counted


def traffic(lives: Lives) -> list[Any]:
    """The bytes that each row reads and writes."""
    return [_moved(lives, number, row) for number, row in enumerate(lives.walked.rows)]


def _moved(lives: Lives, number: int, row: Row) -> Any:
    storage, sharer = lives.storage, lives.sharer
    uses = row.times if storage.times == "serial" else 1
    held = held_bytes(storage, row, lives.products[number][0], _weights(lives, number, row)) * uses
    if type(row.times) is int and row.times == 0:
        return 0
    if row.op.name == "one_of" or sharer.renames(row, number) or not (row.inputs or row.op.takes_input):
        return 0
    if number in sharer.merged:
        return held
    operands = dict.fromkeys(made for made in row.sources if made is not None)
    if row.op.name == "concat":
        kept = [sharer.size(made) for made in operands if (number, made) not in sharer.absorbed]
        return num.added([held, *kept, *kept])
    values = _inner(row, storage.attention == "fused")
    more = [] if values is None else [storage.bytes(values * copies(row, storage), sharer.bits.of(number))]
    return num.added([held, *map(sharer.size, operands), sharer.size(number), *more])


def _weights(lives: Lives, number: int, row: Row) -> Mapping[str, Any]:
    """The parameters that a row reads, by kind."""
    if row.op.name == "embedding":
        return {"weight": num.prod(row.layer.shape)}
    params = counted(row) if row.shared is not None else row.layer.params
    if number in lives.sharer.merged and row.op.name == "batchnorm":
        before = lives.walked.rows[row.sources[0]]  # type: ignore[index]  # it is merged with a row
        return {"bias": row.layer.shape[-1]} if _is_none(before.layer.params.get("bias", 0)) else {}
    return params


def _is_none(count: Any) -> bool:
    return type(count) is int and count == 0


def _inner(row: Row, fused: bool) -> Any:
    """Values that attention reads and writes internally.

    Scores count four times (the softmax reads and writes them too), projections twice, cached values once.
    """
    if row.op.name not in INSIDE:
        return None
    once = inside(row.op.name, row.inputs, row.options, True)
    scores = 0 if fused else inside(row.op.name, row.inputs, row.options, False) - once
    return 2 * once + 4 * scores - cached(row.op.name, row.inputs, row.options)
