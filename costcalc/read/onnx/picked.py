"""Constant folding of operators that pick elements or put them: what each makes of values that are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from ... import limits
from ...errors import Refused
from .tensors import Tensor, constant

if TYPE_CHECKING:
    from .node import Node


def _at(shape: Sequence[int], place: Sequence[int]) -> int:
    """The number of an element in row-major order."""
    found = 0
    for size, one in zip(shape, place, strict=True):
        found = found * size + one
    return found


def _index(index: int, size: int) -> int:
    """An index counted from the front. Raises Refused where there is no such element."""
    if not -size <= index < size:
        raise Refused(f"index {index} of an axis of {size}")
    return index % size


def _elements(node: Node) -> Iterator[int]:
    """The numbers of the elements that the indices of GatherElements and ScatterElements mean, in their order."""
    x, indices = node.inputs[:2]
    axis = node.get("axis", 0) % len(x.shape)
    for index, place in zip(indices.value, product(*map(range, indices.shape)), strict=True):
        yield _at(x.shape, (*place[:axis], _index(index, x.shape[axis]), *place[axis + 1 :]))


def _rows(node: Node) -> Iterator[range]:
    """The numbers of the elements of each row that the indices of GatherND and ScatterND mean."""
    x, indices = node.inputs[:2]
    depth = indices.shape[-1]
    inner = prod(x.shape[depth:])
    for start in range(0, len(indices.value), depth):
        index = [*map(_index, indices.value[start : start + depth], x.shape[:depth])]
        first = _at(x.shape[:depth], index) * inner
        yield range(first, first + inner)


def _is_whole(tensor: Tensor) -> bool:
    return all(type(one) is int for one in tensor.value)


def gather_elements(node: Node) -> Tensor | None:
    """GatherElements."""
    x, indices = node.inputs
    return constant(indices.shape, (x.value[at] for at in _elements(node))) if _is_whole(indices) else None


def gather_nd(node: Node) -> Tensor | None:
    """GatherND without axes of a batch."""
    x, indices = node.inputs
    if node.get("batch_dims", 0) or not _is_whole(indices):
        return None
    shape = (*indices.shape[:-1], *x.shape[indices.shape[-1] :])
    if prod(shape) > limits.FOLDED:
        return None
    return constant(shape, (x.value[at] for row in _rows(node) for at in row))


def scatter(node: Node) -> Tensor | None:
    """ScatterElements and ScatterND that put values in the place of others."""
    x, indices, updates = node.inputs
    if node.get("reduction", "none") != "none" or not _is_whole(indices):
        return None
    if node.op == "ScatterND" and updates.shape != (*indices.shape[:-1], *x.shape[indices.shape[-1] :]):
        raise Refused("its updates do not have the shape that its indices mean")
    places = [at for row in _rows(node) for at in row] if node.op == "ScatterND" else [*_elements(node)]
    values = dict(enumerate(x.value))
    values.update(zip(places, updates.value, strict=True))
    return constant(x.shape, values.values())


def trilu(node: Node) -> Tensor | None:
    """Trilu: the upper or lower triangle, zero elsewhere."""
    x, given = node.inputs[0], node.input(1)
    diagonal = 0 if given is None else given.value[0]
    if type(diagonal) is not int:
        return None
    upper = node.get("upper", 1)
    above = (place[-1] - place[-2] - diagonal for place in product(*map(range, x.shape)))
    kept = (far >= 0 if upper else far <= 0 for far in above)
    return constant(x.shape, (one if keep else 0 for one, keep in zip(x.value, kept, strict=True)))


def compress(node: Node) -> Tensor | None:
    """Compress: the slices along an axis, or the elements, whose condition is true."""
    x, condition = node.inputs
    if any(type(one) is not bool for one in condition.value):
        return None
    shape, axis = (x.shape, node.get("axis") % len(x.shape)) if node.get("axis") is not None else ((x.size,), 0)
    kept = [at for at, one in enumerate(condition.value[: shape[axis]]) if one]
    sizes = (*shape[:axis], len(kept), *shape[axis + 1 :])
    places = ((*one[:axis], kept[one[axis]], *one[axis + 1 :]) for one in product(*map(range, sizes)))
    return constant(sizes, (x.value[_at(shape, place)] for place in places))


def nonzero(node: Node) -> Tensor | None:
    """NonZero: the places of what is not 0, an axis in each row."""
    x = node.inputs[0]
    if any(type(one) not in (int, float, bool) for one in x.value) or not x.shape:
        return None
    found = [place for place, one in zip(product(*map(range, x.shape)), x.value, strict=True) if one]
    return constant((len(x.shape), len(found)), (place[axis] for axis in range(len(x.shape)) for place in found))


def furthest(node: Node) -> Tensor | None:
    """ArgMax and ArgMin: the first place along an axis of the largest or smallest element."""
    x = node.inputs[0]
    if node.get("select_last_index", 0) or any(type(one) not in (int, float) for one in x.value) or not x.value:
        return None
    axis, best = node.get("axis", 0) % len(x.shape), max if node.op == "ArgMax" else min
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    lines = (
        [x.value[_at(x.shape, (*one[:axis], at, *one[axis + 1 :]))] for at in range(x.shape[axis])]
        for one in product(*map(range, shape))
    )
    kept = shape if node.get("keepdims", 1) else (*shape[:axis], *shape[axis + 1 :])
    return constant(kept, (line.index(best(line)) for line in lines))


RULES: dict[str, Any] = {
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    **dict.fromkeys(("ScatterElements", "ScatterND"), scatter),
    "Trilu": trilu,
    "Compress": compress,
    "NonZero": nonzero,
    **dict.fromkeys(("ArgMax", "ArgMin"), furthest),
}
