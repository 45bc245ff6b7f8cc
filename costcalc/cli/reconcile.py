"""costcalc reconcile"""

from __future__ import annotations

from typing import Any

import click

from ..errors import OptionError, Problem
from ..quantities import figure
from .commands import FAILED, OK
from .options import Asked, Output, SpecCommand, output_options, spec_options


@click.command(cls=SpecCommand)
@spec_options
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@click.option("--metric", type=click.Choice(["cost", "params", "training"]), default="cost", show_default=True)
@click.option("--by", type=click.Choice(["term", "layer"]), default="term", show_default=True)
@click.option("--top", type=click.IntRange(1), metavar="N", help="Number of explanations [5] or layers [all] to show.")
@output_options
def command(
    spec: str,
    asked: Asked,
    left: str,
    right: str,
    metric: str,
    by: str,
    top: int | None,
    out: Output,
) -> None:
    """Explain why two counts of one network differ: the gap is split into named parts that sum to it.

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
    from ..analysis.reconcile.explanations import explain
    from ..analysis.reconcile.page import AnswerPage, GapPage
    from ..analysis.reconcile.reconcile import reconcile
    from ..analysis.report.analyze import scaled
    from ..read.loading import load

    model = load(spec)
    given: Any = scaled(model, asked.of(model), asked.multiplier)
    conventions, numbers = _sides(left, right)
    if not numbers:
        return out.show(GapPage(reconcile(model, *conventions, metric=metric, settings=given), by, top))
    if metric == "training":
        help = "for a number, use --metric cost or params"
        raise OptionError(Problem("usage", "--metric training is for two conventions", help=help))
    if by == "layer":
        help = "--by layer compares two conventions"
        raise OptionError(Problem("usage", "a number has no layers: --by layer is not possible", help=help))
    printed: Any = figure(numbers[0])
    found = explain(model, conventions[0], numbers[0], printed, metric=metric, settings=given)
    return out.show(AnswerPage(found, top or 5), OK if found.explained else FAILED)


def _sides(left: str, right: str) -> tuple[list[str], list[Any]]:
    """Conventions and numbers among A and B, as texts."""
    numbers = [text for text in (left, right) if figure(text) and not text.endswith("%")]
    if len(numbers) == 2:
        help = "costcalc reconcile SPEC paper 8.2G"
        raise OptionError(Problem("usage", "one of A and B must be a convention", help=help))
    return [text for text in (left, right) if text not in numbers], numbers
