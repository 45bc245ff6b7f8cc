"""Elementwise constant folding: arithmetic and comparisons of small constants and sizes, without NumPy."""

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
    """Indices that broadcast a tensor: for each element of the shape `into`, the element of `shape`."""
    if shape == into:
        return range(prod(shape))
    padded = (1,) * (len(into) - len(shape)) + tuple(shape)
    strides, step = [], 1
    for size in padded[::-1]:
        strides.append(0 if size == 1 else step)
        step *= size
    return [sum(map(operator.mul, at, strides[::-1])) for at in product(*map(range, into))]


def joined(shapes: list[Shape]) -> tuple[int, ...]:
    """Shape after broadcasting."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(max(axis) if 0 not in axis else 0 for axis in zip(*padded, strict=True))


def elementwise(function: Callable[..., Any]) -> Callable[..., Any]:
    """Create a rule from a function of one element per input. Elements for which it fails are unknown."""

    def element(*values: Any) -> Any:
        try:
            return function(*values)
        except (ArithmeticError, TypeError, ValueError):
            return None

    def rule(node: Any) -> Tensor | None:
        shape = joined([one.shape for one in node.inputs])
        if prod(shape) > limits.FOLDED:
            return None
        columns = [[one.value[at] for at in places(one.shape, shape)] for one in node.inputs]
        return constant(shape, map(element, *columns))

    return rule


def _fold_all(function: Callable[..., Any]) -> Callable[..., Any]:
    """Create a rule that folds a binary function over any number of inputs."""

    def every(*values: Number) -> Number:
        result = values[0]
        for value in values[1:]:
            result = function(result, value)
        return result

    return elementwise(every)


def _divided(a: int, b: int) -> Any:
    if isinstance(a, float) or isinstance(b, float):
        return a / b
    if isinstance(a, Dim) or isinstance(b, Dim):
        return num.floor_div(a, b)
    return -(-a // b) if (a < 0) != (b < 0) else a // b  # towards zero, as in C


def _equal(a: int, b: int) -> bool:
    if isinstance(a, Dim) or isinstance(b, Dim):
        difference = a - b
        if isinstance(difference, Dim):  # sizes are not negative
            return not any(type(one) is int and one < 1 for one in (a, b)) and None
        return difference == 0
    return a == b


def _known(compare: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a comparison to return None for symbolic sizes."""

    def answer(a: int, b: int) -> Any:
        found = compare(a, b)
        return None if isinstance(found, Dim) else found

    return answer


def _where(condition: bool, a: int, b: int) -> int:
    return None if condition is None else num.select(condition, a, b)


def _leaked(a: float, slope: float) -> float:
    return a if isinstance(a, Dim) or a >= 0 else slope * a


def _both(a: int, b: int) -> Any:
    return False if a is False or b is False else None if a is None or b is None else a and b


def _either(a: int, b: int) -> Any:
    return True if a is True or b is True else None if a is None or b is None else a or b


def _mean(*values: float) -> float:
    return sum(values) / len(values)


def _sign(a: float) -> Any:
    return (a > 0) - (a < 0) if not isinstance(a, Dim) else None


def _exclusive(a: bool, b: bool) -> Any:
    return None if a is None or b is None else a != b


def _clipped(node: Any) -> Tensor | None:
    """Clip. Older versions have the bounds as attributes."""
    x = node.inputs[0]
    bounds = [node.inputs[at] if at < len(node.inputs) else None for at in (1, 2)]
    least, most = (
        node.get(name) if one is None else one.value[0] for name, one in zip(("min", "max"), bounds, strict=True)
    )
    if None in x.value:
        return None
    found = x.value if least is None else [num.maximum(one, least) for one in x.value]
    return constant(x.shape, found if most is None else [num.minimum(one, most) for one in found])


def _shifted(node: Any) -> Tensor | None:
    left = node.get("direction") == "LEFT"
    return elementwise(_shifted_left if left else operator.rshift)(node)


def _shifted_left(a: int, b: int) -> int | None:
    """a * 2**b, or None if the result may exceed the type, whose width is not tracked."""
    return a << b if b < 31 and abs(a) < 2**31 else None


def _remainder(node: Any) -> Tensor | None:
    return elementwise(math.fmod if node.get("fmod", 0) else operator.mod)(node)


def _power(a: float, b: float) -> float:
    """Power with a bounded exponent."""
    if isinstance(a, Dim) or isinstance(b, Dim) or abs(b) > 64:
        raise ValueError("a power of an unknown size")
    return a**b


_FUNCTIONS = [
    "exp",
    "log",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "erf",
]
ELEMENTWISE = {
    "Relu": elementwise(lambda a: a if isinstance(a, Dim) else max(a, 0)),
    "Add": _fold_all(operator.add),
    "Sum": _fold_all(operator.add),
    "Sub": elementwise(operator.sub),
    "Mul": _fold_all(operator.mul),
    "Div": elementwise(_divided),
    "Mod": _remainder,
    "Mean": elementwise(_mean),
    "Clip": _clipped,
    "Sign": elementwise(_sign),
    "Reciprocal": elementwise(lambda a: 1 / a),
    "Sigmoid": elementwise(lambda a: 1 / (1 + math.exp(-a))),
    **{name.title(): elementwise(getattr(math, name)) for name in _FUNCTIONS},
    "BitShift": _shifted,
    "BitwiseAnd": elementwise(operator.and_),
    "BitwiseOr": elementwise(operator.or_),
    "BitwiseXor": elementwise(operator.xor),
    "BitwiseNot": elementwise(operator.invert),
    "Xor": elementwise(_exclusive),
    "Max": _fold_all(num.maximum),
    "Min": _fold_all(num.minimum),
    "Pow": elementwise(_power),
    "Neg": elementwise(operator.neg),
    "Abs": elementwise(lambda a: a if isinstance(a, Dim) else abs(a)),
    "Floor": elementwise(num.floor),
    "Ceil": elementwise(num.ceil),
    "Round": elementwise(num.nearest),
    "Sqrt": elementwise(math.sqrt),
    "Not": elementwise(lambda a: None if a is None else not a),
    "Equal": elementwise(_equal),
    "Less": elementwise(_known(operator.lt)),
    "Greater": elementwise(_known(operator.gt)),
    "LessOrEqual": elementwise(_known(operator.le)),
    "GreaterOrEqual": elementwise(_known(operator.ge)),
    "And": elementwise(_both),
    "Or": elementwise(_either),
    "Where": elementwise(_where),
    "PRelu": elementwise(_leaked),
}
