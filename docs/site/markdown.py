"""Markdown helpers: pages, code blocks, tables, and the program's own tables."""

from collections.abc import Iterable, Sequence
from typing import Any

from costcalc.render.markdown import escaped


def page(title: str, *parts: str) -> str:
    """A page: its heading and its non-empty parts."""
    return "\n\n".join([f"# {title}", *(part.strip("\n") for part in parts if part)]) + "\n"


def block(text: str, language: str = "text") -> str:
    """A verbatim text in a fence longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """A table whose cells are Markdown; the columns numbered in `right` are right-aligned."""
    numbers = {*right}
    rules = ["--:" if at in numbers else ":--" for at in range(len(heads))]
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, rules, *(map(_cell, row) for row in rows))]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split())


def code(text: str) -> str:
    """A text as inline code, also valid in table cells."""
    mark = "``" if "`" in text else "`"
    space = " " if mark == "``" else ""
    return f"{mark}{space}{text}{space}{mark}".replace("|", "\\|")


def sheets(shown: Any) -> str:
    """The tables of an output page of the program."""
    from costcalc.render.markdown import _table

    return "\n\n".join(map(_table, shown.sheets()))


def plain(text: str) -> str:
    """A plain text with Markdown escaped, except for code between backquotes."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return "".join(f"`{part}`" if at % 2 else escaped(part) for at, part in enumerate(parts))
