"""The Model of a TensorFlow Lite file. Open axes become variables, operators that compute become steps."""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import takewhile
from typing import Any

from ... import limits
from ...errors import Problem, Refused, Source, SpecError, brief
from ...files import stem
from ...model.network import Input, Model, Variable
from ...model.storage import DEFAULT
from ...model.uncollected import uncollected
from ...num import prod
from ...num.polynomials import Dim, named
from ..onnx.ending import ended, stored
from ..onnx.names import relative
from ..onnx.node import Unknown
from ..onnx.reader import Reader as Walk
from ..onnx.tensors import Scope, Tensor, argument
from .graph import Given, Graph, Operator, Parts, bounded, schema
from .rules import table

_COMPARISONS = {"LESS": 0, "GREATER": 1}  # index of the smaller operand
_CALL = "StatefulPartitionedCall"  # prefix of a tensor without a name
_PRODUCTS = ("Conv", "conv", "MatMul", "Dense", "dense", "Mul")


class Reader(Walk):
    """Walk over the subgraphs of a file."""

    def __init__(self, source: Source, model: Any) -> None:
        super().__init__(source, {}, {"": 18})
        self.model, self.parts, self.open = model, Parts(), [0]
        self.graphs: dict[int, Graph] = {}
        self.handles: dict[str, str] = {}
        self.wide = 0  # largest width of constants of 32 bits or more: biases, if weights are narrower

    def subgraph(self, number: int, inputs: Sequence[Tensor | None]) -> list[Tensor]:
        """Walk a subgraph on the given inputs and return its outputs."""
        graph = self.opened(number)
        if number in self.open[1:]:
            raise Refused(f"subgraph {number} runs itself")
        if len(inputs) != len(graph.inputs):
            raise Refused(f"subgraph {number} has {len(graph.inputs)} inputs, {len(inputs)} are given")
        scope = Scope()
        scope.own.update((str(at), one) for at, one in zip(graph.inputs, inputs, strict=True) if one is not None)
        self.open.append(number)
        try:
            self.operators(graph, scope)
            return [self.found(str(at), scope, "the output") for at in graph.outputs]
        finally:
            self.open.pop()

    def operators(self, graph: Graph, scope: Scope) -> None:
        """Walk the operators of a subgraph in order."""
        for at in range(len(graph.tensors)):
            if str(at) not in graph.makers and str(at) not in scope.own:
                self.stored(graph, at, scope)
        self.nodes(graph.operators, scope)

    def stored(self, graph: Graph, number: int, scope: Scope) -> None:
        """Add a tensor that no operator produces to the scope: a constant, or a state kept between runs."""
        given = graph.given(number)
        if given.is_variable:
            scope.own[str(number)] = Tensor(given.shape, None, frozenset())
            return
        tensor = graph.constant(number)
        if tensor.roots and tensor.size == 1:
            self.numbers.literal(tensor)
        elif tensor.roots:
            self.numbers.keep(tensor, tensor.size * (2 if given.type.startswith("COMPLEX") else 1))
        if tensor.roots and given.bits:
            self.widths.stored.update(dict.fromkeys(tensor.roots, given.bits))
        elif tensor.roots and tensor.size > 1:
            self.wide = max(self.wide, 64 if given.type.endswith("64") else 32)
        scope.own[str(number)] = tensor

    def opened(self, number: int) -> Graph:
        """Return a subgraph, parsed at first use. Raises Refused if the number does not exist."""
        if not 0 <= number < self.model.SubgraphsLength():
            raise Refused(f"there is no subgraph {number}")
        if number not in self.graphs:
            self.graphs[number] = Graph(self.model, number, self.parts)
        return self.graphs[number]

    @property
    def graph_now(self) -> Graph:
        """The subgraph that is being walked."""
        return self.graphs[self.open[-1]]

    def given(self, name: str) -> Given:
        """Declaration of a tensor of the current subgraph."""
        return self.graph_now.given(int(name))

    def variable(self, handle: str, name: str) -> Tensor:
        """Tensor of a variable that is stored outside the file. It is a separate parameter."""
        given, root = self.given(name), f"variable {self.handles.get(handle, handle)}"
        if given.is_open:
            return Tensor(None)
        tensor = Tensor(given.shape, None, frozenset([root] if given.is_trained else ()))
        self.numbers.keep(tensor)
        return tensor

    def unreached(self) -> int | None:
        """Number of a subgraph that has operators but is not reached from the first one, or None."""
        reached: set[int] = set()
        new = {0}
        while new:
            reached |= new
            new = {number for one in new for number in self.opened(one).named} - reached
        numbers = bounded(self.model.SubgraphsLength(), limits.NODES)
        return next((one for one in numbers if one not in reached and self.opened(one).operators), None)

    # loops

    def kept(self, number: int) -> Collection[int]:
        """Indices of a loop's inputs that its body returns unchanged."""
        graph = self.opened(number)
        return {at for at, one in enumerate(graph.inputs) if at < len(graph.outputs) and graph.outputs[at] == one}

    def bounds(self, number: int, inputs: Sequence[Tensor | None]) -> Iterator[tuple[int, int]]:
        """Yield (input index, limit) for each comparison in a loop's condition. All of them must hold.

        Raises Unknown if the condition has another form or a limit is unknown.
        """
        graph = self.opened(number)
        scope = Scope()
        scope.own.update((str(at), one) for at, one in zip(graph.inputs, inputs, strict=True) if one is not None)
        yield from _bounds(graph, scope, str(graph.outputs[0]) if graph.outputs else "")

    def step(self, number: int, place: int) -> int | None:
        """Constant that a loop's body adds to an input in each run, or None."""
        graph = self.opened(number)
        name = str(graph.outputs[place])
        maker = graph.makers.get(name)
        if maker is None or maker.op_type != "ADD" or str(graph.inputs[place]) not in maker.input:
            return None
        other = [one for one in maker.input if one != str(graph.inputs[place])]
        value = _value(graph, Scope(), other[0]) if len(other) == 1 else None
        return value if isinstance(value, int) else None

    # interface of Walk

    def node(self, proto: Any, number: int, scope: Scope, given: Mapping[Any, Any] | None) -> list[Tensor]:
        """Walk an operator and return its outputs. The bits of their values are those of their types in the file."""
        began, outputs = len(self.steps), super().node(proto, number, scope, given)
        for name, one in zip(proto.output, outputs, strict=False):
            if type(one.made) is int and one.made >= began:
                self.widths.made[one.made] = self.given(name).bits or 32
        return outputs

    def check(self, proto: Operator, version: int) -> None:
        """Do nothing: operators were checked when they were read."""

    def rule(self, proto: Operator) -> Any:
        """Rule of an operator, or None if it is custom or has no rule."""
        return table().get(proto.op_type) if proto.domain == "tflite" else super().rule(proto)

    def levels(self, proto: Operator, weight: str | None) -> tuple[str, ...]:
        """Name components of an operator's output. A fused layer is named after its product."""
        names = [one for one in proto.name.split(";") if one and not one.startswith(_CALL)]
        chosen = next((one for one in names if any(word in one for word in _PRODUCTS)), None) if weight else None
        parts = [part for part in (chosen or next(iter(names), proto.op_type)).split("/") if part]
        return relative(parts[self.common if len(parts) > self.common else 0 :] or [proto.op_type])

    @cached_property
    def common(self) -> int:
        """Number of leading name components that all operators of the first subgraph share: the model's name."""
        names = (one.name.split(";")[0].split("/")[:-1] for one in self.opened(0).operators if "/" in one.name)
        paths = [one for one in names if not one[0].startswith(_CALL)]
        return sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*paths, strict=False)))

    def unruled(self, node: Any, rule: Any) -> Any:
        """Outputs of an operator without a known cost, with the shapes declared in the file."""
        outputs = [Tensor(None if one.is_open else one.shape) for one in map(self.given, node.proto.output)]
        if rule is None or rule.multiplies:
            node.unknown(output=next(iter(outputs), None))
        elif outputs and outputs[0].shape is not None:
            node.passive(outputs[0].shape)
        return outputs

    def finished(self, node: Any, found: list[Any]) -> list[Tensor]:
        """Outputs of an operator, checked against the shapes declared in the file."""
        tensors = super().finished(node, found)
        if node.proto.domain:
            for name, one in zip(node.proto.output, tensors, strict=False):
                _agree(self.given(name), one)
        return tensors


def _agree(given: Given, tensor: Tensor) -> None:
    """Refuse a tensor whose shape differs from the declared one, if both are known."""
    known = tensor.shape is not None and all(type(size) is int for size in tensor.shape)
    if known and given.shape and not given.is_open and tuple(given.shape) != tuple(tensor.shape):
        raise Refused(f"the file declares the shape {list(given.shape)}, but it makes {list(tensor.shape)}")


def _bounds(graph: Graph, scope: Scope, name: str) -> Iterator[tuple[int, int]]:
    maker = graph.makers.get(name)
    if maker is not None and maker.op_type == "LOGICAL_AND":
        for one in maker.input:
            yield from _bounds(graph, scope, one)
        return
    if maker is None or maker.op_type not in _COMPARISONS or len(maker.input) != 2:
        raise Unknown
    low = _COMPARISONS[maker.op_type]
    value = _value(graph, scope, maker.input[1 - low])
    places = [str(at) for at in graph.inputs]
    if maker.input[low] not in places or not isinstance(value, int):
        raise Unknown
    yield places.index(maker.input[low]), value


def _value(graph: Graph, scope: Scope, name: str) -> Any:
    """Number in a tensor of one element, or None if unknown."""
    found = scope.find(name)
    if found is None and name:
        is_made = name in graph.makers or int(name) in graph.inputs
        found = None if is_made else graph.constant(int(name))
    return found.value[0] if found is not None and found.value and len(found.value) == 1 else None


def opened(source: Source) -> Any:
    """Root table of a file."""
    return schema().Model.GetRootAs(source.data, 0)


_SERVED = "serving_default_"  # prefix of input names in a converted model
_DAMAGED = (struct.error, IndexError, TypeError, ValueError, OverflowError, MemoryError, SystemError)


def read(source: Source) -> Model:
    """Return the Model of the first subgraph. Raises FileError, or SpecError that names the operator."""
    with uncollected():
        try:
            return _Importer(source).model()
        except Refused as error:
            raise _error(source, error.message, error.help) from None
        except _DAMAGED as error:
            raise _error(source, "it is cut off or damaged", "convert the model again") from error


def shapes(source: Source) -> dict[str, Any]:
    """Shape of each tensor of the first subgraph, None if it depends on data. Raises the errors of `read`."""
    return {name: one.shape for name, one in _Importer(source).walked()[2].own.items()}


class _Importer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.variables: dict[str, Variable] = {}

    def model(self) -> Model:
        reader, graph, scope = self.walked()
        outputs = [(graph.given(at).name, reader.found(str(at), scope, "the output")) for at in graph.outputs]
        ended(reader, outputs)
        if not reader.steps:
            raise _error(self.source, "it computes nothing")
        found = stored(reader, lambda: _living(graph))
        inputs = {name: scope.own[str(at)] for name, at in self.names(graph).items()}
        shown = {name: Input(argument(reader.seen(one)[0]), None, False) for name, one in inputs.items()}
        pairs = zip(shown.items(), graph.inputs, strict=True)
        shown = {name: one._replace(bits=graph.given(at).bits) for (name, one), at in pairs}
        steps, widths = reader.finished_steps(), reader.widths
        few = bool(widths.weights) or any(one != 32 for one in widths.made.values())
        how = DEFAULT._replace(own=True, bias=reader.wide) if few else DEFAULT
        return Model(stem(self.source.path), self.source, self.variables, shown, steps, stored=found, storage=how)

    def walked(self) -> tuple[Reader, Graph, Scope]:
        """Walk the first subgraph and return (Reader, subgraph, scope)."""
        root = opened(self.source)
        if root.SubgraphsLength() < 1:
            raise _error(self.source, "it contains no graph")
        reader, scope = Reader(self.source, root), Scope()
        graph = reader.opened(0)
        for name, at in self.names(graph).items():
            scope.own[str(at)] = self.input(graph, at, name)
        reader.batch = next((one.shape[0] for one in scope.own.values() if one.shape), 1)
        reader.operators(graph, scope)
        alone = reader.unreached()
        if alone is not None:
            help = "write each signature to a separate file"
            raise _error(self.source, f"subgraph {alone} is never run, so only the first one would be counted", help)
        return reader, graph, scope

    def names(self, graph: Graph) -> dict[str, int]:
        """Inputs by name. Names are made unique."""
        found: dict[str, int] = {}
        for at in graph.inputs:
            own = graph.given(at).name.removeprefix(_SERVED)
            base = re.sub(r":\d+$", "", own) or f"input_{at}"
            found[base if base not in found else f"{base}_{at}"] = at
        return found

    def input(self, graph: Graph, at: int, name: str) -> Tensor:
        """Tensor of an input. Open axes become variables."""
        shape = tuple(self.axis(name, axis) if size == -1 else size for axis, size in enumerate(graph.given(at).shape))
        if not any(isinstance(size, Dim) for size in shape) and not 0 < prod(shape) <= limits.SIZE:
            raise _error(self.source, f"input `{brief(name)}` cannot have the sizes {list(shape)}")
        return Tensor(shape, made=name)

    def axis(self, name: str, at: int) -> Any:
        """Variable of an open axis: `batch` if it is the first axis, else a new one."""
        if at == 0 and "batch" in self.variables:
            return named("batch")
        base = re.sub(r"\W+", "_", f"{name}_{at}", flags=re.ASCII).strip("_")[:40] or "axis"
        base = "batch" if at == 0 else f"axis_{base}" if base[0].isdigit() else base
        while base in self.variables:
            base += "_"
        help = f"axis {at} of input {name[:40]}"
        self.variables[base] = Variable(base, 1 if at == 0 else None, (), help, 1, limits.SIZE)
        return named(base)


def _living(graph: Graph) -> dict[str, str]:
    """Buffers that the outputs of a subgraph depend on -> the last operator that reads them."""
    found = {str(at): "the output" for at in graph.outputs}
    for one in reversed(graph.operators):
        if any(name in found for name in one.output):
            for name in one.input:
                found.setdefault(name, one.name)
    return {graph.root(int(name)): who for name, who in found.items() if name}


def _error(source: Source, text: str, help: str | None = None) -> SpecError:
    return SpecError(Problem("bad-graph", f"{source.path!r}: {text}", None, help))
