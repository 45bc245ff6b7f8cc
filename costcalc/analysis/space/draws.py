"""Networks of a space drawn uniformly, all at once: only their costs, as arrays."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from .chains import Decomposed, Layer, Setting, Stretch

if TYPE_CHECKING:
    from numpy.random import Generator

    from ...num.values import Shape

RARE = 1000
MOST = 500_000  # networks that are drawn at once


def drawn_costs(space: Decomposed, count: int, generator: Generator) -> Any:
    """The metrics of `count` networks drawn uniformly from all: a row per metric, a column per network."""
    found = np.zeros((len(space.folds), count), dtype=np.int64)
    totals = [one.sums.total for one in space.settings]
    which = _chosen(totals, count, generator)
    for number, setting in enumerate(space.settings):
        at = np.flatnonzero(which == number)
        if len(at):
            found[:, at] = _of_setting(space, setting, len(at), generator)
    return found


def within_costs(space: Decomposed, most: int, count: int, seed: int) -> Any:
    """The metrics of `count` networks drawn uniformly from those whose first one is at most `most`.

    All networks are drawn from while one in a thousand or more is within; else each is found by its number.
    """
    generator = np.random.default_rng(seed)
    base = space.within(most)
    if base * RARE < space.networks:
        numbers = random.Random(seed)
        rows = [space.drawn(most, numbers.randrange(base)).metrics for _ in range(count)]
        return np.array(rows, dtype=np.int64).T
    parts: list[Any] = []
    left = count
    while left:
        costs = drawn_costs(space, min(left * space.networks // base + 1000, MOST), generator)
        parts.append(costs[:, costs[0] <= most][:, :left])
        left -= parts[-1].shape[1]
    return np.concatenate(parts, axis=1)


def _chosen(weights: list[int], count: int, generator: Generator) -> Any:
    """Numbers from 0, each as often as its weight says."""
    total = sum(weights)
    return generator.choice(len(weights), size=count, p=np.array([weight / total for weight in weights]))


def _of_setting(space: Decomposed, setting: Setting, count: int, generator: Generator) -> Any:
    found = np.stack([np.full(count, 0 if fold is sum else -(2**62), dtype=np.int64) for fold in space.folds])
    for stretch in setting.stretches:
        for each in _of_stretch(space, stretch, setting, count, generator):
            _fold_in(found, each, space.folds)
    return found


def _fold_in(found: Any, each: Any, folds: list[Any]) -> None:
    for row, (more, fold) in enumerate(zip(each, folds, strict=True)):
        found[row] = found[row] + more if fold is sum else np.maximum(found[row], more)


def _of_stretch(space: Decomposed, stretch: Stretch, setting: Setting, count: int, generator: Generator) -> list[Any]:
    """The metrics of each unit of so many networks of a stretch, drawn from its end: the shape there, then the one
    before it, each as often as there are networks through it."""
    shapes = [*stretch.states]
    at = _chosen([stretch.states[shape].total for shape in shapes], count, generator)
    found = []
    for layer in reversed(stretch.layers):
        before = [*layer.states]
        each = np.zeros((len(space.folds), count), dtype=np.int64)
        came = np.zeros(count, dtype=np.int64)
        for number, shape in enumerate(shapes):
            here = np.flatnonzero(at == number)
            if len(here):
                came[here], each[:, here] = _step(space, layer, setting, shape, len(here), generator)
        found.append(each)
        shapes, at = before, came
    return found


def _step(
    space: Decomposed, layer: Layer, setting: Setting, shape: Shape, count: int, generator: Generator
) -> tuple[Any, Any]:
    """(number of the shape before a unit, metrics of the unit) of networks that leave it with one shape."""
    tables = [_leaving(space, layer, setting, before, shape) for before in layer.states]
    ways = [counts.total * table.shape[1] for counts, table in zip(layer.states.values(), tables, strict=True)]
    came = _chosen(ways, count, generator)
    each = np.zeros((len(space.folds), count), dtype=np.int64)
    for number, table in enumerate(tables):
        here = np.flatnonzero(came == number)
        if len(here):
            each[:, here] = table[:, generator.integers(0, table.shape[1], len(here))]
    return came, each


def _leaving(space: Decomposed, layer: Layer, setting: Setting, before: Shape, shape: Shape) -> Any:
    """The metrics of all networks of a unit that lead from one shape to another, a column each."""
    structures = space.designs.structures(layer.unit, before, setting.given)[1]
    kept = [one.each[:, (one.leaves == np.array(shape)).all(axis=1)] for one in structures]
    return np.concatenate([np.zeros((len(space.folds), 0), dtype=np.int64), *kept], axis=1)
