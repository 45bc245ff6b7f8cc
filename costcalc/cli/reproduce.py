"""costcalc reproduce"""

from __future__ import annotations

import click

from ..quantities import DIFFERS
from .commands import FAILED, OK
from .options import Output, output_options


@click.command()
@click.argument("specs", nargs=-1, metavar="[SPEC]..")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(["exact", "erratum", "not-reproducible", "differs"]),
    help="Show only figures with this verdict.",
)
@output_options
def command(
    specs: tuple[str, ...],
    only: tuple[str, ...],
    out: Output,
) -> None:
    """Compare every published figure with the computed one.

    Each figure is labelled exact (with `rounded` or `truncated` if only one of them gives its digits), erratum, not
    reproducible, or differs. An erratum and a figure that is not reproducible have a reason. Without SPEC: Tables 2 to
    14 of the MobileNet paper, then all other figures in `published:` of the shipped configs. Accuracies are not
    computed.

    Exit code 1 if a figure differs and the spec gives no reason.

    \b
    Examples:
      costcalc reproduce
      costcalc reproduce --only erratum --only not-reproducible
      costcalc reproduce mobilenet_v2
      costcalc reproduce -o figures.csv
    """
    from ..analysis.reproduce.reproduce import FindingsPage, grouped, reproduce

    findings = reproduce(*specs)
    page = FindingsPage(grouped(findings), findings.accuracies, tuple(name.replace("-", " ") for name in only))
    code = FAILED if any(finding.verdict == DIFFERS for finding in findings) else OK
    out.show(page, code)
