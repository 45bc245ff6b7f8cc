"""Concats that repeat an earlier one and add to it, as those of DenseNet, written as a concat onto that one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...model.wiring import Graph


def nested(graph: Graph) -> Graph:
    """The graph, its concats as short as they can be: the values and the cost stay."""
    known: dict[tuple, int] = {}  # axis and sources of a concat -> its number
    nodes = []
    for number, node in enumerate(graph.nodes):
        if node.row.op.name == "concat":
            axis = node.options["axis"]
            sources = node.sources
            known.setdefault((axis, sources), number)
            node = node._replace(sources=_shortened(axis, sources, known, number))
        nodes.append(node)
    return graph._replace(nodes=nodes)


def _shortened(
    axis: int, sources: tuple[Any, ...], known: Mapping[tuple[int, tuple[Any, ...]], int], number: int
) -> tuple[Any, ...]:
    for count in range(len(sources) - 1, 0, -1):
        before = known.get((axis, sources[:count]))
        if before is not None and before != number:
            return (before, *sources[count:])
    return sources
