"""Page of the gap between two counts, by part or by layer; or of the explanations of a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...metrics.metrics import METRICS, is_bound, metric
from ...render.sheet import Column, Sheet
from ...render.text import printable
from ..report.columns import setting, shipped
from ..report.document import document

if TYPE_CHECKING:
    from ...metrics.pricing import Convention
    from .reconcile import Part, Reconciliation


def figure_of(convention: Convention, metric: str) -> str:
    """Title of the metric of a total: `mult-adds`, `FLOPs` or `params`."""
    return METRICS["params" if metric == "params" else convention.cost].title


def signed(value: int) -> str:
    """`+20,223,951`."""
    return f"{value:+,}"


def meaning(found: Reconciliation) -> str:
    """Input and variables of the figures."""
    of = shipped(found.model), setting(found.report.inputs, found.report.values)
    return "; ".join(filter(None, (*of, f"costcalc {__version__}")))


def caveats(found: Reconciliation, conventions: Any) -> Iterator[Any]:
    """Costs that neither total includes, and figures that a program prints differently or not at all."""
    metrics = [metric("params" if found.metric == "params" else one.cost, one) for one in conventions]
    if not found.report.complete or any(is_bound(row, metrics) for row in found.report.trace.rows):
        yield "the cost of some layers is unknown: the totals are lower bounds"
    for one in conventions:
        yield from (f"{one.name}: {note}" for note in one.notes)
        for difference in one.differences:
            figure = "params" if found.metric == "params" else one.cost
            if difference.figure == figure and found.model.name in difference.of:
                yield f"{one.name} prints a different number for {found.model.name}: {difference.reason}"


def parts_sheet(parts: tuple[Part, ...], gap: int) -> Sheet:
    """Sheet of the parts and their sum."""
    priced = (Column("quantity", True, "quantity", 2), Column("price", True, "price", 1))
    columns = (Column("part"), Column("difference", True), *priced, Column("of what", folds=True))
    sheet = Sheet(columns, [_cells(part) for part in parts], ("gap", signed(gap), "", "", ""))
    return sheet if any(part.prices for part in parts) else sheet.without({2, 3})


def _cells(part: Part) -> tuple[str, str, str, str, str]:
    quantity = "" if part.quantity is None else f"{part.quantity:,}"
    price = "" if part.prices is None else f"{part.prices[0]} -> {part.prices[1]}"
    return part.name, signed(part.value), quantity, price, part.what


def part_record(part: Part) -> dict[str, Any]:
    """One part as a record."""
    left, right = part.prices or (None, None)
    return {
        "part": part.name,
        "difference": part.value,
        "quantity": part.quantity,
        "price_before": left,
        "price_after": right,
        "what": part.what,
        "why": part.why,
    }


class GapPage:
    """Two conventions: the parts of their gap, or the layers that they count differently."""

    title = "costcalc reconcile"

    def __init__(self, found: Reconciliation, by: str = "term", top: Any = None) -> None:
        self.found, self.by = found, by
        self.layers = found.layers[:top]
        self.titles = [(one.name, figure_of(one, found.metric)) for one in (found.left, found.right)]

    def heads(self) -> list[str]:
        """Both totals and the gap."""
        found = self.found
        pairs = zip(self.titles, found.totals, strict=True)
        lines = [f"{printable(name)}: {total:,} {figure}" for (name, figure), total in pairs]
        if not found.parts:
            return [*lines, "nothing to explain: every layer counts the same"]
        share = f" ({100 * found.gap / found.totals[0]:+.3g} %)" if found.totals[0] else ""
        return [*lines, f"gap: {signed(found.gap)}{share}"]

    def sheets(self) -> list[Sheet]:
        """The parts, or the layers."""
        if not self.found.parts:
            return []
        return [self._layers() if self.by == "layer" else parts_sheet(self.found.parts, self.found.gap)]

    def _layers(self) -> Any:
        columns = (
            Column("layer", folds=True),
            Column("type", False, "type", 1),
            Column(printable(self.titles[0][0]), True),
            Column(printable(self.titles[1][0]), True),
            Column("difference", True),
            Column("because of", folds=True),
        )
        rows = [
            (printable(one.name), one.type, f"{one.left:,}", f"{one.right:,}", signed(one.right - one.left), because)
            for one in self.layers
            for because in [", ".join(one.parts)]
        ]
        left, right = (sum(getattr(one, side) for one in self.layers) for side in ("left", "right"))
        return Sheet(columns, rows, ("sum of these", "", f"{left:,}", f"{right:,}", signed(right - left), ""))

    def notes(self) -> list[str]:
        """What the programs do, their known differences, and the meaning of the figures."""
        why = dict.fromkeys(text for part in self.found.parts for text in part.why.split("; ") if text)
        titles = (f"{printable(one.name)}: {printable(one.title)}" for one in self._conventions())
        hidden = len(self.found.layers) - len(self.layers) if self.by == "layer" else 0
        more = [f"{hidden:,} more layer{' is' if hidden == 1 else 's are'} not shown (--top {len(self.layers)})"]
        return [
            *(more if hidden else []),
            *why,
            *caveats(self.found, self._conventions()),
            *titles,
            meaning(self.found),
        ]

    def _conventions(self) -> tuple[Convention, Convention]:
        return self.found.left, self.found.right

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per part, or per layer."""
        if self.by == "layer":
            names = ["layer", "type", "before", "after", "difference", "parts"]
            rows = [(one.name, one.type, one.left, one.right, one.right - one.left) for one in self.layers]
            because = [", ".join(one.parts) for one in self.layers]
            return names, [dict(zip(names, (*row, text), strict=True)) for row, text in zip(rows, because, strict=True)]
        names = ["part", "difference", "quantity", "price_before", "price_after", "what", "why"]
        return names, [part_record(part) for part in self.found.parts]

    def document(self) -> dict[str, Any]:
        """The spec and both totals, then the parts or layers."""
        found = self.found
        sides = [
            {"convention": name, "figure": "params" if found.metric == "params" else one.cost, "total": total}
            for (name, _), one, total in zip(self.titles, self._conventions(), found.totals, strict=True)
        ]
        key = "layers" if self.by == "layer" else "parts"
        caveat = list(caveats(found, self._conventions()))
        return {
            **head(found),
            "sides": sides,
            "gap": found.gap,
            "notes": caveat,
            key: self.records()[1],
        }


def head(found: Reconciliation) -> dict[str, Any]:
    """The network and its setting."""
    whole = document(found.report)
    return {name: whole[name] for name in ("schema_version", "costcalc", "spec", "vars", "inputs", "complete")}


NEAR = 1  # largest error of a near count, as a share of the number


class AnswerPage:
    """Explanations of a number, simplest first; if there are none, near counts."""

    title = "costcalc reconcile"

    def __init__(self, found: Any, top: int = 5) -> None:
        self.found, self.top = found, top
        self.figure = figure_of(found.convention, found.metric)
        near = [way for way in found.near if abs(found.printed - way.value) <= NEAR * found.printed]
        self.shown = found.explained[:top] or tuple((way, None) for way in near[:top])

    def heads(self) -> Any:
        """The number, the convention's total, and the explanation of the gap."""
        found = self.found
        total = f"{found.total:,} {self.figure}"
        lines = [f"{printable(found.convention.name)}: {total}", f"printed: {found.typed}, {signed(found.gap)}"]
        if not found.explained:
            return [*lines, "nothing explains it" + ("; nearest counts:" if self.shown else ""), *found.other]
        more = len(found.explained) - len(self.shown)
        return [*lines, f"explained by: {found.explained[0][0].text}" + (f" ({more} more: --top)" if more > 0 else "")]

    def sheets(self) -> Any:
        """Ways of counting, and the parts of the first explanation."""
        heads = ("way of counting", "gives", "left over", "digits")
        columns = tuple(Column(name, name in ("gives", "left over"), folds=name == heads[0]) for name in heads)
        rows = [
            (printable(way.text), f"{way.value:,}", signed(self.found.printed - way.value), self.digits(how, way))
            for way, how in self.shown
        ]
        if not rows:
            return []
        parts = [parts_sheet(self.found.parts, self.found.gap)] if self.found.explained else []
        return [Sheet(columns, rows), *parts]

    def digits(self, how: Any, way: Any) -> Any:
        """How the digits of the number match a count, or the error."""
        if how is not None:
            return how or "as printed"
        return f"off by {100 * (self.found.printed - way.value) / self.found.printed:+.3g} %"

    def notes(self) -> Any:
        """Meaning of the figures."""
        found = self.found
        title = f"{printable(found.convention.name)}: {printable(found.convention.title)}"
        return [*caveats(found, [found.convention]), title, meaning(found)]

    def records(self) -> Any:
        """One row per way of counting."""
        names = ["way", "value", "left_over", "digits", "explains"]
        rows = [
            {
                "way": way.text,
                "value": way.value,
                "left_over": self.found.printed - way.value,
                "digits": self.digits(how, way),
                "explains": how is not None,
            }
            for way, how in self.shown
        ]
        return names, rows

    def document(self) -> Any:
        """The spec, the number, the parts of the first explanation, then the ways of counting."""
        found = self.found
        return {
            **head(found),
            "convention": found.convention.name,
            "figure": "params" if found.metric == "params" else found.convention.cost,
            "total": found.total,
            "printed": found.typed,
            "gap": found.gap,
            "parts": [part_record(part) for part in found.parts],
            "explanations": self.records()[1],
        }
