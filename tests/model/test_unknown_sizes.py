"""Unknown sizes, such as open axes of a graph. Once they have values, results equal Python's arithmetic."""

import math
import operator
from fractions import Fraction
from itertools import product

import pytest

from costcalc import limits, num
from costcalc.errors import Refused
from costcalc.num import dims
from costcalc.num.polynomials import DEPTH, Dim, named, text
from costcalc.num.valuation import names, valued

H, W = named("h"), named("w")
MOST_TERMS = 64  # of one polynomial, and the highest power
VALUES = [{"h": h, "w": w} for h in (1, 2, 5, 7, 12) for w in (1, 3, 4)]
SIZES = (  # of h and w, positive
    lambda h, w: h,
    lambda h, w: 2 * h,
    lambda h, w: 6 * h * w,
    lambda h, w: h * h + w,
    lambda h, w: 4 * h + 6,
    lambda h, w: (h + 1) * (w + 2),
    lambda h, w: h * w * w + h,
    lambda h, w: num.floor_div(h + 3, 2),
    lambda h, w: num.maximum(h, w),
    lambda h, w: 4,
    lambda h, w: 1,
)
ANY = (*SIZES, lambda h, w: 3 - h, lambda h, w: h - w, lambda h, w: w - 2 * h - 1, lambda h, w: 0, lambda h, w: -3)
OPERATORS = (operator.add, operator.sub, operator.mul, operator.ge, operator.gt, operator.le, operator.lt)
DIVISIONS = (operator.floordiv, operator.mod, num.floor_div, num.ceil_div)


def held(expected, found, left, right=lambda h, w: 0):
    """Compare the value of an expression of unknown sizes with the same expression of plain numbers."""
    unknown = found(left(H, W), right(H, W))
    for env in VALUES:
        assert valued(unknown, env) == expected(left(**env), right(**env)), (str(unknown), env)


@pytest.mark.parametrize("found", OPERATORS)
def test_operators(found):
    for left, right in product(ANY, ANY):
        held(found, found, left, right)


@pytest.mark.parametrize("found", DIVISIONS)
def test_divisions(found):
    round_up = found is num.ceil_div
    for left, right in product(ANY, SIZES):
        expected = (lambda a, b: math.ceil(Fraction(a, b))) if round_up else found
        held(expected, found, left, right)


def test_quotients_rounded():
    for left, right in product(ANY, SIZES):
        for found, expected in ((num.floor, math.floor), (num.ceil, math.ceil), (num.nearest, round)):
            held(lambda a, b, e=expected: e(Fraction(a, b)), lambda a, b, f=found: f(a / b), left, right)
            held(lambda a, b, e=expected: e(3 * Fraction(a, b)), lambda a, b, f=found: f(3 * (a / b)), left, right)
            held(lambda a, b, e=expected: e(a + Fraction(a, b)), lambda a, b, f=found: f(a + a / b), left, right)


@pytest.mark.parametrize(("found", "expected"), [(num.maximum, max), (num.minimum, min)])
def test_the_larger_and_the_smaller(found, expected):
    for left, right in product(ANY, ANY):
        held(expected, found, left, right)
        held(lambda a, b: expected(a, b, 4), lambda a, b: found(a, b, 4), left, right)


def test_what_can_be_seen_to_be_the_same_is_the_same_size():
    assert (6 * H * W + 2 * H) // (2 * H) == 3 * W + 1
    assert (4 * H + 6) // 4 == H + 1
    assert (H * H - 1) // (H + 1) == H - 1
    assert (H * H * W + H * W * W) // (H + W) == H * W
    assert (6 * H) % 3 == 0
    assert H - H == 0
    assert type(H - H) is int
    assert num.maximum(H, H + 1) == H + 1
    assert num.minimum(H, H + 1) == H
    assert num.maximum(H + 1, H) == H + 1
    assert num.minimum(H + 1, H) == H
    assert (H + 1 > H, H >= H, H > H, H < H, H < H + 1, H <= H, H >= H + 1) == (
        True,
        True,
        False,
        False,
        True,
        True,
        False,
    )
    assert num.floor(2 * H) == 2 * H
    assert num.nearest(2 * H) == 2 * H
    assert num.floor(2 * (H / 4)) == 2 * H // 4
    assert 8 // named("h") != 8 // named("w")
    assert hash(H + W) == hash(W + H)
    assert 0.5 * H * 2 == H
    assert named("h") != "h"


def test_a_quotient_with_a_rest_stays_a_quotient():
    for a, b in ((H * H + 1, H), (H + W, W), (3 * H * W, 2 * H), (H, H * W), (H, W * W), (5, H), (H, 0.5)):
        quotient = num.floor_div(a, b)
        assert isinstance(quotient, Dim)
        assert str(quotient).startswith("floor_div(")
    with_halves = 0.5 * H
    assert str(with_halves // 2).startswith("floor_div(")


def test_truths_of_unknown_sizes():
    for left, right in product(ANY, ANY):
        held(lambda a, b: a >= 3 and b >= 3, lambda a, b: num.both(a >= 3, b >= 3), left, right)
        held(lambda a, b: a >= 3 or b >= 3, lambda a, b: num.either(a >= 3, b >= 3), left, right)
        held(lambda a, b: not a >= b, lambda a, b: num.negate(a >= b), left, right)
        held(lambda a, b: a if a >= b else b + 1, lambda a, b: num.select(a >= b, a, b + 1), left, right)
    assert num.select(H >= 3, W, W) == W
    assert num.both(False, H >= 1) is False
    assert num.both(H >= 1, False) is False
    assert num.both(H >= 1, True) == (H >= 1)
    assert num.either(H >= 1, True) is True
    assert dims.negate(True) is False
    assert dims.negate(False) is True
    assert (dims.select(True, 1, 2), dims.select(False, 1, 2)) == (1, 2)


def test_what_cannot_be_decided_is_taken_to_hold():
    assert num.equal(H, W)
    assert num.equal(H, 3)
    assert num.equal(H + 1, 1 + H)
    assert not num.equal(H, H + 1)
    assert not num.equal(H, H + 0.5)
    assert dims.fails(H >= 3) is None
    assert num.whole(H / 2) == H / 2


def test_one_stretches_to_the_other():
    assert num.stretch(H, 1) == (H, True)
    assert num.stretch(1, H) == (H, True)
    assert num.stretch(H, 4) == (4, True)
    assert num.stretch(2, H) == (2, True)
    assert num.stretch(H, W) == (num.maximum(H, W), True)


def test_divisible_sizes():
    for value, divisor, least in product((4, 5, 12, 30), (4, 8), (8, 16)):
        unknown = num.divisible(H, divisor, least)
        assert valued(unknown, {"h": value}) == num.divisible(value, divisor, least)


@pytest.mark.parametrize("found", [dims.decide, dims.single])
def test_what_hangs_on_an_unknown_size_is_refused(found):
    with pytest.raises(Refused, match="depends on an unknown size"):
        found(H)


def test_sizes_stay_small():
    power = H
    for _ in range(MOST_TERMS - 1):
        power = power * H
    assert valued(power, {"h": 1}) == 1
    with pytest.raises(Refused, match="too large to be a size"):
        power * H
    assert str(limits.TOTAL * limits.SIZE * H) == f"{limits.TOTAL * limits.SIZE}*h"
    for too_large in (limits.TOTAL * limits.SIZE + 1, -limits.TOTAL * limits.SIZE - 1):
        with pytest.raises(Refused, match="too large to be a size"):
            too_large * H
    total = sum((named(f"x{n}") for n in range(MOST_TERMS)), 0)
    assert len(total.terms) == MOST_TERMS
    longer = total + H
    assert len(longer.terms) == 1
    assert valued(longer, {"h": 2, **{f"x{n}": 1 for n in range(MOST_TERMS)}}) == MOST_TERMS + 2


def test_a_quotient_of_polynomials_of_many_terms():
    terms = MOST_TERMS - 2
    power, total = 1, 0
    for _ in range(terms):
        total, power = total + power, power * H
    assert (total * (H + 1)) // (H + 1) == total
    assert ((total * W) // W) == total


def test_names_and_texts():
    deep = H
    for _ in range(DEPTH + 2):
        deep = num.floor_div(deep + 1, 2) + 1
    assert names(3) == frozenset()
    assert names(num.floor_div(H * W + 1, 3)) == {"h", "w"}
    assert names(deep) == {"h"}
    assert text(7) == "7"
    assert text(2 * H + 1) == "2*h + 1"
    assert repr(H * H) == "h*h"
    assert str(W * num.maximum(H, 3) * H) == "h*maximum(h, 3)*w"
    halves = "floor_div(floor_div(floor_div(floor_div(.., 2) + 1, 2) + 1, 2) + 1, 2) + 2"  # h + 1 + 1 at the core
    assert str(deep) == halves
