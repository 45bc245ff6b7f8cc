"""Explain a printed number: other conventions, input sizes or widths, parts left out, twice or half."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

from ...allowance import OutOfTime
from ...errors import CostcalcError, OptionError, Problem
from ...metrics.conventions import COUNTERS, NAMES, find, price_list
from ...metrics.metrics import metric
from ...metrics.pricing import MAC, Convention
from ...model.network import Model
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...num import prod
from ...quantities import Count, Figure, agreement
from ...read.loading import load
from ...records import NamedTuple
from ...render import Result
from ..report.report import report
from .reconcile import Part, split, tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model.rows import Row
    from ...num.values import Number
    from ...render.sheet import Page


SIDES = (224, 192, 160, 128, 256, 299, 300, 320)  # sides of the input if the spec declares no choices
ROWS = 100_000  # layers of all traces of the network together
MOST = 9  # weight of an explanation's parts together: two or three parts
USUAL, DECLARED, OTHER_PROGRAM, ANY_SIDE = 2, 3, 4, 4  # weights: less common parts are heavier
NAMED = {"res": "input size", "alpha": "width"}
_FACTORS_SAY = {"2 per mult-add": "FLOPs among mult-adds", "1 for 2": "mult-adds among FLOPs"}
FACTORS = {"": (1, 1), "2 per mult-add": (2, 1), "1 for 2": (1, 2)}


class Explanation(NamedTuple):
    """A way of counting: its differences from the given convention, and its count."""

    changed: tuple  # (variable, value)
    left_out: str
    convention: Convention
    factor: str
    value: int
    own: bool  # whether it is the given convention
    undeclared: tuple = ()  # variables for which the spec declares no choices

    @property
    def weight(self) -> Any:
        """Sum of the weights of all differences; larger for less likely explanations."""
        own = 0 if self.own else OTHER_PROGRAM if self.convention.name in COUNTERS else USUAL
        sides = sum(ANY_SIDE if name in self.undeclared else DECLARED for name, _ in self.changed)
        return own + sides + (USUAL if self.factor else 0) + (DECLARED if self.left_out else 0)

    @property
    def ways(self) -> Any:
        """The differences as a set, to drop explanations that contain a simpler one."""
        convention = () if self.own else (self.convention.name,)
        return {*self.changed, *convention, self.left_out, self.factor} - {""}

    @property
    def text(self) -> Any:
        """The way of counting in words."""
        said = [] if self.own else [f"as {self.convention.name}"]
        said += [f"{name} {value}" for name, value in self.changed]
        said += [f"without the {self.left_out}"] if self.left_out else []
        said += [self.factor] if self.factor else []
        return ", ".join(said) or "as it is"


class _Answer(NamedTuple):
    model: Model
    report: Any  # under the given convention
    metric: str
    convention: Convention
    typed: str  # the number as typed in
    printed: int
    total: int
    explained: tuple  # (Explanation, how its digits match)
    near: tuple[Explanation, ...]
    parts: tuple[Part, ...]  # from the total to the number, for the first explanation
    other: tuple[str, ...] = ()  # what to try instead if the number is the total of the other metric


class Answer(Result, _Answer):
    """Explanations of a number, simplest first; if there are none, near counts, nearest first."""

    def page(self) -> Page:
        """Ways of counting, as `costcalc reconcile` prints them."""
        from .page import AnswerPage

        return AnswerPage(self)

    @property
    def gap(self) -> Any:
        """The number minus the total."""
        return self.printed - self.total


def explain(
    spec: Any,
    convention: Any,
    text: str,
    figure: Figure,
    *,
    metric: str = "cost",
    settings: dict[Any, Any] | None = None,
    **values: dict[str, Any],
) -> Any:
    """Find ways of counting that give a printed number, starting from a convention's count of a network.

    spec, convention, metric, values  as in `reconcile`
    text, figure                      the number: `8.2G` matches 8.15 to 8.25 G, and counts that truncate to it

    Raises CostcalcError.
    """
    printed = figure.value
    if type(printed) is not int or not printed:
        help = "write it as 8.2G, 317M or 4231976"
        raise OptionError(Problem("bad-value", f"{text} is not a positive integer", help=help))
    priced = price_list(convention)
    with uncollected():
        model = spec if isinstance(spec, Model) else load(spec)
        return _Search(model, {**(settings or {}), **values}, priced, metric).answer(text, figure)


class _Search:
    def __init__(self, model: Model, given: Iterable[Any], convention: Convention, metric: str) -> None:
        self.model, self.given, self.convention, self.metric = model, given, convention, metric
        self.values, self.conventions = settle(model, given), _distinct(convention, metric)
        self.undeclared = tuple(name for name, one in model.variables.items() if not one.choices)
        self.walks: dict = {}
        self.counts: dict = {}
        self.memo: dict = {}
        self.walked(())

    def answer(self, text: str, figure: Any) -> Any:
        printed, ways = figure.value, self.ways()
        met = _simplest([(way, agreement(Count(way.value, 1, self.knows(way)), figure)) for way in ways], printed)
        near = sorted(ways, key=lambda way: (abs(way.value - printed), way.weight))
        own = report(self.model, self.walks[()], self.values, self.convention)
        total = self.total((), "", self.convention)
        parts = self.parts(met[0][0], printed) if met else ()
        other = () if met else _other(own.totals, self.metric, figure, own.complete)
        return Answer(
            *(self.model, own, self.metric, self.convention, text, printed),
            *(total, tuple(met), tuple(near), parts, other),
        )

    # ways of counting

    def ways(self) -> Any:
        """Every way of counting; of those that give the same count in the same setting, the simplest."""
        found: dict = {}
        for changed in self.settings():
            if not self.walked(changed):
                continue
            for left_out, one, factor in product(("", *LEFT_OUT), self.conventions, FACTORS):
                if factor and not self.fits(factor, one):
                    continue
                times, over = FACTORS[factor]
                value, rest = divmod(self.total(changed, left_out, one) * times, over)
                way = Explanation(changed, left_out, one, factor, value, one is self.convention, self.undeclared)
                if not rest and way.weight <= MOST:
                    kept = found.setdefault((changed, left_out, way.value), way)
                    found[changed, left_out, way.value] = min(kept, way, key=lambda one: (one.weight, not one.own))
        return list(found.values())

    def fits(self, factor: Number, convention: Convention) -> Any:
        """Whether a count may be in the other unit: doubled if it is in mult-adds, halved if it is in FLOPs."""
        return self.metric == "cost" and factor == ("2 per mult-add" if convention.cost == "mult_adds" else "1 for 2")

    def settings(self) -> Any:
        """Changes of the setting: none, the side of the input, the width, or both."""
        axes = []
        for name in NAMED:
            variable = self.model.variables.get(name)
            choices = variable.choices if variable else ()
            if variable and name == "res":
                choices = () if self.metric == "params" else choices or SIDES
            axes.append([None, *((name, value) for value in choices if value != self.values[name])])
        every = sorted((tuple(pair for pair in pairs if pair) for pairs in product(*axes)), key=len)
        return every[: max(ROWS // max(len(self.walks[()].rows), 1), 1)]

    def walked(self, changed: Any) -> Any:
        """Trace in a setting; None if the setting is invalid."""
        if changed not in self.walks:
            try:
                self.walks[changed] = trace(self.model, settle(self.model, dict(self.given) | dict(changed)))
            except OutOfTime:
                raise
            except CostcalcError:
                if not changed:
                    raise
                self.walks[changed] = None
        return self.walks[changed]

    def total(self, changed: Any, left_out: Any, convention: Convention) -> Any:
        """A convention's count in a setting, without a part."""
        key = changed, id(convention)
        if key not in self.counts:
            self.counts[key] = [self.counted(row, convention) for row in self.walks[changed].rows]
        counts = self.counts[key]
        return sum(counts) - sum(counts[slice(*stretch(self.walks[changed].rows, left_out))])

    def counted(self, row: Row, convention: Convention) -> Any:
        """A convention's count of one row; rows of the same layer are counted once."""
        shared = row.shared is not None
        key = id(convention), id(row.layer), row.times, shared
        if key not in self.memo:
            op, layer = row.op.name, row.layer
            params = self.metric == "params"
            self.memo[key] = (
                convention.params_of(op, layer, shared) if params else convention.cost_of(op, layer, row.times)
            )
        return self.memo[key]

    def knows(self, way: Any) -> bool:
        """Whether the count of a way is complete; if not, it is a lower bound, and equal to no figure."""
        name = "params" if self.metric == "params" else way.convention.cost
        one = metric(name, way.convention)
        return not any(one.is_bound(row) for row in self.rows(way.changed, way.left_out))

    def rows(self, changed: Any, left_out: Any) -> Any:
        """Rows of a setting, without a part."""
        rows = self.walks[changed].rows
        start, end = stretch(rows, left_out)
        return [*rows[:start], *rows[end:]]

    # the parts of one

    def parts(self, way: Any, printed: Any) -> Any:
        """Steps from the total to the number; they sum to the gap."""
        found, before = [], self.total((), "", self.convention)
        done: tuple[Any, ...] = ()
        for name, value in way.changed:
            done = (*done, (name, value))
            now = self.total(done, "", self.convention)
            found.append(Part(NAMED[name], now - before, f"{name} {self.values[name]} -> {value}"))
            before = now
        if way.left_out:
            now = self.total(way.changed, way.left_out, self.convention)
            found.append(Part(way.left_out, now - before, f"the {way.left_out} is left out"))
        rows = self.rows(way.changed, way.left_out)
        found += split(tally(rows, self.metric), self.convention, way.convention)
        if way.factor:
            once = self.total(way.changed, way.left_out, way.convention)
            found.append(Part(way.factor, way.value - once, _FACTORS_SAY[way.factor]))
        if way.value != printed:
            found.append(Part("rounding", printed - way.value, f"{way.value:,} as printed"))
        return tuple(found)


def _other(totals: Any, metric: str, figure: Any, complete: Any) -> Any:
    """What to try if the number is the total of the other metric."""
    for name, total in totals.items():
        if (name == "params") != (metric == "params") and agreement(Count(total, 1, complete), figure) is not None:
            option = "params" if name == "params" else "cost"
            return (f"but {total:,} {name.replace('_', '-')} match its digits: --metric {option}",)
    return ()


def _simplest(ways: Any, printed: Any) -> Any:
    """Matching ways of counting, simplest first; explanations that contain a simpler one are dropped."""
    met = [(way, how) for way, how in ways if how is not None]
    met.sort(key=lambda pair: (pair[0].weight, len(pair[1]), abs(pair[0].value - printed)))
    kept: list = []
    for way, how in met:
        if not any(one.ways < way.ways for one, _ in kept):
            kept.append((way, how))
    return kept


def _distinct(convention: Convention, metric: str) -> Any:
    """The convention, and the named conventions that price the metric differently."""
    found = [convention]
    for name in NAMES:
        one = find(name)
        tables = [(each.params,) if metric == "params" else (each.prices, each.numbers) for each in (one, *found)]
        if any(tables[0]) and tables[0] not in tables[1:]:
            found.append(one)
    return found


LEFT_OUT = ("classifier", "first convolution")


def stretch(rows: Sequence[Row], name: str) -> Any:
    """Start and end of a part: the classifier ends with the network, a convolution with its activation."""
    costly = [at for at, row in enumerate(rows) if MAC.keys() & row.layer.terms.keys()]
    if name == "classifier" and costly:
        return _classifier(rows, costly), len(rows)
    start = next((at for at in costly if name == "first convolution" and rows[at].op.name == "conv"), None)
    if start is None:
        return 0, 0
    return start, next((at for at in range(start + 1, len(rows)) if not rows[at].follows), len(rows))


def _classifier(rows: Sequence[Row], costly: Any) -> Any:
    """Start of the final linear layers that see a single position; if there are none, the last layer with a cost."""
    start = costly[-1]
    for at in reversed(costly):
        if rows[at].op.name != "linear" or prod(rows[at].layer.shape[:-1]) != 1:
            break
        start = at
    return start
