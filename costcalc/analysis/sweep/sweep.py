"""Sweeps: one walk of the network for thousands of points at once."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import num
from ...allowance import OutOfTime
from ...arguments import mapping, names
from ...errors import FileError, OptionError, Place, Problem, Refused, Source, SpecError, brief, nearest
from ...metrics.conventions import Prices
from ...metrics.metrics import Metric, is_bound, metric, totals
from ...metrics.walk import Walk
from ...model.network import Model
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import checked, settle, unknown_variable
from ...num.arrays import Varies
from ...num.points import Full, Pool, leaf, pooled
from ...num.tiles import arrays
from ...quantities import read_value
from ...quantities import values as values_in
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...syntax.nodes import compose
from ..report.analyze import scaled
from ..report.gaps import uncounted_in

if TYPE_CHECKING:
    import pandas

    from ...num.values import Number

CHUNK = 1 << 19  # points evaluated together: few enough for memory, many enough that the cost of a walk is small


class Chunk(NamedTuple):
    """Consecutive points: columns that broadcast to `shape`, in row-major order."""

    columns: Mapping[str, Any]  # variable -> array, or one value for all points
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many points."""
        return math.prod(self.shape)

    def flat(self) -> Chunk:
        """The same points with one full column per variable."""
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
        """Chunks with single values of the outer variables, a slice of one axis, and all values of the inner ones."""
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
    """Each axis along its own dimension."""
    count = len(axes)
    return {
        name: axis.reshape((1,) * at + (-1,) + (1,) * (count - at - 1)) for at, (name, axis) in enumerate(axes.items())
    }


class Table(NamedTuple):
    """Listed points: one column of values per variable."""

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
        """Consecutive rows."""
        for start in range(0, self.size, most):
            columns = {name: column[start : start + most] for name, column in self.columns.items()}
            yield Chunk(columns, (len(next(iter(columns.values()))),))


class Sample(NamedTuple):
    """Random points of a grid, reproducible by seed. Each variable is drawn independently."""

    axes: Mapping[str, Any]
    size: int
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The variables."""
        return tuple(self.axes)

    def chunks(self, most: int = CHUNK) -> Iterator[Chunk]:
        """Draws from one generator, at most `most` points each."""
        random = np.random.default_rng(self.seed)
        for start in range(0, self.size, most):
            count = min(most, self.size - start)
            drawn = {name: axis[random.integers(0, len(axis), count)] for name, axis in self.axes.items()}
            yield Chunk(drawn, (count,))


NAME = "name"  # the column of a points file with the names of the points


def points(source: Source, model: Model, read: Callable[..., Any]) -> dict[str, list[Any]]:
    """Columns of a CSV or YAML file of points, one row per point: {variable: [values]}; `name` may name the points.

    Raises SpecError with the line of an invalid row, and FileError for a file without points.
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
    root = compose(source)
    for row in root.value if root.kind == "list" else ():
        if row.kind != "map" or any(value.kind != "scalar" for _, value in row.value):
            raise _at(source, row.line, "bad-points", "a point is a map of variables: {alpha: 0.5, res: 128}")
        yield row.line, {key.value: value.value for key, value in row.value}


def _at(source: Source, line: int, code: str, message: str, help: str | None = None) -> SpecError:
    return SpecError(Problem(code, message, Place(source, line, 1), help))


ROOM = 150_000_000  # bytes for the arrays of a walk
FEWER = 4  # factor by which a chunk shrinks if its arrays need more room
COMPLETE = "complete "  # the column of whether all costs are known; no variable or metric has this name


class Result(NamedTuple):
    """The valid points of a chunk: a column per variable and metric, and COMPLETE."""

    columns: Mapping[str, Any]
    kept: Any  # their positions in the chunk, in order
    skipped: Mapping[str, int]  # reason -> number of invalid points


def sweep(
    spec: Network,
    settings: Mapping[str, Any] | None = None,
    *,
    input: Inputs | None = None,
    metrics: str | Sequence[str] = ("mult_adds", "params"),
    convention: Prices = "paper",
    rho: float | str | Sequence[float] | None = None,
    **axes: Any,
) -> pandas.DataFrame:
    """Costs over every combination of values, as a pandas DataFrame: one row per point.

    spec, input  what `costcalc.load` takes
    metrics  of costcalc.metrics: mult_adds, params, activations, flops, framework.params, ..
    axes     values of a variable: sweep("mobilenet", alpha=[1, 0.75], res="96:320:32"); one value applies to all points
    settings the same in a mapping: sweep("mobilenet", {"alpha": "0.25:1:0.25"})
    rho      resolution multipliers, an axis of their own

    Counts are per sample, as exact 64-bit integers; larger counts are refused. If a cost is unknown, the column
    `complete` is false at points where counts are lower bounds. Work that the convention counts as 0 is listed in
    `frame.attrs["uncounted"]`. Raises CostcalcError.
    """
    import pandas

    model = load(spec, input)
    metrics = names(metrics, "metrics")
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **axes, **({} if rho is None else {"rho": rho})}
    space = Grid({name: as_axis(model, name, values) for name, values in given.items()})
    parts = [pandas.DataFrame(dict(result.columns)) for result in results(model, space, metrics, convention)]
    frame = stated(pandas.concat(parts, ignore_index=True)) if parts else pandas.DataFrame()
    if left_out := uncounted_in(model, [metric(name, convention) for name in metrics], space.axes):
        frame.attrs["uncounted"] = left_out
    return frame


def stated(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The frame with a column `complete` if any of its counts is a lower bound."""
    return frame.drop(columns=COMPLETE) if frame[COMPLETE].all() else frame.rename(columns={COMPLETE: "complete"})


def as_axis(model: Model, name: str, values: Any) -> np.ndarray:
    """The values of a variable, from a list or a text, as a checked array. Raises OptionError."""
    if isinstance(values, str):  # as on the command line: `1,0.75` or `0.25:1:0.25`
        values = values_in(name, values, read_value)
    values = list(values) if np.iterable(values) else [values]
    if name != "rho" and name not in model.variables:
        raise unknown_variable(name, model)
    if name == "rho" and "res" not in model.variables:
        scaled(model, {}, 1.0)  # raises the error that says why
    if not values:
        raise OptionError(Problem("empty-range", f"`{name}` has no values"))
    for value in values:
        plain = value.item() if isinstance(value, np.generic) else value
        if name != "rho":
            checked(model.variables[name], plain)
        elif not isinstance(plain, (int, float)) or not 0 < plain < np.inf:
            raise OptionError(
                Problem("bad-value", f"rho cannot be {brief(str(plain))}", help="expected a finite number above 0")
            )
    return _column(values)


def _column(values: list[Any]) -> np.ndarray:
    """An array of the values. Words, and whole numbers that floats cannot represent, stay Python objects."""
    if isinstance(values[0], str):
        return np.array(values, dtype=object)
    array = np.array(values)
    exact = array.dtype.kind == "b" or all(one == value for one, value in zip(array.tolist(), values, strict=True))
    return array if exact else np.array(values, dtype=object)


def results(
    model: Model, space: Any, metrics: Sequence[str], convention: Any, skip_invalid: bool = False
) -> Iterator[Result]:
    """The result of each chunk of a space, in order."""
    evaluation = Evaluation(model, [metric(name, convention) for name in metrics], skip_invalid)
    for chunk in space.chunks():
        with uncollected():
            yield evaluation.at(chunk)


class Evaluation:
    """Metrics of a model at points, chunk by chunk.

    Points at which the network is invalid are an error or, with `skip_invalid`, left out.
    """

    def __init__(self, model: Model, metrics: list[Metric], skip_invalid: bool = False) -> None:
        self.model, self.metrics, self.skip_invalid = model, metrics, skip_invalid
        self.most: float = math.inf  # points at a time: fewer once their arrays exceeded their room

    def at(self, chunk: Chunk) -> Result:
        """Every metric at every point of a chunk.

        Points that differ in the structure of the network are walked separately, and fewer points at a time if their
        arrays need too much room.
        """
        if chunk.size <= self.most:
            with suppress(Full):
                return self._at_once(chunk)
            self.most = max(chunk.size // FEWER, 1)
        flat, parts, done = chunk.flat(), list[Result](), 0
        while done < chunk.size:
            piece = np.arange(done, min(done + self.most, chunk.size))
            with suppress(Full):
                part = self._at_once(flat.take(piece))
                parts.append(part._replace(kept=piece[part.kept]))
                done += len(piece)
                continue
            self.most = max(self.most // FEWER, 1)
        return _merged(parts)

    def _at_once(self, chunk: Chunk) -> Result:
        """Every metric at every point, one walk per structure. Raises Full."""
        error = keys = None  # handled after the `try`: the frames of an exception hold the arrays of the walk
        try:
            found = self._walk(chunk)
        except Varies as varies:
            keys = np.broadcast_to(varies.points.array, chunk.shape).ravel()
        except Refused as refusal:  # in an array that was computed after the walk
            error = SpecError(Problem("too-large", refusal.message))
            error.failing = refusal.failing
        except OutOfTime:
            raise
        except SpecError as raised:
            error = raised.with_traceback(None)
        if keys is not None:
            return self._split(chunk, keys)
        if error:
            return self._without(chunk, error)
        return Result(Flat(Chunk({**chunk.columns, **found}, chunk.shape)), np.arange(chunk.size), {})

    def _walk(self, chunk: Chunk) -> dict[str, Any]:
        known = {
            name: column for name, column in chunk.columns.items() if name == "rho" or name in self.model.variables
        }
        with pooled(ROOM) as table:
            found = _totals(self.model, {name: _value(table, column) for name, column in known.items()}, self.metrics)
            return dict(zip(found, arrays(list(found.values())), strict=True))

    def _split(self, chunk: Chunk, keys: np.ndarray) -> Result:
        """Walk each group of points separately and restore the order."""
        flat, parts = chunk.flat(), []
        for key in np.unique(keys):
            at = np.flatnonzero(keys == key)
            part = self.at(flat.take(at))
            parts.append(part._replace(kept=at[part.kept]))
        return _merged(parts)

    def _without(self, chunk: Chunk, error: SpecError) -> Result:
        """The valid points. Unless invalid points are skipped, raises the error of the first one."""
        everywhere = np.array(True) if error.failing is None else error.failing
        failing = np.broadcast_to(everywhere, chunk.shape).ravel()
        flat = chunk.flat()
        if not self.skip_invalid:
            raise _named(error, flat.take(np.flatnonzero(failing)[:1]))
        at = np.flatnonzero(~failing)
        reason, count = error.problems[0].message, int(np.count_nonzero(failing))
        if not len(at):
            names = (*chunk.columns, *(one.name for one in self.metrics))
            empty = {name: np.array([], dtype=np.int64) for name in names}
            empty[COMPLETE] = np.array([], dtype=bool)
            return Result(empty, at, {reason: count})
        rest = self.at(flat.take(at))
        return rest._replace(kept=at[rest.kept], skipped={**rest.skipped, reason: rest.skipped.get(reason, 0) + count})


def _totals(model: Model, values: dict[str, Any], metrics: list[Metric]) -> dict[str, Number]:
    rho = values.pop("rho", None)
    settled = settle(model, values)
    if rho is not None:
        settled = settle(model, {**values, "res": num.maximum(num.nearest(settled["res"] * rho), 1)})
    walk = Walk(model, trace(model, settled), settled)
    return {**totals(walk, metrics), COMPLETE: not any(is_bound(row, metrics) for row in walk.rows)}


def _value(table: Pool, column: np.ndarray) -> Any:
    """A column as points, or its value if it has only one."""
    array = np.asarray(column)
    if array.dtype == object and isinstance(array.flat[0], str):
        first = array.flat[0]
        if any(value != first for value in array.flat):
            _, codes = np.unique(array.astype(str), return_inverse=True)
            raise Varies(leaf(table, codes.reshape(array.shape)))
        return first
    if array.size == 1:
        return array.reshape(1).tolist()[0]
    return leaf(table, array)


def _merged(parts: list[Result]) -> Result:
    kept = np.concatenate([part.kept for part in parts])
    order = np.argsort(kept)
    columns = {name: np.concatenate([part.columns[name] for part in parts])[order] for name in parts[0].columns}
    skipped: dict = {}
    for part in parts:
        for reason, count in part.skipped.items():
            skipped[reason] = skipped.get(reason, 0) + count
    return Result(columns, kept[order], skipped)


def _named(error: SpecError, point: Chunk) -> SpecError:
    """The error with the point at which it occurred."""
    setting = ", ".join(f"{name}={column[0]}" for name, column in point.columns.items())
    first, *others = error.problems
    help = (
        f"{first.help}; or leave such points out: --skip-invalid"
        if first.help
        else "--skip-invalid leaves such points out"
    )
    return type(error)(first._replace(message=f"at {setting}: {first.message}", help=help), *others)
