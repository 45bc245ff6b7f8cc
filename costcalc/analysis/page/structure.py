"""Layers of a network at settings that share a structure: names, edges, buffers, and kinds of layers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...allowance import OutOfTime
from ...errors import CostcalcError
from ...metrics.metrics import Metric
from ...metrics.pricing import Convention
from ...model.lives import Lives
from ...model.network import Model
from ...model.trace import trace
from ...records import NamedTuple
from ...render.html_file import embedded
from ...render.text import printable
from ...rewrite import PHASES, Rewriting, phased
from ...write.spec import as_spec, is_spec
from ..report.report import Line, Report, report

LIVE = "peak_bytes"  # for a layer, this metric is the bytes alive while it runs
FIELDS = ("op", "type", "input", "output", "kernel", "stride", "groups", "times", "complete", "hidden", "line")


class Point(NamedTuple):
    """A network at one setting."""

    report: Report
    lives: Lives


def signature(point: Point) -> tuple[Any, ...]:
    """Key that is equal for settings with the same structure: names and edges."""
    lines = point.report.lines
    return tuple(line.name for line in lines), tuple(line.shared for line in lines), tuple(map(tuple, _sources(point)))


def structure(points: Sequence[Point]) -> dict[str, Any]:
    """One structure for JSON: values shared by all points as they are, others as lists with one value per point."""
    first, columns = points[0], Columns()
    metrics = [one.name for one in first.report.metrics if one.name not in first.report.figures and one.name != LIVE]
    kinds, numbers = _kinds(points, metrics, columns)
    names = [line.path for line in first.report.lines]
    return {
        "names": fronted(["\n".join(map(printable, path)) for path in names]),
        "kind": numbers,
        "kinds": kinds,
        "sources": _edges(first),
        "shared": {number: printable(one.shared) for number, one in enumerate(first.report.lines) if one.shared},
        **_memory(points, columns),
        "columns": columns.found,
    }


def fronted(names: Sequence[str]) -> list[Any]:
    """Names in front coding: the length of the prefix shared with the previous name, then the rest, in turns."""
    found: list[Any] = []
    before = ""
    for name in names:
        same = 0
        for one, other in zip(before, name, strict=False):
            if one != other:
                break
            same += 1
        found += [same, name[same:]]
        before = name
    return found


def least_bytes(point: Point) -> int:
    """Minimum bytes of the layers of a network at one setting in a document: names, kinds and buffers."""
    lines, lives = point.report.lines, point.lives
    names = _json(fronted(["\n".join(map(printable, line.path)) for line in lines]))
    buffers = [[one.first, lives.end(one), 0, *(embedded(each.made) for each in one.tensors)] for one in lives.buffers]
    return len(names) + len(_json(buffers)) + 4 * len(lines)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _kinds(points: Sequence[Point], metrics: Sequence[str], columns: Columns) -> tuple[list[list[int]], list[int]]:
    """(kinds as column numbers, of FIELDS and then of the metrics; the kind of each layer)."""
    numbers: dict[tuple[int, ...], int] = {}
    found = []
    for lines in zip(*(point.report.lines for point in points), strict=True):
        records = [_record(point.report, line, metrics) for point, line in zip(points, lines, strict=True)]
        key = tuple(columns.add(values) for values in zip(*records, strict=True))
        found.append(numbers.setdefault(key, len(numbers)))
    return [list(key) for key in numbers], found


def _record(report: Report, line: Line, metrics: Sequence[str]) -> tuple[Any, ...]:
    inputs = " + ".join("x".join(map(str, shape)) for shape in line.inputs)
    amounts = {report.convention.cost: line.cost, "params": line.params, **line.more}
    fields = (line.op, line.type, inputs, line.output, line.kernel, line.stride, line.groups, line.times)
    return (*fields, line.complete, line.folded, line.line, *(amounts[name] for name in metrics))


def _sources(point: Point) -> list[list[Any]]:
    return [[one if type(one) is int else _named(one) for one in row.sources] for row in point.report.trace.rows]


def _named(source: Any) -> Any:
    """Name of an input; None for a constant."""
    return None if source is None else printable(str(source))


def _edges(point: Point) -> dict[int, list[Any]]:
    """Sources of each layer by index, except for layers that read only the layer before."""
    return {number: one for number, one in enumerate(_sources(point)) if one != [number - 1]}


def _memory(points: Sequence[Point], columns: Columns) -> dict[str, Any]:
    """Bytes alive while each layer runs, and every buffer: its lifetime, size and tensors."""
    lives = [point.lives for point in points]
    found: dict[str, Any] = {"live": [columns.add(values) for values in zip(*(one.live for one in lives), strict=True)]}
    work = [columns.add(values) for values in zip(*(one.workspace for one in lives), strict=True)]
    found["workspace"] = {number: column for number, column in enumerate(work) if columns.found[column] != 0}
    if len({tuple(map(_life, one.buffers)) for one in lives}) > 1:
        return found  # the policy shares storage differently at other sizes
    sizes = zip(*([buffer.size for buffer in one.buffers] for one in lives), strict=True)
    buffers = [
        [buffer.first, lives[0].end(buffer), columns.add(size), *(one.made for one in buffer.tensors)]
        for buffer, size in zip(lives[0].buffers, sizes, strict=True)
    ]
    return {**found, "buffers": [[embedded(one) for one in buffer] for buffer in buffers]}


def _life(buffer: Any) -> tuple[Any, ...]:
    return buffer.first, buffer.last, tuple(one.made for one in buffer.tensors)


def of_metric(one: Metric, figures: Any) -> dict[str, Any]:
    """A metric for JSON: its name, title and unit, and how amounts of layers are combined."""
    fold = "figure" if one.name in figures else "max" if one.fold is max else "sum"
    unit = "B" if one.unit.symbol == "B" else ""
    return {"name": one.name, "title": one.title, "unit": unit, "fold": fold, "what": one.what}


class Columns:
    """Lists of values, one value per setting, stored once and numbered. A constant list is stored as its value."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def add(self, values: Sequence[Any]) -> int:
        """Number of a list; equal lists have the same number."""
        key = tuple((type(value), value) for value in values)
        number = self._numbers.setdefault(key, len(self.found))
        if number == len(self.found):
            plain_ones = [embedded(value) for value in values]
            self.found.append(plain_ones[0] if len({one for _, one in key}) == 1 else plain_ones)
        return number


MOST_LAYERS = 6_000  # limit for a graph that is converted to a spec first
CONVOLUTIONS = {"standard": "standard convolutions", "separable": "separable convolutions"}


class Variant(NamedTuple):
    """A modified network: the kind of its modification, its title, and its model."""

    group: str  # conv or phase
    title: str
    model: Model
    takes: bool  # whether it has the variables of the network


def variants(model: Model, start: Mapping[str, Any], layers: int) -> list[Variant]:
    """Variants of a network; those that cannot be built are left out."""
    takes = is_spec(model)
    if not takes and layers > MOST_LAYERS:
        return []
    written = model if takes else _made(lambda: as_spec(model, dict(start)))
    if written is None:
        return []
    made = [("conv", title, _rewriting(written, conv)) for conv, title in CONVOLUTIONS.items()]
    made += [("phase", phase, _phase(written, phase)) for phase in PHASES]
    return [
        Variant(group, title, found, takes)
        for group, title, make in made
        for found in (_made(make),)
        if found is not None
    ]


def _rewriting(model: Model, conv: str) -> Callable[[], Model]:
    return lambda: Rewriting(conv=conv).apply(model).model


def _phase(model: Model, phase: str) -> Callable[[], Model]:
    return lambda: phased(model, phase)


def _made(make: Callable[[], Any]) -> Any:
    """Result of a function, or None if it raises CostcalcError."""
    try:
        return make()
    except OutOfTime:
        raise
    except CostcalcError:
        return None


def document(found: Variant, settings: Sequence[Any], convention: Convention) -> dict[str, Any]:
    """A variant for JSON: totals at every setting (null if invalid), and its layer types."""
    reports = [
        _reported(found, values, convention) if found.takes or not number else None
        for number, values in enumerate(settings)
    ]
    return {
        "group": found.group,
        "title": found.title,
        "totals": [one and [embedded(total) for total in one.totals.values()] for one in reports],
        "complete": [one and one.complete for one in reports],
        "types": _types(reports),
    }


def _reported(found: Variant, values: Any, convention: Convention) -> Report | None:
    """Report of a variant at the values of all variables; None if it is invalid there."""
    if values is None:
        return None
    own = values if found.takes else {}

    def make() -> Report:
        one = report(found.model, trace(found.model, own), own, convention)
        one.totals  # noqa: B018 (raises if they are too large)
        return one

    return _made(make)


def _types(reports: Sequence[Report | None]) -> dict[str, Any]:
    """Layer types, largest first at the first setting: their cost, params and number of layers at every setting."""
    groups = [{line.name: line for line in one.by_type()} if one else {} for one in reports]
    columns, names = Columns(), list(dict.fromkeys(name for group in groups for name in group))
    rows = [
        [
            columns.add([getattr(group[name], field) if name in group else 0 for group in groups])
            for field in ("cost", "params", "layers")
        ]
        for name in names
    ]
    return {"names": [embedded(name) for name in names], "rows": rows, "columns": columns.found}
