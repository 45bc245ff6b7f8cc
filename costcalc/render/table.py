"""A page as tables for a terminal, drawn by rich."""

import io

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import plain

NATURAL = 100_000  # columns of a page that is as wide as a table needs
LEAST = 12  # columns to which words are set, when there is no room
FOLDED = 24  # columns to which long names are folded, when there is no room


def render(page, screen):
    """The tables and what the numbers mean."""
    sheets = page.sheets()
    if any(len(sheet.rows) > plain.ROWS for sheet in sheets):
        return plain.render(page.heads(), sheets, page.notes())
    return _text(screen, lambda console: _draw(page, sheets, console, screen.ascii))


def _text(screen, draw_on):
    out = io.StringIO()
    console = Console(
        file=out,
        width=screen.width or NATURAL,
        height=100,
        force_terminal=screen.color,
        color_system="standard" if screen.color else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    draw_on(console)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def draw(page, console):
    """Print a page on a rich console."""
    _draw(page, page.sheets(), console)


def _draw(page, sheets, console, ascii_only=False):
    style = box.ASCII if ascii_only else box.SIMPLE_HEAD
    spared = []
    for head in page.heads():
        _say(head, console)
    if page.heads() and sheets:
        console.print()
    for number, sheet in enumerate(sheets):
        narrow = fitting(sheet, console.width)
        if number:
            console.print()
        else:
            spared = [column for column in sheet.columns if column not in narrow.columns]
        if sheet.title:
            _say(sheet.title, console, "bold")
        # what still has no room goes over the edge: a terminal wraps it, and no number is cut
        console.print(_table(narrow, style), width=max(console.width, _width(narrow)), crop=False, overflow="ignore")
    if sheets:
        console.print()
    for note in [*_spared(spared, console.width), *page.notes()]:
        _say(note, console)


def _say(text, console, style=""):
    console.print(Text(text, style=style, overflow="fold"), soft_wrap=console.width == NATURAL)


def _spared(columns, width):
    """The line that says which columns are left out, and how to have them where that can be said."""
    names = ", ".join(column.name or column.heading for column in columns)
    choose = " (--columns chooses)" if all(column.name for column in columns) else ""
    return [f"no room in {width} columns for {names}{choose}"] if columns else []


def fitting(sheet, width):
    """The sheet without the columns for which there is no room, so that no name and no number is cut."""
    if width == NATURAL:
        return sheet
    spared: set[int] = set()
    for number in sorted(range(len(sheet.columns)), key=lambda number: sheet.columns[number].spare):
        if sheet.columns[number].spare and _width(sheet.without(spared)) > width:
            spared.add(number)
    return sheet.without(spared) if spared else sheet


def _width(sheet):
    """The columns of a terminal that a sheet needs at least."""
    return sum(_needed(sheet, number) + 3 for number in range(len(sheet.columns))) - 3


def _needed(sheet, number):
    column = sheet.columns[number]
    texts = [column.heading, *(row[number] for row in sheet.rows), *(sheet.foot[number : number + 1])]
    if column.folds:
        words = [word for text in texts for word in text.split()]
        return min(max([LEAST, *map(cell_len, words)]), FOLDED, max(map(cell_len, texts)))
    return max(map(cell_len, texts))


def _table(sheet, style):
    table = Table(box=style, show_footer=bool(sheet.foot), show_edge=False, pad_edge=False, footer_style="bold")
    for number, column in enumerate(sheet.columns):
        table.add_column(
            Text(column.heading),
            footer=Text(sheet.foot[number] if sheet.foot else ""),
            justify="right" if column.number else "left",
            no_wrap=not column.folds,
            overflow="fold",
        )
    for row in sheet.rows:
        table.add_row(*map(Text, row))
    return table
