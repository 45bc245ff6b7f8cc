"""The graph of a model whose steps state their inputs, as returned by the graph readers.

Such a model omits cost-free operations between steps. A shape difference reveals them, and this module inserts a layer:
a reshape, a slice, or an `opaque` without cost. A step may hold more parameters than its operation has, namely those of
the constants that it reads. This module turns them into parameter layers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from .. import ops
from .network import Model, Stated
from .rows import Row, Trace
from .trace import trace
from .wiring import Graph, Node, Owner, beyond, lacking, wired

if TYPE_CHECKING:
    from ..num.values import Shape


def is_stated(model: Model) -> bool:
    """Whether the steps of a model state their inputs."""
    return bool(model.steps) and type(model.steps[0].body) is Stated


def graph_of(model: Model, values: Mapping[str, Any]) -> Graph:
    """The graph of any model for `values`. Raises SpecError like `trace`."""
    if is_stated(model):
        return _Stitcher(model, trace(model, values)).graph()
    return wired(model, values)


class _Stitcher:
    def __init__(self, model: Model, walked: Trace) -> None:
        self.model, self.walked = model, walked
        self.nodes: list[Node] = []
        self.numbers: list[Any] = []
        self.step = 0
        self.owner = Owner(self.nodes)
        self.readers = Counter(source for step in model.steps for source in step.body.sources)

    def graph(self) -> Graph:
        for step, row in zip(self.model.steps, self.walked.rows, strict=True):
            self.step = len(self.numbers)
            if not self.is_bias(row, step.body.sources):
                self.add(row, step.body)
        return Graph(self.nodes, self.walked.inputs, self.numbers[-1], self.walked.rows)

    def add(self, row: Row, body: Any) -> None:
        """Add a step, preceded by the layers that give its inputs their shapes."""
        flow = next((one for one in body.sources if one is not None), next(iter(self.walked.inputs)))
        row = self.shown(row, flow) if row.op.name == "opaque" else row
        pairs = [*zip(body.sources, row.inputs, strict=False)]
        learned = beyond(row)
        whole = len(pairs) > 1 or bool(learned)  # else a constant without parameters, such as positions
        shapes = [shape for source, shape in pairs if source is None and whole]
        whose = self.owner.find(body.shared) if row.shared else None
        constants = iter(self.constants(row, shapes, flow, learned, whose))
        found = tuple(
            next(constants) if source is None and whole else self.shaped(row, source, shape) for source, shape in pairs
        )
        row = lacking(row, learned) if shapes else row
        number = self.put(row, found, row.name)
        self.nodes[number] = self.owner.given(self.nodes[number], number, whose)
        self.owner.note("/".join(body.path), number)
        self.numbers.append(number)

    def shown(self, row: Row, flow: int | str) -> Row:
        """An opaque row with `flow` as its input; its output shape and its parameters stay the same."""
        source = self.number(flow)
        x = tuple(self.walked.inputs[source] if type(source) is str else self.nodes[source].row.layer.shape)
        out, held = tuple(row.layer.shape) or x, row.layer.params
        options = {name: value for name, value in row.options.items() if name not in ("out", "params")}
        options |= {} if out == x else {"out": out}
        if any(held.values()) or row.options.get("params", "unknown") != "unknown":
            options["params"] = sum(held.values()) if {kind for kind in held if held[kind]} <= {"weight"} else 0
        layer = row.op.rule(x, **options)
        return row._replace(inputs=(x,), options=options, layer=layer._replace(params=held))

    def is_bias(self, row: Row, sources: tuple[Any, ...]) -> bool:
        """Whether a step only adds the bias of the layer before it. If so, that layer gets the bias."""
        flowing = [source for source in sources if source is not None]
        if row.op.name != "add" or len(flowing) != 1 or type(flowing[0]) is str or self.readers[flowing[0]] > 1:
            return False
        number = self.numbers[flowing[0]]
        before = self.nodes[number]
        held = {kind: count for kind, count in row.layer.params.items() if count}
        shape = before.row.layer.shape
        if before.options.get("bias") is not False or held != {"bias": shape[-1]} or row.layer.shape != shape:
            return False
        if before.holder != number or before.row.times != row.times:
            return False
        options = {**before.row.options, "bias": True}
        layer = before.row.op.rule(*before.row.inputs[:1], **options)
        layer = layer._replace(params={**before.row.layer.params, **held})
        row = before.row._replace(layer=layer, options=options, shared=None)
        self.nodes[number] = before._replace(row=row, steps=(*before.steps, self.step))
        self.numbers.append(number)
        return True

    def put(self, row: Row, sources: tuple[Any, ...], name: str) -> int:
        """Add a node to the graph; return its number."""
        self.nodes.append(Node(row, name, sources, len(self.nodes), None, (self.step,)))
        return len(self.nodes) - 1

    def constants(
        self, row: Row, shapes: list[Shape], flow: int | str, learned: Mapping[str, int], whose: int | None
    ) -> list[int]:
        """Nodes for the inputs of a step that depend on no other node: learned tensors or constants."""
        known = self.owner.parameter(whose, shapes)
        if known is not None:
            return [known]
        sizes, kind = [*map(prod, shapes)], next(iter(learned), "weight")
        count = learned.get(kind, 0)
        if len(learned) < 2 and count == sum(sizes):
            return [self.parameter(row, shape, {kind: prod(shape)}) for shape in shapes]
        first = sizes.index(count) if len(learned) < 2 and count in sizes else 0
        return [
            self.parameter(row, shape, learned) if learned and at == first else self.constant(row, shape, flow)
            for at, shape in enumerate(shapes)
        ]

    def parameter(self, row: Row, shape: Shape, learned: Mapping[str, int]) -> int:
        """A node for a learned tensor. It may hold more parameters than elements, as a part of a larger tensor."""
        options = {"shape": shape, **({} if "weight" in learned else {"kind": next(iter(learned))})}
        number = self.between(row, "parameter", (), options)
        node = self.nodes[number]
        self.nodes[number] = node._replace(row=node.row._replace(layer=node.row.layer._replace(params=learned)))
        return number

    def constant(self, row: Row, shape: Shape, flow: int | str) -> Any:
        """A node for a constant tensor."""
        options = {"label": "constant", "out": shape, "mult_adds": 0, "params": 0}
        return self.between(row, "opaque", (self.number(flow),), options)

    def shaped(self, row: Row, source: Any, shape: Shape) -> int | str:
        """The node of a step's input, reshaped to the shape stated there."""
        source = self.number(source)
        current = tuple(self.walked.inputs[source] if type(source) is str else self.nodes[source].row.layer.shape)
        shape = tuple(shape)
        if current == shape:
            return source
        if prod(current) == prod(shape):
            flat = len(shape) == 1
            return self.between(row, "flatten" if flat else "reshape", (source,), {} if flat else {"shape": shape})
        differs = [at for at, sizes in enumerate(zip(current, shape, strict=False)) if sizes[0] != sizes[1]]
        if len(current) == len(shape) and len(differs) == 1 and shape[differs[0]] < current[differs[0]]:
            options = {"size": shape[differs[0]], "axis": differs[0]}
            return self.between(row, "slice", (source,), options)
        options = {"label": "rearranged", "out": shape, "mult_adds": 0, "params": 0}
        return self.between(row, "opaque", (source,), options)

    def number(self, source: Any) -> Any:
        """The node of a step, by step number; inputs keep their names."""
        if source is None:
            return next(iter(self.walked.inputs))
        return source if type(source) is str else self.numbers[source]

    def between(self, row: Row, op: str, sources: tuple[Any, ...], options: Mapping[str, Any]) -> int:
        """Add a layer that is not a step of the model; return its number."""
        operation = ops.find(op)
        inputs = tuple(
            self.walked.inputs[source] if type(source) is str else self.nodes[source].row.layer.shape
            for source in sources
        )
        layer = operation.rule(*inputs, **options)
        made = Row(operation, row.frame, inputs, sources, layer, row.times, None, True, row.step, options, options)
        return self.put(made, sources, f"{row.name}/{op}")
