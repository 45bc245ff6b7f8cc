"""The bound of a layer on a device: published intensities, hand counts, and refused files."""

import json

import pytest

from costcalc.errors import SpecError
from costcalc.metrics.devices import NAMES, device, read

BOARD = """
name: board
peak: {float32: {value: 1 G, source: us}, float16: {value: 155 T, source: us}, int8: {value: 2 G, source: us}}
bandwidth: {value: 768 G, source: us}
"""


def bounds(run, tmp_path, spec, *args):
    (tmp_path / "b.yaml").write_text(BOARD)
    (tmp_path / "n.yaml").write_text(spec)
    return json.loads(run("analyze", "n.yaml", "--device", "b.yaml", "--json", *args).out)


def test_llm_viewer(run, tmp_path):
    """arXiv:2402.16363: Llama-2-7B on an A6000, q_proj of 2048 tokens at 16 bits: 1024 FLOP/B, compute; decode: 1."""
    prefill = "inputs: {x: [2048, 4096]}\nlayers: [{linear: 4096, bias: false}]\n"
    (one,) = bounds(run, tmp_path, prefill, "--bits", "16")["layers"]
    assert (2 * one["mult_adds"], one["bytes_moved"], one["intensity"], one["bound_by"]) == (
        *(68_719_476_736, 67_108_864),
        *(1024, "compute"),
    )
    (one,) = bounds(run, tmp_path, prefill.replace("2048", "1"), "--bits", "16")["layers"]
    assert (2 * one["mult_adds"], round(one["intensity"]), one["bound_by"]) == (33_554_432, 1, "memory")
    assert one["bytes_moved"] == 2 * 4096**2 + 2 * 2 * 4096  # 34 MB: the weights and both vectors


def test_a_depthwise_convolution_by_hand(run, tmp_path):
    spec = "input: [512, 512, 8]\nlayers: [{dwconv: 3x3, bias: false}]\n"
    (one,) = bounds(run, tmp_path, spec)["layers"]
    assert one["intensity"] == pytest.approx(18 / 8, rel=1e-4)  # 18 FLOP per value read and value written


def test_the_two_bounds_by_hand(run, tmp_path):
    spec = "input: [4, 4, 2]\nlayers: [{conv: 1x1, out: 2, bias: false}, {maxpool: 2x2}]\n"
    found = bounds(run, tmp_path, spec)
    conv, pool = 4 * (32 + 32 + 4), 4 * (32 + 8)
    assert [one["bytes_moved"] for one in found["layers"]] == [conv, pool]
    compute = 2 * 64 / 1e9
    assert found["per_layer_seconds"] == pytest.approx(max(compute, conv / 768e9) + pool / 768e9)
    assert found["floor_seconds"] == pytest.approx(max(compute, 4 * (4 + 32 + 8) / 768e9))


def test_every_shipped_figure_has_a_source(run):
    out = run("devices").out
    for name in NAMES:
        one = device(name)
        assert name in out
        assert all(len(rate.source) > 10 for rate in (*one.peak.values(), one.bandwidth))


@pytest.mark.parametrize(
    "text",
    [
        "name: x\n",
        *(
            f"{BOARD}align: {{{text}}}\n"
            for text in ("in: 8, out: 8", "in: 8, source: us", "in: 0, out: 8, source: us")
        ),
        "[]\n",
        "peak: {float32: {value: 1 T}}\nbandwidth: {value: 1 G, source: us}\n",
        "peak: {float32: {value: fast, source: us}}\nbandwidth: {value: 1 G, source: us}\n",
        "peak: {float33: {value: 1 T, source: us}}\nbandwidth: {value: 1 G, source: us}\n",
        "peak: {int8: {value: 0, source: us}}\nbandwidth: {value: 1 G, source: us}\n",
        "peak: {int8: 4}\nbandwidth: 3\n",
    ],
)
def test_bad_files_are_refused_with_their_place(text):
    from costcalc.errors import Source

    with pytest.raises(SpecError) as caught:
        read(Source("b.yaml", text))
    assert caught.value.problems[0].place is not None


def test_what_cannot_be_is_refused(run):
    for args in (("--device", "nvidia"), ("--device", "no.yaml"), ("--device", NAMES[0], "--bits", "4")):
        code, out, err = run("analyze", "mobilenet", *args)
        assert (code, out, err.count("error: ")) == (2, "", 1)


def test_utilisation_by_hand(run, tmp_path):
    """Channels padded to vectors of 8: 3 of 8 in; a depthwise convolution has one channel in and out per group."""
    layers = "{conv: 3x3, out: 12, groups: 3}, {conv: 1x1, out: 12}, {dwconv: 3x3}, {maxpool: 2x2}"
    spec = f"input: [8, 8, 3]\nlayers: [{layers}]\n"
    (tmp_path / "b.yaml").write_text(BOARD + "align: {in: 8, out: 8, source: the manual}\n")
    (tmp_path / "n.yaml").write_text(spec)
    found = json.loads(run("analyze", "n.yaml", "--device", "b.yaml", "--json").out)
    assert [one["utilisation"] for one in found["layers"]] == [1 / 8 * 4 / 8, 12 / 16 * 12 / 16, 1 / 64, None]
    text = run("analyze", "n.yaml", "--device", "b.yaml").out
    assert "56.25%" in text
    assert "utilisation" not in run("analyze", "n.yaml", "--device", NAMES[0]).out


def test_layers_of_other_widths_have_other_roofs(run, tmp_path):
    layer = "{conv: 1x1, out: 4, bias: false, bits: {activations: 8}}"
    found = bounds(run, tmp_path, f"input: [64, 64, 256]\nlayers: [{layer}, {{conv: 1x1, out: 256, bias: false}}]\n")
    macs = 64 * 64 * 256 * 4
    assert [one["compute_seconds"] for one in found["layers"]] == [2 * macs / 1e9, 2 * macs / 2e9]  # 32, then 8 bits
    out = run("analyze", "n.yaml", "--device", "b.yaml").out
    assert "at 8 bits" in out
    assert "at 32 bits" in out


def test_the_roofline_as_a_picture(run, tmp_path):
    pytest.importorskip("matplotlib")
    import xml.etree.ElementTree as ET

    assert run("plot", "mobilenet", "--roofline", "-o", "r.svg").code == 0
    text = (tmp_path / "r.svg").read_text()
    marks = [one for one in ET.fromstring(text).iter() if one.get("id", "").startswith("PathCollection_")]
    drawn = sum(one.tag.endswith("}use") for group in marks for one in group.iter())
    assert drawn == 28 + 2  # the layers with mult-adds, and both kinds in the legend
    assert "bounds, not predictions" in text or "predictions" in text
    assert run("plot", "mobilenet", "--roofline", "--device", "nvidia_t4", "--bits", "8", "-o", "r.png").code == 0
    assert (tmp_path / "r.png").stat().st_size > 1000


@pytest.mark.parametrize(
    "args",
    [
        ("--roofline", "--x", "params"),
        ("--roofline", "--alpha", "1,0.5"),
        ("--roofline", "--device", "nowhere"),
        ("--roofline", "--bits", "4"),
        ("--device", "nvidia_t4"),
    ],
)
def test_options_of_a_picture_that_cannot_be(run, args):
    code, out, err = run("plot", "mobilenet", *args, "-o", "r.svg")
    assert (code, out, err.count("error: ")) == (2, "", 1)
