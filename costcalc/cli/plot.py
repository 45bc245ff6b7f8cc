"""costcalc plot"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem, listed
from .options import SpecCommand, axis_options

if TYPE_CHECKING:
    import pandas as pd

    from ..model.network import Model


FORMATS = {".png": "png", ".svg": "svg"}


@click.command(cls=SpecCommand)
@axis_options
@click.option("--x", default="mult_adds", show_default=True, metavar="METRIC", help="A metric, or a variable.")
@click.option(
    "--y", metavar="METRIC", help="A metric, or a published accuracy [default: top1 if published, else params]."
)
@click.option("--marks", metavar="VARIABLE", help="One mark a value of this variable [default: res].")
@click.option(
    "--log", default="x", show_default=True, type=click.Choice(["x", "y", "xy", "none"]), help="Logarithmic axes."
)
@click.option("--skip-invalid", is_flag=True, help="Leave out points that the network cannot have.")
@click.option("--convention", "-c", default="paper", show_default=True, metavar="NAME", help="What counts.")
@click.option("-o", "--output", required=True, metavar="FILE", help="A .png or .svg file.")
@click.pass_context
def command(ctx: click.Context, spec: str, **options: Any) -> None:
    """A picture of a sweep: any metric against any metric over the points, with the Pareto front.

    Without values, the points are those that the spec's `published:` has. Needs the extra `plot`
    (pip install 'costcalc[plot]').

    \b
    Examples:
      costcalc plot mobilenet -o figure4.png
      costcalc plot mobilenet --x params -o figure5.svg
      costcalc plot mobilenet --alpha 0.25:1.5:0.25 --res 96:320:32 --y params --log xy -o costs.png
    """
    import os

    from ..analysis.sweep.plot import picture
    from ..read.loading import load
    from .output import writing

    format = FORMATS.get(os.path.splitext(options["output"])[1].lower())
    if format is None:
        raise OptionError(Problem("unknown-format", f"a picture is a {listed(FORMATS)} file", help="-o figure.png"))
    model = load(spec)
    frame, x, y, title = _points(ctx, model, options)
    marks = options["marks"] or ("res" if "res" in frame else None)
    if marks is not None and marks not in frame:
        raise OptionError(
            Problem("unknown-variable", f"no point has `{marks}`", help=f"known: {listed(frame.columns)}")
        )
    data = picture(frame, x, y, marks, title, options["log"].replace("none", ""), format)
    with writing(options["output"], binary=True) as out:
        out.write(data)


def _points(ctx: click.Context, model: Model, options: Mapping[str, Any]) -> tuple[pd.DataFrame, str, str, str]:
    """The frame of points, the columns of both axes, and the title."""
    from ..analysis.fit.fit import published_accuracies
    from ..analysis.report.columns import stamped
    from ..analysis.sweep.constants import constants
    from ..metrics.conventions import price_list
    from ..metrics.metrics import metric
    from .sweep import axes_of

    axes = axes_of(ctx, model, options)
    accuracies = published_accuracies(model)
    y = options["y"] or ("top1" if "top1" in accuracies and not axes else "params")
    x = options["x"]
    metrics = tuple(dict.fromkeys(name for name in (x, y) if name not in accuracies and name not in model.variables))
    for name in metrics:
        metric(name, options["convention"])  # says which are known
    frame, space = _swept(model, axes, x, y, metrics, accuracies, options)
    note = stamped(model, price_list(options["convention"]), *constants(model, space.names))
    return frame, x, y, f"{model.name}\n{note}"


def _swept(
    model: Model,
    axes: Any,
    x: str,
    y: str,
    metrics: tuple[str, ...],
    accuracies: set[str],
    options: Mapping[str, Any],
) -> tuple[pd.DataFrame, Any]:
    import pandas

    from ..analysis.fit.fit import published_table
    from ..analysis.sweep.space import Grid
    from ..analysis.sweep.sweep import results

    space: Any
    wanted = [name for name in (x, y) if name in accuracies]
    if wanted:
        space, columns = published_table(model, wanted, axes)
    elif axes:
        space, columns = Grid(axes), {}
    else:
        help = f"--alpha 1,0.75 or --vary NAME=VALUES; variables: {listed(model.variables)}"
        raise OptionError(Problem("usage", "a plot needs values, or a published accuracy", help=help))
    if space.size == 0:
        raise OptionError(Problem("no-points", f"no published {wanted[0]} is for these values"))
    found = results(model, space, metrics, options["convention"], options["skip_invalid"])
    parts = [pandas.DataFrame(dict(one.columns)) for one in found]
    return pandas.concat(parts, ignore_index=True).assign(**columns), space
