"""Find the layer of a spec that causes most of an excess, and the changed line behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import limits
from ..analysis.compare.alignment import aligned
from ..errors import Place
from ..metrics.metrics import totals
from .verdict import Cause, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..analysis.compare.elements import Element
    from ..model.rows import Row
    from .measure import Measured


def cause(verdict: Verdict, now: Measured, base: Measured | None) -> Cause | None:
    """Cause of a failing verdict: the layers that grew since the base, or the largest layers; None if unknown."""
    name = verdict.limit.metric
    if now.is_whole(name):
        return None
    if verdict.layer:
        value = now.layers(name)[verdict.layer]
        before = base.layers(name).get(verdict.layer, 0) if base else 0
        return Cause(_edited(now.row(verdict.layer), now, base), verdict.layer, value - before)
    if base is None:
        largest = max(now.layers(name).items(), key=lambda item: item[1], default=None)
        return Cause(now.row(largest[0]).places[0], f"{largest[0]}, the largest layer", largest[1]) if largest else None
    return _grown(name, now, base)


def _grown(name: str, now: Measured, base: Measured) -> Cause | None:
    """Layers that were changed directly, without those that follow from others; None if there are none.

    Also None for networks that are too large to compare layer by layer.
    """
    if len(now.walk.rows) + len(base.walk.rows) > limits.COMPARED:
        return None
    pairs = [
        (pair, _total(name, now, pair.right) - _total(name, base, pair.left))
        for pair in aligned(base.elements, now.elements)
    ]
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
    return Cause(_edited(element.first, now, base), f"{element.name}{words}{more}", amount)


def _total(name: str, side: Measured, elements: Iterable[Element]) -> int:
    part = side.walk.part([row for element in elements for row in element.rows])
    return totals(part, [side.metric(name)])[name]


def _edited(row: Row, now: Measured, base: Any) -> Place:
    """Place of a layer, or of the nearest edited line: a repeat, a row of a table, a variable.

    If its own file is unchanged, the edit may be in the include that leads to it.
    """
    if base is None or base.model is now.model:
        return row.places[0]
    sources = base.model.source, *base.model.included
    known = {""} | {_bare(line) for source in sources for line in source.text.splitlines()}
    return next(filter(None, (_nearest(place, known) for place in row.places)), row.places[0])


def _nearest(place: Place, known: set[str]) -> Place | None:
    """The place itself if its line is new, else the nearest new line of its file; None if there is none."""
    lines = place.source.text.splitlines()
    edited = [number for number, line in enumerate(lines, 1) if _bare(line) not in known]
    if not edited or place.line in edited:
        return place if edited else None
    number = min(edited, key=lambda number: abs(number - place.line))
    line = lines[number - 1]
    return Place(place.source, number, len(line) - len(line.lstrip()) + 1, len(_bare(line)))


def _bare(line: str) -> str:
    """A line without comment and surrounding blanks."""
    return line.partition(" #")[0].strip() if not line.lstrip().startswith("#") else ""
