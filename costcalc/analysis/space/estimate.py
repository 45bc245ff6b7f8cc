"""Estimate shares of a space that cannot be counted exactly, from networks drawn at random."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...records import NamedTuple

CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """Number of uniformly drawn networks within limits, and the confidence interval of their share."""

    drawn: int
    within: int
    of: str  # population of the share
    low: float
    high: float

    @property
    def record(self) -> dict[str, Any]:
        """The estimate for JSON."""
        return {
            "drawn": self.drawn,
            "within": self.within,
            "of": self.of,
            "confidence": CONFIDENCE,
            "share": [self.low, self.high],
        }

    @property
    def text(self) -> str:
        """The share as one line of text."""
        head = f"{self.within:,} of {self.drawn:,} drawn: {100 * self.low:.3f} % to {100 * self.high:.3f} %"
        return f"{head} of {self.of}, at {100 * CONFIDENCE:.0f} % confidence (Clopper-Pearson)"


def estimated(within: int, drawn: int, of: str) -> Estimate:
    """Estimate a share with the conservative confidence interval of Clopper and Pearson (1934)."""
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if not within else _where(lambda share: _at_least(within, drawn, share) >= tail)
    high = 1.0 if within == drawn else _where(lambda share: _at_least(within + 1, drawn, share) >= 1 - tail)
    return Estimate(drawn, within, of, low, high)


def between(share: float, drawn: int) -> tuple[int, int]:
    """Indices, from 0, of the sorted drawn values that bound a quantile, at that confidence.

    The number of values at most the quantile is binomial. Bounds outside the draws are the first and last value.
    """
    tail = (1 - CONFIDENCE) / 2
    low = _first(drawn, lambda count: _at_least(count, drawn, share) < 1 - tail)  # fewer are almost certain
    high = _first(drawn, lambda count: _at_least(count, drawn, share) <= tail)
    return max(low - 2, 0), min(high - 1, drawn - 1)


def _first(most: int, holds: Any) -> int:
    """Lowest number up to `most` from which `holds` is true; `most` + 1 if there is none."""
    low, high = 0, most + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return high


def _where(is_past: Any) -> float:
    """Lowest share, to 12 digits, from which `is_past` is true."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if is_past(middle) else (middle, high)
    return high


def _at_least(count: int, drawn: int, share: float) -> float:
    """Probability that at least `count` of `drawn` are present, each with probability `share`."""
    if share in (0.0, 1.0):
        return share if count else 1.0
    at = np.arange(count, drawn + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, drawn + 1)))])
    ways = logs[drawn] - logs[at] - logs[drawn - at]
    return float(np.exp(ways + at * math.log(share) + (drawn - at) * math.log1p(-share)).sum())
