"""Constant folding, element by element: arithmetic and comparisons of small constants and sizes, without arrays."""

import math
import operator
from collections.abc import Callable, Iterable
from functools import reduce
from itertools import product
from math import prod
from typing import Any

from ... import limits, num
from ...num.polynomials import Dim
from .tensors import constant


def places(shape, into):
    """For each element of a shape, in order, the element of a smaller one that is broadcast to it."""
    padded = (1,) * (len(into) - len(shape)) + tuple(shape)
    strides, step = [], 1
    for size in padded[::-1]:
        strides.append(0 if size == 1 else step)
        step *= size
    return [sum(map(operator.mul, at, strides[::-1])) for at in product(*map(range, into))]


def joined(shapes):
    """The shape that several broadcast to."""
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(max(axis) if 0 not in axis else 0 for axis in zip(*padded, strict=True))


def _elementwise(function: Callable) -> Callable:
    """The rule of a function of one element of each input; None where it has no value for them."""

    def rule(node):
        shape = joined([one.shape for one in node.inputs])
        if prod(shape) > limits.FOLDED:
            return None
        columns = [[one.value[at] for at in places(one.shape, shape)] for one in node.inputs]
        try:
            return constant(shape, map(function, *columns))
        except (ArithmeticError, ValueError):  # outside of what it is defined for
            return None

    return rule


def _numeric(function: Callable) -> Callable:
    """A function of numbers alone: of sizes that are not known yet it has no value."""

    def apply(*values):
        if any(value is None or isinstance(value, Dim) for value in values):
            raise ValueError("no number")
        return function(*values)

    return _elementwise(apply)


def _attributed(function: Callable, **defaults: Any) -> Callable:
    """A function of one number and of attributes."""

    def rule(node):
        given = [node.get(name, default) for name, default in defaults.items()]
        return _numeric(lambda value: function(value, *given))(node)

    return rule


def _every(function: Callable) -> Callable:
    """A function of two elements over any number of inputs."""
    return _elementwise(lambda *values: reduce(function, values))


def _divided(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a / b
    if isinstance(a, Dim) or isinstance(b, Dim):
        return num.floor_div(a, b)
    return -(-a // b) if (a < 0) != (b < 0) else a // b  # towards zero, as C does


def _equal(a, b):
    if isinstance(a, Dim) or isinstance(b, Dim):
        difference = a - b
        if isinstance(difference, Dim):  # sizes are no negative numbers
            return not any(type(one) is int and one < 1 for one in (a, b)) and None
        return difference == 0
    return a == b


def _known(compare):
    """A comparison; of sizes that are not known yet, the answer is not known."""

    def answer(a, b):
        found = compare(a, b)
        return None if isinstance(found, Dim) else found

    return answer


def _where(condition, a, b):
    return None if condition is None else num.select(condition, a, b)


def _both(a, b):
    return False if a is False or b is False else None if a is None or b is None else a and b


def _either(a, b):
    return True if a is True or b is True else None if a is None or b is None else a or b


def _power(a, b):
    """A power of bounded size, of the type of its base."""
    if abs(b) > 64:
        raise ValueError("a power that is too large")
    found = a**b
    if isinstance(found, complex):
        raise ValueError("not a real number")
    return math.trunc(found) if type(a) is int else found


def _rounded(function: Callable, of_sizes: Callable) -> Callable:
    """A rounding of numbers that stay of their type, and of sizes."""

    def apply(value):
        if isinstance(value, Dim):
            return of_sizes(value)
        return float(function(value)) if math.isfinite(value) else value

    return _elementwise(apply)


def _clipped(node):
    """Clip: bounds are inputs, each of which may be left out, and attributes before version 11."""
    low, high = ((one.value[0] if one is not None else None) for one in (node.input(1), node.input(2)))
    low = node.get("min") if low is None and node.version < 11 else low
    high = node.get("max") if high is None and node.version < 11 else high
    values = node.inputs[0].value
    for bound, choose in ((low, num.maximum), (high, num.minimum)):
        values = values if bound is None else [choose(value, bound) for value in values]
    return node.inputs[0]._replace(value=tuple(values))


def _shifted(node):
    """BitShift to the right: to the left, the result depends on the type's width."""
    return _numeric(operator.rshift)(node) if node.get("direction") == "RIGHT" else None


def _remainder(node):
    """Mod: the sign is that of the divisor, with `fmod` that of the dividend."""
    return _numeric(math.fmod)(node) if node.get("fmod", 0) else _elementwise(operator.mod)(node)


def _infinite(value, negative, positive):
    return math.isinf(value) and bool(positive if value > 0 else negative)


def _elu(value, alpha):
    return value if value > 0 else alpha * math.expm1(value)


def _gelu(value, form):
    inner = math.sqrt(2 / math.pi) * (value + 0.044715 * value**3)
    return 0.5 * value * (1 + (math.tanh(inner) if form == "tanh" else math.erf(value / math.sqrt(2))))


def _sigmoid(value):
    return 1 / (1 + math.exp(-value))


def _softplus(value):
    return math.log1p(math.exp(value))


def _mean(*values):
    return sum(values) / len(values)


def _named(names: str, module: Any) -> dict[str, Callable]:
    """The functions of a module by operator: `Sinh` is `sinh`."""
    return {name: _numeric(getattr(module, name.lower())) for name in names.split()}


def _all(kind: Callable, functions: Iterable[tuple[str, Callable]]) -> dict[str, Callable]:
    return {name: kind(function) for name, function in functions}


ELEMENTWISE: dict[str, Callable] = {
    **_named("Exp Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh Atanh Erf Sqrt Log", math),
    **_all(
        _every,
        (
            *(("Add", operator.add), ("Sum", operator.add), ("Mul", operator.mul)),
            *(("Max", num.maximum), ("Min", num.minimum)),
        ),
    ),
    **_all(
        _elementwise,
        (
            *(("Sub", operator.sub), ("Div", _divided), ("Neg", operator.neg), ("Equal", _equal)),
            *(("Less", _known(operator.lt)), ("Greater", _known(operator.gt))),
            *(("LessOrEqual", _known(operator.le)), ("GreaterOrEqual", _known(operator.ge))),
            *(("And", _both), ("Or", _either), ("Where", _where)),
            ("Not", lambda a: None if a is None else not a),
            ("Xor", lambda a, b: None if a is None or b is None else a != b),
            ("Relu", lambda a: a if isinstance(a, Dim) else max(a, 0)),
            ("Abs", lambda a: a if isinstance(a, Dim) else abs(a)),
            ("Sign", lambda a: 1 if isinstance(a, Dim) else type(a)((a > 0) - (a < 0))),
        ),
    ),
    **_all(
        _numeric,
        (
            *(("Pow", _power), ("IsNaN", math.isnan), ("Reciprocal", lambda a: 1 / a), ("Mean", _mean)),
            *(("BitwiseAnd", operator.and_), ("BitwiseOr", operator.or_), ("BitwiseXor", operator.xor)),
            *(("Sigmoid", _sigmoid), ("Softplus", _softplus), ("Softsign", lambda a: a / (1 + abs(a)))),
            ("Mish", lambda a: a * math.tanh(_softplus(a))),
            ("HardSwish", lambda a: a * max(0.0, min(1.0, a / 6 + 0.5))),
            ("PRelu", lambda a, slope: a if a >= 0 else a * slope),
        ),
    ),
    "Floor": _rounded(math.floor, num.floor),
    "Ceil": _rounded(math.ceil, num.ceil),
    "Round": _rounded(round, num.nearest),
    "Clip": _clipped,
    "Mod": _remainder,
    "BitShift": _shifted,
    "IsInf": _attributed(_infinite, detect_negative=1, detect_positive=1),
    "LeakyRelu": _attributed(lambda a, alpha: a if a >= 0 else alpha * a, alpha=0.01),
    "Elu": _attributed(_elu, alpha=1.0),
    "Celu": _attributed(lambda a, alpha: max(0.0, a) + min(0.0, alpha * math.expm1(a / alpha)), alpha=1.0),
    "Selu": _attributed(
        lambda a, alpha, gamma: gamma * _elu(a, alpha), alpha=1.67326319217681884, gamma=1.05070102214813232
    ),
    "HardSigmoid": _attributed(lambda a, alpha, beta: max(0.0, min(1.0, alpha * a + beta)), alpha=0.2, beta=0.5),
    "ThresholdedRelu": _attributed(lambda a, alpha: a if a > alpha else 0.0, alpha=1.0),
    "Shrink": _attributed(
        lambda a, bias, lambd: a + bias if a < -lambd else a - bias if a > lambd else 0.0, bias=0.0, lambd=0.5
    ),
    "Gelu": _attributed(_gelu, approximate="none"),
    "Swish": _attributed(lambda a, alpha: a * _sigmoid(alpha * a), alpha=1.0),
}
