"""costcalc conventions"""

from __future__ import annotations

from typing import Any

import click

from ..errors import OptionError, Problem
from .options import Output, output_options


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--terms", is_flag=True, help="List everything that can be priced, with the operations that have it.")
@output_options
def command(name: str | None, terms: bool, out: Output) -> None:
    """List the counting conventions, or show the prices of one.

    NAME is a name in the list, or the path of your own price list (docs/conventions.md). For the conventions of other
    programs, each price names the function that it mirrors. Figures that no price list gives are listed with reasons.

    \b
    Examples:
      costcalc conventions
      costcalc conventions thop
      costcalc conventions torchinfo --json
      costcalc conventions --terms
    """
    if name is not None and terms:
        raise OptionError(Problem("usage", "--terms lists everything that can be priced and takes no name"))
    out.show(_page(name, terms))


def _page(name: str | None, terms: bool) -> Any:
    from ..analysis.catalogue.prices import ConventionPage, ConventionsPage, TermsPage

    if terms:
        return TermsPage()
    if name is None:
        return ConventionsPage()
    from ..metrics.conventions import price_list

    return ConventionPage(price_list(name))
