"""The page that every format renders: sheets and notes.

A page has a `title`, `heads()` (lines above), `sheets()` (tables of texts, the main one first), `notes()` (lines
below), `records()` (the main rows as names and dicts, for CSV) and `document()` (a dict for JSON, its rows last).
Formats depend only on pages, so one renderer per format serves every command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from ..records import NamedTuple


class Column(NamedTuple):
    """One column of a sheet. Narrow screens drop columns with the lowest `spare` first, never those with 0."""

    heading: str
    number: bool = False
    name: str = ""  # name for `--columns`
    spare: int = 0
    folds: bool = False  # long names may wrap
    counts: bool = False  # counts, which `--units` scales to millions or billions


T = TypeVar("T")


class Sheet(NamedTuple):
    """A table of texts: headings, rows, and an optional last row of totals.

    A sheet with a title is independent; a later sheet without a title is a summary of the first.
    """

    columns: tuple[Column, ...]
    rows: Sequence[tuple[str, ...]]
    foot: tuple[str, ...] = ()
    title: str = ""

    def without(self, spared: set[int]) -> Sheet:
        """The sheet without some columns, given by index."""

        def kept(items: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(item for number, item in enumerate(items) if number not in spared)

        return Sheet(kept(self.columns), [kept(row) for row in self.rows], kept(self.foot), self.title)


class Page(Protocol):
    """Interface of a page; `title` is the heading of an HTML page."""

    title: str

    def heads(self) -> list[str]:
        """Lines above the tables, such as a summary; empty if the tables need none."""
        return []

    def sheets(self) -> list[Sheet]:
        """The tables, the main one first."""

    def notes(self) -> list[str]:
        """Lines under the tables; the last gives the conditions of the figures."""

    def records(self) -> tuple[list[str], list[dict]]:
        """Column names and rows of a CSV file."""

    def document(self) -> Mapping[str, Any]:
        """The JSON document; its last value is the list of rows, one per line."""
