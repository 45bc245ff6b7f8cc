"""Unknown sizes as polynomials of named axes; functions such as quotients count as names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from .. import limits
from ..allowance import spend
from ..errors import Refused, brief

if TYPE_CHECKING:
    from .values import Number


MOST_TERMS = 64  # of one polynomial; a longer one becomes a name
MOST_PRODUCTS = 256  # of terms in one multiplication; beyond it, the longer factor becomes a name
MOST_DEPTH = 64  # functions of functions


class Dim:
    """A polynomial: coefficients by monomial. A monomial is (atom, power) pairs; an atom is a name or a function.

    Equal polynomials are the same object, so comparisons are by identity.
    """

    __slots__ = ("__weakref__", "depth", "terms")
    depth: int
    terms: dict[frozenset, Any]
    _known: ClassVar[WeakValueDictionary] = WeakValueDictionary()

    def __new__(cls, terms: dict) -> Dim:
        key = frozenset(terms.items())
        found = cls._known.get(key)
        if found is None:
            found = super().__new__(cls)
            found.terms, found.depth = terms, _depth(terms)
            cls._known[key] = found
        return found

    def __str__(self) -> str:
        return text(self)

    __repr__ = __str__

    def __add__(self, other: Number) -> Number:
        terms = dict(self.terms)
        for monomial, coefficient in _terms(other).items():
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return _made(terms)

    def __mul__(self, other: Number) -> Number:
        if isinstance(other, Dim) and len(self.terms) * len(other.terms) > MOST_PRODUCTS:
            long, short = (self, other) if len(self.terms) > len(other.terms) else (other, self)
            return function("same", long) * short
        terms: dict = {}
        for one, a in self.terms.items():
            for two, b in _terms(other).items():
                monomial = _times(one, two)
                terms[monomial] = terms.get(monomial, 0) + a * b
        return _made(terms)

    def __neg__(self) -> Number:
        return self * -1

    def __sub__(self, other: Number) -> Number:
        return self + -other

    def __rsub__(self, other: int) -> Number:
        return -self + other

    def __floordiv__(self, other: Number) -> Number:
        return floor_div(self, other)

    def __rfloordiv__(self, other: int) -> Number:
        return floor_div(other, self)

    def __truediv__(self, other: Number) -> Number:
        return function("div", self, other)

    def __rtruediv__(self, other: int) -> Number:
        return function("div", other, self)

    def __mod__(self, other: Number) -> Number:
        return self - floor_div(self, other) * other

    def __rmod__(self, other: int) -> Number:
        return other - floor_div(other, self) * self

    def __ge__(self, other: Number) -> Number:
        difference = self - other
        return function("ge", self, other) if isinstance(difference, Dim) else difference >= 0

    def __le__(self, other: Number) -> Number:
        return other - self >= 0

    def __gt__(self, other: Number) -> Number:
        return self - other - 1 >= 0

    def __lt__(self, other: Number) -> Number:
        return other - self - 1 >= 0

    __radd__ = __add__
    __rmul__ = __mul__


_ONE: frozenset = frozenset()  # the monomial of a plain number


def named(name: str) -> Number:
    """The size of an axis by its name."""
    return _atom(("name", name))


def _atom(atom: tuple[Any, ...]) -> Number:
    return Dim({frozenset([(atom, 1)]): 1})


def function(name: str, *args: Number) -> Number:
    """The result of a function of sizes, as a new size."""
    return _atom((name, *args))


def _terms(value: Number) -> dict[frozenset[tuple[tuple[Any, ...], int]], int]:
    return value.terms if isinstance(value, Dim) else {_ONE: value}


def _depth(terms: dict) -> int:
    """The nesting depth of functions. Raises Refused beyond MOST_DEPTH."""
    functions = [atom for monomial in terms for atom, _ in monomial if atom[0] != "name"]
    depth = max((1 + max(getattr(arg, "depth", 0) for arg in atom[1:]) for atom in functions), default=0)
    if depth > MOST_DEPTH:
        raise Refused("its shape is too intricate", help=f"at most {MOST_DEPTH} nested functions of open sizes")
    return depth


def _made(terms: Mapping[frozenset[tuple[tuple[Any, ...], int]], int]) -> Number:
    """The Dim of terms, or a plain number if they contain no name."""
    spend(1 + len(terms) // 4)
    terms = {monomial: _plain(coefficient) for monomial, coefficient in terms.items() if coefficient}
    if not terms.keys() - {_ONE}:
        return terms.get(_ONE, 0)
    if any(abs(coefficient) > limits.TOTAL * limits.SIZE for coefficient in terms.values()):
        raise Refused("this grows too large to be a size")
    return Dim(terms) if len(terms) <= MOST_TERMS else function("same", Dim(terms))


def _plain(number: int) -> int:
    return int(number) if type(number) is float and number.is_integer() else number


def _times(
    one: frozenset[tuple[tuple[Any, ...], int]], two: frozenset[tuple[tuple[Any, ...], int]]
) -> frozenset[tuple[tuple[Any, ...], int]]:
    if not one or not two:
        return one or two
    powers = dict(one)
    for atom, power in two:
        powers[atom] = powers.get(atom, 0) + power
    if any(power > MOST_TERMS for power in powers.values()):
        raise Refused("this grows too large to be a size")
    return frozenset(powers.items())


def floor_div(a: Number, b: Number) -> Number:
    """The quotient rounded down: a polynomial if the division is exact, else a function."""
    if type(b) is int and b:
        return _by_number(a, b)
    exact = _quotient(a, b) if isinstance(a, Dim) and isinstance(b, Dim) else None
    if exact is not None:
        return exact
    return function("floor_div", a, b)


def _by_number(a: Number, b: Number) -> Number:
    """The multiples of `b` in `a`, and the remainder rounded down."""
    if not all(type(coefficient) is int for coefficient in a.terms.values()):
        return function("floor_div", a, b)
    whole = _made({monomial: n // b for monomial, n in a.terms.items() if n % b == 0 or monomial == _ONE})
    rest = _made({monomial: n % b if monomial == _ONE else n for monomial, n in a.terms.items() if n % b})
    return whole + (function("floor_div", rest, b) if isinstance(rest, Dim) else rest // b)


def _quotient(a: Number, b: Number) -> Number | None:
    """a / b if the remainder is 0, else None; divides by leading monomials."""
    lead, quotient = _lead(b), 0
    for _ in range(MOST_TERMS):
        if not isinstance(a, Dim):
            return quotient if a == 0 else None
        top = _lead(a)
        powers, divisor = dict(top), dict(lead)
        n, rest = divmod(a.terms[top], b.terms[lead])
        if rest or any(powers.get(atom, 0) < power for atom, power in divisor.items()):
            return None
        left = {atom: power - divisor.get(atom, 0) for atom, power in powers.items()}
        step = _made({frozenset((atom, power) for atom, power in left.items() if power): n})
        quotient, a = quotient + step, a - step * b
    return None


def _lead(a: Number) -> frozenset[tuple[tuple[Any, ...], int]]:
    """The leading monomial, by degree and then by name; products keep this order."""
    return min(a.terms, key=_rank)


@lru_cache(4_096)
def _rank(monomial: frozenset[tuple[tuple[Any, ...], int]]) -> tuple[int, list[str]]:
    factors = [(str(atom), power) for atom, power in monomial]
    return -sum(power for _, power in factors), sorted(name for name, power in factors for _ in range(power))


DEPTH = 3  # nesting of functions in a text
SHOWN, LENGTH = 16, 400  # terms and characters of one size in a text


def text(value: Number, depth: int = 0) -> str:
    """A size for a message, shortened below some depth."""
    if not isinstance(value, Dim):
        return str(value)
    return ".." if depth > DEPTH else _text(value, depth)


@lru_cache(1_024)
def _text(value: Dim, depth: int) -> str:
    shown = [_product(*term, depth) for term in islice(value.terms.items(), SHOWN)]
    more = len(value.terms) - SHOWN
    return brief(" + ".join([*shown, f".. ({more:,} more)"] if more > 0 else shown), LENGTH)


def _product(monomial: frozenset[tuple[tuple[Any, ...], int]], coefficient: float, depth: int) -> str:
    number = [str(coefficient)] if coefficient != 1 or not monomial else []
    return "*".join(number + sorted(_atom_text(atom, depth) for atom, power in monomial for _ in range(power)))


def _atom_text(atom: tuple[Any, ...], depth: int) -> str:
    name, *args = atom
    return args[0] if name == "name" else f"{name}({', '.join(text(arg, depth + 1) for arg in args)})"
