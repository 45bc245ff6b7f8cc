"""Show how the figures of layers are calculated: symbols, then numbers, then the product."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from string import ascii_letters
from typing import Any

from ...arguments import mapping
from ...metrics.chances import shown
from ...metrics.conventions import Prices, find, price_list
from ...metrics.gaps import uncounted
from ...metrics.gradients import Gradient, gradients
from ...metrics.metrics import METRICS, is_bound, metric
from ...metrics.pricing import Convention, price_of
from ...metrics.walk import Walk
from ...model.field import fields, terms
from ...model.rows import Row, called
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...num.values import Number
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render import Result
from ...render.sheet import Column, Page, Sheet
from ...render.text import printable, shape_text
from ..compare.beside import in_words
from ..report.analyze import scaled
from ..report.columns import stamp, total
from ..report.notes import MOST_KINDS, bounds, unpriced
from ..report.report import Report, report
from .working import Working, separable, worked


class _Chosen(NamedTuple):
    layer: str | None  # the name or glob, None for all
    rows: Sequence[Row]  # rows of the network that match it
    report: Report  # of the whole network
    convention: Convention | None  # convention whose cost is shown quantity by quantity
    gradients: Mapping[int, Gradient]  # by the identity of the row, if the backward pass is shown


class Explanation(Result, _Chosen):
    """The requested layers with their calculations; `report` is the report of the whole network."""

    def __str__(self) -> str:
        parts = [text for row in self.rows if (text := row_text(row, self.convention, self.gradients.get(id(row))))]
        parts += [pair_text(*pair) for pair in separable(self.rows)]
        unknown = any(row.layer.unknown for row in self.rows)
        nothing = "the cost is unknown" if unknown else "no mult-adds and no weights"
        parts = parts or [f"{self.layer or self.report.model.name}: {nothing}"]
        parts += [field_text(self.report, self.rows[-1])] if self.layer else [total_text(self.report)]
        parts = [part for part in parts if part]
        return "\n\n".join([*parts, "\n".join(self.notes())])

    def notes(self) -> list[str]:
        """Meaning of the symbols, what the figures of the layers leave out, and the meaning of the figures."""
        metrics = self.report.metrics
        unknown = [f"{row.type} ({row.name})" for row in self.rows if is_bound(row, metrics)]
        more = [f"{len(unknown) - MOST_KINDS:,} more layers"] if len(unknown) > MOST_KINDS else []
        left_out = bounds(unknown[:MOST_KINDS] + more) + unpriced(uncounted(self.rows, metrics))
        return [*filter(None, [legend(self.rows)]), *left_out, stamp(self.report)]

    __repr__ = __str__

    def page(self) -> Page:
        """One row per layer that has mult-adds or weights."""
        return ExplanationPage(self)


def explain(
    spec: Network,
    layer: str | None = None,
    *,
    convention: Prices | None = None,
    backward: bool = False,
    input: Inputs | None = None,
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> Explanation:
    """Show how the figures of layers are calculated: `print(explain("mobilenet", "separable_7"))`.

    spec, input  what `costcalc.load` takes
    layer        a layer or block by its name in the report, or a glob; by default every layer and the totals
    convention   also show what this convention counts, quantity by quantity
    backward     also show the gradients that training computes
    rho, settings, values  as in `analyze`

    Raises CostcalcError.
    """
    priced = price_list(convention) if convention else None
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
    with uncollected():
        model = load(spec, input)
        settled = settle(model, scaled(model, given, rho))
        walk = trace(model, settled)
        rows = walk.rows if layer is None else called(walk.rows, layer)
        counted = report(model, walk, settled, priced or find("paper"))  # the calculations count as `paper` does
        each = gradients(Walk(model, walk, settled)) if backward else []
    return Explanation(layer, rows, counted, priced, dict(zip(map(id, walk.rows), each, strict=False)))


COLUMNS = (
    Column("layer", folds=True),
    Column("type"),
    Column("mult-adds =", folds=True),
    Column("mult-adds", number=True),
    Column("params =", folds=True),
    Column("params", number=True),
)


class ExplanationPage(Page):
    """The rows of an Explanation that have mult-adds or weights."""

    def __init__(self, explanation: Any) -> None:
        self.explanation = explanation
        self.title = f"{explanation.report.model.name}: explained"
        self.rows = [(row, *worked(row)) for row in explanation.rows if any(worked(row))]

    def sheets(self) -> list[Sheet]:
        """One sheet."""
        cells: list[tuple[str, ...]] = [
            (printable("/".join(row.frame.path)), printable(row.type), *_cells(cost), *_cells(weights))
            for row, cost, weights in self.rows
        ]
        return [Sheet(COLUMNS, cells)]

    def notes(self) -> list[str]:
        """Meaning of the symbols and of the figures."""
        return self.explanation.notes()

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per layer: each calculation in symbols, in numbers, and its value."""
        rows = []
        for row, cost, weights in self.rows:
            record: dict[str, Any] = {"name": "/".join(row.frame.path), "type": row.type}
            record |= {"input": " and ".join(map(shape_text, row.inputs)), "output": shape_text(row.layer.shape)}
            for name, working in (("mult_adds", cost), ("params", weights)):
                record |= {f"{name}_symbols": working.symbols if working else "", f"{name}_numbers": _numbers(working)}
                record[name] = working.value if working else 0
            rows.append({**record, "complete": not row.layer.unknown})
        names = ["name", "type", "input", "output"]
        names += [f"{name}{part}" for name in ("mult_adds", "params") for part in ("_symbols", "_numbers", "")]
        return [*names, "complete"], rows

    def document(self) -> dict[str, Any]:
        """One entry per layer."""
        return {"note": stamp(self.explanation.report), "layers": self.records()[1]}


def _numbers(working: Any) -> str:
    return working.numbers if working else ""


def _cells(working: Any) -> tuple[str, str]:
    return (f"{working.symbols} = {working.numbers}", f"{working.value:,}") if working and working.value else ("", "-")


_SYMBOLS = {  # those of the MobileNet paper (arXiv:1704.04861, section 3.1) come first
    "DK": "side of the kernel",
    **dict.fromkeys(("KD", "KH", "KW"), "sides of the kernel"),
    "M": "channels in",
    "N": "channels out",
    "m": "filters a channel",
    "g": "groups",
    "DF": "side of the output grid",
    **dict.fromkeys(("D", "H", "W"), "sides of the grid"),
    "T": "tokens or positions",
    "C": "channels",
    "B": "windows",
    "n": "sizes of the parameter",
}
_OF = {  # operations that use a symbol with another meaning
    "conv_transpose": {"DF": "side of the input grid"},
    "matmul": {"B": "products", "R": "rows", "K": "columns of the first, rows of the second", "C": "columns"},
    "attend": {
        "Q": "queries",
        "K": "keys",
        "C": "width of a query",
        "V": "width of a value",
        "P": "pairs of query and key, including masked ones",
    },
    "einsum": dict.fromkeys(ascii_letters, "axes of the equation"),
    "embedding": {"V": "words", "N": "width of one"},
}


def legend(rows: Sequence[Row]) -> str:
    """`DK: side of the kernel; M: channels in; ..` for the symbols in the calculations of rows; may be empty."""
    found: dict = {}
    for row in rows:
        known = {**_SYMBOLS, **_OF.get(row.op.name, {})}
        for working in filter(None, worked(row)):
            for symbol in re.findall(r"[A-Za-z]+", working.symbols) if working.value else ():
                if symbol in known:
                    found.setdefault(symbol, {})[known[symbol]] = None
    meanings: dict = {}
    for symbol, said in found.items():
        meanings.setdefault(" or ".join(said), []).append(symbol)
    return "; ".join(f"{', '.join(symbols)}: {meaning}" for meaning, symbols in meanings.items())


MOST = 24  # windows shown of one sum


def field_text(report: Report, row: Row) -> str:
    """Receptive field of a layer's output, and how it grows; empty if unknown."""
    field = report.fields.get(row.name)
    if field is None or not field.axes:
        return ""
    size, stride, padding = (shape_text(part) for part in (field.size, field.stride, field.padding))
    whole = "whole input; without global layers " if field.whole else ""
    aligned = "" if field.aligned else ", branches with different centres"
    head = f"receptive field of {printable(row.name)}: {whole}{size}, stride {stride}, padding {padding}{aligned}"
    number = next(at for at, line in enumerate(report.lines) if line.name == row.name)
    chain = terms(report.trace, fields(report.trace), number)
    if not 0 < len(chain) <= MOST:
        return head
    return f"{head}\n  {field.size[0]} = {' + '.join(['1', *(f'{more}*{step}' for _, more, step in chain)])}"


def row_text(row: Row, convention: Convention | None = None, gradient: Gradient | None = None) -> str:
    """Calculation of a row's mult-adds and weights, and what a convention counts; empty if it has neither."""
    cost, weights = worked(row)
    lines = []
    if cost and cost.value:
        lines.append(f"  mult-adds  {cost}")
    if weights and weights.value:
        lines.append(f"  params     {weights}" + (f" (the weights of {printable(row.shared)})" if row.shared else ""))
    if type(row.times) is int and row.times != 1 and cost:
        lines.append(f"  {row.times:,} times per sample: {row.times * cost.value:,} mult-adds")
    if row.chance and cost and cost.value:
        lines.append(_by_chance(row, cost.value * row.times))
    if gradient is not None:
        lines += _backward(cost, gradient, row.times)
    if convention is not None:
        lines += _counted(row, convention)
    shapes = " and ".join(map(shape_text, row.inputs))
    head = f"{printable('/'.join(row.frame.path))}: {printable(row.type)}, {shapes} -> {shape_text(row.layer.shape)}"
    return "\n".join([head, *lines]) if lines else ""


def _by_chance(row: Row, cost: int) -> str:
    """Expected mult-adds of a row that runs with a probability; each factor is conditional on the one before."""
    probs = [branch.prob for branch in row.chance]
    factors = " * ".join(str(prob) for prob in probs)
    expected = shown(math.prod(probs) * cost)
    return f"  expected   {factors} * {cost:,} = {expected:,} mult-adds"


def _backward(cost: Working | None, gradient: Gradient, times: Number) -> list[str]:
    """Mult-adds of the gradients: the forward calculation if the amounts are equal, else by quantity."""
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
    """A convention's cost and params of a row: each quantity times its price."""
    op, layer = row.op.name, row.layer
    cost = [*_terms(op, layer.terms, convention.prices), *_terms(op, layer.params, convention.numbers)]
    params = [] if row.shared else _terms(op, layer.params, convention.params)
    sums = {convention.cost: (cost, convention.cost_of(op, layer)), "params": (params, convention.params_of(op, layer))}
    signs = {name: ">=" if metric(name, convention).is_bound(row) else "=" for name in sums}
    heads = {name: f"  {convention.name} {METRICS[name].title}" for name in sums}
    return [
        f"{heads[name]:{max(map(len, heads.values()))}}  {' + '.join(terms)} {signs[name]} {value:,}"
        for name, (terms, value) in sums.items()
        if terms
    ]


def _terms(op: str, quantities: Mapping[str, int], prices: Mapping[str, int]) -> list[str]:
    priced = [(name, count, price_of(prices, op, name)) for name, count in quantities.items()]
    return [f"{count:,} {name}" + f" * {price}" * (price != 1) for name, count, price in priced if price and count]


def total_text(report: Report) -> str:
    """Totals of the whole network, the same in every format."""
    cost = report.metrics[0].title
    cases = "".join(f", {total(report, one.name)} {one.title}" for one in report.metrics[2:] if one.of)
    figures = f"{total(report, 'cost')} {cost}{cases}, {total(report, 'params')} params"
    return f"total of {printable(report.model.name)}: {figures}"


def pair_text(first: Row, second: Row, pair: Any) -> Any:
    """A depthwise convolution with its 1x1 convolution, compared with the standard convolution."""
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
