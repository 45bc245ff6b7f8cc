"""Types of tensors, which determine the bits per value. They are declared in the file or inferred from operators.

A type is a number of TensorProto, 0 if unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .tensors import Tensor

BITS_OF = {
    **dict.fromkeys((2, 3, 9), 8),  # uint8, int8, bool
    **dict.fromkeys((4, 5, 10, 16), 16),  # uint16, int16, float16, bfloat16
    **dict.fromkeys((1, 6, 12), 32),  # float, int32, uint32
    **dict.fromkeys((7, 11, 13, 14), 64),  # int64, double, uint64, complex64
    15: 128,  # complex128
    **dict.fromkeys((17, 18, 19, 20, 24), 8),  # float8 of five kinds
    **dict.fromkeys((21, 22, 23), 4),  # uint4, int4, float4
    **dict.fromkeys((25, 26), 2),  # uint2, int2
}
FLOATS = (1, 10, 11, 16)
_FLOAT, _INT32, _INT64, _BOOL = 1, 6, 7, 9
_ONE_TYPE = {  # operators with a fixed result type
    **dict.fromkeys(("If", "Loop", "Scan"), 0),  # the type depends on their nested graphs
    **dict.fromkeys(("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not"), _BOOL),
    **dict.fromkeys(("IsNaN", "IsInf"), _BOOL),
    **dict.fromkeys(("Shape", "Size", "ArgMax", "ArgMin", "NonZero", "NonMaxSuppression"), _INT64),
    **dict.fromkeys(("MatMulInteger", "ConvInteger"), _INT32),
}
_OF_INPUT = {"Where": 1, "OneHot": 2, "CastLike": 1, "DequantizeLinear": 1, "MatMulNBits": 0}
CASTS = ("Cast", "CastLike", "Identity")  # conversions of PyTorch are read as Identity
_VALUES = {"value": 0, **dict.fromkeys(("value_int", "value_ints"), _INT64)}  # attributes of Constant
_VALUES |= dict.fromkeys(("value_float", "value_floats"), _FLOAT)
_SECOND = {"TopK": _INT64, "MaxPool": _INT64, "Dropout": _BOOL, "Unique": _INT64}  # types of outputs after the first


def type_of(op: str, attributes: Mapping[str, Any], inputs: Sequence[Tensor | None], at: int) -> int:
    """Type of a node's output. For most operators it is the type of the first input."""
    if at and op in _SECOND:
        return _SECOND[op]
    if op in _ONE_TYPE:
        return _ONE_TYPE[op]
    stated = _stated(attributes) if attributes else 0
    if stated or op == "ConstantOfShape":  # zeros unless a value is stated
        return stated or _FLOAT
    place = _OF_INPUT.get(op, 0)
    one = inputs[place] if place < len(inputs) else None
    return one.kind if one is not None else 0


def is_copy(one: Tensor | None, made: Tensor) -> bool:
    """Whether a cast changes the bits per value, so that its result is a separate tensor."""
    if one is None or one.made is None or one.roots is not None or made.shape is None or 0 in made.shape:
        return False
    return one.kind in FLOATS and made.kind in FLOATS and BITS_OF[one.kind] != BITS_OF[made.kind]


def _stated(attributes: Mapping[str, Any]) -> int:
    """Type in the attributes of a node: a cast, random numbers, or a constant."""
    for name, value in attributes.items():
        if name in ("to", "dtype", "output_dtype") and type(value) is int:
            return value
        if name in _VALUES:
            return _VALUES[name] or getattr(value, "kind", 0)
    return 0
