"""The registry of metrics: all code that totals uses it, for every fold and unit."""

import csv
import io
import json
import time

import pytest

from costcalc import CostcalcError, analyze, compare, fit, formula, sweep
from costcalc.metrics import metrics as registry
from costcalc.metrics.metrics import METRICS, Metric, metric, unit_of
from costcalc.model.trace import Tracer
from costcalc.num import prod
from costcalc.quantities import BYTE, COUNT, RATIO, figure

OUTPUTS = {1.0: 4 * 112 * 112 * 64, 0.5: 4 * 112 * 112 * 32}  # bytes of the largest output: separable_1/conv at 112x112
INPUT = 4 * 224 * 224 * 3


def _largest(walk, priced):
    return [4 * prod(row.layer.shape) * row.times for row in walk.rows]


@pytest.fixture
def peak(monkeypatch):
    """A metric in bytes, folded by max, registered as one entry."""
    one = Metric("largest_bytes", "largest bytes", BYTE, _largest, "the largest output as 32-bit floats", fold=max)
    monkeypatch.setitem(registry.METRICS, one.name, one)
    return one.name


@pytest.mark.parametrize("name", sorted({*METRICS} - {"effective_alpha"}))  # needs two traces
def test_one_walk_gives_every_metric(monkeypatch, name):
    """The rows of a trace form the graph, so no second trace is needed to find readers."""
    walks, run = [], Tracer.run
    monkeypatch.setattr(Tracer, "run", lambda self: walks.append(self) or run(self))
    text = "input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 4}, {conv: 1x1, out: 2}]\n"
    report = analyze(text, metrics=[name])
    assert [field.size for field in report.fields.values()] == [(3, 3), (3, 3)]
    assert len(walks) == 1


def test_a_row_of_the_registry_is_a_metric_of_the_library(peak):
    report = analyze("mobilenet", metrics=[peak])
    assert report.totals[peak] == OUTPUTS[1.0]
    assert {line.name: line.more[peak] for line in report.by_block()}["separable_1"] == OUTPUTS[1.0]
    assert sweep("mobilenet", metrics=[peak], alpha=[1.0, 0.5])[peak].tolist() == list(OUTPUTS.values())
    small = "vars: {alpha: 1.0}\ninput: [8, 8, 3]\nlayers: [{conv: 3x3, out: floor(16 * alpha)}, {conv: 1x1, out: 9}]\n"
    assert [formula(small, metrics=[peak])[peak](alpha=one) for one in (0.5, 1)] == [4 * 64 * 9, 4 * 64 * 16]
    best = fit("mobilenet", vary={"alpha": [1.0, 0.5]}, limits={peak: "2MiB"})
    assert best.columns["alpha"].tolist() == [0.5]
    both = compare("mobilenet", at=[{"alpha": 0.5}], metrics=[peak])
    assert (both.left.totals[peak], both.right.totals[peak]) == tuple(OUTPUTS.values())


def test_a_row_of_the_registry_is_a_metric_of_every_command(peak, run, tmp_path):
    (tmp_path / "n.yaml").write_text("input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 16}, {conv: 1x1, out: 4}]\n")
    out = run("analyze", "n.yaml", "-m", peak, "--json")[1]
    assert json.loads(out)["totals"][peak] == 4 * 8 * 8 * 16
    assert [row[peak] for row in json.loads(out)["layers"]] == [4096, 1024]
    rows = list(csv.DictReader(io.StringIO(run("analyze", "n.yaml", "-m", peak, "-f", "csv")[1])))
    assert [int(row[peak]) for row in rows] == [4096, 1024]
    assert run("check", "n.yaml", "--max", f"{peak}=4 KiB")[0] == 0
    assert run("check", "n.yaml", "--max", f"{peak}=4095B")[0] == 1
    assert run("check", "n.yaml", "--max", f"any_layer.{peak}=3 KiB")[0] == 1
    assert peak in run("sweep", "--help")[1]


def test_a_spec_limits_and_publishes_any_metric(run, tmp_path):
    (tmp_path / "n.yaml").write_text(
        "input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 16}, {conv: 1x1, out: 4}]\n"
        "budget: {weights_bytes: 2 KiB, activations: '1,280'}\n"  # 432 + 64 weights, 64 * (16 + 4) outputs
        "published: [{source: us, rows: [{weights_bytes: 1.98kB, activations: 1280}]}]\n"
    )
    assert run("check", "n.yaml")[0] == 0
    code, out, _ = run("reproduce", "n.yaml", "--json")
    assert (code, {one["verdict"] for one in json.loads(out)["figures"]}) == (0, {"exact"})
    (tmp_path / "bad.yaml").write_text("input: [8, 8, 3]\nlayers: [{linear: 2}]\nbudget: {weights_bytes: 2M}\n")
    code, _, err = run("validate", "bad.yaml")
    assert code == 2
    assert "`weights_bytes` is in bytes" in err


def test_a_figure_of_the_whole_network_has_no_layers(run):
    report = analyze("mobilenet", alpha=0.5, metrics=["effective_alpha"])
    assert report.totals["effective_alpha"] == 0.5
    assert report.more == ()
    for args in (
        ("compare", "mobilenet", "--at", "alpha=0.5", "--layers", "separable_1", "-m", "effective_alpha"),
        ("formula", "mobilenet", "--by", "type", "-m", "effective_alpha"),
    ):
        code, _, err = run(*args)
        assert (code, err) == (2, "error: `effective_alpha` is a figure of the whole network: layers have none\n")
    assert run("check", "mobilenet", "--max", "effective_alpha=0.9")[0] == 1
    assert run("check", "mobilenet", "--max", "any_layer.effective_alpha=0.9")[0] == 2


def test_one_function_gives_the_totals_that_all_show():
    names = [name for name in METRICS if METRICS[name].unit is not RATIO]
    totals = analyze("mobilenet", alpha=0.5, metrics=names).totals
    (row,) = sweep("mobilenet", alpha=0.5, metrics=names).to_dict("records")
    assert {name: row[name] for name in names} == {name: totals[name] for name in names}
    names = [name for name in names if METRICS[name].closed and not METRICS[name].stored]
    forms = formula("mobilenet", metrics=names)
    assert {name: forms[name](alpha=0.5, res=224) for name in names} == {name: totals[name] for name in names}


@pytest.mark.parametrize("name", ["arena_bytes", "resident_bytes"])
def test_what_no_formula_says_is_refused_within_seconds(run, name):
    started = time.process_time()
    code, out, err = run("formula", "mobilenet", "-m", name)
    assert (code, out, err.count("error: ")) == (2, "", 1)
    assert "costcalc sweep" in err
    assert time.process_time() - started < 5


def test_fit_reads_the_amounts_that_check_reads(run):
    code, out, _ = run("fit", "mobilenet", "--vary", "alpha=0.5:1:0.25", "--max", "weights_bytes=10.3 MiB", "-f", "csv")
    assert (code, out.splitlines()[1].split(",")[0]) == (0, "0.75")  # 10,272,576 bytes are 9.797 MiB
    code, _, err = run("fit", "mobilenet", "--vary", "alpha", "--max", "weights_bytes=4M")
    assert code == 2
    assert "`weights_bytes` is in bytes" in err


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("16.8MB", BYTE, 16_800_000), ("4 KiB", BYTE, 4096), ("1,234,567", COUNT, 1_234_567), ("0.75", RATIO, 0.75)],
)
def test_figures_have_the_units_of_their_metric(text, unit, value):
    assert figure(text, unit).value == value


@pytest.mark.parametrize(
    ("text", "unit"), [("1,5M", COUNT), ("4M", BYTE), ("16800000", BYTE), ("1M", RATIO), ("1,23", COUNT)]
)
def test_what_is_no_figure(text, unit):
    """Commas separate thousands; `1,5M` might mean one and a half million."""
    assert figure(text, unit) is None


def test_units_come_from_the_metric():
    assert [unit_of(name) for name in ("keras.weights_bytes", "params", "mult_adds_share")] == [BYTE, COUNT, COUNT]
    assert metric("keras.params", "paper").title == "keras.params"
    with pytest.raises(CostcalcError, match="there is no metric"):
        metric("nonsense", "paper")
