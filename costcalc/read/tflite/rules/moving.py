"""Operators that move values: reshape, slice, concatenate, gather, scatter, resize."""

from __future__ import annotations

from typing import Any

from ....errors import Refused
from ....num import ceil_div, equal, floor_div, require
from ...onnx.node import Node, Unknown, axis
from ...onnx.tensors import Outputs, Tensor, constant
from . import as_onnx, reader, rule, values
from .conv import grid


def numbers(*found: Any) -> Tensor:
    """Constant list of integers."""
    return constant((len(found),), found)


@rule("RESHAPE", options="ReshapeOptions")
def reshape(node: Node) -> Outputs:
    """Reshape, to the shape in the second input or in the options."""
    given = node.sizes(1)
    shape = given if given is not None else node.attributes["NewShape"]
    return as_onnx(node, "Reshape", node.need(0), numbers(*shape), allowzero=1)


@rule("SQUEEZE", options="SqueezeOptions")
def squeeze(node: Node) -> Outputs:
    """Squeeze of the named axes, or of all axes of size 1."""
    axes = node.get("SqueezeDims")
    return as_onnx(node, "Squeeze", node.need(0), numbers(*axes) if axes else None)


@rule("EXPAND_DIMS")
def expand_dims(node: Node) -> Outputs:
    """A new axis of size 1."""
    return as_onnx(node, "Unsqueeze", node.need(0), numbers(*values(node, 1)))


@rule("TRANSPOSE")
def transpose(node: Node) -> Outputs:
    """Permutation of axes."""
    return as_onnx(node, "Transpose", node.need(0), perm=values(node, 1))


@rule("CONCATENATION", options="ConcatenationOptions")
def concatenation(node: Node) -> Outputs:
    """Concatenation along an axis."""
    return as_onnx(node, "Concat", *node.inputs, axis=node.get("Axis", 0))


@rule("PACK", options="PackOptions")
def pack(node: Node) -> Outputs:
    """Stack along a new axis."""
    given = list(node.inputs)
    at = axis(node.get("Axis", 0), len(node.need(0).shape) + 1)
    tensors = [as_onnx(node, "Unsqueeze", one, numbers(at))[0] for one in given]
    return as_onnx(node, "Concat", *tensors, axis=at)


@rule("UNPACK", options="UnpackOptions")
def unpack(node: Node) -> Outputs:
    """Slices along an axis, without that axis."""
    x = node.need(0)
    at = axis(node.get("Axis", 0), len(x.shape))
    require(equal(x.shape[at], node.outputs), "an axis of {} is cut into {} parts", x.shape[at], node.outputs)
    parts = as_onnx(node, "Split", x, numbers(*[1] * node.outputs), outputs=node.outputs, axis=at)
    return [as_onnx(node, "Squeeze", one, numbers(at))[0] for one in parts]


@rule("SPLIT", options="SplitOptions")
def split(node: Node) -> Outputs:
    """Split into equal parts: axis, tensor."""
    x, (at,) = node.need(1), values(node, 0)
    at = axis(at, len(x.shape))
    require(equal(x.shape[at] % node.outputs, 0), "an axis of {} is cut into {} parts", x.shape[at], node.outputs)
    each = floor_div(x.shape[at], node.outputs)
    return as_onnx(node, "Split", x, numbers(*[each] * node.outputs), outputs=node.outputs, axis=at)


@rule("SPLIT_V", options="SplitVOptions")
def split_v(node: Node) -> Outputs:
    """Split into parts of given sizes. -1 means the remainder."""
    x, parts, (at,) = node.need(0), list(values(node, 1)), values(node, 2)
    at = axis(at, len(x.shape))
    if parts.count(-1) == 1:
        parts[parts.index(-1)] = x.shape[at] - sum(one for one in parts if one != -1)
    return as_onnx(node, "Split", x, numbers(*parts), outputs=node.outputs, axis=at)


@rule("SLICE")
def slice_(node: Node) -> Outputs:
    """Slice from a start, of a given size per axis. -1 means to the end."""
    x, begin, size = node.need(0), values(node, 1), values(node, 2)
    if not len(x.shape) == len(begin) == len(size):
        raise Refused(f"starts {list(begin)} and sizes {list(size)} for a tensor with {len(x.shape)} axes")
    ends = [whole if count == -1 else at + count for at, count, whole in zip(begin, size, x.shape, strict=True)]
    return as_onnx(node, "Slice", x, numbers(*begin), numbers(*ends), numbers(*range(len(ends))))


@rule("STRIDED_SLICE", options="StridedSliceOptions")
def strided_slice(node: Node) -> Outputs:
    """begin:end:step for each axis. Masks mark open ends and axes to drop."""
    x, starts, ends, steps = node.need(0), *(list(values(node, at)) for at in (1, 2, 3))
    if node.get("EllipsisMask") or node.get("NewAxisMask") or not len(starts) == len(ends) == len(steps):
        raise Unknown
    if len(starts) > len(x.shape):
        raise Refused(f"{len(starts)} starts for a tensor with {len(x.shape)} axes")
    shrunk = [at for at in range(len(starts)) if node.get("ShrinkAxisMask", 0) >> at & 1]
    for at, size in enumerate(x.shape[: len(starts)]):
        if at in shrunk:
            place = starts[at] + size if isinstance(starts[at], int) and starts[at] < 0 else starts[at]
            starts[at], ends[at], steps[at] = place, place + 1, 1
            continue
        backwards = isinstance(steps[at], int) and steps[at] < 0
        if node.get("BeginMask", 0) >> at & 1:
            starts[at] = size - 1 if backwards else 0
        if node.get("EndMask", 0) >> at & 1:
            ends[at] = -size - 1 if backwards else size
    places = numbers(*range(len(starts)))
    (y,) = as_onnx(node, "Slice", x, numbers(*starts), numbers(*ends), places, numbers(*steps))
    return as_onnx(node, "Squeeze", y, numbers(*shrunk)) if shrunk else [y]


@rule("PAD", "PADV2", "MIRROR_PAD")
def pad(node: Node) -> Outputs:
    """Padding before and after each axis."""
    x, pads = node.need(0), values(node, 1)
    if len(pads) != 2 * len(x.shape):
        raise Refused(f"{len(pads)} paddings for a tensor with {len(x.shape)} axes")
    return as_onnx(node, "Pad", x, numbers(*pads[::2], *pads[1::2]))


@rule("DEPTH_TO_SPACE", "SPACE_TO_DEPTH")
def depth(node: Node) -> Outputs:
    """Blocks of the grid moved into the channels, or back."""
    batch, space, channels = grid(node.need(0), 2)
    op = "depth_to_space" if node.op == "DEPTH_TO_SPACE" else "space_to_depth"
    factor = node.attributes["BlockSize"]
    layer = node.emit(op, (*space, channels), times=batch, follows=True, factor=factor)
    return [(batch, *layer.shape)]


@rule("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")
def batches(node: Node) -> Outputs:
    """Blocks of the grid moved into the batch, or back, as older converters express dilation."""
    x, block, edges = node.need(0), values(node, 1), values(node, 2)
    if len(edges) != 2 * len(block) or len(block) >= len(x.shape) or min(block) < 1:
        raise Refused(f"blocks {list(block)} and edges {list(edges)} for a tensor with {len(x.shape)} axes")
    batch, space, rest = x.shape[0], list(x.shape[1 : 1 + len(block)]), x.shape[1 + len(block) :]
    for at, (size, before, after) in enumerate(zip(block, edges[::2], edges[1::2], strict=True)):
        if node.op == "SPACE_TO_BATCH_ND":
            whole = space[at] + before + after
            require(equal(whole % size, 0), "an axis of {} is cut into blocks of {}", whole, size)
            batch, space[at] = batch * size, ceil_div(whole, size)
        else:
            require(equal(batch % size, 0), "a batch of {} is cut into blocks of {}", batch, size)
            batch, space[at] = floor_div(batch, size), space[at] * size - before - after
    shape = (batch, *space, *rest)
    node.passive(shape)
    return [shape]


@rule("REVERSE_V2", "MATRIX_SET_DIAG", "DYNAMIC_UPDATE_SLICE")
def kept(node: Node) -> Outputs:
    """Operators that keep the shape of their first input."""
    shape = node.need(0).shape
    node.passive(shape)
    return [shape]


@rule("GATHER", options="GatherOptions")
def gather(node: Node) -> Outputs:
    """Slices along an axis. With a constant table and variable indices it is an embedding."""
    table, indices = node.need(0), node.need(1)
    at, batch = axis(node.get("Axis", 0), len(table.shape)), node.get("BatchDims", 0)
    if not batch:
        return as_onnx(node, "Gather", table, indices, axis=at)
    shape = (*table.shape[:at], *indices.shape[batch:], *table.shape[at + 1 :])
    node.passive(shape)
    return [shape]


@rule("EMBEDDING_LOOKUP")
def embedding(node: Node) -> Outputs:
    """Embedding look-up: indices, table."""
    return as_onnx(node, "Gather", node.need(1), node.need(0), axis=0)


@rule("ONE_HOT", options="OneHotOptions")
def one_hot(node: Node) -> Outputs:
    """A new axis of the given depth: indices, depth, values."""
    return as_onnx(node, "OneHot", node.need(0), constant((1,), values(node, 1)), None, axis=node.get("Axis", -1))


@rule("TOPK_V2")
def top_k(node: Node) -> Outputs:
    """Largest values along the last axis, and their indices."""
    return as_onnx(node, "TopK", node.need(0), constant((1,), values(node, 1)), outputs=node.outputs, axis=-1)


@rule("SCATTER_ND")
def scatter(node: Node) -> Outputs:
    """Values scattered into a tensor of a given shape."""
    shape = tuple(values(node, 2))
    node.passive(shape)
    return [shape]


@rule("FILL")
def fill(node: Node) -> Outputs:
    """A constant value in a given shape."""
    return [constant(values(node, 0))]


@rule("RANK")
def rank(node: Node) -> Outputs:
    """Number of axes."""
    return [constant((), (len(node.need(0).shape),))]


@rule("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
def resize(node: Node) -> Outputs:
    """Resize of the grid."""
    batch, space, channels = grid(node.need(0), 2)
    method = "bilinear" if node.op == "RESIZE_BILINEAR" else "nearest"
    layer = node.emit("upsample", (*space, channels), times=batch, to=tuple(values(node, 1)), method=method)
    return [(batch, *layer.shape)]


@rule("VAR_HANDLE", options="VarHandleOptions")
def handle(node: Node) -> list[Tensor]:
    """Handle of a variable stored outside the file."""
    reader(node).handles[node.proto.output[0]] = str(node.get("SharedName") or node.proto.output[0])
    return [constant(())]


@rule("READ_VARIABLE")
def read_variable(node: Node) -> list[Tensor]:
    """Read of a variable stored outside the file. Its numbers are parameters; the file states their count."""
    return [reader(node).variable(node.proto.input[0], node.proto.output[0])]


@rule("ASSIGN_VARIABLE", "CALL_ONCE")
def assigned(node: Node) -> list[Tensor]:
    """Assignment of a variable, once or for the next run. It has no cost in this run."""
    return []
