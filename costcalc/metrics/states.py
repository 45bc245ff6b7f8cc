"""Training memory in bytes: parameters, gradients, optimizer state and saved tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import num
from ..num import ceil_div, prod
from ..records import NamedTuple
from .pricing import TRAINABLE, total
from .saved import FLOAT, Keeping, Policy, is_halved

if TYPE_CHECKING:
    from .walk import Walk

PRECISIONS = ("fp32", "amp", "bf16")
BLOCK = 256  # values of an 8-bit state that share a 32-bit scale
OPTIMIZERS = {"sgd": 0, "momentum": 4, "adam": 8, "adamw": 8, "lion": 4, "adam8bit": 2}  # bytes of state per parameter


class Parameters(NamedTuple):
    """The number of parameters of a network; shared parameters count once."""

    trained: Any
    frozen: Any
    buffers: Any  # moving statistics of batch norm, which have no gradient


class States(NamedTuple):
    """Bytes of weights, gradients and optimizer state; `optimizer` includes the 32-bit copy of the weights."""

    weights: Any
    gradients: Any
    optimizer: Any


def parameters(walk: Walk) -> Parameters:
    """The Parameters of a whole network."""
    trained: list[Any] = []
    frozen: list[Any] = []
    buffers: list[Any] = []
    for row in walk.root.rows:
        if row.shared is None:
            count = total(TRAINABLE, row.op.name, row.layer.params)
            (trained if row.trained else frozen).append(count)
            buffers.append(row.layer.params.get("running", 0))
    return Parameters(*(sum(counts) for counts in (trained, frozen, buffers)))


def states(held: Parameters, optimizer: str, precision: str) -> States:
    """The States of parameters under an optimizer and a precision.

    fp32 and amp store weights and gradients in 32 bits. bf16 stores both in 16 bits and adds a 32-bit copy of the
    weights, like mixed precision in the ZeRO paper (arXiv:1910.02054, section 3.1).
    """
    width = 2 if precision == "bf16" else FLOAT
    master = FLOAT if precision == "bf16" else 0
    state = (OPTIMIZERS[optimizer] + master) * held.trained
    if optimizer == "adam8bit":
        state = state + 2 * FLOAT * ceil_div(held.trained, BLOCK)
    return States(width * (held.trained + held.frozen) + FLOAT * held.buffers, width * held.trained, state)


def casts(walk: Walk, precision: str) -> Any:
    """Bytes of the 16-bit copies of weights that autocast makes."""
    if precision != "amp":
        return 0
    rows = [row for row in walk.root.rows if is_halved(row) and row.shared is None]
    return 2 * sum(total({"weight": 1, "bias": 1}, row.op.name, row.layer.params) for row in rows)


def transient(walk: Walk, kept: Keeping, policy: Policy) -> Any:
    """The largest sum of the gradients of a single row's output and inputs, in bytes."""
    whole = walk.root
    sizes = []
    for number, (row, need) in enumerate(zip(whole.rows, whole.needs, strict=True)):
        if need.output:
            flowing = [prod(shape) for shape, wanted in zip(row.inputs, need.inputs, strict=True) if wanted]
            values = sum(flowing, prod(row.layer.shape))
            sizes.append(values * kept.widths[number] * row.times * policy.batch)
    return num.maximum(0, 0, *sizes)


def needed(walk: Walk, kept: Keeping, policy: Policy, optimizer: str) -> tuple[tuple[str, Any], ...]:
    """The parts of the peak memory of a training step: (name, bytes)."""
    held = states(parameters(walk), optimizer, policy.precision)
    copies = casts(walk, policy.precision)
    return (
        ("weights", held.weights),
        ("gradients", held.gradients),
        ("optimizer", held.optimizer),
        *((("casts", copies),) if policy.precision == "amp" else ()),
        ("saved", sum(kept.bytes())),
        ("transient", transient(walk, kept, policy)),
    )
