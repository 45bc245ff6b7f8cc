"""Output of results: standard output, or a temporary file that is renamed at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import FileError, OptionError, Problem
from ..render import SUFFIXES, Screen
from .talk import manner


def deliver(text: str, path: str | None = None) -> None:
    """Write a result to standard output, or to a file that appears only when it is complete."""
    with writing(path) as out:
        out.write(text)


def show(page: Any, format: str | None, as_json: bool, output: str | None, color: Any) -> None:
    """Deliver a page in the format asked for, or in the one that the output's ending says."""
    from ..render import render_page
    from .terminal import screen

    format = "json" if as_json else format_for(format, output)
    deliver(render_page(page, format, screen(color) if output in (None, "-") else Screen(units=manner().units)), output)


@contextmanager
def writing(path: str | None = None, binary: bool = False) -> Iterator[Any]:
    """A file to write a result to: standard output, or one beside `path` that takes its place at the end.

    When something fails on the way, what was at `path` stays as it was.
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
    """Standard output for bytes. Raises FileError where a program captures it as text."""
    if not hasattr(sys.stdout, "buffer"):
        raise FileError(Problem("unwritable", "standard output takes only text here", help="name a file: -o FILE"))
    return sys.stdout.buffer


def format_for(format: str | None, path: str | None, more: Any = ()) -> str:
    """The format asked for, or the one the file's ending says, or `table`; `more` adds endings."""
    if format:
        return format
    if path in (None, "-"):
        return "table"
    suffix = os.path.splitext(path)[1].lower()
    suffixes = {**SUFFIXES, **dict(more)}
    if suffix not in suffixes:
        known = ", ".join(suffixes)
        raise OptionError(
            Problem("unknown-format", f"no format ends in `{suffix}`", help=f"known: {known}; or --format")
        )
    return suffixes[suffix]
