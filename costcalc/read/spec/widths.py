"""`bits: {weights: 8, activations: 8}` under `defaults:`: the widths of all values of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.storage import BITS, MOST_BITS

if TYPE_CHECKING:
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems


def defaulted(node: Node | None, problems: Problems) -> dict[str, int]:
    """The widths that the `defaults:` of a spec give."""
    pairs = node.value if node is not None and node.kind == "map" else ()
    found: dict[str, int] = {}
    for _, value in ((key, value) for key, value in pairs if key.value == "bits"):
        if value.kind != "map":
            problems.due("not-a-map", "a map of widths", value, "write {weights: 8, activations: 8}")
            continue
        found |= dict(filter(None, (_width(key, one, problems) for key, one in value.value)))
    return found


def _width(key: Node, node: Node, problems: Problems) -> tuple[str, int] | None:
    if key.value not in BITS:
        problems.unknown("width", key.value, key, BITS)
        return None
    text = str(node.value)
    if node.kind == "scalar" and text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_BITS:
        return key.value, int(text)
    problems.add("bad-value", f"`{key.value}` cannot be {node.what}", node, f"it is a number of bits, 1 to {MOST_BITS}")
    return None
