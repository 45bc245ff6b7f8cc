"""The outermost graph of an ONNX file, its fields read once: each look at a field of a message calls protobuf."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Attribute:
    """An attribute. Its fields are those of an AttributeProto; its value is read when it is asked for."""

    __slots__ = ("message", "name", "ref_attr_name", "type")

    def __init__(self, message: Any) -> None:
        self.name, self.type, self.ref_attr_name, self.message = (
            message.name,
            message.type,
            message.ref_attr_name,
            message,
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.message, name)


class Operation:
    """A node. Its fields are those of a NodeProto."""

    __slots__ = ("attribute", "domain", "input", "message", "name", "op_type", "output")

    def __init__(self, message: Any) -> None:
        self.name, self.op_type, self.domain = message.name, message.op_type, message.domain
        self.input, self.output = tuple(message.input), tuple(message.output)
        self.attribute, self.message = tuple(map(Attribute, message.attribute)), message

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
        self.node = list(map(Operation, message.node))
        self.initializer, self.sparse_initializer = list(message.initializer), list(message.sparse_initializer)
        self.input, self.output, self.value_info = list(message.input), list(message.output), list(message.value_info)
