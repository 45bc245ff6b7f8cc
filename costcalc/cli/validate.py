"""costcalc validate"""

from __future__ import annotations

import click

from ..errors import CostcalcError
from . import verdict
from .commands import CANNOT, OK, manner, say


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC..")
@click.pass_context
def command(ctx: click.Context, specs: tuple[str, ...]) -> None:
    """Check that specs can be read and built with their default variables.

    All problems of all files are shown. Exit code 0 if all specs are valid, 2 otherwise.

    \b
    Examples:
      costcalc validate my_net.yaml
      costcalc validate configs/*.yaml
    """
    from ..analysis.report.analyze import analyze
    from ..analysis.report.columns import shipped, total
    from ..read.loading import load
    from ..render.framed import printed

    failed, fine = 0, []
    for spec in specs:
        try:
            report = analyze(load(spec))
            list(report.model.published)  # these are read on first access
            layers = f"{len(report.lines):,} layer{'s' * (len(report.lines) != 1)}"
            costs = f"{total(report, 'cost')} mult-adds, {total(report, 'params')} params"
            said = "; ".join(filter(None, ("convention paper", shipped(report.model))))
            fine.append(f"ok: {printed(spec)}: {layers}, {costs} ({said})")
        except CostcalcError as error:
            failed += 1
            complain(error)
    verdict(CANNOT if failed else OK)
    for line in fine if not manner().quiet else ():
        say(line)
    if failed:
        click.echo(f"{failed} of {len(specs)} specs cannot be used", err=True)
    ctx.exit(CANNOT if failed else OK)


def complain(error: CostcalcError) -> None:
    """Print every problem of one spec."""
    import sys

    from .failures import as_text
    from .terminal import has_color

    for problem in error.problems:
        click.echo(as_text(problem, has_color(sys.stderr)), err=True, nl=False, color=True)
