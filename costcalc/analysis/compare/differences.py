"""What changed between two versions of a design, as a page: the headline, then each edit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...render.json_ import SCHEMA_VERSION
from ...render.sheet import Column, Sheet
from ...render.text import plain, printable
from ..report.columns import stamp
from ..report.document import document
from ..report.notes import bounds
from .beside import change, count, percent

if TYPE_CHECKING:
    from .alignment import Pair
    from .compare import Comparison
    from .elements import Element


SIDES = ("before", "after")
SIGNS = {"added": "+", "removed": "-", "changed": "~", "rewritten": "~", "moved": ">", "follows": "="}


class DifferencePage:
    """The pairs that are not the same on both sides."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison, self.left, self.right = comparison, comparison.left, comparison.right
        self.title = f"{self.left.title} to {self.right.title}"
        self.pairs = [pair for pair in comparison.pairs if pair.status != "same"]
        self.cost = self.left.report.metrics[0].title

    def heads(self) -> list[str]:
        """The totals: what a reviewer looks for."""
        before, after = self.left.totals, self.right.totals
        names = ((self.cost, "cost"), ("params", "params"))
        return [_headline(title, before[name], after[name]) for title, name in names]

    def sheets(self) -> list[Sheet]:
        """The edits, and the layers that cost more or less because of them."""
        if not self.pairs:
            return []
        columns = (
            Column(""),
            Column("layer", folds=True),
            Column("what", folds=True),
            *(Column(f"{self.cost} {side}", True, f"{self.cost} {side}", 2, counts=True) for side in SIDES),
            Column(f"{self.cost} change", True, counts=True),
            *(Column(f"params {side}", True, f"params {side}", 1, counts=True) for side in SIDES),
            Column("params change", True, "params change", 3, counts=True),
        )
        return [Sheet(columns, [self._cells(pair) for pair in self.pairs])]

    def _cells(self, pair: Pair) -> tuple[str, ...]:
        (a, b), (p, q) = _values(pair, "cost"), _values(pair, "params")
        texts = SIGNS[pair.status], printable(_name(pair)), printable(what(pair))
        return (*texts, *(text for x, y in ((a, b), (p, q)) for text in (count(x), count(y), change(x, y))))

    def notes(self) -> list[str]:
        """What the signs mean, and what the numbers mean."""
        seen = dict.fromkeys(pair.status for pair in self.pairs)
        words = {"follows": "cost changed with what flows in", "rewritten": "changed"}
        legend = dict.fromkeys(f"{SIGNS[status]} {words.get(status, status)}" for status in seen)
        said = [", ".join(legend)] if legend else ["no layer differs"]
        for version, design in (("before", self.left), ("after", self.right)):
            said += [f"{version}: {note}" for note in bounds(design.report)]
        before, after = (stamp(design.report) for design in (self.left, self.right))
        return [*said, *([after] if before == after else [f"before: {before}", f"after: {after}"])]

    def records(self) -> tuple[list[str], list[Any]]:
        """One row per layer that differs."""
        cost = self.left.report.convention.cost
        names = ["status", "name", "before", "what", f"{cost}_before", f"{cost}_after", "params_before", "params_after"]
        rows = []
        for pair in self.pairs:
            numbers = (*_values(pair, "cost"), *_values(pair, "params"))
            cells = (pair.status, _name(pair), _old_name(pair), what(pair), *numbers)
            rows.append(dict(zip(names, cells, strict=True)))
        return names, rows

    def document(self) -> dict[str, Any]:
        """Both reports' heads, the change in total, and the layers that differ."""
        before, after = self.left.totals, self.right.totals
        cost = self.left.report.convention.cost
        return {
            "schema_version": SCHEMA_VERSION,
            "costcalc": __version__,
            "before": document(self.left.report),
            "after": document(self.right.report),
            "change": {cost: after["cost"] - before["cost"], "params": after["params"] - before["params"]},
            "layers": self.records()[1],
        }


def _headline(name: str, before: int, after: int) -> str:
    if before == after:
        return f"{name} unchanged: {after:,}"
    parts = [f"{name} {after - before:+,}", f"({percent(before, after)})" if before else "", f"{before:,} -> {after:,}"]
    return "  ".join(part for part in parts if part)


def _values(pair: Pair, name: str) -> tuple[int, ...]:
    return tuple(sum(getattr(one, name) for one in side) for side in (pair.left, pair.right))


def _name(pair: Pair) -> str:
    return " + ".join(one.name for one in pair.right or pair.left)


def _old_name(pair: Pair) -> Any:
    return " + ".join(one.name for one in pair.left)


def what(pair: Pair) -> str:
    """An edit in words: `out 64 -> 96`."""
    if pair.status in ("added", "removed"):
        return (pair.right or pair.left)[0].type
    if pair.status == "moved":
        return f"{pair.right[0].type}, was {pair.left[0].name}"
    if pair.status == "rewritten":
        return " -> ".join(" + ".join(one.type for one in side) for side in (pair.left, pair.right))
    one, other = pair.left[0], pair.right[0]
    if pair.status == "follows":
        shapes = [plain(element.first.inputs[0]) if element.first.inputs else "" for element in (one, other)]
        return f"input {shapes[0]} -> {shapes[1]}" if shapes[0] != shapes[1] else one.type
    return "; ".join(_edits(one, other)) or one.type


def _edits(one: Element, other: Element) -> Iterator[str]:
    if one.first.op.name != other.first.op.name:
        yield f"{one.type} -> {other.type}"
        return
    options = [dict(element.key[0][-1]) for element in (one, other)]
    for name in {**options[0], **options[1]}:
        before, after = (_value(side.get(name)) for side in options)
        if before != after:
            yield f"{name} {before} -> {after}"
    if one.first.times != other.first.times:
        yield f"times {one.first.times} -> {other.first.times}"
    then = [", ".join(row.type for row in element.rows[1:]) or "nothing" for element in (one, other)]
    if then[0] != then[1]:
        yield f"then {then[0]} -> {then[1]}"


def _value(value: Any) -> str:
    if value is None:
        return "default"
    if type(value) is tuple and all(type(item) is str for item in value):
        return " ".join(value)  # expressions as they are written
    return str(plain(value)).lower() if type(value) is bool else str(plain(value))
