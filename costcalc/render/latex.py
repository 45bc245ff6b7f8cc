"""Render the main tables of a page in LaTeX (booktabs), for papers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import Screen
    from .sheet import Sheet


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{char: "\\" + char for char in "&%$#_{}"},
    **{char: "{" + char + "}" for char in "[]*"},  # after `\\` and `\midrule` they would start an option
}


def render(page: Any, screen: Screen) -> str:
    r"""One tabular per table, which needs \usepackage{booktabs}, with the notes as comments."""
    comments = [f"% {note}" for note in ("needs \\usepackage{booktabs}", *page.heads(), *page.notes())]
    shown = [sheet for number, sheet in enumerate(page.sheets()) if sheet.title or number == 0]
    return "\n".join([*comments, *(line for sheet in shown for line in _tabular(sheet))]) + "\n"


def _tabular(sheet: Sheet) -> list[str]:
    return [
        *([f"% {sheet.title}"] if sheet.title else []),
        f"\\begin{{tabular}}{{{''.join('r' if column.number else 'l' for column in sheet.columns)}}}",
        "\\toprule",
        _row(column.heading for column in sheet.columns),
        "\\midrule",
        *map(_row, sheet.rows),
        *(("\\midrule", _row(sheet.foot)) if sheet.foot else ()),
        "\\bottomrule",
        "\\end{tabular}",
    ]


def escaped(text: str) -> str:
    """Escape a text for LaTeX."""
    return "".join(_SPECIAL.get(char, char) for char in text)


def _row(cells: Iterable[str]) -> str:
    return " & ".join(escaped(text) for text in cells) + r" \\"
