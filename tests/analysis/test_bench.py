"""costcalc bench: the protocol, the verdict, and a real run of a network."""

import csv
import io
import json
import re

import pytest

from costcalc import CostcalcError
from costcalc.analysis.bench.bench import OTHER, RUNS, WARM_UPS, Times, bench, measured, of_layers
from costcalc.errors import Source
from costcalc.model.trace import trace
from costcalc.read.loading import load
from costcalc.read.spec.reader import read


def test_the_protocol():
    """10 untimed runs, then at least 30 runs and one second."""
    done, told = [], []
    times = measured(lambda: done.append(1), runs=RUNS, progress=told.append)
    assert len(done) == WARM_UPS + len(times.runs)
    assert len(told) == len(times.runs) >= RUNS
    assert sum(times.runs) <= 2.5


def test_what_times_say():
    times = Times((2.0, 1.0, 1.5, 1.5))
    assert (times.least, times.median, times.mean) == (1.0, 1.5, 1.5)
    assert times.deviation == pytest.approx(0.408248, abs=1e-6)
    assert not times.is_steady
    assert Times((1.0, 1.25, 1.3)).is_steady


@pytest.mark.parametrize("options", [{"threads": 0}, {"runs": 3}, {"runs": 10**9}, {"threads": 1.5}])
def test_what_cannot_be(options):
    with pytest.raises(CostcalcError):
        bench("mobilenet", **options)


def test_a_network_is_run(run, tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "n.yaml").write_text(
        "input: [8, 8, 4]\nlayers: [{conv: 3x3, out: 8}, {avgpool: global}, {linear: 3}]\n"
    )
    code, out, _ = run("bench", "n.yaml", "n.yaml", "--json")
    document = json.loads(out)
    one, other = document["networks"]
    assert code == 0
    assert document["runtime"].startswith("onnxruntime ")
    assert (document["threads"], one["mult_adds"], other["params"]) == (1, 9 * 4 * 8 * 64 + 24, 9 * 4 * 8 + 8 + 24 + 3)
    assert one["runs"] >= RUNS
    assert 0 < one["least"] <= one["median"]
    assert one["steady"] == (one["median"] <= 1.3 * one["least"])
    rows = list(csv.DictReader(io.StringIO(run("bench", "n.yaml", "-f", "csv").out)))
    assert [row["network"] for row in rows] == ["n"]
    assert "1 thread, batch 1, 10 warm-ups" in run("bench", "n.yaml").out


def test_without_the_package(run, monkeypatch):
    import sys

    pytest.importorskip("onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    code, _, err = run("bench", "mobilenet")
    assert (code, "pip install 'costcalc[bench]'" in err) == (2, True)


def test_the_page_runs(run):
    pytest.importorskip("onnxruntime")
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "bench.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```", page, re.S | re.M)
    assert run(*block.split()[1:]).code == 0


NETWORK = (
    "input: [8, 8, 4]\nlayers:\n  - {conv: 3x3, out: 8, bias: false, then: [batchnorm, relu], as: first}\n"
    "  - {avgpool: global, as: pool}\n  - {linear: 3, as: last}\n"
)


def test_layers_beside_the_bounds_of_a_device(run, tmp_path):
    """A kernel belongs to the layer whose name starts its name; following norms and activations are included."""
    pytest.importorskip("onnxruntime")
    (tmp_path / "n.yaml").write_text(NETWORK)
    line = ["bench", "n.yaml", "--device", "nvidia_t4", "--layers"]
    (one,) = json.loads(run(*line, "--json").out)["networks"]
    named = {layer["name"]: layer for layer in one["layers"]}
    assert {"first", "last"} <= set(named) <= {"first", "pool", "last", OTHER}
    assert named["first"]["mult_adds"] == 9 * 4 * 8 * 64
    assert all(0 < layer["least"] <= layer["median"] for layer in named.values())
    roof = analyze_roof("n.yaml")
    assert one["floor_seconds"] == pytest.approx(roof["floor_seconds"])
    assert one["per_layer_seconds"] == pytest.approx(roof["per_layer_seconds"])
    assert sum(layer["bound"] for layer in named.values()) == pytest.approx(roof["per_layer_seconds"])
    assert "bounds of NVIDIA T4" in run(*line).out


def analyze_roof(path):
    from costcalc.analysis.memory.roofline import RooflinePage, bounded

    return RooflinePage(bounded(load(path), {}, None, "nvidia_t4")).document()


def test_kernels_by_layer():
    """By hand: two kernels of one layer are added per run; a kernel of no layer is listed separately."""
    rows = load_rows(NETWORK)
    kernels = {"first/relu": [3.0, 1.0], "first_token_1": [0.5, 1.0], "ReorderOutput": [0.1, 0.2], "last": [2.0, 4.0]}
    found = {one.name: (one.least, one.median) for one in of_layers(rows, kernels, None)}
    assert found == {
        "first": (2.0, 2.75),
        "last": (2.0, 3.0),
        OTHER: (0.1, pytest.approx(0.15)),
    }


def load_rows(text):
    model = read(Source("n.yaml", text))
    return trace(model, {}).rows


@pytest.mark.slow
def test_both_passes_of_training(run, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("torch")
    (tmp_path / "n.yaml").write_text(NETWORK)
    (one,) = json.loads(run("bench", "n.yaml", "--backward", "--json").out)["networks"]
    passes = one["backward"]
    assert passes["training_mult_adds"] == 2 * 9 * 4 * 8 * 64 + 3 * 24  # the first layer has no gradient of its input
    assert passes["forward"]["runs"] >= 100 <= passes["forward_backward"]["runs"]
    assert passes["forward"]["least"] < passes["forward_backward"]["least"]
    (tmp_path / "n.yaml").write_text("input: [8, 8, 4]\nlayers: [{avgpool: global}, {linear: 3}, batchnorm]\n")
    assert "cannot be trained on one sample" in run("bench", "n.yaml", "--backward").err


def test_backward_without_the_package(run, monkeypatch):
    import sys

    pytest.importorskip("onnxruntime")
    monkeypatch.setitem(sys.modules, "torch", None)
    code, _, err = run("bench", "mobilenet", "--backward")
    assert (code, "pip install 'costcalc[torch]'" in err) == (2, True)
