"""The receptive field of a layer as a sum over the windows before it."""

from __future__ import annotations

from ...model.field import fields, terms
from ...model.rows import Row
from ...render.text import printable, shape_text
from ..report.report import Report

MOST = 24  # windows of one sum that are shown


def field_text(report: Report, row: Row) -> str:
    """The field of what a layer makes, and how it grows; nothing where it is not known."""
    found = report.fields.get(row.name)
    if found is None or not found.axes:
        return ""
    size, stride, padding = (shape_text(part) for part in (found.size, found.stride, found.padding))
    whole = "whole input; without global layers " if found.whole else ""
    aligned = "" if found.aligned else ", branches with different centres"
    head = f"receptive field of {printable(row.name)}: {whole}{size}, stride {stride}, padding {padding}{aligned}"
    number = next(at for at, line in enumerate(report.lines) if line.name == row.name)
    chain = terms(report.trace, fields(report.trace), number)
    if not 0 < len(chain) <= MOST:
        return head
    return f"{head}\n  {found.size[0]} = {' + '.join(['1', *(f'{more}*{step}' for _, more, step in chain)])}"
