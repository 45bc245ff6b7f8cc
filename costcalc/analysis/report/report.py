"""Rows, groups and totals of one network under one convention, as unformatted data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

from ...errors import Problem, Source, SpecError
from ...metrics.chances import EXPECTED, LARGEST, LEAST, added
from ...metrics.gaps import bounds, uncounted
from ...metrics.metrics import Metric, amounts, folded, has_window, metric
from ...metrics.pricing import TRAINABLE, Convention
from ...metrics.pricing import total as priced
from ...metrics.walk import Walk
from ...model.accounting import Accounting
from ...model.network import Model
from ...model.rows import Row, Trace, paths
from ...records import NamedTuple
from ...render import Result

if TYPE_CHECKING:
    import pandas

    from ...model.field import Field
    from ...num.values import Number, Shape
    from ...render.sheet import Page


class Line(NamedTuple):
    """One layer, or a group of layers, with its cost and parameters."""

    name: str
    op: str
    type: str
    inputs: tuple[Shape, ...]
    output: Shape
    kernel: tuple[Number, ...]
    stride: tuple[Number, ...]
    groups: Number
    cost: Number
    params: Number
    times: Number
    shared: str | None
    complete: bool
    folded: bool  # a `then` layer without cost under this convention
    source: str
    line: int
    path: tuple[str, ...]
    layers: int = 1
    more: Mapping[str, Any] = {}  # requested further metrics, by name
    dilation: tuple[Number, ...] = ()  # (1, 1) if not dilated; () for a layer without a window

    @property
    def input(self) -> Shape:
        """Shape of the first input; () for a layer that creates its own tensor."""
        return self.inputs[0] if self.inputs else ()


class Report(Result):
    """Cost of a network, layer by layer.

    A notebook shows it as a table, followed by the output of `viewer`; `totals` is a dict, `frame()` a DataFrame.
    """

    viewer: Callable[[Report], str] | None = None

    def __init__(
        self,
        model: Model,
        values: Mapping[str, Any],
        trace: Trace,
        convention: Convention,
        lines: tuple[Line, ...],
        accounting: Accounting | None,
        metrics: tuple[Metric, ...],
        figures: Mapping[str, Any],
    ) -> None:
        self.model, self.values, self.trace = model, values, trace
        self.inputs, self.output = trace.inputs, trace.output
        self.convention, self.lines, self.accounting = convention, lines, accounting
        self.metrics, self.figures = metrics, figures  # totalled metrics; figures without amounts per layer

    @cached_property
    def totals(self) -> dict[str, Any]:
        """The cost metric of the convention (`mult_adds` or `flops`), `params` and the requested metrics."""
        return {one.name: folded(one, self._amounts(one)) for one in self.metrics}

    @property
    def exact(self) -> dict[str, str]:
        """Expected totals that are not integers, as fractions."""
        sums = {one.name: added(self._amounts(one)) for one in self.metrics if one.case == EXPECTED}
        return {name: str(value) for name, value in sums.items() if value.denominator != 1}

    @property
    def more(self) -> tuple[Metric, ...]:
        """Requested metrics that are counted per layer."""
        return tuple(one for one in self.metrics[2:] if one.name not in self.figures)

    def _amounts(self, one: Metric) -> Any:
        if one.name in self.figures:
            return self.figures[one.name]
        if one.name in (self.convention.cost, "params"):
            return [line.params if one.name == "params" else line.cost for line in self.lines]
        return [line.more[one.name] for line in self.lines]

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """Receptive field of each layer, by name."""
        from ...model.field import fields

        return {line.name: field for line, field in zip(self.lines, fields(self.trace), strict=True)}

    @cached_property
    def complete(self) -> bool:
        """Whether the cost of every layer is known and every parameter is in a row; if not, totals are lower bounds."""
        known = all(line.complete for line in self.lines) and not self.windowed
        return known and (self.accounting is None or self.accounting.is_closed)

    @cached_property
    def windowed(self) -> list[str]:
        """Layers for which the mirrored program also counts pairs outside an attention window."""
        if not self.convention.counts_windows:
            return []
        return [line.name for row, line in zip(self.trace.rows, self.lines, strict=True) if has_window(row)]

    @cached_property
    def uncounted(self) -> list[dict[str, Any]]:
        """Work that the convention has no price for: each quantity with the amounts of its layers."""
        return uncounted(self.trace.rows, self.metrics)

    def shown(self, everything: bool = False) -> tuple[Line, ...]:
        """Lines to show: `then` layers without counted cost are omitted unless `everything`."""
        return self.lines if everything else tuple(line for line in self.lines if not line.folded)

    def by_type(self, everything: bool = False) -> list[Line]:
        """One line per layer type, largest cost first, as in Table 2 of the MobileNet paper."""
        groups = self._grouped(self.shown(everything), lambda line: line.type)
        return sorted(groups, key=lambda line: (-line.cost, -line.params, line.name))

    def by_block(self, depth: int = 1) -> list[Line]:
        """One line per block, in order: the first `depth` levels of the layers' names."""
        return self._grouped(self.lines, lambda line: "/".join(line.path[:depth]))

    def _grouped(self, lines: Sequence[Line], key: Callable[[Line], str]) -> list[Line]:
        groups: dict[str, list[Line]] = {}
        for line in lines:
            groups.setdefault(key(line), []).append(line)
        return [_sum(name, group, self.more) for name, group in groups.items()]

    def share(self, line: Line, metric: str) -> float:
        """Share of a line in a total, from 0 to 1."""
        total = self.totals[self.convention.cost if metric == "cost" else metric]
        return getattr(line, metric) / total if total else 0.0

    def frame(self) -> pandas.DataFrame:
        """The layers as a pandas DataFrame, with the columns of the CSV output and unrounded integers."""
        import pandas

        from .columns import columns, records

        return pandas.DataFrame(records(self, self.shown(), list(columns(self))))

    def _repr_html_(self) -> str:
        return super()._repr_html_() + (self.viewer(self) if self.viewer else "")

    def page(self) -> Page:
        """The layers and the layer types, as `costcalc analyze` prints them."""
        from .columns import View
        from .page import ReportPage

        return ReportPage(self, View())


def report(
    model: Model,
    trace: Trace,
    values: Mapping[str, Any],
    convention: Convention,
    metrics: Iterable[str] = (),
    walk: Walk | None = None,
    cases: bool = True,
) -> Report:
    """Price the rows of a trace under a convention.

    `metrics` are names of further metrics; `walk` is the Walk of the trace. With `cases`, the least and the expected
    cost are included if some layers do not always run.
    """
    walk = walk or Walk(model, trace, values)
    wanted = _wanted(convention, metrics, walk.branches, cases)
    found = {one.name: amounts(walk, one) for one in wanted}
    figures = {name: found.pop(name) for name, one in list(found.items()) if type(one) is not list}
    costs, params = found.pop(convention.cost), found.pop("params")
    further = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)] if found else ()
    rows, rough = trace.rows, bounds(trace.rows, wanted)
    spec = repeat(model.source)
    lines = tuple(map(_line, rows, spec, paths(rows), costs, params, further or repeat({}), rough))
    _refuse_same_names(lines, trace.rows)
    accounting = _accounting(model, trace.rows)
    return Report(model, values, trace, convention, lines, accounting, wanted, figures)


def _wanted(convention: Convention, names: Iterable[str], branches: bool, cases: bool) -> tuple[Metric, ...]:
    """Cost metric of a convention, its parameters, and further metrics, without duplicates."""
    cost = convention.cost
    beside = tuple(f"{case}_{cost}" for case in (LEAST, EXPECTED)) if branches and cases else ()
    first, *rest = (metric(name, convention) for name in dict.fromkeys((cost, "params", *beside, *names)))
    return (first._replace(title=f"{LARGEST} {first.title}") if branches else first, *rest)


def _accounting(model: Model, rows: Sequence[Row]) -> Accounting | None:
    """Compare the stored parameters of a model with those in its rows; None for a spec, which stores none."""
    if model.stored is None:
        return None
    numbers = (row for row in rows if not row.shared)
    if model.stored.whole:
        return Accounting(sum(sum(row.layer.params.values()) for row in numbers), model.stored)
    return Accounting(sum(priced(TRAINABLE, row.op.name, row.layer.params) for row in numbers), model.stored)


def _line(
    row: Row,
    spec: Source,
    path: tuple[str, ...],
    cost: Number,
    params: Number,
    more: Mapping[str, Any],
    rough: bool,
) -> Line:
    """Line of a row; its source is the spec itself if the layer is written there."""
    layer, step = row.layer, row.step
    detail = layer.detail
    kernel = detail.get("kernel", ())
    source, place = (spec, step.place) if step.source is spec else next(row.sites())
    free = row.follows and not layer.unknown and _is_zero(cost) and _is_zero(params)
    return Line(
        "/".join(path),
        row.op.name,
        row.type,
        row.inputs,
        layer.shape,
        kernel,
        detail.get("stride", ()),
        detail.get("groups", 1),
        cost,
        params,
        row.times,
        row.shared,
        not rough,
        free,
        source.path,
        place[0],
        path,
        1,
        more,
        _dilation(row.options.get("dilation", 1), kernel) if kernel else (),
    )


def _dilation(given: Any, kernel: tuple[Number, ...]) -> tuple[Number, ...]:
    """Dilation of a window along each axis."""
    return tuple(given) if isinstance(given, (tuple, list)) else (given,) * len(kernel)


def _is_zero(value: Number) -> bool:
    return type(value) is int and value == 0


def _refuse_same_names(lines: Sequence[Line], rows: Sequence[Row]) -> None:
    if len({line.name for line in lines}) == len(lines):
        return
    seen: set[str] = set()
    for line, row in zip(lines, rows, strict=True):
        if line.name in seen:
            raise SpecError(Problem("name-taken", f"two layers are called `{line.name}`", row.place))
        seen.add(line.name)


def _sum(name: str, group: Sequence[Line], more: Sequence[Metric]) -> Line:
    first, last = group[0], group[-1]
    same = all(line.op == first.op for line in group)
    return first._replace(
        name=name,
        op=first.op if same else "",
        type=first.type if all(line.type == first.type for line in group) else "",
        output=last.output,
        kernel=(),
        stride=(),
        groups=1,
        cost=sum(line.cost for line in group),
        params=sum(line.params for line in group),
        complete=all(line.complete for line in group),
        folded=False,
        layers=sum(not line.folded for line in group),
        more={one.name: folded(one, [line.more[one.name] for line in group]) for one in more},
    )
