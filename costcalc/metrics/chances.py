"""Costs of a network whose layers do not all run: minimum, expected value and maximum over all paths.

A path takes one branch of each choice. A layer contributes its amount if it is on the path, else 0. Only branches with
a probability above 0 count.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, TypeGuard

from .. import num

if TYPE_CHECKING:
    from fractions import Fraction

    from ..model.rows import Choice, Row

LEAST, EXPECTED, LARGEST = CASES = ("min", "expected", "max")
_LONGEST = 2**53  # floats represent all integers up to this one exactly


def is_exact(value: Any) -> TypeGuard[Fraction]:
    """Whether a value is a Fraction. Compares the class name, because `fractions` is slow to import."""
    return type(value).__name__ == "Fraction"


def shares(rows: Sequence[Row], found: list[Any], case: str) -> list[Any]:
    """The amount of each row in a case, given its amount when it runs. Expected values are exact Fractions."""
    if not any(row.chance for row in rows):
        return found
    if case == EXPECTED:
        return [_expected(row, amount) for row, amount in zip(rows, found, strict=True)]
    path = _Path(rows, found, case)
    path.total([*range(len(rows))], 0)
    return path.amounts


def shown(value: Any) -> Any:
    """Convert a Fraction to an int if it is whole or too large for an exact float, else to a float."""
    if not is_exact(value):
        return value
    if value.denominator == 1:
        return value.numerator
    return float(value) if abs(value) < _LONGEST else round(value)


def added(values: Sequence[Any]) -> Any:
    """The sum of amounts that include Fractions; exact for numbers and symbols."""
    exact = sum(value for value in values if type(value) is int or is_exact(value))
    rest = [value for value in values if not (type(value) is int or is_exact(value))]
    if not rest:
        return exact
    module = num.domain(*rest)
    return module.total([*rest, shown(exact)]) if module.__name__.endswith("arrays") else sum(rest, exact)


def _expected(row: Row, amount: Any) -> Any:
    probs = [branch.prob for branch in row.chance]
    for prob in probs:
        if not is_exact(prob):
            amount = amount * prob
    exact = prod(prob for prob in probs if is_exact(prob))
    return amount * (float(exact) if num.domain(amount).__name__.endswith("arrays") else exact)


class _Path:
    """The cheapest or the most expensive path through a network; `amounts` holds the amount of each row on it."""

    def __init__(self, rows: Sequence[Row], found: Sequence[Any], case: str) -> None:
        self.rows, self.amounts, self.case = rows, list(found), case

    def total(self, numbers: Sequence[int], depth: int) -> Any:
        """The total of rows that share their branches down to a depth. Sets rows off the path to 0."""
        direct: list[Any] = []
        choices: dict[Choice, dict[int, list[int]]] = {}
        for number in numbers:
            chance = self.rows[number].chance
            if len(chance) == depth:
                direct.append(self.amounts[number])
            else:
                choice, branch = chance[depth]
                choices.setdefault(choice, {}).setdefault(branch, []).append(number)
        return num.added([*direct, *(self.chosen(choice, inside, depth) for choice, inside in choices.items())])

    def chosen(self, choice: Choice, inside: dict[int, list[int]], depth: int) -> Any:
        """The total of the branch of a choice that is on the path."""
        totals = [self.total(inside.get(at, ()), depth + 1) for at in range(len(choice.probs))]
        kept, best = self.best(totals, choice, inside)
        for at, numbers in inside.items():
            for number in numbers:
                self.amounts[number] = _times(self.amounts[number], kept[at])
        return best

    def best(self, totals: Sequence[Any], choice: Choice, inside: dict[int, list[int]]) -> tuple[list[Any], Any]:
        """(for each branch, 1 if it is on the path, else 0; the total of that branch)."""
        kept: list[Any] = [0] * len(totals)
        best: Any = 0
        started: Any = False
        for at in self.candidates(choice, inside):
            better = totals[at] > best if self.case == LARGEST else totals[at] < best
            wins = num.both(choice.probs[at] > 0, True if started is False else num.either(num.negate(started), better))
            kept = [num.select(wins, 0, weight) for weight in kept]
            kept[at] = num.select(wins, 1, 0)
            best = num.select(wins, totals[at], best)
            started = num.either(started, choice.probs[at] > 0)
        return kept, best

    def candidates(self, choice: Choice, inside: dict[int, list[int]]) -> list[int]:
        """The branches that may be on the path. No branch costs less than one without layers."""
        sure = [at for at, prob in enumerate(choice.probs) if is_exact(prob) and prob > 0]
        empty = [at for at in sure if at not in inside]
        if self.case == LEAST and empty:
            return empty[:1]
        full = [at for at in range(len(choice.probs)) if at in inside]
        return full if self.case == LARGEST and any(at in inside for at in sure) else [*range(len(choice.probs))]


def _times(amount: Any, kept: Any) -> Any:
    return amount if type(kept) is int and kept == 1 else amount * kept
