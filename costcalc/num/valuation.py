"""Evaluate symbolic sizes when their names have values."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import num
from ..errors import Refused
from .polynomials import Dim

if TYPE_CHECKING:
    from .values import Number


LARGEST = 1e60  # larger numbers would fill the memory


def valued(dim: Number, env: Mapping[str, int]) -> int:
    """The value of a size, given values of its names: numbers, arrays or symbols."""
    return _valued(dim, env, {})


def _valued(value: Number, env: Mapping[str, int], known: Any) -> int:
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


def _atom_valued(atom: tuple[Any, ...], env: Mapping[str, int], known: Mapping[Any, Any]) -> int:
    name, *args = atom
    if name == "name":
        return env[args[0]]
    values = [_valued(arg, env, known) for arg in args]
    function: Any = _OPERATORS[name] if name in _OPERATORS else getattr(num, name)
    return function(*values)


_OPERATORS = {"div": operator.truediv, "ge": operator.ge, "same": lambda value: value}


def names(value: Number) -> frozenset[str]:
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
