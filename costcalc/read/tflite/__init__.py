"""Reader of TensorFlow Lite (LiteRT) models: a Model whose steps are the operators that compute.

The package `tflite` parses the flatbuffer. Weights are never loaded, no code is run. Source of the format: the
schema of TensorFlow, tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""

from ...errors import Source
from ...files import Origin, Pages
from ...model.network import Model


def from_file(path: str) -> Source:
    """The Source of a file on disk, mapped into memory.

    Raises FileError.
    """
    from .graph import source

    return source(path)


def from_bytes(data: bytes | Pages, shown: str) -> Source:
    """The Source of bytes or Pages. Raises FileError."""
    from .graph import checked

    return checked(data, shown)


def to_model(source: Source, origin: Origin) -> Model:
    """The Model of the first subgraph. Raises FileError or SpecError."""
    from .model import read

    return read(source)
