"""The spec language: a text of YAML becomes a Model."""

from ...errors import Source
from ...files import Origin, decoded, text
from ...model.network import Model


def from_file(path: str) -> Source:
    """The Source of a text on disk. Raises FileError."""
    return Source(path, text(path))


def from_bytes(data: bytes, shown: str) -> Source:
    """The Source of the bytes of a text. Raises FileError."""
    return Source(shown, decoded(data, shown))


def to_model(source: Source, origin: Origin) -> Model:
    """The Model of a spec, which includes others from its origin. Raises FileError or SpecError."""
    from .reader import read

    return read(source, origin)
