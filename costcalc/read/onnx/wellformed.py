"""Whether the tensors of a graph are named as they must be: each made once, and made before it is read."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ...allowance import spend
from ...errors import SpecError, brief

Error = Callable[..., SpecError]
_ORDER = "the nodes are in a circle, out of order, or one is missing"


def check(graph: Any, around: frozenset, error: Error, title: Callable[[Any], str]) -> None:
    """Raise the SpecError that `error` makes for a graph, or one inside it; `around` names tensors outside of it.

    Graphs nest as deep as `wire` lets them.
    """
    known, stored = set(around), set()
    for name in _stored(graph):
        if name in stored:
            raise error(f"initializer `{brief(name)}`", "stands there twice")
        stored.add(name)
    inputs = sorted(one.name for one in graph.input)
    twice = next((name for before, name in pairwise(inputs) if name == before), None)
    if twice is not None:
        raise error(f"input `{brief(twice)}`", "stands there twice")
    made = stored.union(inputs)
    for node in graph.node:
        _check_node(node, known, made, error, title)
    for one in graph.output:
        if one.name not in made:
            why = "which is a tensor outside of it" if one.name in known else "which nothing before it makes"
            raise error("the graph's output", f"reads `{brief(str(one.name))}`, {why}", _ORDER)


def _stored(graph: Any) -> list:
    return [*(one.name for one in graph.initializer), *(one.values.name for one in graph.sparse_initializer)]


def _check_node(node: Any, known: set, made: set, error: Error, title: Callable[[Any], str]) -> None:
    spend(5)
    for name in node.input:
        if name and name not in made and name not in known:
            raise error(f"node {title(node)}", f"reads `{brief(str(name))}`, which nothing before it makes", _ORDER)
    for one in node.attribute:
        for inner in (*([one.g] if one.type == 5 else ()), *one.graphs):
            check(inner, frozenset(known | made), error, title)
    for name in node.output:
        if name and name in made:
            raise error(f"node {title(node)}", f"makes `{brief(str(name))}`, which is made before it")
        made.add(name)
