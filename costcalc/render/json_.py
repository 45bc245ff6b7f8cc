"""A page as JSON: the contract for programs. Integers are unrounded; one layer a line."""

import json

SCHEMA_VERSION = 1


def render(page, screen):
    """One JSON document, with its rows one a line."""
    *head, (key, rows) = page.document().items()
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head]
    body = ",\n".join("  " + json.dumps(row) for row in rows)
    return "{" + ",\n ".join([*parts, f'"{key}": [\n{body}\n ]' if rows else f'"{key}": []']) + "}\n"
