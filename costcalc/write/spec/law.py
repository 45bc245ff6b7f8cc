"""What a written spec must cost: what its model does, layer by layer.

A layer is what it multiplies, the numbers that it holds by kind, and how often it runs. Where all of these are equal,
cost and params are equal under every convention.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...metrics.pricing import MAC
from ...model.rows import Row
from ...model.wiring import Graph, held
from ...records import NamedTuple

if TYPE_CHECKING:
    from ...model.wiring import Graph, Node


class Cost(NamedTuple):
    """What a layer costs: multiply-adds by quantity, numbers by kind, runs, and whether another has its weights."""

    macs: tuple
    params: tuple
    times: Any
    shared: bool


def costs(nodes: list[Node]) -> Counter:
    """The costs of the layers of a graph that cost anything, and how many there are of each."""
    found = (_cost(node.row, node.table) for node in nodes)
    return Counter(one for one in found if any(one.macs) or one.params)


def _cost(row: Row, table: int | None = None) -> Cost:
    own = {kind: count for kind, count in held(row).items() if table is None or kind != "weight"}
    shared = row.shared is not None
    params = () if shared else tuple(sorted(own.items()))
    return Cost(_macs(row), params, row.times, any(_macs(row)) and not params and bool(shared or table is not None))


def _macs(row: Row) -> tuple:
    return tuple(row.layer.terms.get(name, 0) for name in MAC)


def is_conserved(graph: Graph) -> bool:
    """Whether the nodes of a graph cost what the rows of the steps do that they stand for."""
    groups: dict = {}
    for node in graph.nodes:
        for step in node.steps:
            groups.setdefault(step, node.steps[0])
    had: defaultdict[int, Counter] = defaultdict(Counter)
    have: defaultdict[int, Counter] = defaultdict(Counter)
    for step, row in enumerate(graph.rows):
        _add(had[groups[step]], row, row.shared is not None)
    for node in graph.nodes:
        _add(have[node.steps[0]], node.row, node.row.shared is not None)
    return had == have


def _add(counter: Counter, row: Row, shared: bool) -> None:
    for kind, count in () if shared else held(row).items():
        counter[kind] += count
    if any(_macs(row)):
        counter[_macs(row), row.times] += 1


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
