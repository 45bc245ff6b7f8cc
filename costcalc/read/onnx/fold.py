"""Constant folding: what a graph computes from shapes and small constants, to know shapes."""

from ... import limits
from ...errors import Refused
from .elementwise import ELEMENTWISE
from .moving import MOVES, split
from .reducing import REDUCED, top_k


def folded(node):
    """The outputs of a node whose inputs are all known, or None if it is not one that is folded."""
    rule = RULES.get(node.op)
    if rule is None or not node.inputs or any(one is not None and one.value is None for one in node.inputs):
        return None
    if sum(one.size for one in node.inputs if one is not None) > limits.FOLDED:
        return None
    found = rule(node)
    if found is None or any(len(one.value) > limits.FOLDED for one in found):
        return None
    if any(type(value) is int and abs(value) > limits.TOTAL for one in found for value in one.value):
        raise Refused("its result is too large to be a size")
    roots = frozenset().union(*(one.roots for one in node.inputs if one is not None))
    return [one._replace(roots=roots) for one in found]


def _one(rule):
    """A rule with one output."""

    def outputs(node):
        found = rule(node)
        return None if found is None else [found]

    return outputs


RULES = {
    **{name: _one(rule) for name, rule in {**ELEMENTWISE, **MOVES, **REDUCED}.items()},
    "Split": split,
    "TopK": top_k,
}
