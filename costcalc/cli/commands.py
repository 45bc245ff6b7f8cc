"""The commands: purpose, file, exit codes and common options."""

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
    """Common options of the current run."""

    quiet: bool = False
    verbose: bool = False
    units: str = ""
    watch: bool = False


_PLAIN = Manner()
_now: ContextVar[Manner] = ContextVar("manner", default=_PLAIN)


def manner() -> Manner:
    """Common options of the current run."""
    return _now.get()


def reset() -> None:
    """Start a run with default options."""
    _now.set(_PLAIN)


def _set(ctx: click.Context, param: click.Parameter, value: bool | str) -> None:
    if value and param.name:
        _now.set(Manner(**{**manner()._asdict(), param.name: value}))


def option(*names: str, **how: object) -> click.Option:
    """A common option of all commands."""
    return click.Option(names, expose_value=False, callback=_set, is_eager=True, **how)  # type: ignore[arg-type]


def common_options(has_tables: bool) -> list[click.Parameter]:
    """-q, and for commands with tables -v and --units."""
    options: list[click.Parameter] = [
        option("-q", "--quiet", is_flag=True, help="Print only the result and errors: no notes, no progress.")
    ]
    if has_tables:
        units = click.Choice(["M", "G"])
        options += [
            option("-v", "--verbose", is_flag=True, help="Print the last line under a table in full."),
            option("--units", type=units, help="Counts in millions or billions; CSV and JSON stay exact."),
        ]
    return options


def saying(*names: str, say: Callable[[click.Context], str], help: str = "Show the version and exit.") -> click.Option:
    """An option that prints a text and ends the run."""

    def answer(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(say(ctx))
            ctx.exit()

    return click.Option(names, is_flag=True, is_eager=True, expose_value=False, callback=answer, help=help)


def help_option() -> click.Option:
    """-h. Click's own help option searches the disk for a translation at each start."""
    return saying(*HELP, say=lambda ctx: ctx.get_help(), help="Show this message and exit.")


def watch_option(command: click.Command) -> click.Command:
    """Add --watch to a finished command, as a decorator."""
    command.params.append(option("--watch", is_flag=True, help="Run again when a file that was read changes."))
    return command


def refuse(watched: object, why: str) -> None:
    """Refuse --watch for a command that reads no files or changes them. Raises OptionError."""
    if manner().watch and watched:
        raise OptionError(Problem("usage", f"`--watch` runs again when a file changes, and {why}"))


def say(text: str) -> None:
    """Print a result that is not a page."""
    click.echo(inert(text))


def note(text: str) -> None:
    """Print a note on standard error, unless -q."""
    if not manner().quiet:
        click.echo(f"note: {text}", err=True)


GROUPS = {  # heading -> name -> purpose
    "Cost": {
        "analyze": "Compute the cost of a network, layer by layer.",
        "explain": "Show how a layer's figures are calculated.",
        "devices": "List the shipped devices for `analyze --device`, with sources.",
        "page": "Write a network as one interactive HTML file.",
        "serve": "Run an editor beside the views of `page`, on this machine.",
        "memory": "Compute the peak memory of a network's tensors.",
        "training": "Compute the cost of training: both passes, saved tensors, memory.",
        "formula": "Derive the cost as a closed form in the spec's variables.",
    },
    "Explore": {
        "sweep": "Compute costs over any variables: one row per point.",
        "fit": "Find the largest settings of variables within budgets.",
        "plot": "Plot a sweep, as in Figures 4 and 5 of MobileNets.",
        "space": "Count the networks of a space of designs, and those that fit.",
        "search": "Find the best-scoring networks of a space within budgets.",
        "survey": "Compute the cost of every model in some directories.",
    },
    "Compare and check": {
        "compare": "Compare specs, settings, or kinds of convolutions.",
        "diff": "Show the cost of an edit, between specs or git revisions.",
        "check": "Check cost budgets, also against a git revision.",
    },
    "Evidence": {
        "conventions": "List counting conventions and their prices.",
        "reconcile": "Explain why counts differ, or what a published number includes.",
        "reproduce": "Compare published figures with computed ones.",
        "bench": "Time networks on this machine, beside their mult-adds.",
        "selftest": "Check every operation against brute force.",
    },
    "Models and specs": {
        "zoo": "List the shipped configs, or print one.",
        "import": "Write a model as an editable spec.",
        "export": "Write a network as an ONNX model or a PyTorch module.",
        "ops": "List the operations and blocks of the spec language.",
        "schema": "Print a JSON Schema of the spec language, for editors.",
        "validate": "Check that specs can be read and built.",
    },
    "Help": {
        "help": "Show the help of a command.",
        "limits": "Show the limits on input, and how to raise them.",
        "completion": "Print completion scripts for bash, zsh and fish.",
    },
}
COMMANDS = {name: about for group in GROUPS.values() for name, about in group.items()}

OK, FAILED, CANNOT, BUG = 0, 1, 2, 101


def command(name: str) -> click.Command:
    """Load a command by name, with the common options."""
    loaded: click.Command = import_module(f"{__package__}.{'import_' if name == 'import' else name}").command
    if not any(param.name == "quiet" for param in loaded.params):
        loaded.params += [*common_options(any(param.name == "color" for param in loaded.params)), help_option()]
        loaded.add_help_option = False
    return loaded
