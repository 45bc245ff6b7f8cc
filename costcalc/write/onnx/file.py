"""A built graph as the bytes of an ONNX file, proven by ONNX's own checker and shape inference."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING, Any

from ...errors import OptionError, Problem
from ...read.onnx.file import MARK

if TYPE_CHECKING:
    from ...num.values import Shape
    from .graph import Network


OPSET, IR = 21, 10
LARGEST = 2**31 - 2**24  # bytes of weights: a file of protocol buffers ends at 2 GiB
_FLOAT, _INT64 = 1, 7  # onnx.TensorProto


def proven(network: Network, name: str) -> Any:
    """The model without weights, which are inputs; ONNX itself has checked it and found the shapes of every row.

    Raises AssertionError where it finds others: that would be a fault of the export.
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
    """Raise OptionError for more bytes of weights than a file can hold."""
    size = 4 * sum(prod(one.shape) for one in network.builder.weights.values())
    if size > LARGEST:
        help = "`--weights none` makes them inputs of the graph"
        raise OptionError(Problem("limit", f"{size:,} bytes of weights are too much for one ONNX file", help=help))


def _named(network: Network) -> Any:
    return network.builder.weights.items()


def assembled(network: Network, name: str, inputs: Iterable[Any] = (), shown: bool = False) -> Any:
    """The model of a network with more inputs, without weights; `shown`: it states the shape of every row."""
    from onnx import helper

    from ... import __version__

    b = network.builder
    graph = helper.make_graph([], name, [], [])
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=IR, producer_name=f"costcalc {__version__}")
    graph = model.graph  # filled here, message by message: the functions of onnx copy lists of them
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
