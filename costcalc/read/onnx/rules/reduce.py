"""Reductions along axes."""

from __future__ import annotations

from typing import Any

from ....errors import Refused
from ....num import prod
from ..node import Node, axis
from ..tensors import Outputs, Tensor
from . import rule

_METHODS = {"ReduceMean": "mean", "ReduceMax": "max", "ReduceMin": "max"}


@rule(
    *("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum"),
    *("ReduceLogSumExp", "ReduceSumSquare"),
)
def reduction(node: Node) -> list[Tensor]:
    """Mean, sum, maximum etc. along axes, or along all if none are given. Older versions have them as an attribute."""
    x = node.need(0)
    rank = len(x.shape)
    given = node.sizes(1, "axes")
    if not given and node.get("noop_with_empty_axes", 0):
        return [x._replace(value=None)]
    axes = {axis(one, rank) for one in given or range(rank)}
    if given and len(axes) < len(given):
        raise Refused(f"axes {list(given)} name an axis twice")
    keep = node.get("keepdims", 1)
    shape = tuple(1 if at in axes else size for at, size in enumerate(x.shape) if keep or at not in axes)
    y = Tensor(shape, None, x.roots if node.is_constant else None, x.first and bool(keep))
    _state(node, x, axes)
    return [y]


def _state(node: Node, x: Any, axes: Any) -> None:
    """Add a pooling step for a mean over the grid, else a reduction of one axis."""
    rank = len(x.shape)
    if node.op == "ReduceMean" and axes == {*range(2, rank)} and x.first:
        shape, times = node.seen(x)
        if len(shape) == rank - 1:
            node.emit("avgpool", shape, times=times, kernel="global")
            return
    if node.op == "ReduceMean" and rank > 3 and axes == {*range(1, rank - 1)} and not x.first:  # channels last
        node.emit("avgpool", tuple(x.shape[1:]), times=x.shape[0], kernel="global")
        return
    inner = prod(size for at, size in enumerate(x.shape) if at in axes)
    outer = prod(size for at, size in enumerate(x.shape) if at not in axes)
    node.emit("reduce", (outer, inner), method=_METHODS.get(node.op, "sum"), axis=1, follows=True)


@rule("ArgMax", "ArgMin")
def arg(node: Node) -> Outputs:
    """Index of the maximum or minimum along an axis."""
    x = node.need(0)
    at = axis(node.get("axis", 0), len(x.shape))
    shape = (*x.shape[:at], *((1,) if node.get("keepdims", 1) else ()), *x.shape[at + 1 :])
    node.passive(shape)
    return [shape]


@rule("CumSum", "CumProd", "ReverseSequence", "Trilu", "Bernoulli")
def along(node: Node) -> Outputs:
    """Operators that keep the shape of their input."""
    x = node.need(0)
    node.passive(x.shape, x.first)
    return [x.shape]
