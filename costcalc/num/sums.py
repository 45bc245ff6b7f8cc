"""Sums of many quantities, at many points at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import limits
from ..errors import Problem, SpecError
from .points import Points

if TYPE_CHECKING:
    from .values import Number


def total(quantities: Iterable[Number]) -> Number:
    """The sum of quantities, as an array.

    Equal quantities are added once, times their count; products with a factor in common (the weights of layers on
    the same grid) are multiplied once, after the other factors are added; arrays of the same shape are added first.
    """
    counts: dict = {}
    for quantity in quantities:
        entry = counts.setdefault(id(quantity) if isinstance(quantity, Points) else quantity, [quantity, 0])
        entry[1] += 1
    _refuse_overflow(counts.values())
    plain, sums = 0, _Sums()
    products: dict[Any, Any] = {}
    for quantity, count in counts.values():
        if not isinstance(quantity, Points):
            plain += quantity * count
        elif quantity.open_factors:
            one, common = quantity.open_factors
            products.setdefault(id(common), (common, _Sums()))[1].add(one.array, count)
        else:
            sums.add(quantity.array, count)
    for common, others in products.values():
        sums.add(others.result(0) * common.array, 1, ours=True)
    return sums.result(plain)


class _Sums:
    """Running sums of arrays, one per shape."""

    def __init__(self) -> None:
        self.by_shape: dict = {}

    def add(self, array: np.ndarray, count: int, ours: bool = False) -> None:
        """Add an array `count` times; one that is ours to change may hold the sum from then on."""
        if count != 1:
            array, ours = array * count, True
        if array.shape not in self.by_shape:
            self.by_shape[array.shape] = array, ours
        else:
            total, made = self.by_shape[array.shape]
            kind = np.result_type(total, array)
            free = [one for one, is_ours in ((total, made), (array, ours)) if is_ours and one.dtype == kind]
            self.by_shape[array.shape] = np.add(total, array, out=free[0] if free else None), True

    def result(self, plain: float) -> Number:
        """The sum of all, and of a plain number."""
        arrays = sorted((array for array, _ in self.by_shape.values()), key=lambda array: array.size)
        result: Any = np.int64(plain) if type(plain) is int else np.float64(plain)
        if arrays and type(plain) is int and plain == 0 and arrays[0].dtype != np.bool_:
            result = arrays.pop(0)
        for array in arrays:
            result = result + array
        return result


def _refuse_overflow(counted: Iterable[Any]) -> None:
    """Refuse a total beyond 2^62, where 64-bit sums could overflow."""
    counted = list(counted)
    reach = sum(count * (quantity.high if isinstance(quantity, Points) else quantity) for quantity, count in counted)
    if reach <= limits.TOTAL:
        return
    floats = [
        count * (np.asarray(quantity.array, dtype=float) if isinstance(quantity, Points) else float(quantity))
        for quantity, count in counted
    ]
    over = np.asarray(sum(floats)) > limits.TOTAL
    if np.any(over):
        error = SpecError(Problem("too-large", "a total is past the limit of 2^62"))
        error.failing = over
        raise error
