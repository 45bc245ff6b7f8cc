"""A page as terminal tables, drawn by rich."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import Screen, plain
from .colors import cell
from .colors import line as colored
from .narrow import fitted, folded, widths, wrapped

if TYPE_CHECKING:
    from .sheet import Column, Sheet


_TITLE = re.compile(r"^(convention [\w.-]+): .*?(?=; (?:shipped|includes|input|costcalc|\w+=))")  # said in many words
MORE = ".. (-v)"  # where a note is cut
NATURAL = 100_000  # columns of a page that is as wide as a table needs


def render(page: Any, screen: Screen) -> str:
    """The tables and what the numbers mean."""
    sheets = page.sheets()
    if any(len(sheet.rows) > plain.ROWS for sheet in sheets):
        return plain.render(page.heads(), sheets, page.notes())
    return _text(screen, lambda console: _draw(page, sheets, console, screen))


def _text(screen: Screen, draw_on: Callable[..., Any]) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=NATURAL,  # whatever the screen has: rich cuts what is wider than its console
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


def draw(page: Any, console: Console) -> None:
    """Print a page on a rich console."""
    _draw(page, page.sheets(), console, Screen(console.width))


def _draw(page: Any, sheets: list[Sheet], console: Console, screen: Screen) -> None:
    style, width = box.ASCII if screen.ascii else box.SIMPLE_HEAD, screen.width or NATURAL
    left_out: dict[Any, Any] = {}
    for head in page.heads():
        _say(head, console, width)
    if page.heads() and sheets:
        console.print()
    for number, sheet in enumerate(sheets):
        narrow = fitted(sheet, width)
        left_out |= dict.fromkeys(narrow.left_out)
        if number:
            console.print()
        if sheet.title:
            _say(sheet.title, console, width, "bold")
        for below, part in enumerate(narrow.sheets):
            if below:
                console.print()
            console.print(_table(part, style, width, screen.color), width=NATURAL, crop=False)
    if sheets:
        console.print()
    notes = page.notes()
    if screen.brief and notes:
        notes = [*notes[:-1], one_line(notes[-1], width)]
    for note in [*_spared(left_out, width), *notes]:
        _say(note, console, width)


def _say(text: str, console: Console, width: int, style: str = "") -> None:
    for line in wrapped(text, width):
        console.print(colored(line, style) if console.color_system else Text(line, style=style), soft_wrap=True)


def _spared(columns: Mapping[Column, None], width: int) -> list[str]:
    """The line that says which columns are left out, and how to have them where that can be said."""
    names = dict.fromkeys(column.name or column.heading or "the bars" for column in columns)
    choose = " (--columns chooses)" if all(column.name for column in columns) else ""
    return [f"no room in {width} columns for {', '.join(names)}{choose}"] if columns else []


def one_line(note: str, width: int) -> str:
    """A note of parts, `convention paper: ..; input ..; alpha=1`, in one line: what it has no room for is left out."""
    if cell_len(note) <= width:
        return note
    parts = _TITLE.sub(r"\1", note).split("; ")
    while len(parts) > 1 and cell_len("; ".join([*parts, MORE])) > width:
        parts.pop()
    return "; ".join([*parts, MORE])


def _table(sheet: Sheet, style: box.Box, width: int, color: bool = False) -> Table:
    table = Table(box=style, show_footer=bool(sheet.foot), show_edge=False, pad_edge=False, footer_style="bold")
    sizes = widths(sheet, width)
    for number, column in enumerate(sheet.columns):
        table.add_column(
            Text(folded(column.heading, sizes[number])),
            footer=Text(folded(sheet.foot[number], sizes[number]) if sheet.foot else ""),
            justify="right" if column.number else "left",
            no_wrap=True,
        )
    heads = [column.heading for column in sheet.columns]
    for row in sheet.rows:
        texts = list(map(folded, row, sizes))
        table.add_row(*(map(cell, texts, heads, sizes) if color else map(Text, texts)))
    return table
