"""Keras models from their configuration: the JSON of `model.to_json()`, or `config.json` in a `.keras` file.

Format: keras.io/api/models/model_saving_apis. Keras is not required, no code is run, and weights are not opened.
"""

from io import BytesIO

from ...errors import Source
from ...files import Origin, decoded
from ...model.network import Model


def from_file(path: str) -> Source:
    """The Source of a configuration on disk. Raises FileError."""
    from .file import source

    return source(path)


def from_bytes(data: bytes, shown: str) -> Source:
    """The Source of the bytes of an archive or of a text. Raises FileError."""
    from .file import unpacked

    return unpacked(BytesIO(data), shown) if data[:2] == b"PK" else Source(shown, decoded(data, shown))


def to_model(source: Source, origin: Origin) -> Model:
    """The Model of a configuration, or of a spec written as JSON. Raises FileError or SpecError."""
    from .file import is_model

    if is_model(source):
        from .model import read

        return read(source)
    from ..spec.reader import read as read_spec

    return read_spec(source, origin)
