"""Folding of constants for shapes, against ONNX's reference evaluator."""

import numpy as np
import pytest
from onnx import TensorProto, defs, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from costcalc import analyze
from costcalc.errors import SpecError
from costcalc.read.onnx import file, fold, model

A, B, WHOLE = [0.5, 1.5, 2.25], [2.0, 0.75, 3.0], [5, 6, 9]
UNIT = [0.25, 0.5, 0.75]
YES, NO = [True, False, True], [True, True, False]
PAIRS = [[1.0, 2.0], [3.0, 4.0]]
SIGNS, INFINITE = [-1.5, 0.25, 2.0], [1.0, -np.inf, np.inf]
REDUCTIONS = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"]
ACTIVATIONS = [
    *("Celu", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Selu", "Shrink", "Softplus"),
    *("Softsign", "Swish", "ThresholdedRelu"),
]
CASES = {  # operator -> its inputs, attributes
    **{
        name: ([A], {})
        for name in [
            "Exp",
            "Log",
            "Sin",
            "Cos",
            "Tan",
            "Sinh",
            "Cosh",
            "Tanh",
            "Asinh",
            "Erf",
            "Sigmoid",
            "Reciprocal",
            "Sqrt",
            "Floor",
        ]
    },
    **{name: ([UNIT], {}) for name in ["Asin", "Acos", "Atan", "Atanh", "Neg", "Abs", "Sign", "Ceil", "Round", "Relu"]},
    **{name: ([A, B], {}) for name in ["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Sum", "Mean"]},
    **{name: ([WHOLE, [3, 5, 12]], {}) for name in ["BitwiseAnd", "BitwiseOr", "BitwiseXor"]},
    **{name: ([YES, NO], {}) for name in ["And", "Or", "Xor"]},
    **{name: ([A, B], {}) for name in ["Less", "Greater", "LessOrEqual", "GreaterOrEqual"]},
    "Equal": ([A, A[:1] + B[1:]], {}),
    "Acosh": ([B[:1] + A[1:]], {}),
    "Not": ([YES], {}),
    "BitwiseNot": ([WHOLE], {}),
    "Mod": ([WHOLE, [4, -4, 5]], {}),
    "Mod: fmod": ([[-7.5, 7.5, 6.0], [2.0, 2.0, 4.0]], {"fmod": 1}),
    "BitShift": ([np.array(WHOLE, np.uint32), np.array([1, 2, 3], np.uint32)], {"direction": "LEFT"}),
    "BitShift: right": ([np.array(WHOLE, np.uint32), np.array([1, 2, 0], np.uint32)], {"direction": "RIGHT"}),
    "Clip": ([A, np.float32(1), np.float32(2)], {}),
    "Clip: from below": ([A, np.float32(1)], {}),
    "Clip: from above": ([A, None, np.float32(1)], {}),
    "Where": ([YES, A, B], {}),
    "Tile": ([[[1.0, 2.0], [3.0, 4.0]], [2, 3]], {}),
    "Gather": ([PAIRS, np.array([1, 0])], {"axis": 1}),
    "GatherElements": ([PAIRS, np.array([[1, 0], [0, 0]])], {"axis": 1}),
    "GatherElements: from the end": ([PAIRS, np.array([[-1, -2]])], {"axis": 0}),
    "GatherND": ([PAIRS, np.array([[1, 0], [0, -1]])], {}),
    "GatherND: rows": ([PAIRS, np.array([[1]])], {}),
    "ScatterElements": ([PAIRS, np.array([[1, 0]]), np.array([[7.0, 8.0]])], {"axis": 0}),
    "ScatterND": ([PAIRS, np.array([[1]]), np.array([[7.0, 8.0]])], {}),
    "Trilu": ([PAIRS], {}),
    "Trilu: lower": ([PAIRS, np.int64(-1)], {"upper": 0}),
    "Compress": ([PAIRS, np.array([True, False])], {"axis": 0}),
    "Compress: elements": ([PAIRS, np.array([True, False, True])], {}),
    "NonZero": ([[[1.0, 0.0], [3.0, 4.0]]], {}),
    "ArgMax": ([PAIRS], {"axis": 1}),
    "ArgMax: first axis": ([PAIRS], {"keepdims": 0}),
    "ArgMin": ([[[4.0, 1.0], [2.0, 3.0]]], {"axis": 1}),
    "CumSum": ([A, np.int64(0)], {}),
    "CumSum: reverse": ([A, np.int64(0)], {"reverse": 1}),
    "CumSum: exclusive": ([A, np.int64(0)], {"exclusive": 1}),
    "CumSum: both": ([A, np.int64(0)], {"exclusive": 1, "reverse": 1}),
    **{f"Reduce{name}": ([A], {}) for name in REDUCTIONS},
    **{f"Reduce{name}: rows": ([PAIRS, [-1]], {"keepdims": 0}) for name in REDUCTIONS},
    "ReduceMax: columns": ([PAIRS, [0]], {}),
    "ReduceSum: all": ([PAIRS], {"keepdims": 0}),
    **{name: ([SIGNS], {}) for name in ACTIVATIONS},
    **{f"{name}: alpha": ([SIGNS], {"alpha": 0.75}) for name in ["Celu", "Elu", "LeakyRelu", "Selu", "Swish"]},
    "Gelu: tanh": ([SIGNS], {"approximate": "tanh"}),
    "HardSigmoid: slope": ([SIGNS], {"alpha": 0.125, "beta": 0.25}),
    "Shrink: bias": ([SIGNS], {"bias": 0.25, "lambd": 0.6}),
    "IsInf": ([INFINITE], {}),
    "IsInf: below": ([INFINITE], {"detect_positive": 0}),
    "IsNaN": ([[1.0, np.nan, np.inf]], {}),
    "PRelu": ([SIGNS, [0.25, 0.5, 0.75]], {}),
    "CastLike": ([A, np.array([1])], {}),
    "CumProd": ([A, np.int64(0)], {}),
    "CumProd: both": ([A, np.int64(0)], {"exclusive": 1, "reverse": 1}),
    "Pad": ([PAIRS, np.array([1, 0, 0, 2]), np.float32(5)], {}),
    "Pad: axes": ([PAIRS, np.array([1, 2]), None, np.array([-1])], {}),
    "Cast": ([A], {"to": TensorProto.INT64}),
    "Concat": ([PAIRS, PAIRS], {"axis": 1}),
    "Expand": ([A, np.array([2, 3])], {}),
    "Range": ([np.int64(2), np.int64(11), np.int64(3)], {}),
    "Slice": ([PAIRS, np.array([0]), np.array([1]), np.array([1])], {}),
    "Split": ([[1.0, 2.0, 3.0, 4.0]], {"num_outputs": 2}),
    "Transpose": ([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]], {}),
}
NEWEST = {"Swish": 24, "CumProd": 26}  # operators of versions after that of the other cases


def array(values):
    found = np.array(values)
    return found.astype(np.float32) if found.dtype == np.float64 else found


def sizes(name):
    """(ONNX's result, the model that makes a tensor of these sizes); sizes are hundredths, scaled to integers."""
    op, (given, options) = name.partition(":")[0], CASES[name]
    inputs = {f"i{at}": array(one) for at, one in enumerate(given) if one is not None}
    names = [f"i{at}" if one is not None else "" for at, one in enumerate(given)]
    nodes = [
        helper.make_node(op, names, ["v", "rest"] if op == "Split" else ["v"], **options),
        helper.make_node("Cast", ["v"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "hundred"], ["h"]),
        helper.make_node("Abs", ["h"], ["a"]),
        helper.make_node("Round", ["a"], ["r"]),
        helper.make_node("Cast", ["r"], ["n"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["n", "flat"], ["s"]),
        helper.make_node("ReduceSum", ["s"], ["one"], keepdims=1),
        helper.make_node("Expand", ["x", "one"], ["y"]),
        helper.make_node("MatMul", ["y", "w"], ["z"]),
    ]
    constants = {**inputs, "hundred": np.float32(100), "flat": np.array([-1])}
    stored = [numpy_helper.from_array(np.asarray(one), key) for key, one in constants.items()]
    flows = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])]
    out = [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)]
    opset = [helper.make_opsetid("", NEWEST.get(op, 20))]
    first = helper.make_graph(
        nodes[:8], "g", [], [helper.make_tensor_value_info("one", TensorProto.INT64, [1])], stored
    )
    (due,) = ReferenceEvaluator(helper.make_model(first, opset_imports=opset)).run(None, {})
    stored += [numpy_helper.from_array(np.zeros((int(due[0]), 1), np.float32), "w")]
    return int(due[0]), helper.make_model(helper.make_graph(nodes, "g", flows, out, stored), opset_imports=opset)


@pytest.mark.parametrize("name", CASES)
def test_sizes_that_a_graph_computes_are_known(name):
    due, made = sizes(name)
    report = analyze(model.read(file.bounded(made.SerializeToString(), "g.onnx")))
    assert (report.complete, report.totals["mult_adds"]) == (True, due)


WALKED = {  # operators whose rules return values
    *("Constant", "ConstantOfShape", "Dropout", "Flatten", "Identity", "If", "Loop", "Reshape", "Scan", "SequenceAt"),
    *("SequenceConstruct", "SequenceLength", "Shape", "Size", "Squeeze", "Unsqueeze"),
    *("Optional", "OptionalGetElement"),
}
UNKNOWN = {  # reason -> operators with unknown results even for known inputs
    "it multiplies by weights, a product of its own: its result is that of a layer": """
        Attention CausalConvWithState Conv ConvInteger ConvTranspose DeformConv Einsum GRU Gemm LSTM LinearAttention
        MatMul MatMulInteger QLinearConv QLinearMatMul RNN""",
    "a norm, a pooling or a softmax, of tensors that flow": """
        AveragePool BatchNormalization GlobalAveragePool GlobalLpPool GlobalMaxPool GroupNormalization Hardmax
        InstanceNormalization LRN LayerNormalization LogSoftmax LpNormalization LpPool MaxPool MaxRoiPool MaxUnpool
        MeanVarianceNormalization RMSNormalization RoiAlign Softmax SwiGLU""",
    "a signal or a picture, of which no size is made": """
        AffineGrid BlackmanWindow CenterCropPad Col2Im DFT DepthToSpace GridSample HammingWindow HannWindow ImageDecoder
        MelWeightMatrix Resize RotaryEmbedding STFT SpaceToDepth""",
    "quantized numbers, or their bits": "BitCast DequantizeLinear DynamicQuantizeLinear QuantizeLinear",
    "random": "Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike",
    "texts": "RegexFullMatch StringConcat StringNormalizer StringSplit TfIdfVectorizer",
    "lists whose members are not followed where they change": """
        ConcatFromSequence OptionalHasElement ReverseSequence SequenceEmpty SequenceErase SequenceInsert SequenceMap
        SplitToSequence TensorScatter""",
    "matrices and ranks, with which no exporter makes sizes": "Det EyeLike NonMaxSuppression OneHot TopK Unique",
    "a loss": "NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss",
}


def test_every_operator_of_onnx_is_folded_or_has_a_reason():
    """Any other operator would silently give a lower bound."""
    named = {one.name for one in defs.get_all_schemas() if one.domain == "" and not one.deprecated}
    reasons = [name for names in UNKNOWN.values() for name in names.split()]
    told = [*fold.RULES, *WALKED, *reasons]
    assert sorted(told) == sorted(set(told))
    assert set(told) == named


def test_every_operator_that_is_folded_is_compared():
    assert {name.partition(":")[0] for name in CASES} == set(fold.RULES)


@pytest.mark.parametrize("op", ["GatherElements", "GatherND", "ScatterElements", "ScatterND"])
def test_an_index_past_the_end_is_refused(op):
    inputs = [PAIRS, np.array([[2]]), *([np.array([[7.0]])] if "Scatter" in op else [])]
    given = [numpy_helper.from_array(array(one), f"i{at}") for at, one in enumerate(inputs)]
    nodes = [helper.make_node(op, [one.name for one in given], ["v"]), helper.make_node("Add", ["x", "v"], ["y"])]
    flows, out = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy")
    made = helper.make_model(helper.make_graph(nodes, "g", [flows], [out], given))
    with pytest.raises(SpecError):
        model.read(file.bounded(made.SerializeToString(), "g.onnx"))


@pytest.mark.parametrize(("op", "given"), [("Log", 0.0), ("Exp", 1e6), ("Reciprocal", 0.0), ("Asin", 2.0)])
def test_a_constant_without_a_number_is_not_known(op, given):
    """`-inf` and `nan` are not sizes; a graph that only adds them to a mask is accepted."""
    nodes = [helper.make_node(op, ["c"], ["m"]), helper.make_node("Add", ["x", "m"], ["y"])]
    flows, out = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy")
    stored = [numpy_helper.from_array(np.array([given] * 4, np.float32), "c")]
    made = helper.make_model(helper.make_graph(nodes, "g", [flows], [out], stored))
    assert analyze(model.read(file.bounded(made.SerializeToString(), "g.onnx"))).complete


def test_infinity_is_no_whole_number():
    """Regression: a cast mask raised an error, and zeros without a stated type got the type of the shape."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("CastLike", ["c", "zeros"], ["float"]),
        helper.make_node("Cast", ["c"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Cast", ["whole"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Sum", ["x", "float", "mask"], ["y"]),
    ]
    flows, out = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "xy")
    stored = [numpy_helper.from_array(np.array([-np.inf] * 4, np.float32), "c")]
    stored.append(numpy_helper.from_array(np.array([4]), "shape"))
    made = helper.make_model(helper.make_graph(nodes, "g", [flows], [out], stored))
    assert analyze(model.read(file.bounded(made.SerializeToString(), "g.onnx"))).complete
