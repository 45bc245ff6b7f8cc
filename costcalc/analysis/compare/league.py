"""Many designs as a page: one row per design, its totals, and how many times the first it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import __version__
from ...quantities import COUNT
from ...render.json_ import SCHEMA_VERSION
from ...render.sheet import Column, Sheet
from ...render.text import printable
from ..report.columns import setting, shipped
from ..report.document import document
from ..report.notes import bounds
from .beside import count, times

if TYPE_CHECKING:
    from .compare import Design


class LeaguePage:
    """Designs in a table of totals; `size` is bytes per value, or None."""

    title = "designs"

    def __init__(self, designs: list[Design], size: int | None = None, sort: str | None = None) -> None:
        self.designs, self.size, self.one = designs, size, designs[0]
        self.first = self.one.totals
        if sort:
            self.designs = sorted(designs, key=lambda design: -(self._record(design)[sort] or 0))

    def heads(self) -> list[Any]:
        """Nothing: the table is the answer."""
        return []

    def sheets(self) -> list[Sheet]:
        """One row per design."""
        columns = [Column("design", folds=True), Column(self.designs[0].report.metrics[0].title, True, counts=True)]
        columns += [Column("ratio", True, "ratio", 2), Column("params", True, counts=True)]
        columns += [Column("ratio", True, "params_ratio", 1)]
        columns += [Column(one.title, True, counts=one.unit is COUNT) for one in self.one.report.metrics[2:]]
        columns += [Column("bytes moved", True), Column("per byte", True)] if self.size else []
        return [Sheet(tuple(columns), [self._cells(design) for design in self.designs])]

    def _cells(self, design: Design) -> tuple[str, ...]:
        sums = design.totals
        cells = [printable(design.title)]
        for name in ("cost", "params"):
            cells += [count(sums[name]), times(self.first[name], sums[name])]
        cells += [count(sums[one.name]) for one in self.one.report.metrics[2:]]
        if self.size:
            moved = sums["moved"] * self.size
            cells += [count(moved), f"{sums['cost'] / moved:.3g}" if moved else ""]
        return tuple(cells)

    def notes(self) -> list[str]:
        """What the numbers mean."""
        convention = self.designs[0].report.convention
        moved = [f"bytes moved: inputs, outputs and parameters of each layer once, {self.size} bytes a value"]
        meaning = f"convention {convention.name}: {convention.title}; costcalc {__version__}"
        bounded = [f"{printable(one.title)}: {note}" for one in self.designs for note in bounds(one.report)]
        ratio = f"ratio: to {printable(self.one.title)}"
        return [*bounded[:5], *(moved if self.size else []), ratio, *self._settings(), meaning]

    def _settings(self) -> list[str]:
        """Input and variables of each design, and whether it is shipped; those of the same together."""
        found: dict = {}
        for one in self.designs:
            parts = shipped(one.report.model), setting(one.report.inputs, one.report.values)
            found.setdefault("; ".join(filter(None, parts)), []).append(printable(one.title))
        if len(found) == 1:
            return list(found)
        return [f"{', '.join(titles)}: {text}" for text, titles in found.items()]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per design."""
        rows = [self._record(design) for design in self.designs]
        return list(rows[0]), rows

    def _record(self, design: Design) -> dict[str, Any]:
        sums, cost = design.totals, design.report.convention.cost
        found = {"design": design.title, cost: sums["cost"], "params": sums["params"]}
        for name, total in (("ratio", "cost"), ("params_ratio", "params")):
            found[name] = sums[total] / self.first[total] if self.first[total] else None
        found |= {one.name: sums[one.name] for one in self.one.report.metrics[2:]}
        if self.size:
            moved = sums["moved"] * self.size
            found |= {"bytes": moved, f"{cost}_per_byte": sums["cost"] / moved if moved else None}
        return found

    def document(self) -> dict[str, Any]:
        """One entry per design."""
        rows = [{**self._record(design), **_setting(design)} for design in self.designs]
        return {"schema_version": SCHEMA_VERSION, "costcalc": __version__, "designs": rows}


def _setting(design: Design) -> dict[str, Any]:
    head = document(design.report)
    return {name: head[name] for name in ("spec", "vars", "inputs", "convention", "complete")}
