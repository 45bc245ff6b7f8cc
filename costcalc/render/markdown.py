"""Render a page as Markdown tables, for pull requests and notes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import Screen
    from .sheet import Sheet


_SPECIAL = re.compile(r"([\\`*_{}\[\]<#|~!&@$]|(?<!\S)>|:(?=[\w+-]+:|//)|(?<=\bwww)\.)")  # quotes, emojis, links


def render(page: Any, screen: Screen | None) -> str:
    """The tables, followed by the notes."""
    heads = (f"**{escaped(head)}**" for head in page.heads())
    return "\n\n".join([*heads, *map(_table, page.sheets()), *map(escaped, page.notes())]) + "\n"


def escaped(text: str) -> str:
    """Escape a text for Markdown."""
    return _SPECIAL.sub(r"\\\1", text)


def _table(sheet: Sheet) -> str:
    heads = [column.heading for column in sheet.columns]
    rules = ["---:" if column.number else ":---" for column in sheet.columns]
    rows = [[escaped(text) for text in row] for row in sheet.rows]
    foot = [[f"**{escaped(text)}**" if text else "" for text in sheet.foot]] if sheet.foot else []
    title = [f"**{escaped(sheet.title)}**\n"] if sheet.title else []
    return "\n".join([*title, *("| " + " | ".join(row) + " |" for row in [heads, rules, *rows, *foot])])
