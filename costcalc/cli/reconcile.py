"""costcalc reconcile"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError, Problem
from . import verdict
from .commands import FAILED
from .options import SpecCommand, factor, output_options, spec_options, variables

if TYPE_CHECKING:
    from ..model.network import Model


@click.command(cls=SpecCommand)
@spec_options
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@click.option("--metric", type=click.Choice(["cost", "params", "training"]), default="cost", show_default=True)
@click.option("--by", type=click.Choice(["term", "layer"]), default="term", show_default=True)
@click.option("--top", type=click.IntRange(1), metavar="N", help="Number of explanations [5] or layers [all] to show.")
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    spec: str,
    alpha: str | None,
    res: str | None,
    rho: str | None,
    sets: tuple[Any, ...],
    left: str,
    right: str,
    metric: str,
    by: str,
    top: int | None,
    format: str | None,
    as_json: bool,
    output: str | None,
    color: str,
) -> None:
    """Why two counts of one network differ: the gap, split into named parts that sum to it.

    A and B are conventions (see `costcalc conventions`) or files of prices. One of them can be a published number. For
    a number, it tries other conventions, input sizes and widths, twice or half the count, and leaving out the
    classifier or the first convolution. The simplest explanation with the published digits comes first.

    Exit code 1 if nothing explains the number.

    \b
    Examples:
      costcalc reconcile mobilenet_v2 paper thop
      costcalc reconcile resnet50 framework keras --metric params
      costcalc reconcile mobilenet paper torchinfo --by layer
      costcalc reconcile mobilenet_v2 flops flop_counter --metric training
      costcalc reconcile resnet50 paper 8.2G
      costcalc reconcile mobilenet paper 317M --alpha 0.75
    """
    from ..analysis.report.analyze import scaled
    from ..read.loading import load

    model = load(spec)
    given = scaled(model, variables(ctx, model, alpha, res, sets), factor("rho", rho))
    conventions, numbers = _sides(left, right)
    if not numbers:
        _between(model, given, conventions, metric, by, top, (format, as_json, output, color))
        return
    if metric == "training":
        help = "a number is explained by --metric cost or params"
        raise OptionError(Problem("usage", "--metric training is for two conventions", help=help))
    if by == "layer":
        help = "it is for two conventions"
        raise OptionError(Problem("usage", "a number has no layers: --by layer cannot be", help=help))
    _explained(ctx, model, given, conventions[0], numbers[0], metric, top or 5, (format, as_json, output, color))


def _sides(left: str, right: str) -> tuple[list[str], list[Any]]:
    """The conventions and the numbers among A and B, as texts."""
    from ..quantities import figure

    numbers = [text for text in (left, right) if figure(text) and not text.endswith("%")]
    if len(numbers) == 2:
        help = "costcalc reconcile SPEC paper 8.2G"
        raise OptionError(Problem("usage", "one of A and B must be a convention", help=help))
    return [text for text in (left, right) if text not in numbers], numbers


def _between(
    model: Model,
    given: Mapping[Any, Any],
    conventions: list[str],
    metric: str,
    by: str,
    top: int | None,
    how: Any,
) -> None:
    from ..analysis.reconcile.page import GapPage
    from ..analysis.reconcile.reconcile import reconcile
    from .output import show

    show(GapPage(reconcile(model, *conventions, metric=metric, settings=given), by, top), *how)


def _explained(
    ctx: click.Context,
    model: Model,
    given: Any,
    convention: str,
    number: Any,
    metric: str,
    top: int,
    how: Any,
) -> None:
    from ..analysis.reconcile.explanations import explain
    from ..analysis.reconcile.page import AnswerPage
    from ..quantities import figure
    from .output import show

    printed: Any = figure(number)
    found = explain(model, convention, number, printed, metric=metric, settings=given)
    verdict(0 if found.explained else FAILED)
    show(AnswerPage(found, top), *how)
    ctx.exit(0 if found.explained else FAILED)
