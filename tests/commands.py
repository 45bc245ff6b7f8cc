"""The commands as the program describes them, so that tests cover new commands without a manual list."""

import click

from costcalc.cli import cli
from costcalc.cli.commands import COMMANDS
from costcalc.cli.completion import SPECS


def params(name):
    """The arguments and options of a command."""
    return cli.get_command(None, name).params


TAKING = {name for name in COMMANDS if any(type(one) is click.Argument and one.name in SPECS for one in params(name))}
WITH_JSON = {name for name in COMMANDS if any("--json" in one.opts for one in params(name))}


def examples(name):
    """The lines under `Examples:` in the help of a command; '' is the program itself."""
    command = cli.get_command(None, name) if name else cli
    return [line.strip() for line in (command.help or "").partition("Examples:")[2].splitlines() if line.strip()]


def lines(name):
    """The arguments of a command's examples that need no user files."""
    found = [line.removeprefix(f"costcalc {name}").strip() for line in examples(name)]
    return [line for line in found if "my_net" not in line and " -o " not in line and "main" not in line]
