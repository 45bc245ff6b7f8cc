"""costcalc check"""

import click

from . import CANNOT, FAILED, OK, verdict
from .options import setting_options

FORMATS = ("table", "json", "md", "csv", "latex", "github", "gitlab", "junit", "sarif")


@click.command()
@click.argument("paths", nargs=-1, metavar="[SPEC..]")
@click.option("--config", metavar="FILE", help="The checks. [default: the nearest costcalc.yaml, here or above]")
@click.option("--base", metavar="REF", help="The git revision to compare with. [default: where this branch began]")
@click.option("--max", "most", multiple=True, metavar="METRIC=LIMIT", help="Without a file: mult_adds=170M.")
@click.option("--min", "least", multiple=True, metavar="METRIC=LIMIT", help="Without a file: at least so much.")
@click.option("--vs-base", "grown", multiple=True, metavar="METRIC=+CHANGE", help="Without a file: mult_adds=+1%.")
@setting_options
@click.option("--convention", "-c", default="paper", metavar="NAME", help="With --max, --min and --vs-base. [paper]")
@click.option("--strict", is_flag=True, help="Fail also for what was over its limit before.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 when a limit is broken.")
@click.option("--update", is_flag=True, help="Raise the limits that are broken to what is there now.")
@click.option("--tighten", is_flag=True, help="Lower all limits to what is there now.")
@click.option("--format", "-f", type=click.Choice(FORMATS), help="Output format.")
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE; its ending says the format.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
def command(paths, config, base, strict, exit_zero, update, tighten, format, as_json, output, color, **given):
    """Cost budgets: what a change of a design costs, and whether it may.

    The limits are in costcalc.yaml (see docs/budgets.md), in a spec's own `budget:`, or in options. The cost before
    the change is worked out from git: nothing is stored. With SPECs, only these are checked.

    Exit codes: 0 within all limits, 1 over one, 2 when a limit could not be judged.

    \b
    Examples:
      costcalc check
      costcalc check --base main --format github
      costcalc check mobilenet --max mult_adds=600M --max params=4.3M
      costcalc check my_net.yaml --alpha 0.5 --max any_layer.params=90%
    """
    from ..budget.updating import updated
    from .checking import Run

    run = Run(paths, config, base, given)
    outcomes = run.outcomes()
    code = exit_code(outcomes, strict, exit_zero)
    verdict(code)
    if update or tighten:
        if any(outcome.problems for outcome in outcomes):
            run.show(outcomes, "table", None, color)
            raise click.exceptions.Exit(CANNOT)
        click.echo("\n".join(updated(outcomes, tighten)))
        raise click.exceptions.Exit(OK)
    run.show(outcomes, "json" if as_json else format, output, color)
    raise click.exceptions.Exit(code)


def exit_code(outcomes, strict=False, exit_zero=False):
    """0 within all limits, 1 over one, 2 when one could not be judged."""
    states = {outcome.state for outcome in outcomes}
    if "error" in states:
        return CANNOT
    over = "fail" in states or (strict and "warn" in states)
    return FAILED if over and not exit_zero else OK
