"""Whether the tensors of a graph are named as they must be: each made once, and made before it is read."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ...allowance import spend
from ...errors import SpecError, brief
from .living import graphs_in
from .wire import DEPTH

Error = Callable[..., SpecError]
_ORDER = "the nodes are in a circle, out of order, or one is missing"


def check(graph: Any, around: frozenset, error: Error, title: Callable[[Any], str], depth: int = 1) -> None:
    """Raise the SpecError that `error` makes for a graph, or one inside it; `around` names tensors outside of it.

    depth   how many graphs stand in each other down to this one
    """
    if depth > DEPTH:
        raise error("graphs", f"nest at most {DEPTH} deep")
    known, stored = set(around), set()
    for name in _stored(graph):
        if name in stored:
            raise error(f"initializer `{brief(name)}`", "stands there twice")
        stored.add(name)
    inputs = sorted(one.name for one in graph.input)
    twice = next((name for before, name in pairwise(inputs) if name == before), None)
    if twice is not None:
        raise error(f"input `{brief(twice)}`", "stands there twice")
    made = stored.union(inputs, ("",))  # "" is an input or output that is left out
    spend(5 * len(graph.node))
    for node in graph.node:
        if not made.issuperset(node.input):
            missing = next((name for name in node.input if name not in made and name not in known), None)
            if missing is not None:
                message = f"reads `{brief(str(missing))}`, which nothing before it makes"
                raise error(f"node {title(node)}", message, _ORDER)
        for inner in graphs_in(node) if node.attribute else ():
            check(inner, frozenset(known | made), error, title, depth + 1)
        for name in node.output:
            if name in made and name:
                raise error(f"node {title(node)}", f"makes `{brief(str(name))}`, which is made before it")
            made.add(name)
    for one in graph.output:
        if one.name not in made:
            why = "which is a tensor outside of it" if one.name in known else "which nothing before it makes"
            raise error("the graph's output", f"reads `{brief(str(one.name))}`, {why}", _ORDER)


def _stored(graph: Any) -> list:
    return [*(one.name for one in graph.initializer), *(one.values.name for one in graph.sparse_initializer)]
