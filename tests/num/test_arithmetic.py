"""The arithmetic of rules in its three domains: plain numbers, points of arrays, and symbols, against Python's own."""

import math
import operator
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy

from costcalc import limits, num
from costcalc.errors import Refused
from costcalc.num import arrays, ints, symbols
from costcalc.num.points import Points, Pool, array_of, bounds, is_integral, leaf

WHOLE = (-7, -2, -1, 0, 1, 2, 3, 8, 9)
POSITIVE = tuple(n for n in WHOLE if n > 0)
REAL = (-2.5, -1.5, -0.4, 0.0, 0.5, 1.5, 2.25, 2.5, 7.0)
UNARY = {
    "floor": (REAL, math.floor),
    "ceil": (REAL, math.ceil),
    "nearest": (REAL, round),
}
BINARY = {  # function: (left, right, expected)
    "floor_div": (WHOLE, POSITIVE, lambda a, b: math.floor(Fraction(a, b))),
    "ceil_div": (WHOLE, POSITIVE, lambda a, b: math.ceil(Fraction(a, b))),
    "maximum": (WHOLE, WHOLE, max),
    "minimum": (WHOLE, WHOLE, min),
    "equal": (WHOLE, WHOLE, lambda a, b: a == b),
}
OPERATORS = {  # on points
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
}


def points(values, table=None):
    """Points of these numbers with exact bounds."""
    return leaf(Pool() if table is None else table, np.array(values))


def vague(values, table=None, reach=100):
    """The same with loose bounds, so that bounds decide nothing."""
    array = np.array(values)
    return Points(
        Pool() if table is None else table, -reach, reach, int if array.dtype.kind == "i" else float, lambda: array
    )


def listed(value, count):
    """A result as a list of plain numbers."""
    return np.broadcast_to(array_of(value), (count,)).tolist()


@pytest.mark.parametrize("name", UNARY)
def test_rounding_is_the_same_in_all_domains(name):
    values, exact = UNARY[name]
    due, function = [exact(value) for value in values], getattr(num, name)
    assert [function(value) for value in values] == due
    for made in (points(values), vague(values)):
        result = function(made)
        assert (listed(result, len(values)), result.integral, result.array.dtype) == (due, True, np.int64)
        assert bounds(result)[0] <= min(due) <= max(due) <= bounds(result)[1]
    assert [function(sympy.Rational(str(value))) for value in values] == due
    assert function(whole := points(WHOLE)) is whole
    assert [function(value) for value in WHOLE] == list(WHOLE)


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_are_the_same_in_all_domains(name):
    left, right, exact = BINARY[name]
    pairs = list(product(left, right))
    due, function = [exact(*pair) for pair in pairs], getattr(num, name)
    assert [function(*pair) for pair in pairs] == due
    for make in (points, vague):
        table = Pool()
        a, b = (make(side, table) for side in zip(*pairs, strict=True))
        result = function(a, b)
        assert listed(result, len(pairs)) == due
        assert bounds(result)[0] <= min(due) <= max(due) <= bounds(result)[1]
        for at, (one, other) in enumerate(pairs):
            assert listed(function(a, other), len(pairs))[at] == due[at]
            assert listed(function(one, b), len(pairs))[at] == due[at]
    assert [function(sympy.Integer(a), b) for a, b in pairs] == due
    assert [function(a, sympy.Integer(b)) for a, b in pairs] == due


@pytest.mark.parametrize("sign", OPERATORS)
def test_operators_of_points_are_those_of_numbers(sign):
    function, right = OPERATORS[sign], WHOLE if sign not in ("/", "//", "%") else tuple(n for n in WHOLE if n)
    pairs = list(product(WHOLE, right))
    due = [function(*pair) for pair in pairs]
    for make in (points, vague):
        table = Pool()
        a, b = (make(side, table) for side in zip(*pairs, strict=True))
        result = function(a, b)
        assert listed(result, len(pairs)) == due
        assert bounds(result)[0] <= min(due) <= max(due) <= bounds(result)[1]
        assert result.integral == (sign != "/")
        for at, (one, other) in enumerate(pairs):
            for mixed in (function(a, other), function(one, b)):
                assert listed(mixed, len(pairs))[at] == due[at]
                assert type(mixed) is not Points or mixed.integral == (sign != "/")
    assert function(a, b) is function(a, b)


def test_bounds_are_the_tightest_that_corners_tell():
    table = Pool()
    a, b = points([-2, 3], table), points([2, 5], table)
    found = {sign: bounds(function(a, b)) for sign, function in OPERATORS.items() if sign in "+-*//%"}
    assert found["+"] == (0, 8)
    assert found["-"] == (-7, 1)
    assert found["*"] == (-10, 15)
    assert found["//"] == (-1, 1)
    assert found["%"] == (0, 5)
    assert bounds(a % points([-3, 2], table)) == (-3, 3)
    assert bounds(a % points([0, 2], table)) == (-2, 2)
    assert bounds(a % points([1, 2], table)) == (0, 2)
    assert bounds(-b) == (-5, -2)
    assert bounds(b // a) == (-math.inf, math.inf)
    assert bounds(a // points([1, 5], table)) == (-2, 3)
    for low, high in ((-2, 0), (0, 2)):
        assert bounds(b // Points(table, low, high, int, lambda: np.array([1, 1]))) == (-math.inf, math.inf)
    assert bounds(a / b) == (-math.inf, math.inf)
    assert bounds(num.ceil_div(a, b)) == (-1, 2)
    assert bounds(num.maximum(a, 1)) == (1, 3)
    assert bounds(num.minimum(a, 1)) == (-2, 1)
    assert bounds(num.select(vague([0, 1], table), a, b)) == (-2, 5)
    assert bounds(num.select(vague([0, 1], table), b, a)) == (-2, 5)
    assert bounds(num.both(a > 0, b > 2)) == bounds(num.either(a > 0, b > 2)) == (0, 1)
    assert bounds(points([0.5, 1.5], table) * math.inf) == (math.inf, math.inf)
    assert bounds(points([0, 2], table) * math.inf) == (0, math.inf)


@pytest.mark.parametrize("sign", [">=", ">", "<=", "<"])
def test_comparisons_of_ranges_that_touch_overlap_or_do_not(sign):
    compare = OPERATORS[sign]
    ranges = [(low, high) for low in range(4) for high in range(low, 4)]
    for left, right in product(ranges, ranges):
        table, pairs = Pool(), list(product(left, right))
        a, b = (points(side, table) for side in zip(*pairs, strict=True))
        assert listed(compare(a, b), len(pairs)) == [compare(*pair) for pair in pairs]


def test_comparisons_are_decided_by_bounds_where_they_can():
    low, high = points([1, 2]), points([2, 5])
    assert [low > 2, low >= 1, low < 1, low <= 2, low >= 3, low > 0, low < 3, low <= 0] == [
        *(False, True, False, True),
        *(False, True, True, False),
    ]
    for open_ in (low > 1, low >= 2, low < 2, low <= 1, num.equal(low, 2), num.equal(low, high)):
        assert type(open_) is Points
        assert bounds(open_) == (0, 1)
    same = points([4, 4])
    assert num.equal(low, low) is num.equal(same, 4) is num.equal(same, points([4, 4])) is True
    assert num.equal(low, 3) is num.equal(0, low) is num.equal(low, same) is num.equal(same, low) is False
    assert num.both(False, open_) is num.both(open_, False) is False
    assert num.both(True, open_) is num.both(open_, True) is open_
    with pytest.raises(TypeError):
        bool(low)


def test_neutral_numbers_change_nothing():
    a = points([1, 2])
    assert all(one is a for one in (a + 0, 0 + a, a * 1, 1 * a, a // 1, num.ceil_div(a, 1), num.floor_div(a, 1)))
    assert a % 1 == 0
    assert type(points([0.5, 2.0]) % 1) is type(points([0.5, 2.0]) // 1) is Points
    assert (a + 1) is not a
    assert (2 * a).open_factors is None
    assert (a * (a + 1)).open_factors == (a, a + 1)
    assert (a * points([0.5, 0.5], a.table)).open_factors is None
    looked = a * (a + 2)
    assert (looked.array.tolist(), looked.open_factors) == ([3, 8], None)
    assert type((a * 2).array[0]) is np.int64
    assert (a * 2.0).integral is False


TRUTHS = (True, False)


@pytest.mark.parametrize("name", ["both", "either"])
def test_truths_are_joined_alike(name):
    function, exact = getattr(num, name), {"both": all, "either": any}[name]
    pairs = list(product(TRUTHS, TRUTHS))
    due = [exact(pair) for pair in pairs]
    assert [function(*pair) for pair in pairs] == due
    assert [function(int(a), int(b)) for a, b in pairs] == due
    table = Pool()
    a, b = (vague([int(one) for one in side], table) for side in zip(*pairs, strict=True))
    a, b = num.equal(a, 1), num.equal(b, 1)
    assert [bool(one) for one in listed(function(a, b), 4)] == due
    for at, (one, other) in enumerate(pairs):
        assert bool(listed(function(a, other), 4)[at]) == bool(listed(function(one, b), 4)[at]) == due[at]
    assert [bool(function(sympy.true if a else sympy.false, b)) for a, b in pairs] == due
    n = sympy.Symbol("n", positive=True)
    assert symbols.both(n > 2, n) == sympy.And(n > 2, sympy.Ne(n, 0))
    assert symbols.either(n > 2, 0) == (n > 2)


def test_negation_and_choice():
    truth = num.equal(vague([1, 2]), 1)
    assert [num.negate(value) for value in (True, False, 0, 3)] == [False, True, True, False]
    assert [bool(one) for one in listed(num.negate(truth), 2)] == [False, True]
    assert [num.select(value, 5, 6) for value in (True, False, 1, 0)] == [5, 6, 5, 6]
    table = truth.table
    chosen = num.select(truth, points([5, 5], table), 6.5)
    assert (listed(chosen, 2), chosen.integral) == ([5.0, 6.5], False)
    assert num.select(truth, 5, 6).integral is True
    assert num.select(True, points([5, 5]), 6).array.tolist() == [5, 5]
    assert num.select(False, points([5, 5]), 6) == 6
    n = sympy.Symbol("n", positive=True)
    assert num.select(n > 2, 5, 6) == sympy.Piecewise((5, n > 2), (6, True))
    assert (num.select(sympy.true, n, 6), num.select(sympy.false, n, 6)) == (n, 6)
    assert num.negate(n > 2) == (n <= 2)
    assert num.select(n, 1, 2) == sympy.Piecewise((1, sympy.Ne(n, 0)), (2, True))


STRETCH = [(3, 3, 3, True), (1, 3, 3, True), (3, 1, 3, True), (1, 1, 1, True), (2, 3, 3, False), (0, 3, 3, False)]


@pytest.mark.parametrize(("a", "b", "size", "fits"), STRETCH)
def test_sizes_broadcast(a, b, size, fits):
    assert num.stretch(a, b) == (size, fits)
    table = Pool()
    for one, other in ((vague([a], table), b), (a, vague([b], table)), (vague([a], table), vague([b], table))):
        stretched, holds = num.stretch(one, other)
        assert (listed(stretched, 1), [bool(each) for each in listed(holds, 1)]) == ([size], [fits])
    same = points([2, 3])
    assert num.stretch(same, same) == (same, True)


def test_symbols_stretch_a_plain_one_only():
    a, b = sympy.symbols("a b", positive=True, integer=True)
    assert num.stretch(a, 1) == num.stretch(1, a) == (a, True)
    assert num.stretch(a, a) == (a, True)
    assert num.stretch(a, b) == (a, sympy.Eq(a, b))
    assert num.stretch(a, a + 1) == (a, False)


MADE = [  # value, divisor, least, result: `_make_divisible` of tensorflow/models worked by hand
    (24.0, 8, 8, 24),
    (3.0, 8, 8, 8),
    (20.0, 8, 8, 24),  # halves go up
    (19.9, 8, 8, 24),  # 16 is below 90 %
    (36.0, 16, 16, 48),  # 32 is below 90 % of 36
    (35.5, 16, 16, 32),
    (1.0, 8, 16, 16),
    (11.0, 10, 10, 10),
    (40.0, 32, 1, 64),
    (8.95, 8, 8, 16),  # and 8 of 8
    (40.0, 36, 1, 36),  # 90 % is enough
    (9.0, 16, 1, 16),
    (7.0, 16, 1, 17),  # the minimum for 0, then one step up
]


@pytest.mark.parametrize(("value", "divisor", "least", "result"), MADE)
def test_divisible_in_all_domains(value, divisor, least, result):
    assert num.divisible(value, divisor, least) == ints.divisible(value, divisor, least) == result
    swept = num.divisible(points([value, value + 0.0]), divisor, least)
    assert (listed(swept, 2), is_integral(swept)) == ([result, result], True)
    assert num.divisible(sympy.Rational(str(value)), divisor, least) == result
    n = sympy.Symbol("n", positive=True)
    assert num.divisible(n, divisor, least).subs(n, sympy.Rational(str(value))) == result


def test_the_point_that_is_too_large_is_told_from_the_largest_that_is_not():
    with pytest.raises(Refused, match=f"{limits.SIZE + 1:,} is too large") as caught:
        num.whole(points([limits.SIZE, limits.SIZE + 1]))
    assert caught.value.failing.tolist() == [False, True]
    assert num.whole(points([1, limits.SIZE])).high == limits.SIZE
    assert arrays.single(vague([4])) == arrays.single(vague([4, 4])) == 4
    assert bounds(points([])) == (0, 0)


def test_the_largest_total_is_no_overflow():
    half = vague([limits.TOTAL // 2], reach=limits.TOTAL)
    assert listed(half + half, 1) == [limits.TOTAL]
    with pytest.raises(Refused):
        listed(half + (half + 4096), 1)  # as floats, whose spacing is 1024 there


def test_divisible_has_the_published_defaults():
    assert num.divisible(20) == num.divisible(20, 8) == num.divisible(20, 8, 8) == 24
    assert num.divisible(1, 16) == 16
    n = sympy.Symbol("n", positive=True, integer=True)
    assert num.divisible(8 * n, 8) == 8 * n
    assert num.divisible(8 * n, 8, 16) != 8 * n
    assert num.divisible(n, 8) != n


def test_whole_numbers():
    assert (num.whole(5), num.whole(5.0), type(num.whole(5.0))) == (5, 5, int)
    assert num.whole(points([1.0, 2.0])).array.tolist() == [1, 2]
    n = sympy.Symbol("n", positive=True, integer=True)
    assert num.whole(n) == n
    for value in (limits.SIZE, -limits.SIZE, float(limits.SIZE)):
        assert num.whole(value) == value
        assert num.whole(points([value, 1])).array.tolist() == [value, 1]
    for value, message in [
        (2.5, "2.5 is not a whole number"),
        (math.inf, "inf is not a number of things"),
        (True, "True is not a number of things"),
        (limits.SIZE + 1, f"1.1e+12 is too large: the limit is {limits.SIZE:,}"),
        (-limits.SIZE - 1, f"-1.1e+12 is too large: the limit is {limits.SIZE:,}"),
        (points([1.0, 2.5]), "2.5 is not a whole number"),
        (points([1, limits.SIZE + 1]), f"{limits.SIZE + 1:,} is too large: the limit is {limits.SIZE:,}"),
        (points([1, -limits.SIZE - 1]), f"{-limits.SIZE - 1:,} is too large: the limit is {limits.SIZE:,}"),
        (sympy.Rational(5, 2), "5/2 is not a whole number"),
    ]:
        with pytest.raises(Refused) as caught:
            num.whole(value)
        assert caught.value.message == message
        if type(value) is Points:
            assert caught.value.failing.tolist() == [False, True]
        assert (caught.value.help == "write floor(..) or divisible(..)") == ("whole" in message)


def test_counts_past_64_bits_are_refused_not_wrapped():
    for value, other in [(2**31, 2**31), (2**62, 1), (-(2**31), 2**31)]:
        assert (points([value, 1]) * points([other, 1])).array.tolist() == [value * other, 1]
    for value, other in [(2**31, 2**31 + 1), (2**40, 2**40), (-(2**32), 2**31)]:
        with pytest.raises(Refused) as caught:
            (points([1, value]) * points([1, other])).array  # noqa: B018 (looking at it computes it)
        assert (caught.value.message, caught.value.failing.tolist()) == (
            "a count is past the limit of 2^62",
            [False, True],
        )
    wide = vague([3, 4], reach=2**62)
    assert (wide * 5).array.tolist() == [15, 20]  # bounds are not values
    assert points([1e300, 1.0]).array.tolist() == (points([1e300, 1.0]) * 1.0).array.tolist()
    for value, message in [
        (math.inf, "this has no value: cannot convert float infinity to integer"),
        (math.nan, "this has no value: cannot convert float NaN to integer"),
        (1e19, "a count is past the limit of 2^62"),
    ]:
        with pytest.raises(Refused) as caught:
            num.floor(points([1.5, value])).array  # noqa: B018
        assert (caught.value.message, caught.value.failing.tolist()) == (message, [False, True])
    assert num.floor(points([2.0**62, 0.5])).array.tolist() == [2**62, 0]


def test_structure_is_the_same_at_all_points_or_varies():
    assert num.domain(points([3, 3])).single(points([3, 3])) == 3
    assert arrays.single(vague([3, 3])) == 3
    assert arrays.decide(vague([1, 1])) is True
    assert arrays.decide(vague([0, 0])) is False
    with pytest.raises(arrays.Varies) as caught:
        arrays.single(varied := vague([3, 4]))
    assert (caught.value.points, str(caught.value)) == (varied, "the structure differs between points")
    assert (ints.single(3), ints.decide(0), ints.decide(2)) == (3, False, True)


def test_what_fails_is_shown_at_the_first_point_where_it_does():
    size = vague([[1, 2], [3, 4]])
    for truth, shown, failing in [
        (size <= 2, "3 of 9", [[False, False], [True, True]]),
        (num.equal(size % 2, 1), "2 of 9", [[False, True], [False, True]]),
    ]:
        with pytest.raises(Refused) as caught:
            num.require(truth, "{} of {}", size, 9, option="size")
        assert (caught.value.message, caught.value.option) == (shown, "size")
        assert caught.value.failing.tolist() == failing
    num.require(size <= 4, "{}", size)
    num.require(1, "1 is true")
    row = num.equal(points([1, 2]), 1)
    with pytest.raises(Refused) as caught:
        num.require(row, "{}", vague([[5, 6], [7, 8]]))
    assert caught.value.message == "5"  # a value at more points than what fails: its first
    with pytest.raises(Refused) as caught:
        num.require(False, "{} of {}", points([7, 8]), 9)
    assert caught.value.message == "7 of 9"


def test_symbols_assume_what_they_cannot_know():
    n, m = sympy.symbols("n m", positive=True, integer=True)
    with symbols.assuming({n: 4, m: 3}) as assumed:
        num.require(num.equal(n % 2, 0), "{} is odd", n)
        num.require(num.equal(n % 2, 0), "{} is odd", n)
        assert symbols.decide(n > 3) is True
        assert symbols.decide(n > 5) is False
        assert symbols.decide(sympy.true) is symbols.decide(n > -1) is True
        assert symbols.decide(sympy.false) is False
        assert symbols.single(n + 1) == 5
        assert symbols.single(7) == 7
        num.whole(n / 2)
        num.whole(n)
    assert assumed == [
        *(sympy.Eq(sympy.Mod(n, 2), 0), n > 3, n <= 5, sympy.Eq(n + 1, 5, evaluate=False)),
        sympy.Eq(n / 2, sympy.floor(n / 2), evaluate=False),
    ]
    with pytest.raises(Refused) as caught:
        num.require(num.equal(2 * n, 2 * n + 1), "{} is not {}", n, 3)
    assert caught.value.message == "n is not 3"
    with symbols.assuming({n: 1}) as assumed:
        assert symbols.decide(m > 2) is True  # no sample: taken for granted
    assert assumed == [m > 2]
    with symbols.assuming({}) as assumed:
        assert assumed == []


def test_formulas_inside_formulas_keep_their_own_assumptions():
    n, m = sympy.symbols("n m", positive=True, integer=True)
    with symbols.assuming({n: 4}) as outer:
        assert symbols.decide(n > 3) is True
        with symbols.assuming({n: 1, m: 1}) as inner:
            assert symbols.decide(n > 3) is symbols.decide(m > 1) is False
        assert symbols.decide(n > 2) is True
    assert symbols.decide(n > 5) is True  # no state is kept outside
    assert (outer, inner) == ([n > 3, n > 2], [n <= 3, m <= 1])


def test_the_remainder_of_symbols_has_the_sign_of_the_divisor():
    n = sympy.Symbol("n", integer=True)
    assert [num.remainder(n, -2 * n).subs(n, value) for value in (-1, 3, -4)] == [-1 % 2, 3 % -6, -4 % 8]
    m = sympy.Symbol("m", positive=True, integer=True)
    assert [num.remainder(m, 2), num.remainder(m, 2).subs(m, 5)] == [sympy.Mod(m, 2), 1]


def test_symbols_are_exact():
    n = sympy.Symbol("n", positive=True, integer=True)
    assert (symbols.exact(0.25), symbols.exact(0.1 * n)) == (sympy.Rational(1, 4), n / 10)
    assert num.floor(0.1 * (10 * n)) == n
    assert (num.floor_div(2 * n, 2), num.ceil_div(2 * n, 2)) == (n, n)
    assert num.ceil_div(n, 2).subs(n, 5) == 3 == num.floor_div(n, 2).subs(n, 5) + 1
    assert (num.nearest(n), num.nearest(n / 2).subs(n, 5)) == (n, 2)
    assert (num.nearest(n / 2).is_integer, num.divisible(n, 8).is_integer, num.divisible(n, 8).is_positive) == (
        True,
    ) * 3
    assert (num.maximum(n, n + 1), num.minimum(n, n + 1, n - 1)) == (n + 1, n - 1)
    assert (num.maximum(n, n, 1), num.minimum(1, n)) == (n, 1)
    assert num.maximum(n, 5).subs(n, 7) == 7
    assert num.minimum(n, 5).subs(n, 7) == 5
    assert symbols.equal(n, n) is True
    assert symbols.equal(n, n + 1) is False
    assert symbols.equal(n, 2) == sympy.Eq(n, 2)
    assert symbols.equal(2 * (n + 1), 2 * n + 2) is True


def test_domains_are_found_from_values():
    n, p = sympy.Symbol("n"), points([1, 2])
    assert [num.domain(*values) for values in [(), (1, 2.5, True), (p, 1), (1, p), (n, 1), (1, n), (p, n), (n, p)]] == [
        *(ints, ints, arrays, arrays),
        *(symbols, symbols, symbols, symbols),
    ]
    with pytest.raises(TypeError, match="not a number: str"):
        num.domain("text")
    assert (num.prod([]), num.prod([2, 3, 4]), num.prod([p, 2]).array.tolist()) == (1, 24, [2, 4])


@pytest.mark.parametrize(("pick", "function", "other"), [(min, arrays.minimum, 8), (max, arrays.maximum, -8)])
def test_of_equal_numbers_of_several_kinds_the_first_is_taken(pick, function, other):
    pairs, table = [(False, 0.0), (other, 0)], Pool()
    a, b = (leaf(table, np.array(side, dtype=object)) for side in zip(*pairs, strict=True))
    due, found = [pick(*pair) for pair in pairs], function(a, b).raw.tolist()
    assert [*zip(found, map(type, found), strict=True)] == [*zip(due, map(type, due), strict=True)]
