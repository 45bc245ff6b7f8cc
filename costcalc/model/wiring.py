"""The graph of a network: the rows of a walk as nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..records import NamedTuple
from .holding import holder_of
from .network import Model
from .rows import Row
from .trace import trace


class Node(NamedTuple):
    """A row as a node of a graph."""

    row: Row
    name: str
    sources: tuple  # of each input of the row: the number of a node, or the name of an input
    holder: int  # the node whose weights it uses: its own number, unless it runs an earlier layer again
    table: int | None = None  # the node whose weights it reads, where it has other numbers or is another operation
    steps: tuple = ()  # the numbers of the steps that it stands for, where those state their inputs

    @property
    def options(self) -> dict[str, Any]:
        """Every option of the operation, the defaults filled in."""
        return {**{name: one.default for name, one in self.row.op.options.items()}, **self.row.options}

    @property
    def is_given(self) -> bool:
        """Whether it holds other numbers than its rule says, and no other layer has them."""
        shares = self.row.shared is not None or self.table is not None
        return not shares and held(self.row) != counted(self.row)


class Graph(NamedTuple):
    """A network as nodes in the order they run, its inputs, and what its output comes from."""

    nodes: list
    inputs: Mapping[str, tuple]
    output: Any
    rows: Sequence = ()  # of the steps that the nodes stand for, where those state their inputs

    @property
    def unread(self) -> list[int]:
        """The numbers of the nodes that no node reads: what the network gives, its output last."""
        read = {source for node in self.nodes for source in node.sources}
        loose = [number for number in range(len(self.nodes)) if number not in read and number != self.output]
        return [*loose, self.output] if type(self.output) is int else loose


def wired(model: Model, values: Mapping[str, Any]) -> Graph:
    """The graph of a model's layers over `values`. Raises SpecError as `trace` does."""
    walked = trace(model, values)
    nodes = [
        Node(row, row.name, row.sources, holder_of(walked.rows, number), row.table)
        for number, row in enumerate(walked.rows)
    ]
    return Graph(nodes, walked.inputs, walked.source)


def counted(row: Row) -> dict:
    """The numbers by kind that the rule of a row says."""
    joined = {name: row.inputs for name in row.op.branches if row.op.options[name].required}
    found = row.op.rule(*row.inputs[: row.op.takes_input], **{**joined, **row.options}).params
    return {kind: count for kind, count in found.items() if count}


def held(row: Row) -> dict:
    """The numbers by kind that a row holds."""
    return {kind: count for kind, count in row.layer.params.items() if count}


def beyond(row: Row) -> dict:
    """The numbers by kind that a row holds beyond those of its rule: of what it reads."""
    rule = counted(row)
    more = {kind: count - rule.get(kind, 0) for kind, count in held(row).items()}
    return {kind: count for kind, count in more.items() if count > 0}


def lacking(row: Row, others: dict) -> Row:
    """The row without numbers that something else holds."""
    own = {kind: count - others.get(kind, 0) for kind, count in held(row).items()}
    return row._replace(layer=row.layer._replace(params={kind: count for kind, count in own.items() if count}))


class Owner:
    """Which node holds the numbers of a step by its name, while a graph grows."""

    def __init__(self, nodes: list) -> None:
        self.nodes, self.names = nodes, dict[str, int]()

    def note(self, name: str, number: int) -> None:
        """Note the node of a step; of those of one name, the first."""
        self.names.setdefault(name, number)

    def find(self, name: str) -> int | None:
        """The node that holds the numbers of a step of that name."""
        number = self.names.get(name)
        return None if number is None else self.nodes[number].holder

    def given(self, node: Node, number: int, whose: int | None) -> Node:
        """A node that knows which other has its numbers, where one has them all."""
        if whose is None:
            return node._replace(row=node.row._replace(shared=None))
        rule, other = counted(node.row), self.nodes[whose].row
        same = node.row.op is other.op and not node.row.op.branches and node.row.options == other.options
        if same and rule and rule == counted(other):
            return node._replace(holder=whose, row=node.row._replace(layer=node.row.layer._replace(params=rule)))
        table = self.table(whose)
        if table is not None and {*rule} == {"weight"} and held(self.nodes[table].row)["weight"] == rule["weight"]:
            return node._replace(table=table)
        return node._replace(row=node.row._replace(shared=None))

    def table(self, number: int) -> int | None:
        """The node that holds the weights: a step, or the parameter that it reads."""
        sources = [one for one in self.nodes[number].sources if type(one) is int and not self.nodes[one].sources]
        every = [one for one in (number, *sources) if held(self.nodes[one].row).get("weight")]
        return every[0] if len(every) == 1 else None

    def parameter(self, whose: int | None, shapes: list) -> int | None:
        """The parameter that an earlier step reads, where this one reads the same."""
        sources = [] if whose is None else self.nodes[whose].sources
        free = [one for one in sources if type(one) is int and self.nodes[one].row.op.name == "parameter"]
        alike = [one for one in free if len(shapes) == 1 and self.nodes[one].row.layer.shape == shapes[0]]
        return alike[0] if len(free) == len(alike) == 1 else None
