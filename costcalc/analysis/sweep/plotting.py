"""Pictures of sweeps: the points, the columns and the bytes of the file."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import mapping, names
from ...errors import OptionError, Problem, listed
from ...metrics.conventions import Prices, price_list
from ...metrics.metrics import is_metric, metric, unit_of
from ...model.network import Model
from ...quantities import RATIO
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render.figures import drawing, plain, saved
from ...replacing import replacing
from ..fit.fit import published_accuracies, published_table
from ..report.columns import constants, stamped
from ..report.gaps import uncounted_in
from ..report.notes import unpriced
from .page import BOUNDS, values_by_variable
from .sweep import COMPLETE, Grid, as_axis, results, stated

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas
    import pandas as pd
    from matplotlib.axes import Axes

PANELS = 12  # of a picture; a panel is 750 pixels high
FORMATS = {".png": "png", ".svg": "svg"}


class Picture(NamedTuple):
    """Points, the columns of the axes and of the marks, and drawing options."""

    points: pandas.DataFrame
    x: str
    ys: tuple[str, ...]  # one panel each
    marks: str | None
    title: str  # the network's name; a second line says what the numbers mean
    log: str
    varied: tuple[str, ...] = ()  # the variables that differ between points and name them

    def frame(self) -> pandas.DataFrame:
        """The points as a pandas DataFrame, one per row."""
        return self.points

    def drawn(self, format: str = "png") -> bytes:
        """The bytes of a `png` or `svg`. Needs the extra `plot`; raises OptionError without it."""
        return picture(self.points, self.x, self.ys, self.marks, self.title, self.log, format, self.varied)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a .png or .svg file. Raises OptionError for another suffix."""
        data = self.drawn(format_of(os.fspath(path)))
        with replacing(os.fspath(path), True) as file:
            file.write(data)

    def __repr__(self) -> str:
        name, _, note = self.title.partition("\n")
        marks = f", marks by {self.marks}" if self.marks else ""
        marks += f", over {', '.join(self.varied)}" if self.varied else ""
        ys = ", ".join(self.ys)
        return f"{name}: {ys} against {self.x}{marks}, {len(self.points):,} points; .save(path) draws it\n{note}"

    def _repr_html_(self) -> str:
        from base64 import b64encode
        from html import escape

        return f'<img alt="{escape(repr(self))}" src="data:image/png;base64,{b64encode(self.drawn()).decode()}">'


def plot(
    spec: Network,
    path: str | os.PathLike[str] | None = None,
    *,
    x: str = "mult_adds",
    y: str | None = None,
    metrics: str | Sequence[str] = (),
    marks: str | None = None,
    log: str = "x",
    skip_invalid: bool = False,
    convention: Prices = "paper",
    input: Inputs | None = None,
    rho: Any = None,
    settings: Mapping[str, Any] | None = None,
    **axes: Any,
) -> Picture:
    """A picture of a sweep, written to `path` (.png or .svg) if given.

    spec, input  what `costcalc.load` takes
    x, y         a metric, a variable or a published accuracy; without y, top1 if it is published, else params
    metrics      one panel each, instead of y
    marks        one mark per value of this variable; without it, res
    log          logarithmic axes: `x`, `y`, `xy` or `none`
    axes, rho    values as in `sweep`; without any, the points of the spec's `published:`

    Raises CostcalcError.
    """
    model = load(spec, input)
    if path is not None:
        format_of(os.fspath(path))
    given = {**mapping(settings, "settings", '{"alpha": [1, 0.75]}'), **axes, **({} if rho is None else {"rho": rho})}
    values = {name: as_axis(model, name, each) for name, each in given.items()}
    found = pictured(model, values, x, y, marks, log, skip_invalid, convention, metrics)
    if path is not None:
        found.save(path)
    return found


def format_of(path: str) -> str:
    """The format by the suffix of a file's name. Raises OptionError."""
    found = FORMATS.get(os.path.splitext(path)[1].lower())
    if found is None:
        raise OptionError(Problem("unknown-format", f"a picture is a {listed(FORMATS)} file", help="-o figure.png"))
    return found


def pictured(
    model: Model,
    axes: Mapping[str, Any],
    x: str,
    y: str | None,
    marks: str | None,
    log: str,
    skip_invalid: bool,
    convention: Prices,
    metrics: str | Sequence[str] = (),
) -> Picture:
    """The Picture of a model over axes, arrays of values by variable. Raises CostcalcError."""
    if log not in ("x", "y", "xy", "none"):
        raise OptionError(Problem("bad-value", f"`log` cannot be `{log}`", help="it is x, y, xy or none"))
    accuracies = published_accuracies(model)
    ys = _panels(names(metrics, "metrics"), y) or (y or ("top1" if "top1" in accuracies and not axes else "params"),)
    shown = tuple(dict.fromkeys((x, *ys)))
    wanted = tuple(name for name in shown if name not in accuracies and name not in model.variables)
    for name in wanted:
        metric(name, convention)  # its error lists the known ones
    published = [name for name in shown if name in accuracies]
    frame, space = _swept(model, axes, wanted, published, skip_invalid, convention)
    varied = tuple(name for name in space.names if name in frame and len(set(frame[name])) > 1)
    marks = marks or ("res" if "res" in varied else None)
    if marks is not None and marks not in frame:
        help = f"known: {listed(frame.columns)}"
        raise OptionError(Problem("unknown-variable", f"no point has `{marks}`", help=help))
    note = stamped(model, price_list(convention), *constants(model, space.names), wanted)
    left_out = uncounted_in(model, [metric(name, convention) for name in wanted], values_by_variable(space))
    bounds = [] if frame[COMPLETE].all() else [BOUNDS]
    frame, note = stated(frame), "; ".join([*bounds, *unpriced(left_out), note])
    return Picture(frame, x, ys, marks, f"{model.name}\n{note}", log.replace("none", ""), varied)


def _panels(metrics: Sequence[str], y: str | None) -> tuple[str, ...]:
    """The metrics of the panels, each once."""
    found = tuple(dict.fromkeys(metrics))
    if found and y is not None:
        raise OptionError(Problem("usage", "`--y` draws one panel and `--metrics` several: give one of them"))
    if len(found) > PANELS:
        raise OptionError(Problem("limit", f"a picture has at most {PANELS} panels, not {len(found)}"))
    return found


def _swept(
    model: Model,
    axes: Mapping[str, Any],
    metrics: tuple[str, ...],
    wanted: Sequence[str],
    skip_invalid: bool,
    convention: Prices,
) -> Any:
    """(frame of points, their space); `wanted` are published accuracies."""
    import pandas

    columns: Mapping[str, Any] = {}
    space: Any
    if wanted:
        space, columns = published_table(model, wanted, axes)
    elif axes:
        space = Grid(axes)
    else:
        help = f"--alpha 1,0.75 or --vary NAME=VALUES; variables: {listed(model.variables)}"
        raise OptionError(Problem("usage", "a plot needs values, or a published accuracy", help=help))
    if space.size == 0:
        raise OptionError(Problem("no-points", f"no published {wanted[0]} is for these values"))
    found = results(model, space, metrics, convention, skip_invalid)
    parts = [pandas.DataFrame(dict(one.columns)) for one in found]
    return pandas.concat(parts, ignore_index=True).assign(**columns), space


LEGEND = 20  # values of the marks' variable in a legend
NAMED = 40  # points that get a label each
NOTE = 140  # characters of a line under the axes: as wide as the picture
MARKS = "osD^v<>PX*ph8"
ACCURACIES = {
    "top1": "top-1 accuracy (%)",
    "top5": "top-5 accuracy (%)",
}


def front(x: np.ndarray, y: np.ndarray, larger_is_better: bool) -> np.ndarray:
    """The Pareto-optimal points in order of x: smaller x is better, and larger or smaller y."""
    order = np.lexsort([-y if larger_is_better else y, x])
    best, kept = -np.inf if larger_is_better else np.inf, []
    for at in order:
        if (y[at] > best) if larger_is_better else (y[at] < best):
            kept.append(at)
            best = y[at]
    return np.array(kept, dtype=int)


def picture(
    frame: pd.DataFrame,
    x: str,
    ys: Sequence[str],
    marks: Any,
    title: str,
    log: str,
    format: str,
    varied: Sequence[str] = (),
) -> bytes:
    """The bytes of a PNG or SVG, a panel per column of `ys`: one mark per value of `marks`, and the Pareto front.

    Where there is room, points are labeled with the `varied` columns that neither marks nor axes show.
    """
    with drawing(grid=True) as pyplot:
        figure, panels = pyplot.subplots(len(ys), figsize=(7, 5 * len(ys)), layout="constrained", squeeze=False)
        for axes, y in zip(panels[:, 0], ys, strict=True):
            _scatter(axes, frame, x, y, marks)
            _name(axes, frame, x, y, [name for name in varied if name not in (marks, x, y)])
            _front(axes, frame, x, y)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="best", fontsize=9)
            _frame(axes, x, y, log)
        _titled(panels[0, 0], panels[-1, 0], title)
        data = io.BytesIO()
        saved(figure, data, format)
        pyplot.close(figure)
    return data.getvalue()


def _scatter(axes: Axes, frame: pd.DataFrame, x: str, y: str, marks: str) -> None:
    if marks is None:
        axes.scatter(frame[x], frame[y], s=24)
        return
    values = sorted(set(frame[marks]), reverse=True)
    for number, value in enumerate(values):
        part = frame[frame[marks] == value]
        label = f"{marks} {value:.10g}" if len(values) <= LEGEND else None
        mark = MARKS[number % len(MARKS)]
        axes.scatter(part[x], part[y], s=36, marker=mark, label=label)


def _name(axes: Axes, frame: pd.DataFrame, x: str, y: str, names: list[str]) -> None:
    """Label each point with the settings in which it differs; for many points, a legend gives their ranges."""
    if not names:
        return
    if len(frame) > NAMED:
        spans = [f"{name} {_short(frame[name].min())} to {_short(frame[name].max())}" for name in names]
        axes.plot([], [], " ", label=", ".join(spans))
        return
    for number, (left, height) in enumerate(zip(frame[x], frame[y], strict=True)):
        said = ", ".join(f"{name}={_short(frame[name].iloc[number])}" for name in names)
        axes.annotate(said, (left, height), (3, 3), textcoords="offset points", fontsize=5, color="0.3", gid="point")


def _short(value: Any) -> str:
    """A value of a variable for a label."""
    return plain(value) if isinstance(value, str) else f"{value:.6g}"


def _front(axes: Axes, frame: pd.DataFrame, x: str, y: str) -> None:
    at = front(frame[x].to_numpy(), frame[y].to_numpy(), not _counts(y))
    if len(at) > 1:
        axes.plot(
            frame[x].to_numpy()[at], frame[y].to_numpy()[at], color="0.5", linewidth=1, zorder=0, label="Pareto front"
        )


def _counts(name: str) -> bool:
    """Whether a column is a count or bytes, where less is better, not a variable, a ratio or an accuracy."""
    return is_metric(name) and unit_of(name) is not RATIO


def _label(name: str) -> str:
    """The title of an axis."""
    return metric(name, "paper").axis if is_metric(name) else ACCURACIES.get(name, name)


def _titled(top: Axes, bottom: Axes, title: str) -> None:
    """The first line of the title above the panels, the rest below them."""
    head, _, note = map(plain, title.partition("\n"))
    top.set_title(head)
    bottom.annotate(
        fill(note, NOTE), (0.5, -0.14), xycoords="axes fraction", ha="center", va="top", fontsize=6, color="0.4"
    )


def _frame(axes: Axes, x: str, y: str, log: str) -> None:
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    axes.set_xlabel(_label(x))
    axes.set_ylabel(_label(y))
    for letter, name, axis in (("x", x, axes.xaxis), ("y", y, axes.yaxis)):
        if letter in log:
            getattr(axes, f"set_{letter}scale")("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_minor_formatter(NullFormatter())
        if _counts(name):
            unit = unit_of(name).symbol
            axis.set_major_formatter(EngFormatter(unit, sep=" "))
