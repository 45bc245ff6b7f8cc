"""Which layer of a spec an excess comes from most, and which line of the change it comes from."""

from ..alignment import aligned
from ..errors import Place
from ..metrics import metric
from .verdict import Cause


def cause(verdict, now, base):
    """The Cause of a failing verdict: the layers that grew since the base, or the largest; None if none did."""
    name = verdict.limit.metric
    if verdict.layer:
        value = now.layers(name)[verdict.layer]
        before = base.layers(name).get(verdict.layer, 0) if base else 0
        return Cause(_edited(now.place(verdict.layer), now, base), verdict.layer, value - before)
    if base is None:
        largest = max(now.layers(name).items(), key=lambda item: item[1], default=None)
        return Cause(now.place(largest[0]), f"{largest[0]}, the largest layer", largest[1]) if largest else None
    return _grown(name, now, base)


def _grown(name, now, base):
    """The layers that changed themselves if there are any, and not those that follow from others."""
    of = metric(name, now.convention).of
    pairs = [(pair, _sum(pair.right, of) - _sum(pair.left, of)) for pair in aligned(base.elements, now.elements)]
    sign = -1 if now.total(name) < base.total(name) else 1
    pairs = [(pair, sign * grown) for pair, grown in pairs if pair.right and sign * grown > 0]
    own = [item for item in pairs if item[0].status != "follows"] or pairs
    if not own:
        return None
    pair, _ = max(own, key=lambda item: item[1])
    element = pair.right[0]
    words = "" if pair.status == "follows" else f" {pair.status}"
    more = f" and {len(own) - 1:,} more" if len(own) > 1 else ""
    amount = sign * sum(grown for _, grown in own)
    return Cause(_edited(element.first.place, now, base), f"{element.name}{words}{more}", amount)


def _sum(elements, of):
    return sum(of(row) for element in elements for row in element.rows)


def _edited(place, now, base):
    """The place of a layer, or the edited line of its file that is nearest: a repeat, a row of a table, a variable."""
    if base is None or base.model is now.model:
        return place
    known = {""} | {
        _bare(line) for source in (base.model.source, *base.model.included) for line in source.text.splitlines()
    }
    lines = place.source.text.splitlines()
    edited = [number for number, line in enumerate(lines, 1) if _bare(line) not in known]
    if not edited or place.line in edited:
        return place
    number = min(edited, key=lambda number: abs(number - place.line))
    line = lines[number - 1]
    return Place(place.source, number, len(line) - len(line.lstrip()) + 1, len(_bare(line)))


def _bare(line):
    """A line without what is no part of the design: blanks around it, and a comment."""
    return line.partition(" #")[0].strip() if not line.lstrip().startswith("#") else ""
