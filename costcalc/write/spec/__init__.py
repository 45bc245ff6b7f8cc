"""Write a network as an editable spec: repeated structure becomes blocks and repeats.

spec_text(model, values)    the YAML of a model over the values of its variables
as_spec(model, values)      the same as a Model, for what works on the layers of specs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...allowance import OutOfTime
from ...errors import CostcalcError, Problem, Source, SpecError
from ...model.stitching import graph_of, is_stated
from ...model.variables import settle
from ...read.formats import SPEC, format_of
from .. import check_count
from .law import costs, is_conserved, nested
from .spec import open_axes, written

if TYPE_CHECKING:
    from collections import Counter

    from ...model.network import Model
    from ...model.wiring import Graph


def spec_text(model: Model, values: Mapping[str, float], width: Any = None, flat: bool = False) -> str:
    """The spec of a model. `width` names a variable that widths are multiplied by; `flat` leaves each layer its name.

    Read back, it has layers of the same cost, each with the same parameters of every kind, or it is not written: that
    is looked at, and where blocks and repeats would not have it so, the spec is flat. Axes that are open in the model
    are variables, if the spec has the model's cost at other sizes too. Raises SpecError as `trace` does.
    """
    return _text(model, values, open_axes(model), width, flat)


def is_spec(model: Model) -> bool:
    """Whether a model was read from a spec, not from a graph or a configuration."""
    return not is_stated(model) and format_of(model.source.path) is SPEC


def as_spec(model: Model, values: dict[str, float]) -> Any:
    """The Model of the spec of a model at these values; it has no variables. Raises SpecError as `trace` does."""
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
    message = f"no spec is found for {model.name} that counts the same"
    raise SpecError(Problem("cannot-write", message, help="please report it with the model"))


def _refuse_chance(graph: Graph) -> None:
    """Raise SpecError for a layer with a probability: which layers share it is not written."""
    for node in graph.nodes:
        if any(branch.choice.alone for branch in node.row.chance):
            message = f"`{node.name}` has a probability (`prob`), which is not written"
            raise SpecError(Problem("cannot-write", message, node.row.place, "keep the spec that says it"))


def _costs(graph: Graph) -> Counter[Any] | None:
    """What the layers of a graph cost; None where that is not what the steps of the model cost."""
    return costs(graph.nodes) if not graph.rows or is_conserved(graph) else None


def _graph(model: Model, values: Mapping[str, float]) -> Graph:
    """The graph of a model; norms and activations that are layers of a configuration stand behind the one before."""
    graph = graph_of(model, values)
    check_count(graph)
    if is_stated(model):
        return nested(graph)
    if is_spec(model):
        return graph
    return graph._replace(nodes=[node._replace(row=node.row._replace(follows=True)) for node in graph.nodes])


def _scales(text: str, model: Model, values: Mapping[str, float], axes: Mapping[Any, Any]) -> Any:
    """Whether a text costs what the model does at other sizes."""
    others = {name: 2 * values[name] for name in axes}
    try:
        own = _costs(_graph(model, {**values, **others}))
    except OutOfTime:
        raise
    except CostcalcError:
        return False
    return own is not None and _counted(text, {axes[name]: size for name, size in others.items()}) == own


def _counted(text: str, given: Any = None) -> Counter | None:
    """What is counted of a text; None where it cannot be read or built, or has two layers of one name."""
    from ...model.wiring import wired
    from ...read.spec.reader import read

    try:
        spec = read(Source("spec", text))
        nodes = wired(spec, settle(spec, given or {})).nodes
    except OutOfTime:
        raise
    except CostcalcError:
        return None
    return costs(nodes) if len({node.name for node in nodes}) == len(nodes) else None
