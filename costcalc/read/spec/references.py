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


_PART = re.compile(r"([^\[\]/]+)(?:\[([^\]]*(?:\[[^\]]*\][^\]]*)*)\])?(/|$)")  # a name, and an index with tables in it
_EVERY = re.compile(r"\[\s*\*\s*\]")


def is_every(text: str) -> bool:
    """Whether a name means all runs of a layer."""
    return bool(_EVERY.search(text))


def read(node: Node, scope: Scope, problems: Problems) -> Reference | None:
    """The reference that stands at a node; None if it is not written as one."""
    text, at = node.value.rstrip(), 0
    parts: list[tuple[str, Any]] = []
    while at < len(text):
        found = _PART.match(text, at)
        if not found:
            return None
        name, index, slash = found.groups()
        parts.append((name, _index(node, index, found.start(2), scope, problems)))
        at = found.end()
        if slash and at == len(text):
            return None
    return Reference(text, tuple(parts), node.at) if parts else None


def _index(node: Node, text: str | None, at: int, scope: Scope, problems: Problems) -> Any:
    if text is None:
        return None
    if text.strip() == "*":
        return Every()
    inner = Scope(scope.names - SHAPE_NAMES, scope.functions, scope.params, scope.words, scope.layers)
    value = args.number(args.part_of(node, text, at), inner, problems, "a number or an expression")
    return 0 if value is BAD else value
