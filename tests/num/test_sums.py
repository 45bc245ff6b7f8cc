"""Sums of points: equal to NumPy, and the operands are not modified."""

import numpy as np
import pytest

from costcalc.num import arrays
from costcalc.num.points import Pool, leaf
from costcalc.num.sums import total


@pytest.mark.parametrize("plain", [0, 7, 0.0])
@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_what_is_added_is_not_changed(plain, kind):
    table, values = Pool(), [np.arange(5, dtype=kind), np.arange(5, 10, dtype=kind), np.array([[3], [4]], dtype=kind)]
    one, other, tall = (leaf(table, value.copy()) for value in values)
    a, b, c = values
    for parts, due in (
        ([one, plain], a + plain),
        ([one, one, other, plain], 2 * a + b + plain),
        ([one, other, other, tall, plain], a + 2 * b + c + plain),
        ([one * tall, other * tall, other, plain], (a + b) * c + b + plain),
    ):
        found = total(parts).array
        assert (found.dtype, found.tolist()) == (due.dtype, due.tolist())
    assert [points.array.tolist() for points in (one, other, tall)] == [value.tolist() for value in values]


def test_truths_are_counted():
    found = total([leaf(Pool(), np.array([True, False]))]).array
    assert (found.tolist(), found.dtype) == ([1, 0], np.int64)


@pytest.mark.parametrize("least", [-2.5, 0.0])
def test_floors_are_those_of_python(least):
    values = least + np.arange(8) * 0.75
    assert arrays.floor(leaf(Pool(), values)).array.tolist() == [int(np.floor(value)) for value in values]
