"""The outermost graph of an ONNX file, its fields read once: each look at a field of a message calls protobuf.

Lists are read by slices: protobuf walks a list otherwise item by item, in twice the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Operation:
    """A node. Its fields are those of a NodeProto."""

    __slots__ = ("attribute", "domain", "input", "message", "name", "op_type", "output")

    def __init__(self, message: Any) -> None:
        self.name, self.op_type, self.domain = message.name, message.op_type, message.domain
        self.input, self.output = message.input[:], message.output[:]
        self.attribute, self.message = message.attribute[:], message

    @property
    def overload(self) -> str:
        """Which function of its name it calls, in files that have several."""
        return getattr(self.message, "overload", "")

    @property
    def metadata_props(self) -> Iterable[Any]:
        """What the exporter noted."""
        return getattr(self.message, "metadata_props", ())


class Graph:
    """A graph. Its fields are those of a GraphProto, as lists."""

    __slots__ = ("initializer", "input", "node", "output", "sparse_initializer", "value_info")

    def __init__(self, message: Any) -> None:
        self.node = [Operation(one) for one in message.node[:]]
        self.initializer, self.sparse_initializer = message.initializer[:], message.sparse_initializer[:]
        self.input, self.output, self.value_info = message.input[:], message.output[:], message.value_info[:]
