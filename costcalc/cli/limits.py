"""costcalc limits"""

from __future__ import annotations

import click

from .options import Output, output_options


@click.command()
@output_options
def command(out: Output) -> None:
    """Show the limits on input. They bound time and memory for untrusted specs and models.

    The environment variable COSTCALC_LIMITS raises limits for one run.

    \b
    Examples:
      costcalc limits
      costcalc limits --json
    """
    from .bounds import LimitsPage

    out.show(LimitsPage())
