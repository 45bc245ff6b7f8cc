"""The points of a sweep: grids, tables and random samples of variables, in chunks of bounded size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...records import NamedTuple

CHUNK = 1 << 18  # points evaluated together: few enough for memory, enough to forget the walk's own cost


class Chunk(NamedTuple):
    """Consecutive points: columns that broadcast to `shape`, in row-major order."""

    columns: Mapping[str, Any]  # variable -> array, or one value for all
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many points."""
        return math.prod(self.shape)

    def flat(self) -> Chunk:
        """The same points with one full column a variable."""
        full = {name: np.broadcast_to(column, self.shape).ravel() for name, column in self.columns.items()}
        return Chunk(full, (self.size,))

    def take(self, at: np.ndarray) -> Chunk:
        """Some of the points of a flat chunk, by number."""
        return Chunk({name: column[at] for name, column in self.columns.items()}, (len(at),))


class Flat(Mapping):
    """The columns of a chunk, each expanded when it is read."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk

    def __getitem__(self, name: str) -> np.ndarray:
        return np.broadcast_to(self.chunk.columns[name], self.chunk.shape).ravel()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.chunk.columns)

    def __len__(self) -> Any:
        return len(self.chunk.columns)


class Grid(NamedTuple):
    """Every combination of the values of some variables; the last variable runs fastest."""

    axes: Mapping[str, Any]  # variable -> array of values

    @property
    def names(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.axes)

    @property
    def size(self) -> int:
        """How many points."""
        return math.prod(len(axis) for axis in self.axes.values())

    def chunks(self, most: int = CHUNK) -> Iterator[Chunk]:
        """Outer variables stay single values, the inner ones whole axes, one between is sliced."""
        names, lengths = self.names, [len(axis) for axis in self.axes.values()]
        split = len(names)
        while split and math.prod(lengths[split - 1 :]) <= most:
            split -= 1
        inner = names[split:]
        sliced = names[split - 1] if split else None
        step = max(1, most // math.prod(lengths[split:])) if sliced else 1
        for outer in np.ndindex(*lengths[: max(split - 1, 0)]):
            fixed = {name: self.axes[name][at] for name, at in zip(names, outer, strict=False)}
            for start in range(0, lengths[split - 1] if sliced else 1, step):
                axes = {sliced: self.axes[sliced][start : start + step]} if sliced else {}
                axes.update({name: self.axes[name] for name in inner})
                yield Chunk({**fixed, **_spread(axes)}, tuple(len(axis) for axis in axes.values()))


def _spread(axes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each axis along a dimension of its own."""
    count = len(axes)
    return {
        name: axis.reshape((1,) * at + (-1,) + (1,) * (count - at - 1)) for at, (name, axis) in enumerate(axes.items())
    }


class Table(NamedTuple):
    """Points one by one: a column of values a variable."""

    columns: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.columns)

    @property
    def size(self) -> int:
        """How many points."""
        return len(next(iter(self.columns.values()), ()))

    def chunks(self, most: int = CHUNK) -> Iterator[Chunk]:
        """Stretches of rows."""
        for start in range(0, self.size, most):
            columns = {name: column[start : start + most] for name, column in self.columns.items()}
            yield Chunk(columns, (len(next(iter(columns.values()))),))


class Sample(NamedTuple):
    """Random points of a grid, each variable drawn independently, the same for the same seed."""

    axes: Mapping[str, Any]
    size: int
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.axes)

    def chunks(self, most: int = CHUNK) -> Iterator[Chunk]:
        """Draws of bounded size from one generator."""
        random = np.random.default_rng(self.seed)
        for start in range(0, self.size, most):
            count = min(most, self.size - start)
            drawn = {name: axis[random.integers(0, len(axis), count)] for name, axis in self.axes.items()}
            yield Chunk(drawn, (count,))
