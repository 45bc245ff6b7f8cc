"""The layers of a network as lists of modules: chains, and branches side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...errors import SpecError
from ...ops import UNWRITTEN
from ..spec.items import Item
from ..spec.structure import structured
from . import grids, others
from .pieces import Flow, refused

if TYPE_CHECKING:
    from ...model.wiring import Graph, Node


RULES = {**grids.RULES, **others.RULES}
_JOINS = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "matmul": "MatMul", "concat": "Concat"}


def flat(graph: Graph) -> list[Item]:
    """The layers in one list, in whose branches no other layer is meant by its name."""
    named: set[int] = set()
    while True:
        items = structured(graph, lambda node: node.row.options, named=named)
        inner = {one.number for item in items for branch in item.lists for one in _naming(branch)}
        if not inner:
            return items
        named |= inner


def _naming(items: list[Item]) -> Iterator[Any]:
    """The layers in a list that mean others by name, where they are not the first of it."""
    for at, item in enumerate(items):
        refers = any(type(branch) is not list for branch in item.branches) or any(
            one.origin is not None for branch in item.lists for one in branch[:1]
        )
        if refers or (at and item.origin is not None):
            yield item
        for branch in item.lists:
            yield from _naming(branch)


class Assembler:
    """Turns items into modules."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def node(self, item: Item) -> Node:
        """The node of an item."""
        return self.graph.nodes[item.number]

    def chain(self, items: list[Item], flow: Flow) -> Flow:
        """Add the modules of a list of layers."""
        for item in items:
            self.layer(item, flow)
        return flow

    def layer(self, item: Item, flow: Flow) -> None:
        """Add the modules of one layer and of what follows it."""
        node = self.node(item)
        if item.lists and node.row.op.branches:
            self.joined(item, flow)
        else:
            self.single(node, flow)
        for one in item.then:
            self.single(self.node(one), flow)

    def single(self, node: Node, flow: Flow) -> None:
        """Add the modules of a layer with one input."""
        op = node.row.op.name
        if node.is_given:
            help = "say it in layers that hold as many"
            raise refused(node, "`params` says how many numbers it holds, not which", help)
        if node.table is not None:
            raise refused(node, "no module in PyTorch reads the weights of another", "`reuse` alone runs a layer again")
        if op not in RULES:
            raise unwritten(node)
        RULES[op](flow, node)
        shape = node.row.layer.shape
        flow.becomes(shape, flow.first and op != "reduce")

    def joined(self, item: Item, flow: Flow) -> None:
        """Add branches side by side, in the layout of the first."""
        node = self.node(item)
        flows = [self.chain(branch, Flow(flow.shape, flow.first)) for branch in item.lists]
        first = self.unified(node, flows)
        if item.op == "add" and len(flows) == 2 and sum(bool(one.pieces) for one in flows) == 1 and first == flow.first:
            made = Item("Residual", {}, item.name)
            made.branches = [next(one.pieces for one in flows if one.pieces)]
        else:
            kind, options = self.join(node, flows[0])
            made = Item(kind, options, item.name)
            made.branches = [one.pieces for one in flows]
        flow.pieces.append(made)
        flow.becomes(node.row.layer.shape, first)

    def unified(self, node: Node, flows: Any) -> Any:
        """Bring all branches into one layout; one of fewer axes gets axes of 1 behind the batch."""
        rank = max(len(one.shape) for one in flows)
        op = node.row.op.name
        alike = all(len(one.shape) == rank for one in flows)
        first = alike and flows[0].first and op in ("add", "sub", "mul", "div", "concat")
        for one in flows:
            one.turn(first)
            if not alike and len(one.shape) < rank and op in _JOINS:
                shape = (1,) * (rank - len(one.shape)) + one.shape
                one.add("Reshape", node.name, **others.sizes(shape))
                one.becomes(shape, False)
        return first

    def join(self, node: Node, flow: Flow) -> tuple[str, dict[str, Any]]:
        """The class that joins branches, and its options."""
        op, o = node.row.op.name, node.options
        if op == "concat":
            return "Concat", {"dim": flow.axis(others.axis_number(node.row.inputs[0], o["axis"]))}
        if op == "einsum":
            return "Einsum", {"equation": batched(o["equation"])}
        if op in _JOINS:
            return _JOINS[op], {}
        return "Join", {"by": several(node)}


def batched(equation: Any) -> Any:
    """An equation with one more letter, for the batch."""
    equation = equation.replace(" ", "")
    letter = next(one for one in "nbzABCDEFGHIJKLMNOPQRSTUVWXYZ" if one not in equation)
    left, _, result = equation.partition("->")
    return ",".join(letter + term for term in left.split(",")) + f"->{letter}{result}"


def several(node: Node) -> Any:
    """The constructor of a module with several inputs, as text."""
    op, o, inputs = node.row.op.name, node.options, node.row.inputs
    if op == "bilinear":
        bias = "" if o["bias"] else ", bias=False"
        return others.Raw(f"nn.Bilinear({inputs[0][-1]}, {inputs[1][-1]}, {o['out']}{bias})")
    if op == "attend":
        others.check_attention(node)
        shared = inputs[1][-1] * o["heads"] // inputs[0][-1]
        more = f", causal={o['causal']}" if o["causal"] else ""
        more += f", window={o['window']}" if o["window"] is not None else ""
        more += f", align={o['align']!r}".replace("'", '"') if o["align"] != "last" else ""
        return others.Raw(f"Attend({o['heads']}, {shared}{more})")
    raise unwritten(node)


def unwritten(node: Node) -> SpecError:
    """The error for an operation that no module of PyTorch has."""
    op = node.row.op.name
    why, help = UNWRITTEN.get(op, (f"`{op}` has no module in {{form}}", "say it in layers that `costcalc ops` lists"))
    return refused(node, why.format(form="PyTorch"), help)
