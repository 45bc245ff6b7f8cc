"""A TensorFlow Lite file, mapped into memory, and the tensors and operators of its subgraphs.

Operators have the same fields as the nodes of an ONNX graph.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from math import prod
from types import ModuleType
from typing import Any

from ... import limits
from ...allowance import spend
from ...errors import FileError, Problem, Refused, Source, brief
from ...files import Pages, opened
from ...records import NamedTuple
from ..onnx.calls import Attribute
from ..onnx.tensors import Tensor

_MARK, _MARK_AT = b"TFL3", 4  # after the offset of the root
_LEAST = 16


def source(path: str) -> Source:
    """The Source of a file. Raises FileError."""
    with opened(path) as file:
        return checked(Pages(file, os.fstat(file.fileno()).st_size), path)


def checked(data: bytes | Pages, path: str) -> Source:
    """Check the bytes of a file and return its Source. Raises FileError if it is too large or of another format."""
    if len(data) > limits.GRAPH_FILE_BYTES:
        message = f"{path!r} is larger than {limits.GRAPH_FILE_BYTES:,} bytes"
        raise FileError(Problem("limit", message, help=limits.hint("graph_file_bytes")))
    if len(data) < _LEAST or data[_MARK_AT : _MARK_AT + len(_MARK)] != _MARK:
        help = "a .tflite file has the letters TFL3 after its first four bytes"
        raise FileError(Problem("bad-tflite", f"{path!r} is not a TensorFlow Lite model", help=help))
    if isinstance(data, Pages):
        data.file.flush()
        data = mmap.mmap(data.file.fileno(), len(data), access=mmap.ACCESS_READ)  # type: ignore[assignment]
    return Source(path, "", data)  # type: ignore[arg-type]


@lru_cache(1)
def schema() -> ModuleType:
    """Import the package `tflite`, which reads flatbuffers. Raises FileError if it is not installed."""
    try:
        import tflite
    except ImportError:
        help = "pip install 'costcalc[tflite]'"
        message = "reading TensorFlow Lite models needs the package `tflite`"
        raise FileError(Problem("missing-extra", message, help=help)) from None
    return tflite


@lru_cache(2)
def names(enumeration: str) -> dict[int, str]:
    """Names of an enumeration of the schema, by number."""
    found: dict[str, Any] = vars(getattr(schema(), enumeration))
    return {number: name for name, number in found.items() if isinstance(number, int)}


LETTERS = 1_000  # most bytes of a name that are read
_EACH = 8  # parts counted for each tensor or operator
_FORMATS = {"FLOAT32": "f", "FLOAT16": "e", "FLOAT64": "d", "INT64": "q", "UINT64": "Q", "INT32": "i", "UINT32": "I"}
_SMALL = {"INT16": "h", "UINT16": "H", "INT8": "b", "UINT8": "B", "BOOL": "?"}
_VALUES = {**_FORMATS, **_SMALL}
BITS = {"FLOAT16": 16, "BFLOAT16": 16, "INT16": 16, "UINT16": 16, "INT8": 8, "UINT8": 8, "INT4": 4}  # all others: 32
_FLOATS = frozenset(("FLOAT32", "FLOAT16", "FLOAT64", "BFLOAT16"))
_COMPLEX = frozenset(("COMPLEX64", "COMPLEX128"))
_NOT_READ = ("AsNumpy", "IsNone", "Length")


class Operator(NamedTuple):
    """One operator as the reader walks it.

    name     the name of its first output; operators have no names
    input    its tensors as numbers in the subgraph, "" for an omitted one
    options  the name of the table that its attributes come from
    """

    name: str
    op_type: str
    domain: str
    input: tuple[str, ...]
    output: tuple[str, ...]
    attribute: tuple[Attribute, ...]
    options: str


class Given(NamedTuple):
    """A tensor as declared in the file: name, type, sizes (-1 if open), whether it has a scale, and its buffer."""

    name: str
    type: str
    shape: tuple[int, ...]
    is_scaled: bool
    buffer: int
    is_variable: bool

    @property
    def is_open(self) -> bool:
        """Whether a size is unknown."""
        return -1 in self.shape

    @property
    def bits(self) -> int:
        """Bits per value if fewer than 32, else 0."""
        return BITS.get(self.type, 0)

    @property
    def is_trained(self) -> bool:
        """Whether a constant of this type counts as parameters: real numbers, and integers that have a scale."""
        return self.type in _FLOATS or self.type in _COMPLEX or self.is_scaled


class Parts:
    """Counter of the parts of a file that were read: list entries, constant values, and characters in tens."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, count: int) -> None:
        """Add to the count. Raises Refused above the limit, even if a file refers to the same bytes repeatedly."""
        spend(count)
        self.count += count
        if self.count > limits.GRAPH_FIELDS:
            message = f"more than {limits.GRAPH_FIELDS:,} of its parts would be read"
            raise Refused(message, help=limits.hint("graph_fields"))


class Graph:
    """A subgraph of a file."""

    def __init__(self, model: Any, number: int, parts: Parts) -> None:
        self.model, self.number, self.graph, self.parts = model, number, model.Subgraphs(number), parts
        self.kinds: dict[int, tuple[str, str]] = {}
        self.inputs = tuple(map(self.graph.Inputs, bounded(self.graph.InputsLength(), limits.OPEN_AXES)))
        self.outputs = tuple(map(self.graph.Outputs, bounded(self.graph.OutputsLength(), limits.OPEN_AXES)))
        self.tensors = [self._given(at) for at in bounded(self.graph.TensorsLength(), 4 * limits.NODES)]

    @cached_property
    def operators(self) -> list[Operator]:
        """Operators in execution order."""
        found = bounded(self.graph.OperatorsLength(), limits.NODES)
        self.parts.add(_EACH * len(found))
        return [self._operator(self.graph.Operators(at)) for at in found]

    @property
    def named(self) -> list[int]:
        """Subgraphs that its operators refer to."""
        return [getattr(each, "i", -1) for one in self.operators for each in one.attribute if "Subgraph" in each.name]

    @cached_property
    def makers(self) -> dict[str, Operator]:
        """Operator that produces each tensor. Raises Refused if two operators produce the same one."""
        found: dict[str, Operator] = {}
        for one in self.operators:
            for name in one.output:
                if name in found:
                    raise Refused(f"two operators make tensor {name}")
                found[name] = one
        return found

    def given(self, number: int) -> Given:
        """Declaration of a tensor. Raises Refused if the number does not exist."""
        if not 0 <= number < len(self.tensors):
            raise Refused(f"there is no tensor {number}")
        return self.tensors[number]

    def constant(self, number: int) -> Tensor:
        """Return a constant tensor: its shape, its values if few, and its buffer as root."""
        given = self.given(number)
        if given.is_open:
            raise Refused(f"the constant `{brief(given.name)}` has an open size")
        roots = frozenset([self.root(number)] if given.is_trained else ())
        return Tensor(given.shape, self._values(given), roots)

    def root(self, number: int) -> str:
        """Name of the buffer of a constant. Tensors that share a buffer share their parameters."""
        buffer = self.given(number).buffer
        return f"buffer {buffer}" if buffer else f"tensor {self.number}.{number}"

    def _given(self, at: int) -> Given:
        one = self.graph.Tensors(at)
        rank = one.ShapeLength()
        if rank > limits.RANK:
            raise Refused(f"a tensor of {rank} axes has too many: the limit is {limits.RANK}")
        sizes = [one.Shape(axis) for axis in range(rank)]
        signed = one.ShapeSignatureLength() == rank and [one.ShapeSignature(axis) for axis in range(rank)]
        shape = tuple(-1 if signed and signed[axis] == -1 else size for axis, size in enumerate(sizes))
        if min(shape, default=0) < -1 or prod(map(abs, shape)) > limits.TOTAL:
            raise Refused(f"a tensor cannot have the sizes {list(shape)}")
        scales = one.Quantization()
        scaled = scales is not None and (scales.ScaleLength() > 0 or scales.DetailsType() != 0)
        type = names("TensorType").get(one.Type(), "")
        name = text(one, 10)
        self.parts.add(_EACH + len(name) // 10)
        return Given(name, type, shape, scaled, one.Buffer(), one.IsVariable())

    def _values(self, given: Given) -> tuple[float, ...] | None:
        """Values of a constant if they are few and stored in the file, else None."""
        letter, count = _VALUES.get(given.type), prod(given.shape)
        if letter is None or count > limits.FOLDED or not 0 < given.buffer < self.model.BuffersLength():
            return None
        buffer = self.model.Buffers(given.buffer)
        if buffer.DataLength() != count * struct.calcsize(letter):
            return None
        self.parts.add(count)
        tab = buffer._tab
        return struct.unpack_from(f"<{count}{letter}", tab.Bytes, tab.Vector(tab.Offset(4)))

    def _operator(self, one: Any) -> Operator:
        kind, domain = self._kind(one.OpcodeIndex())
        inputs = tuple(map(one.Inputs, bounded(one.InputsLength(), limits.OPEN_AXES)))
        outputs = tuple(map(one.Outputs, bounded(one.OutputsLength(), limits.OPEN_AXES)))
        self.parts.add(len(inputs) + len(outputs))
        options, attributes = _attributes(one)
        name = self.given(outputs[0]).name if outputs else kind
        return Operator(name, kind, domain, self._read(inputs), self._read(outputs), attributes, options)

    def _kind(self, number: int) -> tuple[str, str]:
        """(operator, domain) of an operator code. Custom operators keep their own names."""
        if number not in self.kinds:
            if not 0 <= number < self.model.OperatorCodesLength():
                raise Refused(f"there is no operator code {number}")
            code = self.model.OperatorCodes(number)
            builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            kind = names("BuiltinOperator").get(builtin, "")
            if not kind:
                raise Refused(f"operator number {builtin} is unknown")
            custom = text(code, 6) or "CUSTOM"
            self.kinds[number] = (custom, "custom") if kind == "CUSTOM" else (kind, "tflite")
        return self.kinds[number]

    def _read(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        """Names of tensors in the scope, from their numbers."""
        return tuple("" if number == -1 else str(number) for number in numbers if number == -1 or self.given(number))


def _attributes(one: Any) -> tuple[str, tuple[Attribute, ...]]:
    """(name, fields) of an operator's options table."""
    for suffix in ("", "2"):
        kind = getattr(one, f"BuiltinOptions{suffix}Type")()
        if kind:
            name = names(f"BuiltinOptions{suffix}").get(kind, "")
            table, found = getattr(one, f"BuiltinOptions{suffix}")(), getattr(schema(), name, None)
            if table is None or found is None:
                raise Refused(f"options number {kind} are unknown")
            options = found()
            options.Init(table.Bytes, table.Pos)
            return name, tuple(_fields(options))
    return "", ()


def _fields(options: Any) -> Iterator[Attribute]:
    """Fields of an options table, as attributes."""
    for name, method in vars(type(options)).items():
        if not callable(method) or name.startswith(("_", "Init")) or name.endswith(_NOT_READ):
            continue
        length = getattr(options, f"{name}Length", None)
        if length is not None:
            yield Attribute(name, [_plain(getattr(options, name), at) for at in bounded(length(), limits.FOLDED)])
        else:
            value = _plain(getattr(options, name))
            if value is not None:
                yield Attribute(name, value)


def _plain(method: Callable[..., Any], *at: int) -> Any:
    """Value of an option. Texts are truncated."""
    value = method(*at)
    return value[:LETTERS].decode("utf-8", "replace") if isinstance(value, bytes) else value


def text(table: Any, slot: int) -> str:
    """Text in a field of a table, truncated, or empty if missing."""
    tab = table._tab
    offset = tab.Offset(slot)
    if not offset:
        return ""
    place = tab.Indirect(offset + tab.Pos)
    size = struct.unpack_from("<I", tab.Bytes, place)[0]
    return bytes(tab.Bytes[place + 4 : place + 4 + min(size, LETTERS)]).decode("utf-8", "replace")


def bounded(length: int, most: int) -> range:
    """Indices of a vector. Raises Refused if it is too long."""
    if not 0 <= length <= most:
        raise Refused(f"it has {length:,} entries in one list: the limit is {most:,}")
    return range(length)
