"""Specs written of ONNX graphs in which kernels are shared, or made of others: they cost what the report says."""

import pytest

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


def model_of(nodes, weights, shape):
    """The model of a graph."""
    from costcalc.read.onnx import file
    from costcalc.read.onnx import model as onnx_model

    flowing = [onnx.helper.make_tensor_value_info("x", 1, shape)]
    given = [onnx.numpy_helper.from_array(numpy.zeros(size, "float32"), name) for name, size in weights.items()]
    graph = onnx.helper.make_graph(nodes, "net", flowing, [onnx.helper.make_tensor_value_info("y", 1, None)], given)
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
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
