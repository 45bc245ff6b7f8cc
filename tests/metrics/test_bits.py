"""Bit widths: published sizes and bit operations, the widths in a spec and on the command line."""

import json

import pytest

from costcalc import CostcalcError, analyze, load, memory, sweep
from costcalc.errors import Source
from costcalc.model.storage import bits_of, stored
from costcalc.read.spec.reader import read

NAMES = ["bops", "bops_full", "ops_bnn", "accumulator_bits", "framework.weights_bytes"]


def totals(spec, bits, **values):
    return analyze(load(spec)._replace(storage=stored(options=bits_of(bits))), metrics=NAMES, **values).totals


# HAWQ-V3 (arXiv:2011.10680), Table 1: size in MB (which are MiB) and BOPS in G, of fp32, W8A8 and W4A4. Its W4A4 has
# the first convolution and the classifier at 8 bits, and its ResNet-50 the stride in the first 1x1. Figures are
# rounded or cut. Two sizes of ResNet-50, 97.8 and 24.5, are 0.3 % more than those of its parameters and are left out.
HAWQ = {
    ("resnet18", "32"): (44.6, 1858),
    ("resnet18", "w8a8"): (11.1, 116),
    ("resnet18", "w4a4,first=8,last=8"): (5.8, 34),
    ("resnet50", "32"): (None, 3951),
    ("resnet50", "w8a8"): (None, 247),
    ("resnet50", "w4a4,first=8,last=8"): (13.1, 67),
}


@pytest.mark.parametrize(("spec", "bits"), HAWQ)
def test_hawq(spec, bits):
    size, operations = HAWQ[spec, bits]
    found = totals(spec, bits, **({"v1": 1} if spec == "resnet50" else {}))
    assert int(found["bops"] / 1e9) == operations or round(found["bops"] / 1e9) == operations
    if size:
        megabytes = found["framework.weights_bytes"] / 2**20
        assert size in (round(megabytes, 1), int(megabytes * 10) / 10)


def test_bops_to_the_integer():
    assert totals("resnet18", "32")["bops"] == 1_814_073_344 * 1024
    assert totals("resnet18", "w8a8")["bops"] == 1_814_073_344 * 64
    ends = 112 * 112 * 64 * 147 + 512_000
    assert totals("resnet18", "w4a4,first=8,last=8")["bops"] == (1_814_073_344 - ends) * 16 + ends * 64
    assert totals("resnet18", "w1a1")["ops_bnn"] < 1_814_073_344 / 60


def test_the_definitions_by_hand(tmp_path):
    (tmp_path / "n.yaml").write_text("input: [4, 4, 8]\nlayers:\n  - {conv: 1x1, out: 2, bias: false}\n")
    found = totals(str(tmp_path / "n.yaml"), "w4a8")
    macs = 4 * 4 * 2 * 8
    assert found["bops"] == macs * 32
    assert found["bops_full"] == macs * (32 + 4 + 8 + 3)
    assert found["accumulator_bits"] == 4 + 8 + 3
    assert found["ops_bnn"] == macs
    assert totals(str(tmp_path / "n.yaml"), "1")["ops_bnn"] == macs // 64


def test_a_spec_says_the_widths_of_all_values(tmp_path, run):
    text = (
        "defaults: {{bits: {}}}\ninput: [8, 8, 3]\nlayers:\n  - {{conv: 1x1, out: 4}}\nbudget: {{peak_bytes: 448 B}}\n"
    )
    path = tmp_path / "n.yaml"
    path.write_text(text.format("{weights: 4, activations: 8}"))
    assert memory(str(path)).peak_bytes == 64 * 3 + 64 * 4
    assert run("check", "n.yaml").code == 0
    assert json.loads(run("memory", "n.yaml", "--bits", "16", "--json").out)["peak_bytes"] == 2 * 448
    assert json.loads(run("analyze", "n.yaml", "-m", "weights_bytes", "--json").out)["totals"]["weights_bytes"] == 6
    for wrong in ("{weights: 0}", "{weight: 8}", "8", "{weights: x}"):
        path.write_text(text.format(wrong))
        code, _, err = run("validate", "n.yaml")
        assert code == 2
        assert "n.yaml:1:" in err


LAYERS = """
defaults: {bits: {weights: 8, activations: 8}}
input: [4, 4, 8]
blocks:
  small(c):
    - {linear: c, bias: false}
layers:
  - {conv: 1x1, out: 2, bias: false, bits: {weights: 4, activations: 4}, then: [relu]}
  - flatten
  - layers: [{linear: 10, bias: false}, {small: [6], bits: {weights: 2}}]
    bits: {weights: 2, activations: 16}
  - {linear: 3}
"""


def test_layers_blocks_and_groups_state_their_widths(tmp_path, run):
    """By hand: a layer multiplies at the width of its input; a view keeps the width of its input."""
    (tmp_path / "n.yaml").write_text(LAYERS)
    found = json.loads(run("analyze", "n.yaml", "-m", "bops,framework.weights_bytes,peak_bytes", "--all", "--json").out)
    rows = {row["name"]: row for row in found["layers"]}
    macs = {"conv": 256 * 4 * 8, "linear_1": 320 * 2 * 4, "small/linear": 60 * 2 * 16, "linear_2": 18 * 8 * 16}
    assert {name: rows[name]["bops"] for name in macs} == macs
    sizes = {"conv": 16 * 4, "linear_1": 320 * 2, "small/linear": 60 * 2, "linear_2": 21 * 8}
    assert {name: rows[name]["framework.weights_bytes"] * 8 for name in sizes} == sizes
    live = {"conv": 128 + 16, "conv/relu": 16, "flatten": 16, "linear_1": 16 + 20, "small/linear": 20 + 12}
    assert {name: rows[name]["peak_bytes"] for name in live} == live
    assert rows["linear_2"]["peak_bytes"] == 12 + 3
    text = run("memory", "n.yaml").out
    assert "as layers state their bits" in text
    plain = json.loads(run("memory", "n.yaml", "--bits", "32", "--json").out)
    assert plain["peak_bytes"] == 4 * (128 + 32)  # the command line replaces all that the spec states


def test_an_include_keeps_the_widths_of_its_layers(tmp_path, run):
    (tmp_path / "n.yaml").write_text(LAYERS.replace("defaults: {bits: {weights: 8, activations: 8}}\n", ""))
    outer = "input: [4, 4, 8]\nlayers: [{include: n.yaml, bits: {weights: 8, activations: 8}}]\n"
    (tmp_path / "outer.yaml").write_text(outer)
    found = json.loads(run("analyze", "outer.yaml", "-m", "bops,peak_bytes", "--json").out)["totals"]
    assert found["bops"] == 256 * 4 * 32 + 320 * 2 * 4 + 60 * 2 * 16 + 18 * 8 * 16  # the input has 32 bits here
    assert found["peak_bytes"] == 4 * 128 + 16


@pytest.mark.parametrize("wrong", ["8", "{weights: 0}", "{first: 8}", "{weights: x}", "[8, 8]"])
def test_widths_of_a_layer_that_cannot_be(tmp_path, run, wrong):
    (tmp_path / "n.yaml").write_text(f"input: [4, 4, 8]\nlayers:\n  - {{conv: 1x1, out: 2, bits: {wrong}}}\n")
    code, _, err = run("validate", "n.yaml")
    assert (code, "n.yaml:3:" in err) == (2, True)


def test_products_of_two_tensors_have_no_weights(tmp_path):
    spec = "inputs: {q: [4, 8], k: [4, 8], v: [4, 8]}\nlayers:\n  - {attend: [q, k, v], heads: 1}\n"
    (tmp_path / "n.yaml").write_text(spec)
    assert totals(str(tmp_path / "n.yaml"), "w4a8")["bops"] == 2 * 4 * 4 * 8 * 8 * 8


def test_scales_and_wide_biases_by_hand_and_as_published(tmp_path):
    """QLoRA (arXiv:2305.14314), section 3: a 32-bit constant every 64 weights adds 32/64 = 0.5 bits a weight."""
    (tmp_path / "n.yaml").write_text("input: [64, 128]\nlayers:\n  - {linear: 32}\n")

    def size(bits):
        return totals(str(tmp_path / "n.yaml"), bits)["framework.weights_bytes"]

    assert size("8") == 128 * 32 + 32
    assert size("8,bias=32") == 128 * 32 + 4 * 32
    assert size("w8a8,bias=32,scale=32,zero=8") == 128 * 32 + 4 * 32 + 5
    assert size("w8a8,bias=32,scale=32,group=channel") == 128 * 32 + 4 * 32 + 4 * 32
    assert size("w4a16,group=64,scale=32") * 8 == 128 * 32 * 4.5 + 32 * 4
    (tmp_path / "n.yaml").write_text("input: [64, 128]\nlayers:\n  - {lstm: 32}\n")
    with pytest.raises(CostcalcError, match="lstm"):
        size("8,scale=32,group=channel")


def test_every_command_of_metrics_takes_the_widths(run):
    out = run("fit", "mobilenet", "--vary", "alpha=1", "--max", "peak_bytes=1204224B", "--bits", "8").out
    assert "1,204,224" in out
    assert "8-bit activations" in out
    found = json.loads(run("sweep", "mobilenet", "--alpha", "1", "-m", "peak_bytes", "--bits", "8", "-f", "json").out)
    assert (found["points"][0]["peak_bytes"], "8-bit" in found["storage"]) == (1_204_224, True)
    out = run("analyze", "mobilenet", "-m", "peak_bytes", "--bits", "8", "--policy", "unfused", "--json").out
    assert json.loads(out)["totals"]["peak_bytes"] == 6_422_528 // 4


def test_a_sweep_gives_the_integers_of_single_points():
    frame = sweep("mobilenet_v3_small", metrics=NAMES, res=[96, 224])
    for row in frame.to_dict("records"):
        found = analyze("mobilenet_v3_small", res=row["res"], metrics=NAMES).totals
        assert {name: row[name] for name in NAMES} == {name: found[name] for name in NAMES}


def test_widths_that_cannot_be():
    for text in ("w8", "first=8", "w8a8,last=", "8.5", "-8", "8,scale=channel", "8,bias", "8,group=x"):
        with pytest.raises(CostcalcError):
            bits_of(text)


def test_bits_of_an_input_and_of_numbers_that_are_no_weights():
    """`bias` on a layer is the width of its biases; `bits` next to a shape is the width of that input."""
    text = (
        "inputs: {x: {shape: [8, 8, 3], bits: 8}, y: {height: 8, width: 8, channels: 1, bits: 16}}\n"
        "defaults: {bits: {weights: 16, activations: 16}}\n"
        "layers:\n  - {conv: 1x1, out: 4, bits: {bias: 32}, from: x}\n  - concat: [[], y]\n"
    )
    model = read(Source("n.yaml", text))
    assert memory(model, policy="unfused").schedule[0].bytes == 192 + 64 * 2 + 256 * 2
    assert analyze(model, convention="framework", metrics=["weights_bytes"]).totals["weights_bytes"] == 12 * 2 + 4 * 4
    assert memory(model, policy="unfused", bits=8).schedule[0].bytes == 192 + 64 + 256
    with pytest.raises(CostcalcError, match="`bits` cannot be `many`"):
        read(Source("n.yaml", text.replace("bits: 8", "bits: many")))
