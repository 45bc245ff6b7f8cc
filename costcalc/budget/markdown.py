"""Checks as Markdown, for a job summary or a comment: the result, every limit, then the failures as printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..render.markdown import render
from ..render.sheet import Sheet
from ..render.text import printable
from .page import VerdictPage, counts, summary

if TYPE_CHECKING:
    from .verdict import Checked


LARGEST = 60_000  # characters: a comment holds 65,536, and a summary that is too large is dropped entirely
ROWS = 200  # maximum rows of the table
LIMITS = 20  # maximum raised or removed limits listed above it


def markdown(checked: Checked, block: Callable[..., Any]) -> str:
    """The page, truncated with a note if it is too long for a comment."""
    page = _Short(checked, block)
    lines = page.failures()
    text = render(page, None)
    if not lines:
        return text
    body = "\n".join(lines).rstrip()
    if len(text) + len(body) > LARGEST:
        body = body[: max(LARGEST - len(text), 0)] + "\n.. (cut here: it is too long for a comment)"
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
    return f"{text}\n{fence}text\n{body}\n{fence}\n"


class _Short(VerdictPage):
    def heads(self) -> list[str]:
        limits = [printable(one.message) for one in self.loosened[:LIMITS]]
        more = [f"{len(self.loosened) - LIMITS:,} more, listed below"] if len(self.loosened) > LIMITS else []
        return [f"costcalc: {summary(self.outcomes, self.loosened)}", *limits, *more]

    def sheets(self) -> list[Sheet]:
        return [sheet._replace(rows=sheet.rows[:ROWS]) for sheet in super().sheets()]

    def notes(self) -> list[str]:
        rows = sum(counts(self.outcomes).values())
        more = [f"{rows - ROWS:,} more rows are not shown"] if rows > ROWS else []
        totals = sum(len(sheet.rows) for sheet in self._metrics())
        more += [f"{totals - ROWS:,} more totals are not shown"] if totals > ROWS else []
        return [*more, *super().notes()]
