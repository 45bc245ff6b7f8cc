"""Picking and placing values, and grids in another size."""

from __future__ import annotations

from ...onnx.node import Node, axis
from ...onnx.tensors import Outputs, Tensor, constant
from . import as_onnx, reader, rule, values
from .conv import grid


@rule("GATHER", options="GatherOptions")
def gather(node: Node) -> Outputs:
    """Slices along an axis; of a table of constants by indices that flow, an embedding."""
    table, indices = node.need(0), node.need(1)
    at, batch = axis(node.get("Axis", 0), len(table.shape)), node.get("BatchDims", 0)
    if not batch:
        return as_onnx(node, "Gather", table, indices, axis=at)
    shape = (*table.shape[:at], *indices.shape[batch:], *table.shape[at + 1 :])
    node.passive(shape)
    return [shape]


@rule("EMBEDDING_LOOKUP")
def embedding(node: Node) -> Outputs:
    """Rows of a table: indices, table."""
    return as_onnx(node, "Gather", node.need(1), node.need(0), axis=0)


@rule("ONE_HOT", options="OneHotOptions")
def one_hot(node: Node) -> Outputs:
    """A new axis of the given depth: indices, depth, values."""
    return as_onnx(node, "OneHot", node.need(0), constant((1,), values(node, 1)), None, axis=node.get("Axis", -1))


@rule("TOPK_V2")
def top_k(node: Node) -> Outputs:
    """The largest along the last axis, and where they are."""
    return as_onnx(node, "TopK", node.need(0), constant((1,), values(node, 1)), outputs=node.outputs, axis=-1)


@rule("SCATTER_ND")
def scatter(node: Node) -> Outputs:
    """Values at places of a tensor of a given shape."""
    shape = tuple(values(node, 2))
    node.passive(shape)
    return [shape]


@rule("FILL")
def fill(node: Node) -> Outputs:
    """One value in a given shape."""
    return [constant(values(node, 0))]


@rule("RANK")
def rank(node: Node) -> Outputs:
    """The number of axes."""
    return [constant((), (len(node.need(0).shape),))]


@rule("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
def resize(node: Node) -> Outputs:
    """The grid in another size."""
    batch, space, channels = grid(node.need(0), 2)
    method = "bilinear" if node.op == "RESIZE_BILINEAR" else "nearest"
    layer = node.emit("upsample", (*space, channels), times=batch, to=tuple(values(node, 1)), method=method)
    return [(batch, *layer.shape)]


@rule("VAR_HANDLE", options="VarHandleOptions")
def handle(node: Node) -> list[Tensor]:
    """The name of a variable outside of the file."""
    reader(node).handles[node.proto.output[0]] = str(node.get("SharedName") or node.proto.output[0])
    return [constant(())]


@rule("READ_VARIABLE")
def read_variable(node: Node) -> list[Tensor]:
    """A variable outside of the file: its numbers are parameters, as many as the file says that it has."""
    return [reader(node).variable(node.proto.input[0], node.proto.output[0])]


@rule("ASSIGN_VARIABLE", "CALL_ONCE")
def assigned(node: Node) -> list[Tensor]:
    """What sets a variable, once or for the next run: no work of this one."""
    return []
