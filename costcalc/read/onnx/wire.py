"""Strip weights from an ONNX file: copy its messages without large tensors and unused fields.

Only the lengths of fields are parsed (protobuf wire format: a tag of number and type, then a value or a length), so
weights are neither copied nor decoded. The memory that the parser requires is bounded before it runs: small messages
are not parsed, but each nested message has a tag, and all bytes that could be tags are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ... import limits
from ...allowance import spend
from ...errors import FileError, Problem

SMALL = 4_096  # bytes: largest tensor data that is kept, and largest message that is not parsed
_BETWEEN = 64  # messages of one kind between checks of the allowance
_HEAD = 20  # bytes of a tag and a length
_MESSAGE, _PACKED = 4, 8  # parts per message, and bytes of packed numbers per part
_NO_TAGS = bytes(one for one in range(256) if one & 7 != 2)  # bytes that cannot start a field with a length
# message -> field -> nested message, "" for a plain value; other fields are dropped (onnx.proto)
_FIELDS: dict[str, dict[int, str]] = {
    "model": {**dict.fromkeys((1, 2, 5), ""), 7: "graph", 8: "opset", 25: "function"},
    "opset": {1: "", 2: ""},
    "graph": {
        1: "node",
        2: "",
        5: "tensor",
        15: "sparse tensor",
        **dict.fromkeys((11, 12, 13), "value"),
    },
    "function": {
        **dict.fromkeys((1, 4, 5, 6, 10, 13), ""),
        7: "node",
        9: "opset",
        11: "attribute",
        12: "value",
    },
    "node": {**dict.fromkeys((1, 2, 3, 4, 7, 8), ""), 5: "attribute", 9: "entry"},
    "attribute": {
        **dict.fromkeys((1, 2, 3, 4, 7, 8, 9, 20, 21), ""),
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse tensor",
        23: "sparse tensor",
    },
    "tensor": {**dict.fromkeys((1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 14), ""), 13: "entry"},
    "sparse tensor": {1: "tensor", 2: "tensor", 3: ""},
    "value": {1: "", 2: "type", 3: ""},
    "type": {1: "tensor type", **dict.fromkeys((4, 5, 7, 8, 9), "other type"), 6: ""},
    "tensor type": {1: "", 2: "shape"},
    "other type": {},
    "shape": {1: "dim"},
    "dim": {1: "", 2: ""},
    "entry": {1: "", 2: ""},
}
_NUMBERS = {"tensor": frozenset((4, 5, 7, 9, 10, 11)), "attribute": frozenset((7, 8))}
_UNSEEN = frozenset(("node", "tensor", "value", "attribute", "entry"))  # copied unparsed if small
_AT_ONCE = 4_000_000  # bytes of a message that is read into memory before it is parsed
_MANY = frozenset(("node", "tensor", "sparse tensor", "function", "value"))  # as many as layers may exist
_SCOPES = b"pkg.torch.onnx.name_scopes"  # metadata entry with the scopes of a node
DEPTH = 30  # nested graphs: each is a node's attribute; protobuf nests at most 100 messages


class Data(Protocol):
    """Bytes of a file, in memory or read on demand."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


def stripped(data: Data) -> bytes:
    """The bytes of a model without unused parts. Raises FileError if it is not a model or too large.

    Small messages are copied unparsed if the limit allows for the most parts that they could have. Otherwise the file
    is parsed field by field.
    """
    try:
        return _Stripper(unseen=True).message(data, "model", 0, len(data), 0)
    except FileError:
        return checked(data)


def checked(data: Data) -> bytes:
    """Like `stripped`, but every message is parsed, so that errors in small ones are found too."""
    return _Stripper(unseen=False).message(data, "model", 0, len(data), 0)


def tags(data: bytes) -> int:
    """Number of bytes that could start a field with a length: an upper bound on nested messages."""
    return len(data.translate(None, _NO_TAGS))


class _Stripper:
    def __init__(self, unseen: bool) -> None:
        self.unseen, self.parts, self.kept = unseen, 0, 0
        self.counts = dict.fromkeys(_FIELDS, 0)
        self.most, self.most_parts = limits.NODES, limits.GRAPH_FIELDS

    def message(self, data: Data, name: str, start: int, end: int, depth: int) -> bytes:
        """Used fields of the message at `start` to `end`."""
        if depth > 3 * DEPTH:
            raise FileError(Problem("limit", f"graphs nest at most {DEPTH} deep"))
        self.count(name)
        if type(data) is not bytes and end - start <= _AT_ONCE:
            data, start, end = data[start:end], 0, end - start
        fields, parts, at, whole = _FIELDS[name], [], start, start  # `whole` to `at` is copied unchanged
        for number, first, after in self.fields(data, start, end):
            new = None
            inner = fields.get(number)
            if not inner or first is None:
                is_whole = inner == "" and not self.is_large(name, number, first, after)
            elif inner == "entry" and name == "node" and not _is_name(data, first, after):
                is_whole = False
            else:
                is_whole = self.is_unseen(inner, after - first)
                new = None if is_whole else self.message(data, inner, first, after, depth + 1)
            if not is_whole:
                parts.append(self.copied(data, whole, at))
                parts += [] if new is None else [_varint(number << 3 | 2), _varint(len(new)), new]
                whole = after
            at = after
        parts.append(self.copied(data, whole, end))
        return b"".join(parts)

    def is_unseen(self, inner: str, size: int) -> bool:
        """Whether a message of this size is copied unparsed."""
        if not self.unseen or size > SMALL or inner not in _UNSEEN:
            return False
        self.count(inner)
        return True

    def is_large(self, name: str, number: int, first: int | None, after: int) -> bool:
        """Whether a field has so many numbers that it is dropped. Numbers that are kept are counted."""
        size = after - first if first is not None else 0
        if name in _NUMBERS and number in _NUMBERS[name]:
            large = name == "tensor" and size > SMALL
            self.parts += 0 if large else size // _PACKED
            return large
        return name == "value" and number == 3 and size > 64  # documentation other than the mark

    def copied(self, data: Data, start: int, end: int) -> bytes:
        """Bytes of fields. Raises FileError if they exceed the limit."""
        self.kept += end - start
        if self.kept > limits.GRAPH_BYTES:
            message = f"the graph without its weights is larger than {limits.GRAPH_BYTES:,} bytes"
            raise FileError(Problem("limit", message, help=limits.hint("graph_bytes")))
        found = data[start:end]
        if self.unseen:
            self.parts += _MESSAGE * tags(found) + len(found) // _PACKED
            self.check_parts()
        return found

    def count(self, kind: str) -> None:
        """Count a message."""
        self.parts += _MESSAGE
        count = self.counts[kind] = self.counts[kind] + 1
        if not count % _BETWEEN:
            spend(_BETWEEN * _MESSAGE)
        if count > self.most and kind in _MANY:
            message = f"there are more than {self.most:,} {kind}s"
            raise FileError(Problem("limit", message, help=limits.hint("nodes")))

    def check_parts(self) -> None:
        """Refuse a file with more parts than the limit."""
        if self.parts > self.most_parts:
            message = f"the graph has more than {self.most_parts:,} parts"
            raise FileError(Problem("limit", message, help=limits.hint("graph_fields")))

    def fields(self, data: Data, at: int, end: int) -> Iterator[tuple[int, int | None, int]]:
        """(number, start of the bytes if it has a length, end) of each field."""
        while at < end:
            self.parts += 1
            if self.parts > self.most_parts:
                self.check_parts()
            head, base = (data, 0) if type(data) is bytes else (data[at : min(at + _HEAD, end)], at)
            tag, used = _number(head, at - base) if head[at - base] > 127 else (head[at - base], at - base + 1)
            kind, first = tag & 7, None
            if kind == 2:
                short = used < len(head) and head[used] < 128
                size, used = (head[used], used + 1) if short else _number(head, used)
                first = base + used
                at = first + size
            elif kind == 0:
                at = base + _number(head, used)[1]
            else:
                at = base + used + {1: 8, 5: 4}.get(kind, end)
            if at > end or not tag >> 3:
                raise _broken()
            yield tag >> 3, first, at


def _is_name(data: Data, first: int, after: int) -> bool:
    """Whether a metadata entry is used: only the one with the node's scopes."""
    return after - first <= SMALL and _SCOPES in data[first:after]


def _number(head: bytes, at: int) -> tuple[int, int]:
    """Decode a varint. Return the value and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(head):
            raise _broken()
        byte = head[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise _broken()


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def _broken() -> FileError:
    return FileError(Problem("bad-onnx", "this is not an ONNX model, or the file is cut off or damaged"))
