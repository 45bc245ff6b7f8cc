"""The shipped networks, each read and evaluated once for all pages."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from costcalc.analysis.report.report import Report, report
from costcalc.cli.zoo import _text as text_of
from costcalc.cli.zoo import title
from costcalc.files import configs
from costcalc.metrics.conventions import find
from costcalc.metrics.metrics import metric, totals
from costcalc.metrics.walk import Walk
from costcalc.model.network import Model
from costcalc.model.rows import Trace
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.read.loading import load


class Network(NamedTuple):
    """A shipped config at the defaults of its variables: text, walk, and report under `paper`."""

    name: str
    about: str
    text: str
    model: Model
    trace: Trace
    walk: Walk
    report: Report


def names() -> list[str]:
    """The names of the shipped networks."""
    return sorted(configs())


@cache
def network(name: str) -> Network:
    """A shipped network by name, independent of files in the working directory."""
    model = load(configs()[name])
    values = settle(model, {})
    found = trace(model, values)
    walk = Walk(model, found, values)
    priced = report(model, found, values, find("paper"), walk=walk)
    return Network(name, title(model.source.text), text_of(name, None), model, found, walk, priced)


def counted(one: Network, convention: str) -> tuple[str, int, int]:
    """The name of the cost of a convention, the cost, and the parameters."""
    cost = find(convention).cost
    found = totals(one.walk, [metric(cost, convention), metric("params", convention)])
    return cost, found[cost], found["params"]


def bound(one: Network, number: int) -> str:
    """A total as text, with `>= ` if the cost of a layer is unknown."""
    return f"{number:,}" if one.report.complete else f">= {number:,}"


def each() -> Iterator[Network]:
    """Every shipped network."""
    return map(network, names())


def setting(one: Network) -> str:
    """The inputs and variables of the totals."""
    from costcalc.analysis.report.columns import setting as said

    text: Any = said(one.report.inputs, one.report.values)
    return str(text)
