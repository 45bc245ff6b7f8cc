"""The Model of an ONNX file. Open axes become variables, nodes that compute become steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ... import limits
from ...allowance import spend
from ...errors import Problem, Source, SpecError, brief
from ...files import stem
from ...model.network import Input, Model, Variable
from ...model.uncollected import uncollected
from ...num import prod
from ...num.polynomials import Dim, named
from .ending import ended, stored
from .file import parsed, weights
from .living import graphs_in, living
from .reader import Reader, opsets, titled
from .rules import is_standard
from .tensors import Scope, Tensor, argument
from .wire import DEPTH

if TYPE_CHECKING:
    from ...num.values import Number


NEWEST = 28  # newest supported version of the standard operators
_CHANNELS_SECOND = frozenset(
    (
        *("Conv", "ConvInteger", "QLinearConv", "ConvTranspose", "DeformConv", "MaxPool", "AveragePool", "LpPool"),
        *("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "BatchNormalization", "InstanceNormalization"),
        *("GroupNormalization", "LRN", "Upsample", "DepthToSpace", "SpaceToDepth"),
    )
)
_AS_IT_IS = frozenset(  # operators that may process an image before one of those
    (
        *("Identity", "Cast", "Add", "Sub", "Mul", "Div", "Clip", "Relu", "Concat", "Pad", "Resize"),
        *("QuantizeLinear", "DequantizeLinear"),
    )
)


def read(source: Source) -> Model:
    """Return the Model of a graph, from a Source of `file`. Raises FileError, or SpecError that names the node."""
    with uncollected():
        return _Importer(parsed(source), source).model()


def shapes(source: Source) -> Any:
    """Shapes of a graph's outputs, None if one depends on data. Raises the errors of `read`."""
    return [one.shape for one in _Importer(parsed(source), source).walked()[2]]


class _Importer:
    def __init__(self, proto: Any, source: Source) -> None:
        self.proto, self.source = proto, source
        self.variables: dict[str, Any] = {}
        self.axes: dict = {}
        self.graph = Graph(proto.graph)
        self.first = _with_channels_second(self.graph.node)

    def model(self) -> Model:
        reader, inputs, outputs = self.walked()
        ended(reader, zip((one.name for one in self.graph.output), outputs, strict=True))
        if not reader.steps:
            raise self.error("the graph computes nothing")
        found = stored(reader, lambda: living(self.graph, reader.walked))
        shown = {name: Input(argument(reader.seen(one)[0]), None, False) for name, one in inputs.items()}
        steps = reader.finished_steps()
        shown, storage = reader.widths.network(steps, shown)
        return Model(stem(self.source.path), self.source, self.variables, shown, steps, stored=found, storage=storage)

    def walked(self) -> tuple[Reader, dict[str, Tensor], list[Tensor]]:
        """Walk the graph and return (Reader, input tensors, output tensors)."""
        graph = self.graph
        self.check(graph)
        functions = {(one.domain, one.name, getattr(one, "overload", "")): one for one in self.proto.functions}
        reader = Reader(self.source, functions, opsets(self.proto))
        check_names(graph, frozenset(), reader.error, titled)
        scope = Scope()
        given = {one.name for one in (*graph.initializer, *(one.values for one in graph.sparse_initializer))}
        learned = weights(graph, given)
        inputs = {one.name: self.input(one) for one in graph.input if one.name not in {*given, *learned}}
        scope.own.update(inputs)
        reader.widths.enter(inputs)
        kinds = {one.name: one.type.tensor_type.elem_type for one in graph.input}
        for name, shape in learned.items():
            tensor = Tensor(shape, None, frozenset([name]), kind=kinds[name])
            reader.keep(name, tensor, scope)
            reader.widths.keep(tensor, tensor.kind)
        reader.declared.axes, reader.batch = self.axes, next((one.shape[0] for one in inputs.values() if one.shape), 1)
        return reader, inputs, reader.graph(graph, scope)

    def check(self, graph: Any) -> None:
        """Refuse a model without a graph, a model that is too large, or an unknown opset."""
        if not self.proto.HasField("graph") or not graph.node:
            raise self.error("it contains no graph", "it is not an ONNX model, or it is empty")
        if len(graph.node) > limits.NODES:
            raise self.error(f"{len(graph.node):,} nodes are more than {limits.NODES:,}")
        version = opsets(self.proto).get("")
        if version is None and any(is_standard(node.domain) for node in graph.node):
            raise self.error("it does not state its opset")
        if version is not None and not 1 <= version <= NEWEST:
            raise self.error(f"opset {version} is unknown", f"known: 1 to {NEWEST}")

    def input(self, info: Any) -> Tensor:
        """Tensor of an input. Open axes become variables."""
        if bytes in map(type, (info.name, *(dim.dim_param for dim in info.type.tensor_type.shape.dim))):
            raise self.error("an input has a name that is not UTF-8")
        kind = info.type.WhichOneof("value")
        if kind != "tensor_type" or not info.type.tensor_type.HasField("shape"):
            help = "onnx.shape_inference cannot infer it either: write the shape of the input into the model"
            raise self.error(f"input `{brief(info.name)}` has no shape", help)
        dims = info.type.tensor_type.shape.dim
        if len(dims) > limits.RANK:
            raise self.error(f"input `{brief(info.name)}` has {len(dims)} axes: the limit is {limits.RANK}")
        shape = tuple(self.axis(info, dim, at) for at, dim in enumerate(dims))
        if not any(isinstance(size, Dim) for size in shape) and prod(shape) > limits.SIZE:
            raise self.error(f"input `{brief(info.name)}` of {prod(shape):,} numbers is too large")
        first = len(shape) > 2 and info.name in self.first
        return Tensor(shape, first=first, made=info.name, kind=info.type.tensor_type.elem_type)

    def axis(self, info: Any, dim: Any, at: int) -> Number:
        """Size of an axis: a number or a variable."""
        if dim.HasField("dim_value") and dim.dim_value > 0:
            return dim.dim_value
        if dim.HasField("dim_value") and dim.dim_value < -1:
            raise self.error(f"axis {at} of input `{brief(info.name)}` cannot have size {dim.dim_value}")
        text = dim.dim_param or ("batch" if at == 0 else f"{info.name}_{at}")
        if text not in self.axes:
            self.axes[text] = named(self.declare(text, info, at))
        return self.axes[text]

    def declare(self, text: str, info: Any, at: int) -> str:
        """Declare the variable of an axis and return its name."""
        if len(self.variables) >= limits.OPEN_AXES:
            raise self.error(f"more than {limits.OPEN_AXES:,} axes are open")
        base = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")[:40] or "axis"
        base = f"axis_{base}" if base[0].isdigit() else base
        name, number = base, 2
        while name in self.variables:
            name, number = f"{base}_{number}", number + 1
        help = f"axis {at} of input {info.name[:40]}"
        self.variables[name] = Variable(name, 1 if at == 0 else None, (), help, 1, limits.SIZE)
        return name

    def error(self, text: str, help: str | None = None) -> SpecError:
        return SpecError(Problem("bad-graph", f"{self.source.path!r}: {text}", None, help))


def _with_channels_second(nodes: Any) -> set[str]:
    """Tensors with channels after the batch, inferred backwards from the operators that read them."""
    found = set()
    for node in reversed(nodes):
        if node.op_type in _CHANNELS_SECOND or (node.op_type in _AS_IT_IS and node.output and node.output[0] in found):
            found.update(node.input[:1] if node.op_type in _CHANNELS_SECOND else node.input)
    return found


class Operation:
    """A node with the fields of a NodeProto."""

    __slots__ = ("attribute", "domain", "input", "message", "name", "op_type", "output")

    def __init__(self, message: Any) -> None:
        self.name, self.op_type, self.domain = message.name, message.op_type, message.domain
        self.input, self.output = message.input[:], message.output[:]
        self.attribute, self.message = message.attribute[:], message

    @property
    def overload(self) -> str:
        """Overload of the function that it calls, for files with several functions of one name."""
        return getattr(self.message, "overload", "")

    @property
    def metadata_props(self) -> Iterable[Any]:
        """Metadata added by the exporter."""
        return getattr(self.message, "metadata_props", ())


class Graph:
    """A graph with the fields of a GraphProto, as lists."""

    __slots__ = ("initializer", "input", "node", "output", "sparse_initializer", "value_info")

    def __init__(self, message: Any) -> None:
        self.node = [Operation(one) for one in message.node[:]]
        self.initializer, self.sparse_initializer = message.initializer[:], message.sparse_initializer[:]
        self.input, self.output, self.value_info = message.input[:], message.output[:], message.value_info[:]


Error = Callable[..., SpecError]
_ORDER = "the nodes form a cycle, are out of order, or one is missing"


def check_names(graph: Any, around: frozenset, error: Error, title: Callable[[Any], str], depth: int = 1) -> None:
    """Check the names in a graph and its nested graphs. Raises the SpecError that `error` creates.

    `around` has the names of tensors of enclosing graphs, `depth` is the nesting depth of this one.
    """
    if depth > DEPTH:
        raise error("graphs", f"nest at most {DEPTH} deep")
    known, stored = set(around), set()
    for name in _stored(graph):
        if name in stored:
            raise error(f"initializer `{brief(name)}`", "appears twice")
        stored.add(name)
    inputs = sorted(one.name for one in graph.input)
    twice = next((name for before, name in pairwise(inputs) if name == before), None)
    if twice is not None:
        raise error(f"input `{brief(twice)}`", "appears twice")
    made = stored.union(inputs, ("",))  # "" is an omitted input or output
    spend(5 * len(graph.node))
    for node in graph.node:
        if not made.issuperset(node.input):
            missing = next((name for name in node.input if name not in made and name not in known), None)
            if missing is not None:
                message = f"reads `{brief(str(missing))}`, which no earlier node makes"
                raise error(f"node {title(node)}", message, _ORDER)
        for inner in graphs_in(node) if node.attribute else ():
            check_names(inner, frozenset(known | made), error, title, depth + 1)
        for name in node.output:
            if name in made and name:
                raise error(f"node {title(node)}", f"makes `{brief(str(name))}`, as an earlier node does")
            made.add(name)
    for one in graph.output:
        if one.name not in made:
            why = "which is a tensor of an enclosing graph" if one.name in known else "which no earlier node makes"
            raise error("the graph's output", f"reads `{brief(str(one.name))}`, {why}", _ORDER)


def _stored(graph: Any) -> list:
    return [*(one.name for one in graph.initializer), *(one.values.name for one in graph.sparse_initializer)]
