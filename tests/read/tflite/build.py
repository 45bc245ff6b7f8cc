"""Build small TensorFlow Lite files by hand, including files that no converter would write."""

import struct
from typing import NamedTuple

import flatbuffers
import tflite

LETTERS = {"FLOAT32": "f", "INT32": "i", "INT8": "b", "INT64": "q", "BOOL": "?"}


class Tensor(NamedTuple):
    """A tensor: its sizes, its values if it is a constant, -1 in `signature` for an open size."""

    shape: tuple
    values: tuple | None = None
    type: str = "FLOAT32"
    name: str = ""
    scaled: bool = False
    signature: tuple = ()
    variable: bool = False


class Operator(NamedTuple):
    """An operator on tensors by number; `custom` is the name of a custom operator."""

    kind: str
    inputs: tuple
    outputs: tuple
    options: str = ""
    fields: dict = {}  # noqa: RUF012
    custom: str = ""


class Graph(NamedTuple):
    """A subgraph."""

    tensors: list
    operators: list
    inputs: tuple
    outputs: tuple


def built(*graphs):
    """The bytes of a file of these subgraphs; each constant has its own buffer."""
    builder = flatbuffers.Builder(1024)
    buffers, codes = [b""], []
    parts = [_graph(builder, graph, buffers, codes) for graph in graphs]
    made = [_buffer(builder, data) for data in buffers]
    operators = [_code(builder, *code) for code in codes]
    lists = [_offsets(builder, found) for found in (operators, parts, made)]
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, lists[0])
    tflite.ModelAddSubgraphs(builder, lists[1])
    tflite.ModelAddBuffers(builder, lists[2])
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def _graph(builder, graph, buffers, codes):
    tensors = _offsets(builder, [_tensor(builder, one, at, buffers) for at, one in enumerate(graph.tensors)])
    operators = _offsets(builder, [_operator(builder, one, codes) for one in graph.operators])
    inputs, outputs = _whole(builder, graph.inputs), _whole(builder, graph.outputs)
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensors)
    tflite.SubGraphAddInputs(builder, inputs)
    tflite.SubGraphAddOutputs(builder, outputs)
    tflite.SubGraphAddOperators(builder, operators)
    return tflite.SubGraphEnd(builder)


def _tensor(builder, one, at, buffers):
    name = builder.CreateString(one.name or f"t{at}")
    shape, signature = _whole(builder, one.shape), _whole(builder, one.signature)
    scales = None
    if one.scaled:
        builder.StartVector(4, 1, 4)
        builder.PrependFloat32(0.5)
        numbers = builder.EndVector()
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, numbers)
        scales = tflite.QuantizationParametersEnd(builder)
    number = 0
    if one.values is not None:
        number = len(buffers)
        buffers.append(struct.pack(f"<{len(one.values)}{LETTERS[one.type]}", *one.values))
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, getattr(tflite.TensorType, one.type))
    tflite.TensorAddBuffer(builder, number)
    tflite.TensorAddName(builder, name)
    if scales is not None:
        tflite.TensorAddQuantization(builder, scales)
    tflite.TensorAddIsVariable(builder, one.variable)
    if one.signature:
        tflite.TensorAddShapeSignature(builder, signature)
    return tflite.TensorEnd(builder)


def _operator(builder, one, codes):
    code = (one.kind, one.custom)
    if code not in codes:
        codes.append(code)
    inputs, outputs, options = _whole(builder, one.inputs), _whole(builder, one.outputs), None
    if one.options:
        vectors = {name: _whole(builder, value) for name, value in one.fields.items() if isinstance(value, tuple)}
        getattr(tflite, f"{one.options}Start")(builder)
        for name, value in one.fields.items():
            getattr(tflite, f"{one.options}Add{name}")(builder, vectors.get(name, value))
        options = getattr(tflite, f"{one.options}End")(builder)
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, codes.index(code))
    tflite.OperatorAddInputs(builder, inputs)
    tflite.OperatorAddOutputs(builder, outputs)
    if options is not None:
        tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, one.options))
        tflite.OperatorAddBuiltinOptions(builder, options)
    return tflite.OperatorEnd(builder)


def _code(builder, kind, custom):
    name, number = builder.CreateString(custom), getattr(tflite.BuiltinOperator, kind)
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
    tflite.OperatorCodeAddBuiltinCode(builder, number)
    if custom:
        tflite.OperatorCodeAddCustomCode(builder, name)
    return tflite.OperatorCodeEnd(builder)


def _buffer(builder, data):
    vector = builder.CreateByteVector(data) if data else None
    tflite.BufferStart(builder)
    if vector is not None:
        tflite.BufferAddData(builder, vector)
    return tflite.BufferEnd(builder)


def _whole(builder, numbers):
    builder.StartVector(4, len(numbers), 4)
    for number in reversed(numbers):
        builder.PrependInt32(number)
    return builder.EndVector()


def _offsets(builder, offsets):
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()
