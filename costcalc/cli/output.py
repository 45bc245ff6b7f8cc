"""Output of results: standard output, or a temporary file that is renamed at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..errors import FileError, OptionError, Problem
from ..records import NamedTuple
from ..render import SUFFIXES, Screen
from ..render.text import inert
from . import verdict
from .commands import OK
from .talk import manner

if TYPE_CHECKING:
    from ..render.sheet import Page


class Output(NamedTuple):
    """Where a result goes and in which form: what --format, --json, -o and --color say."""

    format: str | None
    as_json: bool
    output: str | None
    color: str
    suffixes: Mapping[str, str]  # format by suffix, beside those that all commands have

    @property
    def is_screen(self) -> bool:
        """Whether it goes to standard output."""
        return self.output in (None, "-")

    @property
    def screen(self) -> Screen:
        """The screen that the result is drawn for."""
        from .terminal import screen

        return screen(self.color) if self.is_screen else Screen(units=manner().units)

    def form(self) -> str:
        """The format asked for, or the one the file's ending says, or `table`. Raises OptionError."""
        if self.as_json or self.format:
            return "json" if self.as_json else str(self.format)
        return "table" if self.is_screen else format_for(self.output, {**SUFFIXES, **self.suffixes})

    def show(self, page: Page, code: int = OK) -> None:
        """Deliver a page, and end the run with a code that is not OK."""
        from ..render import render_page

        verdict(code)
        self.deliver_page(render_page(page, self.form(), self.screen))
        if code != OK:
            raise click.exceptions.Exit(code)

    def deliver(self, data: str | bytes) -> None:
        """Write a result that is drawn."""
        deliver(data, self.output)

    def deliver_page(self, text: str) -> None:
        """Write a page that is drawn; one that people read has nothing that the log of a job takes for a command."""
        self.deliver(inert(text) if self.is_screen and self.form() in ("table", "md", "latex") else text)


def deliver(data: str | bytes, path: str | None = None) -> None:
    """Write a result to standard output, or to a file that appears only when it is complete."""
    with writing(path, binary=type(data) is bytes) as out:
        out.write(data)


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


def format_for(path: str | None, suffixes: Mapping[str, str]) -> str:
    """The format that the ending of a file says. Raises OptionError."""
    suffix = os.path.splitext(path or "")[1].lower()
    if suffix not in suffixes:
        known = ", ".join(suffixes)
        raise OptionError(
            Problem("unknown-format", f"no format ends in `{suffix}`", help=f"known: {known}; or --format")
        )
    return suffixes[suffix]
