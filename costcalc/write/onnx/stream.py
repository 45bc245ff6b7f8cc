"""Write an ONNX file in pieces. Weights are generated while they are written and never held in memory together.

A protobuf field is a key, the number of bytes, and the bytes. The sizes of all messages follow from the shapes of the
weights. Fields are in the order of their numbers, as protobuf writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Any

from ... import __version__
from ...allowance import look
from ...errors import OptionError, Problem
from ...num.values import Shape
from ...read.onnx.file import MARK
from .builder import Network, Weight

OPSET, IR = 21, 10
LARGEST = 2**31 - 2**24  # most bytes of weights: protobuf files are limited to 2 GiB
_FLOAT, _INT64 = 1, 7  # onnx.TensorProto


def proven(network: Network, name: str) -> Any:
    """Return the model with weights as inputs, after the checker and shape inference of ONNX have verified it.

    Raises AssertionError if the inferred shapes differ, which would be a bug of the export.
    """
    import onnx

    weights = (_info(one, weight.shape, _FLOAT, MARK) for one, weight in _named(network))
    model = assembled(network, name, inputs=weights)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    found = {
        one.name: tuple(size.dim_value for size in one.type.tensor_type.shape.dim)
        for one in (*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input)
    }
    for value in network.rows:
        assert found[value.name] == value.stored, f"{value.name}: {found[value.name]} is not {value.stored}"
    return model


def check_size(network: Network) -> None:
    """Raise OptionError if the weights exceed the size of a file."""
    size = 4 * sum(prod(one.shape) for one in network.builder.weights.values())
    if size > LARGEST:
        help = "`--weights none` makes them inputs of the graph"
        raise OptionError(Problem("limit", f"{size:,} bytes of weights are too much for one ONNX file", help=help))


def _named(network: Network) -> Any:
    return network.builder.weights.items()


def assembled(network: Network, name: str, inputs: Iterable[Any] = (), shown: bool = False) -> Any:
    """Create the model of a network without weights, with additional inputs. `shown`: state the shape of every row."""
    from onnx import helper

    b = network.builder
    graph = helper.make_graph([], name, [], [])
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=IR, producer_name=f"costcalc {__version__}")
    graph = model.graph  # filled here directly: the functions of onnx copy lists of messages
    for one in b.operators:
        made = helper.make_node(one.op, one.inputs, one.outputs, name=one.outputs[0], **one.attributes)
        graph.node.append(made)
    for constant, (kind, values, shape) in b.constants.items():
        tensor = helper.make_tensor(constant, _INT64 if kind == "int64" else _FLOAT, shape, values)
        graph.initializer.append(tensor)
    graph.input.extend(_info(one.name, one.stored, _INT64 if one.kind == "int" else _FLOAT) for one in network.inputs)
    graph.input.extend(inputs)
    graph.output.extend(_info(one.name, one.stored, _FLOAT) for one in network.outputs)
    ends = {one.name for one in network.outputs}
    for one in network.rows if shown else ():
        if one.name not in b.weights and one.name not in ends:
            graph.value_info.append(_info(one.name, one.stored, _FLOAT))
    return model


def _info(name: str, shape: Shape, kind: int, what: str = "") -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, kind, shape, doc_string=what)


PIECE = 2**18  # numbers that are generated at a time
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9  # field numbers of ModelProto, GraphProto, TensorProto
_FLOAT = 1  # onnx.TensorProto


class Pieces:
    """Bytes in pieces: their total size, and an iterator that generates them anew each time."""

    def __init__(self, size: int, make: Callable[[], Iterator[bytes]]) -> None:
        self.size, self.make = size, make

    def __iter__(self) -> Iterator[bytes]:
        return self.make()


def streamed(network: Network, name: str, how: str, seed: int) -> Pieces:
    """The bytes of a model with its weights, `random` or `zero`. The same seed gives the same bytes."""
    named = network.builder.weights
    model = assembled(network, name, shown=bool(named))
    before, after = _split(model.graph, _INITIALIZER)
    heads = {}
    for one, weight in named.items():
        head = _head(one, weight)
        heads[one] = _key(_INITIALIZER, len(head) + _bytes(weight)) + head
    stored = sum(len(head) + _bytes(named[one]) for one, head in heads.items())
    start, end = _split(model, _GRAPH, without=True)
    start += _key(_GRAPH, len(before) + stored + len(after)) + before
    end = after + end

    def make() -> Iterator[bytes]:
        import numpy as np

        generator = np.random.RandomState(seed)  # its sequence is stable between versions
        yield start
        for one, head in heads.items():
            yield head
            yield from _drawn(named[one], how, generator)
        yield end

    return Pieces(len(start) + stored + len(end), make)


def _bytes(weight: Weight) -> int:
    return 4 * prod(weight.shape)


def _head(name: str, weight: Weight) -> bytes:
    """A TensorProto up to its data."""
    from onnx import TensorProto

    tensor = TensorProto(dims=weight.shape, data_type=_FLOAT, name=name)
    return tensor.SerializeToString(deterministic=True) + _key(_RAW_DATA, _bytes(weight))


def _drawn(weight: Weight, how: str, generator: Any) -> Iterator[bytes]:
    """Initial values of a weight as little-endian 32-bit floats."""
    import numpy as np

    scale = np.float32((2 / weight.fan_in) ** 0.5)  # He et al. 2015 (arXiv:1502.01852): keeps the scale of activations
    count = prod(weight.shape)
    for start in range(0, count, PIECE):
        look()
        size = min(PIECE, count - start)
        if weight.start == "normal" and how == "random":
            yield (generator.standard_normal(size).astype("<f4") * scale).astype("<f4").tobytes()
        else:
            yield np.full(size, weight.start == "ones", "<f4").tobytes()


def _split(message: Any, number: int, without: bool = False) -> tuple[bytes, bytes]:
    """Serialize the fields of a message below a number, and the rest. `without` drops the field of that number."""
    low, high = type(message)(), type(message)()
    for part in (low, high):
        part.CopyFrom(message)
    for field, _ in message.ListFields():
        if field.number >= number:
            low.ClearField(field.name)
        if field.number < number or (without and field.number == number):
            high.ClearField(field.name)
    return low.SerializeToString(deterministic=True), high.SerializeToString(deterministic=True)


def _key(number: int, size: int) -> bytes:
    """Key and length of a field of `size` bytes."""
    return bytes([number << 3 | 2]) + _varint(size)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])
