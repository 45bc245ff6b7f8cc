"""Reductions along axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import translates

if TYPE_CHECKING:
    from ..node import Node


_OPS = {
    "mean": "ReduceMean",
    "sum": "ReduceSum",
    "amax": "ReduceMax",
    "amin": "ReduceMin",
    "prod": "ReduceProd",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "logsumexp": "ReduceLogSumExp",
    "norm": "ReduceL2",
    "nansum": "ReduceSum",
    "linalg_vector_norm": "ReduceL2",
    "var": "ReduceSumSquare",
    "std": "ReduceSumSquare",
    "all": "ReduceMin",
    "any": "ReduceMax",
    "var_mean": "ReduceSumSquare",
    "std_mean": "ReduceSumSquare",
}


@translates(*_OPS)
def reduction(node: Node) -> None:
    """Mean, sum, maximum .. along axes; of two tensors, `max` and `min` are taken element by element."""
    if len(node.tensors) > 1:
        node.call("Max" if node.base == "max" else "Min", *node.tensors)
        return
    if node.many:
        along(node)
        return
    axes = node.get("dim")
    axes = [axes] if isinstance(axes, int) else list(axes) if axes else None
    node.call(_OPS[node.base], node.tensors[0], axes=axes, keepdims=int(node.get("keepdim", False)))


@translates(
    *("argmax", "argmin", "cumsum", "cumprod", "topk", "sort", "argsort", "tril", "triu", "bernoulli", "cummax"),
    *("histc", "bincount", "median", "nanmedian", "mode", "kthvalue", "cummin", "multinomial"),
)
def along(node: Node) -> None:
    """What costs comparisons or sums alone."""
    node.own("passive", *node.tensors)
