"""The bits of values: of the tensor that each layer makes, of what it multiplies, and of the numbers that it holds.

A layer states them or not (`Row.bits`); those of the network hold where it does not. A tensor has the width that the
layer which makes it states, itself or by the group it stands in; what only renames values keeps that of what it reads,
unless it states another itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import num
from ..errors import OptionError, Problem
from .rows import Row
from .storage import CHANNEL, Storage

RENAMING = ("reshape", "flatten", "identity", "dropout", "tokens", "grid")
_UNHELD = ("matmul", "attend", "einsum")  # products of tensors, where they have no weights
_OUTPUTS = ("conv", "dwconv", "conv_transpose", "linear")  # whose weights belong to one channel of the result each


class Tensors:
    """The bits of a value of each tensor; `inputs` are those of the network's inputs that state them."""

    def __init__(self, rows: Sequence[Row], storage: Storage, inputs: Mapping[str, int]) -> None:
        self.storage, self.inputs = storage, inputs if storage.own else {}
        self.made: list[int] = []
        for row in rows:
            self.made.append(self._stated(row) or self._kept(row))

    def of(self, made: Any) -> int:
        """The bits of what a row makes, of an input by name, or of a constant."""
        return self.made[made] if type(made) is int else self.inputs.get(made, self.storage.activations)

    def _stated(self, row: Row) -> int:
        stated = row.step.bits if row.op.name in RENAMING else row.bits
        return stated.activations if self.storage.own else 0

    def _kept(self, row: Row) -> int:
        return self.of(row.sources[0]) if row.sources and row.op.name in RENAMING else self.storage.activations


def of_products(rows: Sequence[Row], storage: Storage, tensors: Tensors) -> list[tuple[int, int]]:
    """For each row, the bits of both factors of its products: of weights, or of the other tensor; and of activations.

    Products of tensors without weights have the widths of the first and the last of them.
    """
    found = []
    for row in rows:
        reads = [tensors.of(made) for made in row.sources] or [storage.activations]
        weights = row.bits.weights if storage.own else 0
        found.append((reads[-1] if _is_unheld(row) else weights or storage.weights, reads[0]))
    return _with_ends(found, rows, storage)


def _with_ends(found: list[tuple[int, int]], rows: Sequence[Row], storage: Storage) -> list[tuple[int, int]]:
    """The widths with those of the first and last layer with weights, which hold where these state none."""
    if storage.first or storage.last:
        weighted = [number for number, row in enumerate(rows) if "weight" in row.layer.params]
        for at, bits in ((0, storage.first), (-1, storage.last)):
            if bits and weighted and not (storage.own and rows[weighted[at]].bits.weights):
                found[weighted[at]] = bits, bits
    return found


def _is_unheld(row: Row) -> bool:
    shares = row.shared is not None or row.table is not None
    return row.op.name in _UNHELD and not shares and not row.layer.params.get("weight", 0)


def held_bytes(storage: Storage, row: Row, bits: int, params: Mapping[str, Any]) -> Any:
    """The bytes of numbers of a row by kind, its weights of so many bits: with scales and wide biases where counted."""
    weights = params.get("weight", 0)
    others = num.added([count for kind, count in params.items() if kind != "weight"]) if len(params) > 1 else 0
    others = others if "weight" in params or not params else num.added(list(params.values()))
    bias = (row.bits.bias if storage.own else 0) or storage.bias
    if not (bias or storage.scale or storage.zero):
        return storage.bytes(num.added([weights, others]), bits)
    scales = _scales(storage, row, weights) * (storage.scale + storage.zero)
    return storage.bytes(num.added([weights * bits, others * (bias or bits), scales]), 1)


def _scales(storage: Storage, row: Row, weights: Any) -> Any:
    """How many scales the weights of a row have. Raises OptionError where that is not known."""
    if type(weights) is int and not weights:
        return 0
    if storage.group == CHANNEL:
        if row.op.name not in _OUTPUTS:
            help = "write group=128 for one scale per 128 weights, or leave out `group` for one per layer"
            message = f"the weights of `{row.op.name}` have no channels: `group=channel` does not apply to them"
            raise OptionError(Problem("bad-value", message, help=help))
        return row.layer.shape[-1]
    return num.ceil_div(weights, storage.group) if storage.group else 1
