"""End of a walk: parameters among the outputs, partially read parameters, and the check that none is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ...model.accounting import Stored
from ...records import NamedTuple
from .node import Node, add
from .numbers import RUNNING
from .tensors import Tensor

if TYPE_CHECKING:
    from .reader import Reader


class Stub(NamedTuple):
    """Placeholder node for an output, or for parameters that no layer holds."""

    name: str
    op_type: str
    leaf: str
    domain: str = ""
    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ("",)
    scopes: tuple[str, ...] = ()


def ended(reader: Reader, outputs: Iterable[tuple[str, Tensor | None]]) -> None:
    """Finish a walk. `outputs` are the names and tensors of the graph's outputs.

    Parameters that are outputs count as read. The unread part of a parameter is assigned to its first holder.
    """
    outputs = [*outputs]
    for name, tensor in outputs:
        if tensor is not None and reader.numbers.unheld([tensor]):
            node = Node(reader, Stub(name, "output", "output"), [tensor], {}, 1, len(reader.steps) + 1)
            node.is_constant = False
            node.hold([tensor])
    passed = next((one for _, one in outputs if one is not None and one.shape is not None), None)
    if not reader.steps and passed is not None:
        _passed(reader, passed)
    for holder, count in reader.numbers.parts():
        add(reader.steps, holder.step, {holder.kind: count})


def _passed(reader: Reader, tensor: Tensor) -> None:
    """Add a step for a graph that computes nothing and returns a tensor unchanged."""
    node = Node(reader, Stub("output", "output", "output"), [tensor], {}, 1, 1)
    node.is_constant = False
    shape, times = node.seen(tensor)
    node.emit("identity", shape, times=times)


def stored(reader: Reader, living: Callable[[], Mapping[str, str]]) -> Stored:
    """The parameters of a graph. Those that are read but in no row become a row of unknown cost.

    living  returns the names that the outputs depend on -> the node that reads them; only called if needed
    """
    parameters = reader.numbers.parameters()
    left = {root: size for root, size in parameters.items() if root not in reader.numbers.holders}
    alive = living() if left else {}
    missing = {root: alive[root] for root in left if root in alive}
    rows = sum(count for step in reader.steps for kind, count in step.body.holds.items() if kind != RUNNING)
    short = sum(parameters.values()) - rows - sum(left.values())
    if short:
        missing[f"{abs(short):,} numbers"] = "two layers" if short < 0 else "no layer"
    if missing:
        stub = Stub("missing parameters", "missing parameters", "missing parameters")
        Node(reader, stub, [], {}, 1, len(reader.steps) + 1).unknown()
    unread = {root: size for root, size in left.items() if root not in alive}
    return Stored(sum(parameters.values()), unread, missing)
