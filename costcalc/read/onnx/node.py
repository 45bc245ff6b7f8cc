"""One node as its rule sees it: inputs, attributes, and methods to add steps."""

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
    """A node with its inputs as tensors, None for an omitted input.

    `is_constant`: its outputs do not depend on the graph's inputs and it has no products; such nodes are not steps.
    `extra` has tensors that the operator reads but its rule does not; `settings` the indices of inputs that are not
    parameters.
    """

    __slots__ = (
        *("attributes", "began", "extra", "inputs", "is_constant", "number", "op", "outputs", "proto", "reader"),
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
        extra: Sequence[Tensor] = (),
    ) -> None:
        self.reader, self.proto, self.op = reader, proto, proto.op_type
        self.extra = list(extra) if extra else []
        self.inputs: list[Any] = inputs  # Tensors, or None if omitted
        self.attributes, self.version, self.number = attributes, version, number
        self.outputs, self.began = len(proto.output), len(reader.steps)
        self.settings: frozenset[int] | None = None
        self.is_constant = bool(inputs)
        for one in [*inputs, *extra] if extra else inputs:
            if one is not None and one.roots is None:
                self.is_constant = False
                break

    def get(self, name: str, default: int | str | None = None) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def input(self, number: int) -> Any:
        """An input, or None if it is omitted."""
        return self.inputs[number] if number < len(self.inputs) else None

    def need(self, number: int) -> Tensor:
        """A required input. Raises Refused if it is omitted."""
        found = self.input(number)
        if found is None:
            raise Refused(f"its input {number + 1} is missing")
        return found

    def sizes(self, number: int | None, attribute: str | None = None) -> Any:
        """Integers from an input, or from an attribute in older versions; None if both are missing.

        Raises Unknown if they are unknown before the graph runs.
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
        """Add a step with inputs of these shapes, channels last, unless one is empty. Return its Layer.

        holds    kind -> tensor of parameters; those that no earlier step holds are counted
        times    number of runs, for example the batch size
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
        """Add a step without multiplications that has no operation in the spec language."""
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
        """Tensors that the node computes with. Inputs that are not parameters are recorded as settings."""
        ignored = self.ignored
        if not ignored:
            return [*self.inputs, *self.extra]
        for at in ignored:
            if at < len(self.inputs) and self.inputs[at] is not None and self.inputs[at].roots:
                self.reader.numbers.settings |= self.inputs[at].roots
        return [*[one for at, one in enumerate(self.inputs) if at not in ignored], *self.extra]

    @property
    def ignored(self) -> Collection[int]:
        """Indices of inputs that are not parameters, from the rule or else from the operator."""
        return self.reader.settings(self.proto) if self.settings is None else self.settings

    def roots(self) -> frozenset[str]:
        """Parameters that the result of a constant node depends on."""
        return frozenset().union(*[one.roots for one in self.read if one is not None and one.roots])

    def hold(self, outputs: list[Tensor]) -> None:
        """Assign the parameters that the node reads and no step holds to its last step, so that none is lost."""
        for one in [*self.inputs, *self.extra] if self.extra else self.inputs:
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
        """Producers of the next step's inputs: the previous step of this node, or else the node's inputs in order."""
        if count == 1:
            return (self.source(),)
        flowing = [one for one in self.inputs if one is not None and (one.shape is not None or one.made is not None)]
        return (*(one.made for one in flowing if not is_empty(one)), *[None] * count)[:count]

    def source(self) -> int | str | None:
        """Producer of the next step's input: this node's previous step, or else its first non-constant input."""
        steps = len(self.reader.steps)
        if steps > self.began:
            return steps - 1
        for one in self.inputs:
            if one is not None and one.made is not None and not is_empty(one):
                return one.made
        return None

    def made(self, outputs: list[Tensor]) -> list[Tensor]:
        """Outputs with their producers: the last step of this node, or else its input."""
        steps, last = len(self.reader.steps), self.source()
        inner = range(self.began, steps)  # from nodes of a function or loop
        return [one if one.made in inner else one.come(last, one.kind) for one in outputs]

    def same(self, one: int, other: int, message: str) -> None:
        """Refuse sizes that differ. If one is symbolic, a step checks it when variables have values."""
        require(equal(one, other), message, one, other)
        if one != other:
            self.emit("reshape", (one,), shape=(other,), follows=True)

    def unknown(self, holds: dict[str, Tensor | None] | None = None, output: Tensor | None = None) -> None:
        """Add a step of unknown cost. An unknown shape is ()."""
        flowing = next((one for one in self.inputs if one is not None and one.made is not None), None)
        x, out = (() if one is None or one.shape is None else self.seen(one)[0] for one in (flowing, output))
        self.emit("opaque", x, label=self.op, holds=holds, out=out, params=0)

    def seen(self, tensor: Tensor) -> tuple[Shape, Number]:
        """(shape per sample with channels last, number of samples) of a tensor."""
        return self.reader.seen(tensor)


class Unknown(Exception):
    """A shape depends on data."""


def axis(number: int, rank: int) -> int:
    """Normalize a negative axis. Raises Refused if it is out of range."""
    if not -rank <= number < rank:
        raise Refused(f"axis {number} is out of range for a tensor with {rank} axes")
    return number % rank


def grid(tensor: Any) -> tuple[Number, int, Shape]:
    """(batch, channels, grid sizes) of a tensor with channels after the batch."""
    if len(tensor.shape) < 3:
        raise Refused(f"it needs a batch, channels and a grid, got {len(tensor.shape)} axes")
    batch, channels, *space = tensor.shape
    return batch, channels, tuple(space)


def check_count(tensor: Tensor | None, count: int, message: str) -> None:
    """Refuse a tensor with another number of elements, if its shape is known."""
    if tensor is not None and tensor.shape is not None:
        require(equal(tensor.size, count), message, tensor.size, count)


def flat(shape: Shape) -> Any:
    """Shape of one axis with all elements."""
    return (prod(shape),)


def hold(reader: Reader, roots: Iterable[str]) -> None:
    """Assign parameters that no step holds yet to the last step."""
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
