"""Shares of a space that cannot be counted exactly: networks drawn at random, and what they prove."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...records import NamedTuple

CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """How many of some networks, drawn uniformly, are within limits; and the share of all, with its bounds."""

    drawn: int
    within: int
    of: str  # what the share is of
    low: float
    high: float

    @property
    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "drawn": self.drawn,
            "within": self.within,
            "of": self.of,
            "confidence": CONFIDENCE,
            "share": [self.low, self.high],
        }

    @property
    def text(self) -> str:
        """The share in a line."""
        head = f"{self.within:,} of {self.drawn:,} drawn: {100 * self.low:.3f} % to {100 * self.high:.3f} %"
        return f"{head} of {self.of}, at {100 * CONFIDENCE:.0f} % confidence (Clopper-Pearson)"


def estimated(within: int, drawn: int, of: str) -> Estimate:
    """The share with the bounds of Clopper and Pearson (1934), which hold at least as often as they say."""
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if not within else _where(lambda share: _at_least(within, drawn, share) >= tail)
    high = 1.0 if within == drawn else _where(lambda share: _at_least(within + 1, drawn, share) >= 1 - tail)
    return Estimate(drawn, within, of, low, high)


def between(share: float, drawn: int) -> tuple[int, int]:
    """Numbers, from 0, of drawn values in rising order between which the quantile of a share is, at that confidence.

    By the binomial distribution of how many of them are at most the quantile; the ends are the first and last value.
    """
    tail = (1 - CONFIDENCE) / 2
    low = _first(drawn, lambda count: _at_least(count, drawn, share) < 1 - tail)  # so few are as good as sure
    high = _first(drawn, lambda count: _at_least(count, drawn, share) <= tail)
    return max(low - 2, 0), min(high - 1, drawn - 1)


def _first(most: int, holds: Any) -> int:
    """The least number up to `most` for which something holds from there on; one more than `most` if for none."""
    low, high = 0, most + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return high


def _where(is_past: Any) -> float:
    """The least share, to 12 digits, at which something holds from there on."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if is_past(middle) else (middle, high)
    return high


def _at_least(count: int, drawn: int, share: float) -> float:
    """The probability of `count` or more of `drawn` that each are there with probability `share`."""
    if share in (0.0, 1.0):
        return share if count else 1.0
    at = np.arange(count, drawn + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, drawn + 1)))])
    ways = logs[drawn] - logs[at] - logs[drawn - at]
    return float(np.exp(ways + at * math.log(share) + (drawn - at) * math.log1p(-share)).sum())
