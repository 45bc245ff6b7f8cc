"""costcalc explain"""

from __future__ import annotations

from typing import Any

import click

from .options import SpecCommand, factor, spec_options, variables


@click.command(cls=SpecCommand)
@spec_options
@click.argument("layer", required=False)
@click.option("--convention", "-c", metavar="NAME", help="Also what this convention counts, quantity by quantity.")
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
    """
    from ..analysis.explain.legend import legend
    from ..analysis.explain.worked import pair_text, row_text, total_text
    from ..analysis.explain.working import separable
    from ..analysis.report.analyze import scaled
    from ..analysis.report.columns import stamp
    from ..analysis.report.report import report
    from ..metrics.conventions import find, price_list
    from ..model.rows import called
    from ..model.trace import trace
    from ..model.variables import settle
    from ..read.loading import load

    model = load(spec)
    given = variables(ctx, model, alpha, res, sets)
    priced = price_list(convention) if convention else None
    values = settle(model, scaled(model, given, factor("rho", rho)))
    walk = trace(model, values)
    chosen = walk.rows if layer is None else called(walk.rows, layer)
    parts = [text for row in chosen if (text := row_text(row, priced))]
    parts += [pair_text(*pair) for pair in separable(chosen)]
    parts = parts or [f"{layer or model.name}: no mult-adds and no weights"]
    counted = report(model, walk, values, priced or find("paper"))  # a working counts as `paper` does
    parts += [] if layer else [total_text(counted)]
    notes = [legend(chosen), stamp(counted)]
    click.echo("\n\n".join([*parts, "\n".join(filter(None, notes))]))
