"""Tensors, and the buffers that they are in."""

from __future__ import annotations

from typing import Any

from .. import num
from ..records import NamedTuple


class Tensor(NamedTuple):
    """A tensor that is no constant: the row that makes it or the name of an input, its shape, copies and bits."""

    made: Any
    shape: tuple
    size: Any  # in bytes


class Buffer:
    """Tensors that share storage. `first` and `last` are numbers of rows; what the network gives has END as last."""

    __slots__ = ("first", "given", "last", "size", "tensors", "within")

    def __init__(self, tensor: Tensor, first: int, last: float, given: bool) -> None:
        self.tensors, self.size, self.first, self.last, self.given = [tensor], tensor.size, first, last, given
        self.within: Buffer | None = None  # the buffer that this has become a part of

    @property
    def whole(self) -> Buffer:
        """The buffer that this is a part of, or itself."""
        found = self
        while found.within is not None:
            found = found.within
        if found is not self:
            self.within = found
        return found

    def take(self, tensor: Tensor, last: float) -> None:
        """Note a further tensor in this storage."""
        self.tensors.append(tensor)
        self.last = max(self.last, last)
        if not same(self.size, tensor.size):
            self.size = num.maximum(self.size, tensor.size)

    def absorb(self, part: Buffer) -> None:
        """Let another buffer be a part of this one."""
        part.within = self
        self.tensors[:0] = part.tensors
        self.first, self.last = min(self.first, part.first), max(self.last, part.last)


def same(a: Any, b: Any) -> bool:
    """Whether two sizes are the same, at every point."""
    return a is b or bool(num.domain(a, b).decide(num.equal(a, b)))
