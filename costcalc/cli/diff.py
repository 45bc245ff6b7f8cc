"""costcalc diff"""

from __future__ import annotations

from typing import Any

import click

from . import verdict
from .commands import CANNOT, FAILED, OK
from .options import factor, output_options, set_values, setting_options


@click.command()
@click.argument("old", required=False, metavar="[OLD|SPEC]")
@click.argument("new", required=False, metavar="[NEW]")
@click.option("--base", metavar="REF", help="Compare SPEC, or all that changed, with this git revision.")
@setting_options
@click.option(
    *("--convention", "-c"),
    default="paper",
    show_default=True,
    metavar="NAME",
    help="Counting convention (see `costcalc conventions`).",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if a total rose, and with 2 if that is not known.")
@output_options
def command(
    old: str | None,
    new: str | None,
    base: str | None,
    alpha: Any,
    res: Any,
    rho: Any,
    sets: tuple[Any, ...],
    convention: str,
    exit_code: bool,
    format: str | None,
    as_json: bool,
    output: str | None,
    color: str,
) -> None:
    """The cost of an edit: layers added, removed, changed, moved.

    Without a spec, all specs that the nearest costcalc.yaml names and those that differ from the base, the largest
    movers first. Layers are matched by what they are, not by position: inserting a layer does not mark the later ones
    as new.

    \b
    Examples:
      costcalc diff before.yaml after.yaml
      costcalc diff my_net.yaml --base main
      costcalc diff --base main
      costcalc diff my_net.yaml --base HEAD --exit-code --format md
    """
    from ..analysis.compare.compare import diff
    from .output import show

    if old is None:
        _all(base, convention, exit_code, (alpha, res, rho, *sets), (format, as_json, output, color))
        return
    settings, multiplier = set_values(alpha, res, sets), factor("rho", rho)
    found = diff(old, new, base=base, convention=convention, rho=multiplier, settings=settings)
    code = _code(found) if exit_code else OK
    verdict(code)
    show(found.page(), format, as_json, output, color)
    if code:
        raise click.exceptions.Exit(code)


def _code(found: Any) -> int:
    """The exit code of a comparison: a total rose, or may have risen unseen, or neither."""
    return FAILED if found.rose else CANNOT if found.may_have_risen else OK


def _all(base: str | None, convention: str, exit_code: bool, given: tuple[Any, ...], how: tuple[Any, ...]) -> None:
    """Show what moved of all specs."""
    from ..budget.changes import changes
    from ..errors import OptionError, Problem
    from .output import show

    if base is None or any(one is not None for one in given):
        help = "costcalc diff OLD NEW, costcalc diff SPEC --base REF, or costcalc diff --base REF for all"
        raise OptionError(Problem("usage", "give a spec, or `--base` alone", help=help))
    page = changes(base, convention)
    code = _code(page) if exit_code else OK
    verdict(code)
    show(page, *how)
    if code:
        raise click.exceptions.Exit(code)
