"""Models of TensorFlow Lite: recorded files against the interpreter's shapes and Keras's counts, small ones by hand."""

import gzip
import json
import math
import random
import struct
from pathlib import Path

import pytest

tflite = pytest.importorskip("tflite")

from costcalc import CostcalcError, analyze, import_, memory  # noqa: E402
from costcalc.errors import Source  # noqa: E402
from costcalc.read.spec.reader import read as read_spec  # noqa: E402
from costcalc.read.tflite import from_bytes  # noqa: E402
from costcalc.read.tflite.model import Reader, read, shapes  # noqa: E402

from .build import Graph, Operator, Tensor, built  # noqa: E402

FOLDER = Path(__file__).parents[2] / "data" / "tflite"
RECORDED = json.loads(gzip.decompress((FOLDER / "recorded.json.gz").read_bytes()))["files"]
FILES = sorted(RECORDED)
LOOPS = ("bilstm", "gru", "lstm", "simple_rnn")  # their weights are also in other subgraphs
FOLDED = ("bilstm", "encoder", "gru", "lstm", "simple_rnn", "unet", "volume", "wavenet")  # no folded norm


def data(name):
    return gzip.decompress((FOLDER / f"{name}.tflite.gz").read_bytes())


def modelled(content):
    return read(from_bytes(content, "m.tflite"))


def analyzed(*graphs, **how):
    return analyze(modelled(built(*graphs)), convention="framework", **how)


@pytest.mark.parametrize("name", FILES)
def test_shapes_are_those_of_the_interpreter(name):
    recorded = RECORDED[name]["shapes"]
    found = shapes(from_bytes(data(name), f"{name}.tflite"))
    for number, shape in found.items():
        known = [1 if not isinstance(size, int) else size for size in shape]  # `batch`, which is 1 in the interpreter
        assert number not in recorded or known == recorded[number], number
    assert len(found.keys() & recorded.keys()) >= 0.7 * len(recorded)  # the others belong to no operator


@pytest.mark.parametrize("name", FILES)
def test_mult_adds_are_those_of_the_configuration_of_keras(name):
    report = analyze(modelled(data(name)), convention="framework")
    text = gzip.decompress((FOLDER / f"{name.split('.')[0]}.json.gz").read_bytes()).decode()
    assert report.complete
    assert report.totals["mult_adds"] == analyze(json.loads(text), convention="keras").totals["mult_adds"]


@pytest.mark.parametrize("name", [name for name in FILES if name.split(".")[0] in FOLDED])
def test_parameters_are_those_of_keras(name):
    assert analyze(modelled(data(name)), convention="framework").totals["params"] == RECORDED[name]["params"]


def constants(content):
    """The number of float or quantized constants in the first subgraph, each buffer once."""
    model = tflite.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    operators = [graph.Operators(at) for at in range(graph.OperatorsLength())]
    made = {one.Outputs(at) for one in operators for at in range(one.OutputsLength())}
    given = {graph.Inputs(at) for at in range(graph.InputsLength())}
    sizes = {}
    for at in {*range(graph.TensorsLength())} - made - given:
        one = graph.Tensors(at)
        count = math.prod(one.Shape(axis) for axis in range(one.ShapeLength()))
        scales = one.Quantization()
        if count > 1 and (one.Type() in (0, 1) or (scales is not None and scales.ScaleLength())):
            sizes[one.Buffer()] = count
    return sum(sizes.values())


@pytest.mark.parametrize("name", [name for name in FILES if name.split(".")[0] not in LOOPS])
def test_every_constant_with_trained_numbers_is_counted_once(name):
    report = analyze(modelled(data(name)), convention="framework")
    assert report.totals["params"] + report.accounting.unread == constants(data(name))


BYTES = {"float32": 4, "float16": 2, "int8": 1}


@pytest.mark.parametrize("kind", ["float32", "float16", "int8", "dynamic"])
def test_weights_have_the_bytes_that_the_file_has(kind):
    """MobileNet: 4,209,088 weights at the file's width and 11,944 biases of 32 bits (16 in a 16-bit file)."""
    name = "mobilenet" if kind in BYTES else "mobilenet_v2"
    metrics = analyze(modelled(data(f"{name}.{kind}")), convention="framework", metrics=["weights_bytes"]).totals
    if kind in BYTES:
        assert metrics["weights_bytes"] == 4_209_088 * BYTES[kind] + 11_944 * (2 if kind == "float16" else 4)
    else:
        assert 3_469_760 + 4 * 17_000 < metrics["weights_bytes"] < 3_822_520  # of the weights, and of the file


def test_tensors_have_the_bits_that_the_file_says():
    peaks = {
        kind: memory(modelled(data(f"unet.{kind}"))).peak_bytes for kind in ("float32", "float16", "int16", "int8")
    }
    assert peaks == {
        "float32": 655_360,
        "float16": 655_360,
        "int16": 327_680,
        "int8": 163_840,
    }  # 64*64*8 twice, 128*128*8


CONV = {"Padding": 0, "StrideH": 2, "StrideW": 2, "DilationHFactor": 1, "DilationWFactor": 1}
WEIGHTS = tuple(range(3 * 3 * 2 * 4))


def conv(fields=CONV, weights=(4, 3, 3, 2), x=(1, 8, 8, 2), options="Conv2DOptions", kind="CONV_2D", y=(1, 4, 4, 4)):
    tensors = [Tensor(x), Tensor(weights, WEIGHTS), Tensor((4,), (1, 2, 3, 4)), Tensor(y)]
    return Graph(tensors, [Operator(kind, (0, 1, 2), (3,), options, fields)], (0,), (3,))


def test_a_convolution_by_hand():
    report = analyzed(conv())
    assert report.totals["mult_adds"] == 4 * 4 * 4 * (3 * 3 * 2)
    assert report.totals["params"] == 4 * 3 * 3 * 2 + 4
    assert report.lines[0].output == (4, 4, 4)


def test_an_activation_in_the_options_is_a_step():
    assert [line.op for line in analyzed(conv({**CONV, "FusedActivationFunction": 3})).lines] == ["conv", "relu6"]


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (conv(options="Pool2DOptions", fields={"Padding": 0}), "its options are Pool2DOptions, not Conv2DOptions"),
        (conv({**CONV, "StrideH": 0}), "strides [0, 2] and dilations [1, 1] must be at least 1"),
        (conv({**CONV, "Padding": 7}), "invalid inputs or attributes of a CONV_2D"),
        (conv({**CONV, "FusedActivationFunction": 9}), "activation number 9 is unknown"),
        (conv(weights=(4, 3, 2, 3)), "2 channels do not match weights for 3"),
        (conv(weights=(2, 3, 3, 4), y=(1, 4, 4, 2)), "2 channels do not match weights for 4"),
        (conv(y=(1, 5, 5, 4)), "the file declares the shape [1, 5, 5, 4], but it makes [1, 4, 4, 4]"),
        (conv(x=(8, 8, 2)), "it needs a batch, a grid of 2 axes and channels, got 3 axes"),
        (Graph([Tensor((1,))], [Operator("RELU", (7,), (0,))], (0,), (0,)), "there is no tensor 7"),
        (
            Graph([Tensor((1,))] * 2, [Operator("RELU", (0,), (1,)), Operator("ABS", (0,), (1,))], (0,), (1,)),
            "two operators make tensor 1",
        ),
        (
            Graph([Tensor((1,))] * 3, [Operator("RELU", (1,), (2,)), Operator("ABS", (0,), (1,))], (0,), (2,)),
            "reads `1`, which no earlier node makes",
        ),
        (Graph([Tensor((1,))], [], (0,), ()), "it computes nothing"),
        (Graph([Tensor((1,) * 9)] * 2, [Operator("RELU", (0,), (1,))], (0,), (1,)), "a tensor of 9 axes has too many"),
    ],
)
def test_what_no_interpreter_would_run_is_refused(graph, message):
    with pytest.raises(CostcalcError) as error:
        analyzed(graph)
    assert message in str(error.value)


def beside(*operators):
    """A main graph, and a subgraph run by these operators."""
    inner = conv()
    made = Graph([inner.tensors[0], inner.tensors[3]], [*operators], (0,), (1,))
    return made, inner


def test_a_subgraph_that_nothing_runs_is_refused():
    """Its cost would be lost: it is a separate entry point, as for another signature."""
    run = Operator("CALL", (0,), (1,), "CallOptions", {"Subgraph": 1})
    assert analyzed(*beside(run)).totals["mult_adds"] == 1152
    for others in ((conv(),), (conv(), conv())):
        with pytest.raises(CostcalcError, match="subgraph 2 is never run, so only the first one would be counted"):
            analyzed(*beside(run), *others)
    with pytest.raises(CostcalcError, match="subgraph 1 is never run"):
        analyzed(Graph([Tensor((1, 4))] * 2, [Operator("RELU", (0,), (1,))], (0,), (1,)), conv())
    analyzed(*beside(run), Graph([Tensor((1,))], [], (0,), (0,)))  # nothing is computed there


def test_an_unknown_operator_makes_lower_bounds():
    graph = conv()
    tensors = [*graph.tensors, Tensor((1, 10))]
    custom = Operator("CUSTOM", (3,), (4,), custom="TFLite_Detection_PostProcess")
    report = analyzed(Graph(tensors, [*graph.operators, custom], (0,), (4,)))
    assert not report.complete
    assert report.totals["mult_adds"] == 1152
    assert [(line.name, line.type) for line in report.lines if not line.complete] == [
        ("t4", "opaque: TFLite_Detection_PostProcess")
    ]


@pytest.mark.parametrize("name", FILES)
def test_a_random_operator_that_is_not_known_leaves_lower_bounds(name, monkeypatch):
    """No total exceeds the true one, and totals are marked as bounds.

    Only operators with a tensor input are replaced: constants read by an unknown operator count as parameters.
    """
    due = analyze(modelled(data(name)), convention="framework")
    opened, chance = Reader.opened, random.Random(name)

    def changed(reader, number):
        graph = opened(reader, number)
        if number == 0 and not any(one.domain == "mine" for one in graph.operators):
            flowing = {*map(str, graph.inputs), *graph.makers}
            at = chance.choice([at for at, one in enumerate(graph.operators) if flowing.intersection(one.input)])
            lost = graph.operators[at]._replace(op_type="Mine", domain="mine")
            graph.operators[at] = lost
            graph.makers.update(dict.fromkeys(lost.output, lost))
        return graph

    monkeypatch.setattr(Reader, "opened", changed)
    found = analyze(modelled(data(name)), convention="framework")
    assert due.complete
    assert not found.complete
    assert [metric for metric in due.totals if found.totals[metric] > due.totals[metric]] == []


def test_parameters_of_an_unknown_operator_count():
    graph = Graph([Tensor((1, 4)), Tensor((4, 5), tuple(range(20))), Tensor((1, 5))], [], (0,), (2,))
    report = analyzed(graph._replace(operators=[Operator("CUSTOM", (0, 1), (2,), custom="Mine")]))
    assert (report.complete, report.totals["params"]) == (False, 20)


def test_tensors_of_one_buffer_are_one_parameter():
    x, weights = Tensor((1, 4)), Tensor((4, 4), tuple(range(16)))
    full = [
        Operator("FULLY_CONNECTED", (at, 1, -1), (at + 2 if not at else 3,), "FullyConnectedOptions") for at in (0, 2)
    ]
    report = analyzed(Graph([x, weights, Tensor((1, 4)), Tensor((1, 4))], full, (0,), (3,)))
    assert (report.totals["mult_adds"], report.totals["params"]) == (32, 16)


def test_whole_numbers_are_parameters_if_they_have_a_scale():
    def report(scaled):
        tensors = [Tensor((1, 2)), Tensor((1, 2), (3, 4), "INT32", scaled=scaled), Tensor((1, 2))]
        return analyzed(Graph(tensors, [Operator("MUL", (0, 1), (2,))], (0,), (2,))).totals["params"]

    assert (report(True), report(False)) == (2, 0)


def test_open_axes_are_variables():
    tensors = [
        Tensor((1, 1, 8), signature=(-1, -1, 8)),
        Tensor((3, 8), tuple(range(24))),
        Tensor((1, 1, 3), signature=(-1, -1, 3)),
    ]
    graph = Graph(
        tensors,
        [Operator("FULLY_CONNECTED", (0, 1, -1), (2,), "FullyConnectedOptions", {"KeepNumDims": True})],
        (0,),
        (2,),
    )
    with pytest.raises(CostcalcError, match="t0_1"):
        analyzed(graph)
    assert analyzed(graph, t0_1=5).totals["mult_adds"] == 5 * 8 * 3
    assert analyzed(graph, t0_1=5, batch=2).totals["mult_adds"] == 2 * 5 * 8 * 3


def counting(limit=5, step=1, compare="LESS"):
    """A loop with a linear layer that adds `step` to a counter from 0 while it is below `limit`."""
    whole, row = Tensor((), type="INT32"), Tensor((1, 4))
    start = Tensor((), (0,), "INT32")
    main = Graph(
        [row, start, whole, row],
        [Operator("WHILE", (1, 0), (2, 3), "WhileOptions", {"CondSubgraphIndex": 1, "BodySubgraphIndex": 2})],
        (0,),
        (3,),
    )
    numbers = (0, 2) if compare == "LESS" else (2, 0)
    condition = Graph(
        [whole, row, Tensor((), (limit,), "INT32"), Tensor((), type="BOOL")],
        [Operator(compare, numbers, (3,))],
        (0, 1),
        (3,),
    )
    tensors = [whole, row, Tensor((), (step,), "INT32"), whole, Tensor((4, 4), tuple(range(16))), row]
    body = [Operator("ADD", (0, 2), (3,)), Operator("FULLY_CONNECTED", (1, 4, -1), (5,), "FullyConnectedOptions")]
    return main, condition, Graph(tensors, body, (0, 1), (3, 5))


@pytest.mark.parametrize(("limit", "step", "runs"), [(5, 1, 5), (5, 2, 3), (6, 3, 2), (1, 1, 1)])
@pytest.mark.parametrize("compare", ["LESS", "GREATER"])
def test_a_loop_that_counts_runs_so_often(limit, step, runs, compare):
    report = analyzed(*counting(limit, step, compare))
    assert (report.totals["mult_adds"], report.totals["params"], report.complete) == (16 * runs, 16, True)


@pytest.mark.parametrize("change", [{"step": 0}, {"step": -1}, {"compare": "EQUAL"}])
def test_a_loop_that_does_not_count_is_unknown(change):
    assert not analyzed(*counting(**change)).complete


def test_a_subgraph_that_runs_itself_is_refused():
    row = Tensor((1, 4))
    call = Graph([row, row], [Operator("CALL", (0,), (1,), "CallOptions", {"Subgraph": 1})], (0,), (1,))
    with pytest.raises(CostcalcError, match="subgraph 1 runs itself"):
        analyzed(call, call)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 16, b"\x10\0\0\0TFL3", b"\xff" * 4 + b"TFL3" + b"\xff" * 60])
def test_what_is_no_model_is_refused(content):
    with pytest.raises(CostcalcError):
        modelled(content)


@pytest.mark.parametrize("name", ["unet.int8", "lstm.float32", "pieces.float32"])
def test_damaged_files_end_in_an_error_or_an_answer(name):
    dice, whole = random.Random(3), data(name)
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(dice.choice((1, 2, 8))):
            at = dice.randrange(len(content) - 4)
            content[at : at + 4] = struct.pack(
                "<I", dice.choice((0, 1, 2**31, 2**32 - 1, len(content), dice.randrange(2**16)))
            )
        try:
            assert analyze(modelled(bytes(content))).totals["mult_adds"] >= 0
        except CostcalcError as error:
            assert "m.tflite" in str(error)  # noqa: PT017


def test_bytes_that_are_named_again_and_again_are_bounded(limit):
    limit(graph_fields=2_000)
    many = Graph([Tensor((1,))] * 400, [Operator("RELU", (0,), (1,))], (0,), (1,))
    with pytest.raises(CostcalcError, match="more than 2,000 of its parts would be read") as error:
        analyzed(many)
    assert "COSTCALC_LIMITS=graph_fields=N" in error.value.problems[0].help


def test_operators_are_bounded(limit):
    limit(nodes=3)
    chain = Graph([Tensor((1,))] * 6, [Operator("RELU", (at,), (at + 1,)) for at in range(5)], (0,), (5,))
    with pytest.raises(CostcalcError, match="it has 5 entries in one list: the limit is 3"):
        analyzed(chain)


def test_a_large_file_is_refused(limit):
    limit(graph_file_bytes=100)
    with pytest.raises(CostcalcError, match="is larger than 100 bytes"):
        modelled(data("lstm.float32"))


def test_the_command_line_reads_and_writes(run, tmp_path):
    (tmp_path / "unet.tflite").write_bytes(data("unet.int8"))
    totals = json.loads(run("analyze", "unet.tflite", "--json").out)["totals"]
    assert run("import", "unet.tflite", "-o", "unet.yaml").code == 0
    assert json.loads(run("analyze", "unet.yaml", "--json").out)["totals"] == totals
    assert run("memory", "unet.tflite").code == 0
    assert run("check", "unet.tflite", "--max", "mult_adds=1M").code == 1


def test_without_the_package_the_error_says_so(monkeypatch):
    import sys

    from costcalc.read.tflite.graph import schema

    schema.cache_clear()
    monkeypatch.setitem(sys.modules, "tflite", None)
    with pytest.raises(CostcalcError, match="needs the package `tflite`") as error:
        modelled(data("lstm.float32"))
    assert error.value.problems[0].help == "pip install 'costcalc[tflite]'"
    schema.cache_clear()


@pytest.mark.parametrize(
    "name", [one for one in FILES if one.partition(".")[0] in ("lstm", "pieces", "unet", "encoder")]
)
def test_a_written_spec_has_the_same_bytes_of_weights(name):
    model = modelled(data(name))
    spec = read_spec(Source("s.yaml", str(import_(model))))
    found = [analyze(one, convention="framework", metrics=["weights_bytes"]).totals for one in (model, spec)]
    assert found[0]["weights_bytes"] == found[1]["weights_bytes"]
    if name.startswith(("pieces", "unet")):  # the others have intermediate tensors that are not layers of the file
        assert memory(model).peak_bytes == memory(spec).peak_bytes
