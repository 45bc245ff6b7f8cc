"""costcalc reproduce"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import verdict
from .commands import FAILED, OK
from .options import output_options

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("specs", nargs=-1, metavar="[SPEC]..")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(["exact", "erratum", "not-reproducible", "differs"]),
    help="Show only figures of this verdict.",
)
@output_options
@click.pass_context
def command(
    ctx: click.Context,
    specs: tuple[str, ...],
    only: tuple[str, ...],
    format: str | None,
    as_json: bool,
    output: str | None,
    color: str,
) -> None:
    """Every published figure beside the computed one: does it have the printed digits?

    A figure is exact (rounded or truncated, where only one of them gives its digits), an erratum, not reproducible,
    each with its reason, or it differs. Without SPEC: Tables 2 to 14 of the MobileNet paper, table by table, then all
    other figures that the shipped configs hold under `published:`. Accuracies are not computed.

    Exit code 1 when a figure differs for which the spec gives no reason.

    \b
    Examples:
      costcalc reproduce
      costcalc reproduce --only erratum --only not-reproducible
      costcalc reproduce mobilenet_v2
      costcalc reproduce -o figures.csv
    """
    from ..analysis.reproduce.page import FindingsPage
    from ..analysis.reproduce.reproduce import reproduce
    from ..analysis.reproduce.sources import grouped
    from ..quantities import DIFFERS
    from .output import show

    found = reproduce(*specs)
    page = FindingsPage(grouped(found), found.accuracies, tuple(name.replace("-", " ") for name in only))
    code = FAILED if any(finding.verdict == DIFFERS for finding in found) else OK
    verdict(code)
    show(page, format, as_json, output, color)
    ctx.exit(code)
