"""Tensors of a graph as far as they are known: shapes, the values of small constants, and whose numbers they are."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from ... import limits
from ...errors import Refused
from ...model.expr import Expr
from ...num.polynomials import Dim
from ...num.valuation import names, valued
from ...records import NamedTuple

if TYPE_CHECKING:
    from ...num.values import Number
    from ...syntax.nodes import Node


_FORMATS = {1: "f", 2: "B", 3: "b", 4: "H", 5: "h", 6: "i", 7: "q", 9: "?", 10: "e", 11: "d", 12: "I", 13: "Q"}
_COUNTING = frozenset((7, 8, 9, 13))  # types of sizes, texts and truths: no trained numbers
_FIELDS = {1: "float_data", 6: "int32_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}


PRODUCT, INPUT, WEIGHT = (frozenset((name,)) for name in ("product", "input", "weight"))


class Tensor(NamedTuple):
    """What is known of a tensor.

    shape   its sizes, batch and channels where the graph has them; None if they depend on data
    value   its elements in row-major order, where they are known
    roots   the initializers that it is computed from alone; None if anything that flows in is part of it
    first   whether its channels come right after the batch
    items   the tensors of a sequence
    made    the number of the step that it comes from, or the name of an input; None of a constant
    scaled  of products of whole numbers and their scales: which of PRODUCT, INPUT and WEIGHT are multiplied in it
    kind    the type of its elements, a number of TensorProto; 0 if it is not known
    """

    shape: Any  # a Shape, or None
    value: Any = None
    roots: frozenset | None = None
    first: bool = False
    items: tuple | None = None
    made: int | str | None = None
    scaled: frozenset = frozenset()
    kind: int = 0

    @property
    def size(self) -> int:
        """How many elements."""
        return prod(self.shape)

    def rooted(self, roots: frozenset | None) -> Tensor:
        """The same tensor, computed from other initializers."""
        if self.roots == roots:
            return self
        return Tensor(self.shape, self.value, roots, self.first, self.items, self.made, self.scaled, self.kind)

    def come(self, made: int | str | None, kind: int) -> Tensor:
        """The same tensor, from another step, its elements of another type."""
        if self.made == made and self.kind == kind:
            return self
        return Tensor(self.shape, self.value, self.roots, self.first, self.items, made, self.scaled, kind)


# What a rule gives: for each output of its operator a Tensor, or its shape alone.
Outputs: TypeAlias = Sequence[Union[Tensor, Sequence[Any]]]  # noqa: UP007 (evaluated)


def constant(shape: Iterable[int], value: Iterable[Number | None] | None = None) -> Tensor:
    """A tensor of known values that holds nothing trained."""
    return Tensor(tuple(shape), None if value is None else tuple(value), frozenset())


def is_empty(tensor: Tensor) -> bool:
    """Whether a tensor has no elements, as the part of a slice that leaves nothing out."""
    return tensor.shape is not None and 0 in tensor.shape


def scalar(value: Node | None) -> Tensor:
    """A single number."""
    return constant((), (value,))


def stored(proto: Any) -> Tensor:
    """The tensor of a TensorProto: its shape, and its values if they are few and in the file itself."""
    shape = tuple(proto.dims[:])
    if shape and min(shape) < 0:
        raise Refused(f"a size cannot be {min(shape)}")
    if len(shape) > limits.RANK:
        raise Refused(f"a tensor of {len(shape)} axes has too many: the limit is {limits.RANK}")
    size, external = prod(shape), proto.external_data[:]
    if size > limits.TOTAL:
        raise Refused("a tensor has too many elements")
    _check_location(external)
    value = _values(proto, size) if size <= limits.FOLDED and not external else None
    kind = proto.data_type
    roots = frozenset(() if kind in _COUNTING else (proto.name,))
    return Tensor(shape, value, roots, kind=kind)


def _check_location(entries: Iterable[Any]) -> None:
    """Refuse weights that are said to be outside of the model's directory, although they are never opened."""
    for entry in entries:
        if entry.key == "location":
            if type(entry.value) is bytes:
                raise Refused("its data is said to be in a file whose name is not UTF-8")
            parts = entry.value.replace("\\", "/").split("/")
            if ".." in parts or parts[0] == "" or ":" in parts[0] or not entry.value.isprintable():
                raise Refused(f"its data is said to be in `{entry.value}`, outside of the model's directory")


def _values(proto: Any, count: int) -> tuple[float, ...] | None:
    kind = proto.data_type
    if proto.raw_data:
        letter = _FORMATS.get(kind)
        if letter is None:
            return None
        data = proto.raw_data
        if len(data) != count * struct.calcsize(letter):
            raise Refused(f"{len(data)} bytes do not hold {count} elements")
        return struct.unpack(f"<{count}{letter}", data)
    values = getattr(proto, _FIELDS.get(kind, "int32_data"))
    if kind in (8, 10, 14, 15, 16) or len(values) != count:
        return None
    return tuple(map(bool, values)) if kind == 9 else tuple(values)


def together(tensors: Iterable[Any]) -> Tensor:
    """Several tensors of numbers as one."""
    found = tuple(tensors)
    return Tensor((sum(one.size for one in found),), None, frozenset().union(*(one.roots or () for one in found)))


def sizes(tensor: Tensor) -> Any:
    """The values of a tensor that holds sizes. Raises Refused where they are not known."""
    if tensor is None or tensor.value is None or not all(isinstance(one, (int, Dim)) for one in tensor.value):
        return None
    return tensor.value


class Scope:
    """Tensors by name, those of the graph around it too."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.own: dict[str, Tensor] = {}
        self.parent = parent

    def find(self, name: str) -> Tensor | None:
        """The tensor of that name, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.own:
                return scope.own[name]
            scope = scope.parent
        return None


def argument(value: Any) -> Any:
    """An argument of a step: plain as it is, an unknown size as an expression over the variables."""
    kind = type(value)
    if kind is int:
        return value
    if kind is tuple:
        for item in value:
            if type(item) is not int:
                return tuple([argument(one) for one in value])
        return value
    if isinstance(value, Dim):
        return Expr(str(value), names(value), lambda env: valued(value, env))
    return tuple([argument(item) for item in value]) if isinstance(value, (tuple, list)) else value
