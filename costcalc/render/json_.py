"""A page as JSON: the contract for programs. Integers are unrounded; one layer a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import Screen


SCHEMA_VERSION = 1


def render(page: Any, screen: Screen) -> str:
    """One JSON document, with its rows one a line."""
    *head, (key, rows) = page.document().items()
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head]
    body = ",\n".join("  " + json.dumps(row) for row in rows)
    return "{" + ",\n ".join([*parts, f'"{key}": [\n{body}\n ]' if rows else f'"{key}": []']) + "}\n"
