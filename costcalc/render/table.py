"""A page as tables of text, for a terminal or a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..records import NamedTuple
from . import Screen, plain
from .narrow import cells, fitted, folded, widths, wrapped

if TYPE_CHECKING:
    from types import ModuleType

    from .sheet import Column, Sheet


_TITLE = r"^(convention [\w.-]+): .*?(?=; (?:shipped|includes|input|costcalc|\w+=))"  # said in many words
MORE = ".. (-v)"  # where a note is cut
NATURAL = 100_000  # columns of a page that is as wide as a table needs


class Rules(NamedTuple):
    """What stands between two columns, and what lines are made of."""

    between: str
    line: str
    crossing: str
    above_foot: bool = False  # whether a line parts rows and totals, else an empty one


FINE, ASCII = Rules("   ", "─", "───"), Rules(" | ", "-", "-+-", above_foot=True)


def render(page: Any, screen: Screen) -> str:
    """The tables and what the numbers mean."""
    return "".join(f"{line.rstrip()}\n" for line in _Drawing(screen).page(page))


class _Drawing:
    def __init__(self, screen: Screen) -> None:
        self.brief, self.width = screen.brief, screen.width or NATURAL
        self.rules = ASCII if screen.ascii else FINE
        self.look: ModuleType = plain
        if screen.color:
            from . import colors

            self.look = colors

    def page(self, page: Any) -> Iterator[str]:
        heads, sheets, left_out = page.heads(), page.sheets(), dict[Any, Any]()
        yield from self.said(heads)
        if heads and sheets:
            yield ""
        for number, sheet in enumerate(sheets):
            narrow = fitted(sheet, self.width)
            left_out |= dict.fromkeys(narrow.left_out)
            if number:
                yield ""
            if sheet.title:
                yield from self.said([sheet.title], "bold")
            for below, part in enumerate(narrow.sheets):
                if below:
                    yield ""
                yield from self.table(part)
        if sheets:
            yield ""
        notes = page.notes()
        if self.brief and notes:
            notes = [*notes[:-1], one_line(notes[-1], self.width)]
        yield from self.said([*_spared(left_out, self.width), *notes])

    def said(self, texts: Sequence[str], style: str = "") -> Iterator[str]:
        for text in texts:
            for line in wrapped(text, self.width):
                yield self.look.line(line, style)

    def table(self, sheet: Sheet) -> Iterator[str]:
        """The lines of a table: the headings, the rows and the totals, and what parts them."""
        sizes, heads = widths(sheet, self.width), tuple(column.heading for column in sheet.columns)
        parted = self.rules.crossing.join(self.rules.line * size for size in sizes)
        yield from self.row(sheet, heads, sizes, "bold", low=True)
        yield parted
        for row in sheet.rows:
            yield from self.row(sheet, row, sizes)
        if sheet.foot:
            yield parted if self.rules.above_foot else ""
            yield from self.row(sheet, sheet.foot, sizes, "bold")

    def row(
        self, sheet: Sheet, texts: Sequence[str], sizes: list[int], style: str = "", low: bool = False
    ) -> Iterator[str]:
        """The lines of a row; a cell of fewer lines than others stands at the top, or at the bottom if `low`."""
        found = list(map(folded, texts, sizes))
        high = max(map(len, found), default=0)
        for number in range(high):
            at = (number - (high - len(lines) if low else 0) for lines in found)
            line = [lines[one] if 0 <= one < len(lines) else "" for lines, one in zip(found, at, strict=True)]
            yield self.rules.between.join(
                self.look.cell(_placed(column, text, size), column.heading, style)
                for column, text, size in zip(sheet.columns, line, sizes, strict=True)
            )


def _placed(column: Column, text: str, size: int) -> str:
    """A text at its place in a column of that size: numbers to the right."""
    blank = " " * (size - cells(text))
    return blank + text if column.number else text + blank


def _spared(columns: Mapping[Column, None], width: int) -> list[str]:
    """The line that says which columns are left out, and how to have them where that can be said."""
    names = dict.fromkeys(column.name or column.heading or "the bars" for column in columns)
    choose = " (--columns chooses)" if all(column.name for column in columns) else ""
    return [f"no room in {width} columns for {', '.join(names)}{choose}"] if columns else []


def one_line(note: str, width: int) -> str:
    """A note of parts, `convention paper: ..; input ..; alpha=1`, in one line: what it has no room for is left out."""
    if cells(note) <= width:
        return note
    parts = re.sub(_TITLE, r"\1", note).split("; ")
    while len(parts) > 1 and cells("; ".join([*parts, MORE])) > width:
        parts.pop()
    return "; ".join([*parts, MORE])
