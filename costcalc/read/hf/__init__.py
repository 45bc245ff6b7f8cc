"""Language models from the `config.json` of Hugging Face transformers. Nothing is downloaded, no weights are read.

Each family is a row of `families.yaml`: the shipped config that describes it, and the keys of its variables.
"""

from ...errors import Source
from ...files import Origin, decoded, text
from ...model.accounting import Stored
from ...model.network import Model


def from_file(path: str) -> Source:
    """The Source of a configuration on disk. Raises FileError."""
    return Source(path, text(path))


def from_bytes(data: bytes, shown: str) -> Source:
    """The Source of the bytes of a configuration. Raises FileError."""
    return Source(shown, decoded(data, shown))


def is_config(source: Source) -> bool:
    """Whether a text looks like a configuration of transformers."""
    return '"model_type"' in source.text and '"class_name"' not in source.text


def to_model(source: Source, origin: Origin) -> Model:
    """The Model of a configuration. Raises FileError or SpecError."""
    from ..spec.reader import read
    from .config import left_out, spec_of

    found = read(Source(source.path, spec_of(source)), origin)
    return found._replace(stored=Stored(None), left_out=left_out(source))
