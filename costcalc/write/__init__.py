"""A network as a spec that a person can own: layers folded into blocks and repeats.

spec_text(model, values)    the YAML of a model over the values of its variables
"""

from ..errors import CostcalcError, Source
from ..stitching import graph_of, is_stated
from ..variables import settle
from .nesting import nested
from .spec import open_axes, written


def spec_text(model, values, width=None):
    """The spec of a model. `width` names a variable that widths are multiplied by.

    Read back, it has the same layers in the same order, each with the same cost. Axes that are open in the model are
    variables, if the spec has the model's cost at other sizes too. Raises SpecError as `trace` does.
    """
    graph, axes = graph_of(model, values), open_axes(model)
    graph = nested(graph) if is_stated(model) else graph
    if axes:
        text = written(model, graph, width, axes, values)
        if _scales(text, model, values, axes):
            return text
    return written(model, graph, width)


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
