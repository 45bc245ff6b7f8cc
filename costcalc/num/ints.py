"""Arithmetic over Python numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .values import Number


floor = math.floor
ceil = math.ceil
nearest = round
maximum = max
minimum = min
total = added = sum


def largest(values: Iterable[Number]) -> Number:
    return max(values, default=0)


def by_point(function: Callable[..., int], values: Sequence[Any]) -> int:
    return function(*values)


def floor_div(a: Number, b: Number) -> int:
    return a // b


def remainder(a: Number, b: Number) -> int:
    return a % b


def ceil_div(a: Number, b: Number) -> int:
    return -(-a // b)


def select(condition: Number, a: Number, b: Number) -> Number:
    return raised(a if condition else b)


def raised(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value


def equal(a: Number, b: Number) -> bool:
    return a == b


def stretch(a: Number, b: Number) -> tuple[int, bool]:
    return max(a, b), a == b or a == 1 or b == 1


def both(a: Number, b: Number) -> bool:
    return bool(a and raised(b))


def either(a: Number, b: Number) -> bool:
    return bool(a or raised(b))


def negate(a: Number) -> bool:
    return not a


def fails(truth: int) -> Callable[..., Any] | None:
    """None if the condition holds, else a function that shows a value where it fails."""
    return None if truth else _same


def _same(value: Number) -> int:
    return value


def whole(value: Number) -> int:
    if type(value) is int:
        number = value
    elif type(value) is float and value.is_integer():
        number = int(value)
    elif type(value) is float and math.isfinite(value):
        raise Refused(f"{value!r} is not a whole number", help="write floor(..) or divisible(..)")
    else:
        raise Refused(f"{value!r} is not a number of things")
    if abs(number) > limits.SIZE:
        raise Refused(f"{float(value):.3g} is too large: the limit is {limits.SIZE:,}")
    return number


def bounded(value: Number, most: float) -> float:
    if not -most < value < most:
        raise Refused("this grows too large to be a size")
    return value


def exponent(value: Number) -> int:
    """The exponent as an int. Raises `Refused` unless it is a whole number within the limit."""
    if type(value) not in (int, bool, float) or value not in range(limits.EXPONENT + 1):
        raise Refused(f"an exponent is a whole number from 0 to {limits.EXPONENT}, not {value}")
    return int(value)


def power(base: Number, times: Number, most: float) -> Number:
    """Repeated multiplication; for floats, in a fixed order, so the result is the same on every platform."""
    result = 1.0 if type(base) is float else 1
    for _ in range(exponent(times)):
        result = bounded(result * base, most)
    return result


def divisor(value: Number) -> int:
    return value


def divisible(value: Number, divisor: Number, least: int) -> int:
    rounded = max(least, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def decide(truth: int) -> bool:
    """The truth as a bool, for a condition that decides the structure of the network."""
    return bool(truth)


def single(value: Number) -> int:
    """The number as an int, for a count that decides the structure of the network."""
    return value
