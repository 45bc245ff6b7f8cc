"""The inputs of a graph that are weights, as a file without weights has them."""

from __future__ import annotations

from collections.abc import Container
from math import prod
from typing import Any

from ... import limits

MARK = "weight"  # documentation of an input that is one
_NONE: frozenset[int] = frozenset()
_NORM = frozenset((1, 2))
_SLOTS = {  # where operators read weights (ONNX, Operators.md)
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm"), frozenset((1, 2))),
    **dict.fromkeys(("InstanceNormalization", "LayerNormalization", "GroupNormalization"), _NORM),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), frozenset((1, 2, 3))),
    "BatchNormalization": frozenset((1, 2, 3, 4)),
    "PRelu": frozenset((1,)),
}


def weights(graph: Any, given: Container[str]) -> dict[Any, Any]:
    """{name: shape} of the inputs that say they are weights, or that nodes read only where weights stand.

    given   names of inputs that are stored tensors
    """
    found = {one.name for one in graph.input if one.name not in given}
    found -= _flowing(graph, found - {one.name for one in graph.input if one.doc_string == MARK})
    shapes = {one.name: _shape(one) for one in graph.input if one.name in found}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _flowing(graph: Any, names: set[str]) -> set[str]:
    """Which of these inputs flow: nodes read them where no weights stand, or none reads them."""
    left, standing = set(names), set()
    for node in graph.node:
        if not left:  # mostly after the first node
            break
        if left.isdisjoint(node.input):
            continue
        slots = _SLOTS.get(node.op_type, _NONE)
        flowing = {name for at, name in enumerate(node.input) if at not in slots}
        standing.update(node.input)
        left -= flowing
    return names - (left & standing)


def _shape(info: Any) -> Any:
    """The sizes of an input, None where one is open."""
    sizes = tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim)
    return sizes if len(sizes) <= limits.RANK and min(sizes, default=1) > 0 and prod(sizes) <= limits.SIZE else None
