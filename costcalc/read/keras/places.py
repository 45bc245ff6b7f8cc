"""Where layers stand in the text of a configuration: found once for all of them."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...num.values import Shape


class Places:
    """Line, column and width of the first entry of each name."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def spans(self) -> dict[str, Shape]:
        """Name as it is written -> start and end of its entry."""
        found: dict[str, tuple] = {}
        for match in re.finditer(r'"name"\s*:\s*"((?:[^"\\]|\\.)*)"', self.text):
            found.setdefault(match[1], match.span())
        return found

    @cached_property
    def lines(self) -> list[int]:
        """Where each line starts."""
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def of(self, name: str) -> tuple[int, int, int]:
        """The place of a name; the start of the text where it is not found."""
        span = self.spans.get(name) or self.spans.get(json.dumps(name)[1:-1])
        if span is None:
            return (1, 1, 1)
        line = bisect_right(self.lines, span[0])
        return line, span[0] - self.lines[line - 1] + 1, span[1] - span[0]
