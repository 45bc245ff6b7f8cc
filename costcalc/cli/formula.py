"""costcalc formula"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from .options import Asked, SpecCommand, convention_option, deliver, format_for, metrics_option, spec_options

if TYPE_CHECKING:
    from ..metrics.metrics import Metric
    from ..model.network import Model


SUFFIXES = {".txt": "text", ".tex": "latex", ".py": "python", ".js": "javascript"}


@click.command(cls=SpecCommand)
@spec_options
@click.option(
    "--in", "names", metavar="A,B,..", help="Variables that stay symbols [default: alpha, res; or new, past; or all]."
)
@metrics_option("The quantities.", "mult_adds,params")
@convention_option()
@click.option("--by", type=click.Choice(["total", "type", "layer"]), default="total", show_default=True)
@click.option("--sensitivity", is_flag=True, help="Also show derivatives and the cost of 1 % more of each variable.")
@click.option("--general", is_flag=True, help="Show the form with its roundings, valid for all values.")
@click.option(
    "--format",
    "-f",
    type=click.Choice(["text", "latex", "python", "javascript"]),
    help="Output format [default: text].",
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE.")
def command(
    spec: str,
    asked: Asked,
    names: Any,
    metrics: str,
    convention: str,
    by: str,
    sensitivity: bool,
    general: bool,
    format: str | None,
    output: str | None,
) -> None:
    """Derive the cost as a closed form in the spec's variables.

    The form is exact where its condition holds, such as `alpha a multiple of 1/4 and res a multiple of 32`: no width or
    grid is rounded there. `--general` gives the form with the roundings. A variable with a value (`--res 224`) becomes
    a number.

    \b
    Examples:
      costcalc formula mobilenet
      costcalc formula mobilenet --res 224 --sensitivity
      costcalc formula mobilenet_v2 --general --format python
      costcalc formula resnet50 --by type --metrics mult_adds --format latex
    """
    from ..analysis.formula.formula import chosen, derive, stamp
    from ..analysis.formula.page import written
    from ..analysis.report.analyze import scaled
    from ..read.loading import load

    format = format or ("text" if output in (None, "-") else format_for(output, SUFFIXES))
    model = load(spec)
    given = scaled(model, asked.of(model), asked.multiplier)
    symbols = [name.strip() for name in names.split(",")] if names else None
    symbols = [name for name in chosen(model, symbols) if name not in given]
    wanted = _groups(model, metrics, convention, by, given)
    forms = derive(model, wanted, symbols, given)
    note = stamp(model, convention, symbols, given, metrics)
    deliver(written(forms, format, general, sensitivity, note), output)


def _groups(
    model: Model, names: Any, convention: str, by: str, given: Mapping[Any, Any]
) -> Mapping[str, tuple[Metric, Callable[..., Any] | None]]:
    """{title: (metric, predicate over rows or None)}, one per metric, or one per type or layer and metric."""
    from ..analysis.formula.formula import closed
    from ..metrics.metrics import amounts, metric
    from ..metrics.walk import Walk
    from ..model.trace import trace
    from ..model.variables import typical

    metrics = [closed(metric(name, convention)) for name in names]
    if by == "total":
        return {one.name: (one, None) for one in metrics}
    key = {"type": lambda row: row.type, "layer": lambda row: "/".join(row.frame.path)}[by]
    groups, settled = {}, typical(model, given)
    whole = Walk(model, trace(model, settled), settled)
    walk = whole.part(whole.rows)
    for row, *values in zip(walk.rows, *(amounts(walk, one) for one in metrics), strict=True):
        for one, value in zip(metrics, values, strict=True):
            if value:
                name = key(row)
                groups[f"{name}: {one.name}"] = (one, lambda row, name=name: key(row) == name)
    return groups
