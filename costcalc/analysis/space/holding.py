"""Check whether the memory of a part of a network can be counted alone: no row overwrites its input."""

from __future__ import annotations

from typing import Any

from ...metrics.walk import Walk
from ...model.sharing import ELEMENTWISE, is_depthwise


def writes_over(walk: Walk, enters: str) -> bool:
    """Whether a row overwrites the input of the part, if that is a tensor of the same network."""
    lives = walk.lives
    same: set[Any] = {enters}
    for number, row in enumerate(walk.rows):
        if not same & {*row.sources}:
            continue
        if lives.sharer.renames(row, number):
            same.add(number)
        elif row.op.name in ("add", "sub"):
            held = lives.buffer(number)
            if held is None or held.first >= number:
                return True
        elif row.op.name in ELEMENTWISE or row.op.name == "batchnorm" or (lives.storage.dw and is_depthwise(row)):
            return True
    return False
