"""Find a spec by path or by the name of a shipped config, and read it.

`READERS` maps each file suffix to the package that reads it. A reader is a package with three functions:
`from_file(path)` and `from_bytes(data, shown)` return the Source of a file on disk and of bytes from elsewhere, both
within size limits; `to_model(source, origin)` returns its Model. A new format is a new package and a new row.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias

from .. import limits
from ..allowance import within
from ..errors import FileError, Problem, Source, brief, nearest
from ..files import Origin, check_links, configs, decoded, origin, shipped, specs_in, text
from ..model.network import Model
from ..records import NamedTuple


class Format(NamedTuple):
    """A file format: the package that reads it, and the name of its size limit."""

    package: str
    limit: str = "file_bytes"

    @property
    def from_file(self) -> Callable[[str], Source]:
        """Return the Source of a path. Raises FileError."""
        return self._reader().from_file

    @property
    def from_bytes(self) -> Callable[[Any, str], Source]:
        """Return the Source of bytes. `shown` is their name in messages. Raises FileError."""
        return self._reader().from_bytes

    @property
    def to_model(self) -> Callable[[Source, Origin], Model]:
        """Return the Model of a source. Raises FileError or SpecError."""
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
    ".json": Format("json_"),  # Keras, transformers, or a spec, because JSON is valid YAML
}


ELSEWHERE = {  # model files that are not read -> how to import them
    **dict.fromkeys(
        (".pt", ".pth", ".pt2", ".pte", ".ckpt", ".bin", ".safetensors", ".py"),
        "weights or code of PyTorch: `costcalc import torch MODULE:CALLABLE --input 224x224x3` reads the module itself",
    ),
    ".pkl": "a pickle is code: `costcalc import torch MODULE:CALLABLE --input 224x224x3` reads the module itself",
    **dict.fromkeys(
        (".h5", ".hdf5"), "a model of Keras in HDF5: write `model.to_json()` to model.json, or save it as .keras"
    ),
    ".gguf": "weights of llama.cpp: use the `config.json` of the model",
    ".pb": "a model of TensorFlow: `python -m tf2onnx.convert` converts it to ONNX",
    **dict.fromkeys((".cfg", ".weights", ".prototxt", ".caffemodel", ".mlmodel"), "convert it to ONNX first"),
}


def format_of(path: str | os.PathLike[str]) -> Format:
    """Format of a file name. A name without a known suffix is a spec."""
    return READERS.get(os.path.splitext(os.fspath(path))[1].lower(), SPEC)


Spec: TypeAlias = str | os.PathLike[str] | Model  # types that library functions accept as a network


def load(spec: str | os.PathLike[str], top: str | None = None) -> Model:
    """Return the Model of a path, of `-` (standard input), or of a shipped config (`mobilenet`, `mobilenet.yaml`).

    A file of that name in the working directory takes precedence. Includes are relative to the file. A name that ends
    in `.onnx` or `.tflite` is read as a graph; `.json` and `.keras` as the configuration of a Keras model.
    Links that leave `top` are refused. It defaults to the working directory, or to the directory of a file outside it.
    Raises FileError or SpecError.
    """
    with within("seconds", f"reading {brief(os.fspath(spec))!r}"):
        return _loaded(spec, top)


def _loaded(spec: str | os.PathLike[str], top: str | None) -> Model:
    form = format_of(spec)
    _refuse_other_kinds(os.fspath(spec))
    if form is SPEC or not os.path.exists(spec):
        return modelled(*found(spec, top))
    path = os.fspath(spec)
    check_links(path, top)
    return modelled(form.from_file(path), origin(path))


def _refuse_other_kinds(path: str) -> None:
    """Raise FileError for a known model format that is not read, with the way to import it."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in ELSEWHERE and os.path.exists(path):
        raise FileError(Problem("other-kind", f"{path!r} is not a spec", help=ELSEWHERE[suffix]))


def modelled(source: Source, origin: Origin) -> Model:
    """Return the Model of a source, in the format of its origin's name. Includes are relative to the origin."""
    with within("seconds", f"reading {brief(source.path)!r}"):
        return format_of(origin.path).to_model(source, origin)


def source(spec: str | os.PathLike[str]) -> Source:
    """The Source of a spec."""
    return found(spec)[0]


def found(spec: str | os.PathLike[str], top: str | None = None) -> tuple[Source, Origin]:
    """The Source of a spec, and the origin for its includes. `top` as in `load`."""
    spec = os.fspath(spec)
    if spec == "-":
        return Source("-", decoded(_given(), "standard input")), origin("-")
    if os.path.exists(spec):
        check_links(spec, top)
        return Source(spec, text(spec)), origin(spec)
    name = spec.removesuffix(".yaml")
    if name not in configs():
        raise FileError(Problem("no-file", f"there is no file {spec!r}", help=_similar(spec)))
    return shipped().source(f"{name}.yaml"), Origin(shipped(), f"{name}.yaml")


def _given() -> bytes:
    """Read standard input, at most one byte more than the limit for a spec. Raises FileError."""
    try:
        if sys.stdin is None:
            raise OSError(0, "it is closed")
        read = getattr(sys.stdin, "buffer", sys.stdin).read
        data = read(limits.FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: this process closed it
        why = getattr(error, "strerror", None) or "it is closed"
        raise FileError(Problem("unreadable", f"cannot read standard input: {why}")) from None
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")


def _similar(spec: str) -> str:
    folder, name = os.path.split(spec)
    stem = name.removesuffix(".yaml").removesuffix(".yml")
    help = nearest(name, specs_in(folder or ".")) or nearest(stem, configs())
    return help or "`costcalc zoo` lists the shipped configs"
