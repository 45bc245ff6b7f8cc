"""costcalc limits"""

from __future__ import annotations

import click

from .options import Output, output_options


@click.command()
@output_options
def command(out: Output) -> None:
    """The limits on input: specs and models come from strangers, and each limit bounds time or memory.

    Those that can be raised are raised for one run by the environment variable COSTCALC_LIMITS.

    \b
    Examples:
      costcalc limits
      costcalc limits --json
    """
    from .bounds import LimitsPage

    out.show(LimitsPage())
