"""`costcalc sweep`: published tables from one sweep, every kind of space, and refusals."""

import csv
import gc
import io
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from costcalc import analyze, load, sweep
from costcalc.analysis.sweep.sweep import Evaluation, Grid, Table, results
from costcalc.errors import CostcalcError, Source
from costcalc.metrics.metrics import metric, moved_widths
from costcalc.model.trace import trace
from costcalc.read.spec.reader import read

TABLES = Path(__file__).parents[1] / "data" / "tables"
PAPER = yaml.safe_load((TABLES / "mobilenet_v1_paper.yaml").read_text())["tables"]
SLIM = yaml.safe_load((TABLES / "slim_checkpoints.yaml").read_text())["mobilenet_v1"]["rows"]
RHO_SQUARED = {"t7.160": 290}  # printed as rho^2 times the 224 px total (findings.yaml, t7_160_290_t9_76)
WITHOUT_STEM = 0.75  # slim prints these rows without the first convolution (findings.yaml, t6_0.75_325_vs_slim_317)
TWICE_ROUNDED = (0.5, 224)  # 149.497 is 149.5, and that 150 (findings.yaml, slim_0.5_224_150)
MIN_DEPTH_16 = (0.25, 192)  # slim prints the cost with another least width (findings.yaml, slim_0.25_192_34)


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def grid():
    frame = sweep("mobilenet", alpha=[1, 0.75, 0.5, 0.25], res=[224, 192, 160, 128], metrics=("mult_adds", "params"))
    return {(row.alpha, row.res): (row.mult_adds, row.params) for row in frame.itertuples()}


@pytest.mark.parametrize("row", [*PAPER["t6"]["rows"], *PAPER["t7"]["rows"]], ids=lambda row: row["id"])
def test_tables_6_and_7_of_the_paper(grid, row):
    mult_adds, params = grid[row["alpha"], row["res"]]
    printed = RHO_SQUARED.get(row["id"])
    if printed:
        assert row["madds_m"] == printed == int(grid[1, 224][0] / 1e6 * (row["res"] / 224) ** 2)
        assert round(mult_adds / 1e6) != printed
    else:
        assert round(mult_adds / 1e6) == row["madds_m"]
    assert round(params / 1e6, 1) == row["params_m"]


@pytest.mark.parametrize("row", SLIM, ids=lambda row: f"{row[0]}-{row[1]}")
def test_all_rows_of_the_slim_table(grid, row):
    alpha, res, macs, params, *_ = row
    mult_adds = grid[alpha, res][0]
    if alpha == WITHOUT_STEM:
        mult_adds -= analyze("mobilenet", alpha=alpha, res=res).lines[0].cost
    if (alpha, res) == MIN_DEPTH_16:
        assert round(mult_adds / 1e6) == 30
    else:
        once = round(mult_adds / 1e6, 1) if (alpha, res) == TWICE_ROUNDED else mult_adds / 1e6
        assert int(once + 0.5) == macs
    norms = analyze("mobilenet", alpha=alpha, res=res, convention="framework")
    extra = sum(line.params for line in norms.lines if line.op == "batchnorm") // 2  # slim's norms hold 3 parameters
    assert round((norms.totals["params"] + extra) / 1e6, 2) == params


def test_a_grid_runs_its_last_variable_fastest(run):
    code, out, err = run("sweep", "mobilenet", "--alpha", "1,0.5", "--res", "224,192", "-f", "csv")
    assert (code, err) == (0, "")
    assert [(row["alpha"], row["res"]) for row in rows(out)] == [
        ("1.0", "224"),
        ("1.0", "192"),
        ("0.5", "224"),
        ("0.5", "192"),
    ]


def test_ranges_have_both_ends(run):
    _, out, _ = run("sweep", "mobilenet", "--vary", "alpha=0.25:1.5:0.05", "--res", "96:320:32", "-f", "csv")
    found = rows(out)
    assert len(found) == 26 * 8
    assert {row["alpha"] for row in found} == {str(step * 5 / 100) for step in range(5, 31)}
    assert [row["res"] for row in found[:8]] == [str(res) for res in range(96, 321, 32)]


def test_rho_multiplies_the_resolution(run):
    _, out, _ = run("sweep", "mobilenet", "--rho", "1,0.857,0.714,0.571", "-f", "json")
    ours = [row["mult_adds"] for row in json.loads(out)["points"]]
    assert ours == [analyze("mobilenet", res=res).totals["mult_adds"] for res in (224, 192, 160, 128)]


@pytest.mark.parametrize("suffix", ["csv", "yaml"])
def test_points_from_a_file(run, tmp_path, suffix):
    text = {
        "csv": "alpha,res\n1,224\n0.5,160\n0.75,160\n",
        "yaml": "- {alpha: 1, res: 224}\n- {alpha: 0.5, res: 160}\n- {res: 160, alpha: 0.75}\n",
    }[suffix]
    (tmp_path / f"p.{suffix}").write_text(text)
    code, out, _ = run("sweep", "mobilenet", "--points", f"p.{suffix}", "-f", "csv")
    assert code == 0
    assert [int(row["mult_adds"]) for row in rows(out)] == [568_740_352, 76_524_800, 166_396_800]


def test_points_may_have_names(run, tmp_path):
    (tmp_path / "p.csv").write_text("name,alpha\nwide,1\n=thin,0.5\n")
    _, out, _ = run("sweep", "mobilenet", "--points", "p.csv", "-f", "csv")
    assert out == "name,alpha,mult_adds,params\nwide,1.0,568740352,4209088\n'=thin,0.5,149497088,1319648\n"
    _, out, _ = run("sweep", "mobilenet", "--points", "p.csv", "-f", "md")
    assert "| wide | 1 | 568,740,352 |" in out


def test_a_sample_is_of_the_grid_and_the_same_for_a_seed(run):
    args = ("sweep", "mobilenet", "--alpha", "0.25:2:0.25", "--res", "32:512:32", "--sample", "50", "-f", "csv")
    one, again, other = (run(*args, "--seed", seed)[1] for seed in (7, 7, 8))
    assert one == again != other
    for row in rows(one):
        totals = analyze("mobilenet", alpha=float(row["alpha"]), res=int(row["res"])).totals
        assert int(row["mult_adds"]) == totals["mult_adds"]


def test_metrics_of_any_convention(run):
    _, out, _ = run("sweep", "mobilenet", "--res", "224", "-m", "flops,framework.params,activations", "-f", "json")
    (row,) = json.loads(out)["points"]
    assert (row["flops"], row["framework.params"]) == (2 * 568_740_352, 4_231_976)
    outputs = [line for line in analyze("mobilenet").lines if line.cost]
    assert row["activations"] == sum(np.prod(line.output) for line in outputs)


def test_effective_multiplier():
    moved = moved_widths(load("mobilenet"))
    rows = PAPER["t1"]["rows"][:-3]  # Table 1: every width but the classifier's; `5x` rows stand for five
    times = [5 if row[0].startswith("5x") else 1 for row in rows]
    widths = [int(row[1].removesuffix(" dw").rpartition("x")[2]) for row in rows]
    assert sum(moved.values()) == sum(count * width for count, width in zip(times, widths, strict=True))


def test_effective_multiplier_of_rounded_widths(run, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "vars: {alpha: 1.0}\ninput: [4, 4, 3]\nlayers: [{conv: 1, out: 'divisible(30 * alpha, 8)'}, {linear: 7}]\n"
    )
    _, out, _ = run("sweep", "s.yaml", "--alpha", "1,0.5,1.2", "--effective", "-f", "csv")
    assert [float(row["effective_alpha"]) for row in rows(out)] == [1, 0.5, 1.25]  # widths 32, 16, 40


def test_pivot_is_one_grid_a_metric(run):
    _, out, _ = run("sweep", "mobilenet", "--alpha", "1,0.5", "--res", "224,160", "--pivot", "-f", "md")
    assert out.count("| alpha") == 2
    assert "| 1 | 568,740,352 | 290,675,200 |" in out
    assert "| 0.5 | 1,319,648 | 1,319,648 |" in out


def test_parquet_holds_what_csv_holds(run, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run("sweep", "mobilenet", "--alpha", "1,0.5", "-o", "p.parquet")[0] == 0
    assert run("sweep", "mobilenet", "--alpha", "1,0.5", "-o", "p.csv")[0] == 0
    table = parquet.read_table(tmp_path / "p.parquet").to_pylist()
    assert [{name: str(value) for name, value in row.items()} for row in table] == rows(
        (tmp_path / "p.csv").read_text()
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "p.parquet"]


STRUCTURE = """
vars: {deep: {default: 2, min: 0}, wide: 8, kernel: 3, pooled: {default: true}, act: relu}
input: [16, 16, 3]
layers:
  - {conv: kernel, out: wide, repeat: deep}
  - {conv: 3x3, out: wide if deep > 2 else 2 * wide, residual: deep > 3 and wide < 9}
  - {maxpool: 2x2, when: pooled}
  - {conv: 1x1, out: 4, then: [act]}
"""


def test_variables_that_change_the_structure(tmp_path):
    spec = tmp_path / "s.yaml"
    spec.write_text(STRUCTURE)
    axes = {
        "deep": [0, 3, 1, 4],
        "wide": [8, 12],
        "kernel": [1, 3, 5],
        "pooled": [True, False],
        "act": ["relu", "prelu"],
    }
    frame = sweep(spec, metrics=("mult_adds", "framework.params"), **axes)
    assert len(frame) == 4 * 2 * 3 * 2 * 2
    for row in frame.to_dict("records"):
        values = {name: row[name] for name in axes}
        report = analyze(spec, convention="framework", **values)
        assert (row["mult_adds"], row["framework.params"]) == tuple(report.totals.values()), values


def test_a_pivot_over_a_truth_has_all_its_rows_and_columns(run, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "vars: {n: 8, deep: true}\ninput: [8, 8, 1]\nlayers: [{conv: 1x1, out: n, repeat: 2 if deep else 1}]\n"
    )
    for truths, cells in (("true,false", ["72", "8"]), ("false", ["8"])):
        _, out, _ = run(
            "sweep", "s.yaml", "--vary", "n=4,8", "--vary", f"deep={truths}", "--pivot", "--metrics", "params"
        )
        rows_shown = [line.split() for line in out.splitlines() if line.split()[:1] in (["4"], ["8"])]
        assert [row[0] for row in rows_shown] == ["8", "4"]
        assert rows_shown[0][1:] == cells


def test_invalid_points_name_themselves_or_are_left_out(run, tmp_path):
    (tmp_path / "s.yaml").write_text("vars: {n: 8, k: 3}\ninput: [n, n, 2]\nlayers: [{conv: k, out: 4, padding: 0}]\n")
    args = ("sweep", "s.yaml", "--vary", "n=2:6:1", "--vary", "k=3,5", "-f", "csv")
    code, out, err = run(*args)
    assert (code, out) == (2, "")
    assert "error: at n=2, k=3: `conv`: a window of 3 is larger than its input of 2\n" in err
    assert "s.yaml:3:11" in err
    code, out, err = run(*args, "--skip-invalid")
    assert code == 0
    assert [(row["n"], row["k"]) for row in rows(out)] == [
        ("3", "3"),
        ("4", "3"),
        ("5", "3"),
        ("5", "5"),
        ("6", "3"),
        ("6", "5"),
    ]
    assert "skipped 4 points" in err


PIECES = """
vars: {n: 4, k: 3, r: 2}
input: [n, n, 2]
layers: [{conv: k, out: n + 1, padding: 0}, {layers: [{conv: 1x1, out: n + i}], repeat: r}]
"""


@pytest.mark.parametrize("room", [0, 500, 5_000])
def test_walks_that_have_little_room_give_the_same_points(monkeypatch, room):
    model, space = (
        read(Source("s.yaml", PIECES)),
        Grid({"n": np.arange(2, 40), "k": np.arange(1, 6), "r": np.arange(1, 4)}),
    )

    def found():
        one = next(results(model, space, ["mult_adds", "params", "peak_bytes"], "paper", True))
        return (
            {name: column.tolist() for name, column in one.columns.items()},
            one.kept.tolist(),
            sum(one.skipped.values()),
        )

    whole = found()
    assert len(whole[1]) == 38 * 5 * 3 - whole[2] > 300
    monkeypatch.setattr("costcalc.analysis.sweep.sweep.ROOM", room)
    assert found() == whole


@pytest.mark.parametrize("metrics", [["params"], ["mult_adds", "params", "peak_bytes"]])
def test_points_are_the_same_chunk_by_chunk_and_tile_by_tile(monkeypatch, metrics):
    random = np.random.default_rng(1)
    columns = {"alpha": random.uniform(0.25, 1.5, 700), "res": random.integers(32, 300, 700)}
    model, wanted = load("mobilenet"), [metric(name, "paper") for name in metrics]
    due = Evaluation(model, wanted).at(next(Table(columns).chunks())).columns
    monkeypatch.setattr("costcalc.num.tiles.TILE", 64)
    chunks, evaluation = list(Table(columns).chunks(200)), Evaluation(model, wanted)
    found = [evaluation.at(chunk) for chunk in chunks]  # all at once: an array that is overwritten later shows
    for name in (*metrics, *columns):
        assert [value for one in found for value in one.columns[name]] == due[name].tolist()
    assert [len(chunk.columns["res"]) for chunk in chunks] == [200, 200, 200, 100]


@pytest.mark.parametrize("name", ["mobilenet", "resnet50", "bert", "yolov8n", "inception_v3"])
def test_a_finished_walk_leaves_nothing_to_collect(name):
    model, (chunk,) = load(name), Grid({"res" if name != "bert" else "new": np.arange(128, 384, 64)}).chunks()
    Evaluation(model, [metric("mult_adds", "paper")]).at(chunk)
    gc.collect()
    Evaluation(model, [metric("mult_adds", "paper")]).at(chunk)
    assert gc.collect() == 0


def test_peaks_of_a_network_of_hundreds_of_tensors():
    frame = sweep("densenet121", res=[224, 256], classes=[10, 1000], metrics=["peak_bytes", "saved_bytes"])
    for row in frame.itertuples():
        due = analyze("densenet121", res=row.res, classes=row.classes, metrics=["peak_bytes", "saved_bytes"]).totals
        assert (row.peak_bytes, row.saved_bytes) == (due["peak_bytes"], due["saved_bytes"])


REFUSED = [
    (["--alhpa", "1"], "a similar name exists: `--alpha`"),
    (["--vary", "beta=1"], "has no variable `beta`"),
    (["--res", ""], "has no values in ``"),
    (["--res", "96:320:0"], "the step must not be 0"),
    (["--res", "96:320:-32"], "does not go from 96 to 320"),
    (["--res", "96:nan:32"], "finite numbers"),
    (["--res", "96:320"], "start:stop:step"),
    (["--res", "1:1000000000:1"], "too many values"),
    (["--alpha", "1:1e99999999:1"], "too many values"),
    (["--alpha", "1", "--vary", "alpha=2"], "`alpha` is given twice"),
    (["--alpha", "nan"], "`alpha` cannot be `nan`"),
    (["--alpha", "1,-1"], "`alpha` cannot be -1"),
    (["--rho", "0"], "rho cannot be 0"),
    ([], "a sweep needs values"),
    (["--alpha", "1", "--metrics", "macs"], "there is no metric `macs`"),
    (["--alpha", "1", "--pivot"], "--pivot needs two variables"),
    (["--alpha", "1", "-f", "parquet"], "Parquet output needs a file"),
    (["--alpha", "0.001:10:0.001", "--res", "1:200000:1"], "add --yes"),
    (["--points", "none.csv"], "there is no file"),
    (["--res", "1000000000"], "past the limit of 2^62"),
]


@pytest.mark.parametrize(
    ("args", "message"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_refused(run, args, message):
    code, _, err = run("sweep", "mobilenet", *args)
    assert code == 2
    assert message in err
    assert err.startswith("error: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha,res\n1,224\n0.5\n", "p.csv:3:1"),
        ("alpha,res\n1,224\n0.5,160,3\n", "expected 2 columns (alpha, res), found 3"),
        ("alpha,size\n1,224\n", "no variable `size`"),
        ("alpha\n0.5\nx y\n", "p.csv:3:1"),
        ("alpha,alpha\n1,2\n", "two columns are called `alpha`"),
        ("alpha\n" + "1" * 200_000 + "\n", "this is no CSV"),
        ("alpha\n", "has no points"),
        ("", "has no points"),
    ],
)
def test_points_files_name_the_line(run, tmp_path, text, message):
    (tmp_path / "p.csv").write_text(text)
    code, _, err = run("sweep", "mobilenet", "--points", "p.csv")
    assert (code, message in err) == (2, True), err


def test_totals_past_64_bits_are_refused_never_wrong():
    deep = load("mobilenet")
    wide = Table({"alpha": np.array([1.0, 3e5, 2.0])})
    with pytest.raises(CostcalcError, match=r"at alpha=300000.0: .*past the limit of 2\^62"):
        list(results(deep, wide, ["mult_adds"], "paper"))
    (kept,) = results(deep, wide, ["mult_adds"], "paper", skip_invalid=True)
    assert kept.columns["alpha"].tolist() == [1.0, 2.0]


def test_chunks_are_the_grid_in_order():
    grid = Grid({"a": np.arange(7), "b": np.arange(5), "c": np.arange(3)})
    for most in (1, 2, 3, 4, 10, 15, 40, 1000):
        found = [chunk.flat() for chunk in grid.chunks(most)]
        points = [point for chunk in found for point in zip(*chunk.columns.values(), strict=True)]
        assert points == [(a, b, c) for a in range(7) for b in range(5) for c in range(3)]
        assert all(chunk.size <= max(most, 1) for chunk in found)


def test_a_run_that_fails_leaves_the_old_file(run, tmp_path):
    (tmp_path / "p.csv").write_text("old")
    (tmp_path / "s.yaml").write_text("vars: {n: 8}\ninput: [n, n, 2]\nlayers: [{conv: 3, out: 4, padding: 0}]\n")
    assert run("sweep", "s.yaml", "--vary", "n=9,2", "-o", "p.csv")[0] == 2
    assert (tmp_path / "p.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "s.yaml"]


def test_a_variable_cannot_hide_an_axis(run, tmp_path):
    (tmp_path / "s.yaml").write_text("vars: {height: 8}\ninput: [height, 8, 3]\nlayers: [relu]\n")
    code, _, err = run("analyze", "s.yaml")
    assert code == 2
    assert "error: `height` cannot name a variable\n --> s.yaml:1:8\n" in err
    assert "= help: in a layer it is the size of the input; write `height_in`, or `h`\n" in err


@pytest.mark.parametrize(
    ("given", "kept"), [(["--res", "227,195"], ["classes=1000"]), (["--rho", "1,0.9"], ["res=227", "classes=1000"])]
)
def test_the_last_line_has_only_what_stays_as_it_is(run, given, kept):
    code, out, _ = run("sweep", "alexnet", *given)  # res_h and res_w follow from res
    assert code == 0
    assert out.splitlines()[-1].split("; ")[-2] == ", ".join(kept)


def test_points_say_what_they_are(run, tmp_path):
    (tmp_path / "s.yaml").write_text(
        "vars: {c: 8, n: 2}\ninput: [16, 16, 4]\nlayers: [{conv: 3x3, out: c, repeat: n}]\n"
    )
    document = json.loads(run("sweep", "s.yaml", "--c", "8,16", "--json").out)
    assert [point["c"] for point in document.pop("points")] == [8, 16]
    report = json.loads(run("analyze", "s.yaml", "--json").out)
    same = ("schema_version", "costcalc", "spec", "inputs", "convention")
    assert document == {**{key: report[key] for key in same}, "vars": {"n": 2}, "varied": ["c"]}
    assert "; input 16x16x4; n=2; costcalc" in run("sweep", "s.yaml", "--c", "8,16").out
    assert "; res=224, alpha" in run("sweep", "mobilenet", "--rho", "1,0.5").out  # and no input, because rho changes it


@pytest.mark.parametrize("columns", [20, 40, 60, 80])
def test_no_number_of_a_sweep_is_cut(run, monkeypatch, columns):
    metrics = "mult_adds,params,activations,flops,framework.params,weights_bytes"
    line = ("sweep", "mobilenet", "--alpha", "1,0.5", "--metrics", metrics)
    head, _, *rows = [text.split() for text in run(*line).out.splitlines()[:4]]
    monkeypatch.setenv("COLUMNS", str(columns))
    out = run(*line).out
    shown, _, *short = [text.split() for text in out.splitlines()[:4]]
    assert 2 <= len(shown) <= len(head)
    assert [shown, *short] == [row[: len(shown)] for row in (head, *rows)]
    assert {*head} <= {*out.replace(",", " ").split()}  # the rest is named below


def sized(out, when=None):
    """A network of one convolution with 3 parameters per channel."""
    condition = "" if when is None else f", when: {when}"
    text = (
        "vars: {a: {default: 1, min: -10}, n: {default: 3, min: -1000000000000}}\ninput: [8, 8, 3]\n"
        f"layers: [{{conv: 1x1, out: {out}{condition}}}]\n"
    )
    return read(Source("net.yaml", text))


ALIKE = [  # expression, condition; channels by Python's numbers at a = 0, 1, 2, or None for a refusal
    ("8 + 7 % a", None, (None, 8, 9)),
    ("16 if 7 / a > 3 else 8", None, (None, 16, 16)),
    ("4", "4 / a > 1", (None, 4, 4)),
    ("4", "a > 0 and 4 // a > 3", (0, 4, 0)),
    ("8 if a < 1 else 8 // a", None, (8, 8, 4)),
    ("8 if a < 1 or 8 / a > 4 else 5", None, (8, 8, 5)),
    ("5 + (a > 0) + (a > 1)", None, (5, 6, 7)),
    ("4 if a > 0 else a > 5", None, (None, 4, 4)),
    ("min(a + 1, 9999999999 * 9999999999)", None, (1, 2, 3)),
    ("max(a, 9007199254740993) % 1009 + 1", None, (822, 822, 822)),
    ("max(a * 0.5, 9007199254740993) % 1009 + 1", None, (822, 822, 822)),
    ("(a + 461168601842738790) * 40 % 1000", None, (600, 640, 680)),
    ("a * 999999999999999999 // 999999999999999999 + 1", None, (1, 2, 3)),
]


@pytest.mark.parametrize(("out", "when", "due"), ALIKE)
def test_a_sweep_refuses_where_numbers_do_and_gives_their_numbers(out, when, due):
    model = sized(f'"{out}"', None if when is None else f'"{when}"')
    swept = Evaluation(model, [metric("params", "paper")], True).at(next(Table({"a": np.array([0, 1, 2])}).chunks()))
    assert dict(zip(swept.kept.tolist(), swept.columns["params"].tolist(), strict=True)) == {
        at: 3 * size for at, size in enumerate(due) if size is not None
    }
    for at, size in enumerate(due):
        if size is None:
            with pytest.raises(CostcalcError):
                analyze(model, a=at)
        else:
            assert analyze(model, a=at).totals["params"] == 3 * size


def test_whole_numbers_stay_whole_beside_real_ones():
    frame = sweep(sized('"floor(a) % 1009 + 1"'), metrics=("params",), a=[9007199254740993, 0.5])
    assert frame.params.tolist() == [3 * (9007199254740993 % 1009 + 1), 3]


def test_a_maximum_of_whole_and_real_numbers_is_one_walk(monkeypatch):
    text = "vars: {alpha: 1.0, n: 3}\ninput: [32, 32, n]\nlayers:\n  - {conv: 3x3, out: 'floor(max(alpha * 32, 8))'}\n"
    text += "  - {conv: 3x3, out: 'ceil(min(n, alpha * 7) + max(8, n * alpha)) % 5 + 1'}\n"
    model = read(Source("net.yaml", text))
    name, walks = "costcalc.analysis.sweep.sweep.trace", []
    monkeypatch.setattr(name, lambda *args: walks.append(args) or trace(*args))
    alphas = [at / 64 for at in range(1, 129)]
    table = sweep(model, alpha=alphas, n=[1, 3, 8])
    assert len(walks) == 1
    for row in table.to_dict("records"):
        totals = analyze(model, alpha=row["alpha"], n=row["n"]).totals
        assert (row["mult_adds"], row["params"]) == (totals["mult_adds"], totals["params"])
