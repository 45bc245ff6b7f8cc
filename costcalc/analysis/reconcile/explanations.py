"""What a typed-in number may have counted: conventions, input sizes, widths, parts left out, twice or half."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

from ...allowance import OutOfTime
from ...errors import CostcalcError, OptionError, Problem
from ...metrics.conventions import COUNTERS, NAMES, find, price_list
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


SIDES = (224, 192, 160, 128, 256, 299, 300, 320)  # of the input, where the spec names no choices
ROWS = 100_000  # layers that all walks of the network may have together
MOST = 9  # of the weights of an explanation's parts together: two or three of them
USUAL, DECLARED, OTHER_PROGRAM, ANY_SIDE = 2, 3, 4, 4  # weights: the less common, the heavier
NAMED = {"res": "input size", "alpha": "width"}
_FACTORS_SAY = {"2 per mult-add": "FLOPs among mult-adds", "1 for 2": "mult-adds among FLOPs"}
FACTORS = {"": (1, 1), "2 per mult-add": (2, 1), "1 for 2": (1, 2)}


class Explanation(NamedTuple):
    """A way of counting: how it differs from the given convention, and its count."""

    changed: tuple  # (variable, value)
    left_out: str
    convention: Convention
    factor: str
    value: int
    own: bool  # whether it is the given convention
    undeclared: tuple = ()  # variables whose choices the spec does not name

    @property
    def weight(self) -> Any:
        """How far-fetched it is: the weights of all that differs."""
        own = 0 if self.own else OTHER_PROGRAM if self.convention.name in COUNTERS else USUAL
        sides = sum(ANY_SIDE if name in self.undeclared else DECLARED for name, _ in self.changed)
        return own + sides + (USUAL if self.factor else 0) + (DECLARED if self.left_out else 0)

    @property
    def ways(self) -> Any:
        """What differs, as a set: of two explanations, the one that needs less is enough."""
        convention = () if self.own else (self.convention.name,)
        return {*self.changed, *convention, self.left_out, self.factor} - {""}

    @property
    def text(self) -> Any:
        """The way of counting, in words."""
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
    explained: tuple  # (Explanation, how it has the digits)
    near: tuple[Explanation, ...]
    parts: tuple[Part, ...]  # from the total to the number, by the first explanation
    other: tuple[str, ...] = ()  # what to ask instead, where the number is that of the other metric


class Answer(Result, _Answer):
    """What explains a number, simplest first; if nothing does, what comes near, nearest first."""

    def page(self) -> Page:
        """The ways of counting, as `costcalc reconcile` prints them."""
        from .page import AnswerPage

        return AnswerPage(self)

    @property
    def gap(self) -> Any:
        """What the number is more."""
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
    """Ways of counting that give a number as it was printed, from a convention's count of a network.

    spec, convention, metric, values  as in `reconcile`
    text, figure                      the number: `8.2G` is met by 8.15 to 8.25 G, or by what was cut off to it

    Raises CostcalcError.
    """
    printed = figure.value
    if type(printed) is not int or not printed:
        help = "write it as 8.2G, 317M or 4231976"
        raise OptionError(Problem("bad-value", f"{text} is not a whole number above 0", help=help))
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
        complete = not any(row.layer.unknown for row in self.walks[()].rows)
        met = _simplest([(way, agreement(Count(way.value, 1, complete), figure)) for way in ways], printed)
        near = sorted(ways, key=lambda way: (abs(way.value - printed), way.weight))
        own = report(self.model, self.walks[()], self.values, self.convention)
        total = self.total((), "", self.convention)
        parts = self.parts(met[0][0], printed) if met else ()
        other = () if met else _other(own.totals, self.metric, figure, complete)
        return Answer(
            *(self.model, own, self.metric, self.convention, text, printed),
            *(total, tuple(met), tuple(near), parts, other),
        )

    # ways of counting

    def ways(self) -> Any:
        """Every way, the simplest of those that give the same in the same setting."""
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
        """Whether a count can be of the other kind: twice if it is in mult-adds, half if it is in FLOPs."""
        return self.metric == "cost" and factor == ("2 per mult-add" if convention.cost == "mult_adds" else "1 for 2")

    def settings(self) -> Any:
        """What to set differently: nothing, the input's side, the width, both."""
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
        """The walk in a setting; None where the network cannot be."""
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

    def rows(self, changed: Any, left_out: Any) -> Any:
        """The rows of a setting, without a part."""
        rows = self.walks[changed].rows
        start, end = stretch(rows, left_out)
        return [*rows[:start], *rows[end:]]

    # the parts of one

    def parts(self, way: Any, printed: Any) -> Any:
        """From the total to the number, step by step; they sum to the gap."""
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
    """What to ask for a number that is the total of the other metric."""
    for name, total in totals.items():
        if (name == "params") != (metric == "params") and agreement(Count(total, 1, complete), figure) is not None:
            option = "params" if name == "params" else "cost"
            return (f"but {total:,} {name.replace('_', '-')} have its digits: --metric {option}",)
    return ()


def _simplest(ways: Any, printed: Any) -> Any:
    """Those that have the digits, simplest first, without those that need all that another does and more."""
    met = [(way, how) for way, how in ways if how is not None]
    met.sort(key=lambda pair: (pair[0].weight, len(pair[1]), abs(pair[0].value - printed)))
    kept: list = []
    for way, how in met:
        if not any(one.ways < way.ways for one, _ in kept):
            kept.append((way, how))
    return kept


def _distinct(convention: Convention, metric: str) -> Any:
    """The convention, and those with names that price the metric in another way."""
    found = [convention]
    for name in NAMES:
        one = find(name)
        tables = [(each.params,) if metric == "params" else (each.prices, each.numbers) for each in (one, *found)]
        if any(tables[0]) and tables[0] not in tables[1:]:
            found.append(one)
    return found


LEFT_OUT = ("classifier", "first convolution")


def stretch(rows: Sequence[Row], name: str) -> Any:
    """Where a part of the network begins and ends: the classifier goes to the end, a convolution to its activation."""
    costly = [at for at, row in enumerate(rows) if MAC.keys() & row.layer.terms.keys()]
    if name == "classifier" and costly:
        return _classifier(rows, costly), len(rows)
    start = next((at for at in costly if name == "first convolution" and rows[at].op.name == "conv"), None)
    if start is None:
        return 0, 0
    return start, next((at for at in range(start + 1, len(rows)) if not rows[at].follows), len(rows))


def _classifier(rows: Sequence[Row], costly: Any) -> Any:
    """Where the linear layers begin that see one position at the end; if there is none, the last layer with weights."""
    start = costly[-1]
    for at in reversed(costly):
        if rows[at].op.name != "linear" or prod(rows[at].layer.shape[:-1]) != 1:
            break
        start = at
    return start
