"""User-facing errors, each with its place and help.

CostcalcError            anything that ends a command with exit code 2
  SpecError              the file is not valid: reports every problem of the file at once
  OptionError            a value on the command line or in a function call is wrong
    ArgumentError        an argument of a function has the wrong type; also a TypeError
  FileError              a file is missing, unreadable, or not text

`Refused` and `BadExpression` are internal: rules and parsers raise them without a place in the file, and `trace` and
`read` convert them to a `SpecError` with the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from .records import NamedTuple

LONGEST_NAME = 60  # characters of a name in a message


class Source(NamedTuple):
    """A text and the path it was read from. `data` holds the bytes of a binary file."""

    path: str
    text: str
    data: bytes = b""
    shipped: bool = False  # whether it is one of the shipped configs


class Place(NamedTuple):
    """A span within one line. Lines and columns count from 1."""

    source: Source
    line: int
    column: int
    width: int = 1

    def excerpt(self) -> str:
        """The line without its line break; empty past the end of the text."""
        lines = _lines(self.source.text)
        return lines[self.line - 1] if self.line <= len(lines) else ""

    def narrowed(self, word: str) -> Place:
        """The place of a word within this span; the whole span if the word is not in it."""
        import re

        stretch = self.excerpt()[self.column - 1 : self.column - 1 + self.width]
        match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", stretch)
        return self._replace(column=self.column + match.start(), width=len(word)) if match else self


class Problem(NamedTuple):
    """One problem: a stable code, the message, the place, and help on how to fix it."""

    code: str
    message: str
    place: Place | None = None
    help: str | None = None
    notes: tuple[str, ...] = ()  # context: values of names, calls of blocks


class CostcalcError(Exception):
    """Base of all user-facing errors. Holds one or more problems; `more` says that others were left out."""

    more = False

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(_one_line(problem) for problem in self.problems)


class SpecError(CostcalcError):
    """A spec that cannot be read or traced; in a sweep, `failing` marks the points concerned."""

    failing: Any = None


class OptionError(CostcalcError):
    """An invalid value from the command line or a caller."""


class ArgumentError(OptionError, TypeError):
    """An argument of a function that has the wrong type."""


class FileError(CostcalcError):
    """A file that is missing, unreadable, or of the wrong kind."""


class Refused(Exception):
    """A rule's refusal: the message, the option concerned, if any, and the failing points of a sweep."""

    def __init__(self, message: str, option: str | None = None, help: str | None = None, failing: Any = None) -> None:
        super().__init__(message)
        self.message, self.option, self.help, self.failing = message, option, help, failing


class BadExpression(Exception):
    """An invalid expression: code and message, the column (from 0) and width of the error, and the help."""

    def __init__(self, code: str, message: str, column: int = 0, width: int = 1, help: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.column, self.width, self.help = code, message, column, width, help


def nearest(name: object, names: Iterable[object]) -> str | None:
    """The help line that names the most similar of `names`, or None."""
    from difflib import get_close_matches

    if len(str(name)) > LONGEST_NAME:
        return None
    by_lower = {str(one).lower(): str(one) for one in names}
    cutoff = 0.6 if len(str(name)) > 1 else 1  # a single letter resembles half of all short names
    close = get_close_matches(str(name).lower(), by_lower, n=1, cutoff=cutoff)
    return f"a similar name exists: `{by_lower[close[0]]}`" if close else None


def brief(text: str, most: int = LONGEST_NAME) -> str:
    """Shorten a text for a message."""
    return text if len(text) <= most else text[: most - 3] + "..."


def named(char: str) -> str:
    """A character for a message; with its code point unless it is ASCII, since other characters look alike."""
    shown = char if char.isprintable() else char.encode("unicode_escape").decode()
    return f"`{shown}`" if char.isascii() else f"`{shown}` (U+{ord(char):04X})"


def in_order(problem: Problem) -> tuple[str, int, int]:
    """Sort key: problems by path, line and column."""
    place = problem.place
    return (place.source.path, place.line, place.column) if place else ("", 0, 0)


@lru_cache(1)
def _lines(text: str) -> list[str]:
    """Split a text into lines at the line breaks of YAML."""
    if any(char in text for char in "\r\x85\u2028\u2029"):
        import re

        text = re.sub("\r\n|[\r\x85\u2028\u2029]", "\n", text)
    return text.split("\n")


def listed(names: Iterable[object]) -> str:
    """Names for a message: `a`, `b`, `c`."""
    return ", ".join(f"`{name}`" for name in names)


def _one_line(problem: Problem) -> str:
    where = ""
    if problem.place:
        where = f"{problem.place.source.path}:{problem.place.line}:{problem.place.column}: "
    return f"{where}{problem.message}" + (f" ({problem.help})" if problem.help else "")
