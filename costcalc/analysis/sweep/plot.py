"""Pictures of a sweep, drawn by matplotlib: Figures 4 and 5 of the MobileNet paper."""

from __future__ import annotations

import io
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import OptionError, Problem
from ...metrics.metrics import is_metric, metric, unit_of
from ...quantities import RATIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes


LEGEND = 20  # values of the variable of the marks that a legend names
NAMED = 40  # points that are named one by one
NOTE = 140  # characters of a line under the axes: as wide as the picture
MARKS = "osD^v<>PX*ph8"
ACCURACIES = {
    "top1": "top-1 accuracy (%)",
    "top5": "top-5 accuracy (%)",
}


def front(x: np.ndarray, y: np.ndarray, larger_is_better: bool) -> np.ndarray:
    """The Pareto-optimal points: less x and (more or less) y, in order of x."""
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

    Points are named by those of the `varied` columns that neither the marks nor an axis show, where there is room.
    """
    try:
        import matplotlib
    except ImportError:
        message = "plots need the matplotlib package"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[plot]'")) from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    settings: Any = {"svg.hashsalt": "costcalc", "font.size": 10, "axes.grid": True, "grid.alpha": 0.3}
    with pyplot.rc_context(settings):
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
        figure.savefig(data, format=format, dpi=150, metadata={"Date": None} if format == "svg" else None)
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
    """Write beside each point in which settings it differs from the others; in a legend what those of many span."""
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
    """A value of a variable as a label has it."""
    return value if isinstance(value, str) else f"{value:.6g}"


def _front(axes: Axes, frame: pd.DataFrame, x: str, y: str) -> None:
    at = front(frame[x].to_numpy(), frame[y].to_numpy(), not _counts(y))
    if len(at) > 1:
        axes.plot(
            frame[x].to_numpy()[at], frame[y].to_numpy()[at], color="0.5", linewidth=1, zorder=0, label="Pareto front"
        )


def _counts(name: str) -> bool:
    """Whether a column is a count or an amount of bytes, of which less is better: no variable, ratio or accuracy."""
    return is_metric(name) and unit_of(name) is not RATIO


def _label(name: str) -> str:
    """The title of an axis."""
    return metric(name, "paper").axis if is_metric(name) else ACCURACIES.get(name, name)


def _titled(top: Axes, bottom: Axes, title: str) -> None:
    """The first line of the title above the panels, the rest below them."""
    head, _, note = title.partition("\n")
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
