"""Render a page in HTML for notebooks: styled, sortable by headings, shares as bars, without external resources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sheet import Page, Sheet

_STYLE = (
    ".costcalc table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    ".costcalc caption{text-align:left;font-weight:bold}"
    ".costcalc th,.costcalc td{padding:2px 8px;text-align:left}"
    ".costcalc thead th{border-bottom:1px solid currentColor;cursor:pointer}"
    ".costcalc tfoot th{border-top:1px solid currentColor}"
    ".costcalc .number{text-align:right}"
    ".costcalc .note{opacity:.7;font-size:85%}"
)
# A click on a heading sorts the rows by it, numbers by value; another click reverses the order.
_SORT = (
    "var h=event.target.closest('th');if(h){"
    "var t=h.closest('table').tBodies[0],i=h.cellIndex,d=h.dataset.d=h.dataset.d=='1'?'-1':'1';"
    "var v=function(r){var c=r.cells[i];return c.dataset.v===undefined?c.textContent:+c.dataset.v};"
    "Array.from(t.rows).sort(function(a,b){var x=v(a),y=v(b);return (y>x?-1:x>y?1:0)*d})"
    ".forEach(function(r){t.appendChild(r)})}"
)
_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?([eE][+-]?\d+)?")
_PERCENT = re.compile(r"(\d+(\.\d+)?) %")
_SCALES = {"k": 1e3, "M": 1e6, "G": 1e9}


def render(page: Page) -> str:
    """The lines above, the tables, and the notes."""
    heads = "".join(f"<p><b>{escape(head)}</b></p>" for head in page.heads() if head)
    tables = "".join(map(_table, page.sheets()))
    notes = "<br>".join(map(escape, page.notes()))
    return f"<div class='costcalc'><style>{_STYLE}</style>{heads}{tables}<p class='note'>{notes}</p></div>"


def _table(sheet: Sheet) -> str:
    titles = "".join(f"<th{_class(column.number)}>{escape(column.heading)}</th>" for column in sheet.columns)
    rows = "".join(f"<tr>{_cells('td', sheet, row)}</tr>" for row in sheet.rows)
    feet = f"<tfoot><tr>{_cells('th', sheet, sheet.foot)}</tr></tfoot>" if sheet.foot else ""
    title = f"<caption>{escape(sheet.title)}</caption>" if sheet.title else ""
    head = f'<thead onclick="{_SORT}"><tr>{titles}</tr></thead>'
    return f"<table>{title}{head}<tbody>{rows}</tbody>{feet}</table>"


def _cells(tag: str, sheet: Sheet, texts: Sequence[str]) -> str:
    return "".join(
        f"<{tag}{_class(column.number)}{_value(text) if column.number else ''}{_bar(text) if tag == 'td' else ''}>"
        f"{escape(text)}</{tag}>"
        for column, text in zip(sheet.columns, texts, strict=True)
    )


def _class(number: bool) -> str:
    return " class='number'" if number else ""


def _value(text: str) -> str:
    """Sort key of a number cell: its number, or less than any number."""
    match = _NUMBER.search(text)
    scale = _SCALES.get(text[match.end() : match.end() + 1], 1) if match else 1
    number = float(match[0].replace(",", "")) * scale if match else float("-inf")
    return f" data-v='{'-Infinity' if match is None else format(number, '.17g')}'"


def _bar(text: str) -> str:
    """Style of a bar behind a share of a total."""
    share = _PERCENT.fullmatch(text)
    if share is None:
        return ""
    width = f"{min(float(share[1]), 100):.2f}%"
    return f" style='background:linear-gradient(90deg,#4c8bf540 {width},transparent {width})'"
