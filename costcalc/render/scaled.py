"""A page with counts in millions or billions, for human readers; CSV and JSON stay exact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sheet import Page, Sheet

UNITS = {"M": 10**6, "G": 10**9}
FORMATS = ("table", "md", "latex")  # formats for human readers
_COUNT = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})*(?![\w.,]| %)")  # an integer that is neither a share nor a ratio
_LARGE = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\w.,])")  # an integer in a text: with separators


def scaled(number: str, unit: str) -> str:
    """`568.7 M` for `568,740,352`, with at least three digits for values below 1; 0 stays 0."""
    value = int(number.replace(",", "")) / UNITS[unit]
    text = (
        f"{value:,.2f}" if value >= 1 else f"{value:.3g}" if value >= 1e-4 else f"{value:.9f}".rstrip("0").rstrip(".")
    )
    return f"{text} {unit}" if value else "0"


class ScaledPage:
    """A page with a unit for its count columns and for the counts in its heading lines."""

    def __init__(self, page: Page, unit: str) -> None:
        self.page, self.unit, self.title = page, unit, page.title

    def heads(self) -> list[str]:
        """Heading lines with scaled counts."""
        return [_LARGE.sub(lambda found: scaled(found[0], self.unit), head) for head in self.page.heads()]

    def sheets(self) -> list[Sheet]:
        """Tables with scaled counts."""
        return [self._sheet(sheet) for sheet in self.page.sheets()]

    def _sheet(self, sheet: Sheet) -> Sheet:
        def row(cells: tuple[str, ...]) -> tuple[str, ...]:
            pairs = zip(sheet.columns, cells, strict=True)
            return tuple(self._cell(text) if column.counts else text for column, text in pairs)

        return sheet._replace(rows=[row(cells) for cells in sheet.rows], foot=row(sheet.foot) if sheet.foot else ())

    def _cell(self, text: str) -> str:
        return _COUNT.sub(lambda found: scaled(found[0], self.unit), text)

    def notes(self) -> list[str]:
        """The notes, exact."""
        return self.page.notes()

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The rows, exact."""
        return self.page.records()

    def document(self) -> Mapping[str, Any]:
        """The document, exact."""
        return self.page.document()
