"""Texts of YAML from parts that are texts already."""

import re

_PLAIN = re.compile(r"[\w.+*/<>=() -]+$")


def quoted(text):
    """An expression as a value in brackets: in quotes where it has a comma."""
    return text if not text or (_PLAIN.match(text) and text[0] not in "*>-=") else f'"{text}"'


def mapped(options):
    """`{conv: 3x3, out: 8}`; texts that start with a bracket or quote are values already."""
    values = {key: value if value.startswith(("[", "{", '"')) else quoted(value) for key, value in options.items()}
    return "{" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}"


def listed(items):
    """`[a, b]`."""
    return f"[{', '.join(items)}]"
