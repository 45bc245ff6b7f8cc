"""The kinds of file that a network can be in: the reader of each suffix.

A reader is a package with three functions: `from_file(path)` and `from_bytes(data, shown)` give the Source of a file
on disk and of bytes from elsewhere, both bounded; `to_model(source, origin)` gives its Model. One more kind of file
is one more package and one more row.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import Source
from ..files import Origin
from ..model.network import Model
from ..records import NamedTuple

if TYPE_CHECKING:
    from types import ModuleType


class Format(NamedTuple):
    """A kind of file: the package that reads it, and the name of the limit on its bytes."""

    package: str
    limit: str = "file_bytes"

    @property
    def from_file(self) -> Callable[[str], Source]:
        """The Source of a path. Raises FileError."""
        return self._reader().from_file

    @property
    def from_bytes(self) -> Callable[[Any, str], Source]:
        """The Source of bytes, and of what messages call them. Raises FileError."""
        return self._reader().from_bytes

    @property
    def to_model(self) -> Callable[[Source, Origin], Model]:
        """The Model of a source. Raises FileError or SpecError."""
        return self._reader().to_model

    def _reader(self) -> ModuleType:
        return import_module(f"{__package__}.{self.package}")


SPEC = Format("spec")
READERS = {
    ".yaml": SPEC,
    ".yml": SPEC,
    ".onnx": Format("onnx", "graph_file_bytes"),
    ".tflite": Format("tflite", "graph_file_bytes"),
    ".keras": Format("keras"),
    ".json": Format("json_"),  # of Keras, of transformers, or a spec: JSON is YAML, too
}


ELSEWHERE = {  # files of models that are not read, and the way in
    **dict.fromkeys(
        (".pt", ".pth", ".pt2", ".pte", ".ckpt", ".bin", ".safetensors", ".py"),
        "weights or code of PyTorch: `costcalc import torch MODULE:CALLABLE --input 224x224x3` reads the module itself",
    ),
    ".pkl": "a pickle is code: `costcalc import torch MODULE:CALLABLE --input 224x224x3` reads the module itself",
    **dict.fromkeys(
        (".h5", ".hdf5"), "a model of Keras in HDF5: write `model.to_json()` to model.json, or save it as .keras"
    ),
    ".gguf": "weights of llama.cpp: the `config.json` of the model says what it is made of",
    ".pb": "a model of TensorFlow: `python -m tf2onnx.convert` makes an ONNX model of it",
    **dict.fromkeys((".cfg", ".weights", ".prototxt", ".caffemodel", ".mlmodel"), "convert it to ONNX first"),
}


def format_of(path: str | os.PathLike[str]) -> Format:
    """The kind of file that a name means; a name without a known suffix means a spec."""
    return READERS.get(os.path.splitext(os.fspath(path))[1].lower(), SPEC)
