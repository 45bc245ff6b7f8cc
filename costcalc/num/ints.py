"""Arithmetic over Python numbers."""

import math

from .. import limits
from ..errors import Refused

floor = math.floor
ceil = math.ceil
nearest = round
maximum = max
minimum = min
total = sum


def largest(values):
    return max(values, default=0)


def floor_div(a, b):
    return a // b


def remainder(a, b):
    return a % b


def ceil_div(a, b):
    return -(-a // b)


def select(condition, a, b):
    return _raised(a if condition else b)


def _raised(value):
    if isinstance(value, Exception):
        raise value
    return value


def equal(a, b):
    return a == b


def stretch(a, b):
    return max(a, b), a == b or a == 1 or b == 1


def both(a, b):
    return bool(a and _raised(b))


def either(a, b):
    return bool(a or _raised(b))


def negate(a):
    return not a


def fails(truth):
    """None when the truth holds; else how to show a value where it does not."""
    return None if truth else _same


def _same(value):
    return value


def whole(value):
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


def bounded(value, most):
    if not -most < value < most:
        raise Refused("this grows too large to be a size")
    return value


def divisor(value):
    return value


def divisible(value, divisor, least):
    rounded = max(least, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def decide(truth):
    """A truth as one bool, for a condition that shapes the network."""
    return bool(truth)


def single(value):
    """A number as one int, for a count that shapes the network."""
    return value
