"""`costcalc.reconcile`: compare two conventions, or explain a printed number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, overload

from ...arguments import mapping
from ...errors import ArgumentError, Problem, brief
from ...metrics.conventions import Prices
from ...quantities import Figure, figure
from ...read.anything import Inputs, Network, load
from .explanations import Answer, explain
from .reconcile import Reconciliation
from .reconcile import reconcile as between


@overload
def reconcile(
    spec: Network,
    left: Prices,
    right: Prices,
    *,
    input: Inputs | None = ...,
    metric: str = ...,
    settings: Mapping[str, Any] | None = ...,
    **values: Any,
) -> Reconciliation:
    """Compare two conventions."""


@overload
def reconcile(
    spec: Network,
    left: Prices = ...,
    *,
    printed: str | int,
    input: Inputs | None = ...,
    metric: str = ...,
    settings: Mapping[str, Any] | None = ...,
    **values: Any,
) -> Answer:
    """Explain a printed number."""


def reconcile(
    spec: Network,
    left: Prices = "paper",
    right: Prices | None = None,
    *,
    printed: str | int | None = None,
    input: Inputs | None = None,
    metric: str = "cost",
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> Reconciliation | Answer:
    """Explain why two conventions count a network differently, term by term; or what a printed number includes.

    spec, input  what `costcalc.load` takes
    left, right  conventions: names, price lists or Conventions
    printed      a number instead of `right`, as it was printed: `"8.2G"`, `"317M"` or 4231976
    metric       `cost` (mult-adds or FLOPs, depending on the convention), `params`, or `training` (both passes)
    values       variables of the spec

    Returns a Reconciliation for two conventions, an Answer for a number. Raises CostcalcError.
    """
    if (right is None) == (printed is None):
        help = 'reconcile(spec, "paper", "fvcore"), or reconcile(spec, "paper", printed="8.2G")'
        raise ArgumentError(Problem("bad-argument", "give another convention, or a number as `printed`", help=help))
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
    if right is not None:
        return between(spec, left, right, input=input, metric=metric, settings=given)
    text = str(printed)
    found: Answer = explain(load(spec, input), left, text, _figure(printed), metric=metric, settings=given)
    return found


def _figure(printed: Any) -> Figure:
    """Parse a printed number. Raises ArgumentError."""
    usable = isinstance(printed, (str, int)) and not isinstance(printed, bool)
    found = figure(str(printed)) if usable and not str(printed).endswith("%") else None
    if found is None:
        help = 'give "8.2G", "317M" or 4231976'
        raise ArgumentError(Problem("bad-argument", f"`printed` cannot be {brief(repr(printed))}", help=help))
    return found
