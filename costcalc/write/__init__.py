"""A network as a spec that a person can own: layers folded into blocks and repeats.

spec_text(model, values)    the YAML of a model over the values of its variables
as_spec(model, values)      the same as a Model, for what works on the layers of specs
"""

from ..errors import CostcalcError, Source
from ..files import is_config
from ..stitching import graph_of, is_stated
from ..variables import settle
from .nesting import nested
from .spec import open_axes, written


def spec_text(model, values, width=None):
    """The spec of a model. `width` names a variable that widths are multiplied by.

    Read back, it has the same layers in the same order, each with the same cost. Axes that are open in the model are
    variables, if the spec has the model's cost at other sizes too. Raises SpecError as `trace` does.
    """
    graph, axes = _graph(model, values), open_axes(model)
    if axes:
        text = written(model, graph, width, axes, values)
        if _scales(text, model, values, axes):
            return text
    return written(model, graph, width)


def is_spec(model):
    """Whether a model was read from a spec, not from a graph or a configuration."""
    return not is_stated(model) and not is_config(model.source.path)


def as_spec(model, values):
    """The Model of the spec of a model at these values; it has no variables. Raises SpecError as `trace` does."""
    from ..read.spec import read

    return read(Source(model.source.path, written(model, _graph(model, values), None)))


def _graph(model, values):
    """The graph of a model; norms and activations that are layers of a configuration stand behind the one before."""
    graph = graph_of(model, values)
    if is_stated(model):
        return nested(graph)
    if is_spec(model):
        return graph
    return graph._replace(nodes=[node._replace(row=node.row._replace(follows=True)) for node in graph.nodes])


def _scales(text, model, values, axes):
    """Whether a text costs what the model does at other sizes."""
    from ..read.spec import read
    from ..trace import trace

    others = {name: 2 * values[name] for name in axes}
    try:
        spec = read(Source("spec", text))
        rows = trace(spec, settle(spec, {axes[name]: size for name, size in others.items()})).rows
        own = trace(model, {**values, **others}).rows
    except CostcalcError:
        return False
    return _macs(rows) == _macs(own)


def _macs(rows):
    return sorted(row.layer.terms["mac"] for row in rows if row.layer.terms.get("mac"))
