"""Points of a sweep as a table, or as a stream of CSV, JSON lines or Parquet."""

from __future__ import annotations

import json
import numbers
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from ...allowance import OutOfTime
from ...errors import CostcalcError, OptionError, Problem
from ...metrics.metrics import is_metric, metric, storage_note, unit_of
from ...model.variables import typical
from ...quantities import ACCURACIES, COUNT
from ...quantities import value as figure
from ...records import NamedTuple
from ...render import Screen, render_page
from ...render.html_file import embedded
from ...render.sheet import Column, Sheet
from ...render.text import printable
from ..report.columns import constants, stamped
from ..report.gaps import uncounted_in
from ..report.notes import unpriced

if TYPE_CHECKING:
    import pandas as pd

    from ...metrics.pricing import Convention
    from ...model.network import Model


BOUNDS = "lower bounds (>=) where `complete` is false: the cost of a layer is unknown"
STREAMS = ("csv", "json", "parquet")
MOST_ROWS = 100_000  # of a table to read


class About(NamedTuple):
    """Description of points: notes below the table, head of the JSON, and the number of columns that name a point.

    `published` maps the values of all variables to accuracies, for a chart.
    """

    note: str
    head: Mapping[str, Any]
    keys: int
    published: Sequence[Mapping[str, Any]] = ()


def about(
    model: Model, varied: Mapping[str, Any], convention: Convention, keys: int, metrics: Sequence[str] = ()
) -> About:
    """The About of points with metrics, given the values of the variables that vary."""
    from ..report.document import heading

    names = tuple(varied)
    inputs, values = constants(model, names)
    head = {**heading(model, convention, inputs, values), "varied": list(names)}
    said = storage_note(model, metrics)
    head |= {"storage": model.storage.text} if said else {}
    left_out = uncounted_in(model, [metric(name, convention) for name in metrics], varied)
    head |= {"uncounted": left_out} if left_out else {}
    published = tuple(_published(model, names, values))
    note = "; ".join([*unpriced(left_out), stamped(model, convention, inputs, values, metrics)])
    return About(note, head, keys, published)


def values_by_variable(space: Any) -> Mapping[str, Any]:
    """The values that points of a space have, by variable: those of its axes, or of its columns."""
    return space.columns if hasattr(space, "columns") else space.axes


def _published(model: Model, names: Sequence[str], values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The published accuracies of networks whose fixed variables equal `values`."""
    for claim in model.published:
        accuracies = {name: figure(text) for name, text in claim.figures.items() if name in ACCURACIES}
        if not accuracies or claim.of or claim.conv:
            continue
        try:
            at = typical(model, claim.at)
        except OutOfTime:
            raise
        except CostcalcError:
            continue
        if all(name in at for name in names) and all(at[name] == value for name, value in values.items() if name in at):
            own = {name: embedded(at[name]) for name in names}
            title = printable(claim.notes.get("model", ""))
            yield {"title": title, "source": printable(claim.source), "values": own, "accuracies": accuracies}


def write(
    frames: Iterable[pd.DataFrame], names: list[str], format: str, out: Any, about: About, screen: Screen
) -> None:
    """Write frames (DataFrames with columns `names`) to `out`, a text or binary stream as the format requires."""
    if format in STREAMS:
        {"csv": _csv, "json": _json, "parquet": _parquet}[format](frames, names, out, about)
        return
    import pandas

    frame = pandas.concat(list(_limited(frames)), ignore_index=True)
    out.write(render_page(PointsPage(frame, about), format, screen))


class PointsPage:
    """The points of a sweep as a page, one row per point. In a narrow terminal the last metrics are left out first."""

    def __init__(self, frame: pd.DataFrame, about: About) -> None:
        self.frame, self.about = frame, about
        self.title = about.head["spec"]["name"]  # of the network

    def heads(self) -> list[Any]:
        """Empty: the table is the answer."""
        return []

    def sheets(self) -> list[Sheet]:
        """One sheet."""
        rows = [tuple(map(number, row)) for row in self.frame.itertuples(index=False, name=None)]
        names, kept = list(self.frame.columns), {*range(self.about.keys + 1)}
        columns = (
            Column(
                name,
                True,
                spare=0 if number in kept or name == "complete" else len(names) - number,
                counts=counts(name),
            )
            for number, name in enumerate(names)
        )
        return [Sheet(tuple(one._replace(counts=counts(one.heading)) for one in columns), rows)]

    def notes(self) -> list[str]:
        """What the numbers mean."""
        return [self.about.note]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per point."""
        return [str(name) for name in self.frame.columns], self.frame.to_dict("records")

    def document(self) -> dict[str, Any]:
        """The description of the points, then the points."""
        return {**self.about.head, "points": self.records()[1]}

    def chart(self) -> dict[str, Any] | None:
        """The points for a chart, with the roles of the columns; None for a pivoted grid."""
        names = [str(name) for name in self.frame.columns]
        axes = names[: self.about.keys]
        metrics = [name for name in names[self.about.keys :] if is_metric(name)]
        if not metrics or "\\" in axes[0]:
            return None
        complete = ["complete"] if "complete" in names else []
        rows = self.frame[[*axes, *metrics, *complete]].itertuples(index=False, name=None)
        units = {name: unit_of(name).symbol for name in metrics}
        return {
            "axes": axes,
            "metrics": metrics,
            "units": units,
            "rows": [list(map(embedded, row)) for row in rows],
            "published": list(self.about.published),
        }


def counts(name: str) -> bool:
    """Whether a column is a count, not a variable, a ratio or bytes."""
    return is_metric(name) and unit_of(name) is COUNT


def _limited(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    rows = 0
    for frame in frames:
        rows += len(frame)
        if rows > MOST_ROWS:
            message = f"a table of more than {MOST_ROWS:,} points is too long to read"
            raise OptionError(Problem("limit", message, help="use -o points.csv or points.parquet"))
        yield frame


def number(value: float | str) -> str:
    """A value formatted for display."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return f"{value:,.10g}"
    return f"{value:,}"


def _csv(frames: Iterable[pd.DataFrame], names: list[str], out: TextIO, about: About) -> None:
    from ...render.csv_ import harmless

    out.write(",".join(names) + "\n")
    for frame in frames:
        texts = [name for name in frame.columns if frame[name].dtype.kind not in "biuf"]
        frame = frame.assign(**{name: frame[name].map(harmless) for name in texts})
        frame.to_csv(out, index=False, header=False, lineterminator="\n")


def _json(frames: Iterable[pd.DataFrame], names: list[str], out: Any, about: About) -> None:
    head = "".join(f"{json.dumps(name)}: {json.dumps(value)},\n " for name, value in about.head.items())
    out.write("{" + head + '"points": [')
    first = True
    for frame in frames:
        text = frame.to_json(orient="records", lines=True, double_precision=15).strip()
        if text:
            out.write(("\n  " if first else ",\n  ") + text.replace("\n", ",\n  "))
            first = False
    out.write("]}\n" if first else "\n ]}\n")


def _parquet(frames: Iterable[Any], names: list[str], out: Any, about: About) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        message = "Parquet needs the pyarrow package"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[parquet]'")) from None
    writer = None
    for frame in frames:
        table = pyarrow.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pyarrow.parquet.ParquetWriter(out, table.schema)
        writer.write_table(table.cast(writer.schema))
    if writer:
        writer.close()
