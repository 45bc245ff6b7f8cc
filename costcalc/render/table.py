"""Render a page as text tables, for a terminal or a file.

Tables are fitted into narrow screens. Digits are never cut.

1. Columns with `Column.spare` are removed, the lowest first, those with equal values as a group. A group without
   counts is dropped, which the page reports; other groups move to a table below, beside the names of the rows.
2. Columns of names are wrapped: between words, then within a word, never within a number.
3. Anything wider than the screen extends beyond the edge, uncut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from ..records import NamedTuple
from . import Screen, plain
from .sheet import Column, Sheet

LEAST = 12  # minimum width of wrapped words
FOLDED = 24  # minimum width of wrapped long names
GAP = 3  # blanks between two columns
_WORD = r"\s*\S+"
_PIECE = r"\d[\d,.]*|\D"  # names are wrapped between these pieces
_DERIVED = r"[^\d]*|.*\d ?[%x]"  # a cell without a count: a word, a share, a ratio


class Fitted(NamedTuple):
    """A fitted sheet: itself and the tables below it, and the dropped columns."""

    sheets: list[Sheet]
    left_out: list[Column]


def fitted(sheet: Sheet, width: int) -> Fitted:
    """Fit the sheet to a screen of `width` columns."""
    if _set_out(sheet) <= width:
        return Fitted([sheet], [])
    gone: set[int] = set()
    moved: list[int] = []
    for group in _groups(sheet):
        if needed(sheet.without(gone)) > width:
            gone |= group
            moved += group if any(_counts(sheet, number) for number in group) else ()
    left_out = [sheet.columns[number] for number in sorted(gone) if number not in moved]
    if not moved:
        return Fitted([sheet.without(gone) if gone else sheet], left_out)
    keys = _keys(sheet)
    below = [
        sheet.without({*range(len(sheet.columns))} - {*keys, *part})
        for part in _parts(sheet, keys, sorted(moved), width)
    ]
    return Fitted([sheet.without(gone), *below], left_out)


def _groups(sheet: Sheet) -> list[set[int]]:
    """Groups of columns to remove, in order."""
    levels = sorted({column.spare for column in sheet.columns} - {0})
    return [{number for number, column in enumerate(sheet.columns) if column.spare == level} for level in levels]


def _counts(sheet: Sheet, number: int) -> bool:
    """Whether a column has counts, not only words, shares or ratios."""
    texts = (row[number] for row in [*sheet.rows, *[sheet.foot] * bool(sheet.foot)])
    return sheet.columns[number].number and not all(re.fullmatch(_DERIVED, text) for text in texts)


def _keys(sheet: Sheet) -> list[int]:
    """Columns that name a row: those before the first removable column that have no counts, else all before it."""
    columns = range(len(sheet.columns))
    first = min(number for number in columns if sheet.columns[number].spare)
    return [number for number in range(first) if not _counts(sheet, number)] or [*range(first)]


def _parts(sheet: Sheet, keys: list[int], moved: list[int], width: int) -> Iterator[list[int]]:
    """Split the columns to move into tables, as many per table as fit beside the keys; at least one."""
    part: list[int] = []
    for number in moved:
        kept = {*keys, *part, number}
        if part and needed(sheet.without({*range(len(sheet.columns))} - kept)) > width:
            yield part
            part = []
        part.append(number)
    yield part


def needed(sheet: Sheet) -> int:
    """Width of a sheet with all names wrapped."""
    return sum(map(_least, range(len(sheet.columns)), [sheet] * len(sheet.columns))) + GAP * (len(sheet.columns) - 1)


def _set_out(sheet: Sheet) -> int:
    """Width of a sheet without wrapping."""
    return sum(_natural(number, sheet) for number in range(len(sheet.columns))) + GAP * (len(sheet.columns) - 1)


def _texts(sheet: Sheet, number: int) -> list[str]:
    return [sheet.columns[number].heading, *(row[number] for row in sheet.rows), *sheet.foot[number : number + 1]]


def _natural(number: int, sheet: Sheet) -> int:
    return max(map(cells, _texts(sheet, number)))


def _least(number: int, sheet: Sheet) -> int:
    """Minimum width of a wrapped column; at least that of its longest number."""
    if not sheet.columns[number].folds:
        return _natural(number, sheet)
    texts = _texts(sheet, number)
    words = max([LEAST, *(cells(word) for text in texts for word in text.split())])
    whole = max((len(piece) for text in texts for piece in re.findall(_PIECE, text)), default=0)
    return max(min(words, FOLDED, _natural(number, sheet)), whole)


def widths(sheet: Sheet, width: int) -> list[int]:
    """Width of each column of a fitted sheet; the widest names are wrapped first."""
    columns = range(len(sheet.columns))
    sizes = [_natural(number, sheet) for number in columns]
    over = sum(sizes) + GAP * (len(sizes) - 1) - width
    if over <= 0:
        return sizes
    least = [_least(number, sheet) for number in columns]
    while over > 0 and sizes != least:
        open_ = [number for number in columns if sizes[number] > least[number]]
        widest = max(open_, key=lambda number: sizes[number])
        others = (max(sizes[number], least[widest]) for number in open_ if sizes[number] < sizes[widest])
        step = min(over, sizes[widest] - max(others, default=least[widest]))
        sizes[widest] -= max(step, 1)
        over -= max(step, 1)
    lines = [[part for text in _texts(sheet, number) for part in folded(text, sizes[number])] for number in columns]
    return [max(map(cells, parts)) for parts in lines]


def cells(text: str) -> int:
    """Width of a text in terminal columns."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def folded(text: str, width: int) -> Sequence[str]:
    """Wrap a cell to `width` columns; words are broken if necessary, numbers never."""
    lines = wrapped(text, width)
    return lines if max(map(cells, lines)) <= width else [part for line in lines for part in _broken(line, width)]


def _broken(line: str, width: int) -> Iterator[str]:
    if cells(line) <= width:
        yield line
        return
    part = ""
    for piece in re.findall(_PIECE, line):
        if part and cells(part + piece) > width:
            yield part
            part = ""
        part += piece
    yield part


def wrapped(text: str, width: int) -> Sequence[str]:
    """Wrap a text to `width` columns, between words; a longer word is on its own line."""
    if cells(text) <= width and "\n" not in text:
        return [text]
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in re.findall(_WORD, paragraph):
            if line and cells(line + word) > width:
                lines.append(line)
                word = word.lstrip()
                line = ""
            line += word
        lines.append(line)
    return lines


_TITLE = r"^(convention [\w.-]+): .*?(?=; (?:shipped|includes|input|costcalc|\w+=))"  # the title of a convention
MORE = ".. (-v)"  # end of a shortened note
NATURAL = 100_000  # width of a page that is as wide as its tables


class Rules(NamedTuple):
    """Characters between columns, and characters of rules."""

    between: str
    line: str
    crossing: str
    above_foot: bool = False  # whether a rule separates rows and totals; else a blank line


FINE, ASCII = Rules("   ", "─", "───"), Rules(" | ", "-", "-+-", above_foot=True)


def render(page: Any, screen: Screen) -> str:
    """The tables and the notes."""
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
        """Lines of a table: headings, rows, totals, and the rules between them."""
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
        """Lines of a row; shorter cells are aligned at the top, or at the bottom if `low`."""
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
    """Align a text in a column of that width: numbers to the right."""
    blank = " " * (size - cells(text))
    return blank + text if column.number else text + blank


def _spared(columns: Mapping[Column, None], width: int) -> list[str]:
    """The note on dropped columns, and how to show them if possible."""
    names = dict.fromkeys(column.name or column.heading or "the bars" for column in columns)
    choose = " (--columns chooses)" if all(column.name for column in columns) else ""
    return [f"no room in {width} columns for {', '.join(names)}{choose}"] if columns else []


def one_line(note: str, width: int) -> str:
    """Shorten a note such as `convention paper: ..; input ..; alpha=1` to one line."""
    if cells(note) <= width:
        return note
    parts = re.sub(_TITLE, r"\1", note).split("; ")
    while len(parts) > 1 and cells("; ".join([*parts, MORE])) > width:
        parts.pop()
    return "; ".join([*parts, MORE])
