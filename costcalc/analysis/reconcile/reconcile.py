"""Split the gap between two counts of one network into named parts that sum exactly to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...arguments import mapping
from ...metrics.conventions import Prices, price_list
from ...metrics.gradients import Gradient, cost, gradients
from ...metrics.price_lists import SECTIONS
from ...metrics.pricing import MAC, Convention, price_of
from ...metrics.walk import Walk
from ...model.network import Model
from ...model.rows import Row, Trace
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render import Result
from ..report.report import Report, report

if TYPE_CHECKING:
    from ...num.values import Shape
    from ...render.sheet import Page


METRICS = ("cost", "params", "training")
_FAMILIES = {  # name of a part: the family of its quantity
    **dict.fromkeys(("mac", "mac_attention", "mac_masked"), "mult-adds"),
    "mac_on_output": "transposed convolution",
    **dict.fromkeys(("scale", "softmax"), "attention"),
    **dict.fromkeys(("activate", "softmax_rows", "slope"), "activation"),
    **dict.fromkeys(("normalize", "affine", "normalize_rows", "gamma", "beta"), "normalisation"),
    **dict.fromkeys(("interpolate_nearest", "interpolate_bilinear", "interpolate_in"), "interpolation"),
    **dict.fromkeys(("compare", "average", "power"), "pooling"),
    **dict.fromkeys(("add", "multiply", "divide"), "elementwise"),
    "ungrouped": "groups ignored in the weight gradient",
    "running": "moving statistics",
    "states": "recurrent state",
    "weight": "weights",
}


class Part(NamedTuple):
    """One part of a gap: its name, its amount and the reason.

    A part caused by a price has a quantity and the prices of both sides; otherwise these are None.
    """

    name: str
    value: Any
    what: str
    why: str = ""
    quantity: Any = None
    prices: tuple | None = None


class LayerGap(NamedTuple):
    """One layer under both conventions."""

    name: str
    type: str
    left: Any
    right: Any
    parts: tuple[str, ...]


class _Gap(NamedTuple):
    model: Model
    report: Report  # under the left convention
    metric: str
    left: Convention
    right: Convention
    totals: tuple[int, int]
    parts: tuple[Part, ...]
    layers: tuple[LayerGap, ...]


class Reconciliation(Result, _Gap):
    """One network under two conventions: both totals, and the parts of the gap from left to right."""

    def page(self) -> Page:
        """Parts of the gap, as `costcalc reconcile` prints them."""
        from .page import GapPage

        return GapPage(self)

    @property
    def gap(self) -> int:
        """Right total minus left total."""
        return self.totals[1] - self.totals[0]


def reconcile(
    spec: Network,
    left: Prices,
    right: Prices,
    *,
    input: Inputs | None = None,
    metric: str = "cost",
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> Reconciliation:
    """Explain why two conventions count a network differently, term by term.

    spec, input  what `costcalc.load` takes
    left, right  conventions: names, price lists or Conventions
    metric       `cost` (mult-adds or FLOPs, depending on the convention), `params`, or `training` (both passes)
    values       variables of the spec

    Both conventions price the same trace of the network. Raises CostcalcError.
    """
    one, other = price_list(left), price_list(right)
    with uncollected():
        model = load(spec, input)
        settled = settle(model, {**mapping(settings, "settings", '{"alpha": 0.75}'), **values})
        return reconciled(model, trace(model, settled), settled, one, other, metric)


def reconciled(
    model: Model, walked: Trace, values: Mapping[str, Any], left: Any, right: Any, metric: str
) -> Reconciliation:
    """Reconciliation of a traced network."""
    reports = [report(model, walked, values, one) for one in (left, right)]
    backward = gradients(Walk(model, walked, values)) if metric == "training" else None
    sides = [_by_row(walked.rows, one, metric, backward) for one in reports]
    parts = split(tally(walked.rows, metric, backward), left, right)
    layers = tuple(_layers(walked.rows, reports, sides, metric, backward))
    return Reconciliation(model, reports[0], metric, left, right, (sum(sides[0]), sum(sides[1])), parts, layers)


def _by_row(rows: Sequence[Row], one: Report, metric: str, backward: Sequence[Gradient] | None) -> list[int]:
    """Count of each row under a report's convention."""
    if backward is None:
        return [line.params if metric == "params" else line.cost for line in one.lines]
    costs = [cost(row, gradient, one.convention) for row, gradient in zip(rows, backward, strict=True)]
    return [line.cost + more for line, more in zip(one.lines, costs, strict=True)]


def total_of(one: Report, metric: str) -> int:
    """Total of a metric in a report."""
    return one.totals["params" if metric == "params" else one.convention.cost]


def tally(rows: Sequence[Row], metric: str, backward: Sequence[Gradient] | None = None) -> dict[tuple[str, ...], int]:
    """Amounts that rows state for a metric: {(section of a price list, name, operation): amount}."""
    amounts: dict = {}
    for at, row in enumerate(rows):
        more = [] if backward is None else _of_gradient(backward[at])
        for section, name, number in [*_stated(row, metric), *more]:
            key = section, name, row.op.name
            amounts[key] = amounts.get(key, 0) + number
    return amounts


def _stated(row: Row, metric: str) -> list[tuple[str, str, int]]:
    if metric == "params":
        return [("params", name, number) for name, number in row.layer.params.items()] if row.shared is None else []
    terms = [("prices", name, number * row.times) for name, number in row.layer.terms.items()]
    return terms + [("numbers", name, number * row.times) for name, number in row.layer.params.items()]


def _of_gradient(one: Gradient) -> list[tuple[str, str, int]]:
    """Amounts of the backward pass of a row: (section, name, amount)."""
    macs = [("prices", name, number) for side in (one.inputs, one.weights) for name, number in side.items()]
    return [*macs, ("gradients", "ungrouped", one.ungrouped)]


def split(tallied: Mapping[tuple[str, ...], int], left: Convention, right: Convention) -> tuple[Part, ...]:
    """Parts of the gap, largest first: one per quantity and pair of prices."""
    found: dict = {}
    for (section, name, operation), number in tallied.items():
        for bug, prices in _prices(section, operation, name, left, right):
            if prices[0] != prices[1] and number:
                entry = found.setdefault((section, name, prices, bug), [0, []])
                entry[0] += number
                entry[1].append(operation)
    parts = [_part(key, number, operations, left, right) for key, (number, operations) in found.items()]
    return tuple(sorted(parts, key=lambda part: -abs(part.value)))


def _prices(
    section: str, operation: str, name: str, left: Convention, right: Convention
) -> tuple[tuple[bool, Shape], tuple[bool, Shape]]:
    """(whether it is a bug, prices of both sides): the intended prices, and known bugs separately."""
    prices = tuple(price_of(getattr(one, section), operation, name) for one in (left, right))
    bugs = tuple(price_of(one.bugs, operation, name) if section == "prices" else 0 for one in (left, right))
    return (False, tuple(price - bug for price, bug in zip(prices, bugs, strict=True))), (True, bugs)


def _part(
    key: tuple[str, str, Shape, bool], number: int, operations: list[str], left: Convention, right: Convention
) -> Part:
    section, name, prices, bug = key
    known = SECTIONS[section]
    once = ", once, regardless of the input" if section == "numbers" else ""
    return Part(
        _bug(prices, left, right) if bug else _name(section, name, prices),
        (prices[1] - prices[0]) * number,
        f"{known[name].what}{once}: {', '.join(operations)}",
        _why(section, name, operations, left, right),
        number,
        prices,
    )


def _bug(prices: tuple[int, ...], left: Convention, right: Convention) -> str:
    names = [one.name for one, price in zip((left, right), prices, strict=True) if price]
    return f"known bug of {' and '.join(names)}"


def _name(section: str, name: str, prices: tuple[int, ...]) -> str:
    if name in MAC and all(prices):
        return f"{prices[1]} per mult-add" if prices[0] == 1 else f"{prices[1]} per mult-add, not {prices[0]}"
    if section == "numbers":
        return "parameters once"
    return _FAMILIES.get(name) or ("pooling" if name.endswith(("_in", "_out")) or "reduce" in name else name)


def _why(section: str, name: str, operations: list[str], left: Convention, right: Convention) -> str:
    """Code of the programs that the prices mirror; empty if the conventions mirror none."""
    texts = {
        f"{one.name}: {mirrored[key]}": None
        for one in (left, right)
        for mirrored in [one.mirrors.get(section, {})]
        for operation in operations
        for key in (f"{operation}.{name}", name)
        if key in mirrored
    }
    return "; ".join(texts)


def _layers(
    rows: Sequence[Row], reports: list[Report], sides: list[list[int]], metric: str, backward: Sequence[Gradient] | None
) -> Iterator[LayerGap]:
    left, right = (one.convention for one in reports)
    for at, (row, line) in enumerate(zip(rows, reports[0].lines, strict=True)):
        own = None if backward is None else backward[at : at + 1]
        names = dict.fromkeys(part.name for part in split(tally([row], metric, own), left, right))
        if names:
            yield LayerGap(line.name, line.type, sides[0][at], sides[1][at], tuple(names))
