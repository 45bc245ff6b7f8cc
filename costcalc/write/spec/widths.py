"""The bits of values as a spec states them: under `defaults:`, on inputs, and on the layers that differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...model.stitching import is_stated
from ...model.storage import BITS, CHANNEL, DEFAULT, Storage, Widths
from ...model.widths import RENAMING
from ...model.wiring import held
from .items import Item

if TYPE_CHECKING:
    from ...model.network import Model
    from ...model.wiring import Graph, Node


def defaults(storage: Storage) -> dict[str, Any]:
    """What `defaults: {bits: ..}` says, where it is not 32 bits of all."""
    found = {name: getattr(storage, name) for name in BITS if getattr(storage, name) != getattr(DEFAULT, name)}
    return {name: "channel" if value == CHANNEL else value for name, value in found.items()}


def state(items: list[Item], model: Model, graph: Graph) -> None:
    """Let the items of a graph state their bits, where these are not those around them."""
    storage = model.storage
    if storage.own:
        own = _Own(model, graph)
        _state(items, own, Widths(storage.weights, storage.activations, storage.bias))


def _state(items: list[Item], own: _Own, outer: Widths) -> None:
    for item in items:
        if 0 <= item.number < len(own.widths):
            item.bits = own.stated_in(item.number, outer)
        inner = item.bits.inside(outer)
        for one in item.lists:
            _state(one, own, inner)
        _state(item.then, own, inner)


class _Own:
    """The widths of each node of a graph; 0 where any would do."""

    def __init__(self, model: Model, graph: Graph) -> None:
        self.storage, self.inputs = model.storage, {name: one.bits for name, one in model.inputs.items()}
        self.stated = is_stated(model)
        self.made: list[int] = []
        self.renaming = {at for at, node in enumerate(graph.nodes) if node.row.op.name in RENAMING}
        self.widths = [self._of(node) for node in graph.nodes]

    def stated_in(self, number: int, outer: Widths) -> Widths:
        """The widths that a layer states: those that are not around it, or not those of the tensor that it renames."""
        own = self.widths[number]
        found = Widths(*(mine if mine != theirs else 0 for mine, theirs in zip(own, outer, strict=True)))
        return found._replace(activations=own.activations) if number in self.renaming else found

    def _of(self, node: Node) -> Widths:
        row, storage = node.row, self.storage
        between = self.stated and node.name != row.name  # it is no step of the model
        if between and held(row):  # a parameter that a step reads
            row = row._replace(bits=row.step.bits)
        source = self._source(node)
        renames = row.op.name in RENAMING
        passes = renames or between
        stated = row.bits.activations if between or not renames else row.step.bits.activations
        made = stated or (source if passes and source else storage.activations)
        self.made.append(made)
        kinds = {kind for kind, count in held(row).items() if count}
        others = row.bits.bias or storage.bias or row.bits.weights or storage.weights if kinds - {"weight"} else 0
        weights = row.bits.weights or storage.weights if kinds or row.layer.params or row.layer.products else 0
        return Widths(weights, 0 if renames and made == source else made, self._bias(others, weights))

    def _bias(self, others: int, weights: int) -> int:
        """The bits of other numbers; 0 where they are those of the weights and nothing else holds."""
        return 0 if others == weights and not self.storage.bias else others

    def _source(self, node: Node) -> int:
        source: Any = next(iter(node.sources), None)
        if type(source) is int:
            return self.made[source] if source < len(self.made) else 0
        return self.inputs.get(source, 0) or self.storage.activations


def shapes(model: Model, written: Mapping[str, Any]) -> dict[str, Any]:
    """The shapes of inputs as they are written, with the bits of those that state them."""
    bits = dict(zip(written, (one.bits if model.storage.own else 0 for one in model.inputs.values()), strict=True))
    return {name: _shape(one, bits[name]) for name, one in written.items()}


def _shape(shape: Any, bits: int) -> Any:
    if not bits:
        return shape
    return {**shape, "bits": bits} if isinstance(shape, dict) else {"shape": shape, "bits": bits}
