"""costcalc explain"""

from __future__ import annotations

from typing import Any

import click

from .options import SpecCommand, factor, spec_options, variables


@click.command(cls=SpecCommand)
@spec_options
@click.argument("layer", required=False)
@click.option("--convention", "-c", metavar="NAME", help="Also show what this convention counts, by quantity.")
@click.option("--backward", is_flag=True, help="Also the gradients that training computes.")
@click.pass_context
def command(
    ctx: click.Context,
    spec: str,
    layer: str | None,
    alpha: str | None,
    res: str | None,
    rho: str | None,
    sets: tuple[Any, ...],
    convention: str | None,
    backward: bool,
) -> None:
    """The calculation behind a layer's numbers: symbols, then numbers, then the product.

    LAYER is the name of a layer or block in the report, or a glob such as '*/dwconv'. Without it, all layers with
    mult-adds and the totals are shown. A depthwise convolution with its 1x1 convolution is compared with the standard
    convolution.

    \b
    Examples:
      costcalc explain mobilenet separable_7
      costcalc explain mobilenet separable_7 --alpha 0.75 --rho 0.714
      costcalc explain mobilenet separable_7 --convention thop
      costcalc explain vgg16 linear_1
      costcalc explain mobilenet separable_7 --backward
    """
    from ..analysis.explain.explain import explain
    from ..read.loading import load

    model = load(spec)
    given = variables(ctx, model, alpha, res, sets)
    click.echo(
        str(explain(model, layer, convention=convention, rho=factor("rho", rho), backward=backward, settings=given))
    )
