"""Calls of operators with the fields that a node of an ONNX graph has, so that one reader walks both."""

from __future__ import annotations

from typing import Any

from ...records import NamedTuple

_KINDS = {float: (1, "f"), int: (2, "i"), bool: (2, "i"), str: (3, "s")}


class Attribute:
    """An attribute as an AttributeProto says it: which kind of value, and the value in the field of that kind."""

    ref_attr_name = ""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        if isinstance(value, (tuple, list)):
            self.type, field = 7, "ints"
        else:
            self.type, field = _KINDS[type(value)]
        setattr(self, field, value.encode() if field == "s" else value)


class Call(NamedTuple):
    """One operator as the reader walks it.

    input      names of tensors, "" for one that is left out
    scopes     the modules around it, each by its full name, outermost first
    leaf       what it is called in the innermost of them
    shapes     those of its outputs, None where one depends on data
    constants  the inputs that are numbers in the code
    kinds      the types of its outputs, numbers of TensorProto; 0 for one that is not known
    beside     names of tensors that the operator reads and that are no inputs of its rule, as a mask of attention
    writes     names of tensors that have other values afterwards
    """

    name: str
    op_type: str
    domain: str
    input: tuple[str, ...]
    output: tuple[str, ...]
    attribute: tuple[Attribute, ...]
    scopes: tuple[str, ...]
    leaf: str
    shapes: tuple
    constants: dict[str, Any]
    beside: tuple[str, ...] = ()
    kinds: tuple[int, ...] = ()
    writes: tuple[str, ...] = ()
