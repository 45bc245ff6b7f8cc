"""Render a page as JSON. Integers are not rounded; one layer per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import Screen


SCHEMA_VERSION = 1


def render(page: Any, screen: Screen) -> str:
    """One JSON document with one row per line. Rows may be an iterator, so they need not fit in memory."""
    *head, (key, rows) = page.document().items()
    return "".join(_pieces(head, key, iter(rows)))


def _pieces(head: list[tuple[str, Any]], key: str, rows: Iterator[Any]) -> Iterator[str]:
    yield "{"
    for name, value in head:
        yield f"{json.dumps(name)}: {json.dumps(value)},\n "
    yield f'"{key}": ['
    end, between = "", "\n  "
    for row in rows:
        yield between
        yield json.dumps(row)
        end, between = "\n ", ",\n  "
    yield f"{end}]}}\n"
