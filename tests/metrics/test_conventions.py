"""User price lists, the quantities that can be priced, and the display of conventions."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from costcalc import CostcalcError, analyze, fit, formula, load, sweep
from costcalc.errors import Source
from costcalc.metrics.conventions import COUNTERS, NAMES, find
from costcalc.metrics.metrics import NAMES as METRICS
from costcalc.metrics.price_lists import NUMBERS, TERMS, read
from costcalc.ops import INDEX

DOCS = (Path(__file__).parents[2] / "docs" / "conventions.md").read_text()
OURS = "name: ours\ntitle: our prices\nbase: framework\ncost: flops\nprices: {mac: 2, bias: 1, relu.activate: 1}\n"
RELUS = 5_042_688  # values through the activations of MobileNet V1


@pytest.fixture
def ours(tmp_path):
    """The path of a price list."""
    path = tmp_path / "ours.yaml"
    path.write_text(OURS)
    return str(path)


def test_a_price_list_of_ones_own(ours):
    expected = {"flops": 2 * 568_740_352 + 1000 + RELUS, "params": 4_231_976}
    assert analyze("mobilenet", convention=ours).totals == expected
    assert sweep("mobilenet", convention=ours, metrics=("flops", "params"), alpha=1.0).iloc[0].tolist()[1:] == [
        *expected.values()
    ]
    assert formula("mobilenet", metrics=("flops",), convention=ours)["flops"](alpha=1, res=224) == expected["flops"]
    best = fit("mobilenet", vary={"alpha": [1.0, 0.5]}, limits={"flops": expected["flops"]}, convention=ours)
    assert best.frame()["alpha"].tolist()[0] == 1.0


def test_a_price_list_that_says_what_it_mirrors():
    """The format of the shipped price lists of other programs."""
    text = (
        "name: hooks\ncost: mult_adds\nprices: {mac: {price: 2, mirrors: conv_hook, bug: 1}}\nnotes: [no norms]\n"
        "differences: [{figure: params, of: [resnet18], reason: it has an auxiliary head}]"
    )
    one = read(Source("hooks.yaml", text), find, NAMES)
    assert (one.prices, one.bugs, one.mirrors["prices"]) == ({"mac": 2}, {"mac": 1}, {"mac": "conv_hook"})
    assert one.notes == ("no norms",)
    assert [tuple(found) for found in one.differences] == [("params", ("resnet18",), "it has an auxiliary head")]


def test_a_price_list_without_a_base():
    one = read(Source("dir/mine.yaml", "cost: mult_adds\nprices: {conv.mac: 1}\nnumbers: {weight: 3}"), find, NAMES)
    assert (one.name, one.title, one.source) == ("mine", "the prices of dir/mine.yaml", "dir/mine.yaml")
    costs = analyze("mobilenet", convention=one).by_type()
    assert {line.name: line.cost for line in costs}["fully connected"] == 3 * 1_024_000
    assert one.params == {}


def test_the_price_of_one_operation_goes_before():
    one = read(Source("a.yaml", "base: paper\nprices: {linear.mac: 0}"), find, NAMES)
    assert analyze("mobilenet", convention=one).totals["mult_adds"] == 568_740_352 - 1_024_000


NEEDED = "(write `cost: mult_adds` and `prices: {mac: 1}`, or `base: framework` to start from another convention)"
BAD = [  # text, error
    ("costs: flops", "1:1: unknown key `costs` (a similar name exists: `cost`)"),
    ("base: framwork", "1:7: unknown convention `framwork` (a similar name exists: `framework`)"),
    ("cost: flop", "1:7: unknown cost `flop` (a similar name exists: `flops`)"),
    ("base: paper\nprices: {macc: 2}", "2:10: unknown quantity `macc` (a similar name exists: `mac`)"),
    (
        "base: paper\nprices: {relu.zest: 2}",
        "2:15: unknown quantity `zest` (`costcalc conventions --terms` lists them)",
    ),
    ("base: paper\nprices: {rellu.mac: 2}", "2:10: unknown operation `rellu` (a similar name exists: `relu`)"),
    ("base: paper\nprices: {conv.activate: 1}", "2:10: `conv` states no `activate` (it states `mac`, `bias`)"),
    ("base: paper\nprices: {dropout.mac: 1}", "2:10: `dropout` states no `mac` (it states none)"),
    ("base: paper\nprices: {weight: 1}", "2:10: unknown quantity `weight` (`weight` belongs under `params:`)"),
    (
        "base: paper\nparams: {activate: 1}",
        "2:10: unknown kind of parameter `activate` (`activate` belongs under `prices:`)",
    ),
    (
        "base: paper\nprices: {mac: 1.5}",
        "2:15: expected a price, a whole number up to 1,000,000, found `1.5` (write 0, 1 or 2)",
    ),
    (
        "base: paper\nprices: {mac: 1000001}",
        "2:15: expected a price, a whole number up to 1,000,000, found `1000001` (write 0, 1 or 2)",
    ),
    ("base: paper\nprices: [mac]", "2:9: expected a map of prices, found a list (write {mac: 1, bias: 1})"),
    ("[1]", "1:1: expected a price list, found a list (write `cost: mult_adds` and `prices: {mac: 1}`)"),
    (
        "prices: {mac: 1}",
        f"1:1: a convention needs `cost:` {NEEDED}",
    ),
    (
        "cost: flops\nparams: {weight: 1}",
        f"1:1: a convention needs `prices:` {NEEDED}",
    ),
    ("base: paper\nname: [a]", "2:7: expected a text, found a list"),
    (
        "base: paper\nprices: {mac: {mirrors: hook}}",
        '2:15: a price needs `price:` (write {price: 1, mirrors: "what it mirrors"})',
    ),
    (
        "base: paper\nprices: {mac: {price: 1, mirror: a}}",
        "2:26: unknown key `mirror` (a similar name exists: `mirrors`)",
    ),
    ("base: paper\nnotes: a", "2:8: expected the list of `notes`, found `a`"),
    (
        "base: paper\ndifferences: [{figure: params}]",
        "2:15: expected a difference, found a map (write {figure: params, of: [resnet18], reason: why})",
    ),
    (
        'base: paper\nname: "\\e[2J"',
        "2:7: this text is too long, or has characters that cannot be shown (one line of at most 200 characters)",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_bad_price_lists(text, message):
    with pytest.raises(CostcalcError) as caught:
        read(Source("my.yaml", text), find, NAMES)
    assert str(caught.value) == f"my.yaml:{message}"


def test_conventions_that_are_not_there(run, ours):
    code, _, err = run("analyze", "mobilenet", "-c", "missing.yaml")
    assert (code, err.splitlines()[0]) == (2, "error: there is no file 'missing.yaml'")
    code, _, err = run("sweep", "mobilenet", "--res", "224", "-m", f"{ours}.params")
    assert code == 2
    assert "give a price list in a file to --convention; its metrics are mult_adds, flops and params" in err


# how they are shown


def test_every_convention_in_every_format(run):
    for name in NAMES:
        one = find(name)
        document = json.loads(run("conventions", name, "--json")[1])
        rows = list(csv.DictReader(io.StringIO(run("conventions", name, "--format", "csv")[1])))
        prices = [(row["per"], row["price"]) for row in document["prices"]]
        assert prices == [*one.prices.items(), *one.numbers.items(), *one.params.items(), *one.gradients.items()]
        assert [(row["per"], int(row["price"])) for row in rows if row["kind"] == "price"] == prices
        differences = [(figure, each, why) for figure, of, why in one.differences for each in of]
        shown = [(row["figure"], row["per"], row["what"]) for row in rows if row["kind"] == "difference"]
        assert shown == differences
        text = run("conventions", name)[1]
        for _, of, reason in one.differences:
            assert ", ".join(of) in text
            assert reason in text


def test_the_list_of_conventions(run):
    code, out, _ = run("conventions", "--format", "csv")
    assert code == 0
    assert [row["name"] for row in csv.DictReader(io.StringIO(out))] == [*NAMES]


def test_a_name_and_terms_are_too_much(run):
    code, _, err = run("conventions", "paper", "--terms")
    assert (code, err) == (2, "error: --terms lists everything that can be priced and takes no name\n")


def table_after(heading):
    """The cells of the first table of the documentation after a line."""
    rows = DOCS.partition(heading)[2].split("\n\n")[1].splitlines()[2:]
    return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows]


@pytest.mark.parametrize(
    ("heading", "terms"),
    [("Quantities, for `prices`:", TERMS), ("Kinds of parameter, for `params` and `numbers`:", NUMBERS)],
)
def test_the_documented_terms_are_all(heading, terms, run):
    """`test_loops.py` checks that the rules state exactly these."""
    shown = [
        (f"`{term.name}`", term.what, " ".join(f"`{name}`" for name in term.operations)) for term in terms.values()
    ]
    assert table_after(heading) == shown
    printed = csv.DictReader(io.StringIO(run("conventions", "--terms", "--format", "csv")[1]))
    kind = "quantity" if terms is TERMS else "number"
    rows = [row for row in printed if row["kind"] == kind]
    assert [(row["name"], row["what"], row["operations"]) for row in rows] == [
        (term.name, term.what, " ".join(term.operations)) for term in terms.values()
    ]


def test_terms_are_of_operations():
    assert {name for term in (*TERMS.values(), *NUMBERS.values()) for name in term.operations} <= {*INDEX}


def test_the_documented_price_list_is_one():
    block = re.search(r"```yaml\n(.*?)```", DOCS, re.DOTALL)[1]
    one = read(Source("example.yaml", block), find, NAMES)
    assert analyze("mobilenet", convention=one).totals["params"] == 4_253_864


def test_every_name_is_documented():
    assert [name for name in NAMES if f"`{name}`" not in DOCS] == []


def test_prices_name_what_exists():
    """A typo in a shipped price list would price nothing."""
    for name in NAMES:
        one = find(name)
        keys = [*one.prices, *(key for key in (*one.numbers, *one.params))]
        known = [*([TERMS] * len(one.prices)), *([NUMBERS] * (len(one.numbers) + len(one.params)))]
        for key, terms in zip(keys, known, strict=True):
            operation, dot, term = key.rpartition(".")
            assert term in terms, (name, key)
            assert not dot or operation in terms[term].operations, (name, key)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_and_symbols_are_priced_too(name):
    """Sweeps and formulas equal single analyses, with prices above 1, below 0, and on parameters."""
    one, model = find(name), load("mobilenet")
    metrics = [one.cost, *(["params"] if one.params else [])]
    widths = [1.0, 0.5]
    grid = sweep(model, convention=name, metrics=metrics, alpha=widths)
    totals = [analyze(model, convention=name, alpha=alpha).totals for alpha in widths]
    assert grid[metrics].to_dict("records") == [{metric: total[metric] for metric in metrics} for total in totals]
    form = formula(model, metrics=[one.cost], convention=name)[one.cost]
    assert [form(alpha=alpha, res=224) for alpha in widths] == [total[one.cost] for total in totals]


WORK = """input: [12, 32]
layers:
  - {sparse_conv: 3x3x3, out: 32, pairs: 190}
  - {sparse_conv: 1x1x1, out: 32}
  - {attention: 4, causal: true}
  - {latent_attention: 4, rank: 8, rope: 2, head_size: 6}
  - {moe: 16, experts: 4, active: 2}
  - {attend: [[], [], []], heads: 4}
  - {lstm: 32}
  - {gru: 32}
  - {rnn: 32}
  - {mamba: 4}
  - {conv_transpose: 3, out: 32, stride: 2}
  - {dwconv: 3}
  - {einsum: "tc,sc->ts", of: [[], []]}
  - {logits: 50}
  - {bilinear: [[], []], out: 8}
"""


PARTS = {"mac": {"mac", "mac_on_output"}, "mac_attention": {"mac_attention", "mac_masked"}, "scan": {"scan"}}


@pytest.mark.parametrize("name", NAMES)
def test_layers_with_work_are_counted_or_named(name):
    """Every layer with work has a cost, or the report says that it counts 0."""
    one, found = find(name), analyze(WORK, convention=name)
    assert {row.op.name for row in found.trace.rows} >= {op for op in TERMS["mac"].operations if op not in ELSEWHERE}
    named = {(each["quantity"], each["type"]) for each in found.uncounted}
    for row in found.trace.rows:
        for quantity, parts in PARTS.items():
            alone = row.layer._replace(terms={part: row.layer.terms.get(part, 0) for part in parts})
            silent = alone.terms[quantity] > 0 and one.cost_of(row.op.name, alone) == 0
            assert ((quantity, row.type) in named) == silent, (row.type, quantity)


ELSEWHERE = {"conv", "matmul", "opaque"}  # as the others of their kind


def test_what_counts_0_is_said_in_all_formats(run, tmp_path):
    layers = "{sparse_conv: 3x3, out: 4}, {sparse_conv: 3x3, out: 8}"
    (tmp_path / "net.yaml").write_text(f"input: [9, 8]\nlayers: [{layers}]\n")
    said = "`calflops` counts 0 for mult-adds: 5,184 of sparse conv 3x3 (2, the first is sparse_conv_1)\n"
    assert said in run("analyze", "net.yaml", "-c", "calflops").out
    kind = {"convention": "calflops", "quantity": "mac", "type": "sparse conv 3x3", "layers": 2}
    kind |= {"first": "sparse_conv_1", "amount": 5184}
    assert json.loads(run("analyze", "net.yaml", "-c", "calflops", "--json").out)["uncounted"] == [kind]
    assert "uncounted" not in json.loads(run("analyze", "net.yaml", "--json").out)
    assert f"A: {said}B: {said}" in run("compare", "net.yaml", "net.yaml", "-c", "calflops").out


def test_a_softmax_under_thop():
    softmax = analyze("mobilenet", convention="thop").lines[-1]
    assert (softmax.op, softmax.cost) == ("softmax", 2_999)
    assert "it adds 2,999 to what `thop` gives" in " ".join(DOCS.split())


def test_a_metric_of_a_counter_is_the_one_it_has(run):
    out = run("sweep", "mobilenet", "--res", "224", "-m", "thop.mult_adds,deepspeed.flops", "-f", "json")[1]
    (row,) = json.loads(out)["points"]
    assert [*row.values()][1:] == [588_962_304 + 2_999, 1_152_658_944 + 1000]
    code, _, err = run("sweep", "mobilenet", "--res", "224", "-m", "thop.flops")
    assert (code, err) == (2, "error: `thop` counts no flops\n  = help: write `thop.mult_adds`\n")


def test_a_start_loads_no_price_lists_of_others():
    code = (
        "import sys; from costcalc import analyze; analyze('mobilenet').totals; "
        "print([m for m in sys.modules if m.startswith(('costcalc.metrics.counters', 'costcalc.metrics.price_lists'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
    assert {*COUNTERS} < {*NAMES}


def test_every_metric_is_defined_where_people_look(run):
    """In the docs and in the help of sweep, with the same definition."""
    section = DOCS.partition("## Metrics")[2].partition("\n## ")[0]
    rows = {name for row in re.findall(r"(?m)^\| (`.*?) \|", section) for name in re.findall(r"\w+", row)}
    assert rows == {*METRICS}
    helped = run("sweep", "--help")[1].partition("Metrics, and")[2]
    assert all(f"  {name} " in helped for name in METRICS)
    names = ["params", "weights_bytes", "framework.params", "framework.weights_bytes", "keras.weights_bytes"]
    (row,) = json.loads(run("sweep", "mobilenet", "--res", "224", "-m", ",".join(names), "-f", "json")[1])["points"]
    assert [row[name] for name in names[1:]] == [4 * 4_209_088, 4_231_976, 4 * 4_231_976, 4 * 4_253_864]


@pytest.mark.parametrize("window", [None, 8])
@pytest.mark.parametrize("name", ["flop_counter_meta", "deepspeed", "torchprofile", "onnx_tool", "flash", "paper"])
def test_a_program_that_counts_pairs_outside_a_window_has_a_lower_bound(run, tmp_path, name, window):
    """PyTorch: sdpa_flop_count ignores masks, and counts 2 * 2 * 64 * 64 * 32 FLOPs of pairs."""
    wide = "" if window is None else f", window: {window}"
    (tmp_path / "n.yaml").write_text(f"input: [64, 32]\nlayers: [{{attention: 4{wide}}}]\n")
    report = analyze(tmp_path / "n.yaml", convention=name)
    dense = name in ("flop_counter_meta", "deepspeed", "torchprofile", "onnx_tool")
    assert report.complete is not (dense and window is not None)
    if name == "flop_counter_meta":
        due = 2 * (4 * 64 * 32 * 32 + 2 * 64 * 64 * 32)
        assert report.totals["flops"] == due if window is None else report.totals["flops"] < due
    metric = next(iter(report.totals))
    code = run("check", "n.yaml", "-c", name, "--max", f"{metric}=1G").code
    assert code == (2 if dense and window is not None else 0)
