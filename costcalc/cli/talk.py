"""How much a run says beside its result: -q leaves notes and progress out, -v adds what a terminal has no line for."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

import click

from ..errors import OptionError, Problem
from ..records import NamedTuple
from ..render.text import inert

HELP = ("-h", "--help")


class Manner(NamedTuple):
    """What the options of this run ask for."""

    quiet: bool = False
    verbose: bool = False
    units: str = ""
    watch: bool = False


_PLAIN = Manner()
_now: ContextVar[Manner] = ContextVar("manner", default=_PLAIN)


def manner() -> Manner:
    """The manner of this run."""
    return _now.get()


def reset() -> None:
    """Begin a run: nothing is asked for."""
    _now.set(_PLAIN)


def _set(ctx: click.Context, param: click.Parameter, value: bool | str) -> None:
    if value and param.name:
        _now.set(Manner(**{**manner()._asdict(), param.name: value}))


def option(*names: str, **how: object) -> click.Option:
    """An option that sets the manner of the run."""
    return click.Option(names, expose_value=False, callback=_set, is_eager=True, **how)  # type: ignore[arg-type]


def common_options(has_tables: bool) -> list[click.Parameter]:
    """-q; of commands with tables -v and --units too."""
    found: list[click.Parameter] = [
        option("-q", "--quiet", is_flag=True, help="The result and errors only: no notes, no progress.")
    ]
    if has_tables:
        units = click.Choice(["M", "G"])
        found += [
            option("-v", "--verbose", is_flag=True, help="All that the last line of a table is cut from."),
            option("--units", type=units, help="Counts in millions or billions; CSV and JSON stay exact."),
        ]
    return found


def saying(*names: str, say: Callable[[click.Context], str], help: str = "Show the version and exit.") -> click.Option:
    """An option that says something, and ends the run."""

    def answer(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(say(ctx))
            ctx.exit()

    return click.Option(names, is_flag=True, is_eager=True, expose_value=False, callback=answer, help=help)


def help_option() -> click.Option:
    """-h. Click's own looks for a translation of its help on the disk at each start."""
    return saying(*HELP, say=lambda ctx: ctx.get_help(), help="Show this message and exit.")


def watch_option(command: click.Command) -> click.Command:
    """--watch, as a decorator of a finished command."""
    command.params.append(option("--watch", is_flag=True, help="Run again when a file that was read changes."))
    return command


def refuse(watched: object, why: str) -> None:
    """Refuse --watch beside what has no files, or writes those it reads. Raises OptionError."""
    if manner().watch and watched:
        raise OptionError(Problem("usage", f"`--watch` runs again when a file changes, and {why}"))


def say(text: str) -> None:
    """Say a result that is no page."""
    click.echo(inert(text))


def note(text: str) -> None:
    """Say something beside the result, unless -q."""
    if not manner().quiet:
        click.echo(f"note: {text}", err=True)
