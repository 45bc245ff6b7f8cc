"""Rows of operations whose inputs are stated: the nodes of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import limits, num, ops
from ..errors import Problem, Refused, SpecError
from .network import Step, evaluate
from .rows import Row
from .scope import Frame, Tensor

if TYPE_CHECKING:
    from ..num.values import Shape


class Levels:
    """The levels of names in a graph: nodes of one module share its level, wherever they stand."""

    def __init__(self, top: Frame) -> None:
        self.frames = {(): top}

    def frame(self, path: tuple[str, ...]) -> Frame:
        """A new name at the end of a path of levels."""
        return Frame(self.level(path[:-1]), path[-1])

    def level(self, path: Any) -> Frame:
        """The level that a path leads to; the names are those of the graph, so it is made once."""
        if path not in self.frames:
            self.frames[path] = Frame(self.level(path[:-1]), path[-1])
        return self.frames[path]


def stated(step: Step, number: int, times: int, env: Mapping[str, Any], levels: Levels) -> Row:
    """The row of that number, of a step whose body is Stated. Raises SpecError that names the node."""
    body = step.body
    op = ops.find(body.op)
    try:
        inputs = tuple(_shape(evaluate(shape, env)) for shape in body.inputs)
        options = {name: evaluate(arg, env) for name, arg in body.options.items()}
        if op.branches:
            options[op.branches[0]] = inputs
        layer = op.rule(*inputs[: op.takes_input], **options)
        _shape(layer.shape)
    except ArithmeticError as error:
        message = f"{step.source.path!r}: node {body.title} has no shape: {error}"
        raise SpecError(Problem("cannot-be", message)) from None
    except Refused as error:
        found = SpecError(
            Problem("cannot-be", f"{step.source.path!r}: node {body.title}: {error.message}", None, error.help)
        )
        found.failing = error.failing
        raise found from None
    if body.holds is not None:
        layer = layer._replace(params=body.holds)
    frame = levels.frame(body.path)
    frame.closed(Tensor(layer.shape, number))
    sources = (*body.sources, *[None] * len(inputs))[: len(inputs)]
    return Row(op, frame, inputs, sources, layer, times, body.shared, body.follows, step, options, body.options)


def _shape(shape: Shape) -> Shape:
    for size in shape:
        if type(size) is not int or not 0 < size <= limits.SIZE:
            num.require(num.whole(size) >= 1, "a size must be at least 1, got {}", size)
    if len(shape) > limits.RANK:
        raise Refused(f"a tensor of {len(shape)} axes is too much: the limit is {limits.RANK}")
    return shape
