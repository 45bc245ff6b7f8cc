"""What a JSON text is: the configuration of a Keras model, of a model of transformers, or a spec."""

from ..errors import Source
from ..files import Origin
from ..model.network import Model
from . import hf, keras

from_file, from_bytes = keras.from_file, keras.from_bytes


def to_model(source: Source, origin: Origin) -> Model:
    """The Model of a text. Raises FileError or SpecError."""
    return (hf if hf.is_config(source) else keras).to_model(source, origin)
