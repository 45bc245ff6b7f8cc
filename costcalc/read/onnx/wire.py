"""An ONNX file without its weights: the messages as they are on disk, large tensors left out.

Only the lengths of the fields that hold tensors are looked at (the wire format of protocol buffers: a tag of number and
type, then a value or a length), so that weights are neither copied nor decoded.
"""

from ... import limits
from ...errors import FileError, Problem

SMALL = 4_096  # bytes: what is not larger is copied unseen
_INNER = {  # message -> field -> the message in it, where tensors can be (onnx.proto)
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 11: "shape", 12: "shape", 13: "shape"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {},
    "shape": {},
}
_DATA = frozenset((4, 5, 7, 9, 10, 11))  # the fields of a tensor that hold its numbers
_DEPTH = 30  # graphs in graphs: each is a node's attribute, and protocol buffers stand 100 deep at most


def stripped(data, small=SMALL):
    """The bytes of a model, its large tensors without data. Raises FileError for what is no such message.

    What has at most `small` bytes is not looked into.
    """
    return _Stripper(data, small).message("model", 0, len(data), 0)


class _Stripper:
    def __init__(self, data, small):
        self.data, self.small, self.fields, self.counts = data, small, 0, dict.fromkeys(_INNER, 0)

    def message(self, name, start, end, depth):
        """A message without the data of large tensors, field by field."""
        if depth > 3 * _DEPTH:
            raise FileError(Problem("limit", f"graphs nest at most {_DEPTH} deep"))
        inner, parts, copied, at = _INNER[name], [], start, start
        while at < end:
            number, first, after = self.field(at, end)
            large = after - first > self.small
            if number in inner:
                self.count(inner[number])
            if large and name == "tensor" and number in _DATA:
                parts.append(self.data[copied:at])
                copied = after
            elif large and number in inner:
                new = self.message(inner[number], first, after, depth + 1)
                parts += [self.data[copied:at], _varint(number << 3 | 2), _varint(len(new)), new]
                copied = after
            at = after
        parts.append(self.data[copied:end])
        return b"".join(parts)

    def count(self, kind):
        """Note one more message; each that is parsed takes a thousand bytes."""
        self.counts[kind] += 1
        if self.counts[kind] > limits.LAYERS and kind != "attribute":
            message = f"there are more than {limits.LAYERS:,} {kind}s"
            raise FileError(Problem("limit", message, help=limits.hint("layers")))

    def field(self, at, end):
        """The number of a field, and where its value starts and ends."""
        self.fields += 1
        if self.fields > limits.GRAPH_FIELDS:
            message = f"the graph has more than {limits.GRAPH_FIELDS:,} parts"
            raise FileError(Problem("limit", message, help=limits.hint("graph_fields")))
        tag, at = self.varint(at, end)
        kind = tag & 7
        if kind == 2:
            size, at = self.varint(at, end)
            after = at + size
        elif kind == 0:
            _, after = self.varint(at, end)
        else:
            after = at + {1: 8, 5: 4}.get(kind, end)
        if after > end or not tag >> 3:
            raise _broken()
        return tag >> 3, at, after

    def varint(self, at, end):
        """A number of seven bits a byte, and where it ends."""
        value = 0
        for shift in range(0, 70, 7):
            if at >= end:
                raise _broken()
            byte = self.data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
        raise _broken()


def _varint(value):
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def _broken():
    return FileError(Problem("bad-onnx", "this is no ONNX model, or a part of one: the file is cut off or damaged"))
