"""The page that answers what is asked of a space: exact, or estimated where it does not decompose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import OptionError, Problem, SpecError
from ...metrics.metrics import metric
from ...model.network import Model
from .counts import Undecomposed
from .page import DRAWN, Asked, SpacePage
from .sampled import Sampled, SampledPage, of_networks, of_settings
from .space import check_limits, open_choices, space


def paged(model: Model, of: str, asked: Asked, how: Mapping[str, Any]) -> SpacePage | SampledPage:
    """The page of a space, counted by the metric `of`; `how` is what else `space` takes.

    With `asked.estimate`, settings of a space that does not decompose are drawn at random. Raises OptionError.
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
    """The error with the option of this page that draws networks instead."""
    first, *others = error.problems
    help = "; or ".join(filter(None, (first.help, "`--estimate N` of those within --max")))
    return Undecomposed(first._replace(help=help), *others)


def _sampled(model: Model, of: str, asked: Asked, how: Mapping[str, Any], why: str) -> Sampled:
    """Networks drawn at random where their parts can be counted, else settings of the variables."""
    metrics = [metric(name, how["convention"]) for name in dict.fromkeys([of, *asked.limits])]
    drawn = {"choices": open_choices(model, how["settings"]), "given": how["settings"], "limits": asked.limits}
    more = {**drawn, "seed": asked.seed, "convention": how["convention"]}
    try:
        found = of_networks(model, metrics, more, asked.estimate)
    except (OptionError, SpecError):
        found = of_settings(model, metrics, more, asked.estimate)
    return Sampled(model, metrics, more, found, why)


def unlisted(page: SpacePage | SampledPage) -> SpacePage:
    """The page of an exact space. Raises OptionError for an estimate, which has no histogram."""
    if isinstance(page, SampledPage):
        raise OptionError(Problem("usage", f"there is no exact histogram to plot: {page.found.why}"))
    return page
