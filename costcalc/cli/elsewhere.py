"""What was asked of one command and is done by another: loaded when a command line cannot be run."""

from __future__ import annotations

import os

from ..errors import brief
from .commands import COMMANDS, command


def commands_with(option: str) -> list[str]:
    """The commands that have an option, as they are called."""
    found = [name for name in COMMANDS if any(option in param.opts for param in command(name).params)]
    return [f"costcalc {name}" for name in found]


def for_several(args: list[str]) -> str | None:
    """What to write when `analyze`, which takes one spec, is given several; None when it is given other things."""
    from ..files import configs

    specs = [arg for arg in args[1:] if os.path.isfile(arg) or arg.removesuffix(".yaml") in configs()]
    several = args[:1] == ["analyze"] and len(specs) > 1
    return f"`costcalc compare {' '.join(map(brief, specs))}` sets them side by side" if several else None
