"""Known properties of a graph's tensors: shapes, values of small constants, and the parameters they derive from."""

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
_COUNTING = frozenset((7, 8, 9, 13))  # integers, Booleans and texts: not trained
_FIELDS = {1: "float_data", 6: "int32_data", 7: "int64_data", 11: "double_data", 12: "uint64_data", 13: "uint64_data"}


PRODUCT, INPUT, WEIGHT = (frozenset((name,)) for name in ("product", "input", "weight"))


class Tensor(NamedTuple):
    """Known properties of a tensor.

    shape   its sizes, in the order of the graph; None if they depend on data
    value   its elements in row-major order, if known
    roots   the initializers that it is computed from; None if it also depends on the graph's inputs
    first   whether its channels come right after the batch
    items   the tensors of a sequence
    made    the index of the step that produces it, or the name of an input; None for a constant
    scaled  for products of integers and their scales: which of PRODUCT, INPUT and WEIGHT it contains
    kind    the type of its elements as a TensorProto number, 0 if unknown
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
        """Number of elements."""
        return prod(self.shape)

    def rooted(self, roots: frozenset | None) -> Tensor:
        """Copy with other roots."""
        if self.roots == roots:
            return self
        return Tensor(self.shape, self.value, roots, self.first, self.items, self.made, self.scaled, self.kind)

    def come(self, made: int | str | None, kind: int) -> Tensor:
        """Copy with another producer and element type."""
        if self.made == made and self.kind == kind:
            return self
        return Tensor(self.shape, self.value, self.roots, self.first, self.items, made, self.scaled, kind)


# Result of a rule: a Tensor or a shape for each output of its operator.
Outputs: TypeAlias = Sequence[Union[Tensor, Sequence[Any]]]  # noqa: UP007 (evaluated)


def constant(shape: Iterable[int], value: Iterable[Number | None] | None = None) -> Tensor:
    """A tensor of known values without parameters."""
    return Tensor(tuple(shape), None if value is None else tuple(value), frozenset())


def is_empty(tensor: Tensor) -> bool:
    """Whether a tensor has no elements, for example an empty slice."""
    return tensor.shape is not None and 0 in tensor.shape


def scalar(value: Node | None) -> Tensor:
    """A constant scalar."""
    return constant((), (value,))


def stored(proto: Any) -> Tensor:
    """The tensor of a TensorProto: its shape, and its values if they are few and stored in the file itself."""
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
    """Refuse weights located outside the model's directory, although they are never opened."""
    for entry in entries:
        if entry.key == "location":
            if type(entry.value) is bytes:
                raise Refused("its data is located in a file whose name is not UTF-8")
            parts = entry.value.replace("\\", "/").split("/")
            if ".." in parts or parts[0] == "" or ":" in parts[0] or not entry.value.isprintable():
                raise Refused(f"its data is located in `{entry.value}`, outside of the model's directory")


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
    """Merge several tensors of parameters into one."""
    found = tuple(tensors)
    return Tensor((sum(one.size for one in found),), None, frozenset().union(*(one.roots or () for one in found)))


def sizes(tensor: Tensor) -> Any:
    """Values of a tensor that holds sizes, or None if they are unknown."""
    if tensor is None or tensor.value is None or not all(isinstance(one, (int, Dim)) for one in tensor.value):
        return None
    return tensor.value


class Scope:
    """Tensors by name, including those of enclosing graphs."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.own: dict[str, Tensor] = {}
        self.parent = parent

    def find(self, name: str) -> Tensor | None:
        """Look up a tensor, or return None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.own:
                return scope.own[name]
            scope = scope.parent
        return None


def argument(value: Any) -> Any:
    """Convert an argument of a step: symbolic sizes become expressions over the variables."""
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
