"""An ONNX file as a message: found, measured, stripped of its weights and parsed with the classes of `onnx`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import lru_cache
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
        message = f"{source.path!r} is no ONNX model, or a part of one: it is cut off or damaged"
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
