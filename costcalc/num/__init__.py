"""Arithmetic that differs between whole numbers, arrays and symbols.

Rules are written over `+ - * %` and these functions, so that one body serves a table, a sweep and a
formula. Each domain is a module with the same functions. It is selected by the types of the values; SymPy and
NumPy are imported with the first value of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Refused
from . import ints

if TYPE_CHECKING:
    from types import ModuleType

    from .values import Number, Shape


_DOMAINS = {int: ints, float: ints, bool: ints}
_MODULES = {f"{__name__}.points": "arrays", f"{__name__}.polynomials": "dims", "sympy": "symbols"}


def domain(*values: Number) -> ModuleType:
    """The module that does arithmetic for these values: symbols before arrays before numbers."""
    found = ints
    for value in values:
        module = _DOMAINS.get(type(value)) or _learn(type(value))
        if module is not ints and (found is ints or module.__name__.endswith("symbols")):
            found = module
    return found


def _learn(kind: type) -> ModuleType:
    if issubclass(kind, Exception):  # in place of a value that could not be computed
        return ints
    for base in kind.__mro__:
        name = _MODULES.get(base.__module__) or _MODULES.get(base.__module__.partition(".")[0])
        if name:
            from importlib import import_module

            _DOMAINS[kind] = import_module(f"{__name__}.{name}")
            return _DOMAINS[kind]
    raise TypeError(f"not a number: {kind.__name__}")


def total(values: Collection[Number]) -> Number:
    """The sum of quantities; 0 when there are none. Arrays are refused past 2^62."""
    return domain(*values).total(values)


def largest(values: Collection[Number]) -> Number:
    """The largest of quantities; 0 when there are none."""
    return domain(*values).largest(values)


def added(values: Sequence[Any]) -> Any:
    """The sum of quantities without a limit; 0 when there are none."""
    return domain(*values).added(values)


def by_point(function: Callable[..., int], values: Sequence[Any]) -> Any:
    """Apply a function of whole numbers at each point. Slow: for algorithms such as a memory planner."""
    return domain(*values).by_point(function, values)


def prod(values: Iterable[Number]) -> Number:
    """Product of a shape or any other sequence; 1 when it is empty."""
    result = 1
    for value in values:
        result = result * value
    return result


def floor(value: Number) -> Number:
    """Largest whole number not above `value`."""
    return domain(value).floor(value)


def ceil(value: Number) -> Number:
    """Smallest whole number not below `value`."""
    return domain(value).ceil(value)


def nearest(value: Number) -> Number:
    """Nearest whole number, halves to even, as Python and NumPy round."""
    return domain(value).nearest(value)


def floor_div(a: Number, b: Number) -> Number:
    """The quotient of `a` and `b`, rounded down."""
    return domain(a, b).floor_div(a, b)


def remainder(a: Number, b: Number) -> Number:
    """The remainder of `floor_div`; it has the sign of `b`."""
    return domain(a, b).remainder(a, b)


def ceil_div(a: Number, b: Number) -> Number:
    """The quotient of `a` and `b`, rounded up."""
    return domain(a, b).ceil_div(a, b)


def maximum(*values: Number) -> Number:
    """The largest of the values, point by point."""
    return domain(*values).maximum(*values)


def minimum(*values: Number) -> Number:
    """The smallest of the values, point by point."""
    return domain(*values).minimum(*values)


def select(condition: Number, a: Number, b: Number) -> Number:
    """`a` where the condition holds, else `b`. A branch may be an exception, raised where that branch is chosen."""
    return domain(condition, a, b).select(condition, a, b)


def equal(a: Number, b: Number) -> Number:
    """Whether two sizes are equal, as a truth value of the domain."""
    return domain(a, b).equal(a, b)


def stretch(a: Number, b: Number) -> Shape:
    """The size after broadcasting, and whether the sizes broadcast: they are equal, or one is 1."""
    return domain(a, b).stretch(a, b)


def both(a: Number, b: Number) -> Number:
    """Logical and. An exception as the second operand is raised where the first holds."""
    return domain(a, b).both(a, b)


def either(a: Number, b: Number) -> Number:
    """Logical or. An exception as the second operand is raised where the first does not hold."""
    return domain(a, b).either(a, b)


def negate(a: Number) -> Number:
    """Logical not."""
    return domain(a).negate(a)


def whole(value: Number) -> Number:
    """The value as a whole number of its domain. Raises `Refused` if it is not one."""
    return domain(value).whole(value)


def divisible(value: Number, divisor: Number = 8, least: int | None = None) -> Any:
    """Nearest multiple of `divisor`, at least `least`, never below 90 % of `value`.

    The rounding of channel counts from MobileNet V2 on (`_make_divisible` in tensorflow/models
    research/slim/nets/mobilenet/mobilenet.py), with its float arithmetic.
    """
    least = divisor if least is None else least
    return domain(value, divisor, least).divisible(value, divisor, least)


def bounded(value: Number, most: float) -> Number:
    """The value. Raises `Refused` where it is beyond +-`most`, to bound memory."""
    return domain(value).bounded(value, most)


def power(base: Number, exponent: Number, most: float) -> Number:
    """`base` times itself, `exponent` times: a whole number from 0 to `limits.EXPONENT`.

    `Refused` for another exponent, and where the result is past +-`most`.
    """
    return domain(base, exponent).power(base, exponent, most)


def divisor(a: Number, b: Number) -> Number:
    """The divisor of `a`; symbols note the assumption that it is not 0."""
    return domain(a, b).divisor(b)


def settled(value: Number) -> Any:
    """The value of a complete expression. Raises the refusals of points."""
    if type(value) is int or getattr(value, "sure", True):
        return value
    return domain(value).settled(value)


def after(result: Number, *values: int) -> Number:
    """The result of a function, with the refusals of arguments that the result does not depend on."""
    unsure = [value for value in values if not getattr(value, "sure", True)]
    return domain(*unsure).after(result, *unsure) if unsure else result


def require(truth: Number, message: str, *values: Number, option: str | None = None) -> None:
    """Raise `Refused` unless the truth holds; `values` fill the `{}` of the message."""
    if truth is True:
        return
    where = domain(truth, *values).fails(truth)
    if where is not None:
        shown = message.format(*(where(value) for value in values))
        raise Refused(shown, option, failing=getattr(where, "failing", None))
