"""How much a run says beside its result: -q leaves notes and progress out, -v adds what a terminal has no line for."""

from __future__ import annotations

from contextvars import ContextVar

import click

from ..records import NamedTuple


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


def note(text: str) -> None:
    """Say something beside the result, unless -q."""
    if not manner().quiet:
        click.echo(f"note: {text}", err=True)
