"""Whether the tensors of a part of a network can be counted alone: nothing in it is written over what enters."""

from __future__ import annotations

from typing import Any

from ...metrics.walk import Walk
from ...model.sharing import ELEMENTWISE, is_depthwise


def writes_over(walk: Walk, enters: str) -> bool:
    """Whether a row would go into the storage of what enters the part, were that a tensor of the network itself."""
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
