"""What can be totalled over a network: a metric is a quantity of each row, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import OptionError, Problem, listed, nearest
from ..num import prod
from .conventions import CONVENTIONS, COUNTERS, find, price_list
from .pricing import MAC

if TYPE_CHECKING:
    from ..model.network import Model
    from ..model.rows import Row
    from ..num.values import Number


NAMES = ("mult_adds", "flops", "params", "activations", "weights_bytes")
VALUE_BYTES = 4  # of a 32-bit float


class Metric(NamedTuple):
    """A metric: its name as asked for, what it is of one row of a trace, and what its total is divided by."""

    name: str
    of: Callable[[Any], Any]
    per: int = 1


def metric(name: str, convention: Any) -> Metric:
    """The metric of that name: `params`, or `framework.params` for that of another convention.

    mult_adds    the cost under the convention (flops: 2 per mult-add)
    params       the parameters that the convention counts
    activations  outputs of the layers that have mult-adds, per sample (as fvcore's activation count)
    weights_bytes  those parameters as 32-bit floats
    """
    owner, dot, short = name.rpartition(".")
    priced = find(owner) if dot else price_list(convention)
    if short in ("mult_adds", "flops") and short != priced.cost:
        if owner in COUNTERS:
            help = f"write `{owner}.{priced.cost}`"
            raise OptionError(Problem("unknown-metric", f"`{owner}` counts no {short}", help=help))
        priced = CONVENTIONS["paper" if short == "mult_adds" else "flops"]
    if short in ("params", "weights_bytes"):
        size = VALUE_BYTES if short == "weights_bytes" else 1
        return Metric(name, lambda row: priced.params_of(row.op.name, row.layer, row.shared is not None) * size)
    if short == "activations":
        return Metric(name, _activations)
    if short not in NAMES:
        help = nearest(short, NAMES) or f"known: {listed(NAMES)}"
        raise OptionError(Problem("unknown-metric", f"there is no metric `{name}`", help=help))
    return Metric(name, lambda row: priced.cost_of(row.op.name, row.layer, row.times))


def effective_alpha(model: Model) -> Metric:
    """The width multiplier that rounding really gave: the widths that alpha moves, over those at alpha 1."""
    from ..model.trace import trace
    from ..model.variables import settle

    at_1, at_2 = ({_path(row): _width(row) for row in trace(model, settle(model, {"alpha": a})).rows} for a in (1, 2))
    moved = {path for path, width in at_1.items() if width and at_2.get(path, width) != width}
    return Metric(
        "effective_alpha",
        lambda row: _width(row) if _path(row) in moved else 0,
        sum(at_1[path] for path in moved),
    )


def _path(row: Row) -> tuple[str, ...]:
    return tuple(row.frame.path)


def _width(row: Row) -> int:
    """Channels of a layer with weights; 0 for others."""
    return row.layer.shape[-1] if "weight" in row.layer.params else 0


def _activations(row: Row) -> Number:
    return prod(row.layer.shape) * row.times if MAC.keys() & row.layer.terms.keys() else 0
