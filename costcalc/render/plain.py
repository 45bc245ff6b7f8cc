"""Long tables, aligned without rich, which takes half a millisecond and 8 kB for each row."""

from .columns import BY_GROUP, BY_LAYER, COLUMNS, cell, columns_of, heading, total
from .notes import notes

ROWS = 2_000  # from which on a table is drawn here


def render(report, view, lines):
    """The tables and notes of a report as plain text."""
    columns = columns_of(view, report, BY_LAYER, BY_GROUP)
    parts = [_table(report, lines, columns, view.by)]
    if view.by == "layer" and not view.columns:
        parts.append(_table(report, report.by_type(), BY_GROUP, "type"))
    return "\n\n".join([*parts, "\n".join(notes(report, view, len(lines)))]) + "\n"


def _table(report, lines, columns, title):
    heads = [title if name == "name" else heading(name, report) for name in columns]
    feet = [foot(name, number, report) for number, name in enumerate(columns)]
    rows = [[cell(name, report, line) for name in columns] for line in lines]
    widths = [max(map(len, column)) for column in zip(heads, *rows, feet, strict=True)]
    fits = [str.rjust if COLUMNS[name].number else str.ljust for name in columns]
    return "\n".join(
        "   ".join(fit(text, width) for fit, text, width in zip(fits, row, widths, strict=True)).rstrip()
        for row in [heads, ["-" * width for width in widths], *rows, feet]
    )


def foot(name, number, report):
    """The cell under a column."""
    if name in ("cost", "params"):
        return total(report, name)
    return "total" if number == 0 else ""
