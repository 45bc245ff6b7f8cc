"""costcalc diff"""

from __future__ import annotations

from typing import Any

import click

from ..errors import OptionError, Problem
from .commands import CANNOT, FAILED, OK
from .options import Asked, Output, convention_option, output_options, setting_options


@click.command()
@click.argument("old", required=False, metavar="[OLD|SPEC]")
@click.argument("new", required=False, metavar="[NEW]")
@click.option("--base", metavar="REF", help="Compare SPEC, or all that changed, with this git revision.")
@setting_options
@convention_option()
@click.option("--exit-code", is_flag=True, help="Exit with 1 if a total rose, and with 2 if that is unknown.")
@output_options
def command(
    old: str | None,
    new: str | None,
    base: str | None,
    asked: Asked,
    convention: str,
    exit_code: bool,
    out: Output,
) -> None:
    """Show the cost of an edit: layers added, removed, changed, moved.

    Without a spec, it shows all specs that the nearest costcalc.yaml names and all that differ from the base, the
    largest change first. Layers are matched by what they are, not by position: inserting a layer does not mark the
    later layers as new.

    \b
    Examples:
      costcalc diff before.yaml after.yaml
      costcalc diff my_net.yaml --base main
      costcalc diff --base main
      costcalc diff my_net.yaml --base HEAD --exit-code --format md
    """
    from ..analysis.compare.compare import diff

    if old is None:
        return _all(base, convention, exit_code, asked, out)
    difference = diff(old, new, base=base, convention=convention, rho=asked.multiplier, settings=asked.plain)
    return out.show(difference.page(), _code(difference) if exit_code else OK)


def _code(found: Any) -> int:
    """Exit code of a comparison: a total rose, may have risen unnoticed, or neither."""
    return FAILED if found.rose else CANNOT if found.may_have_risen else OK


def _all(base: str | None, convention: str, exit_code: bool, asked: Asked, out: Output) -> None:
    """Show the changes of all specs."""
    from ..budget.changes import changes

    if base is None or asked != Asked(None, None):
        help = "costcalc diff OLD NEW, costcalc diff SPEC --base REF, or costcalc diff --base REF for all"
        raise OptionError(Problem("usage", "give a spec, or `--base` alone", help=help))
    page = changes(base, convention)
    out.show(page, _code(page) if exit_code else OK)
