"""The spec language: YAML text to Model."""

from ...errors import Source
from ...files import Origin, decoded, text
from ...model.network import Model


def from_file(path: str) -> Source:
    """The Source of a text file. Raises FileError."""
    return Source(path, text(path))


def from_bytes(data: bytes, shown: str) -> Source:
    """The Source of a text's bytes. Raises FileError."""
    return Source(shown, decoded(data, shown))


def to_model(source: Source, origin: Origin) -> Model:
    """The Model of a spec. Includes are relative to its origin. Raises FileError or SpecError."""
    from .reader import read

    return read(source, origin)
