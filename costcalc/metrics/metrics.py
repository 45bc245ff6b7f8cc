"""Metrics, the quantities that are totalled over a network: one entry of `METRICS` each, added up by `totals`.

A metric returns its amounts for a walk: one per row, or a single figure for the whole network. A new entry here makes
a metric available in reports, sweeps, fits, formulas, comparisons, budgets, published figures and plots.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from .. import limits, num
from ..errors import OptionError, Problem, SpecError, listed, nearest
from ..model.network import Model
from ..model.rows import Row
from ..model.storage import DEFAULT
from ..quantities import BYTE, COUNT, RATIO, SHARES, Unit
from ..records import NamedTuple
from . import chances
from .conventions import CONVENTIONS, COUNTERS, find, price_list
from .pricing import MAC, Convention
from .walk import Walk

OPTIMIZER = "adam"  # the optimizer assumed by training_bytes
_FOLDS = {sum: num.total, max: num.largest}


def never(row: Row) -> bool:
    """The default for `rough`: no row is a lower bound unless its cost is unknown."""
    return False


class Metric(NamedTuple):
    """A named quantity of a network.

    amounts  the amounts of a walk under a price list: a list with one per row, or a figure of the whole network
    fold     how the amounts of rows are combined: sum or max
    needs    `mult_adds` or `params`: if this is unknown for a layer, the metric is a lower bound
    instead  the convention that prices it if the requested one has another cost
    rough    whether its amount for a row is a lower bound even if the layer's cost is known
    closed   whether it has a formula; the maximum of very many sums has none
    axis     the label on a plot axis, if not the title
    stored   whether it depends on the storage policy, which is then shown with it
    priced   the price list in use
    case     min, expected or max for layers that do not always run; empty if all of them count, as for parameters
    of       the metric of which this is a case
    """

    name: str
    title: str
    unit: Unit
    amounts: Callable[[Walk, Convention], Any]
    what: str
    fold: Callable[..., Any] = sum
    needs: str = "mult_adds"
    instead: str = ""
    rough: Callable[[Row], bool] = never
    closed: bool = True
    axis: str = ""
    stored: bool = False
    priced: Convention = CONVENTIONS["paper"]
    case: str = ""
    of: str = ""

    @property
    def cost(self) -> str:
        """The name of the metric without its case."""
        return self.of or self.name

    def is_bound(self, row: Row) -> bool:
        """Whether it is a lower bound for a row."""
        return self.needs in row.layer.unknown or self.rough(row)


def _cost(walk: Walk, priced: Convention) -> list[Any]:
    return walk.each(lambda row: priced.cost_of(row.op.name, row.layer, row.times))


def _params(walk: Walk, priced: Convention) -> list[Any]:
    return walk.each(lambda row: priced.params_of(row.op.name, row.layer, row.shared is not None))


def _weights_bytes(walk: Walk, priced: Convention) -> list[Any]:
    storage = walk.model.storage
    if storage.own or any((storage.first, storage.last, storage.bias, storage.scale, storage.zero)):
        return _of_tensors("weights_bytes")(walk, priced)
    return [storage.bytes(count, storage.weights) for count in _params(walk, priced)]


def _of_tensors(name: str) -> Callable[[Walk, Convention], Any]:
    """The amounts from a function of `memory`, which is imported on first use."""

    def amounts(walk: Walk, priced: Convention) -> Any:
        return getattr(import_module(f"{__package__}.memory"), name)(walk, priced)

    return amounts


def _is_unknown(row: Row) -> bool:
    """Whether anything about a layer is unknown; then its output and its workspace may be unknown too."""
    return bool(row.layer.unknown)


def _resident_bytes(walk: Walk, priced: Convention) -> Any:
    return num.total(_weights_bytes(walk, priced)) + num.largest(_of_tensors("peak")(walk, priced))


def _activations(walk: Walk, priced: Convention) -> list[Any]:
    return walk.each(_outputs)


def _outputs(row: Row) -> Any:
    return num.prod(row.layer.shape) * row.times if MAC.keys() & row.layer.terms.keys() else 0


def _effective_alpha(walk: Walk, priced: Convention) -> Any:
    moved = moved_widths(walk.model)
    if not moved:
        raise OptionError(Problem("bad-value", f"`alpha` changes no width of {walk.model.name}"))
    return num.total([_width(row) for row in walk.rows if _path(row) in moved]) / sum(moved.values())


def _kv_bytes(walk: Walk, priced: Convention) -> list[Any]:
    storage = walk.model.storage
    kept = walk.each(lambda row: row.layer.kept * row.times * storage.batch)
    return [storage.bytes(values, storage.activations) for values in kept]


def _params_active(walk: Walk, priced: Convention) -> list[Any]:
    return walk.each(lambda row: priced.active_params_of(row.op.name, row.layer, row.shared is not None))


def _backward(walk: Walk, priced: Convention) -> list[Any]:
    from .gradients import cost, gradients

    return [cost(row, one, priced) for row, one in zip(walk.rows, gradients(walk), strict=True)]


def _training(walk: Walk, priced: Convention) -> list[Any]:
    return [one + more for one, more in zip(_cost(walk, priced), _backward(walk, priced), strict=True)]


def _saved(walk: Walk, priced: Convention) -> list[Any]:
    from .saved import Policy, keeping

    return walk.chosen(keeping(walk, Policy()).bytes())


def _keeps_more(row: Row) -> bool:
    from .saved import is_rough

    return is_rough(row)


def _has_products(row: Row) -> bool:
    from .gradients import is_rough

    return is_rough(row)


def _needed(walk: Walk, priced: Convention) -> Any:
    from .saved import Policy, keeping
    from .states import needed

    policy = Policy()
    return num.total([size for _, size in needed(walk, keeping(walk, policy), policy, OPTIMIZER)])


_REGISTERED = (
    Metric(
        "mult_adds",
        "mult-adds",
        COUNT,
        _cost,
        "the cost in mult-adds; under a convention that counts FLOPs, the cost of `paper`",
        instead="paper",
    ),
    Metric(
        "flops",
        "FLOPs",
        COUNT,
        _cost,
        "the cost in FLOPs; 2 per mult-add if the convention counts mult-adds",
        instead="flops",
        axis="FLOPs (1 mult-add = 2)",
    ),
    Metric(
        "params",
        "params",
        COUNT,
        _params,
        "the parameters that the convention counts",
        needs="params",
        axis="parameters",
    ),
    Metric(
        "params_active",
        "active params",
        COUNT,
        _params_active,
        "the parameters that one token uses, with only the experts it is routed to",
        needs="params",
    ),
    Metric("activations", "activations", COUNT, _activations, "outputs of all layers that have mult-adds"),
    Metric(
        "weights_bytes",
        "weights bytes",
        BYTE,
        _weights_bytes,
        "params at the width of weights, by default 32 bits; under paper without biases and norms",
        needs="params",
    ),
    Metric(
        "peak_bytes",
        "peak bytes",
        BYTE,
        _of_tensors("peak"),
        "the most bytes that tensors need at once, in the order of the spec; for a layer, while it runs",
        fold=max,
        stored=True,
        rough=_is_unknown,
    ),
    Metric(
        "arena_bytes",
        "arena bytes",
        BYTE,
        _of_tensors("arena_of"),
        "the bytes that the planner of `costcalc memory` needs for all tensors; at least the peak",
        stored=True,
        rough=_is_unknown,
    ),
    Metric(
        "floor_bytes",
        "floor bytes",
        BYTE,
        _of_tensors("floor"),
        "the largest sum of inputs and outputs of one layer: a lower bound on the peak in any order",
        fold=max,
        stored=True,
        rough=_is_unknown,
    ),
    Metric(
        "bytes_moved",
        "bytes moved",
        BYTE,
        _of_tensors("moved"),
        "bytes that layers read and write: weights, inputs and output, each once per layer",
        stored=True,
        rough=_is_unknown,
    ),
    Metric(
        "resident_bytes",
        "resident bytes",
        BYTE,
        _resident_bytes,
        "the peak plus the weights that the convention counts",
        stored=True,
        rough=_is_unknown,
    ),
    Metric(
        "kv_bytes",
        "KV bytes",
        BYTE,
        _kv_bytes,
        "the cached keys and values of a decoder, in causal, cached and cross attention",
        stored=True,
        rough=_is_unknown,
    ),
    Metric(
        "bops",
        "bit operations",
        COUNT,
        _of_tensors("bops"),
        "mult-adds times the bits of weights times the bits of activations (HAWQ)",
        stored=True,
    ),
    Metric(
        "bops_full",
        "bit operations (full)",
        COUNT,
        _of_tensors("bops_full"),
        "bops plus the bit operations of accumulators (Baskin et al., arXiv:1804.10969)",
        stored=True,
    ),
    Metric(
        "ops_bnn",
        "operations (binary / 64)",
        COUNT,
        _of_tensors("ops_bnn"),
        "mult-adds; 64 with 1-bit weights and activations count as one (Bi-Real Net)",
        stored=True,
    ),
    Metric(
        "accumulator_bits",
        "accumulator bits",
        RATIO,
        _of_tensors("accumulator_bits"),
        "accumulator width for one output: bits of a weight, of an activation, and of the number of products",
        fold=max,
        stored=True,
    ),
    Metric(
        "effective_alpha",
        "effective alpha",
        RATIO,
        _effective_alpha,
        "the width multiplier of the whole network after rounding",
        needs="",
    ),
    Metric(
        "backward_mult_adds",
        "backward mult-adds",
        COUNT,
        _backward,
        "mult-adds of the backward pass: gradients of inputs and of weights",
        instead="paper",
        rough=_has_products,
    ),
    Metric(
        "training_mult_adds",
        "training mult-adds",
        COUNT,
        _training,
        "mult-adds of the forward and the backward pass",
        instead="paper",
        rough=_has_products,
    ),
    Metric(
        "saved_bytes",
        "saved bytes",
        BYTE,
        _saved,
        "tensors that the forward pass saves for the backward pass, batch 1, 32 bits; see `costcalc training`",
        rough=_keeps_more,
    ),
    Metric(
        "training_bytes",
        "training bytes",
        BYTE,
        _needed,
        f"an estimate of the peak memory of a training step with {OPTIMIZER}, batch 1, 32 bits",
        rough=_keeps_more,
        closed=False,
    ),
)


_CASES = {
    chances.LEAST: "of the cheapest path, where layers have a probability",
    chances.EXPECTED: "weighted by the probabilities of layers",
    chances.LARGEST: "of the most expensive path, where layers have a probability",
}


def _case(one: Metric, case: str) -> Metric:
    name, title = f"{case}_{one.name}", f"{case} {one.title}"
    return one._replace(name=name, title=title, what=f"{one.title} {_CASES[case]}", axis="", case=case, of=one.name)


_STEPS = ("mult_adds", "flops", "backward_mult_adds", "training_mult_adds", "bops", "bops_full", "ops_bnn")
_WHERE_RUN = (*_STEPS, "params_active", "activations", "kv_bytes", "bytes_moved")  # count only layers that run
_ALL = (
    *(one._replace(case=chances.LARGEST) if one.name in _WHERE_RUN else one for one in _REGISTERED),
    *(_case(one, case) for one in _REGISTERED[:2] for case in chances.CASES),
)
METRICS = {one.name: one for one in _ALL}
NAMES = tuple(METRICS)
PUBLISHED = (*(one.name for one in _ALL if one.unit is not RATIO), *SHARES)  # allowed in published figures


def metric(name: str, convention: Any) -> Metric:
    """The metric of that name: `params`, or `framework.params` under another convention. Raises OptionError."""
    owner, dot, short = name.rpartition(".")
    priced, one = find(owner) if dot else price_list(convention), METRICS.get(short)
    if one is None:
        help = nearest(short, NAMES) or f"known: {listed(NAMES)}"
        raise OptionError(Problem("unknown-metric", f"there is no metric `{name}`", help=help))
    if one.instead and one.cost != priced.cost:
        if owner in COUNTERS:
            help = f"write `{owner}.{short.replace(one.cost, priced.cost)}`"
            raise OptionError(Problem("unknown-metric", f"`{owner}` counts no {short}", help=help))
        priced = CONVENTIONS[one.instead]
    title, axis = (f"{owner}{dot}{text}" for text in (one.title, one.axis or one.title))
    rough = (lambda row: one.rough(row) or has_window(row)) if one.instead and priced.counts_windows else one.rough
    return one._replace(name=name, title=title, axis=axis, priced=priced, rough=rough)


def has_window(row: Row) -> bool:
    """Whether a layer is windowed attention."""
    return row.options.get("window") is not None


def without_formula(one: Metric) -> OptionError:
    """The error for a metric that has no formula."""
    help = "`sweep` evaluates it at any points"
    return OptionError(Problem("no-formula", f"`{one.name}` has no formula: it is the largest of many sums", help=help))


def is_metric(name: str) -> bool:
    """Whether a name is the name of a metric under any convention."""
    return name.rpartition(".")[2] in METRICS


def is_bound(row: Row, metrics: Iterable[Metric]) -> bool:
    """Whether any of the metrics is a lower bound for a row."""
    return bool(row.layer.unknown) or any(one.rough(row) for one in metrics)


def unit_of(name: str) -> Unit:
    """The unit of a metric, or of the metric behind a share; other names have the unit of counts."""
    one = METRICS.get(name.rpartition(".")[2].removesuffix("_share"))
    return one.unit if one else COUNT


def storage_note(model: Model, names: Iterable[str]) -> str:
    """A note on the storage policy of a model if one of the metrics depends on it, else an empty text."""
    known = [METRICS.get(name.rpartition(".")[2]) for name in names]
    said = any(one and (one.stored or (one.unit is BYTE and model.storage != DEFAULT)) for one in known)
    return f"tensors stored {model.storage.text}" if said else ""


def totals(walk: Walk, metrics: Iterable[Metric]) -> dict[str, Any]:
    """The total of each metric over a walk, by name. Raises SpecError for a total above 2^62.

    Raises OptionError for a metric of the whole network if the walk is only a part.
    """
    return {one.name: folded(one, amounts(walk, one)) for one in metrics}


def amounts(walk: Walk, one: Metric) -> Any:
    """The amounts of a metric: a list with one per row, or a figure of the whole network. Raises OptionError."""
    found = one.amounts(walk, one.priced)
    if walk.is_part and type(found) is not list:
        raise of_the_whole(one)
    if not one.case or not walk.branches:
        return found
    return walk.chosen(chances.shares(walk.root.rows, one.amounts(walk.root, one.priced), one.case))


def of_the_whole(one: Metric) -> OptionError:
    """The error for a whole-network metric where a per-layer metric is required."""
    message = f"`{one.name}` is a figure of the whole network: layers have none"
    return OptionError(Problem("not-by-layer", message))


def folded(one: Metric, found: Any) -> Any:
    """Combine amounts in their own arithmetic; a figure of the whole network is returned unchanged."""
    if type(found) is not list:
        return found
    kinds = {*map(type, found)}
    if not kinds <= {int, float}:
        if any(map(chances.is_exact, found)):
            return _refuse_large(chances.shown(chances.added(found)))
        return _FOLDS[one.fold](found)
    return _refuse_large(one.fold(found) if found else 0)


def _refuse_large(total: Any) -> Any:
    if type(total) in (int, float) and total > limits.TOTAL:
        raise SpecError(Problem("too-large", f"a total of {total:.3g} is past the limit of 2^62"))
    return total


def moved_widths(model: Model) -> Mapping[tuple[str, ...], int]:
    """The widths at alpha 1 of the layers whose width depends on alpha, by path."""
    return _moved(_Same(model))


class _Same:
    """A model as a cache key, compared by identity."""

    def __init__(self, model: Model):
        self.model = model

    def __hash__(self) -> int:
        return id(self.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.model is self.model


@lru_cache(1)
def _moved(key: _Same) -> dict[tuple[str, ...], int]:
    from ..model.trace import trace
    from ..model.variables import settle

    model = key.model
    at_1, at_2 = ({_path(row): _width(row) for row in trace(model, settle(model, {"alpha": a})).rows} for a in (1, 2))
    return {path: width for path, width in at_1.items() if width and at_2.get(path, width) != width}


def _path(row: Row) -> tuple[str, ...]:
    return row.frame.path


def _width(row: Row) -> Any:
    """The output channels of a layer with weights; 0 for others."""
    return row.layer.shape[-1] if "weight" in row.layer.params else 0
