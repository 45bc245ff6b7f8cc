"""Calls of operators, with the fields of an ONNX node, so that the same reader can walk both."""

from __future__ import annotations

from typing import Any

from ...records import NamedTuple

_KINDS = {float: (1, "f"), int: (2, "i"), bool: (2, "i"), str: (3, "s")}


class Attribute:
    """An attribute with the fields of an AttributeProto: the type, and the value in the field for that type."""

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

    input      names of tensors, "" for an omitted one
    scopes     full names of the enclosing modules, outermost first
    leaf       name within the innermost module
    shapes     shapes of its outputs, None if one depends on data
    constants  inputs that are numbers in the code
    kinds      types of its outputs as TensorProto numbers, 0 if unknown
    extra      names of tensors that the operator reads but its rule does not, such as an attention mask
    writes     names of tensors whose values the operator changes
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
    extra: tuple[str, ...] = ()
    kinds: tuple[int, ...] = ()
    writes: tuple[str, ...] = ()
