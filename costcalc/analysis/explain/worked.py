"""The working behind numbers as text: a few lines a layer, and a depthwise and its 1x1 convolution together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...metrics.chances import shown
from ...metrics.metrics import METRICS
from ...metrics.pricing import Convention, price_of
from ...render.text import printable, shape_text
from ..compare.beside import in_words
from ..report.columns import total
from .working import Working, worked

if TYPE_CHECKING:
    from ...metrics.gradients import Gradient
    from ...model.rows import Row
    from ...num.values import Number
    from ..report.report import Report


def row_text(row: Row, convention: Convention | None = None, gradient: Gradient | None = None) -> str:
    """What a row's mult-adds and weights come from, and what a convention counts of it; empty if it has none."""
    cost, weights = worked(row)
    lines = []
    if cost and cost.value:
        lines.append(f"  mult-adds  {cost}")
    if weights and weights.value:
        lines.append(f"  params     {weights}" + (f" (the weights of {printable(row.shared)})" if row.shared else ""))
    if type(row.times) is int and row.times != 1 and cost:
        lines.append(f"  {row.times:,} times a sample: {row.times * cost.value:,} mult-adds")
    if row.chance and cost and cost.value:
        lines.append(_by_chance(row, cost.value * row.times))
    if gradient is not None:
        lines += _backward(cost, gradient, row.times)
    if convention is not None:
        lines += _counted(row, convention)
    shapes = " and ".join(map(shape_text, row.inputs))
    head = f"{printable('/'.join(row.frame.path))}: {row.type}, {shapes} -> {shape_text(row.layer.shape)}"
    return "\n".join([head, *lines]) if lines else ""


def _by_chance(row: Row, cost: int) -> str:
    """The expected mult-adds of a row that does not always run: each probability is that inside the one before."""
    probs = [branch.prob for branch in row.chance]
    factors = " * ".join(str(prob) for prob in probs)
    expected = shown(math.prod(probs) * cost)
    return f"  expected   {factors} * {cost:,} = {expected:,} mult-adds"


def _backward(cost: Working | None, gradient: Gradient, times: Number) -> list[str]:
    """The mult-adds of gradients: as those of the forward pass where they are as many, else by quantity."""
    lines = []
    for name, side in (("d input", gradient.inputs), ("d weights", gradient.weights)):
        total = sum(side.values())
        if cost is not None and total == cost.value and type(times) is int and times == 1:
            lines.append(f"  {name:9}  {cost}")
        elif total:
            terms = " + ".join(f"{count:,} {quantity}" for quantity, count in side.items() if count)
            lines.append(f"  {name:9}  {terms}" + (f" = {total:,}" if len(side) > 1 else ""))
    return lines


def _counted(row: Row, convention: Convention) -> list[str]:
    """A convention's cost and params of a row, each quantity times its price."""
    op, layer = row.op.name, row.layer
    cost = [*_terms(op, layer.terms, convention.prices), *_terms(op, layer.params, convention.numbers)]
    params = [] if row.shared else _terms(op, layer.params, convention.params)
    sums = {convention.cost: (cost, convention.cost_of(op, layer)), "params": (params, convention.params_of(op, layer))}
    heads = {name: f"  {convention.name} {METRICS[name].title}" for name in sums}
    return [
        f"{heads[name]:{max(map(len, heads.values()))}}  {' + '.join(terms)} = {value:,}"
        for name, (terms, value) in sums.items()
        if terms
    ]


def _terms(op: str, quantities: Mapping[str, int], prices: Mapping[str, int]) -> list[str]:
    priced = [(name, count, price_of(prices, op, name)) for name, count in quantities.items()]
    return [f"{count:,} {name}" + f" * {price}" * (price != 1) for name, count, price in priced if price and count]


def total_text(report: Report) -> str:
    """The totals of a whole network, as every format has them."""
    cost = report.metrics[0].title
    cases = "".join(f", {total(report, one.name)} {one.title}" for one in report.metrics[2:] if one.of)
    figures = f"{total(report, 'cost')} {cost}{cases}, {total(report, 'params')} params"
    return f"total of {printable(report.model.name)}: {figures}"


def pair_text(first: Row, second: Row, pair: Any) -> Any:
    """A depthwise convolution and its 1x1 convolution beside the standard convolution."""
    together, standard = pair.together, pair.standard
    name = printable("/".join(_common(first.frame.path, second.frame.path)) or "together")
    fewer = in_words(standard.value, together.value, "mult-adds")
    return "\n".join(
        [
            f"{name}: depthwise separable against standard convolution",
            f"  separable  {together}",
            f"  standard   {standard}",
            f"  saving     {pair.saving} = {pair.theory:.3f}: {fewer}",
        ]
    )


def _common(one: Any, other: Any) -> Any:
    shared = []
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared.append(a)
    return shared
