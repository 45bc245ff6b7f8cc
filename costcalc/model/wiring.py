"""The graph of a network: the rows of a trace as nodes."""

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
    sources: tuple  # for each input of the row: the number of a node, or the name of an input
    holder: int  # the node that holds its weights: itself, unless it runs an earlier layer again
    table: int | None = None  # the node whose weights it reads, if it has other parameters or is another operation
    steps: tuple = ()  # the numbers of the steps it represents, if those state their inputs

    @property
    def options(self) -> dict[str, Any]:
        """All options of the operation, including defaults."""
        return {**{name: one.default for name, one in self.row.op.options.items()}, **self.row.options}

    @property
    def is_given(self) -> bool:
        """Whether its parameters differ from its rule without being shared with another layer."""
        shares = self.row.shared is not None or self.table is not None
        return not shares and held(self.row) != counted(self.row)


class Graph(NamedTuple):
    """A network as nodes in execution order, its inputs, and the source of its output."""

    nodes: list
    inputs: Mapping[str, tuple]
    output: Any
    rows: Sequence = ()  # the rows of the steps that the nodes represent, if those state their inputs

    @property
    def unread(self) -> list[int]:
        """The nodes that no node reads, which are the outputs of the network; the main output is last."""
        read = {source for node in self.nodes for source in node.sources}
        loose = [number for number in range(len(self.nodes)) if number not in read and number != self.output]
        return [*loose, self.output] if type(self.output) is int else loose


def wired(model: Model, values: Mapping[str, Any]) -> Graph:
    """The graph of a model's layers for `values`. Raises SpecError like `trace`."""
    walked = trace(model, values)
    nodes = [
        Node(row, row.name, row.sources, holder_of(walked.rows, number), row.table)
        for number, row in enumerate(walked.rows)
    ]
    return Graph(nodes, walked.inputs, walked.source)


def counted(row: Row) -> dict:
    """The parameters by kind according to a row's rule."""
    joined = {name: row.inputs for name in row.op.branches if row.op.options[name].required}
    params = row.op.rule(*row.inputs[: row.op.takes_input], **{**joined, **row.options}).params
    return {kind: count for kind, count in params.items() if count}


def held(row: Row) -> dict:
    """The parameters by kind that a row holds."""
    return {kind: count for kind, count in row.layer.params.items() if count}


def beyond(row: Row) -> dict:
    """The parameters by kind that a row holds in addition to its rule: those of the constants it reads."""
    rule = counted(row)
    more = {kind: count - rule.get(kind, 0) for kind, count in held(row).items()}
    return {kind: count for kind, count in more.items() if count > 0}


def lacking(row: Row, others: dict) -> Row:
    """The row without the parameters that another row holds."""
    own = {kind: count - others.get(kind, 0) for kind, count in held(row).items()}
    return row._replace(layer=row.layer._replace(params={kind: count for kind, count in own.items() if count}))


class Owner:
    """Maps step names to the nodes that hold their parameters while a graph is built."""

    def __init__(self, nodes: list) -> None:
        self.nodes, self.names = nodes, dict[str, int]()

    def note(self, name: str, number: int) -> None:
        """Record the node of a step; the first one if several have the same name."""
        self.names.setdefault(name, number)

    def find(self, name: str) -> int | None:
        """The node that holds the parameters of the named step."""
        number = self.names.get(name)
        return None if number is None else self.nodes[number].holder

    def given(self, node: Node, number: int, whose: int | None) -> Node:
        """The node with its `holder` or `table` set to the node `whose`, if that one holds all its parameters."""
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
        """The node that holds the weights of a step: the step itself, or the parameter that it reads."""
        sources = [one for one in self.nodes[number].sources if type(one) is int and not self.nodes[one].sources]
        every = [one for one in (number, *sources) if held(self.nodes[one].row).get("weight")]
        return every[0] if len(every) == 1 else None

    def parameter(self, whose: int | None, shapes: list) -> int | None:
        """The parameter node read by an earlier step, if this step reads the same one."""
        sources = [] if whose is None else self.nodes[whose].sources
        free = [source for source in sources if type(source) is int and self.nodes[source].row.op.name == "parameter"]
        alike = [source for source in free if len(shapes) == 1 and self.nodes[source].row.layer.shape == shapes[0]]
        return alike[0] if len(free) == len(alike) == 1 else None
