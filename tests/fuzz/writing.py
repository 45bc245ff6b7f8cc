"""Build YAML texts from text parts."""

import re

_PLAIN = re.compile(r"[\w.+*/<>=() -]+$")


def quoted(text):
    """An expression as a value in a flow collection, quoted if it contains a comma."""
    return text if not text or (_PLAIN.match(text) and text[0] not in "*>-=") else f'"{text}"'


def mapped(options):
    """A flow map: `{conv: 3x3, out: 8}`; texts that start with a bracket or quote are used as they are."""
    values = {key: value if value.startswith(("[", "{", '"')) else quoted(value) for key, value in options.items()}
    return "{" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}"


def listed(items):
    """A flow list: `[a, b]`."""
    return f"[{', '.join(items)}]"
