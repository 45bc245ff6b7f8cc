"""A page as Markdown tables, for pull requests and notes."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<#|~!&@$]|(?<!\S)>|:(?=[\w+-]+:|//))")  # a quote, an emoji, an address


def render(page, screen):
    """The tables and the notes under them."""
    heads = (f"**{escaped(head)}**" for head in page.heads())
    return "\n\n".join([*heads, *map(_table, page.sheets()), *map(escaped, page.notes())]) + "\n"


def escaped(text):
    """A text that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def _table(sheet):
    heads = [column.heading for column in sheet.columns]
    rules = ["---:" if column.number else ":---" for column in sheet.columns]
    rows = [[escaped(text) for text in row] for row in sheet.rows]
    foot = [[f"**{escaped(text)}**" if text else "" for text in sheet.foot]] if sheet.foot else []
    title = [f"**{escaped(sheet.title)}**\n"] if sheet.title else []
    return "\n".join([*title, *("| " + " | ".join(row) + " |" for row in [heads, rules, *rows, *foot])])
