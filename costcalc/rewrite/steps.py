"""What rewrites ask of steps, and how they make new ones."""

from ..expr import Expr
from ..model import Call, Chosen, is_dynamic
from ..ops import INDEX, find

_GRID = frozenset(("height", "width", "depth", "length", "tokens"))  # what a stride in between changes


def spot(step):
    """Where a step stands in its file, as a key: (path, line, column)."""
    return step.source.path, *step.place[:2]


def op_of(step, facts):
    """The operation of a step by name; None for blocks, groups, and what only the walk will tell."""
    if type(step.body) is Call:
        return step.body.op
    return dict(facts.words).get(step.body.param) if type(step.body) is Chosen else None


def is_call(step, *ops):
    """Whether a step is a call of one of these operations."""
    return type(step.body) is Call and step.body.op in ops


def passes(step, facts):
    """Whether a step is a plain normalisation, activation or dropout, which keeps the shape."""
    op = op_of(step, facts)
    return step.plain and op not in (None, "glu") and INDEX[op] in ("norm", "pointwise") and not find(op).branches


def is_one(arg):
    """Whether a kernel or stride is surely 1 on every axis."""
    return all(item == 1 for item in arg) if type(arg) is tuple else type(arg) is int and arg == 1


def reads_grid(out, step, facts):
    """Whether a width is worked out from sizes of the grid that the step's stride changes."""
    strided = not is_one(step.body.options.get("stride", 1))
    return strided and type(out) is Expr and bool(out.names & (_GRID - facts.params))


def bare(step):
    """The step without its controls, for the inside of a group that has them."""
    return step._replace(repeat=None, when=None, residual=None, times=None, label=None, origin=None, plain=True)


def call(op, options, places):
    """A call; the places are taken from those of the layer that it is made of."""
    known = {name: places[name] for name in options if name in places}
    return Call(op, options, known, any(map(is_dynamic, options.values())))


def where(step, condition, text, names):
    """The step, run only where a condition on the names around it holds."""
    return step._replace(when=Expr(text, frozenset(names), condition), plain=False)
