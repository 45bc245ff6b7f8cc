"""A Model of a TensorFlow Lite file: its open axes are variables, its operators that compute are steps."""

from __future__ import annotations

import re
import struct
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
from ..onnx.tensors import Scope, Tensor, argument
from .graph import Graph
from .reader import Reader, opened

_SERVED = "serving_default_"  # before the names of the inputs of a converted model
_DAMAGED = (struct.error, IndexError, TypeError, ValueError, OverflowError, MemoryError, SystemError)


def read(source: Source) -> Model:
    """The Model of the first subgraph of a file. Raises FileError, or SpecError that names the operator."""
    with uncollected():
        try:
            return _Importer(source).model()
        except Refused as error:
            raise _error(source, error.message, error.help) from None
        except _DAMAGED as error:
            raise _error(source, "it is cut off or damaged", "convert the model again") from error


def shapes(source: Source) -> dict[str, Any]:
    """The shape of each tensor of the first subgraph, None where it depends on data. Raises as `read`."""
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
        told = zip(shown.items(), graph.inputs, strict=True)
        shown = {name: one._replace(bits=graph.given(at).bits) for (name, one), at in told}
        steps, widths = reader.finished_steps(), reader.widths
        few = bool(widths.weights) or any(one != 32 for one in widths.made.values())
        how = DEFAULT._replace(own=True, bias=reader.wide) if few else DEFAULT
        return Model(stem(self.source.path), self.source, self.variables, shown, steps, stored=found, storage=how)

    def walked(self) -> tuple[Reader, Graph, Scope]:
        """(Reader, the first subgraph, its tensors), walked to its end."""
        root = opened(self.source)
        if root.SubgraphsLength() < 1:
            raise _error(self.source, "there is no graph in it")
        reader, scope = Reader(self.source, root), Scope()
        graph = reader.opened(0)
        for name, at in self.names(graph).items():
            scope.own[str(at)] = self.input(graph, at, name)
        reader.batch = next((one.shape[0] for one in scope.own.values() if one.shape), 1)
        reader.operators(graph, scope)
        alone = reader.unreached()
        if alone is not None:
            help = "write each signature to a file of its own"
            raise _error(self.source, f"nothing runs subgraph {alone}, and only the first one would be counted", help)
        return reader, graph, scope

    def names(self, graph: Graph) -> dict[str, int]:
        """The inputs by name, each its own."""
        found: dict[str, int] = {}
        for at in graph.inputs:
            own = graph.given(at).name.removeprefix(_SERVED)
            base = re.sub(r":\d+$", "", own) or f"input_{at}"
            found[base if base not in found else f"{base}_{at}"] = at
        return found

    def input(self, graph: Graph, at: int, name: str) -> Tensor:
        """The tensor of an input; axes without a size become variables."""
        shape = tuple(self.axis(name, axis) if size == -1 else size for axis, size in enumerate(graph.given(at).shape))
        if not any(isinstance(size, Dim) for size in shape) and not 0 < prod(shape) <= limits.SIZE:
            raise _error(self.source, f"input `{brief(name)}` cannot have the sizes {list(shape)}")
        return Tensor(shape, made=name)

    def axis(self, name: str, at: int) -> Any:
        """An open axis: the variable `batch` for the first, else one of its own."""
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
    """What the outputs of a subgraph are made of, by the names of buffers -> who reads it last."""
    found = {str(at): "the output" for at in graph.outputs}
    for one in reversed(graph.operators):
        if any(name in found for name in one.output):
            for name in one.input:
                found.setdefault(name, one.name)
    return {graph.root(int(name)): who for name, who in found.items() if name}


def _error(source: Source, text: str, help: str | None = None) -> SpecError:
    return SpecError(Problem("bad-graph", f"{source.path!r}: {text}", None, help))
