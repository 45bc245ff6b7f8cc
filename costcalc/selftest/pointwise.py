"""Elementwise operations in loops: activations, joins of tensors, and normalisations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .tally import Impossible, Shape, Tally, at, box, shape_of, share_out


def sigmoid(v: float) -> float:
    """1 / (1 + exp(-v)), for any v."""
    return 0.5 * (1 + math.tanh(v / 2))


def _softplus(v: float) -> float:
    return math.log1p(math.exp(v))


def _hard_sigmoid(v: float) -> float:
    return min(max(v + 3, 0), 6) / 6


ALONE = {  # functions of one value
    "relu": lambda v: max(v, 0),
    "relu6": lambda v: min(max(v, 0), 6),
    "leaky_relu": lambda v: v if v > 0 else 0.01 * v,
    "elu": lambda v: v if v > 0 else math.expm1(v),
    "selu": lambda v: 1.0507 * (v if v > 0 else 1.6733 * math.expm1(v)),
    "celu": lambda v: v if v > 0 else math.expm1(v),
    "gelu": lambda v: 0.5 * v * (1 + math.erf(v / math.sqrt(2))),
    "silu": lambda v: v * sigmoid(v),
    "swish": lambda v: v * sigmoid(v),
    "mish": lambda v: v * math.tanh(_softplus(v)),
    "sigmoid": sigmoid,
    "hsigmoid": _hard_sigmoid,
    "hswish": lambda v: v * _hard_sigmoid(v),
    "tanh": math.tanh,
    "hardtanh": lambda v: min(max(v, -1), 1),
    "softplus": _softplus,
    "softsign": lambda v: v / (1 + abs(v)),
    "exp": math.exp,
    "log": lambda v: math.log(abs(v)),
    "sqrt": lambda v: math.sqrt(abs(v)),
    "square": lambda v: v * v,
    "abs": abs,
    "neg": lambda v: -v,
    "clamp": lambda v: min(max(v, -1), 1),
}


def _activation(function: Any, tally: Tally, x: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    return {index: tally.did("activate", function(value)) for index, value in x.items()}


def softmax(tally: Tally, x: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    """exp(v) divided by the sum of its row (torch.nn.Softmax over the last axis)."""
    sums = _row_sums(tally, x)
    return {index: tally.did("activate", math.exp(value) / sums[index[:-1]]) for index, value in x.items()}


def log_softmax(tally: Tally, x: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    """The logarithm of softmax (torch.nn.LogSoftmax over the last axis)."""
    sums = _row_sums(tally, x)
    return {index: tally.did("activate", value - math.log(sums[index[:-1]])) for index, value in x.items()}


def _row_sums(tally: Tally, x: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    rows: dict[Any, Any] = {}
    for index, value in x.items():
        rows.setdefault(index[:-1], []).append(math.exp(value))
    return {place: tally.did("softmax_rows", sum(row)) for place, row in rows.items()}


def prelu(tally: Tally, x: Mapping[tuple[int, ...], float], *, shared: bool = False) -> dict[tuple[int, ...], float]:
    """Parametric ReLU (torch.nn.PReLU): a learned slope per channel, or one for all channels."""
    slopes = tally.parameters("slope", 1 if shared else shape_of(x)[-1])
    result = {}
    for index, value in x.items():
        slope = slopes[0,] if shared else slopes[index[-1:]]
        result[index] = tally.did("activate", value if value > 0 else slope * value)
    return result


def glu(tally: Tally, x: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    """Gated linear unit (torch.nn.GLU): the first half of the channels times the sigmoid of the second."""
    *positions, channels = shape_of(x)
    half = share_out(channels, 2)
    result = {}
    for place in box((*positions, half)):
        *position, channel = place
        gate = tally.did("activate", sigmoid(at(x, *position, half + channel)))
        result[place] = tally.did("multiply", x[place] * gate)
    return result


def identity(tally: Tally, x: Mapping[tuple[int, ...], float]) -> dict[tuple[int, ...], float]:
    """The same values; also dropout at inference."""
    return dict(x)


def _join(
    quantity: str, function: Callable[..., Any], most: float, tally: Tally, *inputs: Mapping[tuple[int, ...], float]
) -> dict[tuple[int, ...], float]:
    """Join tensors element by element with broadcasting."""
    if not 2 <= len(inputs) <= most:
        raise Impossible(f"{quantity} does not join {len(inputs)} tensors")
    shapes = [shape_of(one) for one in inputs]
    result = {}
    for index in box(_stretched(shapes)):
        first, *rest = (one[_own(index, shape)] for one, shape in zip(inputs, shapes, strict=True))
        for value in rest:
            first = tally.did(quantity, function(first, value))
        result[index] = first
    return result


def _own(index: tuple[int, ...], shape: Shape) -> tuple[int, ...]:
    """Map an index of the result to a tensor that may lack leading axes or have axes of size 1."""
    near = index[len(index) - len(shape) :]
    return tuple(0 if size == 1 else at for at, size in zip(near, shape, strict=True))


def _stretched(shapes: list[Shape]) -> list[int]:
    rank = max(len(shape) for shape in shapes)
    columns = zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True)
    sizes = [set(column) - {1} for column in columns]
    if any(len(found) > 1 for found in sizes):
        raise Impossible("sizes differ and none of them is 1")
    return [found.pop() if found else 1 for found in sizes]


PERFORMERS = {
    **{name: partial(_activation, function) for name, function in ALONE.items()},
    "softmax": softmax,
    "log_softmax": log_softmax,
    "prelu": prelu,
    "glu": glu,
    **dict.fromkeys(("dropout", "identity"), identity),
    "add": partial(_join, "add", lambda a, b: a + b, math.inf),
    "sub": partial(_join, "add", lambda a, b: a - b, 2),  # `sub` and `div` take exactly two tensors
    "mul": partial(_join, "multiply", lambda a, b: a * b, math.inf),
    "div": partial(_join, "divide", lambda a, b: a / b, 2),
}


SMALL = 1e-5  # avoids division by a variance of 0


def batchnorm(
    tally: Tally, x: Mapping[tuple[int, ...], float], *, scale: bool = True, shift: bool = True
) -> dict[tuple[int, ...], float]:
    """Batch normalisation with stored statistics (torch.nn.BatchNorm2d at inference)."""
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
    """(x - mean) / deviation, then scaled and shifted by the channel's gamma and beta, if any."""
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
    """(mean, variance) for every index, over its group of values."""
    return {index: (_mean(row), _variance(row)) for index, row in _rows(x, member_of).items()}


def _rows(x: Mapping[tuple[int, ...], float], member_of: Callable[..., Any]) -> dict[tuple[int, ...], list[float]]:
    """For every index, all values of its group."""
    rows: dict[Any, Any] = {}
    for index, value in x.items():
        rows.setdefault(member_of(index), []).append(value)
    return {index: rows[member_of(index)] for index in x}


def _mean(row: list[float]) -> float:
    return sum(row) / len(row)


def _variance(row: list[float]) -> float:
    return sum((value - _mean(row)) ** 2 for value in row) / len(row)
