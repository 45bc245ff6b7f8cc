"""The stages of ZeRO: what each device holds of weights, gradients and optimizer state (arXiv:1910.02054, Figure 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...metrics.states import Parameters, States
from ...records import NamedTuple

if TYPE_CHECKING:
    from .training import Setup

DEEPSPEED = 18  # bytes a parameter that DeepSpeed's estimators count: 32-bit gradients too


class Stage(NamedTuple):
    """What one device holds at a stage."""

    name: str
    bytes: int
    what: str


def stages(held: States, counts: Parameters, setup: Setup, largest: int) -> tuple[Stage, ...]:
    """The stages of ZeRO, and what DeepSpeed's estimators say where they apply."""
    ranks = setup.ranks or 1
    found = zero(held, ranks)
    if setup.policy.precision == "bf16" and setup.optimizer in ("adam", "adamw"):
        found = (*found, *deepspeed(counts.trained + counts.frozen, ranks, largest))
    return found


def zero(held: States, ranks: int) -> tuple[Stage, ...]:
    """Stages 0 to 3 of ZeRO on so many devices, in bytes a device."""
    weights, gradients, optimizer = held
    return (
        Stage("0", weights + gradients + optimizer, "each device holds all"),
        Stage("1", weights + gradients + _share(optimizer, ranks), "the optimizer's state is shared out"),
        Stage("2", weights + _share(gradients + optimizer, ranks), "gradients too"),
        Stage("3", _share(weights + gradients + optimizer, ranks), "weights too"),
    )


def deepspeed(params: int, ranks: int, largest: int) -> tuple[Stage, ...]:
    """DeepSpeed's estimates of stages 2 and 3, in bytes a device; `largest` is the parameters of the largest layer."""
    shared = _share(DEEPSPEED * params, ranks)
    return (
        Stage("DeepSpeed 2", 2 * params + shared, "2 P + 18 P/N, by its estimator"),
        Stage("DeepSpeed 3", 4 * largest + shared, "4 * largest layer + 18 P/N, by its estimator"),
    )


def _share(size: int, ranks: int) -> int:
    return -(-size // ranks)
