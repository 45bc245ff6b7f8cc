"""Memory of tensors and memory traffic in bytes, and bit operations in three published definitions."""

from __future__ import annotations

import math
from typing import Any

from .. import num
from ..model.lives import Lives
from ..model.planning import arena
from ..model.rows import Row
from ..model.traffic import traffic
from ..model.widths import held_bytes
from .pricing import MAC, Convention, price_of, total
from .walk import Walk


def peak(walk: Walk, priced: Convention) -> list[Any]:
    """For each row, the bytes of the tensors needed while it runs."""
    return walk.chosen(walk.lives.live)


def floor(walk: Walk, priced: Convention) -> list[Any]:
    """For each row, the bytes of the tensors it reads and writes and of its workspace."""
    return walk.chosen(walk.lives.floors)


def moved(walk: Walk, priced: Convention) -> list[Any]:
    """For each row, the bytes that it reads and writes."""
    return walk.chosen(traffic(walk.lives))


def arena_of(walk: Walk, priced: Convention) -> Any:
    """The bytes that the planner needs for all tensors of a walk."""
    return arena_bytes(walk.lives)


def arena_bytes(lives: Lives) -> Any:
    """The bytes that the planner needs, including workspaces."""
    ends, sizes = spans(lives)
    return num.largest([num.by_point(lambda *values: arena(ends, values), sizes)])


def spans(lives: Lives) -> tuple[list[tuple[int, int]], list[Any]]:
    """((first, last) rows, sizes) of all buffers, then of all non-empty workspaces."""
    ends = [(buffer.first, lives.end(buffer)) for buffer in lives.buffers]
    sizes = [buffer.size for buffer in lives.buffers]
    for number, size in enumerate(lives.workspace):
        if type(size) is not int or size:
            ends.append((number, number))
            sizes.append(size)
    return ends, sizes


BINARY = 64  # binary products per operation (Liu et al. 2018, arXiv:1808.00278)


def _macs(walk: Walk) -> list[Any]:
    return walk.each(lambda row: total(MAC, row.op.name, row.layer.terms) * row.times)


def weights_bytes(walk: Walk, priced: Convention) -> list[Any]:
    """For each row, the bytes of the parameters that a convention counts, at their widths, with quantization scales."""
    return [
        held_bytes(walk.model.storage, row, bits, {} if row.shared is not None else _counted(row, priced))
        for row, (bits, _) in zip(walk.rows, walk.bits, strict=True)
    ]


def _counted(row: Row, priced: Convention) -> dict[str, Any]:
    """The parameters of a row by kind, multiplied by their price in a convention."""
    prices = {kind: price_of(priced.params, row.op.name, kind) for kind in row.layer.params}
    return {kind: count * prices[kind] for kind, count in row.layer.params.items() if prices[kind]}


def bops(walk: Walk, priced: Convention) -> list[Any]:
    """Mult-adds times the widths of weights and activations (HAWQ-V3, arXiv:2011.10680)."""
    return [mac * (w * a) for mac, (w, a) in zip(_macs(walk), walk.bits, strict=True)]


def ops_bnn(walk: Walk, priced: Convention) -> list[Any]:
    """Mult-adds; 64 binary ones count as one operation."""
    pairs = zip(_macs(walk), walk.bits, strict=True)
    return [num.ceil_div(mac, BINARY) if bits == (1, 1) else mac for mac, bits in pairs]


def bops_full(walk: Walk, priced: Convention) -> list[Any]:
    """Mult-adds times (w*a + w + a + log2 of the products per output), rounded per layer."""
    return _by_products(walk, _full)


def accumulator_bits(walk: Walk, priced: Convention) -> list[Any]:
    """The bits needed for the sum of all products of an output."""
    return _by_products(walk, _accumulator)


def _by_products(walk: Walk, function: Any) -> list[Any]:
    outputs = walk.each(lambda row: num.prod(row.layer.shape) * row.times)
    amounts = []
    for mac, count, widths in zip(_macs(walk), outputs, walk.bits, strict=True):
        amounts.append(num.by_point(lambda m, n, widths=widths: function(m, n, *widths) if m else 0, [mac, count]))
    return amounts


def _full(mac: int, outputs: int, w: int, a: int) -> int:
    return mac * (w * a + w + a) + round(mac * math.log2(mac / outputs))


def _accumulator(mac: int, outputs: int, w: int, a: int) -> int:
    return w + a + (-(-mac // outputs) - 1).bit_length()
