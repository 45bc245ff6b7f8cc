"""Long tables, aligned without rich, which takes half a millisecond and 8 kB for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sheet import Sheet


ROWS = 2_000  # from which on a table is drawn here


def render(heads: Any, sheets: list[Sheet], notes: Any) -> Any:
    """Lines, tables and notes as plain text."""
    parts = ["\n".join(heads), *map(_table, sheets), "\n".join(notes)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(sheet: Sheet) -> Any:
    heads = tuple(column.heading for column in sheet.columns)
    feet = [sheet.foot] if sheet.foot else []
    widths = [max(map(len, column)) for column in zip(heads, *sheet.rows, *feet, strict=True)]
    fits = [str.rjust if column.number else str.ljust for column in sheet.columns]
    return "\n".join(
        [sheet.title] * bool(sheet.title)
        + [
            "   ".join(fit(text, width) for fit, text, width in zip(fits, row, widths, strict=True)).rstrip()
            for row in [heads, ["-" * width for width in widths], *sheet.rows, *feet]
        ]
    )
