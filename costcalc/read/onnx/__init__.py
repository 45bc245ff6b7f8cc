"""Reader of ONNX graphs: a Model whose steps are the nodes that compute. Weights are never loaded, no code is run."""

from ...errors import Source
from ...files import Origin, Pages
from ...model.network import Model


def from_file(path: str) -> Source:
    """The Source of a file on disk, without its weights. Raises FileError."""
    from .file import source

    return source(path)


def from_bytes(data: bytes | Pages, shown: str) -> Source:
    """The Source of bytes or Pages. Raises FileError."""
    from .file import bounded

    return bounded(data, shown)


def to_model(source: Source, origin: Origin) -> Model:
    """The Model of a graph. Raises FileError or SpecError."""
    from .model import read

    return read(source)
