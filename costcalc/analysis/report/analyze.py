"""Analyze one spec at one setting of its variables under one convention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...arguments import mapping, names
from ...errors import OptionError, Problem, brief
from ...metrics.conventions import Prices, price_list
from ...metrics.pricing import Convention
from ...model.network import Model
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from .report import Report, report


def analyze(
    spec: Network,
    *,
    input: Inputs | None = None,
    metrics: str | Sequence[str] = (),
    convention: Prices = "paper",
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> Report:
    """Compute the cost of a network, layer by layer.

    spec, input what `costcalc.load` takes: a path, a mapping, a text, an open file, a model of a framework
    metrics     further metrics, beside the cost and params, by name: ("activations", "keras.weights_bytes")
    convention  a name from `costcalc conventions`, the path of a price list, or a Convention
    rho         resolution multiplier: `res` of the spec times rho, in whole pixels (arXiv:1704.04861, section 3.4)
    settings    variables in a mapping, for names that are also arguments of this function
    values      variables of the spec: analyze("mobilenet", alpha=0.75, res=160)

    Counts are exact integers per sample. Raises CostcalcError for an invalid spec, variable or convention.
    """
    priced = price_list(convention)
    with uncollected():
        given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
        found = _report(load(spec, input), priced, given, rho, names(metrics, "metrics"))
    found.viewer = _viewed
    return found


def _viewed(found: Report) -> str:
    """Page of a report, for a notebook."""
    from ..page.page import live

    return live(found)


def _report(
    model: Model, convention: Convention, values: Mapping[str, Any], rho: float | None, metrics: Sequence[str]
) -> Report:
    settled = settle(model, scaled(model, values, rho))
    return report(model, trace(model, settled), settled, convention, metrics)


def scaled(model: Model, values: Mapping[str, Any], rho: float | None) -> Mapping[str, Any]:
    """`values` with the resolution multiplied by rho."""
    if rho is None:
        return values
    if "res" not in model.variables:
        raise OptionError(Problem("unknown-variable", f"rho scales `res`, and {model.name} has no variable `res`"))
    if isinstance(rho, bool) or not isinstance(rho, (int, float)) or not 0 < rho < float("inf"):
        raise OptionError(
            Problem("bad-value", f"rho cannot be {brief(repr(rho))}", help="expected a finite number above 0")
        )
    return {**values, "res": max(round(settle(model, values)["res"] * rho), 1)}
