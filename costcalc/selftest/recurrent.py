"""Recurrent layers, computed step by step with the equations of torch.nn.RNN, LSTM and GRU."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from .pointwise import sigmoid
from .tally import Impossible, Tally, shape_of


def rnn(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    *,
    hidden: int,
    layers: int = 1,
    bidirectional: bool = False,
    bias: bool = True,
) -> dict[tuple[int, ...], float]:
    """Plain recurrent layer: h' = tanh(W x + b + U h + c)."""
    return _stack(tally, x, 1, _rnn_unit, hidden, layers, bidirectional, None, bias)


def lstm(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    *,
    hidden: int,
    layers: int = 1,
    bidirectional: bool = False,
    projection: int | None = None,
    bias: bool = True,
) -> dict[tuple[int, ...], float]:
    """Long short-term memory: three gates, the candidate value, and the cell."""
    return _stack(tally, x, 4, _lstm_unit, hidden, layers, bidirectional, projection, bias)


def gru(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    *,
    hidden: int,
    layers: int = 1,
    bidirectional: bool = False,
    bias: bool = True,
) -> dict[tuple[int, ...], float]:
    """Gated recurrent unit: two gates and the candidate value."""
    return _stack(tally, x, 3, _gru_unit, hidden, layers, bidirectional, None, bias)


def _rnn_unit(squash: Callable[..., Any], feed: list[float], back: list[float], cell: float) -> tuple[float, float]:
    out = squash(math.tanh, feed[0] + back[0])
    return out, out


def _lstm_unit(squash: Callable[..., Any], feed: list[float], back: list[float], cell: float) -> tuple[float, float]:
    enter, forget, leave = (squash(sigmoid, feed[gate] + back[gate]) for gate in (0, 1, 3))
    fresh = squash(math.tanh, feed[2] + back[2])
    cell = forget * cell + enter * fresh
    return leave * squash(math.tanh, cell), cell


def _gru_unit(squash: Callable[..., Any], feed: list[float], back: list[float], cell: float) -> tuple[float, float]:
    reset, update = (squash(sigmoid, feed[gate] + back[gate]) for gate in (0, 1))
    fresh = squash(math.tanh, feed[2] + reset * back[2])
    out = (1 - update) * fresh + update * cell
    return out, out


def _stack(
    tally: Tally,
    x: Mapping[tuple[int, ...], float],
    gates: int,
    unit: Callable[..., Any],
    hidden: int,
    layers: int,
    bidirectional: bool,
    projection: int | None,
    bias: bool,
) -> dict[tuple[int, ...], float]:
    """Stacked layers; each reads all directions of the layer below."""
    if len(shape_of(x)) != 2:
        raise Impossible("not a sequence")
    if projection is not None and projection >= hidden:
        raise Impossible("a projection makes the state smaller")
    length, features = shape_of(x)
    rows = [[x[time, n] for n in range(features)] for time in range(length)]
    for _ in range(layers):
        outputs = [_pass(tally, rows, gates, unit, hidden, projection, bias)]
        if bidirectional:
            outputs.append(_pass(tally, rows[::-1], gates, unit, hidden, projection, bias)[::-1])
        rows = [[value for output in outputs for value in output[time]] for time in range(length)]
    return {(time, n): value for time, row in enumerate(rows) for n, value in enumerate(row)}


def _pass(
    tally: Tally,
    rows: list[list[float]],
    gates: int,
    unit: Callable[..., Any],
    hidden: int,
    projection: int | None,
    bias: bool,
) -> list[list[float]]:
    """One layer in one direction: the outputs of every step."""
    width = hidden if projection is None else projection
    feed = _matrix(tally, gates * hidden, len(rows[0]), bias)
    back = _matrix(tally, gates * hidden, width, bias)
    narrow = None if projection is None else _matrix(tally, projection, hidden, False)
    state, cells, outputs = [tally.outside("state") for _ in range(width)], [tally.outside("state")] * hidden, []

    def squash(function: Callable[..., Any], value: float) -> float:
        return tally.did("activate", tally.apply(function, value))

    for row in rows:
        fed, turned = feed(row), back(state)
        state = []
        for n in range(hidden):
            out, cells[n] = unit(squash, fed[n::hidden], turned[n::hidden], cells[n])
            state.append(tally.did("states", out))
        state = state if narrow is None else narrow(state)
        outputs.append(state)
    return outputs


def _matrix(tally: Tally, rows: int, columns: int, bias: bool) -> Callable[..., Any]:
    """A function that multiplies a vector by a weight matrix with `rows` rows and adds a bias."""
    weight = tally.parameters("weight", rows, columns)
    offset = tally.parameters("bias", rows) if bias else None

    def times(vector: list[float]) -> list[float]:
        totals = []
        for row in range(rows):
            total: float = 0
            for column in range(columns):
                total = tally.mac(total, weight[row, column], vector[column])
            totals.append(total if offset is None else tally.did("bias", total + offset[row,]))
        return totals

    return times
