"""A page's main table in HTML, for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .sheet import Sheet


def render(page: Any) -> str:
    """The rows, the totals and what they mean."""
    sheet = page.sheets()[0]
    titles = "".join(f"<th>{escape(column.heading)}</th>" for column in sheet.columns)
    rows = "".join(f"<tr>{_cells('td', sheet, row)}</tr>" for row in sheet.rows)
    feet = f"<tfoot><tr>{_cells('th', sheet, sheet.foot)}</tr></tfoot>" if sheet.foot else ""
    body = f"<thead><tr>{titles}</tr></thead><tbody>{rows}</tbody>{feet}"
    heads = "".join(f"<p><b>{escape(head)}</b></p>" for head in page.heads())
    return f"{heads}<table>{body}</table><p>{'<br>'.join(map(escape, page.notes()))}</p>"


def _cells(tag: Any, sheet: Sheet, texts: Any) -> Any:
    return "".join(
        f"<{tag} style='text-align:{'right' if column.number else 'left'}'>{escape(text)}</{tag}>"
        for column, text in zip(sheet.columns, texts, strict=True)
    )
