"""costcalc bench: the protocol, the verdict, and a network that is really run."""

import csv
import io
import json
import re

import pytest

from costcalc import CostcalcError
from costcalc.analysis.bench.bench import RUNS, WARM_UPS, Times, bench, measured


def test_the_protocol():
    """10 runs that are not timed, then 30 and one second at least."""
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
