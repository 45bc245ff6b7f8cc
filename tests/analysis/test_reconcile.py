"""Gaps between counts: parts that sum exactly, and printed numbers explained by other ways of counting."""

import csv
import io
import json
from functools import lru_cache
from itertools import combinations

import pytest

from costcalc import analyze, load, reconcile
from costcalc.analysis.reconcile.explanations import explain, stretch
from costcalc.analysis.reconcile.reconcile import METRICS, split, tally, total_of
from costcalc.analysis.report.report import report
from costcalc.errors import Source
from costcalc.metrics.conventions import NAMES, find
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.quantities import figure
from costcalc.read.loading import configs
from costcalc.read.spec.reader import read
from tests.analysis.test_published import table

CONFIGS = sorted(configs())


@lru_cache
def walked(name):
    """A config's trace, and its report under every convention."""
    model = load(name)
    values = settle(model, {})
    rows = trace(model, values)
    return rows, {one: report(model, rows, values, find(one)) for one in NAMES}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", CONFIGS)
def test_every_gap_is_the_sum_of_its_parts(name, metric):
    """Every pair of conventions, for every config."""
    rows, reports = walked(name)
    counted = tally(rows.rows, metric)
    totals = {one: total_of(reports[one], metric) for one in NAMES}
    for left, right in combinations(NAMES, 2):
        parts = split(counted, find(left), find(right))
        assert sum(part.value for part in parts) == totals[right] - totals[left], (left, right)
        for part in parts:
            assert part.value == (part.prices[1] - part.prices[0]) * part.quantity != 0


def test_the_parts_of_one_gap():
    """ptflops counts a ReLU as a module and again as a function: half of it is a known bug."""
    found = reconcile("resnet50", "paper", "ptflops")
    assert found.totals == (4_089_184_256, 4_089_184_256 + found.gap)
    sums: dict = {}
    for part in found.parts:
        sums[part.name] = sums.get(part.name, 0) + part.value
    assert sums == {
        "normalisation": 2 * 11_113_984,
        "activation": 9_608_704 + 1000,
        "pooling": 802_816 + 100_352,
        "known bug of ptflops": 9_608_704 + 802_816 + 100_352,
        "bias": 1000,
    }


NAMED = [  # spec, conventions, metric, the name of the largest part
    ("mobilenet", "paper", "flops", "cost", "2 per mult-add"),
    ("mobilenet", "paper", "ptflops_aten", "cost", "bias"),
    ("mobilenet", "paper", "thop", "cost", "normalisation"),
    ("vit_b_16", "flops", "flop_counter", "cost", "mult-adds"),
    ("mobilenet", "framework", "keras", "params", "moving statistics"),
    ("mobilenet", "slim", "keras", "params", "normalisation"),
    ("vit_b_16", "framework", "thop", "params", "weights"),
]


@pytest.mark.parametrize(("spec", "left", "right", "metric", "part"), NAMED)
def test_names_of_parts(spec, left, right, metric, part):
    assert reconcile(spec, left, right, metric=metric).parts[0].name == part


def test_interpolation_is_a_part():
    model = read(Source("up.yaml", "input: [8, 8, 4]\nlayers: [{upsample: 2, method: bilinear}]"))
    (part,) = reconcile(model, "paper", "fvcore").parts
    assert (part.name, part.value, part.prices) == ("interpolation", 4 * 16 * 16 * 4, (0, 4))
    names = [part.name for part in reconcile(model, "fvcore", "calflops").parts]
    assert names == ["interpolation", "known bug of calflops"]


@pytest.mark.parametrize("metric", METRICS)
def test_layers_sum_to_the_gap(metric):
    found = reconcile("mobilenet_v2", "paper", "torchinfo", metric=metric)
    assert sum(layer.right - layer.left for layer in found.layers) == found.gap
    assert all(layer.parts for layer in found.layers)


# numbers as they were printed


def row_of(name, key):
    """A row of one of the MobileNet paper's tables."""
    rows = table("mobilenet_v1_paper")["tables"][name]["rows"]
    return next(row for row in rows if row["id"] == key)


def explained(spec, text, convention="paper", metric="cost", **values):
    """The explanations of a number."""
    return explain(spec, convention, text, figure(text), metric=metric, **values)


EXPLAINED = [  # spec, variables, printed number, the simplest explanation, millions to the digits in findings.yaml
    ("squeezenet1_0", {}, "1700M", "2 per mult-add", "1665.3"),
    ("vgg16", {}, "15300M", "without the classifier", "15346.6"),
    ("mobilenet", {"alpha": 0.75}, "317M", "without the first convolution", "317.27"),
    ("mobilenet", {"alpha": 0.75, "res": 192}, "233M", "without the first convolution", "233.30"),
    ("mobilenet", {"alpha": 0.75, "res": 160}, "162M", "without the first convolution", "162.25"),
    ("mobilenet", {"alpha": 0.75, "res": 128}, "104M", "without the first convolution", "104.12"),
    ("mobilenet", {"alpha": 0.75}, "325M", "as it is", "325.40"),
    ("resnet50", {}, "8.2G", "2 per mult-add", "8178.368512"),
    ("mobilenet", {}, "418M", "res 192", "418"),
    ("resnet50", {}, "4.112G", "as fvcore", "4111.513"),
]


def test_the_printed_numbers_are_those_of_the_tables():
    """The explanations match an independent recomputation (findings.yaml)."""
    answers = table("findings")["v1_answers"]
    assert "2 x 832.7, i.e. FLOPs" in answers["t9_squeezenet"]
    assert "conv layers only (15346.6)" in answers["t8_vgg"]
    assert "without the first 3x3 convolution (317.27, 233.30, 162.25, 104.12)" in answers["t6_0.75_325_vs_slim_317"]
    assert row_of("t9", "t9.squeezenet")["madds_m"] == 1700
    assert row_of("t8", "t8.vgg16")["madds_m"] == 15300
    rows = table("slim_checkpoints")["v1"]["rows"] if "v1" in table("slim_checkpoints") else ()
    assert all(row["madds_m"] != 325 for row in rows if row.get("alpha") == 0.75)


@pytest.mark.parametrize(("spec", "values", "text", "way", "millions"), EXPLAINED)
def test_printed_numbers(spec, values, text, way, millions):
    found = explained(spec, text, **values)
    first, _ = found.explained[0]
    digits = len(millions.partition(".")[2])
    assert (first.text, f"{first.value / 1e6:.{digits}f}") == (way, millions)
    assert sum(part.value for part in found.parts) == found.gap == figure(text).value - found.total


def test_parameters_as_slim_counts_them():
    found = explained("mobilenet", "4.24M", metric="params")
    assert found.explained[0][0].text == "as slim"
    assert found.parts[-1].name == "rounding"
    assert sum(part.value for part in found.parts) == found.gap


def test_several_ways_at_once():
    """Twice the count, at another input size and without the classifier; each step is a part."""
    model = load("mobilenet")
    body = analyze(model, res=160).totals["mult_adds"] - 1_024_000
    found = explained(model, str(2 * body))
    assert found.explained[0][0].text == "res 160, without the classifier, 2 per mult-add"
    assert [part.name for part in found.parts] == ["input size", "classifier", "2 per mult-add"]
    assert sum(part.value for part in found.parts) == found.gap


def test_a_declared_choice_of_width():
    text = "vars: {alpha: {default: 1.0, choices: [1.0, 0.5]}}\ninput: [8, 8, 4]\nlayers: [{conv: 3x3, out: 8 * alpha}]"
    found = explained(read(Source("thin.yaml", text)), "9216")
    assert "alpha 0.5" in [way.text for way, _ in found.explained]


def test_flops_are_halved_not_doubled():
    found = explained("mobilenet", "568740352", convention="flops")
    assert found.explained[0][0].text == "1 for 2"
    assert found.parts[0].what == "mult-adds among FLOPs"


def test_an_explanation_needs_nothing_that_another_does_without():
    for text in ("8.2G", "4.1G", "4G"):
        ways = [way.ways for way, _ in explained("resnet50", text).explained]
        assert not any(one < other for one in ways for other in ways)


def test_sizes_that_the_network_cannot_have_are_passed_over():
    text = "vars: {res: 224}\ninput: [res, res, 3]\nlayers: [{conv: 200x200, out: 4, padding: valid}]"
    found = explained(read(Source("large.yaml", text)), "3G")
    assert not any(dict(way.changed).get("res") in (192, 160, 128) for way in found.near)
    assert any(dict(way.changed).get("res") == 256 for way in found.near)


def test_a_large_network_is_walked_once(monkeypatch):
    monkeypatch.setattr("costcalc.analysis.reconcile.explanations.ROWS", 1_000)
    text = "vars: {{res: 8}}\ninput: [res, res, 4]\nlayers: [{{conv: 1x1, out: 4, repeat: {}}}]"
    changed = [
        {way.changed for way in explained(read(Source("deep.yaml", text.format(n))), "9G").near} for n in (600, 60)
    ]
    assert changed[0] == {()}
    assert len(changed[1]) == 9


def test_lower_bounds_explain_nothing():
    text = "input: [8, 8, 4]\nlayers: [{conv: 1x1, out: 8}, {opaque: a sort}]"
    assert explained(read(Source("sort.yaml", text)), "2048").explained == ()


STRETCHES = [  # config, stretch, layers with weights in it
    ("mobilenet", "classifier", ["linear"]),
    ("vgg16", "classifier", ["linear_1", "linear_2", "linear_3"]),
    ("squeezenet1_0", "classifier", ["conv_2"]),
    ("mobilenet", "first convolution", ["conv"]),
]


@pytest.mark.parametrize(("name", "part", "layers"), STRETCHES)
def test_stretches(name, part, layers):
    rows, reports = walked(name)
    lines = reports["paper"].lines[slice(*stretch(rows.rows, part))]
    assert [line.name for line in lines if line.cost] == layers


# the command


def test_the_page_of_a_gap(run):
    code, out, err = run("reconcile", "mobilenet", "paper", "ptflops_aten")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:3] == [
        "paper: 568,740,352 mult-adds",
        "ptflops_aten: 568,741,352 mult-adds",
        "gap: +1,000 (+0.000176 %)",
    ]
    assert any(line.startswith("bias") and "0 -> 1" in line and "bias additions: linear" in line for line in lines)
    assert "ptflops_aten: ptflops/aten_ops.py, addmm_flop" in lines


def test_nothing_to_explain(run):
    code, out, _ = run("reconcile", "mobilenet", "paper", "framework")
    assert code == 0
    assert "nothing to explain: every layer counts the same" in out


def test_what_the_program_prints_otherwise_is_said(run):
    _, out, _ = run("reconcile", "mobilenet_v2", "paper", "thop")
    assert "thop prints a different number for mobilenet_v2: its global average pool is a function call" in out


def test_nothing_explains(run):
    code, out, err = run("reconcile", "mobilenet", "paper", "9.9G", "--top", "2")
    assert (code, err) == (1, "")
    assert "nothing explains it; nearest counts:" in out
    assert "off by +6.29 %" in out  # of 8 per mult-add at 320x320: 8 * 1,159,628,800
    assert json.loads(run("reconcile", "mobilenet", "9.9G", "paper", "--json", "--top", "2")[1])["parts"] == []


@pytest.mark.parametrize("by", ["term", "layer"])
@pytest.mark.parametrize("metric", METRICS)
def test_formats_hold_the_same_numbers(run, metric, by):
    line = ["reconcile", "vit_b_16", "framework", "torchinfo", "--metric", metric, "--by", by]
    document = json.loads(run(*line, "--format", "json")[1])
    rows = [*csv.DictReader(io.StringIO(run(*line, "--format", "csv")[1]))]
    entries = document["layers" if by == "layer" else "parts"]
    assert [int(row["difference"]) for row in rows] == [entry["difference"] for entry in entries]
    assert sum(entry["difference"] for entry in entries) == document["gap"]
    assert document["sides"][1]["total"] - document["sides"][0]["total"] == document["gap"]
    for format in ("table", "md", "latex"):
        assert run(*line, "--format", format)[0] == 0


def test_a_number_in_every_format(run, tmp_path):
    line = ["reconcile", "vgg16", "paper", "15300M"]
    document = json.loads(run(*line, "--json")[1])
    assert document["explanations"][0]["way"] == "without the classifier"
    assert sum(part["difference"] for part in document["parts"]) == document["gap"]
    code, _, _ = run(*line, "-o", tmp_path / "gap.csv")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "gap.csv").read_text()))
    assert (code, row["value"], row["explains"]) == (0, "15346630656", "True")


def test_settings_of_the_spec(run):
    out = run("reconcile", "mobilenet", "paper", "317M", "--alpha", "0.75")[1]
    assert "explained by: without the first convolution" in out
    out = run("reconcile", "mobilenet", "paper", "flops", "--rho", "0.714")[1]
    assert "paper: 290,675,200 mult-adds" in out


def test_a_price_list_in_a_file(run, tmp_path):
    (tmp_path / "ours.yaml").write_text("base: paper\nprices: {bias: 3}")
    out = run("reconcile", "mobilenet", "paper", "ours.yaml")[1]
    assert "gap: +3,000" in out


ERRORS = [
    ("mobilenet papr thop", "error: there is no convention `papr`\n  = help: a similar name exists: `paper`\n"),
    (
        "mobilenet 1G 2G",
        "error: one of A and B must be a convention\n  = help: costcalc reconcile SPEC paper 8.2G\n",
    ),
    (
        "mobilenet paper 1.5",
        "error: 1.5 is not a positive integer\n  = help: write it as 8.2G, 317M or 4231976\n",
    ),
    ("mobilenet paper 0", "error: 0 is not a positive integer\n  = help: write it as 8.2G, 317M or 4231976\n"),
    (
        "mobilenet paper 3G --by layer",
        "error: a number has no layers: --by layer is not possible\n  = help: --by layer compares two conventions\n",
    ),
    ("mobilenet paper", "error: missing argument 'B'\n  = help: see `costcalc reconcile --help`\n"),
    (
        "mobilenet paper thop --metric flops",
        "error: invalid value for '--metric': 'flops' is not one of 'cost', 'params', 'training'\n"
        "  = help: see `costcalc reconcile --help`\n",
    ),
]


@pytest.mark.parametrize(("line", "message"), ERRORS)
def test_errors(run, line, message):
    assert run("reconcile", *line.split()) == (2, "", message)


def test_the_largest_layers_and_their_sum(run):
    line = ("reconcile", "mobilenet", "paper", "flops", "--by", "layer")
    every = json.loads(run(*line, "--json").out)["layers"]
    assert len(json.loads(run(*line, "--json", "--top", "3").out)["layers"]) == 3
    out = run(*line, "--top", "3").out
    (foot,) = [text for text in out.splitlines() if text.startswith("sum of these")]
    assert foot.split()[-1] == f"{sum(layer['difference'] for layer in every[:3]):+,}"
    assert f"{len(every) - 3} more layers are not shown (--top 3)" in out


def test_a_number_of_the_other_metric_is_told(run):
    code, out, _ = run("reconcile", "mobilenet", "paper", "4.2M")
    assert code == 1
    assert "but 4,209,088 params match its digits: --metric params" in out
    assert "off by" not in out
    code, out, _ = run("reconcile", "mobilenet", "paper", "569M", "--metric", "params")
    assert (code, "but 568,740,352 mult-adds match its digits: --metric cost" in out) == (1, True)
