"""Workings as a page: one row per layer, with symbols, numbers and products."""

from typing import Any

from ...render.sheet import Column, Sheet
from ...render.text import printable, shape_text
from ..report.columns import stamp
from .legend import legend
from .working import worked

COLUMNS = (
    Column("layer", folds=True),
    Column("type"),
    Column("mult-adds =", folds=True),
    Column("mult-adds", number=True),
    Column("params =", folds=True),
    Column("params", number=True),
)


class ExplanationPage:
    """The rows of an Explanation that have mult-adds or weights."""

    def __init__(self, explanation: Any) -> None:
        self.explanation = explanation
        self.title = f"{explanation.report.model.name}: explained"
        self.rows = [(row, *worked(row)) for row in explanation.rows if any(worked(row))]

    def heads(self) -> list[str]:
        """Empty: the table is the answer."""
        return []

    def sheets(self) -> list[Sheet]:
        """One sheet."""
        cells: list[tuple[str, ...]] = [
            (printable("/".join(row.frame.path)), row.type, *_cells(cost), *_cells(weights))
            for row, cost, weights in self.rows
        ]
        return [Sheet(COLUMNS, cells)]

    def notes(self) -> list[str]:
        """What the symbols stand for, and what the numbers mean."""
        return [*filter(None, [legend(self.explanation.rows)]), stamp(self.explanation.report)]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per layer: each working in symbols, in numbers, and its value."""
        rows = []
        for row, cost, weights in self.rows:
            found: dict[str, Any] = {"name": "/".join(row.frame.path), "type": row.type}
            found |= {"input": " and ".join(map(shape_text, row.inputs)), "output": shape_text(row.layer.shape)}
            for name, working in (("mult_adds", cost), ("params", weights)):
                found |= {f"{name}_symbols": working.symbols if working else "", f"{name}_numbers": _numbers(working)}
                found[name] = working.value if working else 0
            rows.append(found)
        names = ["name", "type", "input", "output"]
        names += [f"{name}{part}" for name in ("mult_adds", "params") for part in ("_symbols", "_numbers", "")]
        return names, rows

    def document(self) -> dict[str, Any]:
        """One entry per layer."""
        return {"note": stamp(self.explanation.report), "layers": self.records()[1]}


def _numbers(working: Any) -> str:
    return working.numbers if working else ""


def _cells(working: Any) -> tuple[str, str]:
    return (f"{working.symbols} = {working.numbers}", f"{working.value:,}") if working and working.value else ("", "-")
