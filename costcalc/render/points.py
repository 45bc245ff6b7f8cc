"""Points of a sweep as text: whole tables, or a stream of CSV, JSON lines of one array, or Parquet."""

import numbers

from ..errors import OptionError, Problem
from . import render_page
from .columns import printable
from .sheet import Column, Sheet

STREAMS = ("csv", "json", "parquet")
MOST_ROWS = 100_000  # of a table that people are to read


def write(frames, names, format, out, note, screen):
    """Write frames (DataFrames with columns `names`) to `out`, text or binary as the format wants it."""
    if format in STREAMS:
        {"csv": _csv, "json": _json, "parquet": _parquet}[format](frames, names, out)
        return
    import pandas

    frame = pandas.concat(list(_limited(frames)), ignore_index=True)
    out.write(render_page(PointsPage(frame, note), format, screen))


class PointsPage:
    """The points of a sweep as a page: one row a point."""

    def __init__(self, frame, note):
        self.frame, self.note = frame, note

    def heads(self):
        """Nothing: the table itself is the answer."""
        return []

    def sheets(self):
        """One sheet."""
        rows = [tuple(map(number, row)) for row in self.frame.itertuples(index=False, name=None)]
        return [Sheet(tuple(Column(name, True) for name in self.frame.columns), rows)]

    def notes(self):
        """What the numbers mean."""
        return [self.note]


def _limited(frames):
    rows = 0
    for frame in frames:
        rows += len(frame)
        if rows > MOST_ROWS:
            message = f"a table of more than {MOST_ROWS:,} points is not for reading"
            raise OptionError(Problem("limit", message, help="use -o points.csv or points.parquet"))
        yield frame


def number(value):
    """A value as people read it."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return f"{value:.10g}"
    return f"{value:,}"


def _csv(frames, names, out):
    from .csv_ import harmless

    out.write(",".join(names) + "\n")
    for frame in frames:
        texts = [name for name in frame.columns if frame[name].dtype.kind not in "biuf"]
        frame = frame.assign(**{name: frame[name].map(harmless) for name in texts})
        frame.to_csv(out, index=False, header=False, lineterminator="\n")


def _json(frames, names, out):
    out.write("[")
    first = True
    for frame in frames:
        text = frame.to_json(orient="records", lines=True, double_precision=15).strip()
        if text:
            out.write(("\n " if first else ",\n ") + text.replace("\n", ",\n "))
            first = False
    out.write("\n]\n")


def _parquet(frames, names, out):
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
