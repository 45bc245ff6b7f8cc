"""ONNX files: graphs of exported specs with faults, and random graphs of any operators."""

from functools import lru_cache

from hypothesis import strategies as st

from costcalc.errors import Source, SpecError
from costcalc.model.variables import settle
from costcalc.model.wiring import wired
from costcalc.read.spec.reader import read

from .grammar import specs
from .onnx_accidents import ACCIDENTS
from .onnx_nodes import INTEGERS, SIZES, node

DOMAINS = ("", "ai.onnx", "com.microsoft", "own")
SHAPES = ((1, 3, 8, 8), (1, 4, 8), (2, 4), (1, 6, 4), (4,), (), ("batch", 3, "h", "w"), (0, 3), (1, 2, 3, 4, 5))
VERSIONS = (1, 6, 8, 9, 10, 11, 12, 13, 15, 16, 18, 19, 20, 21, 22, 23, 24)


@st.composite
def exported(draw):
    """The ModelProto of a valid spec from `costcalc export`, without weights."""
    from onnx import TensorProto

    from costcalc.write.onnx.builder import built
    from costcalc.write.onnx.stream import assembled

    model = read(Source("net.yaml", draw(specs())))
    try:
        network = built(wired(model, settle(model, {})))
    except SpecError:
        return draw(random())
    weights = [
        TensorProto(name=name, data_type=1, dims=weight.shape, data_location=1, external_data=_location())
        for name, weight in network.builder.weights.items()
    ]
    model = assembled(network, "net", shown=True)
    model.graph.initializer.extend(weights)
    return model


@lru_cache(1)
def _location():
    from onnx import StringStringEntryProto

    return [StringStringEntryProto(key="location", value="weights")]


@st.composite
def random(draw):
    """A ModelProto of nodes with random inputs and attributes, in a valid execution order."""
    from onnx import ModelProto, helper

    known, graph = ["x", "y"], ModelProto().graph
    for name in known:
        graph.input.append(helper.make_tensor_value_info(name, 1, draw(st.sampled_from(SHAPES))))
    for name, values in {"i": draw(INTEGERS), "j": draw(INTEGERS)}.items():
        graph.initializer.append(helper.make_tensor(name, 7, [len(values)], values))
    for name in ("v", "w"):
        graph.initializer.add(name=name, data_type=1, dims=draw(SIZES), data_location=1, external_data=_location())
    for _ in range(draw(st.integers(1, 6))):
        made = draw(node([*known, "v", "w"], ["i", "j"], len(known)))
        graph.node.append(made)
        known += made.output
    graph.output.append(helper.make_empty_tensor_value_info(known[-1]))
    model = ModelProto(ir_version=10, graph=graph)
    version = draw(st.sampled_from(VERSIONS))
    model.opset_import.extend(
        helper.make_opsetid(domain, version if domain in DOMAINS[:2] else 1) for domain in DOMAINS
    )
    return model


@st.composite
def graphs(draw):
    """The bytes of an ONNX file: an exported spec, possibly with faults, or a random graph."""
    model = draw(st.one_of(exported(), exported(), random()))
    for _ in range(draw(st.integers(0, 4))):
        draw(st.sampled_from(ACCIDENTS))(draw, model)
    data = bytearray(model.SerializeToString())
    for _ in range(draw(st.sampled_from((*[0] * 7, 1, 3)))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 19)) == 19 else data)
