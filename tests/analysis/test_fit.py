"""`costcalc fit` against brute force over every setting."""

import csv
import io
import json

import numpy as np
import pytest

from costcalc import analyze, fit, load
from costcalc.analysis.fit.fit import maximal


def totals(**values):
    return analyze(MODEL, **values).totals


MODEL = load("mobilenet")


@pytest.mark.parametrize("parts", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_one_variable_agrees_with_brute_force(run, parts):
    steps = f"alpha={1 / parts:.4f}:1:{1 / parts:.4f}"
    code, out, _ = run("fit", "mobilenet", "--vary", steps, "--max", "mult_adds=150M", "-f", "csv")
    assert code == 0
    (row,) = csv.DictReader(io.StringIO(out))
    alphas = [step / parts for step in range(1, parts + 1)]
    best = max(alpha for alpha in alphas if totals(alpha=alpha)["mult_adds"] <= 150e6)
    assert float(row["alpha"]) == best
    assert int(row["mult_adds"]) == totals(alpha=best)["mult_adds"]


def test_two_variables_and_two_budgets_agree_with_brute_force():
    alphas, sizes = [step / 100 for step in range(5, 131, 3)], list(range(96, 257, 16))
    limits = {"mult_adds": 150e6, "params": 2e6}
    found = fit("mobilenet", vary={"alpha": alphas, "res": sizes}, limits=limits).frame()
    points = {(a, r): totals(alpha=a, res=r) for a in alphas for r in sizes}
    inside = [point for point, cost in points.items() if all(cost[name] <= limits[name] for name in limits)]
    best = [(a, r) for a, r in inside if not any((b, s) != (a, r) and b >= a and s >= r for b, s in inside)]
    assert list(zip(found.alpha, found.res, strict=True)) == sorted(best, reverse=True)
    assert found.params.tolist() == [points[point]["params"] for point in sorted(best, reverse=True)]


def test_maximize_a_metric_and_an_accuracy():
    sizes = [128, 160, 192, 224]
    largest = fit("mobilenet", vary={"alpha": None, "res": sizes}, limits={"mult_adds": 150e6}, maximize="mult_adds")
    assert largest.size == 1
    (cost,) = largest.columns["mult_adds"]
    assert 149e6 < cost <= 150e6
    best = fit("mobilenet", vary=["alpha", "res"], limits={"mult_adds": 150e6}, maximize="top1")
    assert (best.columns["alpha"][0], best.columns["res"][0], best.columns["top1"][0]) == (0.5, 224, 63.7)  # Table 6


def test_default_ranges_reach_twice_the_default():
    found = fit("mobilenet", vary=["alpha"], limits={"mult_adds": 1e15})
    assert found.columns["alpha"].tolist() == [2.0]


def test_structure_can_be_fitted(tmp_path):
    spec = tmp_path / "s.yaml"
    spec.write_text("vars: {deep: 5}\ninput: [8, 8, 4]\nlayers: [{conv: 3, out: 4, repeat: deep}]\n")
    found = fit(spec, vary=["deep"], limits={"params": 144 * 3 + 1})
    assert (found.columns["deep"].tolist(), found.columns["params"].tolist()) == ([3], [432])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_maximal_points_by_definition(count):
    random = np.random.default_rng(3)
    for _ in range(200):
        columns = [random.integers(0, 6, 25) for _ in range(count)]
        points = sorted({tuple(int(column[at]) for column in columns) for at in range(25)}, reverse=True)
        kept = [p for p in points if not any(q != p and all(b >= a for a, b in zip(p, q, strict=True)) for q in points)]
        found = [tuple(int(column[at]) for column in columns) for at in maximal(columns)]
        assert found == kept


def test_nothing_fits_says_which_budget(run):
    code, out, err = run("fit", "mobilenet", "--vary", "alpha", "--max", "mult_adds=150k", "--max", "params=9M")
    assert (code, out) == (1, "")
    least = totals(alpha=0.001)["mult_adds"]
    assert err == f"nothing fits\n  mult_adds is at least {least:,}, over 150,000\n"
    code, _, err = run(
        "fit",
        "mobilenet",
        "--vary",
        "alpha=0.25,1",
        "--vary",
        "res=32",
        "--max",
        "mult_adds=12M",
        "--max",
        "params=400k",
    )
    assert (code, "params is at least 463,600, over 400,000" in err) == (1, True)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--vary", "beta", "--max", "params=2M"), "no variable `beta`"),
        (("--vary", "alpha", "--max", "macs=2M"), "no metric `macs`"),
        (("--vary", "alpha", "--max", "params"), "write --max mult_adds=150M"),
        (("--vary", "alpha", "--max", "params=nan"), "write --max mult_adds=150M"),
        (("--vary", "alpha", "--max", "params=10%"), "write --max mult_adds=150M"),
        (("--vary", "alpha=0:1:0", "--max", "params=2M"), "the step must not be 0"),
        (("--alpha", "0.5", "--vary", "alpha", "--max", "params=2M"), "`alpha` is given twice"),
        (("--max", "params=2M"), "a fit needs variables"),
        (
            ("--vary", "alpha", "--vary", "res", "--classes", "10", "--max", "params=2M", "--maximize", "top1"),
            "none names",
        ),
        (("--vary", "alpha", "--max", "params=2M", "--maximize", "top1"), "also vary res"),
    ],
)
def test_refused(run, args, message):
    code, _, err = run("fit", "mobilenet", *args)
    assert (code, message in err) == (2, True), err


def test_the_end_of_the_default_values_is_said(run):
    _, out, _ = run("fit", "mobilenet", "--vary", "alpha", "--max", "mult_adds=10G")
    assert "alpha=2 is the end of the values tried: --vary alpha=START:STOP:STEP" in out
    _, out, _ = run("fit", "mobilenet", "--vary", "alpha", "--max", "mult_adds=150M")
    assert "is the end of" not in out
    assert "1 best of 501 settings within mult_adds <= 150,000,000, 2,000 tried" in out


def test_words_have_no_order(run, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "vars: {act: {default: relu, choices: [relu, prelu]}, c: 8}\n"
        "input: [4, 4, 3]\nlayers: [{conv: 1, out: c, then: [act]}]\n"
    )
    _, out, _ = run("fit", "s.yaml", "--vary", "act", "--vary", "c", "--max", "framework.params=40", "-f", "csv")
    rows = [(row["act"], row["c"]) for row in csv.DictReader(io.StringIO(out))]
    assert sorted(rows) == [("prelu", "8"), ("relu", "10")]  # 5 c with slopes, 4 c without


def test_too_many_settings_are_refused_at_once(run):
    code, _, err = run(
        "fit", "mobilenet", *["--vary", "alpha", "--vary", "res", "--vary", "classes", "--max", "mult_adds=1M"]
    )
    assert (code, "settings are too many to try" in err) == (2, True)


def test_settings_and_json(run):
    line = ("fit", "mobilenet", "--vary", "alpha", "--max", "mult_adds=150M")
    document = json.loads(run(*line, "--res", "192", "--json").out)
    (point,) = document["points"]
    assert (point["res"], point["mult_adds"] <= document["max"]["mult_adds"] == 150_000_000) == (192, True)
    assert (document["tried"], document["varied"]) == (2000, ["res", "alpha"])
    assert analyze("mobilenet", alpha=point["alpha"], res=192).totals["mult_adds"] == point["mult_adds"]
    assert json.loads(run(*line, "--set", "res=192", "-f", "json").out)["points"] == [{"res": 192} | point]
    assert "2,000 steps up to twice the default" in " ".join(run("fit", "--help").out.split())
