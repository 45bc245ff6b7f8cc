"""Page of a space: exact, or estimated if the space does not decompose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import OptionError, Problem, SpecError
from ...metrics.metrics import Metric, metric, storage_note
from ...model.network import Model
from ...records import NamedTuple
from ...render.sheet import Column, Sheet
from ..fit.fit import most_of
from ..report.columns import constants, stamped
from ..report.document import heading
from ..report.gaps import uncounted_in
from ..report.notes import unpriced
from ..sweep.sweep import COMPLETE, Sample, results
from .chains import drawn_costs
from .counter import ENUMERATION, Counter
from .counts import Undecomposed
from .estimate import CONFIDENCE, Estimate, between, estimated
from .page import DRAWN, Asked, SpacePage
from .space import check_limits, check_whole, counted_by, open_choices, space
from .units import Counting, Designs

SHARES = (0.1, 0.5, 0.9)


class Drawn(NamedTuple):
    """Drawn networks: their metrics, the number of invalid draws, and the population."""

    costs: Mapping[str, Any]
    refused: int
    population: int
    word: str  # unit of the population: networks or settings


class Sampled:
    """Uniformly drawn networks of a space: how many are within limits, and the distribution of their costs.

    why  reason why the space is not counted exactly
    """

    def __init__(self, model: Model, metrics: list[Metric], how: Mapping[str, Any], drawn: Drawn, why: str) -> None:
        self.model, self.metrics, self.why = model, metrics, why
        self.choices, self.given, self.seed = how["choices"], how["given"], how["seed"]
        self.limits = {name: int(most_of(name, limit)) for name, limit in how["limits"].items()}
        self.drawn, self.costs = drawn, drawn.costs

    @property
    def count(self) -> int:
        """Number of draws."""
        return len(self.costs[self.metrics[0].name]) + self.drawn.refused

    @property
    def estimate(self) -> Estimate:
        """Share of the population that consists of networks within the limits."""
        within = np.ones(self.count - self.drawn.refused, dtype=bool)
        for name, most in self.limits.items():
            within &= self.costs[name] <= most
        return estimated(int(within.sum()), self.count, f"the {self.drawn.population:,} {self.drawn.word}")

    def quantiles(self) -> dict[str, dict[str, int]]:
        """Percentiles of the drawn costs, each with its confidence interval at 95 %."""
        costs = np.sort(self.costs[self.metrics[0].name])
        percentiles = {}
        for share in SHARES:
            low, high = between(share, len(costs))
            about = {"drawn": int(costs[max(math.ceil(share * len(costs)) - 1, 0)])}
            percentiles[f"p{round(100 * share)}"] = {**about, "low": int(costs[low]), "high": int(costs[high])}
        return percentiles


def of_settings(model: Model, metrics: list[Metric], how: Mapping[str, Any], count: int) -> Drawn:
    """Draw settings of the choices uniformly. Raises OptionError if a cost is unknown or no draw is valid."""
    axes = {name: np.array(values) for name, values in how["choices"].items()}
    axes |= {name: np.array([value]) for name, value in how["given"].items()}
    names = [one.name for one in metrics]
    sample = Sample(axes, count, how["seed"])
    parts = [dict(one.columns) for one in results(model, sample, names, how["convention"], True)]
    if not all(np.all(part[COMPLETE]) for part in parts):
        raise OptionError(Problem("incomplete", "the cost of a layer is unknown: no estimate is possible"))
    costs = {name: np.concatenate([part[name] for part in parts]) for name in names}
    kept = len(costs[names[0]])
    if not kept:
        raise OptionError(Problem("no-points", f"none of the {count:,} settings drawn makes a valid network"))
    return Drawn(costs, count - kept, math.prod(map(len, how["choices"].values())), "settings")


def of_networks(model: Model, metrics: list[Metric], how: Mapping[str, Any], count: int) -> Drawn:
    """Draw networks uniformly from a space whose networks can be counted, but not their costs. Raises OptionError."""
    for one in metrics:
        counted_by(model, one.name, how["convention"])  # refuses metrics that are neither sums nor maxima
    designs = Designs(model, how["choices"], how["given"], Counting(tuple(metrics), {}, blank=True))
    space = Counter(designs).decomposed()
    if space.method == ENUMERATION or not space.networks:
        raise OptionError(Problem("limit", "the space does not decompose"))
    check_whole(model, how["given"], space)
    costs = drawn_costs(space, count, np.random.default_rng(how["seed"]))
    return Drawn({one.name: row for one, row in zip(metrics, costs, strict=True)}, 0, space.networks, "networks")


class SampledPage:
    """Page of an estimate, for a space that does not decompose."""

    def __init__(self, found: Sampled) -> None:
        self.found = found
        self.title = f"{found.model.name}: its space"
        open_ones = {name.partition("[")[0] for name in found.choices}
        self.inputs, self.values = constants(found.model, [*found.choices, *open_ones], found.given)
        self.uncounted = uncounted_in(found.model, found.metrics, found.choices, found.given)

    def heads(self) -> list[str]:
        """Size of the population, and the share within the limits."""
        found = self.found
        said = " and ".join(f"{name} <= {limit:,}" for name, limit in found.limits.items())
        return [f"{found.drawn.population:,} {found.drawn.word}", f"fit {said}: {found.estimate.text}"]

    def sheets(self) -> list[Sheet]:
        """Percentiles."""
        title = self.found.metrics[0].title
        columns = (Column("share"), Column(f"{title} drawn", True), Column("at least", True), Column("at most", True))
        rows = [(name, *(f"{one:,}" for one in about.values())) for name, about in self.found.quantiles().items()]
        return [Sheet(columns, rows)]

    def notes(self) -> list[str]:
        """Reason for the estimate, and the meaning of the figures."""
        found = self.found
        refused = f"; {found.drawn.refused:,} of them are invalid" if found.drawn.refused else ""
        note = storage_note(found.model, [*found.costs])
        return [
            f"not exact: {found.why}",
            f"{found.count:,} {found.drawn.word} drawn uniformly, seed {found.seed}{refused}; "
            f"bounds at {100 * CONFIDENCE:.0f} %",
            *([note] if note else []),
            *unpriced(self.uncounted),
            stamped(found.model, found.metrics[0].priced, self.inputs, self.values),
        ]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per percentile."""
        rows = [{"share": name, **about} for name, about in self.found.quantiles().items()]
        return ["share", "drawn", "low", "high"], rows

    def document(self) -> Mapping[str, Any]:
        """The JSON document."""
        found = self.found
        return {
            **heading(found.model, found.metrics[0].priced, self.inputs, self.values),
            **({"uncounted": self.uncounted} if self.uncounted else {}),
            "metric": found.metrics[0].name,
            "choices": {name: list(values) for name, values in found.choices.items()},
            "method": "sampling",
            "why": found.why,
            found.drawn.word: found.drawn.population,
            "max": found.limits,
            "fitting": None,
            "estimate": found.estimate.record,
            "refused": found.drawn.refused,
            "seed": found.seed,
            "percentiles": self.records()[1],
        }


def paged(model: Model, of: str, asked: Asked, how: Mapping[str, Any]) -> SpacePage | SampledPage:
    """Page of a space, counted by the metric `of`; `how` has the other arguments of `space`.

    With `asked.estimate`, a space that does not decompose is sampled. Raises OptionError.
    """
    check_limits(model, asked.limits, how["convention"])
    try:
        return SpacePage(space(model, of=of, **how), asked)
    except OptionError as error:
        listed = asked.nth is not None or asked.samples or asked.front
        first = error.problems[0]
        if isinstance(error, Undecomposed) and not listed and not asked.estimate:
            raise _with_estimate(error) from None
        if not asked.estimate or not asked.limits or listed or first.code != "limit" or asked.estimate > DRAWN:
            raise
        return SampledPage(_sampled(model, of, asked, how, first.message))


def _with_estimate(error: Undecomposed) -> Undecomposed:
    """Add the option of this page that samples networks to the error's help."""
    first, *others = error.problems
    help = "; or ".join(filter(None, (first.help, "`--estimate N` of those within --max")))
    return Undecomposed(first._replace(help=help), *others)


def _sampled(model: Model, of: str, asked: Asked, how: Mapping[str, Any], why: str) -> Sampled:
    """Draw networks if they can be counted, else settings of the variables."""
    metrics = [metric(name, how["convention"]) for name in dict.fromkeys([of, *asked.limits])]
    drawn = {"choices": open_choices(model, how["settings"]), "given": how["settings"], "limits": asked.limits}
    more = {**drawn, "seed": asked.seed, "convention": how["convention"]}
    try:
        found = of_networks(model, metrics, more, asked.estimate)
    except (OptionError, SpecError):
        found = of_settings(model, metrics, more, asked.estimate)
    return Sampled(model, metrics, more, found, why)


def unlisted(page: SpacePage | SampledPage) -> SpacePage:
    """Return the page of an exact space. Raises OptionError for an estimate, which has no histogram."""
    if isinstance(page, SampledPage):
        raise OptionError(Problem("usage", f"there is no exact histogram to plot: {page.found.why}"))
    return page
