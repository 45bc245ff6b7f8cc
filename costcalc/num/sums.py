"""Sums of many quantities at many points, made of few operations on small arrays.

Products with a common factor, such as the weights of layers on one grid, are multiplied once, after their other
factors are added. Quantities of one shape are added first, small shapes before large ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .. import limits
from ..errors import Problem, SpecError
from .points import Points, array_of, bounds

if TYPE_CHECKING:
    from .values import Number

Counted: TypeAlias = list[tuple[Any, int]]  # quantities, and how often each occurs


def total(quantities: Iterable[Number]) -> Number:
    """The sum of quantities. Raises SpecError for a sum past 2^62, where 64 bits may overflow."""
    counted = counts(quantities)
    _refuse_overflow(counted)
    return added(counted, 1)


def added(counted: Counted, side: int) -> Number:
    """The sum of quantities. Products with a common factor on one side (0 or 1) are added together."""
    others, by_factor = by_common_factor(counted, side)
    sums: dict[tuple[int, ...], Number] = {(): 0}
    for value in (*others, *(_summed(factors) * common for common, factors in by_factor)):
        shape = value.shape if isinstance(value, Points) else ()
        sums[shape] = sums[shape] + value if shape in sums else value
    return _summed(sums[shape] for shape in sorted(sums, key=math.prod))


def _summed(values: Iterable[Number]) -> Number:
    first, *others = values
    return sum(others, first)


def counts(quantities: Iterable[Number]) -> Counted:
    """Each distinct quantity and how often it occurs. Points are compared by identity."""
    found: dict[Any, list[Any]] = {}
    for quantity in quantities:
        key = id(quantity) if isinstance(quantity, Points) else (type(quantity), quantity)
        found.setdefault(key, [quantity, 0])[1] += 1
    return [(quantity, count) for quantity, count in found.values()]


def by_common_factor(
    counted: Counted, side: int, usable: Callable[[Points, Points], bool] = lambda product, factor: True
) -> tuple[list[Number], list[tuple[Points, list[Number]]]]:
    """(other quantities, (common factor, other factors) of products that are not yet computed)."""
    others = list[Any]()
    groups: dict[int, tuple[Points, list[Number]]] = {}
    for quantity, count in counted:
        factors = quantity.open_factors if isinstance(quantity, Points) else None
        if factors and usable(quantity, factors[side]):
            groups.setdefault(id(factors[side]), (factors[side], []))[1].append(factors[1 - side] * count)
        else:
            others.append(quantity * count)
    return others, list(groups.values())


def _refuse_overflow(counted: Counted) -> None:
    if sum(count * bounds(quantity)[1] for quantity, count in counted) <= limits.TOTAL:
        return
    floats = [count * np.asarray(array_of(quantity), dtype=float) for quantity, count in counted]
    over = np.asarray(sum(floats)) > limits.TOTAL
    if np.any(over):
        error = SpecError(Problem("too-large", "a total is past the limit of 2^62"))
        error.failing = over
        raise error
