"""The inputs of a graph that are weights, as a file without weights has them."""

from __future__ import annotations

from math import prod
from typing import Any

from ... import limits

MARK = "weight"  # documentation of an input that is one
_NORM = frozenset((1, 2))
_SLOTS = {  # where operators read weights (ONNX, Operators.md)
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm"), frozenset((1, 2))),
    **dict.fromkeys(("InstanceNormalization", "LayerNormalization", "GroupNormalization"), _NORM),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), frozenset((1, 2, 3))),
    "BatchNormalization": frozenset((1, 2, 3, 4)),
    "PRelu": frozenset((1,)),
}


def weights(graph: Any) -> dict[Any, Any]:
    """{name: shape} of the inputs that say they are weights, or that nodes read only where weights stand."""
    flowing: set[str] = set()
    standing: set[str] = set()
    for node in graph.node:
        slots = _SLOTS.get(node.op_type)
        if slots is None:
            flowing.update(node.input)
            continue
        for at, name in enumerate(node.input):
            (standing if at in slots else flowing).add(name)
    shapes = {one.name: _shape(one) for one in graph.input if one.doc_string == MARK or one.name in standing - flowing}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _shape(info: Any) -> Any:
    """The sizes of an input, None where one is open."""
    sizes = tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim)
    return sizes if len(sizes) <= limits.RANK and min(sizes, default=1) > 0 and prod(sizes) <= limits.SIZE else None
