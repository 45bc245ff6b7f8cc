"""A report as a Markdown table, for pull requests and notes."""

import re

from .columns import BY_GROUP, BY_LAYER, COLUMNS, cell, columns_of, heading, selected, total
from .notes import notes

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&@$:])")


def render(report, view, screen):
    """The tables and the notes under them."""
    lines = selected(report, view)
    parts = [_table(report, lines, columns_of(view, report, BY_LAYER, BY_GROUP), view.by)]
    if view.by == "layer" and not view.columns:
        parts.append(_table(report, report.by_type(), BY_GROUP, "type"))
    parts += [escaped(note) for note in notes(report, view, len(lines))]
    return "\n\n".join(parts) + "\n"


def escaped(text):
    """A text that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def _table(report, lines, columns, title):
    heads = [title if name == "name" else heading(name, report) for name in columns]
    rules = ["---:" if COLUMNS[name].number else ":---" for name in columns]
    rows = [[escaped(cell(name, report, line)) for name in columns] for line in lines]
    foot = [_foot(name, number, report) for number, name in enumerate(columns)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [heads, rules, *rows, foot])


def _foot(name, number, report):
    if name in ("cost", "params"):
        return f"**{escaped(total(report, name))}**"
    return "**total**" if number == 0 else ""
