"""The key `bits: {weights: 8, activations: 8}`, under `defaults:` or on a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...model.storage import BITS, CHANNEL, MOST_BATCH, MOST_BITS, NONE, Widths

if TYPE_CHECKING:
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems

STATED = ("weights", "activations", "bias")  # on a layer, block or group


def defaulted(node: Node | None, problems: Problems) -> dict[str, int]:
    """Read the widths under `defaults:` of a spec."""
    pairs = node.value if node is not None and node.kind == "map" else ()
    found: dict[str, int] = {}
    for _, value in ((key, value) for key, value in pairs if key.value == "bits"):
        found |= _widths(value, BITS, problems)
    return found


def of_input(node: Node, problems: Problems) -> tuple[Node, int]:
    """Split an input into shape and bits: `{shape: [128], bits: 64}`, or `bits` beside the names of the axes."""
    found = [(key, value) for key, value in node.value if key.value == "bits"]
    bits = _width(*found[0], ("bits",), problems)
    rest = [(key, value) for key, value in node.value if key.value != "bits"]
    shape = rest[0][1] if len(rest) == 1 and rest[0][0].value == "shape" else node._replace(value=rest)
    return shape, bits[1] if bits is not None else 0


def layered(node: Node, problems: Problems) -> Widths:
    """Read the widths of a layer, block or group."""
    return Widths(**_widths(node, STATED, problems))


def _widths(node: Node, known: tuple[str, ...], problems: Problems) -> dict[str, int]:
    if node.kind != "map":
        problems.due("not-a-map", "a map of widths", node, "write {weights: 8, activations: 8}")
        return {}
    return dict(filter(None, (_width(key, one, known, problems) for key, one in node.value)))


def _width(key: Node, node: Node, known: tuple[str, ...], problems: Problems) -> tuple[str, int] | None:
    if key.value not in known:
        problems.unknown("width", key.value, key, known)
        return None
    text, name = str(node.value), key.value
    least, most = int(name not in NONE), MOST_BATCH if name == "group" else MOST_BITS
    if node.kind == "scalar" and name == "group" and text == "channel":
        return name, CHANNEL
    if node.kind == "scalar" and text.isascii() and text.isdigit() and least <= int(text[:9]) <= most:
        return name, int(text)
    help = (
        "it is a number of weights, or `channel`" if name == "group" else f"it is a number of bits, {least} to {most}"
    )
    problems.add("bad-value", f"`{name}` cannot be {node.what}", node, help)
    return None


def schema(layer: bool = False) -> dict[str, Any]:
    """JSON Schema of widths, for a layer or for `defaults:`."""
    width = {"type": "integer", "minimum": 1, "maximum": MOST_BITS}
    others = {**{key: {**width, "minimum": 0} for key in NONE}, "group": {"type": ["integer", "string"]}}
    known = {name: others.get(name, width) for name in (STATED if layer else BITS)}
    return {"type": "object", "additionalProperties": False, "properties": known}
