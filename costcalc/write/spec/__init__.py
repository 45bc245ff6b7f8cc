"""Write a network as an editable spec. Repeated structure becomes blocks and repeats.

spec_text(model, values)    the YAML of a model at the given values of its variables
as_spec(model, values)      the same as a Model, for code that works on the layers of specs

A written spec must have the cost of its model, layer by layer: equal products, numbers by kind, and runs. Then cost
and params are equal under every convention.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from ...allowance import OutOfTime
from ...errors import CostcalcError, Problem, Source, SpecError
from ...metrics.pricing import MAC
from ...model.network import Model
from ...model.rows import Row
from ...model.stitching import graph_of, is_stated
from ...model.variables import settle
from ...model.wiring import Graph, Node, held, wired
from ...read.loading import SPEC, format_of
from ...records import NamedTuple
from .. import check_count
from .spec import open_axes, written


class Cost(NamedTuple):
    """Cost of a layer: mult-adds by quantity, numbers by kind, runs, and whether it shares another layer's weights."""

    macs: tuple
    params: tuple
    times: Any
    shared: bool


def costs(nodes: list[Node]) -> Counter:
    """Costs of the layers of a graph, without free layers, and how many layers have each."""
    found = (_cost(node.row, node.table) for node in nodes)
    return Counter(one for one in found if any(one.macs) or one.params)


def _cost(row: Row, table: int | None = None) -> Cost:
    own = {kind: count for kind, count in held(row).items() if table is None or kind != "weight"}
    shared = row.shared is not None
    params = () if shared else tuple(sorted(own.items()))
    return Cost(_macs(row), params, row.times, any(_macs(row)) and not params and bool(shared or table is not None))


def _macs(row: Row) -> tuple:
    return tuple(row.layer.terms.get(name, 0) for name in MAC)


def is_conserved(graph: Graph) -> bool:
    """Whether the nodes of a graph have the cost of the steps that they represent."""
    groups: dict = {}
    for node in graph.nodes:
        for step in node.steps:
            groups.setdefault(step, node.steps[0])
    had: defaultdict[int, Counter] = defaultdict(Counter)
    have: defaultdict[int, Counter] = defaultdict(Counter)
    for step, row in enumerate(graph.rows):
        _add(had[groups[step]], row, row.shared is not None)
    for node in graph.nodes:
        _add(have[node.steps[0]], node.row, node.row.shared is not None)
    return had == have


def _add(counter: Counter, row: Row, shared: bool) -> None:
    for kind, count in () if shared else held(row).items():
        counter[kind] += count
    if any(_macs(row)):
        counter[_macs(row), row.times] += 1


def nested(graph: Graph) -> Graph:
    """Shorten the concats of a graph by reusing earlier ones. Values and cost do not change."""
    known: dict[tuple, int] = {}  # axis and sources of a concat -> index
    nodes = []
    for number, node in enumerate(graph.nodes):
        if node.row.op.name == "concat":
            axis = node.options["axis"]
            sources = node.sources
            known.setdefault((axis, sources), number)
            node = node._replace(sources=_shortened(axis, sources, known, number))
        nodes.append(node)
    return graph._replace(nodes=nodes)


def _shortened(
    axis: int, sources: tuple[Any, ...], known: Mapping[tuple[int, tuple[Any, ...]], int], number: int
) -> tuple[Any, ...]:
    for count in range(len(sources) - 1, 0, -1):
        before = known.get((axis, sources[:count]))
        if before is not None and before != number:
            return (before, *sources[count:])
    return sources


def spec_text(model: Model, values: Mapping[str, float], width: Any = None, flat: bool = False) -> str:
    """Write the spec of a model. `width` names a width multiplier variable; `flat` keeps the name of each layer.

    The text is read back and compared: layers must have the same costs and parameters of every kind. If the spec with
    blocks and repeats differs, a flat one is written. Open axes of the model become variables if the spec also has the
    model's cost at other sizes. Raises the SpecErrors of `trace`.
    """
    return _text(model, values, open_axes(model), width, flat)


def is_spec(model: Model) -> bool:
    """Whether a model was read from a spec, not from a graph or configuration."""
    return not is_stated(model) and format_of(model.source.path) is SPEC


def as_spec(model: Model, values: dict[str, float]) -> Any:
    """The Model of the written spec at these values, without variables. Raises the SpecErrors of `trace`."""
    from ...read.spec.reader import read

    return read(Source(model.source.path, _text(model, values)))


def _text(
    model: Model,
    values: Mapping[str, float],
    axes: Mapping[Any, Any] | None = None,
    width: Any = None,
    flat: bool = False,
) -> str:
    graph = _graph(model, values)
    _refuse_chance(graph)
    own = _costs(graph)
    for shape in (True,) if flat else (False, True):
        if axes:
            text = written(model, graph, width, shape, axes, values)
            if _counted(text) == own and _scales(text, model, values, axes):
                return text
        text = written(model, graph, width, shape)
        if own is not None and _counted(text) == own:
            return text
    message = f"no spec of the same cost was found for {model.name}"
    raise SpecError(Problem("cannot-write", message, help="please report it with the model"))


def _refuse_chance(graph: Graph) -> None:
    """Raise SpecError for a layer with a probability: which layers share one choice cannot be written."""
    for node in graph.nodes:
        if any(branch.choice.alone for branch in node.row.chance):
            message = f"`{node.name}` has a probability (`prob`), which cannot be written"
            raise SpecError(Problem("cannot-write", message, node.row.place, "keep the original spec"))


def _costs(graph: Graph) -> Counter[Any] | None:
    """Costs of the layers of a graph, or None if they differ from those of the model's steps."""
    return costs(graph.nodes) if not graph.rows or is_conserved(graph) else None


def _graph(model: Model, values: Mapping[str, float]) -> Graph:
    """Graph of a model. Norms and activations that are layers of a configuration go into `then`."""
    graph = graph_of(model, values)
    check_count(graph)
    if is_stated(model):
        return nested(graph)
    if is_spec(model):
        return graph
    return graph._replace(nodes=[node._replace(row=node.row._replace(follows=True)) for node in graph.nodes])


def _scales(text: str, model: Model, values: Mapping[str, float], axes: Mapping[Any, Any]) -> Any:
    """Whether a spec has the model's cost at other sizes."""
    others = {name: 2 * values[name] for name in axes}
    try:
        own = _costs(_graph(model, {**values, **others}))
    except OutOfTime:
        raise
    except CostcalcError:
        return False
    return own is not None and _counted(text, {axes[name]: size for name, size in others.items()}) == own


def _counted(text: str, given: Any = None) -> Counter | None:
    """Costs of a spec's layers, or None if it is invalid or has duplicate names."""
    from ...read.spec.reader import read

    try:
        spec = read(Source("spec", text))
        nodes = wired(spec, settle(spec, given or {})).nodes
    except OutOfTime:
        raise
    except CostcalcError:
        return None
    return costs(nodes) if len({node.name for node in nodes}) == len(nodes) else None
