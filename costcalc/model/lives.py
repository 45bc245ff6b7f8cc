"""Lifetimes of tensors: which tensors share a buffer, which operations need it, and how large it is.

The schedule is the order of the rows. A buffer lives from the operation that first writes it to the last that reads it.
Inputs of the network live from before the first operation, and outputs until after the last. Weights have no buffer.
Built in one pass over a Trace, for integers, arrays or symbols.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from .. import num
from ..ops.inner import INSIDE, inside
from .rows import Row, Trace
from .sharing import Buffer, Sharer, copies
from .storage import Storage
from .widths import of_products


class Lives:
    """The buffers of a trace under a storage policy.

    walked, storage  the trace and the policy
    buffers          in the order in which they are first written
    touched          for each row: the buffers that it reads and writes, each once
    products         for each row: the bits of both factors of its products
    workspace        for each row: the additional bytes that it needs while it runs
    """

    def __init__(self, walked: Trace, storage: Storage) -> None:
        self.walked, self.storage = walked, storage
        self.last, self.readers = _readings(walked, storage)
        self.sharer = Sharer(walked, storage, self.last, self.readers)
        self.of = self.sharer.placed()  # by row number or input name
        self.products = of_products(walked.rows, storage, self.sharer.bits)
        self.workspace = [self._workspace(row, number) for number, row in enumerate(walked.rows)]
        self.touched = [self._touched(number) for number in range(len(walked.rows))]

    @cached_property
    def buffers(self) -> list[Buffer]:
        """All buffers, each once, in the order in which they are first written."""
        unique = {id(buffer.whole): buffer.whole for buffer in self.of.values()}
        return sorted(unique.values(), key=lambda buffer: buffer.first)

    def buffer(self, made: Any) -> Buffer | None:
        """The buffer of a row's output or of an input; None for a constant."""
        part = self.of.get(made)
        return None if part is None else part.whole

    def end(self, buffer: Buffer) -> int:
        """The last row that needs a buffer."""
        return min(buffer.last, len(self.walked.rows) - 1)  # type: ignore[return-value]

    def _touched(self, number: int) -> list[Buffer]:
        buffers = (self.buffer(source) for source in (*self.walked.rows[number].sources, number))
        return list({id(buffer): buffer for buffer in buffers if buffer is not None}.values())

    @cached_property
    def live(self) -> list[Any]:
        """For each row, the bytes needed while it runs: its workspace and all live buffers."""
        return [
            held if type(work) is int and work == 0 else num.added([work, held])
            for work, held in zip(self.workspace, self._held(), strict=True)
        ]

    def _held(self) -> Iterator[Any]:
        plain = all(type(buffer.size) is int for buffer in self.buffers)
        return self._running() if plain else (num.added([buffer.size for buffer in alive]) for alive in self.alive())

    def _running(self) -> Iterator[int]:
        change = [0] * (len(self.walked.rows) + 1)
        for buffer in self.buffers:
            change[buffer.first] += buffer.size
            change[self.end(buffer) + 1] -= buffer.size
        held = 0
        for number in range(len(self.walked.rows)):
            held += change[number]
            yield held

    def alive(self) -> Iterator[list[Buffer]]:
        """For each row, the live buffers while it runs, in the order in which they were written."""
        starts, ends = [[] for _ in self.walked.rows], {}  # type: ignore[var-annotated]
        for buffer in self.buffers if self.walked.rows else ():
            starts[buffer.first].append(buffer)
        held: dict[int, Buffer] = {}
        for number, new in enumerate(starts):
            held.update((id(buffer), buffer) for buffer in new)
            for buffer in new:
                ends.setdefault(self.end(buffer), []).append(id(buffer))
            yield list(held.values())
            for key in ends.pop(number, ()):
                del held[key]

    @cached_property
    def floors(self) -> list[Any]:
        """For each row, the bytes that it reads and writes plus its workspace: a lower bound for every schedule."""
        return [
            num.added([work, *(buffer.size for buffer in touched)])
            for work, touched in zip(self.workspace, self.touched, strict=True)
        ]

    def _workspace(self, row: Row, number: int) -> Any:
        values, bits = _im2col(row) if self.storage.workspace == "im2col" else 0, self.sharer.bits.of(number)
        if number in self.sharer.by_channel:
            values = num.prod(row.layer.shape[:-1])
        elif row.op.name in INSIDE:
            values = inside(row.op.name, row.inputs, row.options, self.storage.attention == "fused")
        elif row.op.name in ("rnn", "lstm", "gru"):
            values = _step(row)
        if type(values) is int and values == 0:
            return 0
        return self.storage.bytes(values * copies(row, self.storage), bits)


def _im2col(row: Row) -> Any:
    """The values in the unfolded input of one group of a convolution: kernel x channels x output positions."""
    if row.op.name not in ("conv", "dwconv"):
        return 0
    kernel = row.layer.detail["kernel"]
    groups = row.layer.detail["groups"]
    return num.prod(kernel) * num.floor_div(row.inputs[0][-1], groups) * num.prod(row.layer.shape[:-1])


def _step(row: Row) -> Any:
    """The values of the gates and states of a recurrent layer for one time step."""
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[row.op.name]
    states = 2 if row.op.name == "lstm" else 1
    return (gates + states) * row.options["hidden"] * (2 if row.options.get("bidirectional") else 1)


def _readings(walked: Trace, storage: Storage) -> tuple[dict[Any, float], dict[Any, int]]:
    """(last row that reads each tensor, number of rows that read it), by the source of the tensor."""
    last: dict[Any, float] = {}
    readers: dict[Any, int] = {}
    for number, row in enumerate(walked.rows):
        for source in set(row.sources):
            last[source] = number
            readers[source] = readers.get(source, 0) + 1
    if storage.block:
        _hold(walked, last)
    for source in walked.outputs:
        last[source] = len(walked.rows)
    return last, readers


def _hold(walked: Trace, last: dict[Any, float]) -> None:
    """Extend the lifetime of a block's inputs to the end of the block."""
    ends: dict[int, int] = {}
    blocks = [_block(row) for row in walked.rows]
    for number, block in enumerate(blocks):
        ends[block] = number
    for number, row in enumerate(walked.rows):
        for source in row.sources:
            if blocks[number] and type(source) is int and blocks[source] != blocks[number]:
                last[source] = max(last[source], ends[blocks[number]])


def _block(row: Row) -> int:
    """An id of the innermost block around a row; 0 for none."""
    frame: Any = row.frame
    while frame is not None and frame.call is None:
        frame = frame.parent
    return 0 if frame is None else id(frame)
