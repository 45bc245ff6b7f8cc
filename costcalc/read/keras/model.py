"""The Model of a Keras configuration. Layers keep their names and are in topological order."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from ... import limits
from ...errors import Place, Problem, Source, SpecError, brief
from ...files import stem
from ...model.accounting import Stored
from ...model.expr import FUNCTIONS, Expr, parse
from ...model.network import Input, Model, Step, Variable
from ...num.values import Shape
from .file import parsed
from .layer import Flow, Node, Tensor, inputs_of, nodes_of
from .run import Run

_AXES = {2: ("length",), 3: ("height", "width"), 4: ("depth", "height", "width")}


def read(source: Source) -> Model:
    """The Model of a configuration. Raises FileError, or SpecError that names the layer."""
    return _Reader(source).model(parsed(source))


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source, self.depth = source, 0
        self.variables: dict[Any, Any] = {}
        self.inputs: dict[Any, Any] = {}
        self.places, self.flow = Places(source.text), Flow(source)
        self.trusted = True  # whether the shapes stated in the file agree with those computed

    def model(self, found: Mapping[str, Any]) -> Model:
        """The Model of a whole configuration."""
        nodes, outputs = nodes_of(found, self.error)
        run = Run(self, nodes, self.flow.top)
        run.all(nodes, outputs)
        if not self.inputs:
            raise self.error("it does not state the shape of its input", help="build the model before `to_json()`")
        name, uncounted = stem(self.source.path), Stored(None, whole=True)
        return Model(name, self.source, self.variables, self.inputs, tuple(run.steps), stored=uncounted)

    def inner(self, node: Node, tensors: list[Tensor], scope: Any) -> tuple[Run, list]:
        """Run of a model nested in another as a layer, and its output tensors."""
        with self.deeper():
            nodes, outputs = nodes_of({"class_name": node.kind, "config": node.config}, self.error)
            run = Run(self, nodes, self.flow.inside(scope), tensors, inputs_of(node.config))
            return run, run.all(nodes, outputs)

    def wrapped(self, config: Any, tensor: Tensor) -> tuple[Step, tuple | None]:
        """Step of a wrapped layer, and its output shape or None if unknown."""
        name = config["config"].get("name") or config["class_name"]
        node = Node(name, config["class_name"], config["config"], 0, ((tensor.label, 0, 0),))
        with self.deeper():
            run = Run(self, [node], self.flow.alone(tensor))
            run.found[tensor.label, 0, 0] = tensor
            run.add(node)
        return run.steps[0], run.found[name, 0, 0].shape

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Limit the nesting depth of layers."""
        self.depth += 1
        if self.depth > limits.BLOCK_DEPTH:
            raise self.error(f"models are nested more than {limits.BLOCK_DEPTH} deep")
        yield
        self.depth -= 1

    def input(self, node: Node) -> Tensor:
        """Declare an input; axes without a size become variables."""
        shape = node.config.get("batch_shape") or node.config.get("batch_input_shape")
        if not isinstance(shape, list) or len(shape) < 2 or len(shape) > limits.RANK:
            raise self.error(f"input `{brief(node.name)}` has no shape")
        axes = _AXES.get(len(shape) - 1, ())
        sizes = tuple(self.size(node, size, axes[at : at + 1]) for at, size in enumerate(shape[1:]))
        self.inputs[node.name] = Input(sizes, self.spot(node), False)
        return self.flow.input(node.name, sizes, self.variables)

    def size(self, node: Node, size: int | None, axis: tuple[str, ...]) -> int | Expr:
        if type(size) is int and size > 0:
            return size
        if size is not None or not axis:
            raise self.error(f"input `{brief(node.name)}` has no shape: {size} cannot be a size")
        name = axis[0]
        self.variables[name] = Variable(name, None, (), f"{name} of {brief(node.name)}", 1, limits.SIZE)
        return parse(name, {name}, FUNCTIONS)

    def place(self, node: Node) -> tuple[int, ...]:
        """Line, column and width of a layer's name in the text."""
        return self.places.of(node.name)

    def spot(self, node: Node) -> Place:
        return Place(self.source, *self.place(node))

    def error(self, message: str, help: str | None = None) -> SpecError:
        """Create the error for a problem of the configuration."""
        return SpecError(Problem("bad-keras", f"{self.source.path!r}: {message}", None, help))


class Places:
    """Line, column and width of the first entry of each name."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def spans(self) -> dict[str, Shape]:
        """Start and end of each name's entry, by the name as written in JSON."""
        found: dict[str, tuple] = {}
        for match in re.finditer(r'"name"\s*:\s*"((?:[^"\\]|\\.)*)"', self.text):
            found.setdefault(match[1], match.span())
        return found

    @cached_property
    def lines(self) -> list[int]:
        """Offset of the start of each line."""
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def of(self, name: str) -> tuple[int, int, int]:
        """Position of a name, or the start of the text if it is not found."""
        span = self.spans.get(name) or self.spans.get(json.dumps(name)[1:-1])
        if span is None:
            return (1, 1, 1)
        line = bisect_right(self.lines, span[0])
        return line, span[0] - self.lines[line - 1] + 1, span[1] - span[0]
