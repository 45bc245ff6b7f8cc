"""costcalc explain"""

from __future__ import annotations

import click

from .commands import say
from .options import Asked, SpecCommand, convention_option, spec_options


@click.command(cls=SpecCommand)
@spec_options
@click.argument("layer", required=False)
@convention_option(None, "Also show what this convention counts, by quantity.")
@click.option("--backward", is_flag=True, help="Also show the gradients that training computes.")
def command(
    spec: str,
    layer: str | None,
    asked: Asked,
    convention: str | None,
    backward: bool,
) -> None:
    """Show how a layer's figures are calculated: symbols, then numbers, then the product.

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
    say(str(explain(model, layer, convention=convention, backward=backward, **asked.how(model))))
