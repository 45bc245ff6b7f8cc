"""Bit widths of quantized graphs, by hand: QDQ, quantized operators, integers, packed low-bit weights."""

from math import prod

import pytest

from costcalc import analyze, memory

onnx = pytest.importorskip("onnx")
make, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info
METRICS = ["bops", "framework.weights_bytes", "peak_bytes"]


def number(name, *shape, kind=onnx.TensorProto.INT8):
    """A stored tensor of ones."""
    return onnx.helper.make_tensor(name, kind, shape, [1] * prod(shape))


SCALE, ZERO = number("s", kind=onnx.TensorProto.FLOAT), number("z")


@pytest.fixture
def saved(tmp_path):
    """Write a graph from an 8x8 image of 3 channels to 4 channels; return its path."""

    def write(nodes, stored, kind=1, last=1):
        ends = [info("x", kind, [1, 3, 8, 8])], [info("y", last, None)]
        graph = onnx.helper.make_graph(nodes, "g", *ends, [SCALE, ZERO, *stored])
        domains = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("com.microsoft", 1)]
        onnx.save(onnx.helper.make_model(graph, opset_imports=domains), tmp_path / "q.onnx")
        return tmp_path / "q.onnx"

    return write


def quantized(name):
    """Nodes that quantize and dequantize a tensor."""
    return [
        make("QuantizeLinear", [name, "s", "z"], [f"{name}_q"]),
        make("DequantizeLinear", [f"{name}_q", "s", "z"], [f"{name}_d"]),
    ]


WEIGHTS = [number("w", 8, 3, 3, 3), number("v", 4, 8, 1, 1), number("b", 8, kind=onnx.TensorProto.FLOAT)]
QDQ = [
    *quantized("x"),
    make("DequantizeLinear", ["w", "s", "z"], ["wd"]),
    make("Conv", ["x_d", "wd", "b"], ["c"], pads=[1, 1, 1, 1]),
    make("Relu", ["c"], ["r"]),
    *quantized("r"),
    make("DequantizeLinear", ["v", "s", "z"], ["vd"]),
    make("Conv", ["r_d", "vd"], ["y"]),
]
FIRST, SECOND = 64 * 27 * 8, 64 * 8 * 4  # mult-adds


def live(path):
    return [(one.operation, one.bytes) for one in memory(path).schedule]


def test_tensors_between_quantize_and_dequantize(saved):
    path = saved(QDQ, WEIGHTS)
    assert [size for _, size in live(path)] == [192 * 4 + 192, 192 + 512, 512, 512 + 4 * 256]
    found = analyze(path, metrics=METRICS).totals
    assert found["bops"] == (FIRST + SECOND) * 64
    assert found["framework.weights_bytes"] == 216 + 32 + 4 * 8  # the bias is not quantized
    assert memory(path, bits=32).peak_bytes == 4 * (512 + 256)
    assert "as layers state their bits" in memory(path).text()


def test_what_is_also_read_as_real_numbers_has_a_copy(saved):
    nodes = [*QDQ[:-1], make("Conv", ["r_d", "vd"], ["k"]), make("Relu", ["r"], ["y"]), make("Relu", ["k"], ["y2"])]
    path = saved(nodes, WEIGHTS)
    sizes = dict(live(path))
    assert sizes["QuantizeLinear_2"] == 4 * 512 + 512
    assert analyze(path, metrics=METRICS).totals["bops"] == (FIRST + SECOND) * 64


def test_operators_of_quantized_numbers(saved):
    zeros = ["s", "z"]
    nodes = [
        make("QuantizeLinear", ["x", *zeros], ["q"]),
        make("QLinearConv", ["q", *zeros, "w", *zeros, *zeros], ["c"], pads=[1, 1, 1, 1]),
        make("QLinearConv", ["c", *zeros, "v", *zeros, *zeros], ["y"]),
    ]
    path = saved(nodes, WEIGHTS[:2], last=3)
    assert [size for _, size in live(path)] == [960, 192 + 512, 512 + 256]
    assert analyze(path, metrics=METRICS).totals["bops"] == (FIRST + SECOND) * 64


def test_integers_make_wide_sums(saved):
    nodes = [
        make("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"]),
        make("ConvInteger", ["q", "w", "qz"], ["y"], pads=[1, 1, 1, 1]),
    ]
    path = saved(nodes, WEIGHTS[:1], last=6)
    assert [size for _, size in live(path)] == [960, 192 + 4 * 512]
    assert analyze(path, metrics=METRICS).totals["bops"] == FIRST * 64


def test_an_input_of_bytes(saved):
    nodes = [make("MatMulInteger", ["x", "m"], ["y"])]
    path = saved(nodes, [number("m", 8, 16)], kind=3, last=6)
    assert memory(path).peak_bytes == 192 + 4 * 3 * 8 * 16
    assert analyze(path, metrics=METRICS).totals["bops"] == 3 * 8 * 8 * 16 * 64


def test_packed_weights_of_four_bits(saved):
    packed = onnx.helper.make_tensor("p", onnx.TensorProto.UINT8, (16, 1, 16), [1] * 256)
    stored = [packed, number("ps", 16, kind=onnx.TensorProto.FLOAT), number("m", 8, 32, kind=onnx.TensorProto.FLOAT)]
    bits = {"K": 32, "N": 16, "bits": 4, "block_size": 32}
    nodes = [
        make("MatMul", ["x", "m"], ["h"]),
        make("MatMulNBits", ["h", "p", "ps"], ["y"], domain="com.microsoft", **bits),
    ]
    found = analyze(saved(nodes, stored), metrics=METRICS).totals
    assert found["bops"] == 3 * 8 * 8 * 32 * 32 * 32 + 3 * 8 * 32 * 16 * 4 * 32
    assert found["framework.weights_bytes"] == 4 * 8 * 32 + 256


def test_an_import_writes_the_bits(saved, run, tmp_path):
    path, spec = saved(QDQ, WEIGHTS), tmp_path / "q.yaml"
    spec.write_text(run("import", "q.onnx").out)
    one, other = (analyze(file, metrics=METRICS).totals for file in (path, spec))
    assert one == other
    assert [size for _, size in live(path)] == [size for _, size in live(spec)]


def test_real_graphs_are_as_they_were(saved):
    nodes = [make("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1])]
    stored = [number("w", 8, 3, 3, 3, kind=onnx.TensorProto.FLOAT), WEIGHTS[2]]
    found = memory(saved(nodes, stored))
    assert found.peak_bytes == 4 * (192 + 512)
    assert "layers state" not in found.text()
