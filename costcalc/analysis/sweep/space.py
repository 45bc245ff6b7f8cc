"""The points of a sweep: grids, tables and random samples of variables, in chunks of bounded size."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FileError, OptionError, Place, Problem, Source, SpecError, nearest
from ...records import NamedTuple

if TYPE_CHECKING:
    from ...model.network import Model


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


NAME = "name"  # a column of a points file that names its points


def points(source: Source, model: Model, read: Callable[..., Any]) -> dict[str, list[Any]]:
    """Columns of a CSV or YAML file of points, one row per point: {variable: [values]}; `name` may name the points.

    Raises SpecError with the line of a row that does not fit, FileError for a file without points.
    """
    rows = _yaml_rows(source) if source.path.endswith((".yaml", ".yml")) else _csv_rows(source)
    columns: dict = {}
    for line, row in rows:
        for name in row:
            if name not in model.variables and name != NAME:
                help = nearest(name, model.variables) or f"variables: {', '.join(model.variables)}"
                raise _at(source, line, "unknown-variable", f"{model.name} has no variable `{name}`", help)
        if columns and row.keys() != columns.keys():
            missing = sorted(columns.keys() - row.keys()) or sorted(row.keys() - columns.keys())
            raise _at(source, line, "bad-points", f"this point differs in `{missing[0]}` from those before it")
        for name, text in row.items():
            try:
                value = text if name == NAME and name not in model.variables else read(name, text)
                columns.setdefault(name, []).append(value)
            except OptionError as error:
                raise _at(source, line, "bad-value", error.problems[0].message, error.problems[0].help) from None
    if not columns:
        raise FileError(Problem("no-points", f"{source.path!r} has no points"))
    return columns


def _csv_rows(source: Source) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(source.text))
    try:
        yield from _csv_points(source, reader)
    except csv.Error as error:
        raise _at(source, max(reader.line_num, 1), "bad-points", f"this is no CSV: {error}") from None


def _csv_points(source: Source, reader: Any) -> Iterator[tuple[int, dict[str, str]]]:
    names = [name.strip() for name in next(reader, [])]
    for name in names:
        if names.count(name) > 1:
            raise _at(source, 1, "bad-points", f"two columns are called `{name[:60]}`")
    for row in reader:
        if not row:
            continue
        if len(row) != len(names):
            message = f"expected {len(names)} columns ({', '.join(names)}), found {len(row)}"
            raise _at(source, reader.line_num, "bad-points", message)
        yield reader.line_num, dict(zip(names, (text.strip() for text in row), strict=True))


def _yaml_rows(source: Source) -> Iterator[tuple[int, dict[str, str]]]:
    from ...syntax.nodes import compose

    root = compose(source)
    for row in root.value if root.kind == "list" else ():
        if row.kind != "map" or any(value.kind != "scalar" for _, value in row.value):
            raise _at(source, row.line, "bad-points", "a point is a map of variables: {alpha: 0.5, res: 128}")
        yield row.line, {key.value: value.value for key, value in row.value}


def _at(source: Source, line: int, code: str, message: str, help: str | None = None) -> SpecError:
    return SpecError(Problem(code, message, Place(source, line, 1), help))
