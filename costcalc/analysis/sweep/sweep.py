"""Sweeps: one walk of the network for thousands of points at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from ...allowance import OutOfTime
from ...arguments import mapping, names
from ...errors import OptionError, Problem, Refused, SpecError, brief
from ...metrics.conventions import Prices
from ...metrics.metrics import Metric, is_bound, metric, totals
from ...metrics.walk import Walk
from ...model.network import Model
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import checked, settle, unknown_variable
from ...num.arrays import Varies
from ...num.points import Full, Pool, Spare, leaf, pooled
from ...quantities import read_value
from ...quantities import values as values_in
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ..report.analyze import scaled
from .space import Chunk, Flat, Grid

if TYPE_CHECKING:
    import pandas

    from ...num.values import Number

ROOM = 150_000_000  # bytes of the arrays of a walk
FEWER = 4  # times fewer points at a time where they take more
COMPLETE = "complete "  # the column that says where all costs are known: no variable or metric has that name


class Result(NamedTuple):
    """The points of a chunk that the network can have, with a column per variable and metric, and COMPLETE."""

    columns: Mapping[str, Any]
    kept: Any  # which points of the chunk they are, in order
    skipped: Mapping[str, int]  # reason -> how many points it ruled out


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
    axes     a variable's values: sweep("mobilenet", alpha=[1, 0.75], res="96:320:32"); one value holds for all
    settings the same in a mapping: sweep("mobilenet", {"alpha": "0.25:1:0.25"})
    rho      resolution multipliers, an axis of their own

    Counts are per sample, as exact 64-bit integers; what does not fit is refused. Where a cost is not known, a column
    `complete` says at which points the counts are lower bounds. Raises CostcalcError.
    """
    import pandas

    model = load(spec, input)
    metrics = names(metrics, "metrics")
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **axes, **({} if rho is None else {"rho": rho})}
    space = Grid({name: as_axis(model, name, values) for name, values in given.items()})
    parts = [pandas.DataFrame(dict(result.columns)) for result in results(model, space, metrics, convention)]
    return stated(pandas.concat(parts, ignore_index=True)) if parts else pandas.DataFrame()


def stated(frame: pandas.DataFrame) -> pandas.DataFrame:
    """A frame of results, its counts said to be lower bounds where they are: in a column `complete`, if any is."""
    return frame.drop(columns=COMPLETE) if frame[COMPLETE].all() else frame.rename(columns={COMPLETE: "complete"})


def as_axis(model: Model, name: str, values: Any) -> np.ndarray:
    """A variable's values, in a list or in a text, as an array, each checked. Raises OptionError."""
    if isinstance(values, str):  # as the command line has them: `1,0.75` or `0.25:1:0.25`
        values = values_in(name, values, read_value)
    values = list(values) if np.iterable(values) else [values]
    if name != "rho" and name not in model.variables:
        raise unknown_variable(name, model)
    if name == "rho" and "res" not in model.variables:
        scaled(model, {}, 1.0)  # says why not
    if not values:
        raise OptionError(Problem("empty-range", f"`{name}` has no values"))
    for value in values:
        plain = value.item() if isinstance(value, np.generic) else value
        if name != "rho":
            checked(model.variables[name], plain)
        elif not isinstance(plain, (int, float)) or not 0 < plain < np.inf:
            raise OptionError(
                Problem("bad-value", f"rho cannot be {brief(str(plain))}", help="it is a finite number above 0")
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
    """Metrics of a model at points, chunk by chunk; arrays of one chunk are written over for the next.

    Points at which the network cannot be are an error or, with `skip_invalid`, left out.
    """

    def __init__(self, model: Model, metrics: list[Metric], skip_invalid: bool = False) -> None:
        self.model, self.metrics, self.skip_invalid = model, metrics, skip_invalid
        self.spare: Spare = {}

    def at(self, chunk: Chunk) -> Result:
        """Every metric at every point of a chunk.

        Where points differ in the network's structure, each structure is walked by itself; where their arrays take too
        much room, fewer points at a time.
        """
        with suppress(Full):
            return self._at_once(chunk)
        flat, most, at, parts = chunk.flat(), max(chunk.size // FEWER, 1), 0, []
        while at < chunk.size:
            piece = np.arange(at, min(at + most, chunk.size))
            with suppress(Full):
                part = self._at_once(flat.take(piece))
                parts.append(part._replace(kept=piece[part.kept]))
                at += most
                continue
            most = max(most // FEWER, 1)
        return _merged(parts)

    def _at_once(self, chunk: Chunk) -> Result:
        """The same in one walk for each structure. Raises Full."""
        error = keys = None  # what follows an exception comes after it: its frames hold the arrays of the walk
        try:
            found = self._walk(chunk)
        except Varies as varies:
            keys = np.broadcast_to(varies.points.array, chunk.shape).ravel()
        except Refused as refusal:  # by an array that was computed after the walk
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
        model, spare = self.model, self.spare
        known = {name: column for name, column in chunk.columns.items() if name == "rho" or name in model.variables}
        self.spare = {}
        with pooled(ROOM, spare) as table:
            found = _totals(model, {name: _value(table, column) for name, column in known.items()}, self.metrics)
            self.spare = table.unused([*map(np.asarray, (*known.values(), *found.values()))])
        return found

    def _split(self, chunk: Chunk, keys: np.ndarray) -> Result:
        """Walk each group of points separately and restore the order."""
        flat, parts = chunk.flat(), []
        for key in np.unique(keys):
            at = np.flatnonzero(keys == key)
            part = self.at(flat.take(at))
            parts.append(part._replace(kept=at[part.kept]))
        return _merged(parts)

    def _without(self, chunk: Chunk, error: SpecError) -> Result:
        """The points at which nothing fails; or, unless they may be skipped, the error with the first that fails."""
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
        from ... import num

        settled = settle(model, {**values, "res": num.maximum(num.nearest(settled["res"] * rho), 1)})
    walk = Walk(model, trace(model, settled), settled)
    return {**totals(walk, metrics), COMPLETE: not any(is_bound(row, metrics) for row in walk.rows)}


def _value(table: Pool, column: np.ndarray) -> Any:
    """A column as points; where it holds one value only, that value."""
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
    """The error with its point."""
    setting = ", ".join(f"{name}={column[0]}" for name, column in point.columns.items())
    first, *others = error.problems
    help = (
        f"{first.help}; or leave such points out: --skip-invalid"
        if first.help
        else "--skip-invalid leaves such points out"
    )
    return type(error)(first._replace(message=f"at {setting}: {first.message}", help=help), *others)
