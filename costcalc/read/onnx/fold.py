"""Constant folding of small tensors and shapes, to infer shapes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, product
from math import ceil, exp, isfinite, log, prod, sqrt
from typing import TYPE_CHECKING, Any

from ... import limits, num
from ...errors import Refused
from ...num.polynomials import Dim
from .activating import RULES as ACTIVATIONS
from .elementwise import ELEMENTWISE, joined, places
from .rules.cut import sliced
from .tensors import Tensor, constant

if TYPE_CHECKING:
    from .node import Node


def _at(shape: Sequence[int], place: Sequence[int]) -> int:
    """Index of an element in row-major order."""
    found = 0
    for size, one in zip(shape, place, strict=True):
        found = found * size + one
    return found


def _index(index: int, size: int) -> int:
    """Normalize a negative index. Raises Refused if it is out of range."""
    if not -size <= index < size:
        raise Refused(f"index {index} is out of range for an axis of size {size}")
    return index % size


def _elements(node: Node) -> Iterator[int]:
    """Indices of the elements that GatherElements and ScatterElements refer to, in order."""
    x, indices = node.inputs[:2]
    axis = node.get("axis", 0) % len(x.shape)
    for index, place in zip(indices.value, product(*map(range, indices.shape)), strict=True):
        yield _at(x.shape, (*place[:axis], _index(index, x.shape[axis]), *place[axis + 1 :]))


def _rows(node: Node) -> Iterator[range]:
    """Indices of the elements of each row that GatherND and ScatterND refer to."""
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
    """GatherND without batch axes."""
    x, indices = node.inputs
    if node.get("batch_dims", 0) or not _is_whole(indices):
        return None
    shape = (*indices.shape[:-1], *x.shape[indices.shape[-1] :])
    if prod(shape) > limits.FOLDED:
        return None
    return constant(shape, (x.value[at] for row in _rows(node) for at in row))


def scatter(node: Node) -> Tensor | None:
    """ScatterElements and ScatterND without reduction."""
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
    """Compress: the slices along an axis, or the elements, for which the condition is true."""
    x, condition = node.inputs
    if any(type(one) is not bool for one in condition.value):
        return None
    shape, axis = (x.shape, node.get("axis") % len(x.shape)) if node.get("axis") is not None else ((x.size,), 0)
    kept = [at for at, one in enumerate(condition.value[: shape[axis]]) if one]
    sizes = (*shape[:axis], len(kept), *shape[axis + 1 :])
    places = ((*one[:axis], kept[one[axis]], *one[axis + 1 :]) for one in product(*map(range, sizes)))
    return constant(sizes, (x.value[_at(shape, place)] for place in places))


def nonzero(node: Node) -> Tensor | None:
    """NonZero: the positions of values other than 0, one row per axis."""
    x = node.inputs[0]
    if any(type(one) not in (int, float, bool) for one in x.value) or not x.shape:
        return None
    found = [place for place, one in zip(product(*map(range, x.shape)), x.value, strict=True) if one]
    return constant((len(x.shape), len(found)), (place[axis] for axis in range(len(x.shape)) for place in found))


def furthest(node: Node) -> Tensor | None:
    """ArgMax and ArgMin: index of the first maximum or minimum along an axis."""
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


PICKED: dict[str, Any] = {
    "GatherElements": gather_elements,
    "GatherND": gather_nd,
    **dict.fromkeys(("ScatterElements", "ScatterND"), scatter),
    "Trilu": trilu,
    "Compress": compress,
    "NonZero": nonzero,
    **dict.fromkeys(("ArgMax", "ArgMin"), furthest),
}


def folded(node: Node) -> list[Tensor] | None:
    """Outputs of a node whose inputs are all known, or None if it cannot be folded."""
    rule = RULES.get(node.op)
    if rule is None or not node.inputs:
        return None
    given = [one for one in node.inputs if one is not None]
    read = 0
    for one in given:
        if one.value is None:
            return None
        read += len(one.value)
    found = rule(node) if read <= limits.FOLDED else None
    if found is None:
        return None
    for one in found:
        if len(one.value) > limits.FOLDED:
            return None
        for value in one.value:
            if type(value) is int and abs(value) > limits.TOTAL:
                raise Refused("its result is too large to be a size")
    roots = frozenset().union(*[one.roots for one in (given if node.op != "CastLike" else given[:1])])
    return [one.rooted(roots) for one in found]


def _cast(node: Node) -> Tensor | None:
    x, to = node.inputs[0], node.get("to") or node.inputs[-1].kind  # the type of a Cast, or of the second tensor
    whole = to in (2, 3, 4, 5, 6, 7, 12, 13)
    if not to or any(one is None for one in x.value):
        return None
    if to == 9:
        return x._replace(value=tuple(one if isinstance(one, Dim) else bool(one) for one in x.value))
    if whole:
        return x._replace(value=tuple(map(_whole, x.value)))
    return x._replace(value=tuple(one if isinstance(one, Dim) else float(one) for one in x.value))


def _whole(value: Any) -> Any:
    """Convert a value to an integer, or None for infinity and NaN."""
    if isinstance(value, float) and not isfinite(value):
        return None
    return num.floor(value) if type(value) is not bool else int(value)


def _gather(node: Node) -> Tensor | None:
    table, indices = node.inputs
    at = node.get("axis", 0) % len(table.shape)
    before, size, after = prod(table.shape[:at]), table.shape[at], prod(table.shape[at + 1 :])
    shape = (*table.shape[:at], *indices.shape, *table.shape[at + 1 :])
    if prod(shape) > limits.FOLDED or any(not -size <= index < size for index in indices.value):
        return None
    rows = [(row, index % size) for row in range(before) for index in indices.value]
    return constant(shape, (table.value[(row * size + index) * after + n] for row, index in rows for n in range(after)))


def _concat(node: Node) -> Tensor:
    first = node.inputs[0]
    at = node.get("axis", 1) % len(first.shape)
    before = prod(first.shape[:at])
    blocks = [(one.value, prod(one.shape[at:])) for one in node.inputs]
    values = [value for row in range(before) for column, n in blocks for value in column[row * n : (row + 1) * n]]
    total = sum(one.shape[at] for one in node.inputs)
    return constant((*first.shape[:at], total, *first.shape[at + 1 :]), values)


def _slice(node: Node) -> Tensor | None:
    x = node.inputs[0]
    inputs = len(node.inputs) > 1
    starts, ends = node.sizes(1 if inputs else None, "starts"), node.sizes(2 if inputs else None, "ends")
    axes = node.sizes(3 if inputs else None, "axes") or range(len(starts))
    steps = (node.sizes(4) if inputs else None) or [1] * len(starts)
    if any(isinstance(one, Dim) for one in (*starts, *ends, *steps)):
        return None
    kept = [range(size) for size in x.shape]
    for start, end, at, step in zip(starts, ends, axes, steps, strict=True):
        sliced(x.shape[at], start, end, step)
        kept[at] = kept[at][start:end:step]
    strides = [prod(x.shape[at + 1 :]) for at in range(len(x.shape))]
    values = (x.value[sum(map(operator.mul, at, strides))] for at in product(*kept))
    return constant(map(len, kept), values)


def _transpose(node: Node) -> Tensor:
    x = node.inputs[0]
    order = node.get("perm") or list(range(len(x.shape)))[::-1]
    strides = [prod(x.shape[at + 1 :]) for at in range(len(x.shape))]
    shape = [x.shape[at] for at in order]
    values = (
        x.value[sum(i * strides[at] for i, at in zip(place, order, strict=True))]
        for place in product(*map(range, shape))
    )
    return constant(shape, values)


def _expand(node: Node) -> Tensor | None:
    x, wanted = node.inputs
    if any(isinstance(one, Dim) for one in wanted.value):
        return None
    shape = joined([x.shape, wanted.value])
    return constant(shape, (x.value[at] for at in places(x.shape, shape))) if prod(shape) <= limits.FOLDED else None


def _padded(node: Node) -> Tensor | None:
    """Pad with a constant. Negative padding removes elements."""
    x, rank = node.inputs[0], len(node.inputs[0].shape)
    pads, given = node.sizes(1, "pads"), node.input(3)
    axes = [at % rank for at in given.value] if given is not None else range(rank)
    if node.get("mode", "constant") != "constant" or len(pads) != 2 * len(axes) or any(map(_is_open, pads)):
        return None
    fill = node.inputs[2].value[0] if node.input(2) is not None else node.get("value", 0)
    before, after = (dict(zip(axes, half, strict=True)) for half in (pads[: len(axes)], pads[len(axes) :]))
    spans = [range(-before.get(at, 0), size + after.get(at, 0)) for at, size in enumerate(x.shape)]
    if prod(map(len, spans)) > limits.FOLDED:
        return None
    values = dict(zip(product(*map(range, x.shape)), x.value, strict=True))
    return constant(map(len, spans), (values.get(place, fill) for place in product(*spans)))


def _is_open(size: Any) -> bool:
    return isinstance(size, Dim)


def _range(node: Node) -> Tensor | None:
    start, end, step = (one.value[0] for one in node.inputs)
    if any(isinstance(one, Dim) for one in (start, end, step)):
        return None
    count = max(ceil((end - start) / step), 0)
    return constant((count,), (start + at * step for at in range(count))) if count <= limits.FOLDED else None


def _split(node: Node) -> Any:
    """Split a list."""
    x = node.inputs[0]
    given = node.sizes(1, "split") or [-(-x.size // node.outputs)] * node.outputs
    if len(x.shape) != 1 or any(isinstance(one, Dim) for one in given):
        return None
    ends = [sum(given[: at + 1]) for at in range(len(given))]
    pieces = [x.value[end - size : end] for size, end in zip(given, ends, strict=True)]
    return [constant((len(piece),), piece) for piece in pieces]


def _tile(node: Node) -> Tensor | None:
    x, repeats = node.inputs
    if any(isinstance(one, Dim) for one in repeats.value):
        return None
    shape = [size * times for size, times in zip(x.shape, repeats.value, strict=True)]
    if prod(shape) > limits.FOLDED:
        return None
    strides = [prod(x.shape[at + 1 :]) for at in range(len(x.shape))]
    places = product(*map(range, shape))
    sizes = [*zip(strides, x.shape, strict=True)]
    values = (x.value[sum(s * (i % n) for i, (s, n) in zip(at, sizes, strict=True))] for at in places)
    return constant(shape, values)


def _cumulated(node: Node) -> Tensor | None:
    """Running sums or products of a list."""
    x = node.inputs[0]
    if len(x.shape) != 1 or None in x.value:
        return None
    join, first = (operator.mul, 1) if node.op == "CumProd" else (operator.add, 0)
    back, values = node.get("reverse", 0), x.value
    found = [*accumulate(reversed(values) if back else values, join)]
    found = [first, *found[:-1]] if node.get("exclusive", 0) else found
    return constant(x.shape, reversed(found) if back else found)


def _reduced(node: Node) -> Tensor | None:
    """Apply a reduction along some axes, or all."""
    x, rank = node.inputs[0], len(node.inputs[0].shape)
    given = node.sizes(1, "axes")
    if None in x.value or not x.value or (not given and node.get("noop_with_empty_axes", 0)):
        return None
    if any(isinstance(at, Dim) or not -rank <= at < rank for at in (given or ()) if rank):
        return None
    axes = {at % rank for at in given} if given and rank else set(range(rank))
    groups: dict[tuple[int, ...], list[Any]] = {}
    for place, value in zip(product(*map(range, x.shape)), x.value, strict=True):
        groups.setdefault(tuple(0 if at in axes else one for at, one in enumerate(place)), []).append(value)
    kept = [1 if at in axes else size for at, size in enumerate(x.shape)]
    shape = kept if node.get("keepdims", 1) else [size for at, size in enumerate(x.shape) if at not in axes]
    return constant(shape, map(_REDUCTIONS[node.op], groups.values()))


def _sum(values: Any) -> Any:
    result = 0
    for value in values:
        result = result + value
    return result


def _average(values: Any) -> Any:
    total = _sum(values)
    return None if isinstance(total, Dim) else total / len(values)


def _most(values: Any) -> Any:
    return num.maximum(*values) if len(values) > 1 else values[0]


def _least(values: Any) -> Any:
    return num.minimum(*values) if len(values) > 1 else values[0]


def _of_numbers(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap a function of numbers to return None for symbolic sizes and on errors such as overflow."""

    def found(values: Any) -> Any:
        try:
            return None if any(isinstance(one, Dim) for one in values) else function(values)
        except (ArithmeticError, ValueError):
            return None

    return found


_REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "ReduceMean": _average,
    "ReduceProd": prod,
    "ReduceSum": _sum,
    "ReduceMax": _most,
    "ReduceMin": _least,
    "ReduceL1": _of_numbers(lambda values: sum(map(abs, values))),
    "ReduceL2": _of_numbers(lambda values: sqrt(sum(one * one for one in values))),
    "ReduceLogSum": _of_numbers(lambda values: log(sum(values))),
    "ReduceLogSumExp": _of_numbers(lambda values: log(sum(map(exp, values)))),
    "ReduceSumSquare": _of_numbers(lambda values: sum(one * one for one in values)),
}


def _one(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a rule with one output."""

    def outputs(node: Node) -> list[Tensor] | None:
        found = rule(node)
        return None if found is None else [found]

    return outputs


_LAYOUT = {
    **dict.fromkeys(("Cast", "CastLike"), _cast),
    "Gather": _gather,
    "Concat": _concat,
    "Slice": _slice,
    "Transpose": _transpose,
    "Expand": _expand,
    "Pad": _padded,
    "Range": _range,
    "Tile": _tile,
    **dict.fromkeys(("CumSum", "CumProd"), _cumulated),
    **dict.fromkeys(_REDUCTIONS, _reduced),
}
RULES = {
    **{name: _one(rule) for name, rule in {**ELEMENTWISE, **ACTIVATIONS, **_LAYOUT, **PICKED}.items()},
    "Split": _split,
}
