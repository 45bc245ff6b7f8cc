"""A finished trace for metrics: the rows of a network, with rows of equal cost grouped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..model.lives import Lives
    from ..model.network import Model
    from ..model.rows import Row, Trace
    from .gradients import Need


class Walk:
    """The rows of a trace of a model, independent of conventions.

    `values` are those of the model's variables. `whole` is set if these rows are a part of another Walk.
    """

    def __init__(self, model: Model, walked: Trace, values: Mapping[str, Any], whole: Walk | None = None) -> None:
        self.model, self.walked, self.values, self.whole = model, walked, values, whole
        self.rows = walked.rows

    @property
    def is_part(self) -> bool:
        """Whether this is a part of another Walk."""
        return self.whole is not None

    def part(self, rows: Sequence[Row]) -> Walk:
        """A Walk of only some of the rows."""
        return Walk(self.model, self.walked._replace(rows=rows), self.values, self)

    @cached_property
    def branches(self) -> bool:
        """Whether some layers of the whole network do not always run."""
        return any(row.chance for row in self.root.rows)

    @cached_property
    def lives(self) -> Lives:
        """The lifetimes of all tensors of the network under the model's storage policy."""
        from ..model.lives import Lives

        if self.whole is not None:
            return self.whole.lives
        return Lives(self.walked, self.model.storage)

    @cached_property
    def bits(self) -> list[tuple[int, int]]:
        """For each row, the bits of weights and of activations in its products."""
        if self.whole is not None:
            return self.chosen(self.whole.bits)
        from ..model.widths import Tensors, of_products

        return of_products(self.rows, self.model.storage, Tensors(self.rows, self.model.storage, self.walked.bits))

    def chosen(self, amounts: Sequence[Any]) -> list[Any]:
        """Select the amounts of these rows from a list with one amount per row of `whole`."""
        if self.whole is None:
            return list(amounts)
        by_row = {id(row): amount for row, amount in zip(self.whole.rows, amounts, strict=True)}
        return [by_row[id(row)] for row in self.rows]

    @property
    def root(self) -> Walk:
        """The Walk of the whole network."""
        return self if self.whole is None else self.whole.root

    @cached_property
    def needs(self) -> list[Need]:
        """For each row of the whole network, what needs a gradient."""
        from .gradients import needs

        return needs(self.rows) if self.whole is None else self.whole.needs

    @cached_property
    def _kinds(self) -> tuple[list[Row], list[int]]:
        """(one row of each kind, the kind of each row). Rows of one kind share a layer and have equal cost."""
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
        """A quantity of each row, computed once for all rows of equal cost."""
        firsts, kinds = self._kinds
        amounts = [of(row) for row in firsts]
        return [amounts[kind] for kind in kinds]
