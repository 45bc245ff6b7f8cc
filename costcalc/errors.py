"""The errors that users can cause, each with its place and help.

CostcalcError            anything that ends a command with exit code 2
  SpecError              the file is not valid: every problem of the file at once
  OptionError            a value given on the command line or to a function is wrong
    ArgumentError        an argument of a function has the wrong type; also a TypeError
  FileError              a file is missing, unreadable, or not text

`Refused` and `BadExpression` are not among them: a rule or a parser raises them without knowing where it
stands in the file, and `trace` and `read` turn them into a `SpecError` with the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from .records import NamedTuple

LONGEST_NAME = 60  # characters of a name in a message


class Source(NamedTuple):
    """A text that was read: where from, and what it says. Of a file that is no text, what is known by its bytes."""

    path: str
    text: str
    data: bytes = b""
    shipped: bool = False  # whether it is one of the shipped configs


class Place(NamedTuple):
    """A stretch of one line. Lines and columns count from 1."""

    source: Source
    line: int
    column: int
    width: int = 1

    def excerpt(self) -> str:
        """The line itself, without its line break; empty past the end of the text."""
        lines = _lines(self.source.text)
        return lines[self.line - 1] if self.line <= len(lines) else ""

    def narrowed(self, word: str) -> Place:
        """The place of a word in this stretch of its line; the place itself when the word is not in it."""
        import re

        stretch = self.excerpt()[self.column - 1 : self.column - 1 + self.width]
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", stretch)
        return self._replace(column=self.column + found.start(), width=len(word)) if found else self


class Problem(NamedTuple):
    """One problem: a stable code, the message, the place, and help on how to solve it."""

    code: str
    message: str
    place: Place | None = None
    help: str | None = None
    notes: tuple[str, ...] = ()  # how it came to this: the values of names, the calls of blocks


class CostcalcError(Exception):
    """Base of all errors that users can cause; holds one or more problems, and whether there are more."""

    more = False

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(_one_line(problem) for problem in self.problems)


class SpecError(CostcalcError):
    """A spec that cannot be read or cannot be built; in a sweep, `failing` says at which points."""

    failing: Any = None


class OptionError(CostcalcError):
    """A value from the command line or a caller that cannot be used."""


class ArgumentError(OptionError, TypeError):
    """An argument of a function that has the wrong type."""


class FileError(CostcalcError):
    """A file that is missing, unreadable, or not what it should be."""


class Refused(Exception):
    """A rule's refusal: the message, the option it is about if there is one, and at which points of a sweep."""

    def __init__(self, message: str, option: str | None = None, help: str | None = None, failing: Any = None) -> None:
        super().__init__(message)
        self.message, self.option, self.help, self.failing = message, option, help, failing


class BadExpression(Exception):
    """A text that is no expression: what is wrong, where in it (from 0), how wide, and the help."""

    def __init__(self, code: str, message: str, column: int = 0, width: int = 1, help: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.column, self.width, self.help = code, message, column, width, help


def nearest(name: object, names: Iterable[object]) -> str | None:
    """The help line that names the most similar of `names`, or None."""
    from difflib import get_close_matches

    if len(str(name)) > LONGEST_NAME:
        return None
    by_lower = {str(one).lower(): str(one) for one in names}
    cutoff = 0.6 if len(str(name)) > 1 else 1  # one letter is like half of all short names
    close = get_close_matches(str(name).lower(), by_lower, n=1, cutoff=cutoff)
    return f"a similar name exists: `{by_lower[close[0]]}`" if close else None


def brief(text: str, most: int = LONGEST_NAME) -> str:
    """A text, shortened for a message."""
    return text if len(text) <= most else text[: most - 3] + "..."


def named(char: str) -> str:
    """A character for a message; one that may look like another with its number too."""
    shown = char if char.isprintable() else char.encode("unicode_escape").decode()
    return f"`{shown}`" if char.isascii() else f"`{shown}` (U+{ord(char):04X})"


def in_order(problem: Problem) -> tuple[str, int, int]:
    """A key that sorts problems as their places stand."""
    place = problem.place
    return (place.source.path, place.line, place.column) if place else ("", 0, 0)


@lru_cache(1)
def _lines(text: str) -> list[str]:
    """The lines of a text, broken where YAML breaks them."""
    if any(char in text for char in "\r\x85\u2028\u2029"):
        import re

        text = re.sub("\r\n|[\r\x85\u2028\u2029]", "\n", text)
    return text.split("\n")


def listed(names: Iterable[object]) -> str:
    """`a`, `b`, `c` for a message."""
    return ", ".join(f"`{name}`" for name in names)


def _one_line(problem: Problem) -> str:
    where = ""
    if problem.place:
        where = f"{problem.place.source.path}:{problem.place.line}:{problem.place.column}: "
    return f"{where}{problem.message}" + (f" ({problem.help})" if problem.help else "")
