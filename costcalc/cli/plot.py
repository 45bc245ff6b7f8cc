"""costcalc plot"""

from __future__ import annotations

from typing import Any

import click

from .options import SpecCommand, axis_options, metrics_option, storage_options, with_storage


@click.command(cls=SpecCommand)
@axis_options
@storage_options
@click.option("--x", default="mult_adds", show_default=True, metavar="METRIC", help="Metric or variable on the x axis.")
@click.option(
    "--y",
    metavar="METRIC",
    help="Metric or published accuracy on the y axis [default: top1 if published, else params].",
)
@metrics_option("A panel for each metric, instead of --y.")
@click.option("--marks", metavar="VARIABLE", help="Use one marker per value of this variable [default: res].")
@click.option(
    "--log", default="x", show_default=True, type=click.Choice(["x", "y", "xy", "none"]), help="Logarithmic axes."
)
@click.option("--skip-invalid", is_flag=True, help="Skip points at which the network cannot be built.")
@click.option(
    *("--convention", "-c"),
    default="paper",
    show_default=True,
    metavar="NAME",
    help="Counting convention (see `costcalc conventions`).",
)
@click.option("-o", "--output", required=True, metavar="FILE", help="A .png or .svg file.")
@click.pass_context
def command(ctx: click.Context, spec: str, **options: Any) -> None:
    """Plot a sweep: one metric against another over the points, with the Pareto front.

    Without values, the points are those in the spec's `published:`. Needs the extra `plot`
    (pip install 'costcalc[plot]').

    \b
    Examples:
      costcalc plot mobilenet -o figure4.png
      costcalc plot mobilenet --x params -o figure5.svg
      costcalc plot mobilenet --alpha 0.25:1.5:0.25 --res 96:320:32 --y params --log xy -o costs.png
      costcalc plot mobilenet --alpha 0.25:1.5:0.05 --metrics params,activations,weights_bytes -o panels.svg
    """
    from ..analysis.sweep.plotting import format_of, pictured
    from ..read.loading import load
    from .output import writing
    from .sweep import axes_of

    format = format_of(options["output"])
    model = with_storage(ctx, load(spec))
    how = (options[name] for name in ("x", "y", "marks", "log", "skip_invalid", "convention", "metrics"))
    data = pictured(model, axes_of(ctx, model, options), *how).drawn(format)
    with writing(options["output"], binary=True) as out:
        out.write(data)
