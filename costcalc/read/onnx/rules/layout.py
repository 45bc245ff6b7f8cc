"""Operators that change shape, order or position of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ....errors import Refused
from ....num import equal, floor_div, prod, require
from ..node import Node, axis
from ..tensors import Outputs, Tensor, is_empty, together
from . import rule

if TYPE_CHECKING:
    from ....num.values import Number, Shape


@rule(
    "Identity",
    "Cast",
    "CastLike",
    "Dropout",
    "StopGradient",
    "Optional",
    "OptionalGetElement",
    takes_any=True,
)
def identity(node: Node) -> list[Tensor]:
    """Identity and conversions. The mask of a dropout has the same shape."""
    x = node.need(0)
    return [x, *[Tensor(x.shape)] * (node.outputs - 1)]


@rule("Reshape")
def reshape(node: Node) -> list[Tensor]:
    """Reshape. 0 keeps an axis, -1 is inferred."""
    x = node.need(0)
    wanted = node.sizes(1, "shape")
    kept = not node.get("allowzero", 0)
    shape = [x.shape[at] if kept and size == 0 and at < len(x.shape) else size for at, size in enumerate(wanted)]
    if -1 in shape:
        rest = prod(size for size in shape if size != -1)
        shape[shape.index(-1)] = floor_div(x.size, rest) if rest != 0 else 0
    node.same(x.size, prod(shape), "{} elements do not fill a shape of {}")
    return [_moved(node, x, shape, first=False)]


@rule("Flatten")
def flatten(node: Node) -> list[Tensor]:
    """Flatten to two axes: those before `axis`, and the rest."""
    x = node.need(0)
    at, rank = node.get("axis", 1), len(x.shape)
    at = at if at == rank else axis(at, rank)
    return [_moved(node, x, (prod(x.shape[:at]), prod(x.shape[at:])), first=False)]


@rule("Squeeze")
def squeeze(node: Node) -> list[Tensor]:
    """Squeeze of axes of size 1."""
    x = node.need(0)
    given = node.sizes(1, "axes")
    axes = (
        [at for at, size in enumerate(x.shape) if size == 1]
        if given is None
        else [axis(n, len(x.shape)) for n in given]
    )
    for at in axes:
        require(equal(x.shape[at], 1), f"axis {at} has size {{}}, not 1", x.shape[at])
    return [_moved(node, x, [size for at, size in enumerate(x.shape) if at not in axes], first=False)]


@rule("Unsqueeze")
def unsqueeze(node: Node) -> list[Tensor]:
    """Unsqueeze: new axes of size 1."""
    x = node.need(0)
    given = node.sizes(1, "axes")
    rank = len(x.shape) + len(given)
    axes = {axis(number, rank) for number in given}
    if len(axes) < len(given):
        raise Refused(f"axes {list(given)} name an axis twice")
    sizes = iter(x.shape)
    return [_moved(node, x, [1 if at in axes else next(sizes) for at in range(rank)], first=False)]


def _moved(node: Node, x: Tensor, shape: Sequence[Number], first: bool) -> Tensor:
    """The tensor with another shape."""
    return x._replace(shape=tuple(shape), first=first)


@rule("Transpose")
def transpose(node: Node) -> list[Tensor]:
    """Transpose: axes in another order."""
    x = node.need(0)
    rank = len(x.shape)
    order = tuple(node.get("perm") or range(rank)[::-1])
    if sorted(order) != list(range(rank)):
        raise Refused(f"the order {list(order)} does not name each of {rank} axes once")
    shape = tuple(x.shape[at] for at in order)
    last, begin = (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))
    first = rank > 2 and order == begin and not x.first
    if not (rank > 2 and x.first and order == last) and not first:
        seen, times = node.seen(Tensor(x.shape))
        inner = [at - (len(x.shape) - len(seen)) for at in order if at >= len(x.shape) - len(seen)]
        if len(inner) == len(seen):
            node.emit("permute", seen, times=times, follows=True, order=tuple(inner))
    return [Tensor(shape, None, x.roots, first)]


@rule("Concat", "QLinearConcat")
def concat(node: Node) -> list[Tensor]:
    """Concat along an axis. QLinearConcat has a scale and a zero point for the result, then for each tensor."""
    tensors = node.inputs[2::3] if node.op == "QLinearConcat" else node.inputs
    first = tensors[0]
    at = axis(node.get("axis", 1), len(first.shape))
    total = 0
    for one in tensors:
        if len(one.shape) != len(first.shape):
            raise Refused(f"it joins tensors of {len(first.shape)} and {len(one.shape)} axes")
        total = total + one.shape[at]
    shape = (*first.shape[:at], total, *first.shape[at + 1 :])
    channels = any(one.first for one in tensors)
    learned = [one for one in tensors if node.reader.numbers.are_learned(one)]
    holds = {"weight": together(learned)} if learned else {}
    _concatenated(node, tensors, shape, at, channels, holds)
    return [Tensor(shape, None, _all_roots(tensors), channels)]


def _all_roots(tensors: Any) -> frozenset[str] | None:
    constant = all(one.roots is not None for one in tensors)
    return frozenset().union(*(one.roots for one in tensors)) if constant else None


def _concatenated(node: Node, tensors: Any, shape: Shape, at: int, first: bool, holds: Mapping[str, Tensor]) -> None:
    """Add a `concat` step with the axes of `seen`: without the batch, and with channels last."""
    seen, times = node.seen(Tensor(shape, first=first))
    dropped = len(shape) > 1 and len(seen) < len(shape)
    if dropped and at == 0:
        node.passive(shape, holds=holds)
        return
    rank = len(seen)
    number = at - dropped
    if first and dropped and rank > 1:
        number = rank - 1 if number == 0 else number - 1
    shapes = [(*seen[:number], one.shape[at], *seen[number + 1 :]) for one in tensors if not is_empty(one)]
    node.emit("concat", *shapes, times=times, axis=number, holds=holds)


@rule("DepthToSpace", "SpaceToDepth")
def depth(node: Node) -> Outputs:
    """Blocks of the grid moved into the channels, or back."""
    x, block = node.need(0), node.get("blocksize", 1)
    batch, channels, *space = x.shape
    op = "depth_to_space" if node.op == "DepthToSpace" else "space_to_depth"
    layer = node.emit(op, (*space, channels), times=batch, follows=True, factor=block)
    *space, channels = layer.shape
    return [Tensor((batch, channels, *space), first=True)]
