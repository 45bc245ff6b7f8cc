"""Specs written from ONNX graphs with shared or derived kernels: they cost the same as the report."""

import pytest

from costcalc import analyze
from tests.written import assert_spec_costs_the_same

onnx = pytest.importorskip("onnx", reason="onnx is not installed: costcalc[onnx]")
numpy = pytest.importorskip("numpy")

SAME = {"pads": [1, 1, 1, 1]}


def node(op, inputs, outputs, **attributes):
    """A node of a graph."""
    return onnx.helper.make_node(op, inputs, outputs, **attributes)


CASES = {  # by hand: (nodes, sizes of the weights, input, params, mult-adds)
    "one kernel read by two convolutions": (
        [node("Conv", ["x", "w"], ["a"], **SAME), node("Conv", ["a", "w"], ["y"], **SAME)],
        *({"w": (3, 3, 3, 3)}, (1, 3, 9, 9), 81, 2 * 81 * 81),
    ),
    "one kernel on two branches": (
        [
            *(node("Conv", ["x", "w"], ["a"], **SAME), node("Conv", ["x", "v"], ["b"])),
            *(node("Conv", ["b", "w"], ["d"], **SAME), node("Add", ["a", "d"], ["y"])),
        ],
        *({"w": (3, 3, 3, 3), "v": (3, 3, 1, 1)}, (1, 3, 9, 9), 90, 2 * 81 * 81 + 81 * 9),
    ),
    "a kernel of a length and a direction": (
        [
            *(node("ReduceL2", ["v"], ["n"], keepdims=1, axes=[1, 2, 3]), node("Div", ["v", "n"], ["d"])),
            *(node("Mul", ["d", "g"], ["w"]), node("Conv", ["x", "w"], ["y"])),
        ],
        *({"v": (8, 4, 3, 3), "g": (8, 1, 1, 1)}, (1, 4, 8, 8), 296, 36 * 8 * 36),
    ),
    "a table added twice": (
        [node("Add", ["x", "t"], ["a"]), node("Relu", ["a"], ["b"]), node("Add", ["b", "t"], ["y"])],
        *({"t": (16, 8)}, (1, 16, 8), 128, 0),
    ),
    "two tokens in front": (
        [node("Concat", ["p", "q", "x"], ["a"], axis=1), node("MatMul", ["a", "w"], ["y"])],
        *({"p": (1, 1, 8), "q": (1, 1, 8), "w": (8, 4)}, (1, 16, 8), 48, 18 * 32),
    ),
    "a matrix read turned": (
        [
            node("MatMul", ["x", "w"], ["a"]),
            node("Transpose", ["w"], ["t"], perm=[1, 0]),
            node("MatMul", ["a", "t"], ["y"]),
        ],
        *({"w": (8, 4)}, (1, 16, 8), 32, 2 * 16 * 32),
    ),
}


NEWEST = {  # operators of version 28, and one of onnxruntime
    "a causal convolution with its state": (
        [node("CausalConvWithState", ["x", "w", "b"], ["y", "s"], activation="silu")],
        *({"w": (8, 1, 4), "b": (8,)}, (2, 8, 16), 32 + 8, 2 * 16 * 8 * 4),
    ),
    "a gate times a value": (
        [
            *(node("MatMul", ["x", "w"], ["a"]), node("MatMul", ["x", "v"], ["b"])),
            node("SwiGLU", ["a", "b"], ["y"]),
        ],
        *({"w": (8, 4), "v": (8, 4)}, (1, 16, 8), 64, 2 * 16 * 32),
    ),
    "linear attention": (
        [
            *(node("MatMul", ["x", "w"], ["q"]), node("MatMul", ["x", "v"], ["k"])),
            node(
                *("LinearAttention", ["q", "k", "k"], ["y", "s"]),
                q_num_heads=4,
                kv_num_heads=2,
                update_rule="linear",
            ),
        ],
        *({"w": (8, 32), "v": (8, 16)}, (3, 5, 8), 384, 3 * 5 * (384 + (4 + 2) * 8 * 8)),
    ),
    "linear attention by the delta rule": (
        [node("LinearAttention", ["x", "x", "x", "", "", "x"], ["y", "s"], q_num_heads=4, kv_num_heads=4)],
        *({}, (1, 5, 32), 0, 5 * 3 * 4 * 8 * 8),
    ),
    "a recurrent layer of weights of 8 bits": (
        [
            node(
                *("DynamicQuantizeLSTM", ["x", "w", "r", "b", "", "", "", "", "s", "z", "s", "z"], ["y"]),
                domain="com.microsoft",
                hidden_size=16,
            )
        ],
        {"w": (1, 32, 64), "r": (1, 16, 64), "b": (1, 128), "s": (1,), "z": (1,)},
        *((12, 1, 32), 3072 + 128, 12 * 3072),
    ),
}


@pytest.mark.parametrize("name", NEWEST)
def test_operators_of_the_newest_version_are_counted_and_written(name):
    nodes, weights, shape, *due = NEWEST[name]
    model = model_of(nodes, weights, shape, 28, [one for one in weights if nodes[0].domain and one in "wrz"])
    assert analyze(model).complete
    totals, _ = assert_spec_costs_the_same(model)
    assert [totals["params"], totals["mult_adds"]] == due


def model_of(nodes, weights, shape, version=13, small=()):
    """The model of a graph; weights named `small` have 8 bits."""
    from costcalc.read.onnx import file
    from costcalc.read.onnx import model as onnx_model

    flowing = [onnx.helper.make_tensor_value_info("x", 1, shape)]
    made = {name: numpy.zeros(size, "uint8" if name in small else "float32") for name, size in weights.items()}
    given = [onnx.numpy_helper.from_array(one, name) for name, one in made.items()]
    opsets = [onnx.helper.make_opsetid("", version), onnx.helper.make_opsetid("com.microsoft", 1)]
    graph = onnx.helper.make_graph(nodes, "net", flowing, [onnx.helper.make_tensor_value_info("y", 1, None)], given)
    made = onnx.helper.make_model(graph, opset_imports=opsets)
    return onnx_model.read(file.bounded(made.SerializeToString(), "net.onnx"))


@pytest.mark.parametrize("name", CASES)
def test_a_written_spec_costs_what_the_report_says(name):
    nodes, weights, shape, *due = CASES[name]
    totals, _ = assert_spec_costs_the_same(model_of(nodes, weights, shape))
    assert [totals["params"], totals["mult_adds"]] == due


def test_a_kernel_that_is_shared_is_read_again_by_name():
    nodes, weights, shape, *_ = CASES["one kernel read by two convolutions"]
    _, text = assert_spec_costs_the_same(model_of(nodes, weights, shape))
    assert text.count("conv: 3x3") == text.count("reuse: ") == 1
