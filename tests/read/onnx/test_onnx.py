"""ONNX files of two exporters against what the framework counted: `data/onnx`, described in `data/README.md`.

Every convolution, linear layer and matrix product is compared as (mult-adds, weights) with the record of the network,
and totals also at other resolutions if the graph supports them. Attention that the framework runs as one module is
split in the record.
"""

import gzip
import json
from collections import Counter
from functools import lru_cache
from importlib import util
from pathlib import Path

import pytest

from costcalc import CostcalcError, analyze, formula, sweep
from costcalc.read.onnx import file, model

HERE = Path(__file__).parents[2]
RECORD = json.loads(gzip.decompress((HERE / "data" / "framework_layers.json.gz").read_bytes()))
NETWORKS = {network["model"]: network for network in RECORD["models"]}
FILES = {path.name.removesuffix(".onnx.gz"): path for path in sorted((HERE / "data" / "onnx").glob("*.onnx.gz"))}
OPEN = {  # exported with dynamic axes: the names of height and width
    "legacy_dyn_resnet50": ("height", "width"),
    "dynamo_dyn_mobilenet_v2": ("s53", "s0"),
}
FIXED = {"dynamo_alexnet", "dynamo_lraspp_mobilenet_v3_large", "dynamo_timm_edgenext_small", "dynamo_timm_mobilevit_s"}
FIXED |= {
    "dynamo_vit_b_16",
    "legacy_vit_b_16",
    "legacy_swin_t",
}  # sizes of the exported input are constants in the graph
WITHOUT_BATCHNORM = [  # nothing for an exporter to fold
    *("dynamo_alexnet", "dynamo_convnext_tiny", "dynamo_timm_edgenext_small", "dynamo_vit_b_16"),
    *("legacy_squeezenet1_1", "legacy_vit_b_16"),
]


def data(name):
    """The bytes of a recorded file."""
    return gzip.decompress(FILES[name].read_bytes())


def record(name):
    """The framework's counts for the network of a file."""
    return NETWORKS[name.split("_", 1)[1].removeprefix("dyn_").replace("timm_", "timm/")]


@lru_cache
def graph(name, opened=False):
    """The Model of a file; `opened` replaces the exported sizes by axes `batch`, `h`, `w`."""
    source = file.bounded(data(name), f"{name}.onnx")
    if opened:
        proto = file.parsed(source)
        axes = proto.graph.input[0].type.tensor_type.shape.dim
        axes[0].dim_param, axes[2].dim_param, axes[3].dim_param = "batch", "h", "w"
        source = file.bounded(proto.SerializeToString(), f"{name}.onnx")
    return model.read(source)


def size(name):
    """The settings of a file's open axes at the recorded input."""
    return dict.fromkeys(OPEN.get(name, ()), record(name)["rows"][0][columns("in")][0][2])


def columns(*names):
    """The positions of fields in a recorded row."""
    found = tuple(RECORD["columns"].index(name) for name in names)
    return found if len(names) > 1 else found[0]


def recorded(network):
    """(mult-adds, weights) of every layer with mult-adds."""
    operation, macs, weight = columns("type", "macs", "p_weight")
    for row in network["rows"]:
        if row[operation] == "MultiheadAttention":
            yield from attention(row)
        elif row[operation] == "scaled_dot_product_attention":
            yield from ((row[macs] // 2, 0), (row[macs] // 2, 0))
        elif row[macs]:
            yield row[macs], row[weight] or 0


def attention(row):
    """The input projection, both products and the output projection of torch.nn.MultiheadAttention on itself."""
    macs, weight = (row[at] for at in columns("macs", "p_weight"))
    _, tokens, width = row[columns("in")][0]
    projection, products = tokens * width * width, 2 * tokens * tokens * width
    assert (4 * width * width, 4 * projection + products) == (weight, macs)
    return [(3 * projection, 3 * width * width), (projection, width * width), *[(products // 2, 0)] * 2]


def total(counts):
    """The mult-adds of a record."""
    return counts["conv_macs"] + counts["linear_macs"] + counts["matmul_macs"]


@pytest.mark.parametrize("name", FILES)
def test_every_layer_is_as_recorded(name):
    report = analyze(graph(name), settings=size(name))
    assert Counter((line.cost, line.params) for line in report.lines if line.cost) == Counter(recorded(record(name)))
    assert report.totals["mult_adds"] == total(record(name))
    assert report.complete


@pytest.mark.parametrize("name", WITHOUT_BATCHNORM)
def test_all_numbers_are_found(name):
    assert analyze(graph(name), convention="framework").totals["params"] == record(name)["params"]


def test_folded_batchnorm_leaves_its_shift_as_a_bias():
    ours = analyze(graph("dynamo_resnet18"), convention="framework").totals["params"]
    kind, weight = columns("type", "p_weight")
    scales = sum(row[weight] for row in record("dynamo_resnet18")["rows"] if row[kind] == "BatchNorm2d")
    assert ours == record("dynamo_resnet18")["params"] - scales  # which are part of the weights now


def test_an_expanded_table_is_counted_as_the_file_has_it():
    ours = analyze(graph("legacy_swin_t"), convention="framework").totals["params"]
    heads = 2 * 3 + 2 * 6 + 6 * 12 + 2 * 24  # of all its blocks; a table of 13*13 biases a head is stored as 49*49
    assert ours == record("legacy_swin_t")["params"] + heads * (49 * 49 - 13 * 13)


SPECS = {  # file -> the shipped spec of that network
    "dynamo_convnext_tiny": "convnext_tiny",
    "dynamo_timm_ghostnet_100": "ghostnet",
    "dynamo_timm_mobilevit_s": "mobilevit_s",
    "dynamo_vit_b_16": "vit_b_16",
    "legacy_densenet121": "densenet121",
    "legacy_mobilenet_v1": "mobilenet",
}


@pytest.mark.parametrize("name", SPECS)
def test_weights_are_those_of_the_spec(name):
    """Layer scale, class tokens and position tables are weights in both; scales and shifts of norms are not."""
    assert analyze(graph(name)).totals == analyze(SPECS[name]).totals


@pytest.mark.parametrize("name", [name for name in FILES if name not in FIXED])
def test_other_resolutions_are_as_recorded(name):
    axes, opened = OPEN.get(name, ("h", "w")), name not in OPEN
    recorded = record(name)["other_resolutions"]
    assert recorded
    for text, counts in recorded.items():
        sides = dict(zip(axes, map(int, text.split("x")), strict=True))
        assert analyze(graph(name, opened), settings=sides).totals["mult_adds"] == total(counts), text


@pytest.mark.parametrize("name", sorted(FIXED))
def test_open_axes_of_a_graph_for_one_size(name):
    side = record(name)["rows"][0][columns("in")][0][2]
    assert analyze(graph(name, True), h=side, w=side).totals["mult_adds"] == total(record(name))
    with pytest.raises(CostcalcError, match=r"node `.*` \((Reshape|Add)\)"):
        analyze(graph(name, True), h=160, w=160)


@pytest.mark.parametrize("name", [*OPEN, "legacy_densenet121", "dynamo_timm_ghostnet_100"])
def test_a_sweep_is_the_same_as_one_by_one(name):
    axes, spec = OPEN.get(name, ("h", "w")), graph(name, name not in OPEN)
    grid = sweep(spec, settings={axes[0]: [224, 193, 64], axes[1]: [224, 65]})
    for row in grid.to_dict("records"):
        values = {axis: row[axis] for axis in axes}
        assert analyze(spec, settings=values).totals == {"mult_adds": row["mult_adds"], "params": row["params"]}


def test_the_formula_of_a_graph():
    found = formula(graph("legacy_dyn_resnet50"))
    assert str(found.mult_adds) == "81456*batch*height*width + 2048000*batch"
    symbols = {symbol: 1 if symbol.name == "batch" else 224 for symbol in found.mult_adds.free_symbols}
    assert found.mult_adds.subs(symbols) == total(record("legacy_dyn_resnet50"))
    assert found.params == 25_502_912


@pytest.mark.parametrize("name", ["resnet50", "densenet121"])
def test_files_of_another_framework(name):
    """Networks shipped with ONNX, written by Caffe2 at opset 9, with weights created by nodes."""
    path = Path(util.find_spec("onnx").origin).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx"
    weights = sum(weight for _, weight in recorded(NETWORKS[name]))
    assert analyze(path).totals == {"mult_adds": total(NETWORKS[name]), "params": weights}


def test_a_batch_is_so_many_runs():
    one, eight = (analyze(graph("legacy_dyn_resnet50"), height=96, width=96, batch=count) for count in (1, 8))
    assert eight.totals == {"mult_adds": 8 * one.totals["mult_adds"], "params": one.totals["params"]}
    assert one.inputs == {"x": (96, 96, 3)}


@pytest.fixture
def here(tmp_path):
    """A function that puts a recorded file into the working directory."""

    def put(name, path=None):
        target = tmp_path / (path or f"{name}.onnx")
        target.write_bytes(data(name))
        return target.name

    return put


def shown(run, *args):
    """The output of a command, which must succeed."""
    code, out, err = run(*args)
    assert (code, err) == (0, "")
    return out


def test_names_are_those_of_the_modules(run, here):
    rows = json.loads(shown(run, "analyze", here("legacy_mobilenet_v1"), "--json"))["layers"]
    by_name = {row["name"]: row for row in rows}
    depthwise = by_name["features/1/0"]
    assert depthwise["type"] == "conv dw 3x3"
    assert (depthwise["input"], depthwise["output"]) == ([112, 112, 32], [112, 112, 32])
    assert (depthwise["kernel"], depthwise["stride"], depthwise["groups"]) == ([3, 3], [1, 1], 32)
    assert rows[-1]["name"] == "fc"
    nodes = [json.loads(shown(run, "analyze", here(name), "--json")) for name in ("dynamo_resnet18", "legacy_vit_b_16")]
    assert {"layer1/0/conv1", "layer4/1/conv2", "fc"} <= {row["name"] for row in nodes[0]["layers"]}
    assert any(row["name"].startswith("encoder/layers/encoder_layer_0/self_attention/") for row in nodes[1]["layers"])


def test_open_axes_are_options(run, here):
    name = here("legacy_dyn_resnet50")
    assert run("analyze", name) == (
        2,
        "",
        "error: legacy_dyn_resnet50 needs values for `height`, `width`\n"
        "  = help: set them, as in --set height=224 --set width=224\n",
    )
    report = json.loads(shown(run, "analyze", name, "--height", "224", "--set", "width=224", "--json"))
    assert report["totals"] == {"mult_adds": total(record("legacy_dyn_resnet50")), "params": 25_502_912}
    assert report["vars"] == {"batch": 1, "height": 224, "width": 224}
    help = " ".join(shown(run, "analyze", name, "--help").split())
    assert "--batch VALUE axis 0 of input x [default: 1] --height VALUE axis 2 of input x [must be set]" in help
    assert "height` cannot be 0" in run("analyze", name, "--height", "0", "--width", "1")[2]


def test_wherever_a_spec_is_taken(run, here):
    one, two = here("legacy_mobilenet_v1"), here("legacy_mobilenet_v2")
    assert (
        shown(run, "validate", one)
        == f"ok: {one}: 56 layers, 568,740,352 mult-adds, 4,209,088 params (convention paper)\n"
    )
    assert "568,740,352   568,740,352            -      1x   4,209,088   4,209,088      1x" in shown(
        run, "compare", one, "mobilenet"
    )
    assert "568,740,352" in shown(run, "diff", one, two)
    assert "DK*DK*M*DF*DF = 3*3*32*112*112 = 3,612,672" in shown(run, "explain", one, "features/1/0")
    text = shown(run, "sweep", here("legacy_dyn_resnet50"), "--vary", "height=224", "--vary", "width=224")
    assert f"{total(record('legacy_dyn_resnet50')):,}" in text
    assert "81456*batch*height*width" in shown(run, "formula", "legacy_dyn_resnet50.onnx")


def test_digests_are_of_the_graph_without_weights(run, here):
    name = here("dynamo_resnet18")
    first = json.loads(shown(run, "analyze", name, "--json"))["spec"]
    assert (first["name"], first["path"], len(first["sha256"])) == ("dynamo_resnet18", name, 64)
    assert first["sha256"] != json.loads(shown(run, "analyze", here("dynamo_alexnet"), "--json"))["spec"]["sha256"]


ROUND = ["mobilenet", "mobilenet_v3_large", "googlenet", "densenet121", "lraspp_mobilenet_v3_large", "mobilevit_s"]


@pytest.mark.parametrize("name", ROUND)
def test_an_exported_spec_costs_what_the_spec_does(run, name):
    assert run("export", name, "-o", "net.onnx")[0] == 0
    assert analyze("net.onnx", convention="framework").totals == analyze(name, convention="framework").totals
