"""The shapes that flow through a configuration while it is read: numbers, and polynomials of the axes left open."""

from __future__ import annotations

from typing import Any

from ...errors import Source, SpecError
from ...model.network import Model, Step
from ...model.scope import Frame, Named, Scope
from ...model.scope import Tensor as Flowing
from ...model.trace import Tracer
from ...num.polynomials import named
from ...records import NamedTuple

_NO_SHAPE = (SpecError, ArithmeticError, TypeError, ValueError, KeyError)


class Tensor(NamedTuple):
    """What a layer reads: the name of what makes it, and its shape per sample, None where that is not known."""

    label: str
    shape: Any


class Flow:
    """One walk along the steps as they are made."""

    def __init__(self, source: Source) -> None:
        self.values: dict[str, Any] = {}
        self.tracer = Tracer(Model("", source, {}, {}, ()), self.values)
        self.top = Scope(self.values, Frame(None, ""), None, self.values)

    def input(self, name: str, sizes: tuple, opened: Any) -> Tensor:
        """Note an input; `opened` are the names of its open axes by their expressions."""
        self.values.update((axis, named(axis)) for axis in opened)
        shape = tuple(size if type(size) is int else named(size.text) for size in sizes)
        self.top.named[name] = Named(Flowing(shape, name), None, None, ())
        return Tensor(name, shape)

    def inside(self, scope: Scope) -> Scope:
        """The scope of the steps of a group."""
        return Scope(scope.env, Frame(scope.frame, ""), scope)

    def after(self, step: Step, scope: Scope, x: tuple = ()) -> tuple | None:
        """The shape that comes out of a step, None where the step cannot run: the walk with numbers says why."""
        tracer = self.tracer
        before = tracer.times, tracer.shared, tracer.work.depth
        try:
            return tuple(tracer.controlled(step, Flowing(x, None), scope).shape)
        except _NO_SHAPE:
            tracer.times, tracer.shared, tracer.work.depth = before
            return None

    def alone(self, tensor: Tensor) -> Scope:
        """A scope that knows one tensor only."""
        scope = self.inside(self.top)
        scope.named = {tensor.label: Named(Flowing(tensor.shape, tensor.label), None, None, ())}
        return scope

    def holds_nothing(self, step: Step, x: tuple, scope: Scope) -> bool:
        """Whether a step has no weights."""
        start = len(self.tracer.rows)
        shape = self.after(step, self.inside(scope), x)
        return shape is not None and not any(any(row.layer.params.values()) for row in self.tracer.rows[start:])

    def tried(self, step: Step, x: tuple) -> tuple | None:
        """The shape that comes out of a step on an input, which leaves no trace of it."""
        return self.after(step, self.inside(self.top), x)
