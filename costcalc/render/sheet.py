"""The page that every format draws: sheets and notes.

A page has a `title`, `heads()` (lines above), `sheets()` (tables of texts, the main one first), `notes()` (lines
below), `records()` (the main rows as names and dicts, for CSV) and `document()` (a dict for JSON, its rows last).
Formats only know pages, so one renderer per format serves every command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from ..records import NamedTuple


class Column(NamedTuple):
    """One column of a sheet. Where room is short, columns with the lowest `spare` give way first; those with 0 stay."""

    heading: str
    number: bool = False
    name: str = ""  # as `--columns` has it
    spare: int = 0
    folds: bool = False  # long names may go on in the next line
    counts: bool = False  # counts of things, which `--units` puts in millions or billions


T = TypeVar("T")


class Sheet(NamedTuple):
    """A table of texts: headings, rows, and a last row of totals (or none).

    A sheet with a title is independent; a later sheet without a title is a summary of the first.
    """

    columns: tuple[Column, ...]
    rows: Sequence[tuple[str, ...]]
    foot: tuple[str, ...] = ()
    title: str = ""

    def without(self, spared: set[int]) -> Sheet:
        """The sheet without some of its columns, by number."""

        def kept(items: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(item for number, item in enumerate(items) if number not in spared)

        return Sheet(kept(self.columns), [kept(row) for row in self.rows], kept(self.foot), self.title)


class Page(Protocol):
    """What a format draws; `title` stands above a page of HTML."""

    title: str

    def heads(self) -> list[str]:
        """The lines above the tables: the answer in short. None where the tables are the answer."""
        return []

    def sheets(self) -> list[Sheet]:
        """The tables, the main one first."""

    def notes(self) -> list[str]:
        """The lines under the tables; the last says what the numbers mean."""

    def records(self) -> tuple[list[str], list[dict]]:
        """The names and rows of a CSV file."""

    def document(self) -> Mapping[str, Any]:
        """The JSON document; its last value is the list of rows, one per line."""
