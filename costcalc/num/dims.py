"""Arithmetic over unknown sizes.

A reader of graphs passes them through the rules to infer every shape. Undecided conditions are assumed to hold; the
walk over values checks them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import Refused
from .polynomials import Dim, floor_div, function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .values import Number, Shape


def remainder(a: Number, b: Number) -> Any:
    return a % b


def ceil_div(a: Number, b: Number) -> Number:
    return -floor_div(-1 * a, b)


total = added = sum


def largest(values: Iterable[Number]) -> Number:
    return maximum(*values)


def by_point(function: Callable[..., int], values: Sequence[Any]) -> NoReturn:
    raise Refused("this needs sizes that are known")


def floor(value: Number) -> Number:
    if is_whole(value):
        return value
    if len(value.terms) == 1:
        ((monomial, coefficient),) = value.terms.items()
        ((name, *args), power), *others = monomial
        if not others and (name, power) == ("div", 1) and type(coefficient) is int:
            return coefficient * args[0] // args[1]
    return function("floor", value)


def ceil(value: Number) -> Number:
    return -floor(-value)


def nearest(value: Number) -> Number:
    return value if is_whole(value) else function("nearest", value)


def is_whole(value: Number) -> bool:
    atoms = (atom for monomial in value.terms for atom, _ in monomial)
    return all(type(n) is int for n in value.terms.values()) and all(atom[0] != "div" for atom in atoms)


def maximum(*values: Number) -> Number:
    return _widest("maximum", values)


def minimum(*values: Number) -> Number:
    return _widest("minimum", values)


def _widest(name: str, values: Shape) -> Number:
    result, *rest = values
    for value in rest:
        more = value - result
        if isinstance(more, Dim):
            result = function(name, result, value)
        elif (more > 0) == (name == "maximum"):
            result = value
    return result


def select(condition: Number, a: Number, b: Number) -> Number:
    if isinstance(condition, Dim):
        return a if a == b else function("select", condition, a, b)
    return a if condition else b


def equal(a: Number, b: Number) -> bool:
    return not isinstance(a - b, (int, float)) or a == b


def stretch(a: Number, b: Number) -> tuple[Number, bool]:
    if isinstance(a, Dim) and isinstance(b, Dim):
        return maximum(a, b), True
    dim, number = (a, b) if isinstance(a, Dim) else (b, a)
    return (dim if number == 1 else number), True


def both(a: Number, b: Number) -> Number:
    if isinstance(a, Dim) and isinstance(b, Dim):
        return function("both", a, b)
    plain, other = (b, a) if isinstance(a, Dim) else (a, b)
    return other if plain else False


def either(a: Number, b: Number) -> Number:
    return negate(both(negate(a), negate(b)))


def negate(a: Number) -> Number:
    return function("negate", a) if isinstance(a, Dim) else not a


def fails(truth: Number) -> None:
    return None


def whole(value: Number) -> Any:
    return value


def bounded(value: Number, most: float) -> Any:
    return value


def divisor(value: Number) -> Any:
    return value


def divisible(value: Number, divisor: Number, least: int) -> Any:
    return function("divisible", value, divisor, least)


def decide(truth: Number) -> NoReturn:
    raise Refused("the operation depends on an unknown size")


def single(value: Number) -> NoReturn:
    raise Refused("the number of repetitions depends on an unknown size")
