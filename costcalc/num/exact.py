"""Arrays of Python numbers, for points where 64-bit results would differ from Python's.

Integers past 2^62 may overflow, floats past 2^53 do not represent every integer, the maximum of an integer and a
float has either type, and a division by zero has no result. Such points are computed in Python one by one. A
refusal is kept in the array as an exception until that point is read.
"""

from typing import Any

import numpy as np

from .. import limits
from ..errors import Refused

FAILURES = (ArithmeticError, ValueError, TypeError, LookupError, Refused)
FLOATS = 2**53  # every whole number up to it is a float


def applied(function: Any, values: Any, lazy: bool = False) -> Any:
    """Apply the function at each point. Unless `lazy`, a refusal among its arguments is the result."""
    known: dict = {}

    def one(*items: Any) -> Any:
        if not lazy:
            for item in items:
                if isinstance(item, Exception):
                    return item
        try:
            return function(*items)
        except FAILURES as error:  # one exception for all points: each holds frames
            return known.setdefault((type(error), str(error)), error.with_traceback(None))

    found = np.frompyfunc(one, len(values), 1)(*map(objects, values))
    return found if isinstance(found, np.ndarray) else single(found)


def needed(value: Any) -> bool:
    """Whether an operand does not fit in 64 bits."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype == object)
    return isinstance(value, Exception) or (type(value) is int and abs(value) > limits.TOTAL)


def objects(value: Any) -> Any:
    """An array or a plain number as an array of Python numbers."""
    return value.astype(object) if isinstance(value, np.ndarray) else single(value)


def single(value: Any) -> Any:
    """An array of one object."""
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def narrowed(array: Any, kind: type) -> Any:
    """The numbers in 64 bits if they fit. Unchanged if there is a refusal or more than one kind."""
    if kind is object or np.any(refused(array)):
        return array
    if kind is not int:
        return array.astype(np.bool_ if kind is bool else np.float64)
    return array.astype(np.int64) if np.all(_fits(array)) else array


def refused(array: Any) -> Any:
    """The points that have a refusal."""
    return _each(lambda item: isinstance(item, Exception), array)


def plain(array: Any, kind: type) -> Any:
    """The numbers in 64 bits. Raises `Refused` for a point without a number."""
    failing = refused(array)
    if np.any(failing):
        raise refusal(array.flat[int(np.argmax(failing))], failing)
    if kind is int and not np.all(fits := _fits(array)):
        raise Refused("a count is past the limit of 2^62", failing=~fits)
    return array.astype({bool: np.bool_, int: np.int64}.get(kind, np.float64))


def refusal(error: Any, failing: Any) -> Refused:
    """Turn a failure of plain numbers into a refusal at some points."""
    if isinstance(error, Refused):
        return Refused(error.message, error.option, error.help, failing)
    if isinstance(error, LookupError):
        return Refused(f"`{error.args[0]}` has no value here", failing=failing)
    if isinstance(error, TypeError):
        return Refused("a word or a kernel is not a number", failing=failing)
    return Refused(f"this has no value: {error}", failing=failing)


def _fits(array: Any) -> Any:
    return _each(lambda item: -limits.TOTAL <= item <= limits.TOTAL, array)


def _each(test: Any, array: Any) -> Any:
    return np.asarray(np.frompyfunc(test, 1, 1)(array), dtype=np.bool_)
