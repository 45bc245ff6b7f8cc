"""Selection and placement of values by index, condition or size. The number of results may depend on data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ....num import floor
from ..node import Node, Unknown, axis
from ..tensors import Outputs, Tensor, sizes
from . import rule

if TYPE_CHECKING:
    from ....num.values import Shape


@rule("Gather")
def gather(node: Node) -> list[Shape]:
    """Gather along an axis. With a constant table and variable indices it is an embedding."""
    table, indices = node.need(0), node.need(1)
    at = axis(node.get("axis", 0), len(table.shape))
    shape = (*table.shape[:at], *indices.shape, *table.shape[at + 1 :])
    if table.roots and len(table.shape) == 2 and at == 0 and not node.is_constant:
        seen, times = node.seen(Tensor(indices.shape))
        vocab, out = table.shape
        node.emit("embedding", seen, times=times, holds={"weight": table}, out=out, vocab=vocab)
    else:
        node.passive(shape)
    return [shape]


@rule("GatherElements")
def gather_elements(node: Node) -> list[Shape]:
    """One value for each index."""
    shape = node.need(1).shape
    node.passive(shape)
    return [shape]


@rule("GatherND")
def gather_nd(node: Node) -> list[Shape]:
    """Slices by the indices in the last axis."""
    data, indices = node.need(0), node.need(1)
    batch, deep = node.get("batch_dims", 0), indices.shape[-1]
    shape = (*indices.shape[:-1], *data.shape[batch + deep :])
    node.passive(shape)
    return [shape]


@rule("Scatter", "ScatterElements", "ScatterND", "TensorScatter")
def scatter(node: Node) -> list[Shape]:
    """The first input with some values replaced."""
    x = node.need(0)
    node.passive(x.shape, x.first)
    return [x.shape]


@rule("OneHot")
def one_hot(node: Node) -> Outputs:
    """A new axis of the given depth."""
    indices, depth = node.need(0), node.need(1).value
    if depth is None:
        raise Unknown
    at = axis(node.get("axis", -1), len(indices.shape) + 1)
    shape = (*indices.shape[:at], floor(depth[0]), *indices.shape[at:])
    node.passive(shape)
    return [shape]


@rule("TopK")
def top_k(node: Node) -> list[Shape]:
    """Largest or smallest values along an axis, and their indices."""
    x = node.need(0)
    count = sizes(node.input(1)) if node.input(1) is not None else (node.get("k"),)
    if count is None or count[0] is None:
        raise Unknown
    at = axis(node.get("axis", -1), len(x.shape))
    shape = (*x.shape[:at], count[0], *x.shape[at + 1 :])
    node.passive(shape)
    return [shape, shape]


@rule(
    "NonZero",
    "Unique",
    "Compress",
    "NonMaxSuppression",
    "StringSplit",
    "ImageDecoder",
    "TfIdfVectorizer",
    takes_any=True,
)
def found(node: Node) -> NoReturn:
    """Operators whose output shapes depend on data."""
    node.passive((1,))
    raise Unknown


@rule("SequenceConstruct", "SequenceInsert", "SequenceEmpty", "SequenceErase", takes_any=True)
def sequence(node: Node) -> Outputs:
    """A list of tensors. After changes its tensors are unknown."""
    return [Tensor(None, items=tuple(node.inputs) if node.op == "SequenceConstruct" else None)]


@rule("SplitToSequence")
def split_to_sequence(node: Node) -> Outputs:
    """Parts of a tensor along an axis, as a list."""
    x = node.need(0)
    at = axis(node.get("axis", 0), len(x.shape))
    given = node.sizes(1) if node.input(1) is not None else (1,)
    if len(given) == 1:
        if not isinstance(x.shape[at], int) or not isinstance(given[0], int) or x.shape[at] > 4_096:
            raise Unknown
        whole, rest = divmod(x.shape[at], given[0])
        given = [given[0]] * whole + [rest] * bool(rest)
    keep = node.get("keepdims", 1) or node.input(1) is not None
    parts = [(*x.shape[:at], *((size,) if keep else ()), *x.shape[at + 1 :]) for size in given]
    return [Tensor(None, items=tuple(Tensor(shape, None, x.roots) for shape in parts))]


@rule("SequenceAt")
def sequence_at(node: Node) -> Outputs:
    """Tensor of a list by index."""
    at = sizes(node.need(1))
    items = node.need(0).items
    if items is None or at is None:
        raise Unknown
    return [items[at[0]]]


@rule("SequenceLength")
def sequence_length(node: Node) -> Outputs:
    """Length of a list."""
    items = node.need(0).items
    return [Tensor((), None if items is None else (len(items),), frozenset())]


@rule("ConcatFromSequence")
def concat_from_sequence(node: Node) -> Outputs:
    """Tensors of a list, concatenated or stacked (`new_axis`)."""
    items = node.need(0).items
    if not items or any(one.shape is None for one in items):
        raise Unknown
    first = items[0].shape
    if node.get("new_axis", 0):
        at = axis(node.get("axis", 0), len(first) + 1)
        shape = (*first[:at], len(items), *first[at:])
    else:
        at = axis(node.get("axis", 0), len(first))
        total = 0
        for one in items:
            total = total + one.shape[at]
        shape = (*first[:at], total, *first[at + 1 :])
    node.passive(shape)
    return [shape]
