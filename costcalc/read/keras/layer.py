"""A layer of Keras as its rule sees it, and sizes as options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...model.binding import is_mixed_up
from ...model.expr import Expr
from ...model.network import Call, Group, Step, dynamic_of, is_dynamic
from ...num.polynomials import Dim
from ...num.valuation import names, valued
from ...ops import find
from .activations import activations
from .flow import Tensor
from .graph import keys_of

if TYPE_CHECKING:
    from ...errors import Source
    from ...ops.base import Option


UNKNOWN = None  # a configuration that is not known here: its cost and shape are not either


class Layer:
    """One layer as its rule sees it: its configuration, where it stands, what it reads, and who reads the file.

    A rule sets `lost` if it knows the steps but not the shape that comes out of them, and `others`, the shapes of the
    outputs behind the first.
    """

    def __init__(self, config: dict, tensors: list[Tensor], node: Any, reader: Any) -> None:
        self.config, self.tensors, self.node, self.reader = config, tensors, node, reader
        self.inputs = [one.label for one in tensors]
        self.lost = False
        self.others: Any = ()

    @property
    def shape(self) -> tuple:
        """The shape per sample of what it reads first; an open axis is a polynomial."""
        return self.tensors[0].shape or ()

    def get(self, name: str, default: Any = None) -> Any:
        """An entry of the configuration."""
        found = self.config.get(name)
        return default if found is None else found

    def argument(self, name: str, position: int) -> Any:
        """What the call gives for an argument, by its name or position; None if it does not."""
        given = self.node.arguments if isinstance(self.node.arguments, dict) else {}
        listed, words = given.get("args"), given.get("kwargs")
        if isinstance(words, dict) and words.get(name) is not None:
            return words[name]
        return listed[position] if isinstance(listed, list) and position < len(listed) else None

    def tensor(self, name: str, position: int) -> Tensor | None:
        """The tensor that the call gives for an argument."""
        keys = keys_of(self.argument(name, position))
        return self.tensors[self.node.sources.index(keys[0])] if keys and keys[0] in self.node.sources else None

    def step(self, op: str, then: tuple[Any, ...] = (), **options: Any) -> Step:
        """A step of one operation. Sizes may be numbers, open axes and, for a branch, names or steps."""
        known = find(op)
        options = {
            name: value if name in known.branches else _bound(known.options[name], as_tuple(value))
            for name, value in options.items()
            if value is not None or known.options[name].required
        }
        call = Call(op, options, {}, dynamic_of(options))
        return Step(call, self.place, self.source, then=tuple(then))

    @property
    def place(self) -> tuple[int, ...]:
        """Where the layer stands in the text."""
        return self.reader.place(self.node)

    @property
    def source(self) -> Source:
        """The text."""
        return self.reader.source

    def named(self, step: Step, label: str | None = None, origin: str | None = None, times: Any = None) -> Step:
        """A step with a name, another input than what flows, or several runs."""
        return step._replace(label=label, origin=origin, times=None if times is None else as_tuple(times), plain=False)

    def made(self, shape: tuple, label: str, params: int = 0) -> Step:
        """A step that gives another shape and multiplies nothing."""
        return self.step("opaque", label=label, out=shape, mult_adds=0, params=params)

    def keeping(self, step: Step, count: Any) -> Step:
        """A step of an operation without numbers of its own that keeps so many which are not trained."""
        return step._replace(body=step.body._replace(holds={"running": as_tuple(count)}))

    def reshaped(self, shape: tuple) -> Step:
        """The same values in another shape."""
        return self.step("flatten") if len(shape) == 1 else self.step("reshape", shape=shape)

    def group(self, *steps: Any) -> Step:
        """Several steps as one."""
        return Step(Group(tuple(steps)), self.place, self.source)

    def then(self) -> tuple[Step, ...]:
        """The activation of a layer that has one."""
        return activations(self, self.config.get("activation"))

    def of(self, config: dict) -> Layer:
        """A layer inside this one, on the same input."""
        return Layer(config, self.tensors, self.node, self.reader)


def _bound(option: Option, value: Any) -> Any:
    """The value of an option as its rule takes it. Raises TypeError or Refused for what cannot be."""
    if is_dynamic(value):
        return value
    if is_mixed_up(value, option.kind) or isinstance(value, dict):
        raise TypeError(option.name)
    return option.kind.bind(value)


def as_tuple(value: Any) -> Any:
    """Lists of a configuration as tuples, whole; open axes as expressions over the variables of the model."""
    if isinstance(value, Dim):
        return Expr(str(value), names(value), lambda env: valued(value, env))
    return tuple(map(as_tuple, value)) if isinstance(value, (list, tuple)) else value


def axis_of(axis: Any, rank: int) -> int:
    """An axis of Keras, which counts the batch, among those of a sample. Raises ValueError for none."""
    if type(axis) is not int or not 1 <= (axis if axis >= 0 else axis + rank + 1) <= rank:
        raise ValueError(axis)
    return axis - 1 if axis > 0 else axis + rank
