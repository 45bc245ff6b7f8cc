"""Arithmetic over sizes that are not known yet.

A reader of graphs lets them flow through the rules to learn every shape. What cannot be decided is taken to hold: the
walk over values checks it again.
"""

from ..errors import Refused
from .polynomials import Dim, floor_div, function


def remainder(a, b):
    return a % b


def ceil_div(a, b):
    return -floor_div(-1 * a, b)


total = sum


def largest(values):
    return maximum(*values)


def floor(value):
    if is_whole(value):
        return value
    if len(value.terms) == 1:
        ((monomial, coefficient),) = value.terms.items()
        ((name, *args), power), *others = monomial
        if not others and (name, power) == ("div", 1) and type(coefficient) is int:
            return coefficient * args[0] // args[1]
    return function("floor", value)


def ceil(value):
    return -floor(-value)


def nearest(value):
    return value if is_whole(value) else function("nearest", value)


def is_whole(value):
    atoms = (atom for monomial in value.terms for atom, _ in monomial)
    return all(type(n) is int for n in value.terms.values()) and all(atom[0] != "div" for atom in atoms)


def maximum(*values):
    return _widest("maximum", values)


def minimum(*values):
    return _widest("minimum", values)


def _widest(name, values):
    result, *rest = values
    for value in rest:
        more = value - result
        if isinstance(more, Dim):
            result = function(name, result, value)
        elif (more > 0) == (name == "maximum"):
            result = value
    return result


def select(condition, a, b):
    if isinstance(condition, Dim):
        return a if a == b else function("select", condition, a, b)
    return a if condition else b


def equal(a, b):
    return not isinstance(a - b, (int, float)) or a == b


def stretch(a, b):
    if isinstance(a, Dim) and isinstance(b, Dim):
        return maximum(a, b), True
    dim, number = (a, b) if isinstance(a, Dim) else (b, a)
    return (dim if number == 1 else number), True


def both(a, b):
    if isinstance(a, Dim) and isinstance(b, Dim):
        return function("both", a, b)
    plain, other = (b, a) if isinstance(a, Dim) else (a, b)
    return other if plain else False


def either(a, b):
    return negate(both(negate(a), negate(b)))


def negate(a):
    return function("negate", a) if isinstance(a, Dim) else not a


def fails(truth):
    return None


def whole(value):
    return value


def bounded(value, most):
    return value


def divisor(value):
    return value


def divisible(value, divisor, least):
    return function("divisible", value, divisor, least)


def decide(truth):
    raise Refused("what is done hangs on a size that is not known")


def single(value):
    raise Refused("how often hangs on a size that is not known")
