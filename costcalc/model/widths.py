"""Bit widths: of each layer's output, of the factors of its products, and of its parameters.

A layer may state widths (`Row.bits`); otherwise those of the network apply. A tensor has the width stated by the layer
that makes it, or by a group around that layer. An operation that only renames values keeps the width of its input,
unless it states another one itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import num
from ..errors import OptionError, Problem
from .rows import Row
from .storage import CHANNEL, Storage

RENAMING = ("reshape", "flatten", "identity", "dropout", "tokens", "grid")
_UNHELD = ("matmul", "attend", "einsum")  # products of two tensors, unless they have weights
_OUTPUTS = ("conv", "dwconv", "conv_transpose", "linear")  # each weight belongs to one output channel


class Tensors:
    """The bits of a value of each tensor; `inputs` holds the widths that the network's inputs state."""

    def __init__(self, rows: Sequence[Row], storage: Storage, inputs: Mapping[str, int]) -> None:
        self.storage, self.inputs = storage, inputs if storage.own else {}
        self.made: list[int] = []
        for row in rows:
            self.made.append(self._stated(row) or self._kept(row))

    def of(self, made: Any) -> int:
        """The bits of a row's output, of an input by name, or of a constant."""
        return self.made[made] if type(made) is int else self.inputs.get(made, self.storage.activations)

    def _stated(self, row: Row) -> int:
        stated = row.step.bits if row.op.name in RENAMING else row.bits
        return stated.activations if self.storage.own else 0

    def _kept(self, row: Row) -> int:
        return self.of(row.sources[0]) if row.sources and row.op.name in RENAMING else self.storage.activations


def of_products(rows: Sequence[Row], storage: Storage, tensors: Tensors) -> list[tuple[int, int]]:
    """For each row, the bits of both factors of its products: (weights or second tensor, activations).

    A product of tensors without weights has the widths of the last and the first tensor.
    """
    widths = []
    for row in rows:
        reads = [tensors.of(made) for made in row.sources] or [storage.activations]
        weights = row.bits.weights if storage.own else 0
        widths.append((reads[-1] if _is_unheld(row) else weights or storage.weights, reads[0]))
    return _with_ends(widths, rows, storage)


def _with_ends(found: list[tuple[int, int]], rows: Sequence[Row], storage: Storage) -> list[tuple[int, int]]:
    """Apply the widths for the first and last layer with weights, unless those layers state their own."""
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
    """The bytes of a row's parameters at `bits` per weight, with the scales and bias widths of the policy."""
    weights = params.get("weight", 0)
    others = num.added([count for kind, count in params.items() if kind != "weight"]) if len(params) > 1 else 0
    others = others if "weight" in params or not params else num.added(list(params.values()))
    bias = (row.bits.bias if storage.own else 0) or storage.bias
    if not (bias or storage.scale or storage.zero):
        return storage.bytes(num.added([weights, others]), bits)
    scales = _scales(storage, row, weights) * (storage.scale + storage.zero)
    return storage.bytes(num.added([weights * bits, others * (bias or bits), scales]), 1)


def _scales(storage: Storage, row: Row, weights: Any) -> Any:
    """The number of scales of a row's weights. Raises OptionError if it is undefined."""
    if type(weights) is int and not weights:
        return 0
    if storage.group == CHANNEL:
        if row.op.name not in _OUTPUTS:
            help = "write group=128 for one scale per 128 weights, or leave out `group` for one per layer"
            message = f"the weights of `{row.op.name}` have no channels: `group=channel` does not apply to them"
            raise OptionError(Problem("bad-value", message, help=help))
        return row.layer.shape[-1]
    return num.ceil_div(weights, storage.group) if storage.group else 1
