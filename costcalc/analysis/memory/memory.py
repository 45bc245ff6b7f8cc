"""The peak of the tensors of a network: how large, at which operation, and which tensors are alive there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...arguments import mapping
from ...metrics.conventions import Prices, price_list
from ...metrics.memory import arena_bytes
from ...metrics.metrics import metric, totals
from ...metrics.pricing import Convention
from ...metrics.walk import Walk
from ...model.lives import Lives
from ...model.network import Model
from ...model.sharing import Buffer
from ...model.storage import Storage, bits_of, stored
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render.result import Result
from ..report.analyze import scaled
from .order import Order, better_order

if TYPE_CHECKING:
    from ...render.sheet import Page


class Living(NamedTuple):
    """A buffer that is alive at the peak, by the last tensor that was written there."""

    name: str  # of the layer that made it, or of the input
    shape: tuple[int, ...]
    bytes: int
    made_by: str  # the type of that layer, or `input`
    read_by: tuple[str, ...]  # the layers that read it at the peak or later, without those that write over it or rename


class Level(NamedTuple):
    """So many bytes, and the first operation that needs them."""

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
    """What the tensors of a network need, in bytes. Every figure is of one policy: `storage.text` says which."""

    @property
    def unknown(self) -> list[str]:
        """The operations of which something is not known: all figures are lower bounds then."""
        return [row.name for row in self.lives.walked.rows if row.layer.unknown]

    @property
    def schedule(self) -> list[Level]:
        """The bytes that each operation needs, in the order they run."""
        return [Level(size, row.name) for size, row in zip(self.lives.live, self.lives.walked.rows, strict=True)]

    @property
    def at(self) -> int:
        """The number of the first operation that needs the most."""
        return self.lives.live.index(self.peak_bytes)

    @property
    def peak_bytes(self) -> int:
        """The most that tensors need at once."""
        return max(self.lives.live, default=0)

    @property
    def floor_bytes(self) -> int:
        """The largest inputs and outputs of one operation."""
        return max(self.lives.floors, default=0)

    @property
    def arena_bytes(self) -> int:
        """What the planner needs."""
        return arena_bytes(self.lives)

    @property
    def resident_bytes(self) -> int:
        """The peak and the weights."""
        return self.peak_bytes + self.weights_bytes

    @property
    def peak(self) -> Level | None:
        """The peak, and where it is reached; None for a network without operations."""
        return self.schedule[self.at] if self.lives.live else None

    @property
    def plateau(self) -> Level | None:
        """The next lower level: what the peak would be if what reaches it now were smaller. None if there is none."""
        lower = [level for level in self.schedule if level.bytes < self.peak_bytes]
        return max(lower, key=lambda level: level.bytes, default=None)

    @property
    def tensors(self) -> list[Living]:
        """What is alive at the peak, largest first."""
        if not self.lives.live:
            return []
        buffers = next(alive for number, alive in enumerate(self.lives.alive()) if number == self.at)
        return sorted((living(self.lives, one, self.at) for one in buffers), key=lambda one: -one.bytes)

    @property
    def workspace(self) -> int:
        """What the operation at the peak needs beside its tensors."""
        return self.lives.workspace[self.at] if self.lives.live else 0

    @property
    def order(self) -> Order | None:
        """An order of branches with a lower peak, if there is one among those that were tried."""
        return better_order(self.lives)

    def page(self) -> Page:
        """What `costcalc memory` prints."""
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
    """What the tensors of a network need at once: `memory("mobilenet", bits="w8a8").peak_bytes`.

    spec, input  what `costcalc.load` takes
    policy       unfused (every operation makes a tensor), fused (a folded norm, an activation, a view do not), or
                 inplace (sums, depthwise convolutions and concatenations do not either)
    bits         of a value: "w8a8", "w4a16", or one number for weights and activations; those of the spec unless given
    options      single rules of the policy: {"add": True, "batch": 8, "align": 16, "input": "streamed"}
    convention   which parameters `weights_bytes` counts
    rho, settings, values  as in `analyze`

    Bytes are exact integers, in the order of the spec. Raises CostcalcError.
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
    """The Memory of a model, stored as it says. Raises CostcalcError."""
    with uncollected():
        settled = settle(model, scaled(model, given, rho))
        walk = Walk(model, trace(model, settled), settled)
        weights = totals(walk, [metric("weights_bytes", convention)])["weights_bytes"]
        return Memory(model, settled, model.storage, convention, walk.lives, weights)


def living(lives: Lives, buffer: Buffer, number: int) -> Living:
    """A buffer as it is while a row runs."""
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


MOST_READERS = 8  # of one tensor that are named
MOST_ROWS = 100_000  # that are searched for readers
