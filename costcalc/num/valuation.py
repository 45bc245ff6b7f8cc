"""What sizes that were not known are once their names have values."""

import operator
from functools import lru_cache
from itertools import islice

from .. import num
from ..errors import Refused, brief
from .polynomials import Dim

DEPTH = 3  # functions in functions that a text shows
LARGEST = 1e60  # past it numbers would fill the memory
SHOWN, LENGTH = 16, 400  # terms and characters of one size that a text shows


def valued(dim, env):
    """The size once the names have values: numbers, arrays or symbols."""
    return _valued(dim, env, {})


def _valued(value, env, known):
    if not isinstance(value, Dim):
        return value
    if value not in known:
        total = 0
        for monomial, coefficient in value.terms.items():
            for atom, power in monomial:
                factor = _atom_valued(atom, env, known)
                for _ in range(power):
                    coefficient = coefficient * factor
            total = total + coefficient
        if type(total) in (int, float) and not -LARGEST < total < LARGEST:
            raise Refused("this grows too large to be a size")
        known[value] = total
    return known[value]


def _atom_valued(atom, env, known):
    name, *args = atom
    if name == "name":
        return env[args[0]]
    values = [_valued(arg, env, known) for arg in args]
    return _OPERATORS[name](*values) if name in _OPERATORS else getattr(num, name)(*values)


_OPERATORS = {"div": operator.truediv, "ge": operator.ge, "same": lambda value: value}


def names(value):
    """The names in a size."""
    found: set = set()
    seen, left = set(), [value]
    while left:
        one = left.pop()
        if isinstance(one, Dim) and one not in seen:
            seen.add(one)
            atoms = [atom for monomial in one.terms for atom, _ in monomial]
            found |= {atom[1] for atom in atoms if atom[0] == "name"}
            left += [arg for atom in atoms for arg in atom[1:]]
    return frozenset(found)


def text(value, depth=0):
    """A size for a message, not in all its depth."""
    if not isinstance(value, Dim):
        return str(value)
    return ".." if depth > DEPTH else _text(value, depth)


@lru_cache(1_024)
def _text(value: Dim, depth: int) -> str:
    shown = [_product(*term, depth) for term in islice(value.terms.items(), SHOWN)]
    more = len(value.terms) - SHOWN
    return brief(" + ".join([*shown, f".. ({more:,} more)"] if more > 0 else shown), LENGTH)


def _product(monomial, coefficient, depth):
    number = [str(coefficient)] if coefficient != 1 or not monomial else []
    return "*".join(number + sorted(_atom_text(atom, depth) for atom, power in monomial for _ in range(power)))


def _atom_text(atom, depth):
    name, *args = atom
    return args[0] if name == "name" else f"{name}({', '.join(text(arg, depth + 1) for arg in args)})"
