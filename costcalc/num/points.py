"""`Points`: whole or real numbers at many points at once, which broadcast.

Operations are lazy: a quantity that no convention prices is never computed. The same operation on the same points
returns the same object, so a layer that occurs five times is computed once.

Every `Points` has bounds of its values (interval arithmetic over Python numbers). They decide most checks without
reading an array, and whether 64-bit results equal Python's. If they may differ, the values are read, and the
affected points are computed in Python (`exact`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .. import limits
from . import exact

if TYPE_CHECKING:
    from .values import Number, Shape


_FAR = 10**70  # larger bounds become infinite: no expression or count reaches them


class Full(Exception):
    """The arrays of a walk exceed their room. Fewer points at a time need less."""


class Pool(dict[tuple[Any, ...], Any]):
    """The points of one walk by operation and operands, and the bytes left for their arrays."""

    def __init__(self, room: float = math.inf) -> None:
        super().__init__()
        self.room = room


class Points:
    """Numbers at points: bool, int, float, or several kinds (object). `low` and `high` are their bounds.

    Unless `sure`, points may hold a refusal instead of a number.
    """

    __slots__ = ("_array", "_shape", "args", "function", "high", "kind", "low", "name", "sure", "table")

    def __init__(
        self,
        table: Pool,
        low: Any,
        high: float,
        kind: type,
        function: Callable[..., Any],
        sure: bool = True,
        args: Shape = (),
        name: str = "",
    ) -> None:
        self.table, self.kind, self.sure = table, kind, sure
        self.low, self.high = _within(low, high, kind)
        self.function, self.args, self.name = function, args, name
        self._array: np.ndarray | None = None
        self._shape: tuple[int, ...] | None = _shape(args)

    @property
    def integral(self) -> bool:
        """Whether every value is a whole number."""
        return self.kind is int or self.kind is bool

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array. It is known before the array is computed."""
        if self._shape is None:
            self._shape = self.raw.shape
        return self._shape

    @property
    def held(self) -> np.ndarray | None:
        """The array if it is computed."""
        return self._array

    @property
    def open_factors(self) -> Shape | None:
        """The two points that this is the product of, until they are multiplied."""
        if self._array is not None or self.name != "*" or not self.integral:
            return None
        return self.args if all(type(arg) is Points for arg in self.args) else None

    @property
    def raw(self) -> Any:
        """The NumPy array, of 64-bit numbers or of Python numbers and refusals. Raises Full."""
        if self._array is None:
            with np.errstate(all="ignore"):
                for one in waiting([self]):
                    one.hold(one.function(*map(raw_of, one.args)))
        return self._array

    def hold(self, array: np.ndarray) -> None:
        """Keep the computed array. Raises Full."""
        self._array = array
        self.table.room -= array.nbytes
        if self.table.room < 0:
            raise Full

    @property
    def array(self) -> np.ndarray:
        """The numbers as an array of int64, float64 or bool. Raises `Refused` for numbers that do not fit."""
        raw = self.raw
        return exact.plain(raw, self.kind) if raw.dtype == object else raw

    def __add__(self, other: Number) -> Number:
        return self if _is(other, 0) and self.kind in (int, float) else call("+", np.add, self, other, _sum)

    def __radd__(self, other: int) -> Number:
        return self if _is(other, 0) and self.kind in (int, float) else call("+", np.add, other, self, _sum)

    def __sub__(self, other: Number) -> Number:
        return call("-", np.subtract, self, other, lambda a, b: (a[0] - b[1], a[1] - b[0]))

    def __rsub__(self, other: int) -> Number:
        return call("-", np.subtract, other, self, lambda a, b: (a[0] - b[1], a[1] - b[0]))

    def __mul__(self, other: Number) -> Number:
        return product(self, other)

    def __rmul__(self, other: int) -> Number:
        return product(other, self)

    def __truediv__(self, other: Number) -> Number:
        return call("/", np.true_divide, self, other, _unbounded, float)

    def __rtruediv__(self, other: int) -> Number:
        return call("/", np.true_divide, other, self, _unbounded, float)

    def __floordiv__(self, other: Number) -> Number:
        return divided(self, other)

    def __rfloordiv__(self, other: int) -> Number:
        return divided(other, self)

    def __mod__(self, other: Number) -> Number:
        if _is(other, 1) and self.integral and self.sure:
            return 0
        return call("%", np.mod, self, other, _remainder)

    def __rmod__(self, other: int) -> Number:
        return call("%", np.mod, other, self, _remainder)

    def __neg__(self) -> Number:
        return 0 - self

    def __ge__(self, other: Number) -> Number:
        return compare(">=", np.greater_equal, self, other, lambda a, b: (a[0] >= b[1], a[1] < b[0]))

    def __gt__(self, other: Number) -> Number:
        return compare(">", np.greater, self, other, lambda a, b: (a[0] > b[1], a[1] <= b[0]))

    def __le__(self, other: Number) -> Number:
        return compare("<=", np.less_equal, self, other, lambda a, b: (a[1] <= b[0], a[0] > b[1]))

    def __lt__(self, other: Number) -> Number:
        return compare("<", np.less, self, other, lambda a, b: (a[1] < b[0], a[0] >= b[1]))

    def __bool__(self) -> NoReturn:
        raise TypeError("many points are neither true nor false")


SCALAR = {  # what Python does at one point
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "ceil": lambda a, b: -(-a // b),
    "max": max,
    "min": min,
}
_DIVISIONS = ("/", "//", "%", "ceil")
_COMPARISONS = (">=", ">", "<=", "<", "==")


@contextmanager
def pooled(room: float) -> Iterator[Pool]:
    """A pool for one walk. It is cleared at the end because points and their pool refer to each other."""
    table = Pool(room)
    try:
        yield table
    finally:
        table.clear()


def waiting(wanted: Iterable[Number]) -> list[Points]:
    """The points to compute for the wanted ones, operands before results. Iterative, because sums are deep."""
    order, seen, stack = list[Points](), set[int](), list(wanted)[::-1]
    while stack:
        one = stack[-1]
        if type(one) is not Points or one._array is not None or id(one) in seen:
            stack.pop()
        elif before := [arg for arg in one.args if type(arg) is Points and arg._array is None and id(arg) not in seen]:
            stack.extend(reversed(before))
        else:
            seen.add(id(stack.pop()))
            order.append(one)
    return order


def leaf(table: Pool, array: Any) -> Number:
    """Points of an array. `table` is shared by all points of one walk."""
    kind = {"i": int, "u": int, "f": float, "b": bool}.get(array.dtype.kind, object)
    if kind in (int, float):
        array = array.astype(np.int64 if kind is int else np.float64, copy=False)
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    least, most = (end.item() if isinstance(end, np.generic) else end for end in (low, high))
    made = Points(table, least, most, kind, lambda: array)
    made._array, made._shape = array, array.shape
    return made


def array_of(value: Number) -> int | np.ndarray:
    """The array of points, or a plain number unchanged."""
    return value.array if type(value) is Points else value


def raw_of(value: Number) -> float | np.ndarray:
    """The array of points including refusals, or a plain number unchanged."""
    return value.raw if type(value) is Points else value


def bounds(value: Number) -> tuple[float, ...]:
    """(low, high) of points or of a plain number."""
    return (value.low, value.high) if type(value) is Points else (value, value)


def kind_of(value: Number) -> type:
    """bool, int or float; object if the kind differs between points."""
    return value.kind if type(value) is Points else type(value)


def is_integral(value: Number) -> bool:
    """Whether a value is a whole number at every point."""
    return value.integral if type(value) is Points else isinstance(value, int)


def is_sure(value: Number) -> bool:
    """Whether every point has a number."""
    return type(value) is not Points or value.sure


def shared(name: str, args: Shape, make: Any) -> Number:
    """The points of an operation on operands, created once. Points are compared by identity."""
    for arg in args:
        if type(arg) is Points:
            table = arg.table
    key = name, args, *map(type, args)  # 1 and 1.0 are equal but give different kinds
    found = table.get(key)
    if found is None:
        found = table[key] = make(table)
    return found


def _shape(args: Shape) -> tuple[int, ...] | None:
    """The shape that operands broadcast to; None without operands."""
    shapes = {arg.shape for arg in args if type(arg) is Points}
    return shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes) if shapes else None


def call(
    name: str, function: Any, a: Number, b: Number, interval: Callable[..., Any], kind: type | None = None
) -> Number:
    """The points of an operation on two values."""

    def make(table: Pool) -> Number:
        made = kind or _joined(a, b)
        low, high = interval(bounds(a), bounds(b))
        sure = is_sure(a) and is_sure(b) and not (name in _DIVISIONS and _holds_zero(b))
        return Points(table, low, high, made, Operation(name, function, (a, b), (low, high), made), sure, (a, b), name)

    return shared(name, (a, b), make)


def compare(name: str, function: Number, a: Number, b: Number, decided: Callable[..., Any]) -> Number:
    """The result of a comparison; a single bool if bounds decide it."""
    if is_sure(a) and is_sure(b):
        yes, no = decided(bounds(a), bounds(b))
        if yes or no:
            return bool(yes)
    return call(name, function, a, b, lambda one, other: (0, 1), bool)


def product(a: Number, b: Number) -> Number:
    """The product. Layers share weights and grids, so few products are computed."""
    for one, other in ((a, b), (b, a)):
        if _is(one, 1) and kind_of(other) in (int, float):
            return other
    return call("*", np.multiply, a, b, _extremes)


def divided(a: Number, b: Number) -> Number:
    """The quotient rounded down."""
    if _is(b, 1) and kind_of(a) is int:
        return a
    return call("//", np.floor_divide, a, b, quotient)


def _is(value: Number, number: int) -> bool:
    return type(value) is int and value == number


def _joined(a: Number, b: Number) -> type:
    kinds = {kind_of(a), kind_of(b)}
    if object in kinds:
        return object
    return float if float in kinds else int


def _within(low: float, high: float, kind: type) -> tuple[float, float]:
    """The bounds, rounded outwards beyond 2^53 so that they also hold for floats."""
    if type(low) is int and abs(low) > _FAR:
        low = _FAR if low > 0 else -math.inf
    if type(high) is int and abs(high) > _FAR:
        high = -_FAR if high < 0 else math.inf
    if kind is object:
        low = low if abs(low) < exact.FLOATS else math.nextafter(low, -math.inf)
        high = high if abs(high) < exact.FLOATS else math.nextafter(high, math.inf)
    return low, high


class Operation:
    """An operation on two operands: in NumPy where 64-bit results equal Python's, else in Python at each point."""

    __slots__ = ("args", "ends", "function", "kind", "name")

    def __init__(self, name: str, function: Any, args: Shape, ends: tuple[float, ...], kind: type) -> None:
        self.name, self.function, self.args, self.ends, self.kind = name, function, args, ends, kind

    def __call__(self, *raws: Any) -> Any:
        if any(map(exact.needed, raws)) or not _alike(self.name, self.args, raws):
            return exact.narrowed(exact.applied(SCALAR[self.name], raws), self.kind)
        numbers = [_number(raw) for raw in raws] if self.kind is not bool else raws
        if not self._fits() and _overflows(self.function, numbers):
            return exact.narrowed(exact.applied(SCALAR[self.name], raws), self.kind)
        return self.function(*numbers)

    def _fits(self) -> bool:
        return self.kind is not int or max(-self.ends[0], self.ends[1]) <= limits.TOTAL

    @property
    def plain(self) -> bool:
        """Whether bounds and kinds prove that NumPy's result equals Python's for any arrays."""
        return (
            self.kind is not object
            and self._fits()
            and all(map(_is_plain, self.args))
            and not (self.name in _DIVISIONS and _holds_zero(self.args[1]))
            and _alike(self.name, self.args, [])
        )


def _is_plain(value: Number) -> bool:
    """Whether every point has a float or a 64-bit integer."""
    kind = kind_of(value)
    return is_sure(value) and (kind is float or (kind is int and max(map(abs, bounds(value))) <= limits.TOTAL))


def _alike(name: str, args: Shape, raws: Sequence[Any]) -> bool:
    """Whether 64-bit results equal Python's: no division by zero, and no integer that a float cannot represent."""
    kinds = [kind_of(arg) for arg in args]
    if name in _DIVISIONS and _holds_zero(args[1]) and not np.all(raws[1]):
        return False
    if name in ("max", "min") and kinds[0] is not kinds[1]:
        return False
    if (name == "/" and float not in kinds) or (name in _COMPARISONS and (kinds[0] is float) != (kinds[1] is float)):
        ends = [end for arg in args if kind_of(arg) is not float for end in bounds(arg)]
        return max(map(abs, ends)) <= exact.FLOATS
    return True


def _holds_zero(value: Number) -> bool:
    low, high = bounds(value)
    return low <= 0 <= high


def _number(raw: float | np.ndarray) -> float | np.ndarray:
    """Convert bools to numbers, so that their sum is a count."""
    if isinstance(raw, np.ndarray):
        return raw.astype(np.int64) if raw.dtype == np.bool_ else raw
    return int(raw) if type(raw) is bool else raw


def _overflows(function: Any, arrays: Sequence[Any]) -> bool:
    """Whether values are past 2^62. They are computed as floats, whose error is far smaller than 2^62."""
    result = np.asarray(arrays[0], dtype=np.float64)
    for array in arrays[1:]:
        result = function(result, np.asarray(array, dtype=np.float64))
    return not np.all(np.abs(result) <= limits.TOTAL)


def _sum(a: Number, b: Number) -> tuple[float, float]:
    return a[0] + b[0], a[1] + b[1]


def _extremes(a: Number, b: Number) -> tuple[float, float]:
    ends = [x * y for x in a for y in b]
    ends = [0 if end != end else end for end in ends]  # 0 * inf
    return min(ends), max(ends)


def _unbounded(a: Number, b: Number) -> tuple[float, float]:
    return -math.inf, math.inf


def _remainder(a: Number, b: Number) -> tuple[float, float]:
    reach = max(abs(b[0]), abs(b[1]))
    return (0 if b[0] > 0 else -reach), reach


def quotient(a: Number, b: Number) -> tuple[float, float]:
    """Bounds of a quotient rounded down."""
    if b[0] <= 0 <= b[1] or not all(map(math.isfinite, (*a, *b))):
        return -math.inf, math.inf
    ends = [x // y for x in a for y in b]
    return min(ends), max(ends)
