"""Cost of a training step: mult-adds of forward and backward pass, saved tensors, and peak memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ...arguments import mapping, names
from ...errors import OptionError, Problem, listed, nearest
from ...metrics.chances import LARGEST, shares
from ...metrics.conventions import Prices, price_list
from ...metrics.gaps import uncounted
from ...metrics.gradients import Gradient, cost, gradients, is_rough
from ...metrics.metrics import folded, is_bound, metric
from ...metrics.pricing import TRAINABLE, Convention, price_of
from ...metrics.pricing import total as priced_total
from ...metrics.saved import ATTENTION, Keeping, Kept, Policy, keeping
from ...metrics.saved import is_rough as keeps_more
from ...metrics.states import OPTIMIZERS, PRECISIONS, Parameters, States, needed, parameters, states
from ...metrics.walk import Walk
from ...model.network import Model
from ...model.rows import Row, Trace
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render import Result
from ..report.analyze import scaled

if TYPE_CHECKING:
    from ...render.sheet import Page

MOST_RANKS = 10**6
COSTS = ("forward", "inputs", "weights", "again")  # columns of mult-adds


class Line(NamedTuple):
    """One layer: mult-adds per sample, and bytes saved for the whole batch."""

    name: str
    type: str
    output: tuple[int, ...]
    forward: int
    inputs: int  # gradients of the inputs
    weights: int
    again: int  # recomputed in the backward pass
    saved: int
    trained: bool
    complete: bool
    layers: int = 1
    keeps: bool = True  # whether all that it saves is known; if not, `saved` is a lower bound
    sometimes: bool = False  # whether it runs with a probability

    @property
    def costs(self) -> bool:
        """Whether it computes or saves anything."""
        return any((self.forward, self.inputs, self.weights, self.again, self.saved))


class Setup(NamedTuple):
    """How a network is trained."""

    policy: Policy
    optimizer: str
    checkpoint: tuple[str, ...]
    ranks: int | None


class _Found(NamedTuple):
    """Cost of a training step, layer by layer.

    totals  mult-adds (or FLOPs) per sample and of the step; bytes of the batch
    sums    of each column of `lines`
    parts   peak memory of the step: (name, bytes), whose sum is `training_bytes`
    inside  part of saved_bytes: the largest amount inside one checkpointed block
    """

    model: Model
    values: Mapping[str, Any]
    inputs: Mapping[str, tuple[int, ...]]
    convention: Convention
    setup: Setup
    lines: tuple[Line, ...]
    totals: Mapping[str, int]
    sums: Mapping[str, int]
    parts: tuple[tuple[str, int], ...]
    inside: int
    zero: tuple[Stage, ...]
    loss: str | None  # name of a final softmax, which belongs to the loss
    uncounted: list[dict[str, Any]]  # work that the convention counts 0 for in the forward pass

    @property
    def complete(self) -> bool:
        """Whether all costs are known; if not, the totals are lower bounds."""
        return all(line.complete and line.keeps for line in self.lines)


class Training(Result, _Found):
    """Cost of a training step, layer by layer: `totals`, `lines`, `parts` of the peak, `frame()`."""

    def page(self) -> Page:
        """The layers that compute or save something."""
        from .page import TrainingPage

        return TrainingPage(self)


def training(
    spec: Network,
    *,
    batch: int = 1,
    optimizer: str = "adam",
    precision: str = "fp32",
    attention: str = "unfused",
    masks: int | None = None,
    checkpoint: str | Sequence[str] = (),
    ranks: int | None = None,
    convention: Prices = "paper",
    input: Inputs | None = None,
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> Training:
    """Compute the cost of training a network.

    spec, input  what `costcalc.load` takes
    batch       samples per step
    optimizer   sgd, momentum, adam, adamw, lion or adam8bit
    precision   fp32, amp (autocast) or bf16 (16 bits, with a 32-bit copy in the optimizer)
    attention   unfused, math or fused: which tensors attention saves
    masks       bytes per value of a dropout mask; None means as many as for other values
    checkpoint  names or patterns of blocks that save only their inputs and are recomputed
    ranks       number of devices, for the stages of ZeRO
    convention  as in `analyze`

    Raises CostcalcError.
    """
    policy = Policy(batch, precision, attention, masks)
    setup = Setup(policy, optimizer, names(checkpoint, "checkpoint"), ranks)
    _check(setup)
    priced = price_list(convention)
    with uncollected():
        model = load(spec, input)._replace(phase="train")
        given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
        settled = settle(model, scaled(model, given, rho))
        return trained(model, trace(model, settled), settled, priced, setup)


def _check(setup: Setup) -> None:
    words = (
        ("optimizer", setup.optimizer, (*OPTIMIZERS,)),
        ("precision", setup.policy.precision, PRECISIONS),
        ("attention", setup.policy.attention, ATTENTION),
    )
    for what, word, known in words:
        if word not in known:
            help = nearest(word, known) or f"one of {listed(known)}"
            raise OptionError(Problem("bad-value", f"there is no {what} `{word}`", help=help))
    for what, number, most in (("batch", setup.policy.batch, MOST_RANKS), ("ranks", setup.ranks, MOST_RANKS)):
        if number is not None and not (type(number) is int and 1 <= number <= most):
            help = f"a whole number from 1 to {most:,}"
            raise OptionError(Problem("bad-value", f"`{what}` cannot be {number}", help=help))
    if setup.policy.masks not in (None, 1, 2, 4):
        raise OptionError(Problem("bad-value", f"`masks` cannot be {setup.policy.masks}", help="1, 2 or 4 bytes"))


def trained(model: Model, walked: Trace, values: Mapping[str, Any], convention: Convention, setup: Setup) -> Training:
    """Training of a traced network."""
    walk = Walk(model, walked, values)
    kept = keeping(walk, setup.policy)
    blocks = checkpointed(walk, kept, setup.checkpoint)
    lines = tuple(_lines(walk, blocks, convention, setup.policy))
    held = needed(walk, kept, setup.policy, setup.optimizer)
    saved = folded(metric("saved_bytes", "paper"), [*(line.saved for line in lines), blocks.inside])
    parts = tuple((what, saved if what == "saved" else size) for what, size in held)
    sums = {name: _largest(walk, [getattr(line, name) for line in lines]) for name in COSTS}
    totals = _totals(walk, lines, convention.cost, setup.policy.batch)
    totals |= {"saved_bytes": saved, "training_bytes": sum(size for _, size in parts)}
    sums["saved"] = saved - blocks.inside
    loss = None if kept.loss is None else walked.rows[kept.loss].name
    zero = _zero(walk, setup)
    inside, left_out = blocks.inside, uncounted(walked.rows, [metric(convention.cost, convention)])
    return Training(
        model, values, walked.inputs, convention, setup, lines, totals, sums, parts, inside, zero, loss, left_out
    )


def _largest(walk: Walk, amounts: list[int]) -> int:
    """Total of the most expensive path through optional layers. Raises SpecError if it exceeds 2^62."""
    return folded(metric("mult_adds", "paper"), shares(walk.rows, amounts, LARGEST))


def _totals(walk: Walk, lines: Sequence[Line], name: str, batch: int) -> dict[str, int]:
    """Totals of mult-adds or FLOPs. Raises SpecError if one exceeds 2^62."""
    forward = _largest(walk, [line.forward for line in lines])
    backward = _largest(walk, [line.inputs + line.weights for line in lines])
    again = _largest(walk, [line.again for line in lines])
    step = _largest(walk, [line.forward + line.inputs + line.weights + line.again for line in lines])
    more = {f"recomputed_{name}": again} if again else {}
    whole = folded(metric("mult_adds", "paper"), [batch * step])
    return {name: forward, f"backward_{name}": backward, f"training_{name}": step, **more, f"step_{name}": whole}


def _lines(walk: Walk, blocks: Checkpointed, convention: Convention, policy: Policy) -> Any:
    saved = Keeping(blocks.rows, blocks.sizes, [], [], None).bytes()
    counted = (metric(convention.cost, convention),)
    for number, (row, found) in enumerate(zip(walk.rows, gradients(walk), strict=True)):
        forward = convention.cost_of(row.op.name, row.layer, row.times)
        again = (forward if number in blocks.again else 0) + _fused_again(row, found, convention, policy)
        yield Line(
            row.name,
            row.type,
            row.layer.shape,
            forward,
            cost(row, found, convention, "inputs"),
            cost(row, found, convention, "weights"),
            again,
            saved[number],
            row.trained,
            not is_bound(row, counted) and not is_rough(row),
            keeps=not keeps_more(row),
            sometimes=bool(row.chance),
        )


def _fused_again(row: Row, found: Gradient, convention: Convention, policy: Policy) -> int:
    """Products of queries and keys, which fused attention recomputes in the backward pass."""
    scores = [product for product in row.layer.products if product.result == "scores"]
    if policy.attention != "fused" or not scores or not found.inputs:
        return 0
    counts = scores[0].macs.items()
    return sum(price_of(convention.prices, row.op.name, name) * count for name, count in counts) * row.times


def _zero(walk: Walk, setup: Setup) -> tuple[Stage, ...]:
    if setup.ranks is None:
        return ()
    held = parameters(walk)
    largest = max((priced_total(TRAINABLE, row.op.name, row.layer.params) for row in walk.rows), default=0)
    return stages(states(held, setup.optimizer, setup.policy.precision), held, setup, largest)


class Checkpointed(NamedTuple):
    """Tensors saved by rows with some blocks checkpointed, which save only their inputs and are recomputed.

    rows    saved tensors of each row; the first row of a checkpointed block saves the inputs of the block
    again   indices of the recomputed rows
    inside  bytes that the largest block saves while its gradients are computed
    """

    rows: list[Kept]
    sizes: dict[Any, Any]
    again: frozenset[int]
    inside: int


def checkpointed(walk: Walk, kept: Keeping, patterns: Sequence[str]) -> Checkpointed:
    """Checkpoint the blocks with these names or patterns. Raises OptionError if a pattern matches no block."""
    blocks = _blocks(walk.rows, patterns)
    rows = list(kept.rows)
    needs = walk.needs
    active = [numbers for numbers in blocks if any(needs[number].output for number in numbers)]
    for numbers in active:
        for number in numbers:
            rows[number] = Kept((), 0)
        rows[numbers[0]] = Kept(_flowing(walk, kept, numbers), 0)
    outside = {key for one in rows for key in one.storages}
    inside = [_inside(kept, numbers, outside) for numbers in active]
    again = frozenset(number for numbers in active for number in numbers)
    return Checkpointed(rows, kept.sizes, again, max(inside, default=0))


def _inside(kept: Keeping, numbers: Sequence[int], outside: set) -> int:
    """Bytes that a block saves, without those also saved outside of it."""
    keys = {key for number in numbers for key in kept.rows[number].storages} - outside
    return sum((kept.sizes[key] for key in keys), sum(kept.rows[number].own for number in numbers))


def _flowing(walk: Walk, kept: Keeping, numbers: Sequence[int]) -> tuple[Any, ...]:
    """Storages of a block's inputs from outside."""
    own = {*numbers}
    sources = [source for number in numbers for source in walk.root.rows[number].sources if source not in own]
    storages = [kept.at[source] if type(source) is int else source for source in sources]
    return tuple(key for key in dict.fromkeys(storages) if key is not None and key in kept.sizes)


def _blocks(rows: Sequence[Row], patterns: Sequence[str]) -> list[list[int]]:
    """Row indices of each block that a pattern matches; of nested blocks, the outer one."""
    blocks: dict[str, list[int]] = {}
    met = set()
    for number, row in enumerate(rows):
        path = row.frame.path
        for depth in range(1, len(path) + 1):
            name = "/".join(path[:depth])
            hits = [one for one in patterns if one.count("/") == depth - 1 and fnmatchcase(name, one)]
            met |= {*hits}
            if hits:
                blocks.setdefault(name, []).append(number)
                break
    missing = [one for one in patterns if one not in met]
    if missing:
        tops = list(dict.fromkeys(row.frame.path[0] for row in rows))
        help = nearest(missing[0], tops) or "`costcalc analyze SPEC --by block` lists them"
        raise OptionError(Problem("unknown-layer", f"no block is called `{missing[0]}`", help=help))
    return list(blocks.values())


DEEPSPEED = 18  # bytes per parameter in DeepSpeed's estimators, including 32-bit gradients


class Stage(NamedTuple):
    """Memory of one device at a stage."""

    name: str
    bytes: int
    what: str


def stages(held: States, counts: Parameters, setup: Setup, largest: int) -> tuple[Stage, ...]:
    """Stages of ZeRO, and DeepSpeed's estimates if they apply."""
    ranks = setup.ranks or 1
    stages = zero(held, ranks)
    if setup.policy.precision == "bf16" and setup.optimizer in ("adam", "adamw"):
        stages = (*stages, *deepspeed(counts.trained + counts.frozen, ranks, largest))
    return stages


def zero(held: States, ranks: int) -> tuple[Stage, ...]:
    """Stages 0 to 3 of ZeRO (arXiv:1910.02054, Figure 1) on `ranks` devices, in bytes per device."""
    weights, gradients, optimizer = held
    return (
        Stage("0", weights + gradients + optimizer, "each device holds all"),
        Stage("1", weights + gradients + _share(optimizer, ranks), "the optimizer's state is partitioned"),
        Stage("2", weights + _share(gradients + optimizer, ranks), "gradients too"),
        Stage("3", _share(weights + gradients + optimizer, ranks), "weights too"),
    )


def deepspeed(params: int, ranks: int, largest: int) -> tuple[Stage, ...]:
    """DeepSpeed's estimates of stages 2 and 3, in bytes per device; `largest` is the size of the largest layer."""
    shared = _share(DEEPSPEED * params, ranks)
    return (
        Stage("DeepSpeed 2", 2 * params + shared, "2 P + 18 P/N, by its estimator"),
        Stage("DeepSpeed 3", 4 * largest + shared, "4 * largest layer + 18 P/N, by its estimator"),
    )


def _share(size: int, ranks: int) -> int:
    return -(-size // ranks)
