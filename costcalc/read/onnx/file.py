"""An ONNX file as a message: located, checked for size, stripped of weights, and parsed with the classes of `onnx`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Container
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

from ... import limits
from ...errors import FileError, Problem, Source
from ...files import Pages, opened
from .wire import checked, stripped

if TYPE_CHECKING:
    from types import ModuleType


def source(path: str) -> Source:
    """The Source of a file, without its weights. Raises FileError. No other file is opened."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise FileError(Problem("bad-onnx", f"{path!r} is empty"))
        if size > limits.GRAPH_FILE_BYTES:
            message = f"{path!r} is larger than {limits.GRAPH_FILE_BYTES:,} bytes"
            raise FileError(Problem("limit", message, help=limits.hint("graph_file_bytes")))
        return bounded(Pages(file, size), path)


def bounded(data: bytes | Pages, path: str) -> Source:
    """The Source of a file's bytes, without its weights. Raises FileError if the rest exceeds the limit."""
    return Source(path, "", _named(stripped, data, path))


def _named(strip: Callable[[Any], bytes], data: bytes | Pages, path: str) -> bytes:
    """Apply a function of `wire` to a file's bytes and add the path to its errors. Raises FileError."""
    try:
        return strip(data)
    except FileError as error:
        raise FileError(*(one._replace(message=f"{path!r}: {one.message}") for one in error.problems)) from None


def parsed(source: Source) -> Any:
    """The ModelProto of a source. Raises FileError."""
    found = _classes().ModelProto()
    try:
        found.ParseFromString(source.data)
    except Exception as error:  # DecodeError of the installed protobuf
        if type(error).__name__ != "DecodeError":
            raise
        _named(checked, source.data, source.path)  # raises the limit's error if graphs nest too deep
        message = f"{source.path!r} is not an ONNX model, or it is cut off or damaged"
        raise FileError(Problem("bad-onnx", message)) from None
    return found


@lru_cache(1)
def _classes() -> ModuleType:
    """Import the module of message classes.

    It is loaded by its path: importing the package `onnx` also imports NumPy and others and takes ten times as long.
    """
    from importlib import util

    if "onnx.onnx_ml_pb2" in sys.modules:
        return sys.modules["onnx.onnx_ml_pb2"]
    package = util.find_spec("onnx")
    folders = package.submodule_search_locations if package else None
    if not folders:
        help = "pip install 'costcalc[onnx]'"
        raise FileError(Problem("missing-extra", "reading ONNX files needs the package `onnx`", help=help))
    spec: Any = util.spec_from_file_location("onnx.onnx_ml_pb2", os.path.join(folders[0], "onnx_ml_pb2.py"))
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MARK = "weight"  # documentation text that marks an input as a weight
_NONE: frozenset[int] = frozenset()
_NORM = frozenset((1, 2))
_SLOTS = {  # inputs of operators that are weights (ONNX, Operators.md)
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm"), frozenset((1, 2))),
    **dict.fromkeys(("InstanceNormalization", "LayerNormalization", "GroupNormalization"), _NORM),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), frozenset((1, 2, 3))),
    "BatchNormalization": frozenset((1, 2, 3, 4)),
    "PRelu": frozenset((1,)),
}


def weights(graph: Any, given: Container[str]) -> dict[Any, Any]:
    """{name: shape} of the inputs that are marked as weights, or that nodes read only as weights.

    given   names of inputs that are stored tensors
    """
    found = {one.name for one in graph.input if one.name not in given}
    found -= _flowing(graph, found - {one.name for one in graph.input if one.doc_string == MARK})
    shapes = {one.name: _shape(one) for one in graph.input if one.name in found}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _flowing(graph: Any, names: set[str]) -> set[str]:
    """Inputs that are not weights: nodes read them in other positions, or not at all."""
    left, standing = set(names), set()
    for node in graph.node:
        if not left:  # usually after the first node
            break
        if left.isdisjoint(node.input):
            continue
        slots = _SLOTS.get(node.op_type, _NONE)
        flowing = {name for at, name in enumerate(node.input) if at not in slots}
        standing.update(node.input)
        left -= flowing
    return names - (left & standing)


def _shape(info: Any) -> Any:
    """Sizes of an input, or None if one is open."""
    sizes = tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim)
    return sizes if len(sizes) <= limits.RANK and min(sizes, default=1) > 0 and prod(sizes) <= limits.SIZE else None
