"""Peak memory of a network's tensors: its size, its operation, and the tensors alive there.

Also finds a better order of the branches between a tensor and the operation that joins them. Up to MOST branches, all
orders are tried if that is little work. With more, each branch is tried as the last one, which may free the tensor
that all read; the others keep the order that is optimal while it stays alive (Liu 1987, for trees). No efficient
algorithm is known for general graphs, so the result is called better, not optimal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any

from ...arguments import mapping
from ...metrics.conventions import Prices, price_list
from ...metrics.memory import arena_bytes
from ...metrics.metrics import metric, totals
from ...metrics.pricing import Convention
from ...metrics.walk import Walk
from ...model.lives import Lives
from ...model.network import Model
from ...model.rows import Trace
from ...model.sharing import Buffer
from ...model.storage import Storage, bits_of, stored
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render import Result
from ..report.analyze import scaled

if TYPE_CHECKING:
    from ...render.sheet import Page


class Living(NamedTuple):
    """A buffer that is alive at the peak, described by the last tensor written to it."""

    name: str  # of the layer that made it, or of the input
    shape: tuple[int, ...]
    bytes: int
    made_by: str  # type of that layer, or `input`
    read_by: tuple[str, ...]  # layers that read it at the peak or later, except those that overwrite or rename it


class Level(NamedTuple):
    """A number of bytes, and the first operation that needs it."""

    bytes: int
    operation: str


class _Parts(NamedTuple):
    model: Model
    values: Mapping[str, Any]
    storage: Storage
    convention: Convention
    lives: Lives
    weights_bytes: int


class Memory(Result, _Parts):
    """Memory of a network's tensors, in bytes. All figures are of one policy, named in `storage.text`."""

    @property
    def unknown(self) -> list[str]:
        """Operations with unknown figures. If there are any, all figures are lower bounds."""
        return [row.name for row in self.lives.walked.rows if row.layer.unknown]

    @property
    def schedule(self) -> list[Level]:
        """Bytes that each operation needs, in execution order."""
        return [Level(size, row.name) for size, row in zip(self.lives.live, self.lives.walked.rows, strict=True)]

    @property
    def at(self) -> int:
        """Index of the first operation at the peak."""
        return self.lives.live.index(self.peak_bytes)

    @property
    def peak_bytes(self) -> int:
        """Largest number of bytes that tensors need at once."""
        return max(self.lives.live, default=0)

    @property
    def floor_bytes(self) -> int:
        """Bytes of the largest inputs and outputs of one operation."""
        return max(self.lives.floors, default=0)

    @property
    def arena_bytes(self) -> int:
        """Bytes that the planned arena needs."""
        return arena_bytes(self.lives)

    @property
    def resident_bytes(self) -> int:
        """Bytes of the peak and the weights."""
        return self.peak_bytes + self.weights_bytes

    @property
    def peak(self) -> Level | None:
        """The peak and its operation; None for a network without operations."""
        return self.schedule[self.at] if self.lives.live else None

    @property
    def plateau(self) -> Level | None:
        """The next lower level, which is the peak once the operations at the peak need less; None if there is none."""
        lower = [level for level in self.schedule if level.bytes < self.peak_bytes]
        return max(lower, key=lambda level: level.bytes, default=None)

    @property
    def tensors(self) -> list[Living]:
        """Buffers alive at the peak, largest first."""
        if not self.lives.live:
            return []
        buffers = next(alive for number, alive in enumerate(self.lives.alive()) if number == self.at)
        return sorted((living(self.lives, one, self.at) for one in buffers), key=lambda one: -one.bytes)

    @property
    def workspace(self) -> int:
        """Bytes of workspace of the operation at the peak."""
        return self.lives.workspace[self.at] if self.lives.live else 0

    @property
    def order(self) -> Order | None:
        """An order of branches with a lower peak, if one was found."""
        return better_order(self.lives)

    def page(self) -> Page:
        """Output of `costcalc memory`."""
        from .page import MemoryPage

        return MemoryPage(self)


def memory(
    spec: Network,
    *,
    policy: str = "fused",
    bits: str | int | None = None,
    options: Mapping[str, Any] | None = None,
    convention: Prices = "framework",
    input: Inputs | None = None,
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
    **values: Any,
) -> Memory:
    """Compute the memory that the tensors of a network need at once: `memory("mobilenet", bits="w8a8").peak_bytes`.

    spec, input  what `costcalc.load` takes
    policy       unfused (every operation allocates a tensor), fused (folded norms, activations and views do not), or
                 inplace (sums, depthwise convolutions and concatenations do not either)
    bits         of a value: "w8a8", "w4a16", or one number for weights and activations; the default is that of the spec
    options      single rules of the policy: {"add": True, "batch": 8, "align": 16, "input": "streamed"}
    convention   decides which parameters `weights_bytes` counts
    rho, settings, values  as in `analyze`

    Bytes are exact integers, for the operations in the order of the spec. Raises CostcalcError.
    """
    widths = {} if bits is None else bits_of(bits)
    single = mapping(options, "options", '{"batch": 8}')
    priced = price_list(convention)
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
    with uncollected():
        model = load(spec, input)
        storage = stored(policy, {**model.storage.bits, **widths, **single})
        return measured(model._replace(storage=storage), priced, given, rho)


def measured(model: Model, convention: Convention, given: Mapping[str, Any], rho: float | None) -> Memory:
    """Memory of a model, with the storage that the model declares. Raises CostcalcError."""
    with uncollected():
        settled = settle(model, scaled(model, given, rho))
        walk = Walk(model, trace(model, settled), settled)
        weights = totals(walk, [metric("weights_bytes", convention)])["weights_bytes"]
        return Memory(model, settled, model.storage, convention, walk.lives, weights)


def living(lives: Lives, buffer: Buffer, number: int) -> Living:
    """State of a buffer while a row runs."""
    rows = lives.walked.rows
    there = [one for one in buffer.tensors if type(one.made) is str or one.made <= number]
    tensor = there[-1] if there else buffer.tensors[0]
    same = lives.sharer.is_same
    made = {one.made for one in buffer.tensors if one in there or same(one.made)}
    last = min(lives.end(buffer), number + MOST_ROWS)
    read = [rows[at].name for at in range(number, last + 1) if not same(at) and made & {*rows[at].sources}]
    name, kind = (
        (tensor.made, "input") if type(tensor.made) is str else (rows[tensor.made].name, rows[tensor.made].type)
    )
    return Living(name, tuple(tensor.shape), buffer.size, kind, tuple(read[:MOST_READERS]))


MOST_READERS = 8  # readers of one tensor that are named
MOST_ROWS = 100_000  # rows searched for readers


MOST = 6  # branches of one join up to which all orders are tried
WORK = 200_000  # rows visited over all orders that are tried


class Order(NamedTuple):
    """An order of branches, given by their last layers, and its peak."""

    join: str
    branches: tuple[str, ...]
    peak_bytes: int


class _Fork(NamedTuple):
    """Branches that end in one row; each is a contiguous range of rows."""

    join: int
    stretches: tuple[range, ...]


def better_order(lives: Lives) -> Order | None:
    """The order of one join's branches with the lowest peak, if it is below the peak of the schedule."""
    peak, best = max(lives.live, default=0), None
    at = lives.live.index(peak) if lives.live else 0
    work = WORK
    for fork in _forks(lives.walked, at):
        for order in _orders(lives, fork):
            work -= len(lives.walked.rows)
            if work < 0:
                return best
            found = max(Lives(_reordered(lives.walked, fork, order), lives.storage).live)
            if found < (best.peak_bytes if best else peak):
                names = tuple(lives.walked.rows[stretch[-1]].name for stretch in order)
                best = Order(lives.walked.rows[fork.join].name, names, found)
    return best


def _forks(walked: Trace, at: int) -> Iterator[_Fork]:
    """Forks with at least two branches that contain a row, innermost first."""
    for join in range(at, len(walked.rows)):
        fork = _fork(walked, join)
        if fork and fork.stretches[0][0] <= at:
            yield fork


def _fork(walked: Trace, join: int) -> _Fork | None:
    ends = sorted({made for made in walked.rows[join].sources if type(made) is int})
    if len(ends) < 2 or ends[-1] != join - 1:
        return None
    stretches: list[range] = []
    entries: set[Any] = set()
    for end, before in zip(reversed(ends), [*reversed(ends[:-1]), None], strict=True):
        if end in entries:  # the input of the branches is itself joined
            break
        entry = next(iter(entries), -1)
        first, outside = _stretch(walked, end, before if before is not None else entry if type(entry) is int else -1)
        if (before is not None and before not in entries and first != before + 1) or len(outside) != 1:
            return None
        stretches.append(range(first, end + 1))
        entries |= outside
    if len(stretches) < 2 or len(entries) > 1 or _is_read_later(walked, stretches, join):
        return None
    return _Fork(join, tuple(reversed(stretches)))


def _orders(lives: Lives, fork: _Fork) -> Iterator[Sequence[range]]:
    if len(fork.stretches) <= MOST:
        yield from permutations(fork.stretches)
        return
    ruled = _by_rule(lives, fork)
    yield from ([one for one in ruled if one != last] + [last] for last in ruled)


def _by_rule(lives: Lives, fork: _Fork) -> list[range]:
    """Branches sorted by their peak minus the size of their output, largest first."""
    held, beyond = 0, dict[range, int]()
    for stretch in fork.stretches:
        buffer = lives.buffer(stretch[-1])
        left = buffer.size if buffer else 0
        beyond[stretch] = max(lives.live[stretch.start : stretch.stop]) - held - left
        held += left
    return sorted(fork.stretches, key=lambda stretch: -beyond[stretch])


def _stretch(walked: Trace, end: int, before: int) -> tuple[int, set[Any]]:
    """(first row, tensors read from outside) of the contiguous rows that a row depends on."""
    needed, first, outside = {end}, end, set[Any]()
    for number in range(end, before, -1):
        if number not in needed:
            break
        first = number
        needed |= {made for made in walked.rows[number].sources if type(made) is int}
    inside = range(first, end + 1)
    for number in inside:
        outside |= {made for made in walked.rows[number].sources if made is not None and made not in inside}
    return first, outside


def _is_read_later(walked: Trace, stretches: Sequence[range], join: int) -> bool:
    """Whether a row after the join reads a tensor inside the branches; then they cannot be reordered."""
    inside = range(stretches[-1][0], join)
    later = (made for row in walked.rows[join + 1 :] for made in row.sources if type(made) is int)
    return any(made in inside for made in later)


def _reordered(walked: Trace, fork: _Fork, order: Sequence[range]) -> Trace:
    """The same trace with the branches in another order."""
    first = fork.stretches[0][0]
    numbers = [*range(first), *(at for stretch in order for at in stretch), *range(fork.join, len(walked.rows))]
    new = {old: number for number, old in enumerate(numbers)}
    rows = [walked.rows[old] for old in numbers]
    rows = [row._replace(sources=tuple(new.get(made, made) for made in row.sources)) for row in rows]
    return walked._replace(rows=rows, source=new.get(walked.source, walked.source))
