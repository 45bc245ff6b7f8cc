"""Find the largest settings of variables within budgets, over grids with the published roundings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arguments import mapping, names
from ...errors import ArgumentError, OptionError, Problem, brief, listed
from ...metrics.conventions import Prices, price_list
from ...metrics.metrics import unit_of
from ...model.network import Model
from ...model.variables import typical, unknown_variable
from ...quantities import ACCURACIES, COUNT, Bad, amount
from ...quantities import value as figure
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render import Result
from ...render.sheet import Sheet
from ..sweep.page import BOUNDS, About, PointsPage, about
from ..sweep.sweep import COMPLETE, Grid, Table, as_axis, results

if TYPE_CHECKING:
    import pandas

    from ...render.sheet import Page


MANY = 50_000_000  # maximum number of settings tried
STEPS = 2000  # steps of a real variable without a range, up to twice its default


class _Found(NamedTuple):
    names: tuple[str, ...]
    metrics: tuple[str, ...]
    columns: Mapping[str, Any]
    tried: int
    within: int  # number of settings within all budgets
    at_end: tuple[str, ...]  # variables without a declared range whose result is at the end of the tried values
    invalid: Mapping[str, int]
    ruled_out: Mapping[str, tuple]  # budget -> (least value reached, limit), for budgets that no setting meets
    limits: Mapping[str, float]
    said: Any = None  # sweep.page.About: meaning of the figures


class Fit(Result, _Found):
    """Settings that fit: columns of the variables and metrics, largest first, and what ruled out the rest."""

    def page(self) -> Page:
        """The settings, or why nothing fits."""
        return FitPage(self)

    @property
    def size(self) -> int:
        """Number of settings."""
        return len(next(iter(self.columns.values()), ()))

    def frame(self) -> pandas.DataFrame:
        """The settings as a pandas DataFrame, one per row."""
        import pandas

        return pandas.DataFrame(dict(self.columns))


def fit(
    spec: Network,
    *,
    input: Inputs | None = None,
    vary: str | Iterable[str] | Mapping[str, Any],
    limits: Mapping[str, float | str],
    maximize: str | None = None,
    metrics: str | Sequence[str] = (),
    convention: Prices = "paper",
) -> Fit:
    """Find the largest settings of a network within all budgets.

    spec, input  what `costcalc.load` takes
    vary      variables: a list of names, or {name: values}; without values, a real variable takes 2,000 steps up to
              twice its default and an integer takes every value up to twice its default
    limits    {metric: maximum}, a number or a text with a unit: {"mult_adds": 150e6, "weights_bytes": "4 MiB"}
    maximize  the variable or metric to maximize, or an accuracy of `published:` such as top1; the default is
              every setting that no other setting exceeds in all variables (Pareto-optimal)
    metrics   further metrics to show for each setting

    Every setting of the grid is evaluated, so the answer is exact on the grid. Raises CostcalcError.
    """
    model = load(spec, input)
    vary = dict(vary) if isinstance(vary, Mapping) else dict.fromkeys(names(vary, "vary"))
    limits = mapping(limits, "limits", '{"mult_adds": "150M"}')
    limits = {name: most_of(name, most) for name, most in limits.items()}
    metrics = tuple(dict.fromkeys(("mult_adds", "params", *limits, *names(metrics, "metrics"))))
    if maximize in published_accuracies(model):
        found = _of_published(model, vary, limits, maximize, metrics, convention)
    else:
        found = _of_grid(model, vary, limits, maximize, metrics, convention)
    varied = {name: found.columns[name] for name in found.names}
    return found._replace(said=about(model, varied, price_list(convention), len(varied), metrics))


def _of_grid(
    model: Model,
    vary: Mapping[str, Any],
    limits: Mapping[str, Any],
    maximize: str | None,
    metrics: tuple[str, ...],
    convention: Prices,
) -> Fit:
    """Settings that fit, among all combinations of values."""
    axes = {name: as_axis(model, name, default_axis(model, name) if v is None else v) for name, v in vary.items()}
    if maximize is not None and maximize not in (*axes, *metrics):
        metrics = (*metrics, maximize)
    if Grid(axes).size > MANY:
        help = "use fewer values: --vary NAME=START:STOP:STEP"
        raise OptionError(Problem("limit", f"{Grid(axes).size:,} settings are too many to try", help=help))
    columns, invalid = _evaluated(model, Grid(axes), metrics, convention)
    found = _chosen(tuple(axes), metrics, columns, Grid(axes).size, invalid, limits, maximize)
    ends = [
        name for name, values in vary.items() if values is None and not model.variables[name].choices and found.size
    ]
    return found._replace(at_end=tuple(name for name in ends if found.columns[name].max() == axes[name].max()))


def most_of(name: str, most: Any) -> Any:
    """Limit of a metric as a number: parses `150M` and `4 MiB`. Raises OptionError."""
    if type(most) in (int, float):
        return most
    if not isinstance(most, str):
        message = f"a limit of `{name}` is a number or a text, not {brief(repr(most))}"
        raise ArgumentError(Problem("bad-argument", message, help='write {"mult_adds": "150M"}'))
    unit = unit_of(name)
    try:
        value = amount(most, name, unit).value
    except Bad as error:
        example = "mult_adds=150M" if unit is COUNT else f"{name}={unit.example}".replace(" ", "")
        message, help = f"`--max {name}={most[:60]}` is not a budget: {error}", f"write --max {example}"
        raise OptionError(Problem("bad-limit", message, help=help)) from None
    return value if type(value) is int else float(value)


def default_axis(model: Model, name: str) -> Any:
    """Values to try for a variable without a range."""
    if name not in model.variables:
        raise unknown_variable(name, model)
    variable, default = model.variables[name], typical(model)[name]
    if variable.choices:
        return list(variable.choices)
    if type(default) is int and default > 0:
        return list(range(1, 2 * default + 1))
    if type(default) is float and default > 0:
        return [float(f"{2 * default * step / STEPS:.12g}") for step in range(1, STEPS + 1)]
    raise OptionError(Problem("empty-range", f"`{name}` needs values: --vary {name}=START:STOP:STEP"))


def _evaluated(model: Model, space: Any, metrics: Any, convention: Any) -> tuple[dict[str, np.ndarray], dict[Any, Any]]:
    parts: list[Any] = []
    invalid: dict[Any, Any] = {}
    for result in results(model, space, metrics, convention, skip_invalid=True):
        parts.append(result.columns)
        for reason, count in result.skipped.items():
            invalid[reason] = invalid.get(reason, 0) + count
    columns = {name: np.concatenate([part[name] for part in parts]) for name in (*space.names, *metrics, COMPLETE)}
    complete = columns.pop(COMPLETE)
    return columns if complete.all() else {**columns, "complete": complete}, invalid


def _chosen(
    names: tuple[str, ...],
    metrics: tuple[str, ...],
    columns: Mapping[str, np.ndarray],
    tried: int,
    invalid: Mapping[Any, Any],
    limits: Any,
    maximize: Any,
) -> Fit:
    within = {metric: columns[metric] <= limit for metric, limit in limits.items()}
    inside = np.logical_and.reduce([np.ones(len(columns[names[0]]), dtype=bool), *within.values()])
    kept = {name: column[inside] for name, column in columns.items()}
    if not np.any(inside):
        ruled_out = {
            metric: (columns[metric].min().item(), limits[metric])
            for metric, fits in within.items()
            if len(fits) and not np.any(fits)
        }
        return Fit(names, metrics, kept, tried, 0, (), invalid, ruled_out, limits)
    at = _best(kept, names, maximize)
    best = {name: column[at] for name, column in kept.items()}
    return Fit(names, metrics, best, tried, int(np.count_nonzero(inside)), (), invalid, {}, limits)


def _best(columns: Mapping[str, np.ndarray], names: tuple[str, ...], maximize: Any) -> np.ndarray:
    """Indices of the settings to show: the maximal ones, or those with the largest `maximize`."""
    at = np.arange(len(columns[names[0]]))
    if maximize is not None:
        if columns[maximize].dtype.kind not in "biuf":
            raise OptionError(Problem("bad-goal", f"`{maximize}` is a word: it has no largest value"))
        at = np.flatnonzero(columns[maximize] == columns[maximize].max())
    words = [name for name in names if columns[name].dtype.kind not in "biuf"]  # texts have no order
    numbers = [name for name in names if name not in words]
    if not words:
        return _maximal_of(at, columns, numbers)
    groups: dict = {}
    for one in at:
        groups.setdefault(tuple(columns[name][one] for name in words), []).append(one)
    return np.concatenate([_maximal_of(np.array(group), columns, numbers) for group in groups.values()])


def _maximal_of(at: np.ndarray, columns: Mapping[str, np.ndarray], names: list[str]) -> np.ndarray:
    return at[maximal([columns[name][at] for name in names])] if names else at[:1]


def maximal(columns: list[np.ndarray]) -> np.ndarray:
    """Points that no other point equals or exceeds in all columns, ordered by the first column, largest first."""
    order = np.lexsort([-1 * column for column in reversed(columns)])  # booleans have no unary minus
    if len(columns) == 1:
        return order[:1]
    kept: list[int] = []
    if len(columns) == 2:
        second = columns[1][order]
        above = np.concatenate([[-np.inf], np.maximum.accumulate(second)[:-1]])
        return order[second > above]
    points = np.stack(columns, axis=1)
    for at in order:
        if not kept or not np.any(np.all(points[kept] >= points[at], axis=1)):
            kept.append(at)
    return np.array(kept)


def published_accuracies(model: Model) -> set[str]:
    """Accuracies in the spec's published figures."""
    return {name for claim in model.published for name in claim.figures if name in ACCURACIES}


def published_table(model: Model, accuracies: Any, axes: Any = ()) -> tuple[Table, dict[str, np.ndarray]]:
    """(Table of settings, columns of accuracies) of the published figures that have all of `accuracies`.

    With `axes`, only the settings among these values. Variables that no figure sets stay at their defaults.
    """
    whole = [claim for claim in model.published if not claim.of and not claim.is_rewritten]
    claims = [claim for claim in whole if all(name in claim.figures for name in accuracies)]
    names = [name for name in model.variables if any(name in claim.at for claim in claims)]
    defaults = typical(model)
    rows: dict[tuple[Any, ...], Any] = {}
    for claim in claims:
        row = tuple(claim.at.get(name, defaults[name]) for name in names)
        if all(value in axes[name] for name, value in zip(names, row, strict=True) if name in axes):
            rows.setdefault(row, claim)
    columns = {
        name: np.array([figure(claim.figures[name]) for claim in rows.values()], dtype=float) for name in accuracies
    }
    return Table({name: np.array([row[at] for row in rows]) for at, name in enumerate(names)}), columns


def _of_published(
    model: Model,
    vary: Any,
    limits: Any,
    maximize: Any,
    metrics: Any,
    convention: Any,
) -> Any:
    """The most accurate published settings that fit."""
    axes = {name: as_axis(model, name, values) for name, values in vary.items() if values is not None}
    table, accuracies = published_table(model, [maximize], axes)
    fixed = [name for name in table.names if name not in vary and len(set(table.columns[name])) > 1]
    unnamed = [name for name in vary if name not in table.names]
    if not table.size or fixed or unnamed:
        help = f"also vary {', '.join(fixed)}" if fixed else f"none names {listed(unnamed)}" if unnamed else None
        raise OptionError(Problem("no-figures", f"no published {maximize} for these settings alone", help=help))
    columns, invalid = _evaluated(model, table, metrics, convention)
    return _chosen(table.names, (*metrics, maximize), {**columns, **accuracies}, table.size, invalid, limits, maximize)


class FitPage(PointsPage):
    """The settings of a Fit, or the first `top` of them."""

    def __init__(self, found: Fit, top: int | None = None) -> None:
        frame = found.frame()
        super().__init__(frame.head(top) if top else frame, about_fit(found, top))
        self.found = found

    def sheets(self) -> list[Sheet]:
        """One sheet; none if nothing fits."""
        return super().sheets() if self.found.size else []


def about_fit(found: Fit, top: int | None = None) -> About:
    """The About of a fit: how many settings were tried, how many fit, and the meaning of the figures."""
    budgets = ", ".join(f"{name} <= {limit:,.10g}" for name, limit in found.limits.items())
    count = f"{found.size:,} best of {found.within:,} settings within {budgets}, {found.tried:,} tried"
    if not found.size:
        count = nothing_fits(found)
    if top and top < found.size:
        count = f"{top:,} of " + count
    for name in found.at_end:
        end = found.columns[name].max()
        count += f"; {name}={end:.10g} is the end of the values tried: --vary {name}=START:STOP:STEP"
    if "complete" in found.columns:
        count += f"; {BOUNDS}"
    head = {**found.said.head, "max": found.limits, "tried": found.tried, "within": found.within}
    return found.said._replace(note=f"{count}; {found.said.note}", head=head)


def nothing_fits(found: Fit) -> str:
    """Name the budget that rules everything out."""
    lines = ["nothing fits"]
    for metric, (least, limit) in found.ruled_out.items():
        lines.append(f"  {metric} is at least {least:,.10g}, over {limit:,.10g}")
    if not found.ruled_out and found.tried > sum(found.invalid.values()):
        lines.append(f"  {' and '.join(found.limits)} can each be met, but not together")
    for reason, count in found.invalid.items():
        lines.append(f"  {count:,} of {found.tried:,} settings cannot be built: {reason}")
    return "\n".join(lines)
