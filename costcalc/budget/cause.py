"""Which layer of a spec an excess comes from most."""

from ..alignment import aligned
from ..metrics import metric
from .verdict import Cause


def cause(verdict, now, base):
    """The Cause of a failing verdict: the layer that grew most since the base, or the largest; None if none did."""
    name = verdict.limit.metric
    if verdict.layer:
        value = now.layers(name)[verdict.layer]
        before = base.layers(name).get(verdict.layer, 0) if base else 0
        return Cause(now.place(verdict.layer), verdict.layer, value - before)
    if base is None:
        largest = max(now.layers(name).items(), key=lambda item: item[1], default=None)
        return Cause(now.place(largest[0]), f"{largest[0]}, the largest layer", largest[1]) if largest else None
    return _grown(name, now, base)


def _grown(name, now, base):
    of = metric(name, now.convention).of
    pairs = [(pair, _sum(pair.right, of) - _sum(pair.left, of)) for pair in aligned(base.elements, now.elements)]
    sign = -1 if now.total(name) < base.total(name) else 1
    pairs = [(pair, sign * grown) for pair, grown in pairs if pair.right and sign * grown > 0]
    own = [item for item in pairs if item[0].status != "follows"] or pairs
    if not own:
        return None
    pair, grown = max(own, key=lambda item: item[1])
    element = pair.right[0]
    words = "" if pair.status == "follows" else f" {pair.status}"
    return Cause(element.first.place, f"{element.name}{words}", sign * grown)


def _sum(elements, of):
    return sum(of(row) for element in elements for row in element.rows)
