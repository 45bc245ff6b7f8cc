"""Options shared by commands, the destination of their output, and the variables of a spec as options."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from ..errors import CostcalcError, FileError, OptionError, Problem, brief, listed, nearest
from ..quantities import read_value
from ..records import NamedTuple
from ..render import FORMATS, SUFFIXES, Screen, render_page
from ..render.text import inert, printable
from . import verdict
from .commands import OK, manner

if TYPE_CHECKING:
    from ..model.network import Model, Variable
    from ..render.sheet import Page


class Output(NamedTuple):
    """Destination and format of a result: --format, --json, -o and --color."""

    format: str | None
    as_json: bool
    output: str | None
    color: str
    suffixes: Mapping[str, str]  # format by suffix, in addition to the common ones

    @property
    def is_screen(self) -> bool:
        """Whether the result goes to standard output."""
        return self.output in (None, "-")

    @property
    def screen(self) -> Screen:
        """Screen that the result is rendered for."""
        from .terminal import screen

        return screen(self.color) if self.is_screen else Screen(units=manner().units)

    def form(self) -> str:
        """The requested format, or that of the file's suffix, or `table`. Raises OptionError."""
        if self.as_json or self.format:
            return "json" if self.as_json else str(self.format)
        return "table" if self.is_screen else format_for(self.output, {**SUFFIXES, **self.suffixes})

    def show(self, page: Page, code: int = OK) -> None:
        """Write a page, and end the run if the code is not OK."""
        verdict(code)
        self.deliver_page(render_page(page, self.form(), self.screen))
        if code != OK:
            raise click.exceptions.Exit(code)

    def deliver(self, data: str | bytes) -> None:
        """Write a rendered result."""
        deliver(data, self.output)

    def deliver_page(self, text: str) -> None:
        """Write a rendered page; text for human readers is escaped so that a CI log contains no commands."""
        self.deliver(inert(text) if self.is_screen and self.form() in ("table", "md", "latex") else text)


def deliver(data: str | bytes, path: str | None = None) -> None:
    """Write a result to standard output, or to a file that appears only when it is complete."""
    with writing(path, binary=type(data) is bytes) as out:
        out.write(data)


@contextmanager
def writing(path: str | None = None, binary: bool = False) -> Iterator[Any]:
    """Open a file for a result: standard output, or a temporary file beside `path` that replaces it at the end.

    If an error occurs, `path` is unchanged.
    """
    if path is None or path == "-":
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        yield _of_bytes() if binary else sys.stdout
        sys.stdout.flush()
        return
    from ..replacing import replacing

    with replacing(path, binary) as file:
        yield file


def _of_bytes() -> Any:
    """Standard output for bytes. Raises FileError if a program captures it as text."""
    if not hasattr(sys.stdout, "buffer"):
        raise FileError(Problem("unwritable", "standard output takes only text here", help="name a file: -o FILE"))
    return sys.stdout.buffer


def format_for(path: str | None, suffixes: Mapping[str, str]) -> str:
    """Format of a file's suffix. Raises OptionError."""
    suffix = os.path.splitext(path or "")[1].lower()
    if suffix not in suffixes:
        known = ", ".join(suffixes)
        raise OptionError(
            Problem("unknown-format", f"no format ends in `{suffix}`", help=f"known: {known}; or --format")
        )
    return suffixes[suffix]


class MetricsCommand(click.Command):
    """A command whose help lists the metrics for --metrics."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if any(param.name == "metrics" for param in self.params):
            from ..metrics.metrics import METRICS

            with formatter.section("Metrics, and those of other conventions as framework.params"):
                formatter.write_dl([(one.name, one.what) for one in METRICS.values()])
        super().format_epilog(ctx, formatter)


class SpecCommand(MetricsCommand):
    """A command on a spec: `--NAME VALUE` sets any variable that the spec declares."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[Any]:
        """Separate the options that are variables of the spec from the arguments."""
        known = {opt for param in self.params for opt in (*param.opts, *param.secondary_opts)}
        known |= set(ctx.help_option_names)
        kept, pairs = _taken(list(args), known)
        ctx.meta["variables"], ctx.meta["known"] = pairs, known
        ctx.meta["raw"] = [arg for arg in kept if not arg.startswith("-")]
        return super().parse_args(ctx, kept)

    def format_epilog(self, ctx: click.Context, formatter: Any) -> None:
        """List the variables of the specs on the command line."""
        for spec in ctx.meta.get("raw", ()):
            rows = _declared(spec)
            if rows:
                with formatter.section(f"Variables of {printable(spec)}"):
                    formatter.write_dl(rows)
        super().format_epilog(ctx, formatter)


def _taken(args: Any, known: set[str]) -> Any:
    """Split arguments into those known to the command and pairs of the unknown options."""
    kept: list[str] = []
    pairs: list[tuple[str, str | None]] = []
    while args:
        arg = args.pop(0)
        name, equals, value = arg.partition("=")
        if arg == "--":
            return [*kept, arg, *args], pairs
        if not arg.startswith("--") or name in known:
            kept.append(arg)
            continue
        if not equals:
            value = args.pop(0) if args and not args[0].startswith("--") else None
        pairs.append((name, value))
    return kept, pairs


def _declared(spec: str) -> list[tuple[str, ...]]:
    """(option, help) of each variable of a spec; empty if it cannot be read, because help must not fail."""
    from ..read.loading import load

    try:
        variables = load(spec).variables.values()
    except CostcalcError:
        return []
    return [(f"--{variable.name} VALUE", _about(variable)) for variable in variables]


def _about(variable: Variable) -> str:
    default = getattr(variable.default, "text", variable.default)
    choices = f"; one of {', '.join(map(str, variable.choices))}" if variable.choices else ""
    standard = "must be set" if default is None else f"default: {default}{choices}"
    return inert(printable(f"{variable.help or 'variable'} [{standard}]"))


def in_order(*options: Callable[..., Any]) -> Callable[..., Any]:
    """Combine options into one decorator; help lists them in this order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def gathered(name: str, kind: Callable[..., Any], fields: tuple[str, ...], *options: Callable) -> Callable:
    """Combine options into one decorator that passes their values as one argument, a `kind` with `fields`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def call(*args: Any, **given: Any) -> Any:
            return command(*args, **{name: kind(*[given.pop(field) for field in fields])}, **given)

        return in_order(*options)(call)

    return decorate


class Asked(NamedTuple):
    """Variables of a spec as set on the command line, as texts."""

    alpha: str | None
    res: str | None
    rho: str | None = None
    sets: tuple[str, ...] = ()

    @property
    def multiplier(self) -> Any:
        """Value of `--rho`. Raises OptionError."""
        return factor("rho", self.rho)

    @property
    def plain(self) -> dict[str, Any]:
        """Variables set by --alpha, --res and --set. Raises OptionError."""
        return _once(self._pairs())

    def of(self, model: Model) -> dict[str, Any]:
        """Values of a model's variables, including those set by their own options. Raises OptionError."""
        pairs = [*self._pairs(), *named_pairs(model)]
        return _once(one for name, text in pairs for one in _by_position(model, name, text))

    def how(self, model: Model) -> dict[str, Any]:
        """Arguments `settings` and `rho` of a library function. Raises OptionError."""
        return {"settings": self.of(model), "rho": self.multiplier}

    def _pairs(self) -> list[tuple[str, str]]:
        """(variable, text) of --alpha, --res and --set. Raises OptionError."""
        pairs = [(name, value) for name, value in (("alpha", self.alpha), ("res", self.res)) if value is not None]
        for text in self.sets:
            name, equals, value = text.partition("=")
            if not equals or not name.strip():
                raise OptionError(
                    Problem("usage", f"`--set {brief(text)}` sets nothing", help="write --set NAME=VALUE")
                )
            pairs.append((name.strip(), value.strip()))
        return pairs


# Options that set a spec's variables.
_SET = (
    click.option("--alpha", metavar="A", help="Width multiplier; same as --set alpha=A."),
    click.option("--res", metavar="R", help="Input resolution; same as --set res=R."),
    click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Set a variable of the spec."),
)
_RHO = click.option("--rho", metavar="P", help="Resolution multiplier: res times P, rounded to whole pixels.")
_WIDTH = click.option("--width", metavar="A", help="Same as --alpha: the width of a supernet.")
setting_options = gathered("asked", Asked, Asked._fields, *_SET[:2], _RHO, _SET[2])
spec_options = in_order(click.argument("spec"), setting_options)


def _of_space(alpha: str | None, width: str | None, res: str | None, sets: tuple[str, ...]) -> Asked:
    if None not in (alpha, width):
        raise OptionError(Problem("usage", "--width is the same as --alpha: give one of them"))
    return Asked(width if alpha is None else alpha, res, None, sets)


# SPEC and the options that fix variables of a space of designs.
space_options = in_order(
    click.argument("spec"), gathered("asked", _of_space, ("alpha", "width", "res", "sets"), *_SET, _WIDTH)
)


# SPEC and the options that give its variables several values.
axis_options = in_order(
    click.argument("spec"),
    click.option("--alpha", metavar="VALUES", help="Width multipliers: 1,0.75,0.5 or 0.25:1.5:0.05."),
    click.option("--res", metavar="VALUES", help="Input resolutions: 224,192 or 96:320:32."),
    click.option("--rho", metavar="VALUES", help="Resolution multipliers: res times each, in whole pixels."),
    click.option("--vary", "--set", "varied", multiple=True, metavar="NAME=VALUES", help="Values of any variable."),
)


def names(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Names in a comma-separated list, which may be empty."""
    return tuple(filter(None, (name.strip() for name in value.split(","))))


def metrics_option(help: str, default: str = "") -> Callable:
    """--metrics A,B: names of metrics, as a tuple."""
    shown = bool(default)
    return click.option(
        "--metrics", "-m", default=default, show_default=shown, metavar="A,B,..", callback=names, help=help
    )


def convention_option(
    default: str | None = "paper", help: str = "Counting convention (see `costcalc conventions`)."
) -> Callable:
    """--convention NAME."""
    return click.option(
        "--convention", "-c", default=default, show_default=default is not None, metavar="NAME", help=help
    )


JOBS = click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, metavar="N", help="Processes.")


def outputs(
    suffixes: Mapping[str, str] = {},
    formats: Iterable[str] = (),
    to: tuple[str, str] = ("FILE", "Write to FILE; its extension selects the format."),
) -> Callable:
    """--format, -o and --color as an Output `out`; a command may add formats with their suffixes."""
    known = [*(formats or (*FORMATS, *suffixes.values()))]
    return gathered(
        "out",
        lambda format, as_json, output, color: Output(format, as_json, output, color, suffixes),
        Output._fields[:4],
        click.option("--format", "-f", "format", type=click.Choice(known), help="Output format."),
        click.option("--json", "as_json", is_flag=True, help="Same as --format json."),
        click.option("-o", "--output", metavar=to[0], help=to[1]),
        click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True),
    )


output_options = outputs()


def _noted(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    ctx.meta[f"stored {param.name}"] = value


# Storage of tensors, for metrics in bytes and bits; `with_storage` applies it.
storage_options = in_order(
    click.option(
        "--policy",
        default="fused",
        show_default=True,
        metavar="NAME",
        callback=_noted,
        expose_value=False,
        help="Which tensors share storage: unfused, fused or inplace.",
    ),
    click.option(
        "--bits",
        metavar="BITS",
        callback=_noted,
        expose_value=False,
        help="Bits of weights and activations: w8a8; 8 for both; w4a4,first=8,last=8.",
    ),
)


def with_storage(model: Model, more: Mapping[str, Any] | None = None) -> Model:
    """The model with the storage set by `storage_options` and single rules. Raises OptionError."""
    from ..model.storage import bits_of, stored

    meta = click.get_current_context().meta
    bits = meta["stored bits"]
    widths = model.storage.bits if bits is None else bits_of(bits)
    return model._replace(storage=stored(meta["stored policy"], {**widths, **(more or {})}))


def _by_position(model: Model, name: str, text: str) -> Iterator[tuple[str, str]]:
    """(name, text) of each value of `ks=3,5,-,7`, if `ks` has a value per position; `-` keeps the default."""
    each = model.variables[name].each if name in model.variables else 0
    if not each or "," not in text:
        yield name, text
        return
    texts = text.split(",")
    if len(texts) > each:
        message = f"`{name}` has {each} positions, not {len(texts)}"
        raise OptionError(Problem("bad-value", message, help=f"give one value for all, or up to {each} with commas"))
    yield from ((f"{name}[{at}]", one.strip()) for at, one in enumerate(texts) if one.strip() != "-")


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in pairs:
        value = read_value(name, text)
        if values.setdefault(name, value) != value:
            help = f"give either {brief(str(values[name]))} or {brief(text)}"
            raise OptionError(Problem("usage", f"`{name}` is set twice", help=help))
    return values


def named_pairs(model: Model) -> Iterator[tuple[str, str]]:
    """(variable, text) of the options that are the spec's own variables."""
    ctx = click.get_current_context()
    for option, value in ctx.meta["variables"]:
        name = option[2:].replace("-", "_")
        if name not in model.variables:
            raise _unknown(ctx, option, model)
        if value is None:
            help = f"write `{option} VALUE`"
            raise OptionError(Problem("usage", f"`{option}` needs a value", help=help))
        yield name, value


def _unknown(ctx: click.Context, option: str, model: Model) -> OptionError:
    from .failures import commands_with

    declared = [f"--{name}" for name in model.variables]
    others = commands_with(option)
    similar = f"it is an option of {listed(others)}" if others else nearest(option, [*ctx.meta["known"], *declared])
    help = similar or f"variables of {model.name}: {listed(declared)}"
    return OptionError(Problem("unknown-option", f"there is no option or variable `{brief(option)}`", help=help))


def factor(name: str, text: str | None) -> Any:
    """Multiplier from the command line, or None."""
    if text is None:
        return None
    value: Any = read_value(name, text)
    if type(value) not in (int, float) or not 0 < value < float("inf"):
        raise OptionError(Problem("bad-value", f"`{name}` cannot be `{brief(text)}`", help="expected a number above 0"))
    return value
