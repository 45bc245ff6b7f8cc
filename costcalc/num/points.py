"""`Points`: whole or real numbers at many points at once, which broadcast.

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

    __slots__ = ("_array", "_make", "factors", "high", "integral", "low", "table")

    def __init__(self, table, low, high, integral, make):
        self.table, self.low, self.high, self.integral = table, low, high, integral
        self._make, self._array, self.factors = make, None, None

    @property
    def open_factors(self):
        """The two points that this is the product of, as long as nobody has multiplied them."""
        return self.factors if self._array is None else None

    @property
    def array(self):
        """The numbers as a NumPy array, int64 or float64."""
        if self._array is None:
            with np.errstate(all="ignore"):
                self._array = self._make()
        return self._array

    def __add__(self, other):
        return self if type(other) is int and other == 0 else call("+", np.add, self, other, _sum)

    def __radd__(self, other):
        return self if type(other) is int and other == 0 else call("+", np.add, other, self, _sum)

    def __sub__(self, other):
        return call("-", np.subtract, self, other, lambda a, b: (a[0] - b[1], a[1] - b[0]))

    def __rsub__(self, other):
        return call("-", np.subtract, other, self, lambda a, b: (a[0] - b[1], a[1] - b[0]))

    def __mul__(self, other):
        return product(self, other)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return call("/", np.true_divide, self, other, _unbounded, integral=False)

    def __rtruediv__(self, other):
        return call("/", np.true_divide, other, self, _unbounded, integral=False)

    def __floordiv__(self, other):
        return divided(self, other)

    def __rfloordiv__(self, other):
        return divided(other, self)

    def __mod__(self, other):
        if type(other) is int and other == 1 and self.integral:
            return 0
        return call("%", np.mod, self, other, _remainder)

    def __rmod__(self, other):
        return call("%", np.mod, other, self, _remainder)

    def __neg__(self):
        return 0 - self

    def __ge__(self, other):
        return compare(">=", np.greater_equal, self, other, lambda a, b: (a[0] >= b[1], a[1] < b[0]))

    def __gt__(self, other):
        return compare(">", np.greater, self, other, lambda a, b: (a[0] > b[1], a[1] <= b[0]))

    def __le__(self, other):
        return compare("<=", np.less_equal, self, other, lambda a, b: (a[1] <= b[0], a[0] > b[1]))

    def __lt__(self, other):
        return compare("<", np.less, self, other, lambda a, b: (a[1] < b[0], a[0] >= b[1]))

    def __bool__(self):
        raise TypeError("many points are neither true nor false")


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


def is_integral(value):
    """Whether a value is whole at every point."""
    return value.integral if type(value) is Points else isinstance(value, int)


def shared(name, args, make):
    """The points of this operation on these operands, made once. Points are the same only if they are one object."""
    for arg in args:
        if type(arg) is Points:
            table = arg.table
    key = name, args, *map(type, args)  # 1 and 1.0 are equal, and give other kinds of number
    found = table.get(key)
    if found is None:
        found = table[key] = make(table)
    return found


def call(name, function, a, b, interval, integral=None):
    def make(table):
        whole_ = is_integral(a) and is_integral(b) if integral is None else integral
        low, high = interval(bounds(a), bounds(b))
        return Points(table, low, high, whole_, lambda: _guarded(function, (a, b), low, high, whole_))

    return shared(name, (a, b), make)


def compare(name, function, a, b, decided):
    yes, no = decided(bounds(a), bounds(b))
    if yes or no:
        return bool(yes)
    return call(name, function, a, b, lambda one, other: (0, 1))


def product(a, b):
    """The product, computed when looked at. Weights and grids are shared between layers, so few are."""
    for one, other in ((a, b), (b, a)):
        if type(one) is int and one == 1:
            return other
    result = call("*", np.multiply, a, b, _extremes)
    if result.integral and type(a) is Points and type(b) is Points:
        result.factors = a, b
    return result


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


def quotient(a, b):
    if b[0] <= 0 <= b[1] or not all(map(math.isfinite, (*a, *b))):
        return -math.inf, math.inf
    ends = [x // y for x in a for y in b]
    return min(ends), max(ends)


def divided(a, b):
    """The quotient rounded down."""
    if type(b) is int and b == 1 and is_integral(a):
        return a
    return call("//", np.floor_divide, a, b, quotient)
