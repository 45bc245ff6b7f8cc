"""Errors as people and programs read them, on standard error."""

import sys

import click

from ..errors import CostcalcError, FileError, OptionError, Problem, nearest
from . import BUG, CANNOT
from .terminal import has_color

EXCERPT = 160  # characters of a line around a place


def report_failure(error, args):
    """Say what went wrong; returns the exit code."""
    if isinstance(error, click.Abort):
        return 130
    if isinstance(error, click.ClickException):
        error = _from_click(error)
    if isinstance(error, OSError):
        error = FileError(Problem("unwritable", f"cannot write the result: {error.strerror}"))
    if not isinstance(error, CostcalcError):
        return _bug(error)
    as_json = _wants_json(args)
    for problem in error.problems[:1] if as_json else error.problems:
        _say(_as_json(problem, error.problems) if as_json else as_text(problem, has_color(sys.stderr)))
    if len(error.problems) > 1 and not as_json:
        _say(f"{len(error.problems)} errors\n")
    return CANNOT


def _bug(error):
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    _say("costcalc: this is a bug of ours; please report it with the lines above\n")
    return BUG


def _from_click(error):
    message, help = error.format_message().rstrip("."), None
    if isinstance(error, click.NoSuchOption):
        message = f"there is no option `{error.option_name}`"
        help = nearest(error.option_name, error.possibilities or [])
    if help is None and getattr(error, "ctx", None) is not None:
        help = f"see `{error.ctx.command_path} --help`"
    return OptionError(Problem("usage", message[:1].lower() + message[1:], help=help))


def _wants_json(args):
    pairs = zip(args, [*args[1:], ""], strict=False)
    return any(
        arg in ("--format=json", "--json") or (arg in ("--format", "-f") and value == "json") for arg, value in pairs
    )


def _as_json(problem, problems):
    import json

    entries = [_entry(each) for each in problems]
    document = {"error": entries[0], **({"errors": entries} if len(entries) > 1 else {})}
    return json.dumps(document) + "\n"


def _entry(problem):
    place = problem.place
    return {
        "code": problem.code,
        "message": problem.message,
        "file": place.source.path if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "help": problem.help,
    }


def as_text(problem, color=False):
    """One problem: what, where with the line and a caret, and what to do."""
    red, blue, off = ("\x1b[1;31m", "\x1b[1;34m", "\x1b[0m") if color else ("", "", "")
    lines = [f"{red}error{off}: {printed(problem.message)}"]
    place = problem.place
    if place:
        text, column = _excerpt(place)
        gutter = len(str(place.line))
        bar = f"{blue}|{off}"
        caret = "^" * max(1, min(place.width, len(text) - column + 1))
        lines += [
            f"{' ' * gutter}{blue}-->{off} {printed(place.source.path)}:{place.line}:{place.column}",
            f"{' ' * gutter} {bar}",
            f"{place.line} {bar} {text}",
            f"{' ' * gutter} {bar} {' ' * (column - 1)}{red}{caret}{off}",
        ]
        if problem.help:
            lines.append(f"{' ' * gutter} {blue}={off} help: {printed(problem.help)}")
    elif problem.help:
        lines.append(f"  = help: {printed(problem.help)}")
    return "\n".join(lines) + "\n\n" if place else "\n".join(lines) + "\n"


def _excerpt(place):
    """The line, or the part of it around the column, and the column in that part."""
    line = "".join(char if char.isprintable() else " " for char in place.excerpt())
    if len(line) <= EXCERPT:
        return line, place.column
    start = max(0, place.column - EXCERPT // 2)
    return ("..." if start else "") + line[start : start + EXCERPT], place.column - start + (3 if start else 0)


def printed(text):
    """A text from outside with control characters made visible."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _say(text):
    if hasattr(sys.stderr, "reconfigure"):
        sys.stderr.reconfigure(errors="backslashreplace")
    sys.stderr.write(text)
