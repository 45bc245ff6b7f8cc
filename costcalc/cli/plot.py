"""costcalc plot"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem
from .options import (
    SpecCommand,
    axis_options,
    convention_option,
    deliver,
    metrics_option,
    storage_options,
    with_storage,
)

if TYPE_CHECKING:
    from ..analysis.memory.roofline import Roofline
    from ..model.network import Model

_OF_SWEEPS = ("x", "y", "metrics", "marks", "log", "skip_invalid", "convention")


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
@convention_option()
@click.option("--roofline", is_flag=True, help="Draw the roofline of a device with the layers on it.")
@click.option(
    "--device",
    default="nvidia_a100_40gb",
    show_default=True,
    metavar="NAME",
    help="Device of --roofline: a name, or a file.",
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
      costcalc plot mobilenet --roofline --device nvidia_t4 --bits 8 -o roofline.svg
    """
    from ..analysis.sweep.plotting import format_of
    from ..read.loading import load

    format = format_of(options["output"])
    model = with_storage(load(spec))
    if options["roofline"]:
        data = _roofline(ctx, model, options).drawn(format)
    else:
        data = _sweep(ctx, model, options, format)
    deliver(data, options["output"])


def _sweep(ctx: click.Context, model: Model, options: Mapping[str, Any], format: str) -> bytes:
    from ..analysis.sweep.plotting import pictured
    from .sweep import axes_of

    if _given(ctx, "device"):
        raise OptionError(Problem("usage", "`--device` needs `--roofline`", help="add --roofline"))
    how = (options[name] for name in ("x", "y", "marks", "log", "skip_invalid", "convention", "metrics"))
    return pictured(model, axes_of(model, options), *how).drawn(format)


def _roofline(ctx: click.Context, model: Model, options: Mapping[str, Any]) -> Roofline:
    """Layers on the roofs of a device, at one setting."""
    from ..analysis.memory.roofline import bounded
    from .sweep import values_of

    for name in _OF_SWEEPS:
        if _given(ctx, name):
            raise OptionError(Problem("usage", f"`--roofline` does not use --{name.replace('_', '-')}"))
    values = values_of(model, options)
    for name, many in values.items():
        if many is None or len(many) != 1:
            raise OptionError(Problem("usage", f"`--roofline` shows one setting: give `{name}` one value"))
    single = {name: many[0] for name, many in values.items() if many}
    return bounded(
        model, {name: one for name, one in single.items() if name != "rho"}, single.get("rho"), options["device"]
    )


def _given(ctx: click.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
