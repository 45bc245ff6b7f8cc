"""The graph of a model whose steps state their inputs, as the readers of graphs give it.

What lies between two steps and costs nothing is no step there. Where a shape shows that something does, it becomes a
layer here: a reshape, a slice, or an `opaque` that costs nothing.
"""

from collections import Counter
from math import prod

from . import ops
from .model import Stated
from .rows import Row
from .trace import trace
from .wiring import Graph, Node, wired


def is_stated(model):
    """Whether the steps of a model state their inputs."""
    return bool(model.steps) and type(model.steps[0].body) is Stated


def graph_of(model, values) -> Graph:
    """The graph of any model over `values`. Raises SpecError as `trace` does."""
    if is_stated(model):
        return _Stitcher(model, trace(model, values)).graph()
    return wired(model, values)


class _Stitcher:
    def __init__(self, model, walked):
        self.model, self.walked = model, walked
        self.nodes, self.numbers, self.names = [], [], {}
        self.readers = Counter(source for step in model.steps for source in step.body.sources)

    def graph(self):
        for step, row in zip(self.model.steps, self.walked.rows, strict=True):
            if not self.is_bias(row, step.body.sources):
                self.add(row, step.body.sources)
        return Graph(self.nodes, self.walked.inputs, self.numbers[-1])

    def add(self, row, sources):
        """A step, behind what brings its inputs into their shapes."""
        flow = next((one for one in sources if one is not None), next(iter(self.walked.inputs)))
        row = self.shown(row, flow) if row.op.name == "opaque" else row
        constant = None in sources and len(sources) > 1
        learned = constant and any(row.layer.params.values())
        found = tuple(
            self.constant(row, shape, flow, learned) if source is None and constant else self.shaped(row, source, shape)
            for source, shape in zip(sources, row.inputs, strict=False)
        )
        holder = self.names.get(row.shared) if row.shared else None
        if holder is not None or learned:
            row = row._replace(layer=row.layer._replace(params=_params(row)))
        number = self.put(row, found, row.name)
        self.nodes[number] = self.nodes[number]._replace(holder=number if holder is None else holder)
        self.numbers.append(number)
        self.names.setdefault(row.name, number)

    def shown(self, row, flow):
        """An opaque row on what flows in, of any shape; what comes out of it, and the numbers it holds, stay."""
        source = self.number(flow)
        x = tuple(self.walked.inputs[source] if type(source) is str else self.nodes[source].row.layer.shape)
        out, held = tuple(row.layer.shape) or x, sum(row.layer.params.values())
        options = {name: value for name, value in row.options.items() if name != "out"}
        options |= {**({} if out == x else {"out": out}), **({"params": held} if held else {})}
        layer = row.op.rule(x, **options)
        return row._replace(
            inputs=(x,), options=options, layer=layer if row.layer.unknown else layer._replace(params=row.layer.params)
        )

    def is_bias(self, row, sources):
        """Whether a step adds the bias of the layer before it, which has it then."""
        flowing = [one for one in sources if one is not None]
        if row.op.name != "add" or len(flowing) != 1 or type(flowing[0]) is str or self.readers[flowing[0]] > 1:
            return False
        before = self.nodes[self.numbers[flowing[0]]]
        held = {kind: count for kind, count in row.layer.params.items() if count}
        shape = before.row.layer.shape
        if before.options.get("bias") is not False or held != {"bias": shape[-1]} or row.layer.shape != shape:
            return False
        options = {**before.row.options, "bias": True}
        layer = before.row.op.rule(*before.row.inputs[:1], **options)
        number = self.numbers[flowing[0]]
        self.nodes[number] = before._replace(row=before.row._replace(layer=layer, options=options))
        self.numbers.append(number)
        return True

    def put(self, row, sources, name):
        """A node of the graph; gives its number."""
        self.nodes.append(Node(row, name, sources, len(self.nodes)))
        return len(self.nodes) - 1

    def constant(self, row, shape, flow, learned):
        """A tensor that hangs on nothing: learned, or there from the start."""
        held = sum(row.layer.params.values()) if learned else 0
        if held == prod(shape):
            return self.between(row, "parameter", (), {"shape": shape})
        label = "table" if learned else "constant"  # of which numbers are read more than once, as of relative positions
        options = {"label": label, "out": shape, "mult_adds": 0, "params": held}
        return self.between(row, "opaque", (self.number(flow),), options)

    def shaped(self, row, source, shape):
        """The tensor that a step reads, in the shape that it has there."""
        source = self.number(source)
        found = tuple(self.walked.inputs[source] if type(source) is str else self.nodes[source].row.layer.shape)
        shape = tuple(shape)
        if found == shape:
            return source
        if prod(found) == prod(shape):
            flat = len(shape) == 1
            return self.between(row, "flatten" if flat else "reshape", (source,), {} if flat else {"shape": shape})
        differs = [at for at, sizes in enumerate(zip(found, shape, strict=False)) if sizes[0] != sizes[1]]
        if len(found) == len(shape) and len(differs) == 1 and shape[differs[0]] < found[differs[0]]:
            options = {"size": shape[differs[0]], "axis": differs[0]}
            return self.between(row, "slice", (source,), options)
        options = {"label": "rearranged", "out": shape, "mult_adds": 0, "params": 0}
        return self.between(row, "opaque", (source,), options)

    def number(self, source):
        """The node of a step's number; an input by its name."""
        if source is None:
            return next(iter(self.walked.inputs))
        return source if type(source) is str else self.numbers[source]

    def between(self, row, op, sources, options):
        """A layer that is no step of the model."""
        found = ops.find(op)
        inputs = tuple(
            self.walked.inputs[one] if type(one) is str else self.nodes[one].row.layer.shape for one in sources
        )
        layer = found.rule(*inputs, **options)
        made = Row(found, row.frame, inputs, layer, row.times, None, True, row.place, options, options)
        return self.put(made, sources, f"{row.name}/{op}")


def _params(row):
    """The numbers of a layer as its rule counts them."""
    return row.op.rule(*row.inputs[: row.op.takes_input], **row.options).params
