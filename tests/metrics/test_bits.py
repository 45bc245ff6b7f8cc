"""Bit widths: published sizes and bit operations, the widths in a spec and on the command line."""

import json

import pytest

from costcalc import CostcalcError, analyze, load, memory, sweep
from costcalc.model.storage import bits_of, stored

NAMES = ["bops", "bops_full", "ops_bnn", "accumulator_bits", "framework.weights_bytes"]


def totals(spec, bits, **values):
    return analyze(load(spec)._replace(storage=stored(options=bits_of(bits))), metrics=NAMES, **values).totals


# HAWQ-V3 (arXiv:2011.10680), Table 1: size in MB (which are MiB) and BOPS in G, of fp32, W8A8 and W4A4. Its W4A4 has
# the first convolution and the classifier at 8 bits, and its ResNet-50 the stride in the first 1x1. Its sizes of
# ResNet-50 are of 25.6 million parameters, 0.3 % more than those of the network, and are left out.
HAWQ = {
    ("resnet18", "32"): (44.6, 1858),
    ("resnet18", "w8a8"): (11.1, 116),
    ("resnet18", "w4a4,first=8,last=8"): (None, 34),
    ("resnet50", "32"): (None, 3951),
    ("resnet50", "w8a8"): (None, 247),
    ("resnet50", "w4a4,first=8,last=8"): (None, 67),
}


@pytest.mark.parametrize(("spec", "bits"), HAWQ)
def test_hawq(spec, bits):
    size, operations = HAWQ[spec, bits]
    found = totals(spec, bits, **({"v1": 1} if spec == "resnet50" else {}))
    assert int(found["bops"] / 1e9) == operations or round(found["bops"] / 1e9) == operations
    if size:
        assert abs(found["framework.weights_bytes"] / 2**20 - size) < 0.06


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
    for text in ("w8", "first=8", "w8a8,last=", "8.5", "-8"):
        with pytest.raises(CostcalcError):
            bits_of(text)
