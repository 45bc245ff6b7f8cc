"""A search as a page: the front of cost and score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...render.sheet import Column, Sheet
from ..report.columns import stamped
from ..report.document import heading
from ..space.page import settings_text
from ..sweep.constants import constants

if TYPE_CHECKING:
    from .search import Candidate, Search


class SearchPage:
    """How many networks were visited, and the front."""

    def __init__(self, search: Search) -> None:
        self.search, self.front = search, search.front()
        self.title = f"{search.space.model.name}: search"
        space = search.space
        open_ones = {name.partition("[")[0] for name in space.choices}
        self.inputs, self.values = constants(space.model, [*space.choices, *open_ones], space.given)

    def heads(self) -> list[str]:
        """How many were scored, and the best."""
        said = " and ".join(f"{name} <= {limit:,}" for name, limit in self.search.limits.items())
        unscored = f", {self.search.unscored:,} have no score" if self.search.unscored else ""
        best = f"; the best has {self.front[-1].score:.10g}" if self.front else ""
        return [f"{len(self.search.candidates):,} networks with {said} scored{unscored}{best}"]

    def sheets(self) -> list[Sheet]:
        """The front: a network a row."""
        metrics = self.search.space.metric.name
        names, rows = self.records()
        columns = tuple(Column(name, name != "network", counts=name == metrics) for name in names)
        return [Sheet(columns, [tuple(map(_shown, row.values())) for row in rows])]

    def notes(self) -> list[str]:
        """How networks were visited, and what the numbers mean."""
        search = self.search
        seed = "" if search.method == "exhaustive" else f", seed {search.seed}"
        front = f"Pareto front of {search.space.metric.name} and score, by {search.method}{seed}"
        return [front, stamped(search.space.model, search.space.metric.priced, self.inputs, self.values)]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The front."""
        names = [*self.search.limits, "score", "network"]
        return names, [record(one) for one in self.front]

    def document(self) -> Mapping[str, Any]:
        """For programs."""
        search = self.search
        return {
            **heading(search.space.model, search.space.metric.priced, self.inputs, self.values),
            "max": search.limits,
            "method": search.method,
            "seed": search.seed,
            "scored": len(search.candidates),
            "unscored": search.unscored,
            "front": [{"choices": one.choices, "metrics": one.metrics, "score": one.score} for one in self.front],
        }


def record(one: Candidate) -> dict[str, Any]:
    """A candidate as a row."""
    return {**one.metrics, "score": one.score, "network": settings_text(one.choices)}


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.10g}" if isinstance(value, float) else str(value)
