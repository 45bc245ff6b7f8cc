"""Arithmetic over many points at once: `Points` are whole or real numbers, one a point, that broadcast.

A product or a sum is computed when somebody looks at it, so that quantities no convention prices cost
nothing; the same operation on the same points is one object, so that a layer that stands five times is computed
once. Every `Points` knows bounds of its values (interval arithmetic over Python numbers): most checks are decided by
them without touching an array, and so is whether 64 bits suffice. Where they may not, the real values are looked
at, and a value past 2^62 is refused.
"""

import math

import numpy as np

from .. import limits
from ..errors import Refused


class Points:
    """Numbers at points. `low` and `high` bound them; `array` computes them."""

    __slots__ = ("_array", "_make", "high", "integral", "low", "table")

    def __init__(self, table, low, high, integral, make):
        self.table, self.low, self.high, self.integral = table, low, high, integral
        self._make, self._array = make, None

    @property
    def array(self):
        """The numbers as a NumPy array, int64 or float64."""
        if self._array is None:
            with np.errstate(all="ignore"):
                self._array = self._make()
        return self._array

    def __add__(self, other):
        return self if type(other) is int and other == 0 else _call("+", np.add, self, other, _sum)

    def __radd__(self, other):
        return self if type(other) is int and other == 0 else _call("+", np.add, other, self, _sum)

    def __sub__(self, other):
        return _call("-", np.subtract, self, other, lambda a, b: (a[0] - b[1], a[1] - b[0]))

    def __rsub__(self, other):
        return _call("-", np.subtract, other, self, lambda a, b: (a[0] - b[1], a[1] - b[0]))

    def __mul__(self, other):
        return product(self, other)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return _call("/", np.true_divide, self, other, _unbounded, integral=False)

    def __rtruediv__(self, other):
        return _call("/", np.true_divide, other, self, _unbounded, integral=False)

    def __floordiv__(self, other):
        return floor_div(self, other)

    def __rfloordiv__(self, other):
        return floor_div(other, self)

    def __mod__(self, other):
        if type(other) is int and other == 1 and self.integral:
            return 0
        return _call("%", np.mod, self, other, _remainder)

    def __rmod__(self, other):
        return _call("%", np.mod, other, self, _remainder)

    def __neg__(self):
        return 0 - self

    def __ge__(self, other):
        return _compare(">=", np.greater_equal, self, other, lambda a, b: (a[0] >= b[1], a[1] < b[0]))

    def __gt__(self, other):
        return _compare(">", np.greater, self, other, lambda a, b: (a[0] > b[1], a[1] <= b[0]))

    def __le__(self, other):
        return _compare("<=", np.less_equal, self, other, lambda a, b: (a[1] <= b[0], a[0] > b[1]))

    def __lt__(self, other):
        return _compare("<", np.less, self, other, lambda a, b: (a[1] < b[0], a[0] >= b[1]))

    def __bool__(self):
        raise TypeError("many points are neither true nor false")


class Varies(Exception):
    """The network's structure differs between points: `points` say how."""

    def __init__(self, points):
        super().__init__("the structure differs between points")
        self.points = points


def leaf(table, array):
    """Points of given numbers. `table` is shared by all points of one walk."""
    integral = np.issubdtype(array.dtype, np.integer)
    low, high = (array.min().item(), array.max().item()) if array.size else (0, 0)
    return Points(table, low, high, integral, lambda: array)


def array_of(value):
    """The array of points, or a plain number as it is."""
    return value.array if type(value) is Points else value


def bounds(value):
    """(low, high) of points or of a plain number."""
    return (value.low, value.high) if type(value) is Points else (value, value)


def _integral(value):
    return value.integral if type(value) is Points else isinstance(value, int)


def _shared(name, args, make):
    """The points of this operation on these operands, made once. Points are the same only if they are one object."""
    for arg in args:
        if type(arg) is Points:
            table = arg.table
    key = name, args, *map(type, args)  # 1 and 1.0 are equal, and give other kinds of number
    found = table.get(key)
    if found is None:
        found = table[key] = make(table)
    return found


def _call(name, function, a, b, interval, integral=None):
    def make(table):
        whole_ = _integral(a) and _integral(b) if integral is None else integral
        low, high = interval(bounds(a), bounds(b))
        return Points(table, low, high, whole_, lambda: _guarded(function, (a, b), low, high, whole_))

    return _shared(name, (a, b), make)


def _compare(name, function, a, b, decided):
    yes, no = decided(bounds(a), bounds(b))
    if yes or no:
        return bool(yes)
    return _call(name, function, a, b, lambda one, other: (0, 1))


def product(a, b):
    """The product, computed when looked at. Weights and grids are shared between layers, so few are."""
    for one, other in ((a, b), (b, a)):
        if type(one) is int and one == 1:
            return other
    return _call("*", np.multiply, a, b, _extremes)


def _sum(a, b):
    return a[0] + b[0], a[1] + b[1]


def _extremes(a, b):
    ends = [x * y for x in a for y in b]
    ends = [0 if end != end else end for end in ends]  # 0 * inf
    return min(ends), max(ends)


def _guarded(function, args, low, high, integral):
    arrays = [array_of(arg) for arg in args]
    if integral and max(-low, high) > limits.TOTAL:
        _refuse_overflow(function, arrays)
    return function(*arrays)


def _refuse_overflow(function, arrays):
    """Refuse values past 2^62, looked at as floats, whose own rounding is far below the distance to 2^63."""
    result = np.asarray(arrays[0], dtype=np.float64)
    for array in arrays[1:]:
        result = function(result, np.asarray(array, dtype=np.float64))
    fits = np.abs(result) <= limits.TOTAL
    if not np.all(fits):
        raise Refused("a count is past the limit of 2^62", failing=~fits)


def _unbounded(a, b):
    return -math.inf, math.inf


def _remainder(a, b):
    reach = max(abs(b[0]), abs(b[1]))
    return (0 if b[0] > 0 else -reach), reach


def _quotient(a, b):
    if b[0] <= 0 <= b[1] or not all(map(math.isfinite, (*a, *b))):
        return -math.inf, math.inf
    ends = [x // y for x in a for y in b]
    return min(ends), max(ends)


def floor_div(a, b):
    if type(b) is int and b == 1 and _integral(a):
        return a
    return _call("//", np.floor_divide, a, b, _quotient)


def ceil_div(a, b):
    if type(b) is int and b == 1 and _integral(a):
        return a

    def quotient(a, b):
        low, high = _quotient((-a[1], -a[0]), b)
        return -high, -low

    return _call("ceil", lambda x, y: -(-x // y), a, b, quotient)


def _to_whole(name, function, exact):
    def apply(value):
        if _integral(value):
            return value

        def make(table):
            ends = [exact(end) if math.isfinite(end) else end for end in bounds(value)]
            return Points(table, *ends, True, lambda: _integers(function(value.array)))

        return _shared(name, (value,), make)

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
            result = _call(name, function, result, value, lambda a, b: (pick(a[0], b[0]), pick(a[1], b[1])))
        return result

    return apply


maximum = _many("max", np.maximum, max)
minimum = _many("min", np.minimum, min)


def select(condition, a, b):
    if not isinstance(condition, Points):
        return a if condition else b

    def make(table):
        low, high = min(bounds(a)[0], bounds(b)[0]), max(bounds(a)[1], bounds(b)[1])
        both_whole = _integral(a) and _integral(b)
        return Points(table, low, high, both_whole, lambda: np.where(array_of(condition), array_of(a), array_of(b)))

    return _shared("select", (condition, a, b), make)


def equal(a, b):
    (low, high), (other_low, other_high) = bounds(a), bounds(b)
    if a is b or low == high == other_low == other_high:
        return True
    if high < other_low or other_high < low:
        return False
    return _call("==", np.equal, a, b, lambda one, other: (0, 1))


def both(a, b):
    if not (isinstance(a, Points) and isinstance(b, Points)):
        plain, other = (b, a) if isinstance(a, Points) else (a, b)
        return other if plain else False
    return _call("and", np.logical_and, a, b, lambda one, other: (0, 1))


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
