"""Cost of a spec in every metric that its limits name: in total, and layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from ..analysis.report.analyze import scaled
from ..metrics.gaps import uncounted
from ..metrics.metrics import Metric, amounts, folded, metric, of_the_whole
from ..metrics.pricing import Convention
from ..metrics.walk import Walk
from ..model.network import Model
from ..model.rows import Row
from ..model.trace import trace
from ..model.variables import settle
from ..rewrite import phased


def chosen(model: Model, settings: Mapping[str, Any]) -> tuple[Model, dict[str, Any], Any]:
    """(network in the phase of a setting, values of its variables, `rho` or None)."""
    values = dict(settings)
    rho = values.pop("rho", None)
    if "phase" in values:  # no variable can have this name
        model = phased(model, values.pop("phase"))
    return model, values, rho


def known_at(model: Model, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A setting without the variables that the network did not have at the base."""
    return {name: value for name, value in settings.items() if name in model.variables or name in ("rho", "phase")}


class Setting(Walk):
    """A spec traced in one setting of its variables."""

    def __init__(self, model: Model, settings: Mapping[str, Any], most_layers: int | None = None) -> None:
        model, values, rho = chosen(model, settings)
        self.values: Mapping[str, Any] = settle(model, scaled(model, values, rho))
        super().__init__(model, trace(model, self.values, most_layers), self.values)

    @cached_property
    def names(self) -> list[str]:
        """Names of the layers, in order."""
        return [row.name for row in self.rows]

    @cached_property
    def unknown(self) -> Mapping[str, Mapping[str, None]]:
        """Layers of unknown cost: {`mult_adds` or `params`: names, in order}."""
        found: dict[str, dict[str, None]] = {"mult_adds": {}, "params": {}}
        for row in self.rows:
            for part in row.layer.unknown:
                found[part][row.name] = None
        return found


class Measured:
    """A setting under a convention. Quantities are computed on request and cached."""

    def __init__(self, walk: Setting, convention: Convention) -> None:
        self.walk, self.convention, self.model = walk, convention, walk.model
        self.amounts: dict[str, Any] = {}
        self.totals: dict[str, Any] = {}
        self.by_layer: dict[str, dict[str, Any]] = {}

    def metric(self, name: str) -> Metric:
        """Metric of that name under the convention."""
        return metric(name, self.convention)

    def total(self, name: str) -> Any:
        """Total of a metric over the network."""
        if name not in self.totals:
            self.totals[name] = folded(self.metric(name), self._amounts(name))
        return self.totals[name]

    def is_whole(self, name: str) -> bool:
        """Whether a metric is a figure of the whole network, without amounts per layer."""
        return type(self._amounts(name)) is not list

    def layers(self, name: str) -> Mapping[str, Any]:
        """Amounts of a metric by layer name, with equal names combined. Raises OptionError if it has none."""
        one = self.metric(name)
        if self.is_whole(name):
            raise of_the_whole(one)
        if name not in self.by_layer:
            amounts: dict[str, list] = {}
            for path, amount in zip(self.walk.names, self._amounts(name), strict=True):
                amounts.setdefault(path, []).append(amount)
            self.by_layer[name] = {path: folded(one, several) for path, several in amounts.items()}
        return self.by_layer[name]

    def _amounts(self, name: str) -> Any:
        if name not in self.amounts:
            self.amounts[name] = amounts(self.walk, self.metric(name))
        return self.amounts[name]

    def unknown(self, name: str) -> Mapping[str, None]:
        """Names of the layers whose amount of a metric is unknown, in order; `layers` has lower bounds for them."""
        one = self.metric(name)
        rough = {row.name: None for row in self.walk.rows if one.rough(row)}
        return {**self.walk.unknown.get(one.needs, {}), **rough}

    def uncounted(self, names: Iterable[str]) -> list[Mapping[str, Any]]:
        """The work that the convention counts 0 for in some metrics."""
        return [*uncounted(self.walk.rows, [self.metric(name) for name in names])]

    @cached_property
    def elements(self) -> list:
        """The network as a sequence of elements, for a comparison."""
        from ..analysis.compare.elements import elements
        from ..analysis.report.report import report

        whole = report(self.model, self.walk.walked, self.walk.values, self.convention)
        return elements(self.walk.rows, whole)

    def row(self, name: str) -> Row:
        """Layer of that name."""
        return self.walk.rows[self.walk.names.index(name)]
