"""costcalc limits"""

from __future__ import annotations

from typing import Any

import click

from .options import output_options


@click.command()
@output_options
def command(**how: Any) -> None:
    """The limits on input: specs and models come from strangers, and each limit bounds time or memory.

    Those that can be raised are raised for one run by the environment variable COSTCALC_LIMITS.

    \b
    Examples:
      costcalc limits
      costcalc limits --json
    """
    from .bounds import LimitsPage
    from .output import show

    show(LimitsPage(), **how)
