"""costcalc check"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import click

from .. import render
from ..errors import OptionError, Problem
from . import verdict
from .commands import CANNOT, FAILED, OK, refuse, say, watch_option
from .options import MetricsCommand, Output, convention_option, factor, metrics_option, outputs, setting_options

if TYPE_CHECKING:
    from fractions import Fraction

    from ..budget.verdict import Checked, Outcome


FORMATS = (*render.FORMATS, "github", "gitlab", "junit", "sarif")
SUFFIXES = {".xml": "junit", ".sarif": "sarif"}


@watch_option
@click.command(cls=MetricsCommand)
@click.argument("paths", nargs=-1, metavar="[SPEC..]")
@click.option("--config", metavar="FILE", help="File of checks. [default: the nearest costcalc.yaml, here or above]")
@click.option("--base", metavar="REF", help="Git revision to compare with. [default: the merge base]")
@click.option("--max", multiple=True, metavar="METRIC=LIMIT", help="Upper limit, e.g. mult_adds=170M; no file needed.")
@click.option("--min", multiple=True, metavar="METRIC=LIMIT", help="Lower limit, e.g. mult_adds=100M; no file needed.")
@click.option(
    "--vs-base",
    multiple=True,
    metavar="METRIC=+CHANGE",
    help="Limit of a change, e.g. mult_adds=+1%; no file needed.",
)
@setting_options
@convention_option(help="Convention of --max, --min and --vs-base.")
@metrics_option("Totals to show beside the limits, now and at the base.")
@click.option(
    "--strict", is_flag=True, help="Fail on what is otherwise a warning: limits broken at the base, level warn."
)
@click.option("--strict-base", is_flag=True, help="Also fail on limits broken at the base: for the default branch.")
@click.option("--locked", is_flag=True, help="Fail if a limit was raised, removed or excepted since the base.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 if a limit is broken; still 2 if one cannot be judged.")
@click.option("--update", is_flag=True, help="Raise broken limits to the current cost; record exceptions from vs_base.")
@click.option("--tighten", is_flag=True, help="Lower met limits to the current cost.")
@click.option("--margin", metavar="PERCENT", help="With --tighten: room to leave, e.g. 5%.")
@outputs(SUFFIXES, FORMATS)
def command(
    paths: tuple[str, ...],
    config: str | None,
    base: str | None,
    strict: bool,
    strict_base: bool,
    locked: bool,
    exit_zero: bool,
    update: bool,
    tighten: bool,
    margin: str | None,
    out: Output,
    **given: Any,
) -> NoReturn:
    """Check cost budgets, also against a git revision.

    The limits are in costcalc.yaml (see docs/budgets.md), in a spec's own `budget:`, or in options. The cost before
    the change is computed from git; no baseline is stored. With SPECs or directories, only these are checked.

    Limits raised, removed or excepted since the base are shown first; with --locked, they fail the check.

    Exit codes: 0 all limits are met, 1 a limit is broken, 2 a limit could not be judged.

    \b
    Examples:
      costcalc check
      costcalc check --base main --format github
      costcalc check mobilenet --max mult_adds=600M --max params=4.3M
      costcalc check my_net.yaml --alpha 0.5 --max any_layer.params=90%
      costcalc check --metrics mult_adds,weights_bytes --format md
    """
    from .checking import checked_by, show

    room = _margin(margin, tighten)
    if locked and (update or tighten):
        raise OptionError(Problem("usage", "`--locked` fails when limits change, and this would change them"))
    _check_shown(given["metrics"], update or tighten, out)
    checked = checked_by(paths, config, base, given, out, locked)
    broken = [*(checked.loosened if locked else ()), *(already_over(checked.outcomes) if strict_base else ())]
    code = exit_code(checked.outcomes, strict, exit_zero, broken)
    verdict(code)
    if (update or tighten) and code != CANNOT:
        raise click.exceptions.Exit(rewrite(checked, update, room, code))
    show(checked, out)
    raise click.exceptions.Exit(code)


def _check_shown(metrics: tuple[str, ...], rewrites: bool, out: Output) -> None:
    """Refuse `--metrics` if nothing would show them, and `--watch` if files are changed."""
    refuse(rewrites, "this changes files")
    if metrics and rewrites:
        raise OptionError(Problem("usage", "`--metrics` cannot be used with `--update` or `--tighten`"))
    if metrics and (format := out.form()) in ("github", "gitlab", "junit", "sarif"):
        raise OptionError(
            Problem("usage", f"`--metrics` is not shown in {format}", help="--format md, json, csv or table")
        )


def rewrite(checked: Checked, update: bool, room: Fraction | None, code: int) -> int:
    """Rewrite limits and print the changes; return the exit code, which is unchanged while limits are broken."""
    from ..budget.updating import updated
    from ..render.framed import printed

    edits = updated(checked, update, room)
    code = OK if update else code
    verdict(code)
    lines = [printed(edit.line) for edit in edits] or ["no limit needs a change"]
    if code == FAILED:
        lines.append("--tighten does not change broken limits: costcalc check lists them")
    say("\n".join(lines))
    return code


def already_over(outcomes: list[Outcome]) -> list[Any]:
    """Limits of level error that were broken at the base and did not get worse."""
    from ..budget.verdict import ALREADY

    checks = (outcome for outcome in outcomes if outcome.check.level == "error")
    return [verdict for outcome in checks for verdict in outcome.verdicts if verdict.status == ALREADY]


def exit_code(outcomes: list[Outcome], strict: bool = False, exit_zero: bool = False, broken: Any = ()) -> int:
    """0 within all limits, 1 over one, 2 if one could not be judged."""
    states = {outcome.state for outcome in outcomes}
    if "error" in states:
        return CANNOT
    over = "fail" in states or (strict and "warn" in states) or broken
    return FAILED if over and not exit_zero else OK


def _margin(text: str | None, tighten: bool) -> Fraction | None:
    """Margin that --tighten keeps, as a share; None without it."""
    from fractions import Fraction

    if text is not None and not tighten:
        raise OptionError(Problem("usage", "`--margin` is for --tighten"))
    if not tighten:
        return None
    share = Fraction(str(factor("margin", text.removesuffix("%")))) / 100 if text else Fraction(0)
    return share
