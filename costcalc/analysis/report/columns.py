"""Columns of a report: one schema for every format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...errors import OptionError, Problem, listed, nearest
from ...metrics.chances import shown
from ...metrics.metrics import Metric, is_metric, metric, storage_note, unit_of
from ...model.inputs import input_shape
from ...model.network import Model, names_of
from ...model.variables import fixed, settings_of, typical
from ...num.values import Shape
from ...quantities import COUNT
from ...records import NamedTuple
from ...render.text import plain, printable, shape_text

if TYPE_CHECKING:
    from ...metrics.pricing import Convention
    from .report import Line, Report


class Column(NamedTuple):
    """One column: its heading, a function for its value, and whether it is a number."""

    heading: str
    value: Callable[..., Any]  # (report, line) -> value
    number: bool = False


def _field(report: Report, line: Line, what: str) -> Any:
    """A property of the receptive field of a layer; empty for groups and if unknown."""
    field = report.fields.get(line.name)
    if field is None or field.axes is None:
        return ""
    if what == "rf":
        return "whole input" if field.whole else field.size
    return getattr(field, what)


COLUMNS = {
    "name": Column("layer", lambda report, line: line.name),
    "op": Column("operation", lambda report, line: line.op),
    "type": Column("type", lambda report, line: line.type),
    "input": Column("input", lambda report, line: line.input),
    "output": Column("output", lambda report, line: line.output),
    "kernel": Column("kernel", lambda report, line: line.kernel),
    "stride": Column("stride", lambda report, line: line.stride),
    "dilation": Column("dilation", lambda report, line: line.dilation),
    "groups": Column("groups", lambda report, line: line.groups, True),
    "times": Column("times", lambda report, line: line.times, True),
    "cost": Column("", lambda report, line: line.cost, True),
    "cost_share": Column("share", lambda report, line: report.share(line, "cost"), True),
    "params": Column("params", lambda report, line: line.params, True),
    "params_share": Column("share", lambda report, line: report.share(line, "params"), True),
    "rf": Column("receptive field", lambda report, line: _field(report, line, "rf")),
    "rf_local": Column("rf, local", lambda report, line: _field(report, line, "size")),
    "rf_stride": Column("rf stride", lambda report, line: _field(report, line, "stride")),
    "rf_padding": Column("rf padding", lambda report, line: _field(report, line, "padding")),
    "rf_aligned": Column("rf aligned", lambda report, line: _field(report, line, "aligned")),
    "layers": Column("layers", lambda report, line: line.layers, True),
    "shared": Column("weights of", lambda report, line: line.shared or ""),
    "file": Column("file", lambda report, line: line.source),
    "line": Column("line", lambda report, line: line.line, True),
}
SHORT = {"padding": "rf_padding", "local": "rf_local", "live": "peak_bytes"}  # short names -> columns
EFFECTIVE = {"stride": "rf_stride"}  # used with columns of the receptive field, unless both are named
BY_LAYER = ("name", "type", "input", "output", "kernel", "cost", "cost_share", "params", "params_share")
BY_GROUP = ("name", "layers", "cost", "cost_share", "params", "params_share")
PLAIN = ("name", "op", "type", "input", "output", "kernel", "stride", "groups", "times", "cost", "params", "line")
PLAIN_GROUP = ("name", "layers", "cost", "cost_share", "params", "params_share")


def columns(report: Any) -> dict[str, Column]:
    """All columns of a report, including one for each further metric."""
    return {**COLUMNS, **{one.name: _of_metric(one) for one in report.more}}


def _of_metric(one: Metric) -> Column:
    return Column(one.title, lambda report, line: shown(line.more[one.name]), True)


def public(name: str, report: Report) -> str:
    """Name of a column in files: `cost` is replaced by the name of the metric."""
    return name.replace("cost", report.convention.cost) if name in COLUMNS else name


def columns_of(view: View, report: Report, by_layer: tuple[str, ...], by_group: tuple[str, ...]) -> tuple[str, ...]:
    """Internal names of the columns to show: the requested ones, or those that suit the grouping."""
    if view.columns:
        return chosen(view.columns, report)
    names = by_layer if view.by == "layer" else by_group
    more = [one.name for one in report.more]
    after = 1 + max(names.index(name) for name in ("params", "params_share") if name in names)
    return (*names[:after], *more, *names[after:]) if more else names


def chosen(names: tuple[str, ...], report: Report) -> tuple[str, ...]:
    """Internal names of the columns that the user named. Raises OptionError for an unknown name."""
    known = {public(name, report): name for name in columns(report)}
    names = tuple(SHORT.get(name, name) for name in names)
    if any(name.startswith("rf") for name in names) and not {*EFFECTIVE.values()} & {*names}:
        names = tuple(EFFECTIVE.get(name, name) for name in names)
    for name in names:
        if name not in known:
            help = nearest(name, known) or f"known: {listed(known)}"
            raise OptionError(Problem("unknown-column", f"there is no column `{name}`", help=help))
    return tuple(known[name] for name in names)


def selected(report: Report, view: View) -> list[Line]:
    """Lines to show: grouped, sorted and truncated as in the view."""
    if view.by == "type":
        lines = report.by_type(view.everything)
    elif view.by == "block":
        lines = [line for line in report.by_block(view.depth) if line.layers or view.everything]
    else:
        lines = list(report.shown(view.everything))
    if view.sort:
        column = columns(report)[chosen((view.sort,), report)[0]]
        lines = sorted(lines, key=lambda line: column.value(report, line), reverse=column.number)
    return lines[: view.top] if view.top else lines


def records(report: Report, lines: Sequence[Line], names: Sequence[str]) -> list[dict[str, Any]]:
    """Lines as dicts with public names; shapes as `80x80x24`."""
    known = columns(report)
    values = [(public(name, report), known[name].value) for name in names]
    return [{name: plain(value(report, line)) for name, value in values} for line in lines]


def cell(name: str, report: Report, line: Line) -> str:
    """Format a value: thousands separators, shares in percent, an empty cell or `-` for no value."""
    value = COLUMNS[name].value(report, line) if name in COLUMNS else shown(line.more[name])
    if name.endswith("share"):
        return f"{100 * value:.2f} %" if value else "-"
    if name == "kernel" and value and line.stride:
        apart = f" d{_short(line.dilation)}" if any(one != 1 for one in line.dilation) else ""
        return f"{shape_text(value)} / {_short(line.stride)}{apart}"
    is_metric = name in ("cost", "params") or name not in COLUMNS
    if is_metric and not value:
        return "-" if line.complete else ">= 0"
    if is_metric and name != "params" and not line.complete:
        return f">= {value:,}"
    if type(value) is tuple:
        return shape_text(value)
    is_count = type(value) is int or (type(value) is float and unit_of(name) is COUNT)
    return f"{value:,}" if is_count and name != "line" else printable(str(value))


def _short(stride: Shape) -> str:
    return str(stride[0]) if len(set(stride)) == 1 else shape_text(stride)


def heading(name: str, report: Report) -> str:
    """Displayed heading of a column."""
    if name == "cost":
        return report.metrics[0].title
    if name == "kernel":
        return "kernel / stride"
    return columns(report)[name].heading


def total(report: Report, metric: str) -> str:
    """A formatted total: `568,740,352`, or `>= ..` if a cost is unknown."""
    value = report.totals[report.convention.cost if metric == "cost" else metric]
    return f"{value:,}" if report.complete else f">= {value:,}"


def stamp(report: Report) -> str:
    """Convention, input, variables and version: the conditions of a figure."""
    names = [one.name for one in report.metrics]
    return stamped(report.model, report.convention, report.inputs, report.values, names)


def stamped(
    model: Model,
    convention: Convention,
    inputs: Mapping[str, Shape],
    values: Mapping[str, Any],
    metrics: Sequence[str] = (),
) -> str:
    """`convention paper: ..; shipped config mobilenet; input 224x224x3; alpha=1, res=224; costcalc 0.1.0`."""
    counted, made = f"convention {convention.name}: {convention.title}", f"costcalc {__version__}"
    about = (phase_of(model), setting(inputs, values), storage_note(model, metrics))
    parts = (counted, by_others(convention, metrics), shipped(model), *about, made)
    return "; ".join(filter(None, parts))


def by_others(convention: Convention, metrics: Iterable[str]) -> str:
    """`mult_adds by paper`: the metrics that another convention counts, because this one counts another cost."""
    plain_names = [name for name in metrics if "." not in name and is_metric(name)]
    found = {name: one.priced.name for name in plain_names if (one := metric(name, convention)).instead}
    return ", ".join(f"{name} by {other}" for name, other in found.items() if other != convention.name)


def shipped(model: Model) -> str:
    """`shipped config mobilenet`, or `includes the shipped config resnet50`; empty if all files are the user's."""
    if model.source.shipped:
        return f"shipped config {model.name}"
    names = [one.path.removesuffix(".yaml") for one in model.included if one.shipped]
    return f"includes the shipped config{'s' * (len(names) > 1)} {', '.join(names)}" if names else ""


def phase_of(model: Model) -> str:
    """Phase of the figures if one was chosen or layers belong to a single phase; else empty."""
    if model.about or any("only" in one.text for one in (model.source, *model.included)):
        from ...rewrite import phase_text  # slow to import, and visits every step

        return phase_text(model)
    return ""


def setting(inputs: Mapping[str, Shape], values: Mapping[str, Any]) -> str:
    """`input 224x224x3; alpha=1, res=224`."""
    shapes = ", ".join(
        (f"{printable(name)} " if len(inputs) > 1 else "") + shape_text(shape) for name, shape in inputs.items()
    )
    variables = ", ".join(f"{name}={value}" for name, value in settings_of(values).items())
    return "; ".join(filter(None, (f"input {shapes}" if shapes else "", variables)))


class View(NamedTuple):
    """Parts of a report to show: grouping, columns, order."""

    by: str = "layer"  # layer, type or block
    depth: int = 1  # levels of names, for blocks
    columns: tuple[str, ...] = ()
    sort: str = ""
    top: int = 0
    everything: bool = False  # also `then` layers without counted cost


def constants(
    model: Model, varied: Sequence[str], given: Iterable[Any] = ()
) -> tuple[dict[str, Shape], dict[str, Any]]:
    """(inputs, values) that do not depend on the varied variables: shapes of inputs and values of variables, by name.

    If `rho` varies and `res` does not, `res` is included as the base of rho.
    """
    by_rho = "rho" in varied and "res" not in varied
    values = fixed(model, {*varied, *(["res"] if by_rho else [])}, given)
    inputs = {
        name: input_shape(name, one, values, model.variables)
        for name, one in model.inputs.items()
        if names_of(one.shape) <= {*values}
    }
    return inputs, {**({"res": typical(model)["res"]} if by_rho else {}), **values}
