"""Networks that library functions accept: paths, texts, mappings, open files and framework models.

`loading.load` reads paths only. Commands use it because their arguments may come from untrusted sources.
"""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeGuard

from .. import limits
from ..allowance import within
from ..errors import ArgumentError, FileError, Problem, Source, SpecError, brief
from ..files import decoded, origin, stem
from ..model.accounting import Stored
from ..model.network import Model
from . import loading
from .loading import READERS, SPEC, format_of


class TorchModule(Protocol):
    """A `torch.nn.Module`."""

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """Its parameters."""

    def named_modules(self) -> Iterator[Any]:
        """Its modules by name."""


class OnnxModel(Protocol):
    """An `onnx.ModelProto`."""

    def SerializeToString(self) -> bytes:
        """The bytes of its file."""


class KerasModel(Protocol):
    """A `keras.Model`."""

    def to_json(self) -> str:
        """Its configuration."""


class File(Protocol):
    """An open file, of text or of bytes."""

    def read(self, size: int = ..., /) -> str | bytes:
        """Read at most `size` characters or bytes."""


Network: TypeAlias = str | os.PathLike[str] | Model | Mapping[str, Any] | File | TorchModule | OnnxModel | KerasModel
Sizes: TypeAlias = str | Sequence[int]  # of an input, without the batch, channels last
Inputs: TypeAlias = Sizes | Sequence[Sizes] | Any  # or a tensor, as the module receives it

ACCEPTED = (
    "a path, the name of a shipped config, the text of a spec (it has a line break or starts with `{`), a mapping, "
    "an open file, a torch.nn.Module with `input=`, an onnx.ModelProto, a keras.Model, or what `costcalc.load` gives"
)


def load(spec: Network, input: Inputs | None = None) -> Model:
    """Return the Model of any supported network. All library functions read their networks with it.

    spec   a path or the name of a shipped config; the text of a spec; a mapping (a spec or a Keras configuration);
           an open file, its format given by its name; a torch.nn.Module; an onnx.ModelProto; a keras.Model; a Model
    input  for a torch.nn.Module only: sizes without the batch, channels last (`"224x224x3"`, `(224, 224, 3)`), with
           `:int64` for integers (`"128:int64"`), a list of them for several inputs, or an example tensor

    Only the forward function of a torch.nn.Module is run, on the meta device. The module is not changed.
    Raises CostcalcError. For a type that is not a network, the error is also a TypeError.
    """
    read = _reader(spec)
    if input is not None and read is not _from_torch:
        raise _no_module()
    return _from_torch(spec, input) if read is _from_torch else read(spec)


def loaded(specs: Sequence[Network], input: Inputs | None = None) -> list[Model]:
    """Return the Models of several networks. `input` applies to each torch.nn.Module; at least one is required."""
    if input is not None and not any(_reader(spec) is _from_torch for spec in specs):
        raise _no_module()
    return [load(spec, input if _reader(spec) is _from_torch else None) for spec in specs]


def _no_module() -> ArgumentError:
    message = "`input` is for a torch.nn.Module: other networks state their inputs themselves"
    return ArgumentError(Problem("bad-argument", message))


def name_of(spec: Network, model: Model) -> str:
    """Name that distinguishes networks of the same name: the path, or else the name of the model."""
    if is_path(spec):
        return os.fspath(spec)
    return model.source.path if isinstance(spec, Model) else model.name


def _reader(spec: Any) -> Callable[..., Model]:
    """Return the function that reads `spec`. Raises ArgumentError if `spec` is not a network."""
    for fits, read in _KINDS:
        if fits(spec):
            return read
    kind = f"{type(spec).__module__}.{type(spec).__qualname__}".removeprefix("builtins.")
    help = "give the module itself: Net()" if isinstance(spec, type) else f"give {ACCEPTED}"
    shown = f"the class `{brief(spec.__name__)}`" if isinstance(spec, type) else f"a value of type `{brief(kind)}`"
    raise ArgumentError(Problem("bad-argument", f"{shown} is not a network", help=help))


def is_path(spec: Any) -> TypeGuard[str | os.PathLike[str]]:
    """Whether `spec` is a path or the name of a shipped config, not the text of a spec or of `to_json()`."""
    return isinstance(spec, (str, os.PathLike)) and not _is_text(spec)


def _is_text(spec: Any) -> bool:
    return isinstance(spec, str) and ("\n" in spec or spec.lstrip().startswith("{"))


def _is_of(package: str, kind: str) -> Callable[[Any], bool]:
    """Return a test for instances of a class, by name. The package is not imported."""

    def fits(spec: Any) -> bool:
        classes = type(spec).__mro__
        return any(one.__name__ == kind and one.__module__.partition(".")[0] in package.split() for one in classes)

    return fits


def _from_text(spec: str) -> Model:
    return _modelled(Source("text", str(spec)), "network")  # also an instance of a subclass of str


def _from_mapping(spec: Mapping[str, Any]) -> Model:
    import json  # imported here: the command line never calls this function

    try:
        text = json.dumps(spec, indent=1, default=_plain, allow_nan=False)
    except RecursionError:
        raise SpecError(Problem("limit", "the mapping nests too deep")) from None
    except (TypeError, ValueError) as error:
        help = "a spec has mappings, lists, texts, numbers, true and false"
        raise ArgumentError(Problem("bad-argument", f"the mapping is not a spec: {error}", help=help)) from None
    return _modelled(Source("mapping", text), "network")


def _plain(value: Any) -> Any:
    """Convert values that JSON cannot represent: mappings other than dict, and NumPy numbers."""
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return value.tolist()
    raise TypeError(f"`{brief(type(value).__qualname__)}` is not a valid value in a spec")


def _from_file(spec: Any) -> Model:
    named = getattr(spec, "name", None)
    path = os.fspath(named) if isinstance(named, (str, os.PathLike)) else "file"
    with within("seconds", f"reading {brief(path)!r}"):
        data = _part(spec, path, limits.FILE_BYTES + 1)
        if isinstance(data, str):
            return _modelled(Source(path, data), "network")
        form = format_of(path) if os.path.splitext(path)[1].lower() in READERS else _form_of(data)
        most = limits.value(form.limit)
        if most >= len(data) > limits.FILE_BYTES:
            data += _part(spec, path, most + 1 - len(data))
        if len(data) > most:
            raise FileError(Problem("limit", f"{path!r} is larger than {most:,} bytes", help=limits.hint(form.limit)))
        source = form.from_bytes(data, path) if form is not SPEC else Source(path, decoded(data, path))
        return _renamed(form.to_model(source, origin(path)), path)


def _part(file: Any, path: str, size: int) -> Any:
    """Read `size` characters or bytes of an open file, fewer only at its end. Raises FileError."""
    parts: list[Any] = []
    left = size
    while left > 0:
        try:
            part = file.read(left)
        except (OSError, ValueError) as error:
            raise FileError(Problem("unreadable", f"cannot read {path!r}: {error}")) from None
        if not isinstance(part, (str, bytes)):
            raise ArgumentError(Problem("bad-argument", f"{path!r} returns neither text nor bytes"))
        parts.append(part)
        left -= len(part)
        if not part:
            break
    return type(parts[0])().join(parts)


def _form_of(data: bytes) -> Any:
    """Format of bytes without a file name: a Keras archive, a text, or otherwise an ONNX model."""
    if data[:2] == b"PK":
        return READERS[".keras"]
    return READERS[".onnx"] if b"\0" in data[:4096] or b"\x08" in data[:1] else READERS[".json"]


def _modelled(source: Source, name: str) -> Model:
    """Return the Model of a text: a spec or a Keras configuration. Includes are relative to its path."""
    if len(source.text) > limits.FILE_BYTES:
        raise FileError(Problem("limit", f"the {source.path} is larger than {limits.FILE_BYTES:,} bytes"))
    with within("seconds", f"reading the {source.path}"):
        return _renamed(READERS[".json"].to_model(source, origin(source.path)), name)


def _renamed(model: Model, name: str) -> Model:
    """Rename the model to `name` if its name comes from the path of its source."""
    return model._replace(name=stem(name)) if model.name == stem(model.source.path) else model


def _from_onnx(spec: Any) -> Model:
    name = getattr(getattr(spec, "graph", None), "name", "") or "model"
    try:
        data = spec.SerializeToString()
    except Exception as error:  # EncodeError of the installed protobuf; larger than 2 GiB
        raise FileError(Problem("bad-onnx", f"the model cannot be serialized: {error}")) from None
    form = READERS[".onnx"]
    with within("seconds", "reading the ONNX model"):
        model = form.to_model(form.from_bytes(data, f"{brief(name)}.onnx"), origin("model.onnx"))
    return model._replace(name=name)


def _from_keras(spec: Any) -> Model:

    model, count = _modelled(Source("model", spec.to_json()), "model"), _count_of(spec)
    return model if count is None else model._replace(stored=Stored(count, whole=True))


def _count_of(spec: Any) -> int | None:
    """Number of weights that a Keras model reports, or None if it raises an error."""
    try:
        return operator.index(spec.count_params())
    except Exception:  # ValueError if the model is not built; user-defined classes can raise anything
        return None


def _from_torch(spec: Any, input: Any) -> Model:
    from .torch import program, reader
    from .torch.program import given

    name = type(spec).__name__
    if input is None:
        help = 'state the input, channels last: analyze(model, input="224x224x3")'
        raise ArgumentError(Problem("bad-argument", f"`{name}` is a torch.nn.Module: `input` is missing", help=help))
    return reader.read(program.exported_module(spec, given(input)), name, name)


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[..., Model]], ...] = (  # the first match is used
    (lambda spec: isinstance(spec, Model), lambda spec: spec),
    (_is_text, _from_text),
    (is_path, lambda spec: loading.load(spec)),
    (lambda spec: isinstance(spec, Mapping), _from_mapping),
    (
        lambda spec: "torch" in sys.modules and isinstance(spec, sys.modules["torch"].nn.Module),
        _from_torch,
    ),
    (_is_of("onnx", "ModelProto"), _from_onnx),
    (lambda spec: not isinstance(spec, type) and _is_of("keras tf_keras tensorflow", "Model")(spec), _from_keras),
    (lambda spec: not isinstance(spec, type) and callable(getattr(spec, "read", None)), _from_file),
)
