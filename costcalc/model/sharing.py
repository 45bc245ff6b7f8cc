"""Assign tensors to buffers by applying the sharing rules of a policy to the rows in execution order."""

from __future__ import annotations

from typing import Any

from .. import num
from ..ops import ACTIVATIONS
from ..records import NamedTuple
from .rows import Row, Trace
from .storage import Storage
from .widths import RENAMING, Tensors


class Tensor(NamedTuple):
    """A tensor that is not a constant: the row or input that makes it, its shape and its size."""

    made: Any
    shape: tuple
    size: Any  # in bytes


class Buffer:
    """Tensors that share storage. `first` and `last` are row numbers; an output's `last` is past the last row."""

    __slots__ = ("first", "given", "last", "size", "tensors", "within")

    def __init__(self, tensor: Tensor, first: int, last: float, given: bool) -> None:
        self.tensors, self.size, self.first, self.last, self.given = [tensor], tensor.size, first, last, given
        self.within: Buffer | None = None  # the buffer that contains this one

    @property
    def whole(self) -> Buffer:
        """The outermost buffer that contains this one, or itself."""
        whole = self
        while whole.within is not None:
            whole = whole.within
        if whole is not self:
            self.within = whole
        return whole

    def take(self, tensor: Tensor, last: float) -> None:
        """Add a tensor to this buffer."""
        self.tensors.append(tensor)
        self.last = max(self.last, last)
        if not same(self.size, tensor.size):
            self.size = num.maximum(self.size, tensor.size)

    def absorb(self, part: Buffer) -> None:
        """Make another buffer a part of this one."""
        part.within = self
        self.tensors[:0] = part.tensors
        self.first, self.last = min(self.first, part.first), max(self.last, part.last)


def same(a: Any, b: Any) -> bool:
    """Whether two sizes are equal at every point."""
    return a is b or bool(num.domain(a, b).decide(num.equal(a, b)))


WEIGHTED = ("conv", "dwconv", "conv_transpose", "linear")  # layers that absorb a batch norm (arXiv:1712.05877)
ELEMENTWISE = frozenset(ACTIVATIONS) - {"softmax", "log_softmax", "glu"}


class Sharer:
    """Assigns every tensor to a buffer. `last` and `readers` hold each tensor's last reader and number of readers.

    `by_channel` are the rows that run in place channel by channel, `merged` the rows merged into the layer before them,
    `absorbed` the (row, operand) pairs of concatenations whose operand is written directly into the result.
    """

    def __init__(self, walked: Trace, storage: Storage, last: dict[Any, float], readers: dict[Any, int]) -> None:
        self.walked, self.storage, self.last, self.readers = walked, storage, last, readers
        self.bits = Tensors(walked.rows, storage, walked.bits)
        self.of: dict[Any, Buffer] = {}
        self.by_channel: set[int] = set()
        self.merged: set[int] = set()
        self.absorbed: set[tuple[int, Any]] = set()

    def placed(self) -> dict[Any, Buffer]:
        """The buffer of each tensor, by row number or input name."""
        if self.storage.input == "held":
            for name, shape in self.walked.inputs.items():
                self.of[name] = Buffer(Tensor(name, shape, self.size(name)), 0, self.last.get(name, 0), True)
        for number, row in enumerate(self.walked.rows):
            if row.inputs or row.op.takes_input:  # else it is a parameter, which has no buffer
                self._place(number, row)
        return self.of

    def _place(self, number: int, row: Row) -> None:
        if self.renames(row, number) and self._buffer(self._first(number)) is None:
            return  # a view of a tensor without a buffer: weights, or a streamed input
        tensor = Tensor(number, row.layer.shape, self.size(number))
        last = self.last.get(number, number)
        shared = self._shared(number, row, tensor)
        if shared is None:
            self.of[number] = Buffer(tensor, number, last, False)
        else:
            shared.take(tensor, last)
            self.of[number] = shared
        if self.storage.concat and row.op.name == "concat":
            self._join(number)

    def _buffer(self, made: Any) -> Buffer | None:
        buffer = self.of.get(made)
        return None if buffer is None else buffer.whole

    def _shared(self, number: int, row: Row, tensor: Tensor) -> Buffer | None:
        """The existing buffer that a row's result is written to, or None."""
        source, rules = self._first(number), self.storage
        if self.renames(row, number):
            return self._buffer(source)
        over_it = (rules.act and row.op.name in ELEMENTWISE) or (rules.fold and self._folds(row, source))
        if over_it and self.readers.get(source) == 1:
            buffer = self._free(source, number)
            self.merged |= set() if buffer is None else {number}
            return buffer
        if rules.add and row.op.name in ("add", "sub"):
            return self._operand(number, tensor)
        if rules.dw and is_depthwise(row) and _no_larger(row):
            buffer = self._free(source, number)
            self.by_channel |= set() if buffer is None else {number}
            return buffer
        return None

    def _first(self, number: int) -> Any:
        return next(iter(self.walked.rows[number].sources), None)

    def renames(self, row: Row, number: int) -> bool:
        """Whether the row is a view under this policy: it only renames values."""
        return self.storage.view and is_view(row, self.storage.batch) and self._keeps_bits(number)

    def _keeps_bits(self, number: int) -> bool:
        return not self.storage.own or self.bits.of(number) == self.bits.of(self._first(number))

    def is_same(self, number: Any) -> bool:
        """Whether a row's output is the preceding layer's tensor, overwritten in place or renamed."""
        return number in self.merged or (type(number) is int and self.renames(self.walked.rows[number], number))

    def _free(self, made: Any, number: int) -> Buffer | None:
        """The buffer of a tensor, if a row may overwrite it: it is not an input and has no later reader."""
        buffer = self._buffer(made)
        return buffer if buffer is not None and not buffer.given and buffer.last <= number else None

    def _folds(self, row: Row, source: Any) -> bool:
        if row.op.name != "batchnorm" or type(source) is not int:
            return False
        before = self.walked.rows[source]
        return before.op.name in WEIGHTED and before.shared is None and row.shared is None

    def _operand(self, number: int, tensor: Tensor) -> Buffer | None:
        """The buffer that a sum overwrites: of the first operand of equal size whose buffer holds no other operand."""
        sources = self.walked.rows[number].sources
        shapes = self.walked.rows[number].inputs
        for at, made in enumerate(sources):
            buffer = self._free(made, number)
            others = [self._buffer(other) for other in sources if other != made]
            if buffer is None or buffer in others or len(shapes[at]) != len(tensor.shape):
                continue
            if all(same(a, b) for a, b in zip(shapes[at], tensor.shape, strict=True)) and same(
                self.size(made), tensor.size
            ):
                return buffer
        return None

    def size(self, made: Any) -> Any:
        """The bytes of a tensor, by its source."""
        if type(made) is str:
            return self.storage.of(self.walked.inputs[made], self.storage.batch, self.bits.of(made))
        row = self.walked.rows[made]
        return self.storage.of(row.layer.shape, copies(row, self.storage), self.bits.of(made))

    def _join(self, number: int) -> None:
        """Make operands of a concatenation parts of its result, if they fill their own buffer."""
        result = self.of[number]
        for made in self.walked.rows[number].sources:
            part = self._buffer(made)
            if part is None or part is result or part.given or not same(part.size, self.size(made)):
                continue
            result.absorb(part)
            self.absorbed.add((number, made))


def copies(row: Row, storage: Storage) -> Any:
    """The number of simultaneous copies of a row's tensors."""
    if type(row.times) is int and row.times == 0:  # it holds weights but does not run
        return 0
    if storage.times == "serial" or (type(row.times) is int and row.times == 1):
        return storage.batch
    return row.times * storage.batch


def is_view(row: Row, batch: int = 1) -> bool:
    """Whether a row leaves values in place, in channels-last layout, sample by sample."""
    if row.op.name in RENAMING:
        return True
    if row.op.name == "permute":
        return _keeps_order(row)
    if row.op.name in ("split", "slice"):
        outermost = next((at for at, (a, b) in enumerate(_sizes(row)) if not same(a, b)), 0)
        return batch == 1 and all(map(is_one, row.inputs[0][:outermost]))
    return False


def _sizes(row: Row) -> list[tuple[Any, Any]]:
    return list(zip(row.inputs[0], row.layer.shape, strict=True))


def _keeps_order(row: Row) -> bool:
    """Whether a permutation moves only axes of size 1."""
    kept = [at for at in row.options["order"] if not is_one(row.inputs[0][at])]
    return kept == sorted(kept)


def is_one(size: Any) -> bool:
    """Whether a size is known to be 1."""
    return type(size) is int and size == 1


def is_depthwise(row: Row) -> bool:
    """Whether a convolution computes each channel from the same channel of its input."""
    channels = row.inputs[0][-1] if row.inputs and row.inputs[0] else 0
    if row.op.name == "dwconv":
        return same(channels, row.layer.shape[-1])
    groups = row.layer.detail.get("groups", 1) if row.op.name == "conv" else 1
    return not is_one(groups) and same(groups, channels) and same(channels, row.layer.shape[-1])


def _no_larger(row: Row) -> bool:
    """Whether the output grid has at most as many positions as the input grid."""
    before, after = num.prod(row.inputs[0][:-1]), num.prod(row.layer.shape[:-1])
    return bool(num.domain(before, after).decide(after <= before))
