"""Mult-adds of the backward pass, and which tensors need a gradient: those that depend on a trained parameter.

Each operand of a product that needs a gradient costs as much as the product itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..model.holding import holder_of
from ..ops.base import WEIGHT, Layer, Product
from ..records import NamedTuple
from .pricing import MAC, TRAINABLE, Convention, price_of

if TYPE_CHECKING:
    from ..model.rows import Row
    from .walk import Walk

_WEIGHTED = frozenset(
    (
        *("conv", "dwconv", "conv_transpose", "linear", "bilinear", "attention", "rnn", "lstm", "gru", "embedding"),
        *("logits", "moe", "latent_attention", "sparse_conv"),
    )
)


class Need(NamedTuple):
    """Which tensors of a row need a gradient."""

    inputs: tuple[bool, ...]
    weights: bool  # the weights it multiplies with, its own or another layer's
    output: bool


def needs(rows: Sequence[Row]) -> list[Need]:
    """The Need of each row of a walk."""
    found: list[Need] = []
    for number, row in enumerate(rows):
        own = row.trained and any(not _is_nothing(row.layer.params.get(kind, 0)) for kind in TRAINABLE)
        weighted = is_weighted(row.op.name, row.layer)
        weights = weighted and row.trained and _holder(rows, number).trained
        learned = own and not weighted  # then the constants that it reads are parameters
        inputs = tuple(
            learned if source is None else type(source) is int and found[source].output for source in row.sources
        )
        found.append(Need(inputs, weights, own or weights or any(inputs)))
    return found


def _holder(rows: Sequence[Row], number: int) -> Row:
    """The row whose weights a row reads."""
    table = rows[number].table
    return rows[holder_of(rows, number) if table is None else table]


def is_weighted(op: str, layer: Layer) -> bool:
    """Whether a layer multiplies with weights, its own or another layer's."""
    return op in _WEIGHTED or (op == "opaque" and "weight" in layer.params)


def _is_nothing(count: Any) -> bool:
    return type(count) is int and not count


_CONVOLUTIONS = ("conv", "dwconv", "conv_transpose")


class Gradient(NamedTuple):
    """The mult-adds of the backward pass of one row, by quantity: mac, mac_attention, mac_masked.

    inputs     for the gradients of inputs and of tensors between the products of the row
    weights    for the gradients of weights
    ungrouped  extra cost of the weight gradients if the groups of a convolution are ignored
    """

    inputs: dict[str, Any]
    weights: dict[str, Any]
    ungrouped: Any = 0


def gradients(walk: Walk) -> list[Gradient]:
    """The Gradient of each row of a walk."""
    whole = walk.root
    known: dict = {}
    amounts = []
    for row, need in zip(whole.rows, whole.needs, strict=True):
        key = id(row.layer), need, row.times if type(row.times) is int else id(row.times)
        if key not in known:
            known[key] = gradient(row.op.name, row.layer, need, row.times)
        amounts.append(known[key])
    return walk.chosen(amounts)


def gradient(op: str, layer: Layer, need: Need, times: Any = 1) -> Gradient:
    """The Gradient of a layer for `times` runs."""
    needed: dict[int | str, bool] = {**dict(enumerate(need.inputs)), WEIGHT: need.weights}
    inputs: dict[str, Any] = {}
    weights: dict[str, Any] = {}
    for product in products(op, layer, len(need.inputs)):
        wanted = [operand for operand in product.operands if needed.get(operand)]
        for operand in wanted:
            side = weights if operand == WEIGHT else inputs
            for quantity, count in product.macs.items():
                side[quantity] = side.get(quantity, 0) + count * times
        needed[product.result] = bool(wanted)
    return Gradient(inputs, weights, _ungrouped(op, layer, weights))


def products(op: str, layer: Layer, inputs: int) -> tuple[Product, ...]:
    """The products of a layer: as stated by its rule, else a single product of all inputs and the weights."""
    macs = {quantity: layer.terms[quantity] for quantity in MAC if quantity in layer.terms}
    if layer.products or not macs:
        return layer.products
    return (Product(macs, (*range(inputs), *((WEIGHT,) if is_weighted(op, layer) else ()))),)


def is_rough(row: Row) -> bool:
    """Whether the mult-adds of a row are known but not its products."""
    return row.op.name == "opaque" and "mac" in row.layer.terms


def _ungrouped(op: str, layer: Layer, weights: dict[str, Any]) -> Any:
    return weights["mac"] * (layer.detail["groups"] - 1) if op in _CONVOLUTIONS and "mac" in weights else 0


def cost(row: Row, found: Gradient, priced: Convention, side: str = "") -> Any:
    """The mult-adds (or FLOPs) of a Gradient under a price list, for `inputs`, `weights`, or both."""
    sides = (found.inputs, found.weights) if not side else (getattr(found, side),)
    total: Any = 0
    for quantities in sides:
        for quantity, count in quantities.items():
            total = total + price_of(priced.prices, row.op.name, quantity) * count
    return total if side == "inputs" else total + priced.gradients.get("ungrouped", 0) * found.ungrouped
