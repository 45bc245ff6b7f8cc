"""JSON texts: dispatch to the reader of Keras models, of transformers' configurations, or of specs."""

from ..errors import Source
from ..files import Origin
from ..model.network import Model
from . import hf, keras

from_file, from_bytes = keras.from_file, keras.from_bytes


def is_network(source: Source) -> bool:
    """Whether a text looks like one of these formats. Repositories also contain other JSON files."""
    from .keras.file import is_model

    return hf.is_config(source) or is_model(source) or '"layers"' in source.text


def to_model(source: Source, origin: Origin) -> Model:
    """The Model of a text. Raises FileError or SpecError."""
    return (hf if hf.is_config(source) else keras).to_model(source, origin)
