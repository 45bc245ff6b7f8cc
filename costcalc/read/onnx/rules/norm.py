"""Normalisations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....errors import Refused
from ....num import prod
from ....ops import find
from ..node import Node, axis, check_count
from ..tensors import Outputs, Tensor
from . import rule

if TYPE_CHECKING:
    from ....num.values import Shape


@rule("BatchNormalization")
def batchnorm(node: Node) -> list[Tensor | Shape]:
    """BatchNormalization: x, scale, shift, mean, variance."""
    x = node.need(0)
    scale, shift, mean, variance = (node.need(number) for number in range(1, 5))
    if len(x.shape) < 2:
        raise Refused(f"it needs a batch and channels, got {len(x.shape)} axes")
    for one in (scale, shift, mean, variance):
        check_count(one, x.shape[1], "{} numbers do not match {} channels")
    y = x._replace(roots=None, value=None, first=len(x.shape) > 2)
    shape, times = node.seen(y._replace(first=True))
    node.reader.numbers.statistics |= (mean.roots or frozenset()) | (variance.roots or frozenset())
    running = mean._replace(shape=(2 * mean.size,), roots=(mean.roots or frozenset()) | (variance.roots or frozenset()))
    node.emit("batchnorm", shape, times=times, follows=True, holds={"gamma": scale, "beta": shift, "running": running})
    return [y, *[(x.shape[1],)] * (node.outputs - 1)]


@rule("LayerNormalization", "SkipLayerNormalization")
def layernorm(node: Node) -> list[Shape]:
    """LayerNormalization over the last axes: x, scale, shift. Skip adds first: x, other, scale, shift, bias."""
    x, at = node.need(0), 2 if node.op.startswith("Skip") else 1
    return _over_last(node, x, "layernorm", {"gamma": node.input(at), "beta": node.input(at + 1)})


@rule("RMSNormalization", "SimplifiedLayerNormalization", "SkipSimplifiedLayerNormalization")
def rmsnorm(node: Node) -> Outputs:
    """RMSNormalization over the last axes: x, scale. Skip adds first: x, other, scale."""
    scale = node.input(2 if node.op.startswith("Skip") else 1)
    return _over_last(node, node.need(0), "rmsnorm", {"gamma": scale})


def _over_last(node: Node, x: Any, op: str, holds: Mapping[str, Tensor]) -> list[Shape]:
    at = axis(node.get("axis", -1), len(x.shape))
    rows, times = node.seen(Tensor((*x.shape[:at], prod(x.shape[at:]))))
    _emit(node, op, rows, times, holds)
    reduced = (*x.shape[:at], *(1 for _ in x.shape[at:]))
    return [x.shape, *[reduced] * (node.outputs - 1)]


def _emit(node: Node, op: str, shape: Shape, times: int, holds: Any, **options: int) -> None:
    """Add a step of a norm, with its scale and shift if present."""
    has = {"scale": "gamma", "shift": "beta"}
    options |= {name: holds.get(kind) is not None for name, kind in has.items() if name in find(op).options}
    node.emit(op, shape, times=times, follows=True, holds=holds, **options)


def _learned(node: Node, tensor: Tensor, usual: int) -> Tensor | None:
    """Scale or shift, or None if it is a neutral constant, as exporters write for a norm without parameters."""
    if tensor is None or node.reader.numbers.are_learned(tensor) or not tensor.value:
        return tensor
    return None if set(tensor.value) == {usual} else tensor


@rule("InstanceNormalization", "GroupNormalization", "MeanVarianceNormalization")
def instancenorm(node: Node) -> list[Tensor]:
    """Norms over one sample, per channel or group of channels: x, scale, shift."""
    x = node.need(0)
    shape, times = node.seen(x._replace(first=True))
    holds = {"gamma": _learned(node, node.input(1), 1), "beta": _learned(node, node.input(2), 0)}
    if node.op == "GroupNormalization":
        _emit(node, "groupnorm", shape, times, holds, groups=node.get("num_groups", 1))
    else:
        _emit(node, "instancenorm", shape, times, holds)
    return [x._replace(roots=None, value=None, first=True)]


@rule("LRN")
def lrn(node: Node) -> Outputs:
    """Local response normalisation across channels."""
    x = node.need(0)
    shape, times = node.seen(x._replace(first=True))
    node.emit("lrn", shape, times=times, follows=True, size=node.get("size", 5))
    return [x._replace(roots=None, value=None, first=True)]


@rule("LpNormalization")
def lpnorm(node: Node) -> Outputs:
    """Lp normalisation of each row."""
    x = node.need(0)
    node.passive(x.shape, x.first)
    return [x._replace(roots=None, value=None)]
