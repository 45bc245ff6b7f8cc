"""A report as an HTML table, for notebooks."""

from html import escape

from . import View
from .columns import BY_LAYER, COLUMNS, cell, heading, total
from .notes import notes


def render(report):
    """The layers, the totals and what they mean."""
    heads = "".join(f"<th>{escape(heading(name, report))}</th>" for name in BY_LAYER)
    rows = "".join(f"<tr>{_cells(report, line)}</tr>" for line in report.shown())
    feet = "".join(f"<th style='text-align:right'>{_foot(name, report)}</th>" for name in BY_LAYER)
    lines = "<br>".join(escape(note) for note in notes(report, View(), len(report.shown())))
    body = f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody><tfoot><tr>{feet}</tr></tfoot>"
    return f"<table>{body}</table><p>{lines}</p>"


def _cells(report, line):
    return "".join(
        f"<td style='text-align:{'right' if COLUMNS[name].number else 'left'}'>{escape(cell(name, report, line))}</td>"
        for name in BY_LAYER
    )


def _foot(name, report):
    return escape(total(report, name)) if name in ("cost", "params") else ""
