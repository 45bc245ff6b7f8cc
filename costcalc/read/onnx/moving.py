"""Constant folding of what moves values: each output element is an element of an input, or a new number."""

import operator
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, product
from math import ceil, prod, trunc
from typing import Any

from ... import limits, num
from ...num.polynomials import Dim
from .elementwise import joined, places
from .node import axis
from .rules.cut import sliced
from .tensors import constant

_RANGES = {2: (0, 2**8), 3: (-(2**7), 2**7), 4: (0, 2**16), 5: (-(2**15), 2**15), 6: (-(2**31), 2**31)}
_RANGES |= {7: (-(2**63), 2**63), 12: (0, 2**32), 13: (0, 2**64)}  # of whole numbers, by onnx.TensorProto.DataType
_FLOATS = (1, 10, 11, 16)


def cells(shape: Iterable[int]) -> Iterator[tuple[int, ...]]:
    """The places of a shape's elements, in order."""
    return product(*map(range, shape))


def at(place: Iterable[int], shape: tuple[int, ...]) -> int:
    """The number of the element at a place. Raises IndexError where there is none."""
    found = 0
    for index, size in zip(place, shape, strict=True):
        if not -size <= index < size:
            raise IndexError(index)
        found = found * size + index % size
    return found


def picked(x: Any, shape: Iterable[int], source: Callable[[tuple], Iterable[int]]) -> Any:
    """A constant of that shape, at each place of it the element of `x` at `source(place)`; None if it is large."""
    shape = tuple(shape)
    if prod(shape) > limits.FOLDED:
        return None
    return constant(shape, (x.value[at(source(place), x.shape)] for place in cells(shape)))


def _cast(node):
    x, to = node.inputs[0], node.get("to")
    if any(one is None for one in x.value):
        return None
    if to == 9:
        return x._replace(value=tuple(one if isinstance(one, Dim) else bool(one) for one in x.value))
    if to in _FLOATS:
        return x._replace(value=tuple(one if isinstance(one, Dim) else float(one) for one in x.value))
    if to not in _RANGES or not all(isinstance(one, Dim) or abs(one) < 2**64 for one in x.value):
        return None
    value = tuple(num.floor(one) if isinstance(one, Dim) else trunc(one) for one in x.value)
    low, high = _RANGES[to]
    return x._replace(value=value) if all(isinstance(one, Dim) or low <= one < high for one in value) else None


def _gather(node):
    table, indices = node.inputs
    where = axis(node.get("axis", 0), len(table.shape))
    deep = where + len(indices.shape)
    shape = (*table.shape[:where], *indices.shape, *table.shape[where + 1 :])

    def source(place):
        return (*place[:where], indices.value[at(place[where:deep], indices.shape)], *place[deep:])

    return picked(table, shape, source)


def _gather_elements(node):
    x, indices = node.inputs
    where = axis(node.get("axis", 0), len(x.shape))

    def source(place):
        return (*place[:where], indices.value[at(place, indices.shape)], *place[where + 1 :])

    return picked(x, indices.shape, source)


def _gather_nd(node):
    x, indices = node.inputs
    batch, deep, outer = node.get("batch_dims", 0), indices.shape[-1], len(indices.shape) - 1

    def source(place):
        start = at((*place[:outer], 0), indices.shape)
        return (*place[:batch], *indices.value[start : start + deep], *place[outer:])

    return picked(x, (*indices.shape[:-1], *x.shape[batch + deep :]), source)


def _concat(node):
    where = axis(node.get("axis", 1), len(node.inputs[0].shape))
    before = prod(node.inputs[0].shape[:where])
    blocks = [(one.value, prod(one.shape[where:])) for one in node.inputs]
    values = [value for row in range(before) for column, n in blocks for value in column[row * n : (row + 1) * n]]
    shape = list(node.inputs[0].shape)
    shape[where] = sum(one.shape[where] for one in node.inputs)
    return constant(shape, values) if prod(shape) == len(values) else None


def _slice(node):
    x = node.inputs[0]
    inputs = len(node.inputs) > 1
    starts, ends = node.sizes(1 if inputs else None, "starts"), node.sizes(2 if inputs else None, "ends")
    axes = node.sizes(3 if inputs else None, "axes") or range(len(starts))
    steps = (node.sizes(4) if inputs else None) or [1] * len(starts)
    if any(isinstance(one, Dim) for one in (*starts, *ends, *steps)):
        return None
    kept = [range(size) for size in x.shape]
    for start, end, number, step in zip(starts, ends, axes, steps, strict=True):
        where = axis(number, len(x.shape))
        sliced(x.shape[where], start, end, step)
        kept[where] = kept[where][start:end:step]
    return picked(x, map(len, kept), lambda place: map(operator.getitem, kept, place))


def _transpose(node):
    x = node.inputs[0]
    order = node.get("perm") or list(range(len(x.shape)))[::-1]
    back = [order.index(number) for number in range(len(order))]
    return picked(x, (x.shape[number] for number in order), lambda place: [place[number] for number in back])


def _expand(node):
    x, wanted = node.inputs
    if any(isinstance(one, Dim) for one in wanted.value):
        return None
    shape = joined([x.shape, wanted.value])
    return constant(shape, (x.value[at] for at in places(x.shape, shape))) if prod(shape) <= limits.FOLDED else None


def _tile(node):
    x, repeats = node.inputs
    if any(isinstance(one, Dim) for one in repeats.value):
        return None
    shape = [size * count for size, count in zip(x.shape, repeats.value, strict=True)]
    return picked(x, shape, lambda place: map(operator.mod, place, x.shape))


def _range(node):
    start, end, step = (one.value[0] for one in node.inputs)
    if any(isinstance(one, Dim) for one in (start, end, step)) or not step:
        return None
    count = max(ceil((end - start) / step), 0)
    return constant((count,), (start + at * step for at in range(count))) if count <= limits.FOLDED else None


def split(node):
    """The parts of a constant along an axis."""
    x = node.inputs[0]
    where = axis(node.get("axis", 0), len(x.shape))
    parts = node.get("num_outputs", node.outputs)
    each = -(-x.shape[where] // parts)
    given = node.sizes(1, "split") or [min(each, x.shape[where] - each * number) for number in range(parts)]
    if any(isinstance(one, Dim) or one < 0 for one in given) or sum(given) != x.shape[where]:
        return None
    starts = accumulate(given, initial=0)
    return [_part(x, where, start, size) for start, size in zip(starts, given, strict=False)]


def _part(x, where, start, size):
    shape = (*x.shape[:where], size, *x.shape[where + 1 :])
    return picked(x, shape, lambda place: (*place[:where], start + place[where], *place[where + 1 :]))


def _triangle(node):
    x, k = node.inputs[0], node.inputs[1].value[0] if node.input(1) is not None else 0
    upper = node.get("upper", 1)
    kept = [(column - row >= k) if upper else (column - row <= k) for *_, row, column in cells(x.shape)]
    return constant(
        x.shape,
        (value if keep else float(0) if type(value) is float else 0 for value, keep in zip(x.value, kept, strict=True)),
    )


_REDUCTIONS: dict[str, Callable] = {
    "none": lambda old, new: new,
    "add": operator.add,
    "mul": operator.mul,
    "max": num.maximum,
    "min": num.minimum,
}


def _scatter_elements(node):
    x, indices, updates = node.inputs
    where = axis(node.get("axis", 0), len(x.shape))
    reduction, values = _REDUCTIONS[node.get("reduction", "none")], list(x.value)
    for place, index, new in zip(cells(indices.shape), indices.value, updates.value, strict=True):
        target = at((*place[:where], index, *place[where + 1 :]), x.shape)
        values[target] = reduction(values[target], new)
    return constant(x.shape, values)


def _scatter_nd(node):
    x, indices, updates = node.inputs
    deep, outer = indices.shape[-1], len(indices.shape) - 1
    reduction, values = _REDUCTIONS[node.get("reduction", "none")], list(x.value)
    for place, new in zip(cells(updates.shape), updates.value, strict=True):
        start = at((*place[:outer], 0), indices.shape)
        target = at((*indices.value[start : start + deep], *place[outer:]), x.shape)
        values[target] = reduction(values[target], new)
    return constant(x.shape, values)


def _one_hot(node):
    indices, (depth,), (off, on) = node.inputs[0], node.inputs[1].value, node.inputs[2].value
    if isinstance(depth, Dim):
        return None
    depth, where = int(depth), axis(node.get("axis", -1), len(indices.shape) + 1)
    shape = (*indices.shape[:where], depth, *indices.shape[where:])
    if prod(shape) > limits.FOLDED:
        return None
    found = (indices.value[at((*place[:where], *place[where + 1 :]), indices.shape)] for place in cells(shape))
    inside = ((-depth <= one < depth, one % depth) for one in found)
    return constant(
        shape,
        (on if fits and place[where] == one else off for place, (fits, one) in zip(cells(shape), inside, strict=True)),
    )


def _non_zero(node):
    x = node.inputs[0]
    if any(value is None or isinstance(value, Dim) for value in x.value):
        return None
    found = [place for place, value in zip(cells(x.shape), x.value, strict=True) if value]
    return constant((len(x.shape), len(found)), (place[n] for n in range(len(x.shape)) for place in found))


def _identity(node):
    return node.inputs[0]


MOVES: dict[str, Callable] = {
    "Cast": _cast,
    "Concat": _concat,
    "Expand": _expand,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "Identity": _identity,
    "NonZero": _non_zero,
    "OneHot": _one_hot,
    "Range": _range,
    "Scatter": _scatter_elements,
    "ScatterElements": _scatter_elements,
    "ScatterND": _scatter_nd,
    "Slice": _slice,
    "Tile": _tile,
    "Transpose": _transpose,
    "Trilu": _triangle,
}
