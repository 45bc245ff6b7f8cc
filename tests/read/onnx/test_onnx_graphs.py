"""Whole graphs as written by tf2onnx and the exporters of Keras and detectors: every row, and the written spec.

tf2onnx wraps channels-last networks in transposes, pads by separate nodes, does not fold batch norm, and
takes means over the grid. Axes and sizes are attributes before opset 11 or 13, and inputs since then.
"""

import pytest
from onnx import TensorProto, helper

from costcalc import analyze
from costcalc.errors import Source
from costcalc.read.onnx import file, model
from costcalc.read.spec.reader import read
from costcalc.write.spec import spec_text

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64


def node(op, inputs, outputs="y", **attributes):
    """A node; names are separated by spaces, `-` is an omitted input."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, names, outputs.split(), **attributes)


def held(*shape):
    """Weights with external data."""
    return TensorProto(dims=shape, data_type=FLOAT, data_location=TensorProto.EXTERNAL)


def whole(*values):
    """A constant list of integers."""
    return helper.make_tensor("", INT, [len(values)], values)


def real(*values):
    """A constant list of floats, or a scalar for one."""
    return helper.make_tensor("", FLOAT, [len(values)] if len(values) > 1 else [], values)


def graph(version, nodes, flows, constants):
    """The Model of nodes, {input: shape} and {name: constant}; its output is that of the last node."""
    for name, constant in constants.items():
        constant.name = name
    inputs = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in flows.items()]
    output = helper.make_tensor_value_info(nodes[-1].output[0], FLOAT, None)
    made = helper.make_graph(nodes, "g", inputs, [output], list(constants.values()))
    proto = helper.make_model(made, opset_imports=[helper.make_opsetid("", version)])
    return model.read(file.bounded(proto.SerializeToString(), "g.onnx"))


MOBILE = [
    node("Transpose", "image", "t", perm=[0, 3, 1, 2]),
    node("Conv", "t w1", "c", strides=[2, 2], auto_pad="SAME_UPPER"),
    *(node("BatchNormalization", "c g h g g", "n"), node("Clip", "n zero six", "r"), node("Pad", "r pads", "p")),
    *(node("Conv", "p w2", "d", strides=[2, 2], group=32, auto_pad="VALID"), node("Conv", "d w3 b3", "e")),
    *(node("Transpose", "e", "u", perm=[0, 2, 3, 1]), node("ReduceMean", "u", "m", axes=[1, 2], keepdims=0)),
    *(node("MatMul", "m w4", "a"), node("Add", "a b4", "l"), node("Softmax", "l", axis=-1)),
]
HEAD = [
    *(node("Conv", "x w", "f", pads=[1] * 4), node("Conv", "f wb", "b"), node("Conv", "f wc", "c")),
    *(node("Transpose", "b", "bt", perm=[0, 2, 3, 1]), node("Reshape", "bt sb", "boxes")),
    *(node("Reshape", "c sc", "s"), node("Sigmoid", "s", "scores")),
]
DETECTOR = {"w": held(16, 3, 3, 3), "wb": held(8, 16, 1, 1), "wc": held(6, 16, 1, 1)}
DETECTOR |= {"sb": whole(1, -1, 4), "sc": whole(1, 3, -1), "k": whole(100), "i": real(0.5), "wm": held(4, 2)}
ROWS_OF_HEAD = ["conv 3x3 8x8x3 8x8x16 27648", "conv 1x1 8x8x16 8x8x8 8192", "conv 1x1 8x8x16 8x8x6 6144"]
SQUEEZED = [
    "avgpool 7x7 7x7x8 1x1x8 0",
    "conv 1x1 1x1x8 1x1x4 32",
]
GRAPHS = {  # name -> opset, nodes, inputs, constants, rows: type, input, output, mult-adds
    "channels last": (
        *(13, MOBILE, {"image": [1, 224, 224, 3]}),
        {
            "w1": held(32, 3, 3, 3),
            "g": held(32),
            "h": held(32),
            "zero": real(0),
            "six": real(6),
            "w2": held(32, 1, 3, 3),
            "pads": whole(0, 0, 0, 0, 0, 0, 1, 1),
            "w3": held(64, 32, 1, 1),
            "b3": held(64),
            "w4": held(64, 10),
            "b4": held(10),
        },
        [
            *("conv 3x3 224x224x3 112x112x32 10838016", "batchnorm 112x112x32 112x112x32 0"),
            *("clamp 112x112x32 112x112x32 0", "pad 112x112x32 113x113x32 0", "conv dw 3x3 113x113x32 56x56x32 903168"),
            *("conv 1x1 56x56x32 56x56x64 6422528", "avgpool 56x56 56x56x64 1x1x64 0", "fully connected 64 10 640"),
            *("add 10 10 0", "softmax 10 10 0"),
        ],
    ),
    "Keras": (
        12,
        [
            *(node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w b", "c", auto_pad="SAME_LOWER")),
            *(node("GlobalAveragePool", "c", "g"), node("Transpose", "g", "gt", perm=[0, 2, 3, 1])),
            *(node("Reshape", "gt s", "f"), node("Gemm", "f wd bd", "l"), node("Softmax", "l", axis=1)),
        ],
        {"x": [1, 15, 15, 3]},
        {"w": held(8, 3, 3, 3), "b": held(8), "s": whole(0, -1), "wd": held(8, 5), "bd": held(5)},
        [
            *("conv 3x3 15x15x3 15x15x8 48600", "avgpool 15x15 15x15x8 1x1x8 0", "fully connected 8 5 40"),
            "softmax 5 5 0",
        ],
    ),
    "axes as attributes": (
        11,
        [
            *(node("GlobalAveragePool", "x", "g"), node("Squeeze", "g", "s", axes=[2, 3])),
            *(node("Unsqueeze", "s", "u", axes=[2, 3]), node("Conv", "u w", "c"), node("Squeeze", "c", axes=[2, 3])),
        ],
        {"x": [1, 8, 7, 7]},
        {"w": held(4, 8, 1, 1)},
        SQUEEZED,
    ),
    "axes as inputs": (
        13,
        [
            *(node("GlobalAveragePool", "x", "g"), node("Squeeze", "g a", "s"), node("Unsqueeze", "s a", "u")),
            *(node("Conv", "u w", "c"), node("Squeeze", "c a")),
        ],
        {"x": [1, 8, 7, 7]},
        {"w": held(4, 8, 1, 1), "a": whole(2, 3)},
        SQUEEZED,
    ),
    "resized to the size of another": (
        13,
        [
            *(node("Conv", "x w", "c", strides=[2, 2], pads=[1] * 4), node("Shape", "x", "s")),
            *(node("Slice", "s two four", "hw"), node("Shape", "c", "sc"), node("Slice", "sc zero two", "bc")),
            *(node("Concat", "bc hw", "to", axis=0), node("Resize", "c - - to", "r"), node("Conv", "x v", "l")),
            node("Add", "r l"),
        ],
        {"x": [1, 3, 9, 9]},
        {"w": held(4, 3, 3, 3), "v": held(4, 3, 1, 1), "two": whole(2), "four": whole(4), "zero": whole(0)},
        ["conv 3x3 9x9x3 5x5x4 2700", "upsample 5x5x4 9x9x4 0", "conv 1x1 9x9x3 9x9x4 972", "add 9x9x4 9x9x4 0"],
    ),
    "a detector": (
        13,
        [
            *(*HEAD, node("NonMaxSuppression", "boxes scores k i i", "sel"), node("Gather", "sel k", "at", axis=1)),
            *(node("Squeeze", "at ax", "one"), node("Gather", "boxes one", "best", axis=1), node("MatMul", "best wm")),
        ],
        {"x": [1, 3, 8, 8]},
        {**DETECTOR, "ax": whole(1)},
        [*ROWS_OF_HEAD, "sigmoid 3x128 3x128 0", "opaque: NonMaxSuppression 1 1 0", "opaque: MatMul   >=0"],
    ),
    "the best of a detector": (
        13,
        [
            *HEAD,
            node("TopK", "scores k", "v best", axis=2),
            node("GatherElements", "scores best", "e"),
            node("Softmax", "e"),
        ],
        {"x": [1, 3, 8, 8]},
        DETECTOR,
        [
            *(*ROWS_OF_HEAD, "sigmoid 3x128 3x128 0", "opaque: TopK 3x100 3x100 0"),
            *("opaque: GatherElements 3x100 3x100 0", "softmax 3x100 3x100 0"),
        ],
    ),
    "regions": (
        16,
        [
            *(node("Conv", "x w", "f", pads=[1] * 4), node("RoiAlign", "f r n", "p", output_height=7, output_width=7)),
            *(node("Reshape", "p s", "v"), node("Gemm", "v wf")),
        ],
        {"x": [1, 3, 32, 32], "r": [100, 4], "n": [100]},
        {"w": held(8, 3, 3, 3), "s": whole(100, 392), "wf": held(392, 10)},
        [
            *("conv 3x3 32x32x3 32x32x8 221184", "opaque: RoiAlign 7x7x8 7x7x8 0"),
            "fully connected 100x392 100x10 392000",
        ],
    ),
    "what is found in data": (
        13,
        [
            *(node("NonZero", "x", "n"), node("Transpose", "n", "t"), node("GatherND", "x t", "g")),
            *(node("Unsqueeze", "g ax", "u"), node("MatMul", "u wm")),
        ],
        {"x": [4, 4]},
        {"ax": whole(1), "wm": held(1, 2)},
        ["opaque: NonZero 1 1 0", "opaque: MatMul   >=0"],
    ),
    "a part of nothing": (
        13,
        [node("Slice", "x zero zero", "e"), node("Concat", "x e", "c", axis=0), node("MatMul", "c wm")],
        {"x": [4, 4]},
        {"zero": whole(0), "wm": held(4, 2)},
        ["concat 4x4 4x4 0", "fully connected 4x4 4x2 32"],
    ),
}


def shown(shape):
    """A shape as shown in tables."""
    return "x".join(map(str, shape))


@pytest.mark.parametrize("name", GRAPHS)
def test_rows_are_those_by_hand(name):
    *given, rows = GRAPHS[name]
    found = analyze(graph(*given)).lines
    assert rows == [
        f"{one.type} {shown(one.input)} {shown(one.output)} {'' if one.complete else '>='}{one.cost}" for one in found
    ]


@pytest.mark.parametrize("name", GRAPHS)
def test_their_specs_cost_the_same(name):
    made = graph(*GRAPHS[name][:4])
    spec = read(Source("g.yaml", spec_text(made, {})))
    for convention in ("paper", "framework"):
        due, found = (analyze(one, convention=convention) for one in (made, spec))
        assert (found.totals, found.complete) == (due.totals, due.complete)
