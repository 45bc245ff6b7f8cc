"""Render a page as one self-contained HTML file: the built bundle, its styles, and its data.

The data is in a script element of type JSON, which browsers do not run, with every `<`, `>` and `&` escaped. The
content security policy in the head allows only the script and the style of the bundle, by their hashes, and no
requests.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from . import Screen
from .sheet import Page, Sheet
from .text import printable, shape_text

SAFE = 2**53 - 1  # the largest integer that JavaScript represents exactly
BUILT = Path(__file__).parent / "web" / "built"
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_FILE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="costcalc">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<svg id="ns" width="0" height="0" aria-hidden="true"></svg>
<noscript><p>{title}: this page needs JavaScript; it loads nothing.</p></noscript>
<div id="app"></div>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def html_file(document: Mapping[str, Any]) -> str:
    """HTML file of a document: `kind`, `title` and the data of that kind."""
    script, style = bundle()
    hashes = f"script-src '{_hash(script)}'; style-src '{_hash(style)}'"
    policy = f"default-src 'none'; {hashes}; base-uri 'none'; form-action 'none'"
    title = escape(f"{document['title']} - costcalc")
    return _FILE.format(policy=policy, title=title, style=style, data=escaped(document), script=script)


def playground(data: Mapping[str, Any], token: str = "") -> str:
    """HTML file of the playground: `data` is its initial content, `token` authenticates it to a local engine."""
    html = (BUILT / "play.html").read_text(encoding="utf-8")
    return html.replace("TOKEN", escape(token)).replace("DATA", escaped(data))


@lru_cache(1)
def bundle() -> tuple[str, str]:
    """(script, style) as built by `npm run build`."""
    return tuple((BUILT / name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))  # type: ignore[return-value]


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def escaped(document: Any) -> str:
    """A document as JSON, with the characters escaped that are special in HTML or JavaScript."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return "".join(_ESCAPES.get(char, char) for char in text) if _ESCAPES.keys() & set(text) else text


def render(page: Page, screen: Screen) -> str:
    """Render any page as a file: its lines, its sortable tables, and its notes."""
    return html_file(of_page(page))


def of_page(page: Page) -> dict[str, Any]:
    """Document of any page."""
    from .. import __version__

    chart = page.chart() if hasattr(page, "chart") else None
    return {
        "kind": "tables",
        "version": __version__,
        "title": printable(page.title),
        "heads": page.heads(),
        "sheets": [_sheet(sheet) for sheet in page.sheets()],
        "notes": page.notes(),
        **({"chart": chart} if chart else {}),
    }


def embedded(value: Any) -> Any:
    """A value for JSON: integers that JavaScript would round become texts; texts are escaped."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -SAFE <= value <= SAFE else str(value)
    if isinstance(value, float):
        return value if abs(value) != float("inf") and value == value else str(value)
    return printable(shape_text(value) if isinstance(value, tuple) else str(value))


def _sheet(sheet: Sheet) -> dict[str, Any]:
    columns = [{"title": one.heading, "number": one.number} for one in sheet.columns]
    return {"title": sheet.title, "columns": columns, "rows": list(sheet.rows), "foot": sheet.foot}
