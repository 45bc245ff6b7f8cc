"""A picture of a sweep: which points, which columns, and the bytes of the file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...arguments import mapping, names
from ...errors import OptionError, Problem, listed
from ...metrics.conventions import Prices, price_list
from ...metrics.metrics import metric
from ...model.network import Model
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...replacing import replacing
from ..fit.fit import published_accuracies, published_table
from ..report.columns import stamped
from .constants import constants
from .plot import picture
from .space import Grid
from .sweep import as_axis, results

if TYPE_CHECKING:
    import pandas

PANELS = 12  # of a picture: one is 750 pixels high
FORMATS = {".png": "png", ".svg": "svg"}


class Picture(NamedTuple):
    """Points, the columns on either axis and of the marks, and how they are drawn."""

    points: pandas.DataFrame
    x: str
    ys: tuple[str, ...]  # a panel for each
    marks: str | None
    title: str  # the network's name, and in a second line what the numbers mean
    log: str
    varied: tuple[str, ...] = ()  # the variables that differ between points: they name the points

    def frame(self) -> pandas.DataFrame:
        """The points as a pandas DataFrame, one per row."""
        return self.points

    def drawn(self, format: str = "png") -> bytes:
        """The bytes of a `png` or `svg`. Needs the extra `plot`; raises OptionError without it."""
        return picture(self.points, self.x, self.ys, self.marks, self.title, self.log, format, self.varied)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a .png or .svg file. Raises OptionError for another ending."""
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
    """A picture of a sweep, drawn to `path` (.png or .svg) if there is one.

    spec, input  what `costcalc.load` takes
    x, y         a metric, a variable or a published accuracy; without y, top1 if it is published, else params
    metrics      a panel for each, instead of y
    marks        one mark per value of this variable; without it, res
    log          logarithmic axes: `x`, `y`, `xy` or `none`
    axes, rho    values as in `sweep`; without any, the points that the spec's `published:` has

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
    """The format that a file's name means. Raises OptionError."""
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
    """The Picture of a model over axes, which are arrays of values by variable. Raises CostcalcError."""
    if log not in ("x", "y", "xy", "none"):
        raise OptionError(Problem("bad-value", f"`log` cannot be `{log}`", help="it is x, y, xy or none"))
    accuracies = published_accuracies(model)
    ys = _panels(names(metrics, "metrics"), y) or (y or ("top1" if "top1" in accuracies and not axes else "params"),)
    shown = tuple(dict.fromkeys((x, *ys)))
    wanted = tuple(name for name in shown if name not in accuracies and name not in model.variables)
    for name in wanted:
        metric(name, convention)  # says which are known
    published = [name for name in shown if name in accuracies]
    frame, space = _swept(model, axes, wanted, published, skip_invalid, convention)
    varied = tuple(name for name in space.names if name in frame and len(set(frame[name])) > 1)
    marks = marks or ("res" if "res" in varied else None)
    if marks is not None and marks not in frame:
        help = f"known: {listed(frame.columns)}"
        raise OptionError(Problem("unknown-variable", f"no point has `{marks}`", help=help))
    note = stamped(model, price_list(convention), *constants(model, space.names), wanted)
    return Picture(frame, x, ys, marks, f"{model.name}\n{note}", log.replace("none", ""), varied)


def _panels(metrics: Sequence[str], y: str | None) -> tuple[str, ...]:
    """The metrics of the panels, each once."""
    found = tuple(dict.fromkeys(metrics))
    if found and y is not None:
        raise OptionError(Problem("usage", "`--y` is one panel and `--metrics` several: give one of them"))
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
