"""Constant folding, element by element: arithmetic and comparisons of small constants and sizes, without arrays."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from ... import limits, num
from ...num.polynomials import Dim
from .tensors import Tensor, constant

if TYPE_CHECKING:
    from ...num.values import Number, Shape


def places(shape: Any, into: tuple[int, ...]) -> Sequence[int]:
    """For each element of a shape, in order, the element of a smaller one that is broadcast to it."""
    if shape == into:
        return range(prod(shape))
    padded = (1,) * (len(into) - len(shape)) + tuple(shape)
    strides, step = [], 1
    for size in padded[::-1]:
        strides.append(0 if size == 1 else step)
        step *= size
    return [sum(map(operator.mul, at, strides[::-1])) for at in product(*map(range, into))]


def joined(shapes: list[Shape]) -> tuple[int, ...]:
    """The shape that several broadcast to."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(max(axis) if 0 not in axis else 0 for axis in zip(*padded, strict=True))


def _elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one element of each input."""

    def rule(node: Any) -> Tensor | None:
        shape = joined([one.shape for one in node.inputs])
        if prod(shape) > limits.FOLDED:
            return None
        columns = [[one.value[at] for at in places(one.shape, shape)] for one in node.inputs]
        return constant(shape, map(function, *columns))

    return rule


def _fold_all(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two elements over any number of inputs."""

    def every(*values: Number) -> Number:
        result = values[0]
        for value in values[1:]:
            result = function(result, value)
        return result

    return _elementwise(every)


def _divided(a: int, b: int) -> Any:
    if isinstance(a, float) or isinstance(b, float):
        return a / b
    if isinstance(a, Dim) or isinstance(b, Dim):
        return num.floor_div(a, b)
    return -(-a // b) if (a < 0) != (b < 0) else a // b  # towards zero, as C does


def _equal(a: int, b: int) -> bool:
    if isinstance(a, Dim) or isinstance(b, Dim):
        difference = a - b
        if isinstance(difference, Dim):  # sizes are no negative numbers
            return not any(type(one) is int and one < 1 for one in (a, b)) and None
        return difference == 0
    return a == b


def _known(compare: Callable[..., Any]) -> Callable[..., Any]:
    """A comparison; of sizes that are not known yet, the answer is not known."""

    def answer(a: int, b: int) -> Any:
        found = compare(a, b)
        return None if isinstance(found, Dim) else found

    return answer


def _where(condition: bool, a: int, b: int) -> int:
    return None if condition is None else num.select(condition, a, b)


def _both(a: int, b: int) -> Any:
    return False if a is False or b is False else None if a is None or b is None else a and b


def _either(a: int, b: int) -> Any:
    return True if a is True or b is True else None if a is None or b is None else a or b


def _power(a: float, b: float) -> float:
    """A power of bounded size."""
    if isinstance(a, Dim) or isinstance(b, Dim) or abs(b) > 64:
        raise ValueError("a power of an unknown size")
    return a**b


ELEMENTWISE = {
    "Relu": _elementwise(lambda a: a if isinstance(a, Dim) else max(a, 0)),
    "Add": _fold_all(operator.add),
    "Sum": _fold_all(operator.add),
    "Sub": _elementwise(operator.sub),
    "Mul": _fold_all(operator.mul),
    "Div": _elementwise(_divided),
    "Mod": _elementwise(operator.mod),
    "Max": _fold_all(num.maximum),
    "Min": _fold_all(num.minimum),
    "Pow": _elementwise(_power),
    "Neg": _elementwise(operator.neg),
    "Abs": _elementwise(lambda a: a if isinstance(a, Dim) else abs(a)),
    "Floor": _elementwise(num.floor),
    "Ceil": _elementwise(num.ceil),
    "Round": _elementwise(num.nearest),
    "Sqrt": _elementwise(math.sqrt),
    "Not": _elementwise(lambda a: None if a is None else not a),
    "Equal": _elementwise(_equal),
    "Less": _elementwise(_known(operator.lt)),
    "Greater": _elementwise(_known(operator.gt)),
    "LessOrEqual": _elementwise(_known(operator.le)),
    "GreaterOrEqual": _elementwise(_known(operator.ge)),
    "And": _elementwise(_both),
    "Or": _elementwise(_either),
    "Where": _elementwise(_where),
}
