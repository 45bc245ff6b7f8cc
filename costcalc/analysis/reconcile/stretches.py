"""Stretches of a network that published counts leave out: the classifier, the first convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...metrics.pricing import MAC
from ...num import prod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model.rows import Row


LEFT_OUT = ("classifier", "first convolution")


def stretch(rows: Sequence[Row], name: str) -> Any:
    """Where a part of the network begins and ends: the classifier goes to the end, a convolution to its activation."""
    costly = [at for at, row in enumerate(rows) if MAC.keys() & row.layer.terms.keys()]
    if name == "classifier" and costly:
        return _classifier(rows, costly), len(rows)
    start = next((at for at in costly if name == "first convolution" and rows[at].op.name == "conv"), None)
    if start is None:
        return 0, 0
    return start, next((at for at in range(start + 1, len(rows)) if not rows[at].follows), len(rows))


def _classifier(rows: Sequence[Row], costly: Any) -> Any:
    """Where the linear layers begin that see one position at the end; if there is none, the last layer with weights."""
    start = costly[-1]
    for at in reversed(costly):
        if rows[at].op.name != "linear" or prod(rows[at].layer.shape[:-1]) != 1:
            break
        start = at
    return start
