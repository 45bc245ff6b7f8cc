"""The command line. One file per command, imported when the command is run."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from .commands import CANNOT, COMMANDS, FAILED, GROUPS, HELP, OK, command, help_option, manner, reset, saying

if TYPE_CHECKING:
    from ..files import Stamp
    from .options import SpecCommand


ENDS = {
    "Exit codes": "0 success; 1 a check failed, or a total rose; 2 the command could not run; 101 a bug in costcalc",
    "Environment": "COSTCALC_LIMITS raises the limits on input (costcalc limits); NO_COLOR, FORCE_COLOR; COLUMNS",
}


class Commands(click.Group):
    """Find commands by name without importing the others."""

    def list_commands(self, ctx: click.Context) -> Any:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context | None, name: str) -> SpecCommand | click.Command | None:
        if name not in COMMANDS:
            return None
        return command(name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from ..errors import OptionError, Problem, listed, nearest

            help = nearest(args[0], COMMANDS) or f"commands: {listed(COMMANDS)}"
            raise OptionError(Problem("unknown-command", f"there is no command `{args[0]}`", help=help))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: Any) -> None:
        for heading, group in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:{max(map(len, COMMANDS))}}", about) for name, about in group.items()])
        for heading, text in ENDS.items():
            with formatter.section(heading):
                formatter.write_text(text)


@click.command(cls=Commands, context_settings={"help_option_names": [*HELP]}, add_help_option=False)
def cli() -> None:
    """What does this neural network cost, before anyone trains it?

    \b
    Examples:
      costcalc analyze mobilenet.yaml --alpha 0.75 --res 160
      costcalc analyze my_net.yaml --by type --format csv
      costcalc ops conv
    """


cli.params += [saying("--version", say=lambda _: f"costcalc {__version__}"), help_option()]


def main(args: list[str] | None = None) -> None:
    """Run the program and exit: 0 success, 1 a check failed, 2 could not run, 101 a bug."""
    from .streams import all_there, errors_inert, stopped_cleanly

    all_there()
    args = sys.argv[1:] if args is None else list(args)
    with stopped_cleanly(), errors_inert():
        code = _watched(args, *_recorded(args))
    gc.freeze()  # a last garbage collection would only take time
    sys.exit(code)


def _recorded(args: list[str]) -> tuple[int, dict[str, Stamp]]:
    """Run once; return the exit code and the files that were read."""
    from ..files import record

    read = record()
    return _run(args), read


def _watched(args: list[str], code: int, read: dict[str, Stamp]) -> int:
    """Run again at each change of a file that was read, if the run requested it; return the exit code."""
    if not manner().watch:
        return code
    from .watch import again

    try:
        return again(lambda: _recorded(args), code, read)
    except KeyboardInterrupt:
        return 130


def _run(args: list[str]) -> int:
    from .streams import hush

    verdict(OK)
    reset()
    code = OK
    try:
        with _limits(os.environ.get("COSTCALC_LIMITS")):
            code = _invoked(args or ["--help"])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader closed our output
        hush()
        reset()
        code = _verdict.get()
    except KeyboardInterrupt:
        reset()
        code = 130
    except Exception as error:  # every failure becomes one clear message and its exit code
        from .failures import report_failure

        code = report_failure(error, args)
        if isinstance(error, OSError):
            hush()
        if isinstance(error, OSError) or code not in (OK, FAILED, CANNOT):
            reset()
    return code


def _limits(text: str | None) -> AbstractContextManager[None]:
    """Limits of this run, raised as in the environment."""
    if not text:
        return nullcontext()
    from ..limits import raised
    from .bounds import asked

    return raised(**asked(text))


def verdict(code: int) -> None:
    """Record the exit code before the output is written, in case the reader closes the pipe first."""
    _verdict.set(code)


_verdict: ContextVar[int] = ContextVar("verdict", default=OK)


def _invoked(args: list[str]) -> int:
    """Invoke a command; return its exit code. Click's own `main` reports a broken pipe as a failure."""
    if "_COSTCALC_COMPLETE" in os.environ:  # a shell requests completions
        from .completion import answer

        answer()
        return OK
    from ..allowance import ticking, within

    try:
        with cli.make_context("costcalc", args) as ctx, within("run_seconds", "this command"), ticking():
            cli.invoke(ctx)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    return OK
