"""The commands: what each is for, its file, how it may end, and the options that all have."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module

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
        option("-q", "--quiet", is_flag=True, help="Print only the result and errors: no notes, no progress.")
    ]
    if has_tables:
        units = click.Choice(["M", "G"])
        found += [
            option("-v", "--verbose", is_flag=True, help="Print the last line under a table in full."),
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


GROUPS = {  # heading -> name -> what it is for
    "Cost": {
        "analyze": "What a network costs, layer by layer.",
        "explain": "The calculation behind a layer's numbers.",
        "devices": "The shipped devices for `analyze --device`, with sources.",
        "page": "A network as one HTML file, to look at and send.",
        "serve": "An editor beside the views of `page`, on this machine.",
        "memory": "What tensors need at once, where, and which they are.",
        "training": "What it costs to train it: both passes, kept tensors, memory.",
        "formula": "The cost as a closed form in the spec's variables.",
    },
    "Explore": {
        "sweep": "Costs over any variables: one row per point.",
        "fit": "The largest settings of variables within budgets.",
        "plot": "Plot a sweep, as in Figures 4 and 5 of MobileNets.",
        "space": "How many networks a space of designs has, and how many fit.",
        "search": "The networks of a space that score best within budgets.",
        "survey": "The cost of every model in some directories.",
    },
    "Compare and check": {
        "compare": "Compare specs, settings, or standard with separable.",
        "diff": "The cost of an edit, between specs or git revisions.",
        "check": "Check cost budgets, also against a git revision.",
    },
    "Evidence": {
        "conventions": "Counting conventions and their prices.",
        "reconcile": "Why two counts differ, or what a published number includes.",
        "reproduce": "Compare published figures with computed ones.",
        "bench": "How long networks take here, beside their mult-adds.",
        "selftest": "Check every operation against brute force.",
    },
    "Models and specs": {
        "zoo": "The shipped configs.",
        "import": "Write a model as an editable spec.",
        "export": "Write a network as an ONNX model or a PyTorch module.",
        "ops": "The operations and blocks of the spec language.",
        "schema": "A JSON Schema of the spec language, for editors.",
        "validate": "Check that specs can be read and built.",
    },
    "Help": {
        "help": "The help of a command.",
        "limits": "The limits on input, and how to raise them.",
        "completion": "Completion for bash, zsh and fish.",
    },
}
COMMANDS = {name: about for group in GROUPS.values() for name, about in group.items()}

OK, FAILED, CANNOT, BUG = 0, 1, 2, 101


def command(name: str) -> click.Command:
    """The command of that name, its file loaded, with the options that all have."""
    found: click.Command = import_module(f"{__package__}.{'import_' if name == 'import' else name}").command
    if not any(param.name == "quiet" for param in found.params):
        found.params += [*common_options(any(param.name == "color" for param in found.params)), help_option()]
        found.add_help_option = False
    return found
