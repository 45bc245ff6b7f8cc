"""Page of a report: the parts to show, and their format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...metrics.metrics import unit_of
from ...quantities import COUNT
from ...render import Screen, render_page
from .columns import (
    BY_GROUP,
    BY_LAYER,
    COLUMNS,
    PLAIN,
    PLAIN_GROUP,
    View,
    cell,
    columns,
    columns_of,
    heading,
    public,
    records,
    selected,
    total,
)

if TYPE_CHECKING:
    from ...render.sheet import Column, Sheet
    from .report import Line, Report


SPARED = ("kernel", "input", "params_share", "cost_share", "layers", "type", "output")  # dropped first, in this order


class ReportPage:
    """Layers or groups of a report selected by a view, and the breakdown by layer type."""

    def __init__(self, report: Report, view: View) -> None:
        self.report, self.view = report, view
        self.lines = selected(report, view)
        self.title = report.model.name

    def heads(self) -> list[Any]:
        """Empty: the table needs no heading."""
        return []

    def sheets(self) -> list[Sheet]:
        """The layers, then the layer types, as in Table 2 of the MobileNet paper."""
        report, view = self.report, self.view
        main = sheet(report, self.lines, columns_of(view, report, BY_LAYER, BY_GROUP), view.by, bool(view.columns))
        if view.by != "layer" or view.columns:
            return [main]
        return [main, sheet(report, report.by_type(), columns_of(View("type"), report, (), BY_GROUP), "type")]

    def notes(self) -> list[str]:
        """Omitted rows, unknown costs, and conditions of the figures."""
        from .notes import notes

        return notes(self.report, self.view, len(self.lines))

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Column names and rows of a CSV file."""
        plain = (*PLAIN[:-1], "file", "line") if self.report.model.included else PLAIN  # the file that `line` refers to
        names = columns_of(self.view, self.report, plain, PLAIN_GROUP)
        return [public(name, self.report) for name in names], records(self.report, self.lines, names)

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        from .document import report_document

        return report_document(self.report, self.view, self.lines)


def sheet(report: Report, lines: list[Line], names: tuple[str, ...], title: str, chosen: bool = False) -> Sheet:
    """Lines as a sheet; columns that the user chose are never dropped."""
    from ...render.sheet import Sheet

    heads = tuple(_column(name, report, title, chosen) for name in names)
    rows = [tuple(cell(name, report, line) for name in names) for line in lines]
    return Sheet(heads, rows, tuple(_foot(name, number, report) for number, name in enumerate(names)))


def _column(name: str, report: Report, title: str, chosen: bool) -> Column:
    from ...render.sheet import Column

    head = title if name == "name" else heading(name, report)
    spare = 0 if chosen or name not in SPARED else 1 + SPARED.index(name)
    counts = name in ("cost", "params") or (name not in COLUMNS and unit_of(name) is COUNT)
    return Column(head, columns(report)[name].number, public(name, report), spare, name == "name", counts)


def _foot(name: str, number: int, report: Report) -> str:
    if name in ("cost", "params") or name not in COLUMNS:
        return total(report, name)
    return "total" if number == 0 else ""


def render(report: Report, format: str = "table", view: View | None = None, screen: Screen | None = None) -> str:
    """Format a report in one of `render.FORMATS`."""
    return render_page(ReportPage(report, view or View()), format, screen)
