"""What tensors need and move in bytes, from the lives of tensors."""

from __future__ import annotations

from typing import Any

from .. import num
from ..model.lives import Lives
from ..model.planning import arena
from ..model.traffic import traffic
from .pricing import Convention
from .walk import Walk


def peak(walk: Walk, priced: Convention) -> list[Any]:
    """For each row, the bytes of the tensors needed while it runs."""
    return walk.chosen(walk.lives.live)


def floor(walk: Walk, priced: Convention) -> list[Any]:
    """For each row, the bytes of its own reads and writes."""
    return walk.chosen(walk.lives.floors)


def moved(walk: Walk, priced: Convention) -> list[Any]:
    """For each row, the bytes that it reads and writes."""
    return walk.chosen(traffic(walk.lives))


def arena_of(walk: Walk, priced: Convention) -> Any:
    """The bytes that the stated planner needs for all tensors."""
    return arena_bytes(walk.lives)


def arena_bytes(lives: Lives) -> Any:
    """The bytes that the planner needs, workspaces too."""
    ends, sizes = spans(lives)
    return num.largest([num.by_point(lambda *values: arena(ends, values), sizes)])


def spans(lives: Lives) -> tuple[list[tuple[int, int]], list[Any]]:
    """(first and last row, sizes) of all buffers, then of the workspaces that are needed."""
    ends = [(one.first, lives.end(one)) for one in lives.buffers]
    sizes = [one.size for one in lives.buffers]
    for number, size in enumerate(lives.workspace):
        if type(size) is not int or size:
            ends.append((number, number))
            sizes.append(size)
    return ends, sizes
