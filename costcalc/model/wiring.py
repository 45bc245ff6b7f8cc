"""Which layer every tensor comes from: the graph behind the rows of a walk.

In a walk only shapes flow. Here each shape that flows knows the row that made it, so that the same walk tells where
the inputs of a row come from, and an ordinary walk pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .holding import holder
from .owning import counted, held
from .rows import Row
from .scope import Scope, reusable
from .trace import _Tracer

if TYPE_CHECKING:
    from ..num.values import Shape
    from ..ops.base import Layer, Op
    from .network import Model, Step


class Node(NamedTuple):
    """A row as a node of a graph."""

    row: Row
    name: str
    sources: tuple  # for each input of the row: the number of the node that makes it, or the name of an input
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


class Tensor(tuple):
    """A shape that knows the number of the row that made it."""

    row: int


def wired(model: Model, values: Mapping[str, Any]) -> Graph:
    """The graph of a model's layers over `values`. Raises SpecError as `trace` does."""
    tracer = _Wirer(model, values)
    walked = tracer.run()
    sources = _Sources(walked.inputs)
    nodes = [
        Node(
            row,
            row.name,
            tuple(map(sources.of, row.inputs)),
            tracer.holders.get(number, number),
            tracer.tables.get(number),
        )
        for number, row in enumerate(walked.rows)
    ]
    return Graph(nodes, walked.inputs, sources.of(walked.output))


class _Wirer(_Tracer):
    def __init__(self, model: Model, values: Mapping[str, Any]) -> None:
        super().__init__(model, values)
        self.holders: dict[int, int] = {}
        self.tables: dict[int, int] = {}

    def remembered(self, step: Step, op: Op, x: Shape, options: Mapping[str, Any]) -> Layer:
        layer = super().remembered(step, op, x, options)
        shape = Tensor(layer.shape)
        shape.row = len(self.rows)  # the row that is about to be added
        return layer._replace(shape=shape)

    def held(self, step: Step, x: Shape, scope: Scope, layer: Layer) -> tuple[Layer, str | None]:
        if step.body.reuse:
            number = holder(step.body.reuse, step, scope, self.rows)
            number = self.holders.get(number, number)
            self.tables[len(self.rows)] = self.tables.get(number, number)
        return super().held(step, x, scope, layer)

    def reuse(self, step: Step, name: str, x: Shape, scope: Scope) -> Any:
        first, start = reusable(name, step, scope).rows[0], len(self.rows)
        y = super().reuse(step, name, x, scope)
        for number in range(start, len(self.rows)):
            before = first + number - start
            self.holders[number] = self.holders.get(before, before)
        return y


class _Sources:
    def __init__(self, inputs: Mapping[str, Shape]) -> None:
        self.inputs = {id(shape): name for name, shape in inputs.items()}

    def of(self, shape: Shape) -> int | str:
        return shape.row if isinstance(shape, Tensor) else self.inputs[id(shape)]
