"""costcalc fit"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem, listed
from .commands import FAILED
from .options import (
    Output,
    SpecCommand,
    axis_options,
    convention_option,
    metrics_option,
    output_options,
    storage_options,
    with_storage,
    writing,
)

if TYPE_CHECKING:
    from ..analysis.fit.fit import Fit


@click.command(cls=SpecCommand)
@axis_options
@storage_options
@click.option(
    "--max",
    "most",
    multiple=True,
    required=True,
    metavar="METRIC=LIMIT",
    help="Budget, e.g. mult_adds=150M or params=2M.",
)
@click.option(
    "--maximize", metavar="NAME", help="What to maximize: a variable, a metric, or a published accuracy such as top1."
)
@convention_option()
@metrics_option("Further columns.")
@click.option("--top", type=click.IntRange(1), metavar="N", help="Show only the first N settings.")
@output_options
def command(
    spec: str,
    most: tuple[str, ...],
    maximize: Any,
    convention: str,
    metrics: tuple[str, ...],
    top: int | None,
    out: Output,
    **axes: tuple[str, ...] | None,
) -> None:
    """Find the largest settings of variables within all budgets, with the published roundings.

    Every setting of the grid is tried. `--vary NAME` without values tries the choices that the spec declares. If it has
    none, it tries every size up to twice the default for an integer variable, and 2,000 steps up to twice the default
    for others. A variable with one value (`--res 192`) is fixed. With several variables, it shows the Pareto-optimal
    settings; --maximize selects one. Exit code 1 if nothing fits.

    \b
    Examples:
      costcalc fit mobilenet --vary alpha --max mult_adds=150M
      costcalc fit mobilenet --vary alpha=0.25:1:0.05 --vary res=128:224:32 --max mult_adds=150M --max params=2M
      costcalc fit mobilenet --vary alpha --vary res=128:224:32 --max mult_adds=150M --maximize mult_adds
    """
    from ..analysis.fit.fit import fit, nothing_fits
    from ..read.loading import load
    from .sweep import values_of

    model = with_storage(load(spec))
    vary = values_of(model, axes)
    if not vary:
        help = f"variables of {model.name}: {listed(model.variables)}"
        raise OptionError(Problem("usage", "a fit needs variables: --vary alpha, or --res 128:224:32", help=help))
    limits = budgets(most)
    result = fit(model, vary=vary, limits=limits, maximize=maximize, metrics=metrics, convention=convention)
    if not result.size:
        click.echo(nothing_fits(result), err=True)
        raise click.exceptions.Exit(FAILED)
    _show(result, top, out)


def budgets(texts: Iterable[str]) -> dict[str, str]:
    """Limits of several `METRIC=LIMIT`, by metric. Raises OptionError, also for a metric with two limits."""
    limits: dict[str, str] = {}
    for name, limit in map(_budget, texts):
        if name in limits:
            raise OptionError(Problem("usage", f"`--max {name}` is given twice", help="give the smaller limit"))
        limits[name] = limit
    return limits


def _budget(text: str) -> tuple[str, str]:
    """Metric and limit of `METRIC=LIMIT`. Raises OptionError."""
    name, equals, limit = (part.strip() for part in text.partition("="))
    if not equals:
        raise OptionError(
            Problem("bad-limit", f"`--max {text[:60]}` is not a budget", help="write --max mult_adds=150M")
        )
    return name, limit


def _show(found: Fit, top: int | None, out: Output) -> None:
    from ..analysis.fit.fit import FitPage
    from ..analysis.sweep.page import write

    page, format, screen = FitPage(found, top), out.form(), out.screen
    with writing(out.output) as file:
        write([page.frame], list(page.frame.columns), format, file, page.about, screen)
