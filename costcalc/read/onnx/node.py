"""One node as its rule sees it: inputs, attributes, and ways to state what it costs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import ops
from ...errors import Refused
from ...num import equal, prod, require
from .tensors import Tensor, is_empty, sizes

if TYPE_CHECKING:
    from ...num.values import Number, Shape
    from ...ops.base import Layer
    from .reader import Reader


class Node:
    """A node with its inputs as tensors; None for one that is left out.

    `is_constant`: it computes the same whatever flows into the graph, and multiplies nothing; such nodes are no steps.
    `beside` are tensors that the operator reads and its rule does not; `settings` the places of inputs whose numbers
    are no parameters.
    """

    __slots__ = (
        *("attributes", "began", "beside", "inputs", "is_constant", "number", "op", "outputs", "proto", "reader"),
        *("settings", "version"),
    )

    def __init__(
        self,
        reader: Reader,
        proto: Any,
        inputs: list[Tensor | None],
        attributes: Mapping[str, Any],
        version: int,
        number: int,
        beside: Sequence[Tensor] = (),
    ) -> None:
        self.reader, self.proto, self.op = reader, proto, proto.op_type
        self.beside = list(beside) if beside else []
        self.inputs: list[Any] = inputs  # each a Tensor, or None where it is left out
        self.attributes, self.version, self.number = attributes, version, number
        self.outputs, self.began = len(proto.output), len(reader.steps)
        self.settings: frozenset[int] | None = None
        self.is_constant = bool(inputs)
        for one in [*inputs, *beside] if beside else inputs:
            if one is not None and one.roots is None:
                self.is_constant = False
                break

    def get(self, name: str, default: int | str | None = None) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def input(self, number: int) -> Any:
        """An input, or None if it is left out."""
        return self.inputs[number] if number < len(self.inputs) else None

    def need(self, number: int) -> Tensor:
        """An input that must be there."""
        found = self.input(number)
        if found is None:
            raise Refused(f"its input {number + 1} is missing")
        return found

    def sizes(self, number: int | None, attribute: str | None = None) -> Any:
        """Whole numbers given by an input, or by an attribute in older versions; None if neither is there.

        Raises Refused when they are not known before the graph runs.
        """
        given = self.input(number) if number is not None else None
        if given is None:
            found = self.get(attribute) if attribute else None
            return None if found is None else tuple(found) if isinstance(found, (list, tuple)) else (found,)
        found = sizes(given)
        if found is None:
            raise Unknown
        return found

    def emit(
        self,
        op: str,
        *inputs: Any,
        holds: Mapping[str, Tensor | None] | None = None,
        times: int = 1,
        follows: bool = False,
        **options: Any,
    ) -> Layer:
        """State an operation on inputs of these shapes, channels last, if they have elements; gives its Layer.

        holds    kind -> the tensor of its numbers; those of constants that no earlier node holds are counted
        times    how often it runs, such as the size of the batch
        """
        found = ops.find(op)
        values = {**options, found.branches[0]: inputs} if found.branches else options
        layer = found.rule(*inputs[: found.takes_input], **values)
        if self.is_constant:
            return layer
        for shape in (*inputs, layer.shape):
            if 0 in shape:
                return layer
        self.reader.state(self, op, inputs, options, holds or {}, times, follows)
        return layer

    def passive(self, shape: Any, first: bool = False, holds: Mapping[str, Tensor | None] | None = None) -> Shape:
        """State an operation that multiplies nothing and that the spec language does not have."""
        seen, times = self.reader.seen(Tensor(shape, first=first))
        self.emit(
            *("opaque", seen),
            label=self.op,
            mult_adds=0,
            params=0,
            holds=holds,
            times=times,
            follows=True,
        )
        return shape

    @property
    def read(self) -> list[Tensor | None]:
        """The tensors whose numbers the node computes with; notes the inputs that are no parameters."""
        ignored = self.ignored
        if not ignored:
            return [*self.inputs, *self.beside]
        for at in ignored:
            if at < len(self.inputs) and self.inputs[at] is not None and self.inputs[at].roots:
                self.reader.numbers.settings |= self.inputs[at].roots
        return [*[one for at, one in enumerate(self.inputs) if at not in ignored], *self.beside]

    @property
    def ignored(self) -> Collection[int]:
        """The places of the inputs whose numbers are no parameters: as a rule found, else those of the operator."""
        return self.reader.settings(self.proto) if self.settings is None else self.settings

    def roots(self) -> frozenset[str]:
        """The parameters that the result of a constant node is made of."""
        return frozenset().union(*[one.roots for one in self.read if one is not None and one.roots])

    def hold(self, outputs: list[Tensor]) -> None:
        """Let a step of this node hold the parameters that it reads and no step holds yet: no rule can lose any."""
        for one in [*self.inputs, *self.beside] if self.beside else self.inputs:
            if one is not None and one.roots:
                break
        else:
            return
        roots = self.reader.numbers.unheld(self.read)
        if roots and len(self.reader.steps) == self.began:
            self.passive(next((one.shape for one in outputs if one.shape is not None), (1,)))
        if roots and len(self.reader.steps) > self.began:
            hold(self.reader, roots)

    def sources(self, count: int) -> tuple[Any, ...]:
        """Where the inputs of the next step come from: the step of this node before it, else its inputs in order."""
        if count == 1:
            return (self.source(),)
        flowing = [one for one in self.inputs if one is not None and (one.shape is not None or one.made is not None)]
        return (*(one.made for one in flowing if not is_empty(one)), *[None] * count)[:count]

    def source(self) -> int | str | None:
        """Where the input of the next step comes from: the step of this node before it, else its first input made."""
        steps = len(self.reader.steps)
        if steps > self.began:
            return steps - 1
        for one in self.inputs:
            if one is not None and one.made is not None and not is_empty(one):
                return one.made
        return None

    def made(self, outputs: list[Tensor]) -> list[Tensor]:
        """The outputs, each knowing what it comes from: the last step of this node, else what flows into it."""
        steps, last = len(self.reader.steps), self.source()
        inner = range(self.began, steps)  # of the nodes of a function or a loop
        return [one if one.made in inner else one.come(last, one.kind) for one in outputs]

    def same(self, one: int, other: int, message: str) -> None:
        """Refuse sizes that differ; where that is not known yet, a step finds out once they have values."""
        require(equal(one, other), message, one, other)
        if one != other:
            self.emit("reshape", (one,), shape=(other,), follows=True)

    def unknown(self, holds: dict[str, Tensor | None] | None = None, output: Tensor | None = None) -> None:
        """State an operation whose cost is not known; a shape that is not known either is ()."""
        flowing = next((one for one in self.inputs if one is not None and one.made is not None), None)
        x, out = (() if one is None or one.shape is None else self.seen(one)[0] for one in (flowing, output))
        self.emit("opaque", x, label=self.op, holds=holds, out=out, params=0)

    def seen(self, tensor: Tensor) -> tuple[Shape, Number]:
        """(shape per sample, channels last; how many samples) of a tensor."""
        return self.reader.seen(tensor)


class Unknown(Exception):
    """A shape depends on data."""


def axis(number: int, rank: int) -> int:
    """An axis counted from the front. Raises Refused when there is none of that number."""
    if not -rank <= number < rank:
        raise Refused(f"axis {number} of a tensor with {rank} axes")
    return number % rank


def grid(tensor: Any) -> tuple[Number, int, Shape]:
    """(batch, channels, sizes of the grid) of a tensor with channels after the batch."""
    if len(tensor.shape) < 3:
        raise Refused(f"it needs a batch, channels and a grid, got {len(tensor.shape)} axes")
    batch, channels, *space = tensor.shape
    return batch, channels, tuple(space)


def check_count(tensor: Tensor | None, count: int, message: str) -> None:
    """Refuse a tensor of another number of elements, where there is one and its shape is known."""
    if tensor is not None and tensor.shape is not None:
        require(equal(tensor.size, count), message, tensor.size, count)


def flat(shape: Shape) -> Any:
    """The number of elements, as a shape of one axis."""
    return (prod(shape),)


def hold(reader: Reader, roots: Iterable[str]) -> None:
    """Let the last step of a walk hold parameters that no step holds yet."""
    at, roots = len(reader.steps) - 1, [*roots]
    bits = max((reader.widths.typed[root] for root in roots if root in reader.widths.typed), default=0)
    reader.widths.hold(at, bits, 0)
    add(reader.steps, at, reader.numbers.rest(roots, at, "/".join(reader.steps[at].body.path)))


def add(steps: list, at: int, added: Mapping[str, int]) -> None:
    """Add numbers by kind to those that a step holds."""
    body = steps[at].body
    holds = {**body.holds, **{kind: body.holds.get(kind, 0) + count for kind, count in added.items()}}
    shared = None if any(added.values()) else body.shared
    steps[at] = steps[at]._replace(body=body._replace(holds=holds, shared=shared))
