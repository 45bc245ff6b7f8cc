"""A TensorFlow Lite file: found, measured, and mapped into memory, of which only what is looked at is read."""

from __future__ import annotations

import mmap
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ... import limits
from ...errors import FileError, Problem, Source
from ...files import Pages, opened

if TYPE_CHECKING:
    from types import ModuleType

_MARK, _MARK_AT = b"TFL3", 4  # after the offset of the root
_LEAST = 16


def source(path: str) -> Source:
    """The Source of a file. Raises FileError."""
    with opened(path) as file:
        return bounded(Pages(file, os.fstat(file.fileno()).st_size), path)


def bounded(data: bytes | Pages, path: str) -> Source:
    """The Source of a file's bytes. Raises FileError for what is too large or no file of this kind."""
    if len(data) > limits.GRAPH_FILE_BYTES:
        message = f"{path!r} is larger than {limits.GRAPH_FILE_BYTES:,} bytes"
        raise FileError(Problem("limit", message, help=limits.hint("graph_file_bytes")))
    if len(data) < _LEAST or data[_MARK_AT : _MARK_AT + len(_MARK)] != _MARK:
        help = "a .tflite file has the letters TFL3 after its first four bytes"
        raise FileError(Problem("bad-tflite", f"{path!r} is no TensorFlow Lite model", help=help))
    if isinstance(data, Pages):
        data.file.flush()
        data = mmap.mmap(data.file.fileno(), len(data), access=mmap.ACCESS_READ)  # type: ignore[assignment]
    return Source(path, "", data)  # type: ignore[arg-type]


@lru_cache(1)
def schema() -> ModuleType:
    """The package `tflite`: classes that look into a flatbuffer. Raises FileError where it is not installed."""
    try:
        import tflite
    except ImportError:
        help = "pip install 'costcalc[tflite]'"
        message = "reading TensorFlow Lite models needs the package `tflite`"
        raise FileError(Problem("missing-extra", message, help=help)) from None
    return tflite


@lru_cache(2)
def names(enumeration: str) -> dict[int, str]:
    """The names of an enumeration of the schema by their numbers."""
    found: dict[str, Any] = vars(getattr(schema(), enumeration))
    return {number: name for name, number in found.items() if isinstance(number, int)}
