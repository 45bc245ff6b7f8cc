"""An ONNX file as a message: found, measured, stripped of its weights and parsed with the classes of `onnx`."""

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
    """The Source of a file, its data without the weights. Raises FileError; no other file is opened."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise FileError(Problem("bad-onnx", f"{path!r} is empty"))
        if size > limits.GRAPH_FILE_BYTES:
            message = f"{path!r} is larger than {limits.GRAPH_FILE_BYTES:,} bytes"
            raise FileError(Problem("limit", message, help=limits.hint("graph_file_bytes")))
        return bounded(Pages(file, size), path)


def bounded(data: bytes | Pages, path: str) -> Source:
    """The Source of a file's bytes, its weights left out. Raises FileError where more than can be is left."""
    return Source(path, "", _named(stripped, data, path))


def _named(strip: Callable[[Any], bytes], data: bytes | Pages, path: str) -> bytes:
    """What a function of `wire` makes of a file's bytes; its errors say which file. Raises FileError."""
    try:
        return strip(data)
    except FileError as error:
        raise FileError(*(one._replace(message=f"{path!r}: {one.message}") for one in error.problems)) from None


def parsed(source: Source) -> Any:
    """The ModelProto of a source. Raises FileError."""
    found = _classes().ModelProto()
    try:
        found.ParseFromString(source.data)
    except Exception as error:  # DecodeError of whichever protobuf there is
        if type(error).__name__ != "DecodeError":
            raise
        _named(checked, source.data, source.path)  # graphs that nest too deep are no damage
        message = f"{source.path!r} is not an ONNX model, or it is cut off or damaged"
        raise FileError(Problem("bad-onnx", message)) from None
    return found


@lru_cache(1)
def _classes() -> ModuleType:
    """The module of message classes.

    Loaded by its file: the package `onnx` would load NumPy and much else, for ten times the time.
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


MARK = "weight"  # documentation of an input that is one
_NONE: frozenset[int] = frozenset()
_NORM = frozenset((1, 2))
_SLOTS = {  # where operators read weights (ONNX, Operators.md)
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm"), frozenset((1, 2))),
    **dict.fromkeys(("InstanceNormalization", "LayerNormalization", "GroupNormalization"), _NORM),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), frozenset((1, 2, 3))),
    "BatchNormalization": frozenset((1, 2, 3, 4)),
    "PRelu": frozenset((1,)),
}


def weights(graph: Any, given: Container[str]) -> dict[Any, Any]:
    """{name: shape} of the inputs that say they are weights, or that nodes read only where weights stand.

    given   names of inputs that are stored tensors
    """
    found = {one.name for one in graph.input if one.name not in given}
    found -= _flowing(graph, found - {one.name for one in graph.input if one.doc_string == MARK})
    shapes = {one.name: _shape(one) for one in graph.input if one.name in found}
    return {name: shape for name, shape in shapes.items() if shape is not None}


def _flowing(graph: Any, names: set[str]) -> set[str]:
    """Which of these inputs flow: nodes read them where no weights stand, or none reads them."""
    left, standing = set(names), set()
    for node in graph.node:
        if not left:  # mostly after the first node
            break
        if left.isdisjoint(node.input):
            continue
        slots = _SLOTS.get(node.op_type, _NONE)
        flowing = {name for at, name in enumerate(node.input) if at not in slots}
        standing.update(node.input)
        left -= flowing
    return names - (left & standing)


def _shape(info: Any) -> Any:
    """The sizes of an input, None where one is open."""
    sizes = tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim)
    return sizes if len(sizes) <= limits.RANK and min(sizes, default=1) > 0 and prod(sizes) <= limits.SIZE else None
