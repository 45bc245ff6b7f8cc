"""Page of two designs: layer by layer, by type, in total."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...quantities import COUNT
from ...render.json_ import SCHEMA_VERSION
from ...render.sheet import Column, Page, Sheet
from ...render.text import plain, printable
from ..explain.working import is_separable
from ..report.columns import setting, shipped, stamp
from ..report.document import document
from ..report.notes import gaps
from .beside import bound, change, count, in_words, number, percent, ratio, times
from .elements import sums

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...num.values import Shape
    from .alignment import Pair
    from .compare import Comparison, Design
    from .elements import Element

A, B = "A", "B"
NOTES = 5  # on designs of a table
LABEL = 14  # characters of a setting in a column heading
NOTHING_IN_COMMON = "no layer of A corresponds to a layer of B"


class ComparisonPage:
    """Pairs of layers with the cost and parameters of both sides; `size` is bytes per value, or None."""

    def __init__(self, comparison: Comparison, size: int | None = None, by: str = "layer") -> None:
        self.comparison, self.size, self.by = comparison, size, by
        self.left, self.right = comparison.left, comparison.right
        self.title = f"{self.left.title} and {self.right.title}"
        self.cost = self.left.report.metrics[0].title
        self.bounded = not (self.left.totals["complete"] and self.right.totals["complete"])
        labels = printable(self.left.label), printable(self.right.label)
        self.sides = labels if all(labels) and max(map(len, labels)) <= LABEL else (A, B)

    def heads(self) -> list[str]:
        """Titles of both designs and their totals."""
        before, after = self.left.totals, self.right.totals
        sides = before["complete"], after["complete"]
        lines = [f"{A}: {printable(self.left.title)}", f"{B}: {printable(self.right.title)}"]
        named = {self.cost: "cost", "params": "params"} | {one.title: one.name for one in self.left.report.metrics[2:]}
        lines += [_total(title, before[name], after[name], sides) for title, name in named.items()]
        if self.size:
            moved, other = (design.totals["moved"] * self.size for design in (self.left, self.right))
            lines.append(_total("bytes moved", moved, other, sides))
        if self.size and all(sides):
            per = self.per_byte(before), self.per_byte(after)
            lines.append(f"{self.cost} per byte: {per[0]:.3g} -> {per[1]:.3g}")
            said = [in_words(before["cost"], after["cost"], self.cost), in_words(moved, other, "bytes moved")]
            lines.append("B has " + ", ".join([*said, in_words(*per, f"{self.cost} per byte")]))
        return lines

    def per_byte(self, sums: Any) -> float:
        """Cost over bytes moved."""
        return sums["cost"] / (sums["moved"] * self.size) if sums["moved"] else 0.0

    def sheets(self) -> list[Sheet]:
        """Sheets of the layers and of the layer types."""
        types = Sheet(self._columns("type", ()), [self._cells(row, ()) for row in self.by_type()])
        return [types] if self.by == "type" else [self._layers(), types]

    def _layers(self) -> Sheet:
        rows = [self._row(pair) for pair in self.comparison.pairs if _shows(pair, self.size)]
        extra = [name for name in ("type", "theory") if any(row[name] for row in rows)]
        foot = {"name": "total", **_both(self.left.totals, self.right.totals), "type": "", "theory": None}
        cells = [self._cells(row, extra) for row in rows]
        return Sheet(self._columns("layer", extra), cells, self._cells(foot, extra))

    def _columns(self, title: str, extra: Sequence[str]) -> tuple[Column, ...]:
        columns = [Column(title, folds=True)]
        columns += [Column("type", spare=2)] if "type" in extra else []
        columns += [Column(f"{self.cost} {side}", True, counts=True) for side in self.sides]
        columns += [Column("change", True, "change", 3, counts=True), Column("B / A", True)]
        columns += [Column("theory", True, "theory", 5)] if "theory" in extra else []
        sides = list(zip(self.sides, "ab", strict=True))
        columns += [Column(f"params {side}", True, f"params_{letter}", 4, counts=True) for side, letter in sides]
        columns += [Column("B / A", True, "params_ratio", 4)]
        if self.size:
            columns += [Column(f"bytes {side}", True, f"bytes_{letter}", 1) for side, letter in sides]
            columns += [Column(f"per byte {side}", True, f"per_byte_{letter}", 1) for side, letter in sides]
        return tuple(columns)

    def _cells(self, row: Mapping[str, Any], extra: Sequence[str]) -> tuple[str, ...]:
        cost, params, moved, sides = row["cost"], row["params"], row["moved"], row["complete"]
        known = all(sides)
        cells = [printable(row["name"])]
        cells += [row["type"]] if "type" in extra else []
        cells += [*_counts(cost, sides), change(*cost) if known else "-", times(*cost) if known else ""]
        cells += [ratio(row["theory"]) if row["theory"] else ""] if "theory" in extra else []
        cells += [*_counts(params, sides), times(*params) if known else ""]
        if self.size:
            cells += _counts([values * self.size for values in moved], sides)
            cells += [self._intensity(a, m) if one else "" for a, m, one in zip(cost, moved, sides, strict=True)]
        return tuple(cells)

    def _intensity(self, cost: int, moved: Any) -> str:
        return f"{cost / (moved * self.size):.3g}" if moved and cost else ""

    def _row(self, pair: Pair) -> dict[str, Any]:
        return {
            "name": (pair.left or pair.right)[0].name if len(pair.left) < 2 else _common(pair.left),
            "status": pair.status,
            "type": _types(pair),
            "theory": theory(pair),
            **_both(self._sums(pair.left), self._sums(pair.right)),
        }

    def by_type(self) -> list[dict[str, Any]]:
        """Cost and parameters of each layer type on both sides, largest first."""
        sides = [self._types_of(design.elements) for design in (self.left, self.right)]
        rows = [
            {"name": name, **_both(*(side.get(name, self._sums(())) for side in sides))}
            for name in {**sides[0], **sides[1]}
        ]
        return sorted(rows, key=lambda row: (-max(row["cost"]), -max(row["params"]), row["name"]))

    def _sums(self, elements: Sequence[Any]) -> dict[str, int]:
        return sums(elements, self.left.report.more)

    def _types_of(self, elements: Iterable[Element]) -> dict[str, dict[str, int]]:
        groups: dict[str, list[Element]] = {}
        for element in elements:
            if element.cost or element.params or not element.complete:
                groups.setdefault(element.type, []).append(element)
        return {name: self._sums(group) for name, group in groups.items()}

    def notes(self) -> list[str]:
        """Layers left unchanged, the theoretical ratio, and the meaning of the figures."""
        alone, designs = self.comparison.left_alone, (self.left, self.right)
        lines = [] if any(pair.left and pair.right for pair in self.comparison.pairs) else [NOTHING_IN_COMMON]
        lines += [f"unchanged: {printable(name)}: {reason}" for name, reason in alone[:5]]
        lines += [f"and {len(alone) - 5:,} more unchanged"] if len(alone) > 5 else []
        if any(theory(pair) for pair in self.comparison.pairs):
            lines.append("theory: 1/N + 1/DK^2 of a standard convolution (arXiv:1704.04861, section 3.1)")
        if self.size:
            lines.append(f"bytes moved: inputs, outputs and parameters of each layer once, {self.size} bytes per value")
        for side, report in zip((A, B), (self.left.report, self.right.report), strict=True):
            lines += [f"{side}: {note}" for note in gaps(report)]
        stamps = list(dict.fromkeys(stamp(design.report) for design in designs))
        sides = [f"{side}: {text}" for side, text in zip((A, B), stamps, strict=False)]
        return [*lines, *(sides if len(stamps) > 1 else stamps)]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per pair, or per layer type."""
        found = self.by_type() if self.by == "type" else [self._row(pair) for pair in self.comparison.pairs]
        rows = [self._record(row) for row in found]
        return list(rows[0]) if rows else [], rows

    def _record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        cost = self.left.report.convention.cost
        (a, b), (p, q), (m, n), (left, right) = (row[name] for name in ("cost", "params", "moved", "complete"))
        known = left and right
        names = ("name", "status", "type") if "status" in row else ("name",)
        found = {name: row[name] for name in names}
        found |= {f"{cost}_a": a, f"{cost}_b": b, f"{cost}_ratio": b / a if a and known else None}
        found |= {"theory": row["theory"]} if "theory" in row else {}
        found |= {"params_a": p, "params_b": q, "params_ratio": q / p if p and known else None}
        for one in (one for one in self.left.report.metrics[2:] if one.name in row):
            before, after = row[one.name]
            ratio = after / before if before and known else None
            found |= {f"{one.name}_a": before, f"{one.name}_b": after, f"{one.name}_ratio": ratio}
        if self.size:
            found |= {"bytes_a": m * self.size, "bytes_b": n * self.size}
            per = (self._per(a, m) if left else None), (self._per(b, n) if right else None)
            found |= {f"{cost}_per_byte_a": per[0], f"{cost}_per_byte_b": per[1]}
        return {**found, **({"complete_a": left, "complete_b": right} if self.bounded else {})}

    def _per(self, cost: int, moved: Any) -> float | None:
        return cost / (moved * self.size) if moved else None

    def document(self) -> dict[str, Any]:
        """Heads of both reports, the layers that a rewrite left unchanged, the types and the pairs."""
        totals = {"name": "total", **_both(self.left.totals, self.right.totals)}
        found = {
            "schema_version": SCHEMA_VERSION,
            "costcalc": __version__,
            "a": {"title": self.left.title, **document(self.left.report)},
            "b": {"title": self.right.title, **document(self.right.report)},
            "totals": self._record(totals),
            "left_alone": [{"name": name, "why": why} for name, why in self.comparison.left_alone],
        }
        if self.by == "layer":
            found["by_type"] = [self._record(row) for row in self.by_type()]
        return {**found, "layers" if self.by == "layer" else "by_type": self.records()[1]}


def theory(pair: Pair) -> float | None:
    """Theoretical cost of B over that of A, if one is a standard convolution and the other is its separable form.

    None for other pairs.
    """
    two, one = sorted((pair.left, pair.right), key=len, reverse=True)
    if (len(two), len(one)) != (2, 1) or not is_separable(two[0].first, two[1].first):
        return None
    first, dense = two[0].first, one[0].first
    if dense.op.name != "conv" or dense.layer.detail["groups"] != 1:
        return None
    if (dense.inputs, dense.layer.shape) != (first.inputs, two[1].first.layer.shape):
        return None
    share = 1 / dense.layer.shape[-1] + 1 / math.prod(dense.layer.detail["kernel"])
    return share if len(pair.left) == 1 else 1 / share


def _shows(pair: Pair, size: int | None) -> bool:
    """Whether a table shows a pair: it has a cost (with `size`, also bytes moved), or its sides differ."""
    costs = any(one.cost or one.params or (size and one.moved) or not one.complete for one in (*pair.left, *pair.right))
    return costs or pair.status not in ("same", "follows")


def _both(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, Shape]:
    return {name: (one[name], other[name]) for name in one}


def _types(pair: Pair) -> str:
    sides = [" + ".join(element.type for element in side) for side in (pair.left, pair.right)]
    if not sides[0] or not sides[1]:
        return f"{pair.status}: {sides[0] or sides[1]}"
    return sides[0] if sides[0] == sides[1] else f"{sides[0]} -> {sides[1]}"


def _common(elements: tuple[Element, ...]) -> str:
    """Name of the innermost level that contains all the elements."""
    paths = [element.name.split("/") for element in elements]
    shared = [level for level, *others in zip(*paths, strict=False) if all(level == other for other in others)]
    return "/".join(shared) or elements[0].name


def _counts(values: Sequence[Any], complete: Sequence[bool]) -> list[str]:
    return [bound(count(value), known) for value, known in zip(values, complete, strict=True)]


def _total(name: str, before: int, after: int, complete: tuple[bool, bool]) -> str:
    head = f"{name}: {bound(number(before), complete[0])} -> {bound(number(after), complete[1])}"
    if not all(complete):
        return head
    parts = [head, change(before, after), percent(before, after), times(before, after)]
    return "  ".join(part for part in parts if part)


class LeaguePage(Page):
    """Table of the totals of designs; `size` is bytes per value, or None."""

    title = "designs"

    def __init__(self, designs: list[Design], size: int | None = None, sort: str | None = None) -> None:
        self.designs, self.size, self.one = designs, size, designs[0]
        self.first = self.one.totals
        if sort:
            self.designs = sorted(designs, key=lambda design: -(self._record(design)[sort] or 0))

    def sheets(self) -> list[Sheet]:
        """One row per design."""
        columns = [Column("design", folds=True), Column(self.designs[0].report.metrics[0].title, True, counts=True)]
        columns += [Column("ratio", True, "ratio", 2), Column("params", True, counts=True)]
        columns += [Column("ratio", True, "params_ratio", 1)]
        columns += [Column(one.title, True, counts=one.unit is COUNT) for one in self.one.report.metrics[2:]]
        columns += [Column("bytes moved", True), Column("per byte", True)] if self.size else []
        return [Sheet(tuple(columns), [self._cells(design) for design in self.designs])]

    def _cells(self, design: Design) -> tuple[str, ...]:
        sums, known = design.totals, design.totals["complete"]
        cells = [printable(design.title)]
        for name in ("cost", "params"):
            times_of_first = times(self.first[name], sums[name]) if known and self.first["complete"] else ""
            cells += [bound(count(sums[name]), known), times_of_first]
        cells += [bound(count(sums[one.name]), known) for one in self.one.report.metrics[2:]]
        if self.size:
            moved = sums["moved"] * self.size
            cells += [bound(count(moved), known), f"{sums['cost'] / moved:.3g}" if moved and known else ""]
        return tuple(cells)

    def notes(self) -> list[str]:
        """Meaning of the figures."""
        convention = self.designs[0].report.convention
        moved = [f"bytes moved: inputs, outputs and parameters of each layer once, {self.size} bytes per value"]
        meaning = f"convention {convention.name}: {convention.title}; costcalc {__version__}"
        left_out = [f"{printable(one.title)}: {note}" for one in self.designs for note in gaps(one.report)]
        more = [f"and {len(left_out) - NOTES:,} more notes of this kind"] if len(left_out) > NOTES else []
        ratio = f"ratio: to {printable(self.one.title)}"
        return [*left_out[:NOTES], *more, *(moved if self.size else []), ratio, *self._settings(), meaning]

    def _settings(self) -> list[str]:
        """Input and variables of each design, and whether it is shipped; designs with equal settings share a note."""
        designs: dict = {}
        for one in self.designs:
            parts = shipped(one.report.model), setting(one.report.inputs, one.report.values)
            designs.setdefault("; ".join(filter(None, parts)), []).append(printable(one.title))
        if len(designs) == 1:
            return list(designs)
        return [f"{', '.join(titles)}: {text}" for text, titles in designs.items()]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per design."""
        rows = [self._record(design) for design in self.designs]
        return list(rows[0]), rows

    def _record(self, design: Design) -> dict[str, Any]:
        sums, cost = design.totals, design.report.convention.cost
        found = {"design": design.title, cost: sums["cost"], "params": sums["params"]}
        known = sums["complete"] and self.first["complete"]
        for name, total in (("ratio", "cost"), ("params_ratio", "params")):
            found[name] = sums[total] / self.first[total] if self.first[total] and known else None
        found |= {one.name: sums[one.name] for one in self.one.report.metrics[2:]}
        if self.size:
            moved = sums["moved"] * self.size
            per = sums["cost"] / moved if moved and sums["complete"] else None
            found |= {"bytes": moved, f"{cost}_per_byte": per}
        bounded = not all(one.totals["complete"] for one in self.designs)
        return {**found, **({"complete": sums["complete"]} if bounded else {})}

    def document(self) -> dict[str, Any]:
        """One entry per design."""
        rows = [{**self._record(design), **_setting(design)} for design in self.designs]
        return {"schema_version": SCHEMA_VERSION, "costcalc": __version__, "designs": rows}


def _setting(design: Design) -> dict[str, Any]:
    head = document(design.report)
    names = ("spec", "vars", "inputs", "convention", "complete", "uncounted")
    return {name: head[name] for name in names if name in head}


SIDES = ("before", "after")
SIGNS = {"added": "+", "removed": "-", "changed": "~", "rewritten": "~", "moved": ">", "follows": "="}


class DifferencePage:
    """The pairs whose sides differ."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison, self.left, self.right = comparison, comparison.left, comparison.right
        self.title = f"{self.left.title} to {self.right.title}"
        self.pairs = [pair for pair in comparison.pairs if pair.status != "same"]
        self.cost = self.left.report.metrics[0].title

    def heads(self) -> list[str]:
        """The totals, for reviewers."""
        before, after = self.left.totals, self.right.totals
        names = ((self.cost, "cost"), ("params", "params"))
        sides = before["complete"], after["complete"]
        return [_headline(title, before[name], after[name], sides) for title, name in names]

    def sheets(self) -> list[Sheet]:
        """The edited layers, and the layers whose cost changed as a result."""
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
        sides = _complete(pair)
        texts = [SIGNS[pair.status], printable(_name(pair)), printable(what(pair))]
        for values in (_values(pair, "cost"), _values(pair, "params")):
            texts += [*_counts(values, sides), change(*values) if all(sides) else "-"]
        return tuple(texts)

    def notes(self) -> list[str]:
        """Meaning of the signs and of the figures."""
        seen = dict.fromkeys(pair.status for pair in self.pairs)
        words = {"follows": "cost changed with the input", "rewritten": "changed"}
        legend = dict.fromkeys(f"{SIGNS[status]} {words.get(status, status)}" for status in seen)
        said = [", ".join(legend)] if legend else ["no layer differs"]
        for version, design in (("before", self.left), ("after", self.right)):
            said += [f"{version}: {note}" for note in gaps(design.report)]
        before, after = (stamp(design.report) for design in (self.left, self.right))
        return [*said, *([after] if before == after else [f"before: {before}", f"after: {after}"])]

    def records(self) -> tuple[list[str], list[Any]]:
        """One row per layer that differs."""
        cost = self.left.report.convention.cost
        names = ["status", "name", "before", "what", f"{cost}_before", f"{cost}_after", "params_before", "params_after"]
        bounded = not (self.left.totals["complete"] and self.right.totals["complete"])
        names += ["complete_before", "complete_after"] if bounded else []
        rows = []
        for pair in self.pairs:
            numbers = (*_values(pair, "cost"), *_values(pair, "params"), *(_complete(pair) if bounded else ()))
            cells = (pair.status, _name(pair), _old_name(pair), what(pair), *numbers)
            rows.append(dict(zip(names, cells, strict=True)))
        return names, rows

    def document(self) -> dict[str, Any]:
        """Heads of both reports, the change in total, and the layers that differ."""
        before, after = self.left.totals, self.right.totals
        cost, known = self.left.report.convention.cost, before["complete"] and after["complete"]

        def more(name: str) -> int | None:
            return after[name] - before[name] if known else None

        return {
            "schema_version": SCHEMA_VERSION,
            "costcalc": __version__,
            "before": document(self.left.report),
            "after": document(self.right.report),
            "change": {cost: more("cost"), "params": more("params")},
            "layers": self.records()[1],
        }


def _headline(name: str, before: int, after: int, complete: tuple[bool, bool]) -> str:
    if not all(complete):
        return f"{name} {bound(number(before), complete[0])} -> {bound(number(after), complete[1])}"
    if before == after:
        return f"{name} unchanged: {after:,}"
    parts = [f"{name} {after - before:+,}", f"({percent(before, after)})" if before else "", f"{before:,} -> {after:,}"]
    return "  ".join(part for part in parts if part)


def _values(pair: Pair, name: str) -> tuple[int, ...]:
    return tuple(sum(getattr(one, name) for one in side) for side in (pair.left, pair.right))


def _complete(pair: Pair) -> tuple[bool, bool]:
    return all(one.complete for one in pair.left), all(one.complete for one in pair.right)


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
        return " ".join(value)  # expressions are shown as written
    return str(plain(value)).lower() if type(value) is bool else str(plain(value))
