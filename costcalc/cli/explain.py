"""costcalc explain"""

import click

from .options import SpecCommand, factor, spec_options, variables


@click.command(cls=SpecCommand)
@spec_options
@click.argument("layer", required=False)
@click.pass_context
def command(ctx, spec, layer, alpha, res, rho, sets):
    """The working behind a layer's numbers: symbols, then numbers, then the product.

    LAYER is a layer or block by its name in the report, or a glob such as '*/dwconv'; without it, every layer that
    has mult-adds. A depthwise convolution and its 1x1 convolution are set beside the standard convolution.

    \b
    Examples:
      costcalc explain mobilenet separable_7
      costcalc explain mobilenet separable_7 --alpha 0.75 --rho 0.714
      costcalc explain vgg16 linear_1
    """
    from ..analysis import scaled
    from ..loading import load
    from ..rows import called
    from ..trace import trace
    from ..variables import settle

    model = load(spec)
    given = variables(ctx, model, alpha, res, sets)
    rows = trace(model, settle(model, scaled(model, given, factor("rho", rho)))).rows
    chosen = rows if layer is None else called(rows, layer)
    parts = [text for row in chosen if (text := _row(row))]
    parts += [_pair(*pair) for pair in _pairs(chosen)]
    if not parts:
        parts = [f"{layer or model.name}: no mult-adds and no weights"]
    click.echo("\n\n".join(parts))


def _pairs(rows):
    from ..working import separable

    return separable(rows)


def _row(row):
    from ..render.columns import printable, shape_text
    from ..working import worked

    cost, weights = worked(row)
    if not (cost and cost.value) and not (weights and weights.value):
        return ""
    shapes = " and ".join(map(shape_text, row.inputs))
    lines = [f"{printable('/'.join(row.frame.path))}: {row.type}, {shapes} -> {shape_text(row.layer.shape)}"]
    if cost and cost.value:
        lines.append(f"  mult-adds  {cost}")
    if weights and weights.value:
        lines.append(f"  params     {weights}" + (f" (the weights of {printable(row.shared)})" if row.shared else ""))
    if type(row.times) is int and row.times != 1 and cost:
        lines.append(f"  {row.times:,} times a sample: {row.times * cost.value:,} mult-adds")
    return "\n".join(lines)


def _pair(first, second, pair):
    from ..render.columns import printable

    together, standard = pair.together, pair.standard
    name = printable("/".join(_common(first.frame.path, second.frame.path)) or "together")
    kernel = pair.kernel[0]
    square = len(set(pair.kernel)) == 1 and len(pair.kernel) == 2
    theory = f"1/N + 1/DK^2 = 1/{pair.out} + 1/{kernel**2}" if square else f"1/N + 1/{'*'.join(map(str, pair.kernel))}"
    return "\n".join(
        [
            f"{name}: depthwise separable against standard convolution",
            f"  separable  {together}",
            f"  standard   {standard}",
            f"  saving     {theory} = {pair.theory:.3f}: {standard.value / together.value:.2f} times fewer mult-adds",
        ]
    )


def _common(one, other):
    shared = []
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared.append(a)
    return shared
