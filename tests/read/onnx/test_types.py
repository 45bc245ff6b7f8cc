"""Tensor types in a file set the bit widths, by hand: float16, float64, integers, casts."""

import pytest

from costcalc import analyze, import_, memory
from costcalc.errors import Source
from costcalc.read.spec.reader import read

onnx = pytest.importorskip("onnx")
make, info, TYPES = onnx.helper.make_node, onnx.helper.make_tensor_value_info, onnx.TensorProto
SIZES = {TYPES.FLOAT16: 2, TYPES.BFLOAT16: 2, TYPES.FLOAT: 4, TYPES.DOUBLE: 8}


def stored(name, kind, *shape):
    found = onnx.TensorProto(name=name, data_type=kind, dims=shape)
    count = 1
    for size in shape:
        count *= size
    found.raw_data = bytes(count * SIZES.get(kind, 8))
    return found


@pytest.fixture
def saved(tmp_path):
    """Write a graph with one input; return its path."""

    def write(nodes, tensors, kind=TYPES.FLOAT16, shape=(1, 3, 8, 8), last=0, inner=()):
        ends = [info("x", kind, shape)], [info("y", last or kind, None)]
        graph = onnx.helper.make_graph(nodes, "g", *ends, tensors, value_info=inner)
        onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)]), tmp_path / "t.onnx")
        return tmp_path / "t.onnx"

    return write


def weights(path):
    return analyze(path, convention="framework", metrics=["weights_bytes"]).totals["weights_bytes"]


def figures(model):
    peaks = [memory(model, policy=name).peak_bytes for name in ("fused", "unfused")]
    return [weights(model), *peaks, analyze(model, metrics=["bytes_moved"]).totals["bytes_moved"]]


@pytest.mark.parametrize("kind", SIZES)
def test_a_network_of_one_type(saved, kind):
    """3x8x8 to 4x8x8: 108 weights and 4 biases; unfused the convolution's result and the activation's are largest."""
    nodes = [make("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]), make("Relu", ["c"], ["y"])]
    path = saved(nodes, [stored("w", kind, 4, 3, 3, 3), stored("b", kind, 4)], kind)
    assert weights(path) == 112 * SIZES[kind]
    assert memory(path, policy="unfused").peak_bytes == 2 * 256 * SIZES[kind]
    assert memory(path).peak_bytes == (192 + 256) * SIZES[kind]
    assert memory(path, bits=8).peak_bytes == 192 + 256


def test_a_cast_makes_a_tensor_of_other_bits(saved):
    nodes = [make("Cast", ["x"], ["h"], to=TYPES.FLOAT16), make("Conv", ["h", "w"], ["y"])]
    path = saved(nodes, [stored("w", TYPES.FLOAT16, 4, 3, 1, 1)], TYPES.FLOAT, last=TYPES.FLOAT16)
    live = [one.bytes for one in memory(path).schedule]
    assert live == [192 * 4 + 192 * 2, 192 * 2 + 256 * 2]


def test_numbers_of_two_types_in_one_layer(saved):
    """Since version 15, a float16 batch norm can have 32-bit statistics; neither kind is a weight here."""
    kinds = dict.fromkeys("sb", TYPES.FLOAT16) | dict.fromkeys("mv", TYPES.FLOAT)
    nodes = [make("Conv", ["x", "w"], ["c"]), make("BatchNormalization", ["c", "s", "b", "m", "v"], ["y"])]
    tensors = [stored(name, kind, 4) for name, kind in kinds.items()]
    path = saved(nodes, [stored("w", TYPES.FLOAT, 4, 3, 1, 1), *tensors])
    assert weights(path) == 12 * 4 + 8 * 4  # the widest counted parameter of the norm, so never less than stored
    nodes = [make("LayerNormalization", ["x", "s", "b"], ["n"]), make("MatMul", ["n", "m"], ["y"])]
    tensors = [stored(name, TYPES.FLOAT, 8) for name in "sb"]
    assert weights(saved(nodes, [*tensors, stored("m", TYPES.FLOAT16, 8, 4)])) == 16 * 4 + 32 * 2


def test_whole_numbers_are_as_wide_as_they_are(saved):
    nodes = [make("Gather", ["t", "x"], ["e"]), make("Relu", ["e"], ["y"])]
    path = saved(nodes, [stored("t", TYPES.FLOAT, 50, 16)], TYPES.INT64, (1, 10), TYPES.FLOAT)
    assert memory(path).schedule[0].bytes == 10 * 8 + 160 * 4
    found = [
        one.bytes
        for one in memory(
            saved([make("Greater", ["x", "z"], ["y"])], [stored("z", TYPES.FLOAT, 1)], TYPES.FLOAT, last=TYPES.BOOL)
        ).schedule
    ]
    assert found == [192 * 4 + 192]


def test_a_declared_type_holds_where_an_operator_is_not_known(saved):
    nodes = [make("Odd", ["x"], ["o"], domain="own"), make("Relu", ["o"], ["y"])]
    path = saved(nodes, [], TYPES.FLOAT, inner=[info("o", TYPES.DOUBLE, [1, 4, 8, 8])], last=TYPES.DOUBLE)
    assert memory(path, policy="unfused").schedule[0].bytes == 192 * 4 + 256 * 8


CAST = [make("Cast", ["x"], ["h"], to=TYPES.FLOAT16), make("Conv", ["h", "w", "b"], ["c"]), make("Relu", ["c"], ["y"])]
PLAIN = [make("Conv", ["x", "w", "b"], ["c"]), make("Relu", ["c"], ["y"])]
TABLE = [make("Gather", ["t", "x"], ["e"]), make("MatMul", ["e", "w"], ["y"])]


@pytest.mark.parametrize(
    ("nodes", "tensors", "how"),
    [
        (PLAIN, [("w", TYPES.FLOAT16, 4, 3, 1, 1), ("b", TYPES.FLOAT16, 4)], {}),
        (CAST, [("w", TYPES.FLOAT16, 4, 3, 1, 1), ("b", TYPES.FLOAT, 4)], {"kind": TYPES.FLOAT, "last": TYPES.FLOAT16}),
        (
            TABLE,
            [("t", TYPES.FLOAT, 50, 16), ("w", TYPES.DOUBLE, 16, 4)],
            {"kind": TYPES.INT64, "shape": (1, 10), "last": TYPES.FLOAT},
        ),
    ],
)
def test_a_written_spec_has_the_same_bytes(saved, nodes, tensors, how):
    path = saved(nodes, [stored(*one) for one in tensors], **how)
    text = str(import_(path))
    assert "bits" in text
    assert figures(read(Source("s.yaml", text))) == figures(path)
