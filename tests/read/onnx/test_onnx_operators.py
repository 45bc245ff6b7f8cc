"""ONNX operators: shapes against ONNX's own test cases, mult-adds and parameters against counts by hand."""

import re
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper

from costcalc import CostcalcError, analyze
from costcalc.read.onnx import file, model, rules

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64
DATA_DECIDES = {"Compress", "NonMaxSuppression", "NonZero", "Unique", "ImageDecoder", "StringSplit", "TfIdfVectorizer"}
NO_SHAPE = DATA_DECIDES | {"SequenceConstruct", "SequenceInsert", "SequenceEmpty", "SequenceErase", "SplitToSequence"}
OTHERWISE = {  # skipped cases -> reason
    "test_if_opt": "data selects the branch",
    "test_if_seq": "as above",
    "test_if": "as above",
    "test_loop16_seq_none": "it begins with a sequence that may be none",
    "test_scan_sum": "Scan of version 8, with lengths of its own for each sample",
    "test_range_bfloat16_type_positive_delta": "numbers of 16 bits are not decoded",
    "test_range_bfloat16_type_positive_delta_expanded": "as above",
    "test_range_float16_type_positive_delta_expanded": "a Loop whose body decides when to stop",
    "test_range_float_type_positive_delta_expanded": "as above",
}


def cases():
    """(name, model) of ONNX's test cases; small integer inputs become constants, as exporters write them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        collected = collect_testcases(None)
    for case in collected:
        proto = ModelProto()
        proto.CopyFrom(case.model)
        for info, value in zip(case.model.graph.input, case.data_sets[0][0] if case.data_sets else (), strict=False):
            if is_setting(info, value, proto):
                proto.graph.initializer.append(numpy_helper.from_array(np.asarray(value), info.name))
        yield case.name, proto


def is_setting(info, value, proto):
    """Whether an input is a setting instead of data."""
    if not isinstance(value, (np.ndarray, np.generic)) or np.asarray(value).size > 64:
        return False
    size, kinds = np.asarray(value).size, " ".join(sorted(operators(proto)))
    whole = value.dtype in (np.int64, np.int32, np.bool_) or info.name in ("scales", "roi", "depth") or "Range" in kinds
    lone = len(proto.graph.input) == 1 and size > 1 and "ConstantOfShape" not in kinds
    return whole and not lone and not (info.name == proto.graph.input[0].name and size > 8)


def operators(proto):
    """The operators of a graph."""
    return {node.op_type for node in proto.graph.node}


def wanted(proto):
    """The output shapes stated by a case; None for an open size, or for an output that is not a tensor."""
    for info in proto.graph.output:
        kind = info.type.tensor_type
        known = info.type.WhichOneof("value") == "tensor_type" and kind.HasField("shape")
        yield [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim] if known else None


def is_readable(name, proto):
    """Whether a case applies: operators with a rule, and inputs with shapes."""
    versions = [one.version for one in proto.opset_import if one.domain in ("", "ai.onnx")]
    standard = all(node.domain in ("", "ai.onnx") for node in proto.graph.node)
    ruled = operators(proto) <= rules.table().keys() and not operators(proto) & NO_SHAPE
    shaped = all(info.type.WhichOneof("value") == "tensor_type" for info in proto.graph.input)
    return standard and ruled and shaped and max(versions, default=1) <= model.NEWEST and name not in OTHERWISE


@pytest.mark.slow
def test_shapes_are_those_of_the_cases_of_onnx():
    seen, wrong = set(), []
    for name, proto in cases():
        if not is_readable(name, proto):
            continue
        found = model.shapes(file.bounded(proto.SerializeToString(), name))
        for ours, theirs in zip(found, wanted(proto), strict=True):
            if theirs is not None and not fits(ours, theirs):
                wrong.append((name, ours, theirs))
        seen |= operators(proto)
    assert wrong == []
    assert len(seen) > 150


def fits(ours, theirs):
    """Whether a shape matches the case."""
    if ours is None or len(ours) != len(theirs):
        return False
    return all(b is None or type(a) is not int or a == b for a, b in zip(ours, theirs, strict=True))


def value(name, shape, kind=FLOAT):
    """A tensor by name and shape; None for an unknown shape."""
    return helper.make_tensor_value_info(name, kind, shape)


def whole(name, values):
    """A constant list of integers."""
    return helper.make_tensor(name, INT, [len(values)], values)


def held(name, shape, kind=FLOAT):
    """An initializer with external data, as in a large model."""
    tensor = TensorProto(name=name, dims=shape, data_type=kind, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def node(op, inputs, outputs="y", **attributes):
    """A node; names are separated by spaces, `-` is an omitted input."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, names, outputs.split(), name=attributes.pop("name", None), **attributes)


def source(nodes, flows, constants=(), functions=(), version=20):
    """The Source of a graph with nodes, {input: shape} and initializers; its output is that of the last node."""
    inputs = [value(name, shape) for name, shape in flows.items()]
    graph = helper.make_graph(nodes, "g", inputs, [value(nodes[-1].output[0], None)], list(constants))
    opsets = [helper.make_opsetid("", version), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("own", 1)]
    made = helper.make_model(graph, opset_imports=opsets, functions=list(functions))
    return file.bounded(made.SerializeToString(), "g.onnx")


def counted(*graph, **more):
    """(mult-adds, trainable parameters) of a graph without unknown layers."""
    report = analyze(model.read(source(*graph, **more)), convention="framework")
    assert report.complete
    return report.totals["mult_adds"], report.totals["params"]


X = {"x": [1, 6, 10, 8]}
T = {"x": [1, 7, 16]}
QUANTIZED = [held("w", [9, 6, 3, 3], TensorProto.INT8), held("b", [9], TensorProto.INT32)]
SCALES = [helper.make_tensor(name, FLOAT, [], [0.1]) for name in ("s", "t", "u")]
COUNTS = {  # name -> (nodes, inputs, constants, mult-adds, parameters), counted by hand
    "conv": (
        [node("Conv", "x w b", pads=[1] * 4)],
        X,
        [held("w", [9, 6, 3, 3]), held("b", [9])],
        9 * 54 * 80,
        9 * 54 + 9,
    ),
    "strided": ([node("Conv", "x w", strides=[2, 2])], X, [held("w", [9, 6, 3, 3])], 9 * 54 * 4 * 3, 9 * 54),
    "same": (
        [node("Conv", "x w", strides=[3, 3], auto_pad="SAME_UPPER")],
        X,
        [held("w", [9, 6, 3, 3])],
        486 * 4 * 3,
        486,
    ),
    "dilated": ([node("Conv", "x w", dilations=[2, 2])], X, [held("w", [9, 6, 3, 3])], 486 * 6 * 4, 486),
    "grouped": ([node("Conv", "x w", group=3)], X, [held("w", [9, 2, 3, 3])], 9 * 18 * 8 * 6, 9 * 18),
    "depthwise": ([node("Conv", "x w", group=6)], X, [held("w", [12, 1, 3, 3])], 12 * 9 * 8 * 6, 12 * 9),
    "conv1d": ([node("Conv", "x w")], {"x": [1, 4, 20]}, [held("w", [8, 4, 5])], 8 * 20 * 16, 160),
    "conv3d": ([node("Conv", "x w")], {"x": [1, 2, 5, 6, 7]}, [held("w", [3, 2, 2, 2, 2])], 48 * 4 * 5 * 6, 48),
    "batch of four": ([node("Conv", "x w")], {"x": [4, 6, 10, 8]}, [held("w", [9, 6, 1, 1])], 4 * 54 * 80, 54),
    "weights that flow": ([node("Relu", "v", "w"), node("Conv", "x w")], {**X, "v": [9, 6, 3, 3]}, [], 486 * 8 * 6, 0),
    "transposed": (
        [node("ConvTranspose", "x w b", strides=[2, 2])],
        X,
        [held("w", [6, 5, 2, 2]), held("b", [5])],
        120 * 80,
        125,
    ),
    "deformed": ([node("DeformConv", "x w o")], {**X, "o": [1, 18, 8, 6]}, [held("w", [9, 6, 3, 3])], 486 * 48, 486),
    "gemm": ([node("Gemm", "x w b", transB=1)], {"x": [1, 12]}, [held("w", [5, 12]), held("b", [5])], 60, 65),
    "gemm turned": ([node("Gemm", "x w", transA=1)], {"x": [12, 3]}, [held("w", [12, 5])], 180, 60),
    "matmul": ([node("MatMul", "x w")], T, [held("w", [16, 4])], 7 * 64, 64),
    "weights on the left": ([node("MatMul", "w x")], T, [held("w", [5, 7])], 5 * 7 * 16, 35),
    "vector": ([node("MatMul", "x w")], {"x": [16]}, [held("w", [16, 4])], 64, 64),
    "broadcast": ([node("MatMul", "x z")], {"x": [2, 1, 3, 4], "z": [5, 4, 6]}, [], 2 * 5 * 3 * 4 * 6, 0),
    "a stack of weights": ([node("MatMul", "x w")], {"x": [2, 7, 16]}, [held("w", [2, 16, 4])], 2 * 7 * 64, 128),
    "einsum": ([node("Einsum", "x z", equation="bhqd,bhkd->bhqk")], {"x": [1, 2, 5, 8], "z": [1, 2, 7, 8]}, [], 560, 0),
    "einsum with weights": ([node("Einsum", "x w", equation="...i,io->...o")], T, [held("w", [16, 4])], 448, 64),
    "einsum of summed weights": ([node("Einsum", "x w", equation="bti,ij->bt")], T, [held("w", [16, 4])], 112, 64),
    "einsum that stretches": ([node("Einsum", "x z", equation="ij,ij->i")], {"x": [7, 1], "z": [7, 5]}, [], 0, 0),
    "einsum of three": (
        [node("Einsum", "x w v", equation="bti,io,on->btn")],
        T,
        [held("w", [16, 4]), held("v", [4, 3])],
        7 * (64 + 12),
        76,
    ),
    "einsum of three, element by element": ([node("Einsum", "x x x", equation="aij,aij,aij->aij")], T, [], 0, 0),
    "einsum of one": ([node("Einsum", "x", equation="bij->bji")], T, [], 0, 0),
    "attention": (
        [node("Attention", "q k v")],
        {"q": [1, 2, 5, 8], "k": [1, 2, 7, 8], "v": [1, 2, 7, 4]},
        [],
        70 * 12,
        0,
    ),
    "grouped attention": (
        [node("Attention", "q k v", q_num_heads=4, kv_num_heads=2)],
        {"q": [1, 5, 32], "k": [1, 7, 16], "v": [1, 7, 16]},
        [],
        2 * 32 * 35,
        0,
    ),
    "attention with weights": (
        [node("Attention", "x w b", domain="com.microsoft", num_heads=4)],
        T,
        [held("w", [16, 48]), held("b", [48])],
        7 * 16 * 48 + 2 * 16 * 49,
        16 * 48 + 48,
    ),
    "multi-head attention": (
        [node("MultiHeadAttention", "x k v", domain="com.microsoft", num_heads=4)],
        {**T, "k": [1, 9, 16], "v": [1, 9, 16]},
        [],
        2 * 16 * 63,
        0,
    ),
    "lstm": (
        [node("LSTM", "x w r b", hidden_size=5, direction="bidirectional")],
        {"x": [7, 1, 16]},
        [held("w", [2, 20, 16]), held("r", [2, 20, 5]), held("b", [2, 40])],
        7 * 2 * 20 * 21,
        2 * 20 * 21 + 80,
    ),
    "gru": (
        [node("GRU", "x w r", hidden_size=5)],
        {"x": [7, 3, 16]},
        [held("w", [1, 15, 16]), held("r", [1, 15, 5])],
        3 * 7 * 15 * 21,
        15 * 21,
    ),
    "rnn": (
        [node("RNN", "x w r", hidden_size=5, layout=1)],
        T,
        [held("w", [1, 5, 16]), held("r", [1, 5, 5])],
        735,
        105,
    ),
    "quantised conv": (
        [node("QLinearConv", "x s z w t z u z b")],
        X,
        [*QUANTIZED, *SCALES, whole("z", [0])],
        486 * 48,
        495,
    ),
    "conv of whole numbers": ([node("ConvInteger", "x w")], X, QUANTIZED[:1], 486 * 48, 486),
    "quantised and back": (
        [
            *(node("QuantizeLinear", "x s", "q"), node("DequantizeLinear", "q s", "d")),
            *(node("DequantizeLinear", "w t", "e"), node("DequantizeLinear", "b t", "f"), node("Conv", "d e f")),
        ],
        X,
        [*QUANTIZED, *SCALES],
        486 * 48,
        495,
    ),
    "quantised matmul": (
        [node("QLinearMatMul", "x s z w t z u z")],
        T,
        [held("w", [16, 4], TensorProto.INT8), *SCALES, whole("z", [0])],
        448,
        64,
    ),
    "matmul of whole numbers": ([node("MatMulInteger", "x w")], T, [held("w", [16, 4], TensorProto.UINT8)], 448, 64),
    "packed weights": (
        [node("MatMulNBits", "x w s", domain="com.microsoft", K=16, N=4, bits=4, block_size=16)],
        T,
        [held("w", [4, 1, 8], TensorProto.UINT8), *SCALES],
        448,
        64,
    ),
    "batchnorm": ([node("BatchNormalization", "x g b m v")], X, [held(name, [6]) for name in "gbmv"], 0, 12),
    "layernorm": ([node("LayerNormalization", "x g b")], T, [held("g", [16]), held("b", [16])], 0, 32),
    "groupnorm": ([node("GroupNormalization", "x g b", num_groups=3)], X, [held("g", [6]), held("b", [6])], 0, 12),
    "prelu": ([node("PRelu", "x s")], X, [held("s", [6, 1, 1])], 0, 6),
    "a position table": ([node("Add", "x p")], T, [held("p", [1, 7, 16])], 0, 112),
    "a scalar is no weight": ([node("Mul", "x s")], T, [held("s", [])], 0, 0),
    "embedding": ([node("Gather", "w x")], {"x": [1, 7]}, [held("w", [100, 16])], 0, 1600),
    "a token in front": ([node("Concat", "c x", axis=1)], T, [held("c", [1, 1, 16])], 0, 16),
    "shared weights": (
        [node("MatMul", "x w", "h"), node("Relu", "h", "a"), node("MatMul", "a w")],
        T,
        [held("w", [16, 16])],
        2 * 7 * 256,
        256,
    ),
    "a transposed embedding": (
        [node("Gather", "w x", "h"), node("Transpose", "w", "v", perm=[1, 0]), node("MatMul", "h v")],
        {"x": [1, 7]},
        [held("w", [100, 16])],
        7 * 1600,
        1600,
    ),
    "one weight in three parts": (
        [
            node("Split", "w", "a b c", axis=1, num_outputs=3),
            *(node("MatMul", f"x {part}", f"y{part}") for part in "abc"),
        ],
        T,
        [held("w", [16, 48])],
        7 * 16 * 48,
        16 * 48,
    ),
    "a conv of constants runs": (
        [node("Conv", "c w", "h"), node("Add", "x h")],
        X,
        [held("c", [1, 4, 10, 8]), held("w", [6, 4, 1, 1])],
        24 * 80,
        24 + 320,
    ),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_those_by_hand(name):
    nodes, flows, constants, mult_adds, numbers = COUNTS[name]
    version = 23 if nodes[-1].op_type == "Attention" and not nodes[-1].domain else 21
    assert counted(nodes, flows, constants, version=version) == (mult_adds, numbers)


G, B = held("g", [6, 1, 1]), held("b", [6, 1, 1])
ROWS = [held("g", [16]), held("b", [16]), helper.make_tensor("e", FLOAT, [], [1e-5])]
DEVIATION = [
    *(node("ReduceMean", "x", "m", axes=[-1]), node("Sub", "x m", "d"), node("Mul", "d d", "q")),
    *(node("ReduceMean", "q", "v", axes=[-1]), node("Add", "v e", "a"), node("Sqrt", "a", "s")),
]
FACTORS = {  # nodes, inputs, constants, and the number of weights among the parameters; the others belong to a norm
    "layer scale": ([node("Mul", "g x", "h"), node("Add", "x h")], X, [G], 6),
    "layer scale behind a shift": (
        [node("Add", "x b", "a"), node("Mul", "a g", "h"), node("Add", "x h")],
        X,
        [G, B],
        6,
    ),
    "batch norm of inference": ([node("Mul", "x g", "h"), node("Add", "h b")], X, [G, B], 0),
    "an image normalised": ([node("Sub", "x b", "d"), node("Div", "d g", "h")], X, [G, B], 0),
    "layer norm": ([*DEVIATION, node("Div", "d s", "n"), node("Mul", "n g", "h"), node("Add", "h b")], T, ROWS, 0),
    "layer norm without a shift": ([*DEVIATION, node("Div", "d s", "n"), node("Mul", "n g")], T, ROWS, 0),
    "root mean square norm": (
        [
            *(node("Mul", "x x", "q"), node("ReduceMean", "q", "v", axes=[-1]), node("Add", "v e", "a")),
            *(node("Sqrt", "a", "s"), node("Reciprocal", "s", "r"), node("Mul", "x r", "n"), node("Mul", "g n")),
        ],
        T,
        ROWS,
        0,
    ),
    "scale behind a group norm": (
        [node("InstanceNormalization", "x i j", "n"), node("Mul", "n g")],
        X,
        [G, whole("i", [1] * 6), whole("j", [0] * 6)],
        0,
    ),
}


@pytest.mark.parametrize("name", FACTORS)
def test_a_scale_is_that_of_a_norm_or_a_weight(name):
    nodes, flows, constants, weights = FACTORS[name]
    graph = model.read(source(nodes, flows, constants, version=13))
    used = {one for given in nodes for one in given.input} & {"g", "b"}
    size = 16 if flows is T else 6
    assert analyze(graph).totals["params"] == weights
    assert analyze(graph, convention="framework").totals["params"] == size * len(used)


def inner(nodes, inputs, outputs):
    """A graph in a node."""
    return helper.make_graph(
        nodes, "inner", [value(name, None) for name in inputs.split()], [value(name, None) for name in outputs.split()]
    )


W = [
    held("w", [16, 16]),
    helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
    helper.make_tensor("five", INT, [], [5]),
]
ONCE = 7 * 256


def test_the_branch_of_a_constant_condition():
    one, two = inner([node("MatMul", "x w", "h")], "", "h"), inner([node("Relu", "x", "h")], "", "h")
    assert counted([node("If", "yes", then_branch=one, else_branch=two)], T, W) == (ONCE, 256)
    assert counted([node("If", "yes", then_branch=two, else_branch=one)], T, W) == (0, 0)


def test_a_loop_of_constant_length():
    body = inner([node("Identity", "go", "on"), node("MatMul", "h w", "k"), node("Relu", "k", "s")], "i go h", "on k s")
    loop = node("Loop", "five yes x", "last all", body=body)
    assert counted([loop, node("MatMul", "last w")], T, W) == (5 * ONCE + ONCE, 256)
    found = model.shapes(source([loop, node("Identity", "all")], T, W))
    assert found == [(5, 1, 7, 16)]


def test_a_loop_whose_tensors_grow():
    body = inner(
        [node("Identity", "go", "on"), node("Concat", "h h", "k", axis=1), node("MatMul", "k w", "s")], "i go h", "on s"
    )
    assert counted([node("Loop", "five yes x", body=body)], T, W) == (sum(ONCE * 2**n for n in range(1, 6)), 256)


def test_a_scan_runs_once_for_each_element():
    body = inner([node("MatMul", "e w", "m"), node("Add", "m h", "k"), node("Identity", "k", "o")], "h e", "k o")
    scan = node("Scan", "h x", "last y", body=body, num_scan_inputs=1, scan_input_axes=[1], scan_output_axes=[1])
    assert counted([scan], {"h": [1, 16], **T}, W) == (7 * 256, 256)
    assert model.shapes(source([scan, node("Identity", "y", "z")], {"h": [1, 16], **T}, W)) == [(1, 7, 16)]


def test_functions_of_the_file():
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
    dense = helper.make_function(
        "own", "Dense", ["a", "b"], ["c"], [node("MatMul", "a b", "h"), node("Relu", "h", "c")], opsets
    )
    twice = helper.make_function(
        *("own", "Twice", ["a", "b"], ["d"]),
        [node("Dense", "a b", "c", domain="own"), node("Dense", "c b", "d", domain="own")],
        opsets,
    )
    assert counted([node("Twice", "x w", domain="own")], T, W, functions=[dense, twice]) == (2 * ONCE, 256)


def test_attributes_of_functions_are_passed_on():
    inside = node("Gemm", "a b", "c")
    inside.attribute.add(name="transB", ref_attr_name="flip", type=AttributeProto.INT)
    flipped = helper.make_function(
        "own", "Flipped", ["a", "b"], ["c"], [inside], [helper.make_opsetid("", 20)], ["flip"]
    )
    graph = [node("Flipped", "x w", domain="own", flip=1)], {"x": [1, 12]}, [held("w", [5, 12])]
    assert counted(*graph, functions=[flipped]) == (60, 60)


def test_sizes_are_folded():
    nodes = [
        *(node("Shape", "x", "s"), node("Gather", "s two", "c"), node("Mul", "c c", "cc"), node("Div", "cc c", "d")),
        *(node("Unsqueeze", "d zero", "d1"), node("Concat", "minus d1", "to", axis=0), node("Reshape", "x to", "r")),
        node("MatMul", "r w"),
    ]
    constants = [helper.make_tensor("two", INT, [], [2]), whole("zero", [0]), whole("minus", [-1]), *W]
    assert counted(nodes, {"x": [3, 7, 16]}, constants) == (3 * ONCE, 256)
    open_ones = analyze(model.read(source(nodes, {"x": ["batch", "tokens", 16]}, constants)), batch=3, tokens=7)
    assert open_ones.totals == {"mult_adds": 3 * ONCE, "params": 256}


SAME = inner([node("Identity", "x", "same")], "", "same")


@pytest.mark.parametrize(
    ("nodes", "unknown"),
    [
        ([node("Frob", "x", "h", domain="own"), node("MatMul", "h w")], ["opaque: Frob", "opaque: MatMul"]),
        ([node("Frob", "x", domain="own")], ["opaque: Frob"]),
        ([node("NonZero", "x", "n"), node("Transpose", "n", "t"), node("MatMul", "t w")], ["opaque: MatMul"]),
        ([node("If", "maybe", then_branch=SAME, else_branch=SAME)], ["opaque: If"]),
    ],
)
def test_what_is_not_known_is_marked(nodes, unknown):
    report = analyze(model.read(source(nodes, {**T, "s": [1, 4, 4], "maybe": []}, W)))
    assert [line.type for line in report.lines if not line.complete] == unknown
    assert not report.complete


def test_the_declared_shape_of_an_unknown_operator_is_taken():
    graph = source([node("Frob", "x", "h", domain="own"), node("MatMul", "h w")], T, W)
    proto = file.parsed(graph)
    proto.graph.value_info.append(value("h", [1, 9, 16]))
    report = analyze(model.read(file.bounded(proto.SerializeToString(), "g.onnx")))
    assert report.totals == {"mult_adds": 9 * 256, "params": 256}
    assert not report.complete


OPERATORS = Path(__file__).parents[3] / "docs" / "onnx.md"


def test_the_table_of_operators_is_complete():
    table = OPERATORS.read_text(encoding="utf-8").partition("## Operators")[2]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(rules.table())


UNLIKE = ("affine_grid",)  # moved by a product of matrices


def test_operators_cost_what_their_definitions_do():
    """ONNX defines operators such as Attention by graphs of simpler ones: both cost exactly the same."""
    known, multiplying = dict(cases()), 0
    for name, proto in known.items():
        if f"{name}_expanded" in known and not name.removeprefix("test_").startswith(UNLIKE):
            own, defined = (multiplied(one) for one in (proto, known[f"{name}_expanded"]))
            assert own == defined, name
            multiplying += own > 0
    assert multiplying > 80


def multiplied(proto):
    """The mult-adds of a graph; 0 if it computes nothing, or if its result depends on data."""
    with suppress(CostcalcError):
        return analyze(model.read(file.bounded(proto.SerializeToString(), "g.onnx"))).totals["mult_adds"]
    return 0


@pytest.mark.parametrize(("queries", "keys", "past"), [(4, 10, 0), (10, 4, 0), (6, 6, 0), (2, 2, 7)])
def test_a_causal_mask_begins_after_the_past_keys(queries, keys, past):
    from costcalc.model.trace import trace

    shapes = {"q": (1, queries, 16), "k": (1, keys, 16), "v": (1, keys, 16)}
    shapes |= {name: (1, 2, past, 8) for name in ("pk", "pv") if past}
    inputs = ["q", "k", "v", *(["", "pk", "pv"] if past else [])]
    node = helper.make_node(
        "Attention", inputs, ["y", "a", "b"][: 3 if past else 1], is_causal=1, q_num_heads=2, kv_num_heads=2
    )
    flows = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in shapes.items()]
    graph = helper.make_graph([node], "net", flows, [helper.make_tensor_value_info("y", FLOAT, None)])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)])
    (row,) = (
        row
        for row in trace(model.read(file.bounded(proto.SerializeToString(), "net.onnx")), {}).rows
        if row.op.name == "attend"
    )
    masked = sum(key > query + past for query in range(queries) for key in range(past + keys))
    assert row.layer.terms["mac_masked"] == masked * 2 * 16
    assert row.layer.terms["mac_attention"] + row.layer.terms["mac_masked"] == queries * (past + keys) * 2 * 16
