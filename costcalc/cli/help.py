"""costcalc help"""

from __future__ import annotations

import click

from ..errors import OptionError, Problem, brief, listed, nearest
from .commands import COMMANDS
from .commands import command as command_of


@click.command()
@click.argument("name", required=False, metavar="[COMMAND]")
@click.pass_context
def command(ctx: click.Context, name: str | None) -> None:
    """Show the help of a command: `costcalc help analyze` is `costcalc analyze --help`.

    \b
    Examples:
      costcalc help
      costcalc help analyze
    """
    above = ctx.parent or ctx
    if name is None:
        click.echo(above.get_help())
        return
    if name not in COMMANDS:
        help = nearest(name, COMMANDS) or f"commands: {listed(COMMANDS)}"
        raise OptionError(Problem("unknown-command", f"there is no command `{brief(name)}`", help=help))
    target = command_of(name)
    with click.Context(target, info_name=name, parent=above) as inner:
        click.echo(target.get_help(inner))
