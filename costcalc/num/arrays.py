"""Arithmetic over `Points`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import limits
from ..errors import Refused
from . import exact, ints, sums
from .points import Points, Pool, array_of, bounds, call, divided, is_sure, kind_of, quotient, shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .values import Number


class Varies(Exception):
    """The structure of the network differs between points; `points` are the values that decide it."""

    def __init__(self, points: Number) -> None:
        super().__init__("the structure differs between points")
        self.points = points


floor_div = divided


def remainder(a: Number, b: Number) -> Number:
    return a % b


def ceil_div(a: Number, b: Number) -> Number:
    if type(b) is int and b == 1 and kind_of(a) is int:
        return a

    def rounded_up(a: Number, b: Number) -> tuple[float, float]:
        low, high = quotient((-a[1], -a[0]), b)
        return -high, -low

    return call("ceil", lambda x, y: -(-x // y), a, b, rounded_up)


def _to_whole(name: str, function: Number, python: Callable[..., Any] | type) -> Callable[..., Any]:
    def apply(value: Number) -> Number:
        if value.kind is int:
            return value
        if value.kind is bool:
            return value + 0
        low, high = (python(end) if math.isfinite(end) else end for end in bounds(value))
        sure = value.sure and math.isfinite(low) and math.isfinite(high)

        def make(table: Any) -> Number:
            return Points(table, low, high, int, partial(_rounded, function, python, value), sure, (value,))

        return shared(name, (value,), make)

    return apply


def _rounded(function: Number, python: Callable[..., Any] | type, value: Points, raw: np.ndarray) -> np.ndarray:
    """Whole numbers of 64 bits if all fit, else Python numbers."""
    fits = max(-value.low, value.high) <= limits.TOTAL
    if raw.dtype == object or not (fits or np.all(np.abs(raw) <= limits.TOTAL)):
        return exact.narrowed(exact.applied(python, [raw]), int)
    cut = python is math.floor and value.low >= 0  # the conversion to int64 truncates
    return raw.astype(np.int64) if cut else function(raw).astype(np.int64)


floor = _to_whole("floor", np.floor, math.floor)
ceil = _to_whole("ceiling", np.ceil, math.ceil)
nearest = _to_whole("round", np.rint, round)


def _many(name: str, function: Number, pick: Callable[..., Any], wins: Callable[..., Any]) -> Callable[..., Any]:
    def joined(a: Number, b: Number) -> Number:
        if not isinstance(a, Points) and type(b) is not Points:
            return pick(a, b)
        if is_sure(a) and is_sure(b):  # the other value has no refusal to pass on
            if wins(bounds(a), bounds(b)):
                return a
            if wins(bounds(b), bounds(a)) and (kind_of(a) is kind_of(b) is not object or not _meet(a, b)):
                return b
        kind = kind_of(a) if kind_of(a) is kind_of(b) else object
        return call(name, function, a, b, lambda a, b: (pick(a[0], b[0]), pick(a[1], b[1])), kind)

    def apply(*values: Number) -> Number:
        result = values[0]
        for value in values[1:]:
            result = joined(result, value)
        return result

    return apply


def _meet(a: Number, b: Number) -> bool:
    (low, high), (other_low, other_high) = bounds(a), bounds(b)
    return low == other_high or high == other_low


maximum = _many("max", np.maximum, max, lambda a, b: a[0] >= b[1])
minimum = _many("min", np.minimum, min, lambda a, b: a[1] <= b[0])


total = sums.total


def added(values: Sequence[Any]) -> Any:
    return sums.added([(value, 1) for value in values], 0)


def largest(values: Iterable[Number]) -> Number:
    listed = list({id(value): value for value in values}.values())
    least = max(bounds(value)[0] for value in listed)
    counted = [(value, 1) for value in listed if _may_win(value, least)]
    others, by_factor = sums.by_common_factor(counted, 0, lambda product, factor: product.sure and factor.low >= 0)
    return maximum(*others, *(common * maximum(*factors) for common, factors in by_factor))


def _may_win(value: Any, least: float) -> bool:
    """Whether a value may be the largest or refused; `least` is a lower bound of the largest."""
    return not is_sure(value) or bounds(value)[1] >= least


def by_point(function: Callable[..., int], values: Sequence[Any]) -> Any:
    arrays = np.broadcast_arrays(*map(array_of, values))
    points = zip(*(array.ravel().tolist() for array in arrays), strict=True)
    found = np.fromiter((function(*point) for point in points), dtype=np.int64, count=arrays[0].size)
    table = next(value.table for value in values if isinstance(value, Points))
    ends = (int(found.min()), int(found.max())) if found.size else (0, 0)
    return Points(table, *ends, int, lambda: found.reshape(arrays[0].shape))


def select(condition: Number, a: Number, b: Number) -> Number:
    if not isinstance(condition, Points):
        return ints.select(condition, a, b)
    kinds = {kind_of(one) for one in (a, b) if not isinstance(one, Exception)}
    kind = kinds.pop() if len(kinds) == 1 else object
    ends = [bounds(one) for one in (a, b) if not isinstance(one, Exception)] or [(0, 0)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    sure = condition.sure and all(is_sure(one) and not isinstance(one, Exception) for one in (a, b))

    def make(table: Pool) -> Number:
        return Points(table, low, high, kind, partial(_selected, kind), sure, (condition, a, b))

    return shared("select", (condition, a, b), make)


def _selected(kind: type, truth: np.ndarray, a: Number, b: Number) -> Any:
    python = kind is object or any(map(exact.needed, (truth, a, b)))
    return exact.narrowed(exact.applied(_chosen, (truth, a, b), True), kind) if python else np.where(truth, a, b)


def _chosen(truth: bool | ZeroDivisionError, a: Number, b: Number) -> float | ZeroDivisionError:
    return truth if isinstance(truth, Exception) else a if truth else b


def equal(a: Number, b: Number) -> Number:
    if is_sure(a) and is_sure(b):
        (low, high), (other_low, other_high) = bounds(a), bounds(b)
        if a is b or low == high == other_low == other_high:
            return True
        if high < other_low or other_high < low:
            return False
    return call("==", np.equal, a, b, lambda one, other: (0, 1), bool)


def stretch(a: Number, b: Number) -> tuple[Number, Number]:
    if a is b:
        return a, True
    return maximum(a, b), either(equal(a, b), either(equal(a, 1), equal(b, 1)))


def both(a: Number, b: Number) -> Number:
    """Logical and. The second truth, which may be an exception, is used only where the first holds."""
    if not isinstance(a, Points):
        return _truth(ints.raised(b)) if a else False
    if not isinstance(b, (Points, Exception)) and (b or a.sure):
        return _truth(a) if b else False

    def make(table: Pool) -> Number:
        sure = a.sure and is_sure(b) and not isinstance(b, Exception)
        return Points(table, 0, 1, bool, _both, sure, (a, b))

    return shared("and", (a, b), make)


def _both(a: Number, b: Number) -> np.ndarray:
    if exact.needed(a) or exact.needed(b):
        return exact.narrowed(exact.applied(_and, (a, b), True), bool)
    return np.logical_and(a, b)


def _and(a: Number, b: Number) -> Any:
    first = a if isinstance(a, Exception) or not a else b
    return first if isinstance(first, Exception) else bool(first)


def _truth(value: Number) -> Number:
    return value if kind_of(value) is bool else negate(negate(value))


def either(a: Number, b: Number) -> Number:
    return negate(both(negate(a), negate(b)))


def negate(a: Number) -> Number:
    if isinstance(a, Exception):
        return a
    return equal(a, 0) if isinstance(a, Points) else not a


def bounded(value: Number, most: float) -> Number:
    if max(-value.low, value.high) < most:
        return value

    def make(table: Pool) -> Number:
        ends = max(value.low, -most), min(value.high, most)
        return Points(table, *ends, value.kind, partial(_bounded, value.kind, most), False, (value,))

    return shared("bounded", (value, most), make)


def _bounded(kind: type, most: float, raw: np.ndarray) -> np.ndarray:
    if raw.dtype != object and np.all(np.abs(raw) < most):
        return raw
    return exact.narrowed(exact.applied(lambda one: ints.bounded(one, most), [raw]), kind)


def power(base: Number, exponent: Number, most: float) -> Number:
    """Repeated products if the exponent is one number above 0, else Python's power at each point."""
    if not isinstance(exponent, Points) and (times := ints.exponent(exponent)):
        result = base
        for _ in range(times - 1):
            result = bounded(result * base, most)
        return result
    kind = int if kind_of(base) is bool else kind_of(base)

    def one(a: Number, b: Number) -> Number:
        return ints.power(a, b, most)

    def make(table: Pool) -> Number:
        def computed(*raws: Any) -> Any:
            return exact.narrowed(exact.applied(one, raws), kind)

        return Points(table, -most, most, kind, computed, False, (base, exponent))

    return shared("power", (base, exponent, most), make)


def settled(value: Number) -> Number:
    if not value.sure and value.raw.dtype == object and np.any(failing := exact.refused(value.raw)):
        raise exact.refusal(value.raw.flat[int(np.argmax(failing))], failing)
    return value


def after(result: Number, *values: Number) -> Any:
    """The result, with the refusals of values that it does not depend on."""
    if type(result) not in (bool, int, float, Points):
        for value in values:
            settled(value)
        return result

    def make(table: Pool) -> Any:
        kind, (low, high) = kind_of(result), bounds(result)

        def joined(*raws: Any) -> Any:
            return exact.narrowed(exact.applied(lambda first, *others: first, raws), kind)

        return Points(table, low, high, kind, joined, False, (result, *values))

    return shared("after", (result, *values), make)


def fails(truth: Number) -> Where | None:
    """None if the condition holds at every point, else a `Where` of the points that fail."""
    holds = array_of(truth)
    return None if np.all(holds) else Where(~np.asarray(holds, dtype=bool))


class Where:
    """The points at which a condition fails. A call returns a value at the first of them."""

    def __init__(self, failing: Number) -> None:
        self.failing = failing

    def __call__(self, value: Number) -> float:
        array = np.asarray(array_of(value))
        at = np.unravel_index(int(np.argmax(self.failing)), self.failing.shape)
        shape = np.broadcast_shapes(array.shape, self.failing.shape)
        if shape != self.failing.shape:
            return array.flat[0].item()
        return np.broadcast_to(array, shape)[at].item()


def whole(value: Number) -> Number:
    if value.kind is int and value.sure and max(-value.low, value.high) <= limits.SIZE:
        return value
    if value.raw.dtype == object or value.kind is bool:
        return _checked(value)
    if value.kind is not int:
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


def _checked(value: Number) -> Any:
    """Check each point in Python."""

    def make(table: Pool) -> Number:
        found = exact.narrowed(exact.applied(ints.whole, [value.raw]), int)
        return Points(table, -limits.SIZE, limits.SIZE, int, lambda: found, False)

    return settled(shared("whole", (value,), make))


def divisor(value: Number) -> Number:
    return value


def divisible(value: Number, divisor: Number, least: int) -> Number:
    rounded = maximum(least, _truncated(value + divisor / 2) // divisor * divisor)
    return select(rounded < 0.9 * value, rounded + divisor, rounded)


def _truncated(value: Number) -> Number:
    if type(value) is not Points:
        return int(value)
    return _to_whole("truncate", np.trunc, int)(value)


def decide(truth: Number) -> bool:
    """A truth as one bool. Raises Varies where points differ."""
    return bool(single(truth)) if isinstance(truth, Points) else bool(truth)


def single(value: Number) -> int:
    """A number as one int. Raises Varies where points differ."""
    if value.low == value.high:
        return value.low
    array = value.array
    first = array.flat[0].item()
    if np.all(array == first):
        return first
    raise Varies(value)
