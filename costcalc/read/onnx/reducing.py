"""Constant folding along axes: sums, maxima, where they are, and running sums."""

import math
import operator
from collections.abc import Callable
from functools import reduce
from itertools import accumulate

from ... import num
from ...num.polynomials import Dim
from .moving import cells
from .node import axis
from .tensors import constant


def _plain(function: Callable) -> Callable:
    """A function of plain numbers: of sizes that are not known yet it has no value."""

    def apply(values):
        if any(isinstance(value, Dim) for value in values):
            raise ValueError("no numbers")
        return function(values)

    return apply


def _like(found: float, values: list) -> float:
    """A result of the type of its inputs."""
    return math.trunc(found) if all(type(value) is int for value in values) else found


_METHODS: dict[str, Callable] = {
    "ReduceSum": lambda values: reduce(operator.add, values, 0),
    "ReduceProd": lambda values: reduce(operator.mul, values, 1),
    "ReduceMax": lambda values: reduce(num.maximum, values),
    "ReduceMin": lambda values: reduce(num.minimum, values),
    "ReduceMean": _plain(lambda values: _like(sum(values) / len(values), values)),
    "ReduceL1": _plain(lambda values: sum(map(abs, values))),
    "ReduceL2": _plain(lambda values: _like(math.sqrt(sum(value * value for value in values)), values)),
    "ReduceSumSquare": _plain(lambda values: sum(value * value for value in values)),
    "ReduceLogSum": _plain(lambda values: _like(math.log(sum(values)), values)),
    "ReduceLogSumExp": _plain(lambda values: _like(math.log(sum(map(math.exp, values))), values)),
}


def _lines(x, axes):
    """The values along these axes, for each place in the others: {place with 0 for them: values, in order}."""
    found: dict[tuple, list] = {}
    for place, value in zip(cells(x.shape), x.value, strict=True):
        found.setdefault(tuple(0 if n in axes else one for n, one in enumerate(place)), []).append(value)
    return found


def _shape(x, axes, keep):
    return tuple(1 if n in axes else size for n, size in enumerate(x.shape) if keep or n not in axes)


def _reduced(node):
    x = node.inputs[0]
    given = node.sizes(1, "axes")
    if (not given and node.get("noop_with_empty_axes", 0)) or not x.value:
        return None
    axes = {axis(one, len(x.shape)) for one in given or range(len(x.shape))}
    try:
        values = [_METHODS[node.op](line) for line in _lines(x, axes).values()]
    except (ArithmeticError, ValueError):
        return None
    return constant(_shape(x, axes, node.get("keepdims", 1)), values)


def _place(node):
    """ArgMax and ArgMin: the first place, or the last."""
    x, choose = node.inputs[0], max if node.op == "ArgMax" else min
    if not x.value or any(isinstance(value, Dim) for value in x.value):
        return None
    axes = {axis(node.get("axis", 0), len(x.shape))}
    last = node.get("select_last_index", 0)
    values = []
    for line in _lines(x, axes).values():
        best = choose(line)
        values.append(len(line) - 1 - line[::-1].index(best) if last else line.index(best))
    return constant(_shape(x, axes, node.get("keepdims", 1)), values)


def _running(node):
    """CumSum and CumProd: with or without the element itself, from the front or from the back."""
    x, (given,) = node.inputs[0], node.inputs[1].value
    where, join, first = axis(given, len(x.shape)), operator.add, 0
    if node.op == "CumProd":
        join, first = operator.mul, 1
    sums = {}
    for place, line in _lines(x, {where}).items():
        line = line[::-1] if node.get("reverse", 0) else line
        line = (
            [type(line[0])(first) if type(line[0]) is float else first, *line[:-1]]
            if node.get("exclusive", 0)
            else line
        )
        found = list(accumulate(line, join))
        sums[place] = found[::-1] if node.get("reverse", 0) else found
    starts = (((*one[:where], 0, *one[where + 1 :]), one[where]) for one in cells(x.shape))
    values = (sums[line][number] for line, number in starts)
    return constant(x.shape, values)


def top_k(node):
    """The largest or smallest values along an axis, and where they are."""
    x = node.inputs[0]
    count = node.sizes(1, "k")[0]
    where, largest = axis(node.get("axis", -1), len(x.shape)), node.get("largest", 1)
    if any(isinstance(one, Dim) for one in (count, *x.value)) or not 0 <= count <= x.shape[where]:
        return None
    lines = _lines(x, {where})
    order = {
        place: sorted(range(len(line)), key=lambda n, line=line: -line[n] if largest else line[n])[:count]
        for place, line in lines.items()
    }
    shape = (*x.shape[:where], count, *x.shape[where + 1 :])
    kept = [((*one[:where], 0, *one[where + 1 :]), one[where]) for one in cells(shape)]
    places = [order[line][n] for line, n in kept]
    values = [lines[line][place] for (line, _), place in zip(kept, places, strict=True)]
    return [constant(shape, values), constant(shape, places)]


REDUCED: dict[str, Callable] = {
    **dict.fromkeys(_METHODS, _reduced),
    **dict.fromkeys(("ArgMax", "ArgMin"), _place),
    **dict.fromkeys(("CumSum", "CumProd"), _running),
}
