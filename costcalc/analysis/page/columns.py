"""Values over the settings of a page, each list of them once: a network repeats its layers, and so do their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...render.html_file import embedded


class Columns:
    """Lists of values, one per setting, by number. A list of one value only is that value."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def add(self, values: Sequence[Any]) -> int:
        """The number of a list; the same for an equal one."""
        key = tuple((type(value), value) for value in values)
        number = self._numbers.setdefault(key, len(self.found))
        if number == len(self.found):
            plain_ones = [embedded(value) for value in values]
            self.found.append(plain_ones[0] if len({one for _, one in key}) == 1 else plain_ones)
        return number
