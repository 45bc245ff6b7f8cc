"""costcalc limits"""

from __future__ import annotations

import click

from .options import Output, output_options


@click.command()
@output_options
def command(out: Output) -> None:
    """The limits on input: specs and models come from strangers, and each limit bounds time or memory.

    The environment variable COSTCALC_LIMITS raises limits for one run.

    \b
    Examples:
      costcalc limits
      costcalc limits --json
    """
    from .bounds import LimitsPage

    out.show(LimitsPage())
