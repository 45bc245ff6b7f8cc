"""A built graph as the bytes of an ONNX file, proven by ONNX's own checker and shape inference."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from ...errors import OptionError, Problem
from ...read.onnx.weights import MARK

if TYPE_CHECKING:
    from ...num.values import Number, Shape
    from .builder import Weight
    from .graph import Network


OPSET, IR = 21, 10
LARGEST = 2**31 - 2**24  # bytes of weights: a file of protocol buffers ends at 2 GiB
_FLOAT, _INT64 = 1, 7  # onnx.TensorProto


def proven(network: Network, name: str) -> Any:
    """The model without weights, which are inputs; ONNX itself has checked it and found the shapes of every row.

    Raises AssertionError where it finds others: that would be a fault of the export.
    """
    import onnx

    model = assembled(network, name, inputs=[_info(one, weight.shape, _FLOAT, MARK) for one, weight in _named(network)])
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    found = {
        one.name: tuple(size.dim_value for size in one.type.tensor_type.shape.dim)
        for one in (*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input)
    }
    for value in network.rows:
        assert found[value.name] == value.stored, f"{value.name}: {found[value.name]} is not {value.stored}"
    return model


def with_weights(network: Network, name: str, how: str, seed: int) -> Any:
    """The model with its weights, `random` or `zero`: the same bytes for the same seed.

    Raises OptionError for more weights than a file can hold.
    """
    import numpy as np

    size = 4 * sum(prod(one.shape) for one in network.builder.weights.values())
    if size > LARGEST:
        help = "`--weights none` makes them inputs of the graph"
        raise OptionError(Problem("limit", f"{size:,} bytes of weights are too much for one ONNX file", help=help))
    generator = np.random.RandomState(seed)  # its numbers never change between versions
    return assembled(network, name, weights=[_tensor(one, weight, how, generator) for one, weight in _named(network)])


def _named(network: Network) -> Any:
    return network.builder.weights.items()


def _tensor(name: str, weight: Weight, how: str, generator: Number) -> Any:
    import numpy as np
    from onnx import numpy_helper

    if weight.start == "ones":
        values = np.ones(weight.shape, np.float32)
    elif weight.start == "zeros" or how == "zero":
        values = np.zeros(weight.shape, np.float32)
    else:  # He et al. 2015 (arXiv:1502.01852): the size of what flows stays the same
        values = generator.standard_normal(weight.shape).astype(np.float32)
        values *= np.float32((2 / weight.fan_in) ** 0.5)
    return numpy_helper.from_array(values, name)


def assembled(network: Network, name: str, inputs: Sequence[Any] = (), weights: Sequence[Any] = ()) -> Any:
    """The model of a network with more inputs, or with stored weights."""
    from onnx import helper

    from ... import __version__

    b = network.builder
    nodes = [
        helper.make_node(one.op, one.inputs, one.outputs, name=one.outputs[0], **one.attributes) for one in b.operators
    ]
    constants = [
        helper.make_tensor(constant, _INT64 if kind == "int64" else _FLOAT, shape, values)
        for constant, (kind, values, shape) in b.constants.items()
    ]
    flowing = [_info(value.name, value.stored, _INT64 if value.kind == "int" else _FLOAT) for value in network.inputs]
    outputs = [_info(value.name, value.stored, _FLOAT) for value in network.outputs]
    known = [_info(value.name, value.stored, _FLOAT) for value in network.rows if value.name not in b.weights]
    shown = {one.name for one in outputs}
    graph = helper.make_graph(
        *(nodes, name, [*flowing, *inputs], outputs, [*weights, *constants]),
        value_info=[one for one in known if one.name not in shown] if weights else [],
    )
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR, producer_name=f"costcalc {__version__}")


def _info(name: str, shape: Shape, kind: int, what: str = "") -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, kind, shape, doc_string=what)
