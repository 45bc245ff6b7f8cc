"""A report as a table for a terminal, drawn by rich."""

import io

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import plain
from .columns import BY_GROUP, BY_LAYER, COLUMNS, cell, columns_of, heading, public, selected, total
from .notes import notes

NATURAL = 100_000  # columns of a page that is as wide as a table needs
FOLDED = 24  # columns to which long names are folded, when there is no room
SPARED = ("kernel", "input", "params_share", "cost_share", "layers", "type", "output")  # first to go, from the left


def render(report, view, screen):
    """The table, the breakdown by layer type, the totals, and what the numbers mean."""
    lines = selected(report, view)
    if len(lines) > plain.ROWS:
        return plain.render(report, view, lines)
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
    wanted = columns_of(view, report, BY_LAYER, BY_GROUP)
    columns = wanted if view.columns else fitting(report, lines, wanted, console.width)
    console.print(_table(report, lines, columns, style, view.by))
    if view.by == "layer" and not view.columns:
        types = report.by_type()
        console.print()
        console.print(_table(report, types, fitting(report, types, BY_GROUP, console.width), style, "type"))
    console.print()
    spared = [public(name, report) for name in wanted if name not in columns]
    narrow = [f"no room in {console.width} columns for {', '.join(spared)} (--columns chooses)"] if spared else []
    for note in [*narrow, *notes(report, view, len(lines))]:
        console.print(Text(note, overflow="fold"), soft_wrap=console.width == NATURAL)


def fitting(report, lines, columns, width):
    """Those of the columns that have room side by side, so that no name and no number is cut."""
    if width == NATURAL:
        return columns
    needed = {
        name: max([len(heading(name, report)), *(cell_len(cell(name, report, line)) for line in lines)])
        for name in columns
    }
    needed |= {name: max(needed[name], len(total(report, name))) for name in ("cost", "params") if name in needed}
    needed["name"] = min(needed["name"], FOLDED)
    kept = list(columns)
    for name in SPARED:
        if name in kept and sum(needed[each] + 3 for each in kept) - 3 > width:
            kept.remove(name)
    return tuple(kept)


def _table(report, lines, columns, style, title):
    table = Table(box=style, show_footer=True, show_edge=False, pad_edge=False, footer_style="bold")
    for number, name in enumerate(columns):
        column = COLUMNS[name]
        table.add_column(
            Text(title if name == "name" else heading(name, report)),
            footer=Text(plain.foot(name, number, report)),
            justify="right" if column.number else "left",
            no_wrap=name != "name",
            overflow="fold" if name == "name" else "ellipsis",
        )
    for line in lines:
        table.add_row(*(Text(cell(name, report, line)) for name in columns))
    return table
