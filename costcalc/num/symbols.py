"""Arithmetic over SymPy symbols.

Undecided conditions are assumed and recorded in the list that `assuming` yields. Where the structure of the network
depends on a condition, its truth at the sample (the defaults of the variables) is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom, BooleanFunction

from .. import limits
from ..errors import OptionError, Problem, Refused
from . import ints

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .values import Number, Shape


class _Making:
    """A formula under construction: its assumptions, and the values of conditions and numbers at its sample."""

    def __init__(self, sample: Mapping[Number, Number]) -> None:
        self.sample = dict(sample)
        self.assumed: list[Any] = []
        self.met: set[Any] = set()
        self.known: dict[Any, Any] = {}  # layers ask for the same values, and SymPy is slow

    def assume(self, truth: Number) -> None:
        """Record an assumption once."""
        if truth not in self.met:
            self.met.add(truth)
            self.assumed.append(truth)

    def at_sample(self, value: Number) -> Any:
        """The value of a condition or a number at the sample."""
        if value not in self.known:
            self.known[value] = value.subs(self.sample)
        return self.known[value]


_MAKING: ContextVar[_Making | None] = ContextVar("making", default=None)

LARGEST_OPS = 400  # operations in the terms of a maximum; comparing longer ones takes SymPy minutes
MOST_OPS, MOST_TERMS = 20_000, 400  # terms of a maximum that are not compared


@contextmanager
def assuming(sample: Mapping[Number, Number]) -> Iterator[list[Any]]:
    """Make formulas with sample values of the symbols. Yields the list of assumptions."""
    making = _Making(sample)
    before = _MAKING.set(making)
    try:
        yield making.assumed
    finally:
        _MAKING.reset(before)


class divisible_to(sympy.Function):
    """The published rounding of channels, unevaluated until its argument is a number."""

    nargs = 3
    is_integer = True
    is_positive = True

    @classmethod
    def eval(cls, value: Number, divisor: Number, least: Number) -> Number | None:
        if value.is_number and divisor.is_number and least.is_number:
            number = float(value) if not value.is_integer else int(value)
            return sympy.Integer(ints.divisible(number, int(divisor), int(least)))
        if (value / divisor).is_integer and (value - least).is_nonnegative:
            return value
        return None


class nearest(sympy.Function):
    """Nearest whole number, halves to even."""

    nargs = 1
    is_integer = True

    @classmethod
    def eval(cls, value: Number) -> Number | None:
        if value.is_integer:
            return value
        return sympy.Integer(round(value)) if value.is_number else None


def exact(value: Number) -> Number:
    """A number or an expression without binary floats: 0.25 is 1/4."""
    if isinstance(value, float):
        return sympy.Rational(str(value))
    value = sympy.sympify(value)
    floats = value.atoms(sympy.Float)
    return value.xreplace({one: sympy.Rational(str(one)) for one in floats}) if floats else value


def floor(value: Number) -> Number:
    return sympy.floor(exact(value))


def ceil(value: Number) -> Number:
    return sympy.ceiling(exact(value))


def floor_div(a: Number, b: Number) -> Number:
    return sympy.floor(exact(a) / exact(b))


def remainder(a: Number, b: Number) -> Number:
    """The remainder. SymPy's `%` is wrong for negative values: n % (-2 n) gives n."""
    a, b = exact(a), exact(b)
    return a % b if a.is_nonnegative and b.is_positive else a - b * floor_div(a, b)


def ceil_div(a: Number, b: Number) -> Number:
    return sympy.ceiling(exact(a) / exact(b))


def total(values: Iterable[Number]) -> Number:
    return exact(sympy.Add(*map(exact, values)))


added = total


def largest(values: Iterable[Number]) -> Number:
    terms = list(dict.fromkeys(map(exact, values)))
    if len(terms) < 2:
        return maximum(*terms)
    ops = sum(term.count_ops() for term in terms)
    if len(terms) > MOST_TERMS or ops > MOST_OPS:
        raise too_long(len(terms))
    kept = undominated(terms)
    return kept[0] if len(kept) == 1 else sympy.Max(*kept, evaluate=False)


def too_long(terms: int) -> OptionError:
    """The error for a maximum that is too long to read."""
    return _no_formula(f"a maximum of {terms:,} terms is too long for a formula")


def undominated(terms: Sequence[Number]) -> list[Number]:
    """The terms that can be the largest. A polynomial cannot if another has no smaller coefficient.

    The symbols are not negative, so no monomial of it is larger. For positive integers, the excess over 1 is compared.
    Terms that are not polynomials are kept.
    """
    known = [(term, _coefficients(term)) for term in terms]
    kept: list[Any] = []
    for term, mine in known:
        if mine is None or not any(theirs is not None and _covers(theirs, mine) for _, theirs in kept):
            kept = [pair for pair in kept if mine is None or pair[1] is None or not _covers(mine, pair[1])]
            kept.append((term, mine))
    return [term for term, _ in kept]


def _coefficients(term: Number) -> Mapping[Any, Any] | None:
    """{powers of symbols: coefficient} of a polynomial in nonnegative symbols, or None."""
    symbols = sorted(term.free_symbols, key=str)
    if not all(symbol.is_nonnegative for symbol in symbols) or not term.is_polynomial(*symbols):
        return None
    least = {symbol: symbol + 1 for symbol in symbols if symbol.is_integer and symbol.is_positive}
    parts = sympy.expand(term.xreplace(least)).as_coefficients_dict()
    return {part.as_coeff_Mul()[1]: number * part.as_coeff_Mul()[0] for part, number in parts.items()}


def _covers(large: Mapping[Any, Any], small: Mapping[Any, Any]) -> bool:
    return all(large.get(part, 0) >= small.get(part, 0) for part in {*large, *small})


def by_point(function: Callable[..., int], values: Sequence[Any]) -> NoReturn:
    raise _no_formula("this depends on sizes in a way that no formula says")


def _no_formula(message: str) -> OptionError:
    return OptionError(Problem("no-formula", message, help="`costcalc sweep` gives it at points"))


def maximum(*values: Number) -> Number:
    return _extreme(sympy.Max, values, lambda a, b: (a - b).is_nonnegative)


def minimum(*values: Number) -> Number:
    return _extreme(sympy.Min, values, lambda a, b: (b - a).is_nonnegative)


def _extreme(function: type, values: Shape, wins: Callable[..., Any]) -> Number:
    """Max or Min, decided by the sign of the difference where it is known; SymPy's own search is slow."""
    result = exact(values[0])
    for value in map(exact, values[1:]):
        if wins(result, value):
            continue
        result = value if wins(value, result) else function(result, value, evaluate=False)
    return result


def select(condition: Number, a: Number, b: Number) -> Number:
    truth = _truth(condition)
    if truth in (True, False):  # SymPy's own are equal to these
        return ints.select(truth, a, b)
    for one, other, holds in ((a, b, sympy.Not(truth)), (b, a, truth)):
        if isinstance(one, Exception):  # only the other is left
            _assume(holds)
            return ints.select(True, other, one)
    return sympy.Piecewise((exact(a), truth), (exact(b), True))


def _truth(value: Number) -> Number:
    """The truth value; a number is true if it is not 0."""
    if isinstance(value, (bool, Relational, BooleanAtom, BooleanFunction)):  # a Symbol is a Boolean to SymPy
        return value
    return sympy.Ne(exact(value), 0)


@lru_cache(10_000)
def _equal(a: Number, b: Number) -> Number:
    difference = sympy.expand(a - b)
    if difference == 0:
        return True
    if difference.is_zero is False:
        return False
    return sympy.Eq(a, b, evaluate=False)


def equal(a: Number, b: Number) -> Number:
    return _equal(exact(a), exact(b))


def stretch(a: Number, b: Number) -> tuple[Number, Number]:
    """Broadcast two sizes. Sizes that may be equal are assumed equal; only a plain 1 is stretched."""
    if a == 1 or b == 1:
        return (b if a == 1 else a), True
    return a, equal(a, b)


def both(a: Number, b: Number) -> Number:
    if isinstance(b, Exception):
        return select(a, b, sympy.false)
    return sympy.And(_truth(a), _truth(b))


def either(a: Number, b: Number) -> Number:
    if isinstance(b, Exception):
        return select(a, sympy.true, b)
    return sympy.Or(_truth(a), _truth(b))


def negate(a: Number) -> Number:
    return sympy.Not(_truth(a))


def fails(truth: Number) -> Callable[..., Any] | None:
    """None unless the condition is false; an undecided condition is assumed."""
    if truth in (True, False):  # SymPy's own are equal to these
        return None if truth else lambda value: value
    _assume(truth)
    return None


def whole(value: Number) -> Number:
    value = exact(value)
    if value.is_integer is False:
        raise Refused(f"{value} is not a whole number", help="write floor(..) or divisible(..)")
    if value.is_integer is None:
        _assume(sympy.Eq(value, sympy.floor(value), evaluate=False))
    return value


def bounded(value: Number, most: float) -> Number:
    return value


def power(base: Number, exponent: Number, most: float) -> Number:
    base, exponent = exact(base), exact(exponent)
    if exponent.is_number:
        return base ** ints.exponent(int(exponent) if exponent.is_integer else float(exponent))
    if fails(sympy.And(exponent >= 0, exponent <= limits.EXPONENT)):
        raise Refused(f"an exponent is a whole number from 0 to {limits.EXPONENT}")
    return base ** whole(exponent)


def divisor(value: Number) -> Any:
    number = exact(value)
    if number == 0:
        raise ZeroDivisionError("division by zero")
    if not number.is_nonzero:
        _assume(sympy.Ne(number, 0))
    return value


def divisible(value: Number, divisor: Number, least: int) -> Any:
    return divisible_to(exact(value), exact(divisor), exact(least))


def decide(truth: Number) -> bool:
    """The condition as a bool; if the symbols do not decide it, its value at the sample."""
    truth = _truth(truth)
    if truth in (True, False):  # SymPy's own are equal to these
        return bool(truth)
    value = _at_sample(truth)
    value = bool(value) if value in (sympy.true, sympy.false) else True
    _assume(truth if value else sympy.Not(truth))
    return value


def single(value: Number) -> int:
    """The number as an int: its value at the sample."""
    number = int(_at_sample(sympy.sympify(value)))
    if not sympy.sympify(value).is_number:
        _assume(sympy.Eq(value, number, evaluate=False))
    return number


def _assume(truth: Number) -> None:
    making = _MAKING.get()
    if making is not None:
        making.assume(truth)


def _at_sample(value: Number) -> Any:
    making = _MAKING.get()
    return value if making is None else making.at_sample(value)
