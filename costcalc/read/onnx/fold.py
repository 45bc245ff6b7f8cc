"""Constant folding: what a graph computes from shapes and small constants, to know shapes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import accumulate, product
from math import ceil, prod
from typing import TYPE_CHECKING, Any

from ... import limits, num
from ...errors import Refused
from ...num.polynomials import Dim
from .elementwise import ELEMENTWISE, joined, places
from .picked import RULES as PICKED
from .rules.cut import sliced
from .tensors import Tensor, constant

if TYPE_CHECKING:
    from ...num.values import Number
    from .node import Node


def folded(node: Node) -> list[Tensor] | None:
    """The outputs of a node whose inputs are all known, or None if it is not one that is folded."""
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
    roots = frozenset().union(*[one.roots for one in given])
    return [one.rooted(roots) for one in found]


def _cast(node: Node) -> Tensor | None:
    x, to = node.inputs[0], node.get("to")
    whole = to in (2, 3, 4, 5, 6, 7, 12, 13)
    if any(one is None for one in x.value):
        return None
    if to == 9:
        return x._replace(value=tuple(one if isinstance(one, Dim) else bool(one) for one in x.value))
    if whole:
        return x._replace(value=tuple(num.floor(one) if type(one) is not bool else int(one) for one in x.value))
    return x._replace(value=tuple(one if isinstance(one, Dim) else float(one) for one in x.value))


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


def _range(node: Node) -> Tensor | None:
    start, end, step = (one.value[0] for one in node.inputs)
    if any(isinstance(one, Dim) for one in (start, end, step)):
        return None
    count = max(ceil((end - start) / step), 0)
    return constant((count,), (start + at * step for at in range(count))) if count <= limits.FOLDED else None


def _split(node: Node) -> Any:
    """Pieces of a list."""
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
    """Running sums of a list."""
    x = node.inputs[0]
    if len(x.shape) != 1 or None in x.value:
        return None
    back, values = node.get("reverse", 0), x.value
    sums = [*accumulate(reversed(values) if back else values)]
    sums = [0, *sums[:-1]] if node.get("exclusive", 0) else sums
    return constant(x.shape, reversed(sums) if back else sums)


def _product(node: Node) -> Any:
    x = node.inputs[0]
    given = node.sizes(1, "axes")
    if len(x.shape) > 1 or (given and set(given) - {0, -1}):
        return None
    if None in x.value or not x.value:
        return None
    sums: dict[str, Any] = {
        "ReduceMean": _average,
        "ReduceProd": prod,
        "ReduceSum": _sum,
        "ReduceMax": _most,
        "ReduceMin": _least,
    }
    result = sums[node.op](x.value)
    return constant((1,) if node.get("keepdims", 1) and x.shape else (), (result,))


def _sum(values: Number) -> Any:
    result = 0
    for value in values:
        result = result + value
    return result


def _average(values: Number) -> Any:
    total = _sum(values)
    return None if isinstance(total, Dim) else total / len(values)


def _most(values: Number) -> Any:
    return num.maximum(*values) if len(values) > 1 else values[0]


def _least(values: Number) -> Any:
    return num.minimum(*values) if len(values) > 1 else values[0]


def _one(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule with one output."""

    def outputs(node: Node) -> list[Tensor] | None:
        found = rule(node)
        return None if found is None else [found]

    return outputs


_LAYOUT = {
    "Cast": _cast,
    "Gather": _gather,
    "Concat": _concat,
    "Slice": _slice,
    "Transpose": _transpose,
    "Expand": _expand,
    "Range": _range,
    "Tile": _tile,
    "CumSum": _cumulated,
    **dict.fromkeys(("ReduceMean", "ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin"), _product),
}
RULES = {**{name: _one(rule) for name, rule in {**ELEMENTWISE, **_LAYOUT, **PICKED}.items()}, "Split": _split}
