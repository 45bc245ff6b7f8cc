"""`Points`: whole or real numbers at many points at once, which broadcast.

A product or a sum is computed when it is read, so quantities that no convention prices cost nothing. The same
operation on the same points gives the same object, so a layer that occurs five times is computed once.

Every `Points` has bounds of its values (interval arithmetic over Python numbers). The bounds decide most checks
without reading an array, and whether 64 bits give the results of Python. Where they may not, the values are
read, and Python computes the affected points one by one (`exact`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from .. import limits
from . import exact

if TYPE_CHECKING:
    from .values import Number, Shape


LARGE = 1 << 16  # bytes of an array that is kept for the next walk
DEEPEST = 64  # operations, one in another, that wait to be computed: each takes five frames of the stack
_DTYPES = {bool: np.dtype(np.bool_), int: np.dtype(np.int64), float: np.dtype(np.float64)}
_FAR = 10**70  # bounds that are larger are infinite: no expression and no count gets there


class Full(Exception):
    """The arrays of a walk take more room than it was given: fewer points at a time take less."""


Spare: TypeAlias = dict[tuple[Any, ...], list[np.ndarray]]  # arrays to be written over, by shape and kind of number


class Pool(dict[tuple[Any, ...], Any]):
    """The points of one walk by how they were made, and how many bytes more their arrays may take.

    `spare` are arrays of an earlier walk: the system takes longer to give new memory than NumPy to fill it.
    """

    def __init__(self, room: float = math.inf, spare: Spare | None = None) -> None:
        super().__init__()
        self.room, self.spare = room, spare or {}

    def free(self, kind: type, arrays: Sequence[Any]) -> np.ndarray | None:
        """A spare array for the result of an operation on arrays or numbers, or None."""
        fitting = self.spare.get((np.broadcast_shapes(*map(np.shape, arrays)), _DTYPES.get(kind)))
        return fitting.pop() if fitting else None

    def unused(self, taken: Sequence[np.ndarray]) -> Spare:
        """The arrays of all points but those that share memory with others that are taken, for the next walk."""
        held = [one.held for one in self.values() if type(one) is Points]
        arrays = {id(one): one for one in held if one is not None and one.nbytes >= LARGE and one.base is None}
        found: Spare = {}
        for array in arrays.values():
            if not any(np.may_share_memory(array, one) for one in taken):
                found.setdefault((array.shape, array.dtype), []).append(array)
        return found


class Points:
    """Numbers at points, of one kind (bool, int, float) or of several (object). `low` and `high` bound them.

    Unless `sure`, some points may have a refusal instead of a number.
    """

    __slots__ = ("_array", "_make", "depth", "factors", "high", "kind", "low", "sure", "table")

    def __init__(
        self,
        table: Pool,
        low: Any,
        high: float,
        kind: type,
        make: Callable[..., Any],
        sure: bool = True,
    ) -> None:
        self.table, self.kind, self.sure = table, kind, sure
        self.low, self.high = _within(low, high, kind)
        self._make, self._array, self.factors, self.depth = make, None, None, 0

    @property
    def held(self) -> np.ndarray | None:
        """The numbers, if they are computed."""
        return self._array

    @property
    def integral(self) -> bool:
        """Whether every value is a whole number."""
        return self.kind is int or self.kind is bool

    @property
    def open_factors(self) -> Shape | None:
        """The two points that this is the product of, until they have been multiplied."""
        return self.factors if self._array is None else None

    @property
    def raw(self) -> Any:
        """The numbers as a NumPy array: of 64 bits, or of Python's numbers and refusals. Raises Full."""
        if self._array is None:
            with np.errstate(all="ignore"):
                made = self._array = self._make()
            self.table.room -= made.nbytes
            if self.table.room < 0:
                raise Full
        return self._array

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
def pooled(room: float, spare: Spare | None = None) -> Iterator[Pool]:
    """The points of one walk, forgotten at its end: they and their pool hold each other, and arrays are large."""
    table = Pool(room, spare)
    try:
        yield table
    finally:
        table.clear()


def leaf(table: Pool, array: Any) -> Number:
    """Points of given numbers. `table` is shared by all points of one walk."""
    kind = {"i": int, "u": int, "f": float, "b": bool}.get(array.dtype.kind, object)
    if kind in (int, float):
        array = array.astype(np.int64 if kind is int else np.float64, copy=False)
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    least, most = (end.item() if isinstance(end, np.generic) else end for end in (low, high))
    return Points(table, least, most, kind, lambda: array)


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
    """bool, int or float; object if it differs between points."""
    return value.kind if type(value) is Points else type(value)


def is_integral(value: Number) -> bool:
    """Whether a value is a whole number at every point."""
    return value.integral if type(value) is Points else isinstance(value, int)


def is_sure(value: Number) -> bool:
    """Whether every point has a number."""
    return type(value) is not Points or value.sure


def shared(name: str, args: Shape, make: Any) -> Number:
    """The points of this operation on these operands, made once. Points are equal only if they are the same object."""
    for arg in args:
        if type(arg) is Points:
            table = arg.table
    key = name, args, *map(type, args)  # 1 and 1.0 are equal, and give other kinds of number
    found = table.get(key)
    if found is None:
        found = table[key] = make(table)
        if type(found) is Points:
            found.depth = 1 + max(map(_waiting, args))
            if found.depth >= DEEPEST:
                found.raw  # noqa: B018 # computed now
    return found


def _waiting(value: Number) -> int:
    """How many operations, one in another, are computed when a value is."""
    return value.depth if type(value) is Points and value._array is None else 0


def call(
    name: str, function: Any, a: Number, b: Number, interval: Callable[..., Any], kind: type | None = None
) -> Number:
    """The points of an operation on two values, computed when read."""

    def make(table: Pool) -> Number:
        made = kind or _joined(a, b)
        low, high = interval(bounds(a), bounds(b))
        sure = is_sure(a) and is_sure(b) and not (name in _DIVISIONS and _holds_zero(b))
        return Points(table, low, high, made, lambda: _computed(table, name, function, (a, b), (low, high), made), sure)

    return shared(name, (a, b), make)


def compare(name: str, function: Number, a: Number, b: Number, decided: Callable[..., Any]) -> Number:
    """The result of a comparison; a single bool if bounds decide it."""
    if is_sure(a) and is_sure(b):
        yes, no = decided(bounds(a), bounds(b))
        if yes or no:
            return bool(yes)
    return call(name, function, a, b, lambda one, other: (0, 1), bool)


def product(a: Number, b: Number) -> Number:
    """The product, computed when read. Layers share weights and grids, so few products are computed."""
    for one, other in ((a, b), (b, a)):
        if _is(one, 1) and kind_of(other) in (int, float):
            return other
    result = call("*", np.multiply, a, b, _extremes)
    if result.integral and type(a) is Points and type(b) is Points:
        result.factors = a, b
    return result


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
    """Bounds that also hold for floats: rounded outwards beyond 2^53."""
    if type(low) is int and abs(low) > _FAR:
        low = _FAR if low > 0 else -math.inf
    if type(high) is int and abs(high) > _FAR:
        high = -_FAR if high < 0 else math.inf
    if kind is object:
        low = low if abs(low) < exact.FLOATS else math.nextafter(low, -math.inf)
        high = high if abs(high) < exact.FLOATS else math.nextafter(high, math.inf)
    return low, high


def _computed(table: Pool, name: str, function: Any, args: Shape, ends: tuple[float, ...], kind: type) -> np.ndarray:
    raws = [raw_of(arg) for arg in args]
    if any(map(exact.needed, raws)) or not _alike(name, args, raws):
        return exact.narrowed(exact.applied(SCALAR[name], raws), kind)
    numbers = [_number(raw) for raw in raws] if kind is not bool else raws
    if kind is int and max(-ends[0], ends[1]) > limits.TOTAL and _overflows(function, numbers):
        return exact.narrowed(exact.applied(SCALAR[name], raws), kind)
    if table.spare and isinstance(function, np.ufunc):
        return function(*numbers, out=table.free(kind, numbers))
    return function(*numbers)


def _alike(name: str, args: Shape, raws: list[Any]) -> bool:
    """Whether 64 bits do what Python does with these numbers: there is a quotient, and no float stands for too large a
    whole number that Python would take as it is."""
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


def _overflows(function: Any, arrays: list[Any]) -> bool:
    """Whether there are values past 2^62, looked at as floats, whose own rounding is far below the distance to 2^63."""
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
    """Bounds of a quotient that is rounded down."""
    if b[0] <= 0 <= b[1] or not all(map(math.isfinite, (*a, *b))):
        return -math.inf, math.inf
    ends = [x // y for x in a for y in b]
    return min(ends), max(ends)
