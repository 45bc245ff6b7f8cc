"""An ONNX file as a message: found, measured, stripped of its weights and parsed with the classes of `onnx`."""

import mmap
import os
import sys
from functools import lru_cache

from ... import limits
from ...errors import FileError, Problem, Source
from .wire import stripped


def source(path):
    """The Source of a file, its data without the weights. Raises FileError; no other file is opened."""
    if not os.path.isfile(path):
        raise FileError(Problem("not-a-file", f"{path!r} is not a regular file"))
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                raise FileError(Problem("bad-onnx", f"{path!r} is empty"))
            if size > limits.GRAPH_FILE_BYTES:
                message = f"{path!r} is larger than {limits.GRAPH_FILE_BYTES:,} bytes"
                raise FileError(Problem("limit", message, help=limits.hint("graph_file_bytes")))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return bounded(data, path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(Problem("unreadable", f"cannot read {path!r}: {reason}")) from None


def bounded(data, path):
    """The Source of a file's bytes, its weights left out. Raises FileError where more than can be is left."""
    kept = _stripped(data, path)
    if len(kept) > limits.GRAPH_BYTES:
        message = f"{path!r}: the graph without its weights is larger than {limits.GRAPH_BYTES:,} bytes"
        raise FileError(Problem("limit", message, help=limits.hint("graph_bytes")))
    return Source(path, "", kept)


def _stripped(data, path, **options):
    try:
        return stripped(data, **options)
    except FileError as error:
        raise FileError(*(one._replace(message=f"{path!r}: {one.message}") for one in error.problems)) from None


def parsed(source):
    """The ModelProto of a source. Raises FileError."""
    found = _classes().ModelProto()
    try:
        found.ParseFromString(source.data)
    except Exception as error:  # DecodeError of whichever protobuf there is
        if type(error).__name__ != "DecodeError":
            raise
        _stripped(source.data, source.path, small=0)  # the classes take what is too deep for what is damaged
        message = f"{source.path!r} is no ONNX model, or a part of one: it is cut off or damaged"
        raise FileError(Problem("bad-onnx", message)) from None
    return found


@lru_cache(1)
def _classes():
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
    spec = util.spec_from_file_location("onnx.onnx_ml_pb2", os.path.join(folders[0], "onnx_ml_pb2.py"))
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
