"""Closed forms: tracing a network with symbols instead of numbers gives its cost as a formula."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sympy

from ...allowance import OutOfTime
from ...arguments import mapping
from ...arguments import names as in_names
from ...errors import OptionError, Problem, SpecError, listed
from ...metrics.chances import EXPECTED
from ...metrics.conventions import Prices, price_list
from ...metrics.gaps import kinds, uncounted
from ...metrics.metrics import Metric, is_bound, metric, totals, without_formula
from ...metrics.walk import Walk
from ...model.network import Model, Variable
from ...model.trace import trace
from ...model.variables import settle, typical, unknown_variable
from ...num import ints
from ...num.symbols import LARGEST_OPS, assuming, divisible_to, exact, maximum, minimum, nearest, too_long, undominated
from ...quantities import RATIO
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render import Result
from ..report.columns import constants, stamped

if TYPE_CHECKING:
    from ...render.sheet import Page

if TYPE_CHECKING:
    from ...model.rows import Row
    from ...num.values import Number, Shape


ROUNDINGS = (sympy.floor, sympy.ceiling, sympy.Max, sympy.Min, sympy.Mod, sympy.Piecewise, divisible_to, nearest)
PARTS = (64, 32, 16, 8, 4, 2, 1)  # factors 1/n of a real variable, the finest first
USUAL = ("alpha", "res"), ("new", "past")  # variables that users change: of an image network, of a language model
CASES = 4  # cases of one rounded value that are kept apart
STEPS = (1, 2, 4, 8, 16, 32, 64, 128)  # factors n of an integer variable, the smallest first


PYTHON = {
    "floor": math.floor,
    "ceiling": math.ceil,
    "Max": max,
    "Min": min,
    "divisible_to": ints.divisible,
    "nearest": round,
    "quotient": operator.floordiv,
}


class _Forms(NamedTuple):
    metric: str
    closed: Any  # None if no grid of values makes every rounding vanish
    condition: str
    general: Any
    symbols: tuple
    assumed: tuple  # assumptions of the form that is shown: the closed one if there is one
    sample: Mapping  # default values of the symbols
    structure: Any  # condition of the general form; if it is false, the network has other layers
    whole: bool = True  # whether it is always an integer: not a ratio, not an expectation
    complete: bool = True  # false if the cost of a layer is unknown: then the form is a lower bound
    uncounted: Sequence[Mapping[str, Any]] = ()  # work that the convention counts 0 for


class Formula(_Forms):
    """A metric as an expression: the closed form with its condition, and the general form with roundings."""

    @property
    def form(self) -> sympy.Expr:
        """The form that is shown: the closed one if there is one."""
        return self.general if self.closed is None else self.closed

    def __repr__(self) -> str:
        from .page import lines

        return "\n".join(lines(self.metric, self)).rstrip()

    def _repr_latex_(self) -> str:
        from .page import in_latex

        return f"${in_latex(self.metric, self)}$"

    def sensitivities(self) -> Iterator[tuple[sympy.Symbol, sympy.Expr, sympy.Expr]]:
        """(symbol, derivative, elasticity) for each symbol; the elasticity is the percent change for 1 % more of it."""
        form = self.form
        for symbol in self.symbols:
            slope = sympy.diff(form, symbol)
            yield symbol, sympy.expand(slope), sympy.factor(sympy.cancel(slope * symbol / form))

    def holds(self, **values: Any) -> bool:
        """Whether the general form applies: the network has the same layers at these values.

        Takes exactly one value for each symbol. Raises OptionError.
        """
        try:
            return bool(self._at(self.structure, values))
        except ArithmeticError:  # division by 0 at these values
            return False

    def __call__(self, **values: Any) -> Any:
        """Value of the general form, rounded in the float arithmetic of the published code.

        Meaningless if `holds` is false. Takes exactly one value for each symbol. Raises OptionError.
        """
        value = self._at(self.general, values)
        return round(value) if self.whole else value

    def _at(self, form: Any, values: Mapping[str, Any]) -> Any:
        names = [symbol.name for symbol in self.symbols]
        if {*values} != {*names}:
            wrong = min({*values} ^ {*names})
            message = f"`{wrong}` is not a symbol of this formula" if wrong in values else f"`{wrong}` has no value"
            help = f"its symbols are {listed(names)}; `formula(spec, names=[..])` uses others"
            raise OptionError(Problem("unknown-variable", message, help=help))
        return _compiled(self.symbols, form)(*(values[name] for name in names))


@lru_cache(64)
def _compiled(symbols: Shape, form: Number) -> Callable[..., Any]:
    if isinstance(form, sympy.Max):  # term by term, because SymPy would compare the terms
        parts = [_compiled(symbols, part) for part in form.args]
        return lambda *values: max(part(*values) for part in parts)
    return sympy.lambdify(symbols, _divided_whole(form), modules=[PYTHON, "math"])


def _divided_whole(form: Number) -> Number:
    """Write x/7 + y/7 under a rounding as one quotient: in floats, 5/7 + 9/7 is not 2."""
    form = form.replace(sympy.ceiling, lambda value: -sympy.floor(-value))
    return form.replace(sympy.floor, _quotients)


def _quotients(value: Number) -> Any:
    """Write a rounded value as a quotient of integers in each of its cases: quotients of floats are inexact."""
    if 0 < value.count(sympy.Piecewise) <= CASES:
        value = sympy.piecewise_fold(value)
    if isinstance(value, sympy.Piecewise):
        return sympy.Piecewise(*((_quotient(*part.as_numer_denom()), holds) for part, holds in value.args))
    return _quotient(*value.as_numer_denom())


_quotient = sympy.Function("quotient", integer=True)


class Formulas(Result, Mapping[str, Formula]):
    """Formulas by metric or by group; `formulas.mult_adds` is the closed form (or the general one)."""

    def __init__(self, found: Mapping[str, Formula], note: str = "") -> None:
        self._found, self.note = dict(found), note

    @property
    def complete(self) -> bool:
        """Whether the cost of every layer is known; if not, the forms are lower bounds."""
        return all(one.complete for one in self._found.values())

    def page(self) -> Page:
        """One row per formula."""
        from .page import FormulasPage

        return FormulasPage(self._found, self.note)

    def text(self, format: str = "text") -> str:
        """Output of `costcalc formula`: `text`, `latex`, `python` or `javascript`."""
        from .page import written

        return written(self._found, format, False, False, self.note)

    def __repr__(self) -> str:
        return self.text().rstrip("\n")

    def _repr_latex_(self) -> str:
        from .page import in_latex

        rows = r" \\ ".join(in_latex(name, one).replace(" ", " & ", 1) for name, one in self._found.items())
        return rf"$\begin{{aligned}} {rows} \end{{aligned}}$"

    def __getitem__(self, name: str) -> Formula:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._found:
            raise AttributeError(name)
        return self._found[name].form


def formula(
    spec: Network,
    *,
    input: Inputs | None = None,
    metrics: str | Sequence[str] = ("mult_adds", "params"),
    convention: Prices = "paper",
    names: str | Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> Formulas:
    """Derive the metrics of a network as SymPy expressions in its variables; return Formulas, a mapping by metric.

    spec, input  what `costcalc.load` takes
    names   variables that stay symbols: by default alpha and res if the spec has them, else new and past, else all
    values  numbers for other variables

    formula("mobilenet").mult_adds is 10752*alpha**2*res**2 + .. ; formula("mobilenet")["mult_adds"] has the condition
    under which it is exact, and the general form with its roundings. Raises CostcalcError.
    """
    model = load(spec, input)
    wanted = [closed(metric(name, convention)) for name in in_names(metrics, "metrics")]
    groups = {one.name: (one, None) for one in wanted}
    symbols = None if names is None else in_names(names, "names")
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
    kept = chosen(model, symbols)
    return Formulas(derive(model, groups, kept, given), stamp(model, convention, kept, given, [*groups]))


def stamp(
    model: Model, convention: Prices, symbols: Sequence[str], given: Mapping[str, Any], metrics: Sequence[str]
) -> str:
    """Convention, input, other variables and version of the forms."""
    return stamped(model, price_list(convention), *constants(model, symbols, given), metrics)


def closed(one: Metric) -> Metric:
    """Return the metric. Raises OptionError if it has no formula."""
    if not one.closed:
        raise without_formula(one)
    return one


def chosen(model: Model, names: Any) -> list[str]:
    """Names of the variables that stay symbols."""
    numbers = [name for name, one in model.variables.items() if not isinstance(one.default, (str, bool, tuple, dict))]
    if names:
        for name in names:
            if name in model.variables and name not in numbers:
                raise OptionError(
                    Problem("not-a-number", f"`{name}` is a word or a truth value: only numbers can be symbols")
                )
            if name not in numbers:
                raise unknown_variable(name, model)
        return list(names)
    usual = ([name for name in pair if name in numbers] for pair in USUAL)
    return next(filter(None, usual), numbers)


def derive(model: Model, groups: Any, names: list[str], values: Mapping[Any, Any]) -> dict[str, Formula]:
    """Derive formulas of groups, {name: (metric, predicate over rows or None for all)}, in the symbols `names`."""
    symbols = {name: _symbol(model.variables[name], typical(model)[name]) for name in names}
    sample = {symbol: exact(typical(model)[name]) for name, symbol in symbols.items()}
    general, assumed, rows = _totals(model, groups, symbols, values, sample)
    for total in general.values():
        _refuse_long(total.atoms(sympy.Max) - {total})  # SymPy takes minutes to compare those in a sum
    structure = sympy.And(*assumed)
    grids = _grids(general.values(), symbols)
    closed: dict[Any, Any] = {}
    if grids:
        steps = {name: _steps(name, symbols[name]) for name in names}
        on_grid = {name: grids[name] * steps[name] for name in names}
        here = {steps[name]: sample[symbols[name]] / grids[name] for name in names}
        try:
            closed, assumed, _ = _totals(model, groups, on_grid, values, here)
        except OutOfTime:
            raise
        except SpecError:  # the network is invalid at some values of that grid
            grids = None
        back = {steps[name]: symbols[name] / grids[name] for name in names} if grids else {}
        closed = {name: _expanded(total, back) for name, total in closed.items()}
        assumed = [truth.xreplace(back) for truth in assumed]  # back to the variables of the spec
    for name, total in general.items():
        if name not in closed:
            _refuse_long(total.atoms(sympy.Max))
    condition = " and ".join(_condition(name, grid, symbols[name]) for name, grid in (grids or {}).items())
    return {
        name: Formula(
            name,
            closed.get(name),
            condition,
            general[name],
            tuple(symbols.values()),
            tuple(assumed),
            sample,
            structure,
            _is_whole(one),
            not any(is_bound(row, [one]) for row in own),
            kinds(uncounted(own, [one])),
        )
        for name, (one, belongs) in groups.items()
        for own in [rows if belongs is None else [*filter(belongs, rows)]]
    }


def _refuse_long(maxima: Iterable[Any]) -> None:
    """Raise OptionError for a maximum that is too long to compare or to read."""
    for one in maxima:
        if sympy.count_ops(one) > LARGEST_OPS:
            raise too_long(len(one.args))


def terms_of(total: Number) -> tuple[Number, ...]:
    """Terms of a maximum, or the total itself."""
    return total.args if isinstance(total, sympy.Max) else (total,)


def _expanded(total: Number, back: Mapping[Number, Number]) -> Number:
    """A total in the variables of the spec; a maximum keeps only the terms that can be the largest."""
    parts = undominated([sympy.expand(part.xreplace(back)) for part in terms_of(total)])
    return parts[0] if len(parts) == 1 else sympy.Max(*parts, evaluate=False)


def _steps(name: str, symbol: Number) -> Number:
    """Number of grid steps of a variable: an integer, 0 only if the variable can be 0."""
    return sympy.Symbol(f"{name}_steps", positive=symbol.is_positive, nonnegative=symbol.is_nonnegative, integer=True)


def _is_whole(one: Metric) -> bool:
    return one.unit is not RATIO and one.case != EXPECTED


def _symbol(variable: Variable, default: float) -> Number:
    """Symbol with the assumptions that hold for every value of the variable: integer, positive."""
    lowest = min(variable.choices) if variable.choices else variable.least
    positive = default > 0 if lowest is None else lowest > 0
    whole = all(type(value) is int for value in (default, *variable.choices))
    nonnegative = positive or (lowest is not None and lowest >= 0) or None
    return sympy.Symbol(
        variable.name, positive=positive or None, nonnegative=nonnegative, integer=whole or None, real=True
    )


def _totals(
    model: Model,
    groups: Mapping[str, tuple[Metric, Callable[..., Any]]],
    symbols: Mapping[str, Number],
    values: Mapping[Any, Any],
    sample: Mapping[Number, Number],
) -> tuple[dict[str, Number], list[Number], Sequence[Row]]:
    """(each total, assumptions that the walk made, rows of the walk)."""
    with assuming(sample) as assumed:
        settled = settle(model, {**values, **symbols})
        whole = Walk(model, trace(model, settled), settled)
        found = {name: exact(_total(whole, *group)) for name, group in groups.items()}
        return found, list(assumed), whole.rows


def _total(whole: Walk, one: Metric, belongs: Callable[[Row], bool] | None) -> Number:
    """Total of a metric over a walk, or over the rows of a part of it."""
    walk = whole if belongs is None else whole.part([row for row in whole.rows if belongs(row)])
    return totals(walk, [one])[one.name]


def _grids(totals: Iterable[Any], symbols: Mapping[str, Number]) -> dict[str, Number] | None:
    """Finest grid of values, a factor for each symbol, on which every rounding vanishes; None if there is none."""
    parts = [part for total in totals for part in terms_of(total)]
    atoms = sorted(set().union(*(part.atoms(*ROUNDINGS) for part in parts)), key=sympy.count_ops)
    grids = {}
    for name, symbol in symbols.items():
        factors = [sympy.Integer(n) for n in STEPS] if symbol.is_integer else [sympy.Rational(1, n) for n in PARTS]
        own = [atom for atom in atoms if symbol in atom.free_symbols]
        found = next((factor for factor in factors if _vanish(own, symbols, symbol, factor)), None)
        if found is None:
            return None
        grids[name] = found
    return grids


def _vanish(atoms: list[Number], symbols: Mapping[str, Number], symbol: Number, factor: Number) -> bool:
    """Whether every rounding vanishes for a symbol on the grid of `factor`, with the others on their coarsest grid."""
    whole = {
        other: sympy.Symbol(f"{other.name}_steps", positive=True, integer=True)
        * (factor if other == symbol else (STEPS[-1] if other.is_integer else 1))
        for other in symbols.values()
    }
    return not any(_evaluated(atom.xreplace(whole)).has(*ROUNDINGS) for atom in atoms)


def _evaluated(expression: Number) -> Number:
    """Simplify every Max and Min whose arguments a subtraction orders."""
    expression = expression.replace(sympy.Max, lambda *args: maximum(*args))
    return expression.replace(sympy.Min, lambda *args: minimum(*args))


def _condition(name: str, grid: Number, symbol: Number) -> str:
    return f"{name} a whole number" if grid == 1 else f"{name} a multiple of {grid}"
