"""Branches that do not always run: early exits, and choices between alternatives."""

from __future__ import annotations

from typing import Any

from ..records import NamedTuple

FINEST = 1_000_000  # the largest denominator of a probability that is written with a decimal point


class Choice(NamedTuple):
    """Alternatives of which one runs, by their number in the walk; probabilities may be Fractions, arrays or symbols.

    A layer with a probability is the first of two alternatives; the second is that nothing runs: `alone` says so.
    """

    number: int
    probs: tuple
    alone: bool


class Branch(NamedTuple):
    """One of the alternatives of a choice."""

    choice: Choice
    number: int

    @property
    def prob(self) -> Any:
        """How probable it is, where the branches around it run."""
        return self.choice.probs[self.number] if self.number < len(self.choice.probs) else 0


def exact(prob: Any) -> Any:
    """A probability as the fraction that is meant: 0.1 is 1/10, and 1 - 0.9 too. Arrays and symbols are unchanged."""
    from fractions import Fraction  # slow to load

    return Fraction(prob).limit_denominator(FINEST) if type(prob) in (int, float) else prob
