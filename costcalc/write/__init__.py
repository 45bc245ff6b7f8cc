"""A network as a spec that a person can own: layers folded into blocks and repeats.

spec_text(model, values)    the YAML of a model over the values of its variables
as_spec(model, values)      the same as a Model, for what works on the layers of specs
"""

from collections import Counter

from ..errors import CostcalcError, Problem, Source, SpecError
from ..files import is_config
from ..pricing import MAC, TRAINABLE
from ..stitching import graph_of, is_stated
from ..variables import settle
from .nesting import nested
from .spec import open_axes, written


def spec_text(model, values, width=None, flat=False):
    """The spec of a model. `width` names a variable that widths are multiplied by; `flat` leaves each layer its name.

    Read back, it has the same layers in the same order, each with the same cost: that is looked at, and where blocks
    and repeats would not have it so, the spec is flat. What layers share besides weights, each has of its own here,
    which a comment tells. Axes that are open in the model are variables, if the spec has the model's cost at other
    sizes too. Raises SpecError as `trace` does.
    """
    return _text(model, values, open_axes(model), width, flat)


def is_spec(model):
    """Whether a model was read from a spec, not from a graph or a configuration."""
    return not is_stated(model) and not is_config(model.source.path)


def as_spec(model, values):
    """The Model of the spec of a model at these values; it has no variables. Raises SpecError as `trace` does."""
    from ..read.spec import read

    return read(Source(model.source.path, _text(model, values)))


def _text(model, values, axes=None, width=None, flat=False):
    graph, own, near = _graph(model, values), _counts(model, values), None
    for shape in (True,) if flat else (False, True):
        if axes:
            text = written(model, graph, width, shape, axes, values)
            if _counted(text) == own and _scales(text, model, values, axes):
                return text
        text = written(model, graph, width, shape)
        found = _counted(text)
        if found == own:
            return text
        if found and found[0] == own[0]:
            near = near or f"{_apart(found[1] - own[1])}{text}"
    if near:
        return near
    message = f"no spec is found for {model.name} that counts the same"
    raise SpecError(Problem("cannot-write", message, help="please report it with the model"))


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
    others = {name: 2 * values[name] for name in axes}
    try:
        own = _counts(model, {**values, **others})
    except CostcalcError:
        return False
    return _counted(text, {axes[name]: size for name, size in others.items()}) == own


def _apart(more):
    """A comment on trainable numbers, of which layers of a graph may share some that are no weights."""
    text = f"{abs(more):,} trainable numbers {'more' if more > 0 else 'less'} than in the model"
    return f"# {text}: biases, scales or shifts, which layers share there\n"


def _counted(text, given=None):
    """What is counted of a text; None where it cannot be read or built, or has two layers of one name."""
    from ..read.spec import read
    from ..trace import trace

    try:
        spec = read(Source("spec", text))
        rows = trace(spec, settle(spec, given or {})).rows
    except CostcalcError:
        return None
    names = {"/".join(row.frame.path) for row in rows}
    return _summed(rows) if len(names) == len(rows) else None


def _counts(model, values):
    from ..trace import trace

    return _summed(trace(model, values).rows)


def _summed(rows):
    """The mult-adds and weights of the layers that multiply, and all trainable parameters."""
    params = sum(row.layer.params.get(kind, 0) for row in rows if row.shared is None for kind in TRAINABLE)
    multiply = [(row, tuple(row.layer.terms.get(name, 0) for name in MAC)) for row in rows]
    each = (
        (macs, row.layer.params.get("weight", 0), row.times, bool(row.shared)) for row, macs in multiply if any(macs)
    )
    return Counter(each), params
