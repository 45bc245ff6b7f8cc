"""Liveness: the tensors that a graph's outputs depend on."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Any

from .tensors import Scope, Tensor

if TYPE_CHECKING:
    from .reader import Reader


def living(graph: Any, walked: Container[int]) -> dict[str, str]:
    """Names that a graph's outputs depend on -> the last node that reads them.

    walked  ids of the graphs that run; others are branches that are not taken
    """
    found = {one.name: "the output" for one in graph.output}
    for node in reversed(graph.node):
        if any(name in found for name in node.output):
            title = node.name or next(iter(node.output), "") or node.op_type
            for name in _read(node, walked):
                found.setdefault(name, title)
    return found


def _read(node: Any, walked: Container[int]) -> Iterator[str]:
    """Names that a node reads, including those read by nested graphs."""
    yield from node.input
    for graph in (one for one in graphs_in(node) if id(one) in walked):
        for inner in graph.node:
            yield from _read(inner, walked)
        yield from (one.name for one in graph.output)


def inside(reader: Reader, node: Any, scope: Scope) -> list[Tensor]:
    """Tensors that graphs nested in a node read or store, if it is unknown which of them run."""
    found = []
    for graph in graphs_in(node):
        inner = Scope(scope)
        for proto in graph.initializer:
            reader.initializer(proto, inner)
        names = {name for one in graph.node for name in one.input}
        found += [one for one in map(inner.find, sorted(names)) if one is not None]
        found += [one for each in graph.node for one in inside(reader, each, inner)]
    return found


def graphs_in(node: Any) -> Iterator:
    """Graphs in the attributes of a node."""
    for one in node.attribute:
        if one.type == 5:
            yield one.g
        elif one.type == 10:
            yield from one.graphs
