"""The exported ONNX model against the spec: ONNX's shape inference and a run in ONNX Runtime give trace's shapes."""

import sys
from collections import Counter

import pytest

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
np = pytest.importorskip("numpy")

from pathlib import Path  # noqa: E402

from costcalc import analyze  # noqa: E402
from costcalc.errors import OptionError, Source, SpecError  # noqa: E402
from costcalc.model.trace import trace  # noqa: E402
from costcalc.model.variables import settle  # noqa: E402
from costcalc.model.wiring import wired  # noqa: E402
from costcalc.ops import INDEX, UNWRITTEN, find  # noqa: E402
from costcalc.read.loading import load  # noqa: E402
from costcalc.read.spec.reader import read  # noqa: E402
from costcalc.write.onnx import encoded  # noqa: E402
from costcalc.write.onnx.builder import built  # noqa: E402
from costcalc.write.onnx.stream import assembled, proven  # noqa: E402
from costcalc.write.torch import source_text  # noqa: E402
from tests.lineage import assert_onnx_has_the_edges  # noqa: E402
from tests.test_laws import FLOWS, NAMED  # noqa: E402

ROOT = Path(__file__).parents[2]
SPECS = sorted([*(ROOT / "configs").glob("*.yaml"), *(ROOT / "tests" / "specs").glob("*.yaml")])
SMALL = {"fcn_resnet50": {"res": 97}, "deeplabv3_mobilenet_v3_large": {"res": 97}, "xception": {"res": 97}}
HIDDEN = {  # with an opaque layer or one without an ONNX form
    *("timm_edgenext_small", "deepseek_v3", "mamba", "mixtral_8x7b", "qwen3_8b", "t5"),
}
LARGE = {  # gigabytes of weights: not run
    *("decoder", "gemma2_9b", "llama2_7b", "llama3_8b", "llama3_1_405b", "mistral_7b", "phi3_mini", "qwen2_5_72b"),
}


def model(text, inputs="[8, 8, 4]"):
    """A Model of layers."""
    return read(Source("net.yaml", f"input: {inputs}\nlayers:\n{text}"))


def graph_of(model, **given):
    """The wired graph of a model."""
    return wired(model, settle(model, given))


def session(proto, outputs):
    """A session of ONNX Runtime that outputs these tensors."""
    known = {one.name for one in proto.graph.output}
    for value in outputs:
        if value.name not in known:
            proto.graph.output.append(onnx.helper.make_tensor_value_info(value.name, 1, value.stored))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def computed(graph, weights=None):
    """The output of every row in ONNX Runtime: {name: array}. All weights are 0 unless given."""
    network = built(graph)
    feeds = {name: np.zeros(one.shape, np.float32) for name, one in network.builder.weights.items()}
    feeds.update(weights or {})
    for value in network.inputs:
        feeds[value.name] = np.zeros(value.stored, np.int64 if value.kind == "int" else np.float32)
    rows = [value for value in network.rows if value.name not in feeds]
    proto = proven(network, "net")
    arrays = session(proto, rows).run([value.name for value in rows], feeds)
    return rows, arrays


def agree(model, **given):
    """Run a model, and compare every shape with the trace."""
    graph = graph_of(model, **given)
    walked = trace(model, settle(model, given))
    rows, arrays = computed(graph)
    shapes = {row.name: tuple(row.layer.shape) for row in walked.rows if row.op.name != "parameter"}
    assert {value.name: value.shape for value in rows if value.name in shapes} == shapes
    for value, array in zip(rows, arrays, strict=True):
        assert array.shape == value.stored, value.name
    return arrays


HEAVY = {  # a run takes a second or more
    *("lraspp_mobilenet_v2", "deeplabv3_resnet101", "lraspp_mobilenet_v3_large"),
    *("timm_xception41", "ssd300_vgg16_body", "vit_b_16", "ssd300_vgg", "lraspp_mobilenet_v3_small", "fcn_resnet50"),
}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * (path.stem in HEAVY))
        for path in SPECS
        if path.stem not in HIDDEN | LARGE
    ],
)
def test_a_run_gives_the_shapes_of_the_walk(path):
    agree(load(path), **SMALL.get(path.stem, {}))


@pytest.mark.parametrize("path", [path for path in SPECS if path.stem not in HIDDEN], ids=lambda path: path.stem)
def test_the_weights_are_the_parameters(path):
    one = load(path)
    stored = built(graph_of(one)).builder.weights
    trained = [weight for name, weight in stored.items() if not name.rpartition(".")[2].startswith("running_")]
    assert (
        sum(int(np.prod(weight.shape)) for weight in trained) == analyze(one, convention="framework").totals["params"]
    )


def example(name):
    """The Model of an operation's example."""
    import yaml

    example = yaml.safe_load(find(name).doc.partition("Example: ")[2])
    layers = example if isinstance(example, list) else [example]
    if list(layers[0]) == ["then"]:
        layers = [{"identity": None, **layers[0]}]
    flow = FLOWS.get(name, "[28, 28, 64]")
    inputs = "".join(f"  {key}: {shape}\n" for key, shape in {**dict.fromkeys("xqkv", flow), **NAMED}.items())
    text = f"vars: {{res: 224}}\ninputs:\n{inputs}layers: {yaml.safe_dump(layers, default_flow_style=True, width=999)}"
    return read(Source("example.yaml", text))


@pytest.mark.parametrize("name", [name for name in INDEX if name not in ("opaque", *UNWRITTEN)])
def test_the_example_of_every_operation_runs(name):
    agree(example(name))


@pytest.mark.parametrize("name", UNWRITTEN)
def test_an_operation_without_a_form_is_refused(name):
    """The error states the reason and an alternative."""
    for write, form in ((built, "ONNX"), (lambda graph: source_text(graph, "net"), "PyTorch")):
        with pytest.raises(SpecError) as error:
            write(graph_of(example(name)))
        problem = error.value.problems[0]
        why, help = UNWRITTEN[name]
        assert (problem.message.partition(": ")[2], problem.help) == (why.format(form=form), help)
        assert f"`{name}`" in why


def stub(name, weight):
    """A weight stored in another file, which the reader does not need."""
    tensor = onnx.TensorProto(name=name, data_type=1, dims=weight.shape, data_location=1)
    tensor.external_data.add(key="location", value="weights")
    return tensor


def products(rows):
    """(output shape, mult-adds) of every layer with mult-adds; attention is separate, because it is several nodes."""
    return Counter((tuple(row.layer.shape), row.layer.terms["mac"]) for row in rows if row.layer.terms.get("mac"))


RUNS_OFTEN = ("faster_rcnn_inception_v2", "faster_rcnn_mobilenet", "faster_rcnn_vgg")  # times: 300, once in the file
ATTENDS = {"mobilevit_s", "swin_t", "vit_b_16", "bert", "gpt2", "whisper", *LARGE}
WINDOWED = {"gemma2_9b", "mistral_7b", "phi3_mini"}  # ONNX also multiplies pairs outside a window
EXPORTED = [path for path in SPECS if path.stem not in {*HIDDEN, *RUNS_OFTEN}]


@pytest.mark.parametrize("path", EXPORTED, ids=lambda path: path.stem)
def test_read_back_it_costs_the_same(path, tmp_path):
    one = load(path)
    network = built(graph_of(one))
    weights = [stub(name, weight) for name, weight in network.builder.weights.items()]
    proto = assembled(network, "net", shown=True)
    proto.graph.initializer.extend(weights)
    (tmp_path / "net.onnx").write_bytes(proto.SerializeToString())
    again = load(tmp_path / "net.onnx")
    if path.stem not in ATTENDS:
        assert products(trace(again, settle(again, {})).rows) == products(trace(one, settle(one, {})).rows)
    due, found = (analyze(each, convention="framework").totals for each in (one, again))
    if path.stem in WINDOWED:
        assert (found["mult_adds"] > due["mult_adds"], found["params"]) == (True, due["params"])
    else:
        assert found == due


LAYERS = [  # input, layer
    ("[15, 13, 4]", "{conv: 3x3, out: 6, stride: 2}"),
    ("[15, 13, 4]", "{conv: 5x2, out: 6, stride: [3, 1], dilation: [1, 2], groups: 2}"),
    ("[15, 13, 4]", "{conv: 3x3, out: 6, padding: [[0, 1], [2, 0]]}"),
    ("[6, 7, 8, 4]", "{conv: 3x3x3, out: 6, stride: 2}"),
    ("[33, 4]", "{conv: 5, out: 6, stride: 4, padding: valid}"),
    ("[15, 13, 4]", "{dwconv: 3x3, multiplier: 2, dilation: 2}"),
    ("[7, 5, 4]", "{conv_transpose: 4x4, out: 6, stride: 2, padding: 1, groups: 2}"),
    ("[7, 5, 4]", "{conv_transpose: 3x3, out: 6, stride: 2, padding: 1, output_padding: 1}"),
    ("[7, 5, 4]", "{conv_transpose: 2x2, out: 6, stride: 3}"),
    ("[7, 5, 4]", "{conv_transpose: 5x5, out: 6, stride: 2, dilation: 2}"),
    ("[9, 4]", "{conv_transpose: 4, out: 6, stride: 2}"),
    ("[15, 13, 4]", "{maxpool: 3x3, stride: 2, padding: 1, ceil_mode: true}"),
    ("[15, 13, 4]", "{maxpool: 3x3, stride: 2, padding: valid, ceil_mode: true}"),
    ("[15, 13, 4]", "{maxpool: 2x2, stride: 3, padding: valid, ceil_mode: true}"),
    ("[15, 13, 4]", "{maxpool: 3x3, stride: 1, dilation: 3}"),
    ("[15, 13, 4]", "{avgpool: 3x3, stride: 2, ceil_mode: true, padding: 1}"),
    ("[15, 4]", "{avgpool: 3, stride: 2}"),
    ("[5, 6, 7, 4]", "{maxpool: 2, stride: 2}"),
    ("[15, 13, 4]", "{lppool: 3x3, stride: 2}"),
    ("[15, 13, 4]", "{adaptive_avgpool: [4, 6]}"),
    ("[3, 2, 4]", "{adaptive_maxpool: 5x5}"),
    ("[15, 13, 4]", "{reduce: max, axis: height, keep: true}"),
    ("[15, 13, 4]", "{reduce: sum, axis: channels}"),
    ("[4]", "{reduce: mean, axis: channels, keep: true}"),
    ("[15, 13, 4]", "{groupnorm: 2, scale: false}"),
    ("[15, 4]", "{groupnorm: 2, shift: false}"),
    ("[4]", "{groupnorm: 2}"),
    ("[4]", "instancenorm"),
    ("[15, 4]", "{instancenorm: , scale: true, shift: true}"),
    ("[4]", "batchnorm"),
    ("[15, 4]", "{batchnorm: , scale: false, shift: false}"),
    ("[15, 4]", "lrn"),
    ("[5, 6, 7, 4]", "{lrn: 3}"),
    ("[15, 13, 4]", "layernorm"),
    ("[4]", "rmsnorm"),
    ("[15, 13, 4]", "{prelu: , shared: true}"),
    ("[15, 4]", "prelu"),
    ("[15, 13, 4]", "{split: 2, part: 1}"),
    ("[15, 12, 4]", "{split: 3, part: 1, axis: width}"),
    ("[15, 13, 4]", "{slice: 3, start: 2, axis: height}"),
    ("[5, 6, 7, 4]", "{pad: [[0, 1], [2, 3], [1, 1]]}"),
    ("[4, 6, 8, 4]", "{space_to_depth: 2}"),
    ("[6, 8]", "{pixel_shuffle: 2}"),
    ("[4, 6, 8, 16]", "{pixel_shuffle: 2}"),
    ("[9, 4]", "{windows: 3}"),
    ("[9, 6]", "{channel_shuffle: 3}"),
    ("[6]", "{channel_shuffle: 3}"),
    ("[9, 4]", "{upsample: 2, method: bilinear}"),
    ("[5, 6, 7, 4]", "{upsample: [1, 2, 3]}"),
    ("[5, 7, 4]", "{upsample: 1.7}"),
    ("[5, 7, 4]", "{upsample: , to: [9, 20], method: bilinear}"),
    ("[7, 4]", "{linear: 3, bias: false}"),
    ("[2, 3, 7, 4]", "{linear: 3}"),
    ("[9, 8]", "{attention: 4, kv_heads: 2, causal: true, window: 3, out: 6}"),
    ("[9, 8]", "{attention: 4, head_size: 3, window: 3, bias: false}"),
    ("[5, 9, 8]", "{attention: 4, memory: [{linear: 12}, {slice: 4, axis: 1}], kv_heads: 1}"),
    ("[9, 8]", "{attend: [[], [{linear: 4}], [{linear: 6}]], heads: 4}"),
    ("[9, 8]", "{lstm: 5, layers: 3, bidirectional: true, bias: false}"),
    ("[9, 8]", "{gru: 5, layers: 2}"),
    ("[9, 8]", "{rnn: 5, bidirectional: true}"),
    ("[6, 5, 4]", "{mul: [[], [{parameter: [4]}]]}"),
    ("[6, 5, 4]", "{add: [[{parameter: [5, 1]}], [], [{conv: 1x1, out: 4}]]}"),
    ("[6, 5, 4]", "{div: [[], [{reduce: mean, axis: channels, keep: true}]]}"),
    ("[6, 5, 4]", "{concat: [[], [layernorm]], axis: height}"),
    ("[6, 4]", '{einsum: "ab,cb->ac", of: [[], [{linear: 4}]]}'),
    ("[6, 4]", "{bilinear: [[], [{linear: 3}]], out: 5}"),
    ("[6, 5, 4]", "{matmul: [[], [{permute: [0, 2, 1]}]]}"),
]


@pytest.mark.parametrize(("flow", "layer"), LAYERS)
def test_every_way_of_a_layer_runs(flow, layer):
    agree(model(f"  - {layer}\n", flow))


def result(text, inputs, given, weights=None):
    """The output of the last layer for an input, channels last."""
    network = built(graph_of(model(text, inputs)))
    feeds = {network.inputs[0].name: given, **(weights or {})}
    return session(proven(network, "net"), []).run([network.outputs[-1].name], feeds)[0]


def counting(*shape):
    """An array of a shape filled with 0, 1, 2, ..."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_channels_are_shuffled_as_shufflenet_does():
    assert result("  - {channel_shuffle: 3}\n", "[6]", counting(1, 6)).tolist() == [[0, 2, 4, 1, 3, 5]]


def test_windows_hold_the_pixels_of_a_square():
    x = counting(1, 1, 4, 4)
    assert result("  - {windows: 2x2}\n", "[4, 4, 1]", x)[0, 1, :, 0].tolist() == [2, 3, 6, 7]


@pytest.mark.parametrize("method", ["avg", "max"])
def test_adaptive_pools_take_the_windows_of_pytorch(method):
    x = counting(1, 5, 1)
    found = result(f"  - {{adaptive_{method}pool: 3}}\n", "[5, 1]", x.transpose(0, 2, 1))
    windows = [[0, 1], [1, 2, 3], [3, 4]]  # floor(i * 5 / 3) up to ceil((i + 1) * 5 / 3)
    mean = np.mean if method == "avg" else np.max
    assert found.ravel().tolist() == [mean(one) for one in windows]


def test_the_padding_of_same_is_no_part_of_a_mean():
    x = np.ones((1, 1, 4, 4), np.float32)
    assert result("  - {avgpool: 3x3, stride: 1}\n", "[4, 4, 1]", x).min() == 1
    assert result("  - {avgpool: 3x3, stride: 1, padding: 1}\n", "[4, 4, 1]", x).min() == pytest.approx(4 / 9)


@pytest.mark.parametrize(
    ("options", "sees"),
    [
        ("", lambda query, key: True),
        (", causal: true", lambda query, key: key <= query),
        (", causal: true, window: 3", lambda query, key: query - 3 < key <= query),
        (", window: 3", lambda query, key: abs(query - key) <= 1),
    ],
)
def test_attention_sees_the_keys_that_are_counted(options, sees):
    rng = np.random.RandomState(1)
    x = rng.standard_normal((1, 7, 6)).astype(np.float32)
    tokens = np.arange(7)
    scores = x[0] @ x[0].T / 6**0.5
    scores[[[not sees(query, key) for key in tokens] for query in tokens]] = -np.inf
    weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    found = result(f"  - {{attend: [[], [], []], heads: 1{options}}}\n", "[7, 6]", x)
    np.testing.assert_allclose(found[0], weights @ x[0], rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "sees"),
    [
        (", causal: true", lambda query, key: key <= query),
        (", causal: true, window: 3", lambda query, key: query - 3 < key <= query),
        (", window: 3", lambda query, key: abs(query - key) <= 1),
    ],
)
def test_queries_are_the_last_of_the_keys(options, sees):
    x = np.random.RandomState(1).standard_normal((1, 9, 6)).astype(np.float32)
    scores = x[0, 5:] @ x[0].T / 6**0.5
    scores[[[not sees(query, key) for key in range(9)] for query in range(5, 9)]] = -np.inf
    weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    text = f"  - {{attend: [[{{slice: 4, start: 5, axis: tokens}}], [], []], heads: 1{options}}}\n"
    np.testing.assert_allclose(result(text, "[9, 6]", x)[0], weights @ x[0], rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "sees"),
    [
        ("", lambda query, key: key <= query),
        (", window: 3", lambda query, key: query - 3 < key <= query),
    ],
)
def test_queries_are_the_first_of_the_keys_where_the_spec_says_so(options, sees):
    x = np.random.RandomState(1).standard_normal((1, 9, 6)).astype(np.float32)
    scores = x[0, 5:] @ x[0].T / 6**0.5
    scores[[[not sees(query, key) for key in range(9)] for query in range(4)]] = -np.inf
    weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    first = "causal: true, align: first"
    text = f"  - {{attend: [[{{slice: 4, start: 5, axis: tokens}}], [], []], heads: 1, {first}{options}}}\n"
    np.testing.assert_allclose(result(text, "[9, 6]", x)[0], weights @ x[0], rtol=1e-4)


def test_heads_that_share_keys_see_the_same_ones():
    rng = np.random.RandomState(1)
    x = rng.standard_normal((1, 5, 8)).astype(np.float32)
    found = result("  - {attend: [[], [{slice: 4}], [{slice: 4}]], heads: 4}\n", "[5, 8]", x)[0]
    for head in range(4):
        query, key = x[0][:, 2 * head : 2 * head + 2], x[0][:, head // 2 * 2 : head // 2 * 2 + 2]
        weights = np.exp(query @ key.T / 2**0.5)
        weights /= weights.sum(1, keepdims=True)
        np.testing.assert_allclose(found[:, 2 * head : 2 * head + 2], weights @ key, rtol=1e-4)


def test_a_layer_that_runs_again_has_the_same_weights():
    text = "  - {conv: 3x3, out: 4, as: head, then: [prelu]}\n  - reuse: head\n  - reuse: head\n"
    network = built(graph_of(model(text)))
    assert list(network.builder.weights) == ["head.weight", "head.bias", "head/prelu.slope"]
    assert [one.inputs[1] for one in network.builder.operators if one.op == "Conv"] == ["head.weight"] * 3


def test_what_nothing_reads_is_an_output_and_the_last_one_is_the_networks():
    text = "  - {conv: 1x1, out: 4, as: a}\n  - {conv: 1x1, out: 5, as: b}\n  - {conv: 1x1, out: 6, from: a}\n"
    network = built(graph_of(model(text)))
    assert [value.name for value in network.outputs] == ["b", "conv"]


def test_a_network_without_layers_gives_its_input():
    network = built(graph_of(model("  - {conv: 1x1, out: 4, when: false}\n")))
    assert [(value.name, value.shape) for value in network.outputs] == [("output/Identity", (8, 8, 4))]
    proven(network, "net")


def test_images_go_in_as_frameworks_have_them_and_indices_as_whole_numbers():
    assert built(graph_of(model("  - relu\n"))).inputs[0].stored == (1, 4, 8, 8)
    assert built(graph_of(model("  - {conv: 3, out: 5}\n", "[9, 4]"))).inputs[0].stored == (1, 4, 9)
    assert built(graph_of(model("  - layernorm\n", "[9, 4]"))).inputs[0].stored == (1, 9, 4)
    assert built(graph_of(model("  - {embedding: 4, vocab: 10}\n", "[9]"))).inputs[0].kind == "int"


def test_bytes_depend_on_the_seed_alone():
    graph = graph_of(model("  - {conv: 3x3, out: 4, then: [batchnorm, relu]}\n"))
    assert encoded(graph, "net") == encoded(graph, "net")
    assert encoded(graph, "net", seed=1) != encoded(graph, "net", seed=2)
    assert encoded(graph, "net", "zero", 1) == encoded(graph, "net", "zero", 2)


SHAPES = {
    "conv.weight": (5, 4, 3, 3),
    "conv.bias": (5,),
    **dict.fromkeys([f"conv/batchnorm.{kind}" for kind in ("running_mean", "running_var", "gamma", "beta")], (5,)),
    "linear.weight": (5, 300),
    "linear.bias": (300,),
}


@pytest.mark.parametrize("piece", [7, 2**18])
@pytest.mark.parametrize("how", ["random", "zero"])
def test_pieces_are_the_bytes_that_onnx_writes(how, piece, monkeypatch):
    monkeypatch.setattr("costcalc.write.onnx.stream.PIECE", piece)
    layers = "  - {conv: 3x3, out: 5, then: [batchnorm, relu]}\n  - {linear: 300}\n  - {identity: null, as: end}\n"
    data = encoded(graph_of(model(layers)), "net", how, 7)
    proto = onnx.load_from_string(data)
    onnx.checker.check_model(proto, full_check=True)
    generator, drawn = np.random.RandomState(7), {}
    for one, fan_in in (("conv.weight", 36), ("linear.weight", 5)):
        values = generator.standard_normal(SHAPES[one]).astype(np.float32)
        if how == "random":
            drawn[one] = values * np.float32((2 / fan_in) ** 0.5)
    for stored in [one for one in proto.graph.initializer if one.name in SHAPES]:
        ones = np.ones if stored.name.endswith(("gamma", "var")) else np.zeros
        values = drawn.get(stored.name, ones(SHAPES[stored.name], np.float32))
        stored.CopyFrom(onnx.numpy_helper.from_array(values, stored.name))
    assert {one.name for one in proto.graph.initializer} >= {*SHAPES}
    assert proto.SerializeToString(deterministic=True) == data


def test_weights_before_training_keep_the_size_of_what_flows():
    layers = "  - repeat: 20\n    layers: [{conv: 3x3, out: 32, then: [relu]}]\n"
    proto = onnx.load_from_string(encoded(graph_of(model(layers)), "net"))
    x = np.random.RandomState(0).standard_normal((1, 4, 8, 8)).astype(np.float32)
    found = session(proto, []).run(None, {"input": x})[0]
    assert 1e-4 < np.abs(found).mean() < 1e2


@pytest.mark.parametrize("name", ["mobilenet", "resnet50", "googlenet", "mobilenet_v3_small", "nasnet_a_mobile"])
def test_a_file_has_the_edges_that_the_rows_say(name):
    model = load(name)
    values = settle(model, {})
    assert_onnx_has_the_edges(encoded(graph_of(model), name, "none"), trace(model, values))


def test_no_weights_are_inputs():
    proto = onnx.load_from_string(encoded(graph_of(load("vgg16")), "vgg16", "none"))
    assert [one.name for one in proto.graph.input][:2] == ["input", "stage_1/conv_1.weight"]
    assert proto.ByteSize() < 20_000


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("name", ["resnet18", "vit_b_16", "mobilenet_v3_small"])
def test_weights_that_are_inputs_are_weights(name, marked, tmp_path):
    """Classified as the file states; otherwise by the position at which convolutions and norms read them."""
    proto = onnx.load_from_string(encoded(graph_of(load(name)), name, "none"))
    due = Counter(one.params for one in analyze(name, convention="framework").lines if one.type.startswith("conv"))
    if not marked:
        for one in proto.graph.input:
            one.doc_string = ""
    onnx.save(proto, tmp_path / "none.onnx")
    found = analyze(tmp_path / "none.onnx", convention="framework")
    assert Counter(one.params for one in found.lines if one.type.startswith("conv")) == due
    assert next(iter(found.model.inputs)) == "input"
    if marked:
        assert found.totals == analyze(name, convention="framework").totals
        assert list(found.model.inputs) == ["input"]


def test_more_weights_than_a_file_holds_are_refused():
    huge = graph_of(model("  - flatten\n  - {linear: 2000000}\n", "[8, 8, 64]"))
    with pytest.raises(OptionError, match="bytes of weights"):
        encoded(huge, "net")
    assert encoded(huge, "net", "none")


@pytest.mark.parametrize("layer", ["{adaptive_avgpool: 1000000000}", "{gru: 5, layers: 1000000000}"])
def test_a_graph_without_end_is_refused(layer, limit):
    limit(written=2_000)
    with pytest.raises(OptionError, match="more than 2,000"):
        built(graph_of(model(f"  - {layer}\n", "[4, 4]")))


@pytest.mark.parametrize(
    ("layer", "words"),
    [("{opaque: a sort}", "`opaque` layers cannot be exported"), ("{lstm: 6, projection: 3}", "has no projection")],
)
def test_what_onnx_cannot_have_is_named(layer, words):
    with pytest.raises(SpecError, match=rf"net.yaml:3:.*{words}"):
        encoded(graph_of(model(f"  - {{{layer[1:-1]}, as: odd}}\n", "[9, 4]")), "net")


def test_the_command_writes_a_file(run, tmp_path):
    assert run("export", "mobilenet", "-o", "net.onnx", "--alpha", "0.25", "--res", "64")[0] == 0
    proto = onnx.load(tmp_path / "net.onnx")
    assert [size.dim_value for size in proto.graph.input[0].type.tensor_type.shape.dim] == [1, 3, 64, 64]
    assert proto.graph.node[-1].name == "softmax"


def test_the_command_says_what_runs_several_times(run):
    assert "`mobilenet/conv`" not in run("export", "mobilenet", "-o", "a.onnx", "--weights", "none")[2]
    Path("net.yaml").write_text("input: [8, 8, 4]\nlayers: [{conv: 3x3, out: 4, times: 300}]\n")
    assert "run once in the file, such as `conv`" in run("export", "net.yaml", "-o", "a.onnx")[2]


def test_the_command_refuses_what_it_cannot_write(run, monkeypatch):
    code, _, error = run("export", "mobilenet", "-o", "net.pb")
    assert code == 2
    assert "no format ends in `.pb`" in error
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, _, error = run("export", "mobilenet", "-o", "net.onnx")
    assert code == 2
    assert "pip install 'costcalc[onnx]'" in error
    assert not Path("net.onnx").exists()
