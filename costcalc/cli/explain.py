"""costcalc explain"""

from __future__ import annotations

from typing import Any

import click

from .options import SpecCommand, factor, spec_options, variables


@click.command(cls=SpecCommand)
@spec_options
@click.argument("layer", required=False)
@click.option("--convention", "-c", metavar="NAME", help="Also what this convention counts, quantity by quantity.")
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
    """The working behind a layer's numbers: symbols, then numbers, then the product.

    LAYER is a layer or block by its name in the report, or a glob such as '*/dwconv'; without it, every layer that
    has mult-adds, and the totals. A depthwise convolution and its 1x1 convolution are set beside the standard
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
