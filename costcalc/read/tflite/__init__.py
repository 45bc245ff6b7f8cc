"""Reads models of TensorFlow Lite (LiteRT): a Model whose steps are the operators that compute.

The flatbuffer is parsed by the package `tflite`. Weights are never loaded, nothing is run. Source of the format: the
schema of TensorFlow, tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""

from ...errors import Source
from ...files import Origin, Pages
from ...model.network import Model


def from_file(path: str) -> Source:
    """The Source of a file on disk, its bytes as pages of memory that are read where they are looked at.

    Raises FileError.
    """
    from .graph import source

    return source(path)


def from_bytes(data: bytes | Pages, shown: str) -> Source:
    """The Source of the bytes of a file, or of the Pages of one. Raises FileError."""
    from .graph import checked

    return checked(data, shown)


def to_model(source: Source, origin: Origin) -> Model:
    """The Model of the first subgraph. Raises FileError or SpecError."""
    from .model import read

    return read(source)
