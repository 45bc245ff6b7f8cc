"""costcalc diff"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import verdict
from .commands import FAILED
from .options import factor, output_options, set_values, setting_options

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("old", metavar="OLD|SPEC")
@click.argument("new", required=False, metavar="[NEW]")
@click.option("--base", metavar="REF", help="Compare SPEC with itself at this git revision.")
@setting_options
@click.option(
    *("--convention", "-c"),
    default="paper",
    show_default=True,
    metavar="NAME",
    help="Counting convention (see `costcalc conventions`).",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if a total rose.")
@output_options
def command(
    old: str,
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

    Layers are matched by what they are, not by position: inserting a layer does not mark the later ones as new.

    \b
    Examples:
      costcalc diff before.yaml after.yaml
      costcalc diff my_net.yaml --base main
      costcalc diff my_net.yaml --base HEAD --exit-code --format md
    """
    from ..analysis.compare.compare import diff
    from .output import show

    settings, multiplier = set_values(alpha, res, sets), factor("rho", rho)
    found = diff(old, new, base=base, convention=convention, rho=multiplier, settings=settings)
    if exit_code and found.rose:
        verdict(FAILED)
    show(found.page(), format, as_json, output, color)
    if exit_code and found.rose:
        raise click.exceptions.Exit(FAILED)
