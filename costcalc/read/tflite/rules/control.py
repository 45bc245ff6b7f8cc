"""Subgraphs: branches with a constant condition, and loops with a known number of runs."""

from __future__ import annotations

from typing import Any

from .... import limits
from ....errors import Refused
from ....num import ceil_div
from ...onnx.node import Node, Unknown
from ...onnx.tensors import Outputs, Scope, Tensor
from . import reader, rule


@rule("IF", options="IfOptions", takes_scope=True, multiplies=True)
def if_(node: Node, scope: Scope) -> Outputs:
    """The branch of a constant condition."""
    condition = node.need(0).value
    if condition is None or condition[0] is None:
        raise Unknown
    branch = "ThenSubgraphIndex" if condition[0] else "ElseSubgraphIndex"
    return walked(node, node.attributes[branch], node.inputs[1:])


@rule("CALL", options="CallOptions", takes_scope=True, multiplies=True)
def call(node: Node, scope: Scope) -> Outputs:
    """A subgraph, applied to the inputs."""
    return walked(node, node.attributes["Subgraph"], node.inputs)


@rule("STABLEHLO_COMPOSITE", options="StableHLOCompositeOptions", takes_scope=True, multiplies=True)
def composite(node: Node, scope: Scope) -> Outputs:
    """An operation that the file also contains as a subgraph."""
    return walked(node, node.attributes["DecompositionSubgraphIndex"], node.inputs)


@rule("WHILE", options="WhileOptions", takes_scope=True, multiplies=True)
def while_(node: Node, scope: Scope) -> Outputs:
    """A loop with a known number of runs: its body, counted that many times. Tensors that change shape are unknown."""
    body = node.attributes["BodySubgraphIndex"]
    times = _runs(node, node.attributes["CondSubgraphIndex"], body)
    walk, outer = reader(node), node.reader.times
    kept = walk.kept(body)
    node.settings = frozenset(at for at, one in enumerate(node.inputs) if at not in kept and _is_filled(one))
    inputs = [one if at in kept else _any(one) for at, one in enumerate(node.inputs)]
    walk.times = outer * times
    try:
        found = walked(node, body, inputs)
    finally:
        walk.times = outer
    if any(one.shape != given.shape for one, given in zip(found, node.inputs, strict=True)):
        raise Unknown
    return [node.inputs[at] if at in kept else _any(one) for at, one in enumerate(found)]


def _any(one: Any) -> Tensor:
    """Tensor of known shape whose value differs between runs."""
    return one._replace(value=None, roots=None)


def _is_filled(one: Any) -> bool:
    """Whether a constant repeats one number: an initial state, which is not trained."""
    return bool(one.roots and one.value) and len(set(one.value)) == 1


def walked(node: Node, graph: int, inputs: Any) -> Any:
    """Outputs of a subgraph."""
    walk = reader(node)
    if len(walk.open) > limits.BLOCK_DEPTH:
        raise Refused(f"subgraphs run each other more than {limits.BLOCK_DEPTH} deep")
    return walk.subgraph(graph, inputs)


def _runs(node: Node, condition: int, body: int) -> int:
    """Number of runs of a loop: the minimum over the comparisons in its condition."""
    found = [_count(node, place, most, body) for place, most in reader(node).bounds(condition, node.inputs)]
    if not found:
        raise Unknown
    return min(found)


def _count(node: Node, place: int, most: int, body: int) -> int:
    """Number of runs of a body that adds a constant to the input at `place`, while that is below `most`."""
    start, step = node.inputs[place].value, reader(node).step(body, place)
    if start is None or step is None or step <= 0 or not isinstance(start[0], int):
        raise Unknown
    return max(ceil_div(most - start[0], step), 0)
