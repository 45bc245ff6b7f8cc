"""The graph of a network: the rows of a walk as nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..records import NamedTuple
from .holding import holder_of
from .network import Model
from .owning import counted, held
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
