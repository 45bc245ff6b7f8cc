"""A report as a table for a terminal, drawn by rich."""

import io

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .columns import BY_GROUP, BY_LAYER, COLUMNS, cell, columns_of, heading, selected, total
from .notes import notes

NATURAL = 100_000  # columns of a page that is as wide as a table needs


def render(report, view, screen):
    """The table, the breakdown by layer type, the totals, and what the numbers mean."""
    return _text(screen, lambda console: draw(report, view, console, screen.ascii))


def drawn(table, screen):
    """The text of one rich table."""
    return _text(screen, lambda console: console.print(table))


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
    text = out.getvalue().replace("…", "~") if screen.ascii else out.getvalue()  # rich marks what it cuts off with `…`
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def draw(report, view, console, ascii_only=False):
    """Print a report on a rich console."""
    style = box.ASCII if ascii_only else box.SIMPLE_HEAD
    lines = selected(report, view)
    columns = columns_of(view, report, BY_LAYER, BY_GROUP)
    console.print(_table(report, lines, columns, style, view.by))
    if view.by == "layer" and not view.columns:
        console.print()
        console.print(_table(report, report.by_type(), BY_GROUP, style, "type"))
    console.print()
    for note in notes(report, view, len(lines)):
        console.print(Text(note, overflow="fold"), soft_wrap=console.width == NATURAL)


def _table(report, lines, columns, style, title):
    table = Table(box=style, show_footer=True, show_edge=False, pad_edge=False, footer_style="bold")
    for number, name in enumerate(columns):
        column = COLUMNS[name]
        table.add_column(
            Text(title if name == "name" else heading(name, report)),
            footer=Text(_footer(name, number, report)),
            justify="right" if column.number else "left",
            no_wrap=name != "name",
            overflow="fold" if name == "name" else "ellipsis",
        )
    for line in lines:
        table.add_row(*(Text(cell(name, report, line)) for name in columns))
    return table


def _footer(name, number, report):
    if name in ("cost", "params"):
        return total(report, name)
    return "total" if number == 0 else ""
