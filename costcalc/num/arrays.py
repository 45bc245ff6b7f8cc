"""Arithmetic over `Points`."""

import math

import numpy as np

from .. import limits
from ..errors import Refused
from .points import Points, array_of, bounds, call, divided, is_integral, quotient, shared


class Varies(Exception):
    """The network's structure differs between points: `points` say how."""

    def __init__(self, points):
        super().__init__("the structure differs between points")
        self.points = points


floor_div = divided


def ceil_div(a, b):
    if type(b) is int and b == 1 and is_integral(a):
        return a

    def rounded_up(a, b):
        low, high = quotient((-a[1], -a[0]), b)
        return -high, -low

    return call("ceil", lambda x, y: -(-x // y), a, b, rounded_up)


def _to_whole(name, function, exact):
    def apply(value):
        if is_integral(value):
            return value

        def make(table):
            ends = [exact(end) if math.isfinite(end) else end for end in bounds(value)]
            return Points(table, *ends, True, lambda: _integers(function(value.array)))

        return shared(name, (value,), make)

    return apply


floor = _to_whole("floor", np.floor, math.floor)
ceil = _to_whole("ceiling", np.ceil, math.ceil)
nearest = _to_whole("round", np.rint, round)


def _integers(array):
    fits = np.abs(array) <= limits.TOTAL
    if not np.all(fits):
        raise Refused("a size is not a number or too large", failing=~fits)
    return array.astype(np.int64)


def _many(name, function, pick):
    def apply(*values):
        result = values[0]
        for value in values[1:]:
            if not isinstance(result, Points) and type(value) is not Points:
                result = pick(result, value)
                continue
            result = call(name, function, result, value, lambda a, b: (pick(a[0], b[0]), pick(a[1], b[1])))
        return result

    return apply


maximum = _many("max", np.maximum, max)
minimum = _many("min", np.minimum, min)


def select(condition, a, b):
    if not isinstance(condition, Points):
        return a if condition else b

    def make(table):
        low, high = min(bounds(a)[0], bounds(b)[0]), max(bounds(a)[1], bounds(b)[1])
        both_whole = is_integral(a) and is_integral(b)
        return Points(table, low, high, both_whole, lambda: np.where(array_of(condition), array_of(a), array_of(b)))

    return shared("select", (condition, a, b), make)


def equal(a, b):
    (low, high), (other_low, other_high) = bounds(a), bounds(b)
    if a is b or low == high == other_low == other_high:
        return True
    if high < other_low or other_high < low:
        return False
    return call("==", np.equal, a, b, lambda one, other: (0, 1))


def stretch(a, b):
    if a is b:
        return a, True
    return maximum(a, b), either(equal(a, b), either(equal(a, 1), equal(b, 1)))


def both(a, b):
    if not (isinstance(a, Points) and isinstance(b, Points)):
        plain, other = (b, a) if isinstance(a, Points) else (a, b)
        return other if plain else False
    return call("and", np.logical_and, a, b, lambda one, other: (0, 1))


def either(a, b):
    return negate(both(negate(a), negate(b)))


def negate(a):
    return equal(a, 0) if isinstance(a, Points) else not a


def fails(truth):
    """None when the truth holds at every point; else a `Where` that shows values at the first where it does not."""
    holds = array_of(truth)
    return None if np.all(holds) else Where(~np.asarray(holds, dtype=bool))


class Where:
    """The points at which something fails. Called with a value, it gives that value at the first of them."""

    def __init__(self, failing):
        self.failing = failing

    def __call__(self, value):
        array = np.asarray(array_of(value))
        at = np.unravel_index(int(np.argmax(self.failing)), self.failing.shape)
        shape = np.broadcast_shapes(array.shape, self.failing.shape)
        if shape != self.failing.shape:
            return array.flat[0].item()
        return np.broadcast_to(array, shape)[at].item()


def whole(value):
    if not value.integral:
        rounded = np.rint(value.array)
        bad = ~(rounded == value.array)
        if np.any(bad):
            shown = Where(bad)(value)
            raise Refused(f"{shown!r} is not a whole number", help="write floor(..) or divisible(..)", failing=bad)
        value = nearest(value)
    if max(-value.low, value.high) > limits.SIZE:
        large = np.abs(value.array) > limits.SIZE
        if np.any(large):
            message = f"{Where(large)(value):,} is too large: the limit is {limits.SIZE:,}"
            raise Refused(message, failing=large)
    return value


def divisible(value, divisor, least):
    rounded = maximum(least, _truncated(value + divisor / 2) // divisor * divisor)
    return rounded + select(rounded < 0.9 * value, divisor, 0)


def _truncated(value):
    if type(value) is not Points:
        return int(value)
    return _to_whole("truncate", np.trunc, math.trunc)(value)


def decide(truth):
    """A truth as one bool. Raises Varies where points differ."""
    return bool(single(truth))


def single(value):
    """A number as one int. Raises Varies where points differ."""
    if value.low == value.high:
        return value.low
    array = value.array
    first = array.flat[0].item()
    if np.all(array == first):
        return first
    raise Varies(value)
