"""A finished walk as metrics see it: a network's rows, and which of them cost the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..model.network import Model
    from ..model.rows import Row


class Walk:
    """The rows of one walk over a model, whatever convention prices them; `is_part` if they are some of its rows."""

    def __init__(self, model: Model, rows: Sequence[Row], is_part: bool = False):
        self.model, self.rows, self.is_part = model, rows, is_part

    def part(self, rows: Sequence[Row]) -> Walk:
        """The walk of some of the rows alone."""
        return Walk(self.model, rows, True)

    @cached_property
    def _kinds(self) -> tuple[list[Row], list[int]]:
        """(a row of each kind, the kind of each row): the walk makes one layer of all that cost the same."""
        numbers: dict[tuple, int] = {}
        firsts: list[Row] = []
        kinds: list[int] = []
        for row in self.rows:
            times = row.times
            key = id(row.layer), times if type(times) is int else id(times), row.shared is None
            number = numbers.setdefault(key, len(firsts))
            if number == len(firsts):
                firsts.append(row)
            kinds.append(number)
        return firsts, kinds

    def each(self, of: Callable[[Row], Any]) -> list[Any]:
        """A quantity of each row, worked out once for all rows that cost the same."""
        firsts, kinds = self._kinds
        found = [of(row) for row in firsts]
        return [found[kind] for kind in kinds]
