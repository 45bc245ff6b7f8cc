"""Names of layers with the number of a run: `down[levels - 1 - i]/skip`, or with all of them: `down[*]/skip`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...model.network import Every, Reference
from ...model.scope import SHAPE_NAMES
from . import args
from .args import BAD, Scope

if TYPE_CHECKING:
    from ...syntax.nodes import Node
    from ...syntax.problems import Problems


_EVERY = re.compile(r"\[\s*\*\s*\]")


def is_every(text: str) -> bool:
    """Whether a name means all runs of a layer."""
    return bool(_EVERY.search(text))


def read(node: Node, scope: Scope, problems: Problems) -> Reference | None:
    """The reference that stands at a node; None if it is not written as one."""
    text, at = node.value.rstrip(), 0
    parts: list[tuple[str, Any]] = []
    while at <= len(text):
        end = _end(text, at)
        name, bracket, index = text[at:end].partition("[")
        if not name or "]" in name or (bracket and not index.endswith("]")):
            return None
        found = _index(node, index[:-1], at + len(name) + 1, scope, problems) if bracket else None
        parts.append((name, found))
        at = end + 1
    return Reference(text, tuple(parts), node.at)


def _end(text: str, at: int) -> int:
    """Where the part of a path ends that starts there: a `/` inside of brackets is a division."""
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] == "[") - (text[place] == "]")
        if text[place] == "/" and not depth:
            return place
    return len(text)


def _index(node: Node, text: str, at: int, scope: Scope, problems: Problems) -> Any:
    if text.strip() == "*":
        return Every()
    inner = Scope(scope.names - SHAPE_NAMES, scope.functions, scope.params, scope.words, scope.layers)
    value = args.number(args.part_of(node, text, at), inner, problems, "a number or an expression")
    return 0 if value is BAD else value
