"""The layers of a network as the operators of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...ops import INDEX, UNWRITTEN
from ...records import NamedTuple
from .builder import Builder, Value, refused

if TYPE_CHECKING:
    from ...model.wiring import Graph, Node
    from ...num.values import Shape


_ONE_WEIGHT = ("conv", "dwconv", "conv_transpose", "linear", "logits", "embedding", "bilinear", "parameter")
_GRIDS = ("conv", "pool")  # modules of operations that want the channels before the grid


class Network(NamedTuple):
    """A built graph: its operators and weights, and its tensors: what goes in, one per row, and what comes out."""

    builder: Builder
    inputs: list
    rows: list
    outputs: list


def built(graph: Graph) -> Network:
    """The ONNX graph of a wired network. Raises SpecError for a layer that ONNX cannot have."""
    b = Builder([node.name for node in graph.nodes] + list(graph.inputs))
    inputs = {name: _input(name, tuple(shape), graph) for name, shape in graph.inputs.items()}
    b.tables = {node.name: graph.nodes[node.table].name for node in graph.nodes if node.table is not None}
    rows: list[Value] = []
    for node in graph.nodes:
        values = [inputs[source] if type(source) is str else rows[source] for source in node.sources]
        rows.append(_row(b, node._replace(holder=graph.nodes[node.holder].name), values))
    for number in graph.unread:  # a stored tensor cannot come out by itself
        if rows[number].name in b.weights:
            rows[number] = _output(b, rows[number], graph.nodes[number].name)
    outputs = [rows[number] for number in graph.unread]
    if type(graph.output) is str:
        outputs.append(_output(b, inputs[graph.output], "output"))
    return Network(b, list(inputs.values()), rows, outputs)


def _row(b: Builder, node: Node, values: list[Value]) -> Value:
    rule = _rule(node)
    b.scope, start = node.name, len(b.operators)
    value = rule(b, node, *values)
    return value if value.name in b.weights else b.named(value, node.name, start)


def _rule(node: Node) -> Callable[..., Any]:
    op = node.row.op.name
    if node.is_given:
        raise refused(node, "`params` says how many numbers it holds, not which", "say it in layers that hold as many")
    if node.table is not None and op not in _ONE_WEIGHT:
        raise refused(node, "its weights are several tensors", "`reuse` alone runs a whole layer again")
    if INDEX[op] == "opaque":
        raise refused(node, "what `opaque` stands for cannot be exported", "say it in layers that `costcalc ops` lists")
    if op in UNWRITTEN:
        why, help = UNWRITTEN[op]
        raise refused(node, why.format(form="ONNX"), help)
    rule = import_module(f"{__package__}.{INDEX[op]}").RULES.get(op)
    if rule is None:
        raise refused(node, f"`{op}` has no form in ONNX", "say it in other layers")
    return rule


def _input(name: str, shape: Shape, graph: Graph) -> Value:
    """An input as frameworks have it: an image with its channels before the grid, indices as whole numbers."""
    readers = {node.row.op.name for node in graph.nodes if name in node.sources}
    grid = len(shape) > 2 or any(INDEX[op] in _GRIDS for op in readers)
    return Value(name, shape, grid and len(shape) > 1, "int" if readers == {"embedding"} else "float")


def _output(b: Builder, value: Value, name: str) -> Any:
    b.scope = name
    return value._replace(name=b.add("Identity", value.name))
