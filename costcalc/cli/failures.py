"""Report errors on standard error, to users and programs."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from ..errors import CostcalcError, FileError, OptionError, Problem, brief, listed, nearest
from ..render.framed import framed
from ..render.text import typed
from ..replacing import is_lost
from .commands import BUG, CANNOT, COMMANDS, command
from .terminal import has_color

PACKAGES = {  # dependencies of costcalc, by module name
    **{name: name for name in ("rich", "numpy", "pandas", "sympy", "matplotlib", "pyarrow", "onnx", "torch")},
    "yaml": "pyyaml",
}


def report_failure(error: Any, args: list[str]) -> int:
    """Print an error; return its exit code."""
    if isinstance(error, click.Abort):
        return 130
    if isinstance(error, click.ClickException):
        error = _from_click(error, args)
    if isinstance(error, OSError):
        error = _of_system(error)
    if isinstance(error, (MemoryError, RecursionError)):
        error = CostcalcError(Problem("limit", "this network is too large or too deep for the memory"))
    if isinstance(error, ModuleNotFoundError):
        error = _of_package(error)
    if not isinstance(error, CostcalcError):
        return _bug(error)
    as_json = _wants_json(args)
    for problem in error.problems[:1] if as_json else error.problems:
        _say(_as_json(problem, error.problems) if as_json else as_text(problem, has_color(sys.stderr)))
    if len(error.problems) > 1 and not as_json:
        _say(f"{len(error.problems)} errors{', and there are more' if error.more else ''}\n")
    return CANNOT


def _of_package(error: ModuleNotFoundError) -> Exception:
    """Error for a missing dependency, by its name; any other missing module is a bug."""
    name = (error.name or "").partition(".")[0]
    if name not in PACKAGES:
        return error
    message, help = f"this needs the package `{name}`, which is not installed", f"pip install {PACKAGES[name]}"
    return FileError(Problem("missing-package", message, help=help))


def _of_system(error: OSError) -> FileError:
    """Cause of a system error: a file by its name, a deleted working directory, or else the output."""
    if is_lost():
        return FileError(
            Problem("no-directory", "the working directory is gone", help="change to an existing directory")
        )
    if error.filename is not None:
        return FileError(Problem("unreadable", f"cannot use {os.fsdecode(error.filename)!r}: {error.strerror}"))
    return FileError(Problem("unwritable", f"cannot write the result: {error.strerror}"))


def _bug(error: Exception) -> Any:
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    _say("costcalc: this is a bug; please report it with the lines above\n")
    return BUG


def _from_click(error: Any, args: list[str]) -> OptionError:
    message, help = error.format_message().rstrip("."), None
    if isinstance(error, click.NoSuchOption):
        message = f"there is no option `{brief(error.option_name)}`"
        help = nearest(error.option_name, error.possibilities or []) or _with_two_dashes(error.option_name, args)
    elif isinstance(error, click.BadOptionUsage):
        help = f"write `{brief(error.option_name)} VALUE`"
    kind = getattr(getattr(error, "param", None), "type", None)
    if isinstance(error, click.BadParameter) and isinstance(kind, click.IntRange):
        help = f"expected a whole number, {kind.min} or more"
    help = help or _done_by_another(error, args)
    if help is None and getattr(error, "ctx", None) is not None:
        help = f"see `{error.ctx.command_path} --help`"
    return OptionError(Problem("usage", message[:1].lower() + message[1:], help=help))


def _done_by_another(error: Any, args: list[str]) -> str | None:
    """Hint if another command has the option or takes several specs; else None."""
    if isinstance(error, click.NoSuchOption):
        others = commands_with(error.option_name)
        if others and error.ctx and error.ctx.parent is None:  # before the name of the command
            return f"write it after the command: {others[0]} .. {error.option_name}"
        return f"it is an option of {listed(others)}" if others else None
    extra = error.format_message().startswith("Got unexpected extra argument")
    return for_several(args) if extra else None


def _with_two_dashes(name: str, args: list[str]) -> str | None:
    """Hint for `-alpha`, which is parsed as `-a`."""
    given = [arg for arg in args if arg.startswith(name) and len(arg) > 2 and arg[1:2] != "-"]
    return f"options start with two dashes: `-{brief(given[0])}`" if given else None


def _wants_json(args: list[str]) -> bool:
    pairs = zip(args, [*args[1:], ""], strict=False)
    return any(
        arg in ("--format=json", "--json", "-fjson") or (arg in ("--format", "-f") and value == "json")
        for arg, value in pairs
    )


def _as_json(problem: Problem, problems: tuple[Problem, ...]) -> str:
    import json

    entries = [_entry(each) for each in problems]
    document = {"error": entries[0], **({"errors": entries} if len(entries) > 1 else {})}
    return json.dumps(document) + "\n"


def _entry(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {
        "code": problem.code,
        "message": problem.message,
        "file": place.source.path if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "help": problem.help,
        **({"notes": list(problem.notes)} if problem.notes else {}),
    }


def as_text(problem: Problem, color: bool = False) -> str:
    """One problem as text: what, where with the line and a caret, and what to do."""
    said = [("help", problem.help)] if problem.help else []
    notes = (*said, *(("note", note) for note in problem.notes))
    lines = framed("error", None, problem.message, problem.place, notes, color)
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    if hasattr(sys.stderr, "reconfigure"):
        sys.stderr.reconfigure(errors="backslashreplace")
    sys.stderr.write(text)


def commands_with(option: str) -> list[str]:
    """Commands that have an option, with `costcalc`."""
    names = [name for name in COMMANDS if any(option in param.opts for param in command(name).params)]
    return [f"costcalc {name}" for name in names]


def for_several(args: list[str]) -> str | None:
    """Hint for `analyze`, which takes one spec, with several specs; None for other arguments."""
    from ..files import configs

    specs = [arg for arg in args[1:] if os.path.isfile(arg) or arg.removesuffix(".yaml") in configs()]
    several = args[:1] == ["analyze"] and len(specs) > 1
    return f"`{typed('costcalc', 'compare', *specs)}` sets them side by side" if several else None
