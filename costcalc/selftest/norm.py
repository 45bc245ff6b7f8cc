"""Normalisations, value by value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from .tally import Tally, shape_of, share_out

SMALL = 1e-5  # keeps a variance of 0 from being divided by


def batchnorm(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, scale: bool = True, shift: bool = True
) -> dict[tuple[int, ...], float]:
    """Batch normalisation with stored statistics (torch.nn.BatchNorm2d, in use)."""
    channels = shape_of(x)[-1]
    mean, variance = tally.parameters("running", channels), tally.parameters("running", channels)
    statistics = {index: (mean[index[-1:]], abs(variance[index[-1:]])) for index in x}
    return _normalized(tally, x, statistics, scale, shift)


def layernorm(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, scale: bool = True, shift: bool = True
) -> dict[tuple[int, ...], float]:
    """Layer normalisation over the last axis (torch.nn.LayerNorm(C))."""
    for _ in {index[:-1]: None for index in x}:
        tally.did("normalize_rows")
    return _normalized(tally, x, _statistics(x, lambda index: index[:-1]), scale, shift)


def groupnorm(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, groups: int, scale: bool = True, shift: bool = True
) -> dict[tuple[int, ...], float]:
    """Group normalisation over the grid and the channels of a group (torch.nn.GroupNorm)."""
    members = share_out(shape_of(x)[-1], groups)
    return _normalized(tally, x, _statistics(x, lambda index: index[-1] // members), scale, shift)


def instancenorm(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, scale: bool = False, shift: bool = False
) -> dict[tuple[int, ...], float]:
    """Instance normalisation over the grid of each channel (torch.nn.InstanceNorm2d)."""
    return _normalized(tally, x, _statistics(x, lambda index: index[-1]), scale, shift)


def rmsnorm(tally: Tally, x: Mapping[tuple[int, ...], float], *, scale: bool = True) -> dict[tuple[int, ...], float]:
    """Root-mean-square normalisation over the last axis, without a mean (torch.nn.RMSNorm)."""
    rows = _rows(x, lambda index: index[:-1])
    squares = {index: (0, sum(v * v for v in row) / len(row)) for index, row in rows.items()}
    return _normalized(tally, x, squares, scale, False)


def lrn(tally: Tally, x: Mapping[tuple[int, ...], float], *, size: int = 5) -> dict[tuple[int, ...], float]:
    """Local response normalisation across `size` channels (torch.nn.LocalResponseNorm)."""
    result = {}
    for place, value in x.items():
        *position, channel = place
        first = channel - size // 2
        near = [x.get((*position, other), 0) for other in range(first, first + size)]
        strength = 1 + 1e-4 * sum(other * other for other in near) / size
        result[place] = tally.did("normalize", value / strength**0.75)
    return result


def _normalized(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    statistics: Mapping[tuple[int, ...], tuple[float, ...]],
    scale: bool,
    shift: bool,
) -> dict[tuple[int, ...], float]:
    """(x - mean) / deviation, then scaled and shifted by numbers of the channel if there are any."""
    channels = shape_of(x)[-1]
    gamma = tally.parameters("gamma", channels) if scale else None
    beta = tally.parameters("beta", channels) if shift else None
    result = {}
    for index, value in x.items():
        mean, variance = statistics[index]
        result[index] = tally.did("normalize", (value - mean) / math.sqrt(variance + SMALL))
        if gamma or beta:
            one, zero = gamma[index[-1:]] if gamma else 1, beta[index[-1:]] if beta else 0
            result[index] = tally.did("affine", result[index] * one + zero)
    return result


def _statistics(
    x: Mapping[tuple[int, ...], float], member_of: Callable[..., Any]
) -> dict[tuple[int, ...], tuple[float, ...]]:
    """(mean, variance) for every index, over all values that belong together."""
    return {index: (_mean(row), _variance(row)) for index, row in _rows(x, member_of).items()}


def _rows(x: Mapping[tuple[int, ...], float], member_of: Callable[..., Any]) -> dict[tuple[int, ...], list[float]]:
    """For every index, the values that belong together with its own."""
    rows: dict[Any, Any] = {}
    for index, value in x.items():
        rows.setdefault(member_of(index), []).append(value)
    return {index: rows[member_of(index)] for index in x}


def _mean(row: list[float]) -> float:
    return sum(row) / len(row)


def _variance(row: list[float]) -> float:
    return sum((value - _mean(row)) ** 2 for value in row) / len(row)
