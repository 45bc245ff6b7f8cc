"""costcalc page"""

from __future__ import annotations

from typing import Any

import click

from .options import SpecCommand, convention_option, deliver, in_order, metrics_option, storage_options, with_storage

value_options = in_order(
    click.argument("spec"),
    click.option("--alpha", metavar="VALUES", help="Width multipliers of the slider: 1,0.75,0.5; one value fixes it."),
    click.option("--res", metavar="VALUES", help="Input resolutions of the slider: 224,192,160; one value fixes it."),
    click.option("--vary", "--set", "varied", multiple=True, metavar="NAME=VALUES", help="Values of any variable."),
)


@click.command(cls=SpecCommand)
@value_options
@storage_options
@metrics_option("Further totals and columns.")
@convention_option()
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, e.g. page.html. [default: standard output]")
def command(spec: str, **options: Any) -> None:
    """Write a network as one interactive HTML file with sliders.

    The page shows totals, layers, blocks, the graph, layer types, all settings, memory along the schedule and
    variants of the network. It loads nothing, and its address keeps the current view. A slider has the values that
    are given; without them, those that the spec declares as `choices` or in published rows, or the usual ones of
    `alpha` and `res`. This command computes all figures. `--format html` of other commands writes their tables as such
    a page.

    \b
    Examples:
      costcalc page mobilenet -o page.html
      costcalc page my_net.yaml --alpha 0.25:1:0.25 --res 128:224:32 -o page.html
      costcalc page resnet18 --convention framework -o page.html
      costcalc compare mobilenet mobilenet_v2 -o compare.html
    """
    from ..analysis.page.page import of_network
    from ..read.loading import load
    from .sweep import axes_of

    model = with_storage(load(spec))
    axes = {name: list(values) for name, values in axes_of(model, {**options, "rho": None}).items()}
    deliver(of_network(model, axes, options["metrics"], options["convention"]).html, options["output"])
