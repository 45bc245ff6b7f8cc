"""Every command reports unknown costs: no lower bound looks like an exact total."""

import csv
import io
import json
import re
import shlex

import pytest

from costcalc import analyze, explain, fit, formula, plot, survey, sweep, training
from costcalc.cli.commands import COMMANDS
from costcalc.read.loading import load

NET = """vars: {alpha: 1.0, sorted: true}
input: [8, 8, 3]
layers:
  - {conv: 3x3, out: floor(alpha * 8)}
  - {opaque: a sort, when: sorted}
"""
LINES = [  # command line, the text that marks its numbers as lower bounds
    ("analyze net.yaml", "lower bounds (>=): the cost of opaque: a sort (opaque) is unknown"),
    ("analyze net.yaml", ">= 13,824"),
    ("analyze net.yaml --format md", ">= 13,824"),
    ("analyze net.yaml --format latex", "13,824"),
    ("sweep net.yaml --alpha 0.5,1", "lower bounds (>=) where `complete` is false"),
    ("sweep net.yaml --vary alpha=0.5,1 --vary sorted=true,false --pivot", "lower bounds (>=)"),
    ("fit net.yaml --vary alpha=0.25:1:0.25 --max params=200", "lower bounds (>=) where `complete` is false"),
    ("formula net.yaml", "mult_adds >= 13824*alpha"),
    ("formula net.yaml", "lower bounds (>=): the cost of a layer is unknown"),
    ("formula net.yaml --format latex", r"\text{mult\_adds} \geq"),
    ("formula net.yaml --format python", "lower bounds (>=)"),
    ("compare net.yaml --at alpha=0.5 --at alpha=1", "lower bounds (>=)"),
    ("diff net.yaml other.yaml", "unknown"),
    ("reproduce net.yaml", ">= 216"),
    ("check net.yaml --max params=300", "cannot be judged"),
]


@pytest.fixture
def net(tmp_path):
    """A spec with a layer of unknown cost, and one without."""
    published = "published:\n  - {source: 'A paper, Table 1', rows: [{params: 216}]}\n"
    (tmp_path / "net.yaml").write_text(NET + published)
    (tmp_path / "other.yaml").write_text(NET.replace("sorted: true", "sorted: false"))


@pytest.mark.usefixtures("net")
@pytest.mark.parametrize(("line", "said"), LINES)
def test_lower_bounds_are_called_so(run, line, said):
    _, out, _ = run(*line.split())
    assert said in out


@pytest.mark.usefixtures("net")
@pytest.mark.parametrize("line", dict(LINES))
def test_exact_totals_are_not(run, line):
    _, out, _ = run(*line.replace("net.yaml", "other.yaml").replace(",false", "").replace("=true", "=false").split())
    assert "lower bound" not in out
    assert ">=" not in out


@pytest.mark.usefixtures("net")
def test_programs_are_told(run):
    assert json.loads(run("analyze", "net.yaml", "--json")[1])["complete"] is False
    assert json.loads(run("analyze", "other.yaml", "--json")[1])["complete"] is True
    assert json.loads(run("reproduce", "net.yaml", "--json")[1])["figures"][0]["complete"] is False
    line = ("sweep", "net.yaml", "--vary", "sorted=true,false", "--format")
    assert [row["complete"] for row in json.loads(run(*line, "json")[1])["points"]] == [False, True]
    assert [row["complete"] for row in csv.DictReader(io.StringIO(run(*line, "csv")[1]))] == ["False", "True"]
    assert "complete" not in run("sweep", "other.yaml", "--alpha", "1,0.5", "--format", "json")[1]
    assert sweep("net.yaml", sorted=[True, False]).complete.tolist() == [False, True]
    assert list(sweep("net.yaml", sorted=[False])) == ["sorted", "mult_adds", "params"]


HEAD = "vars: {d: {default: 8, choices: [8, 16]}}\ninput: [12, 16]\nlayers:\n  - {linear: d}\n"
KINDS = {  # what a total leaves out: (layer, convention, metric)
    "unknown": ("{opaque: a sort}", "paper", "mult_adds"),
    "windowed": ("{attention: 4, window: 5, causal: true}", "deepspeed", "flops"),
    "uncounted": ("{gru: 8}", "fvcore", "mult_adds"),
}
TOTALS = {  # the commands that show totals of networks
    "analyze": "analyze net.yaml -c {convention}",
    "explain": "explain net.yaml -c {convention}",
    "training": "training net.yaml -c {convention}",
    "formula": "formula net.yaml -c {convention} --metrics {metric}",
    "sweep": "sweep net.yaml --vary d=8,16 -c {convention} --metrics {metric}",
    "fit": "fit net.yaml --vary d --max {metric}=1G -c {convention} --metrics {metric}",
    "space": "space net.yaml -m {metric} -c {convention}",
    "search": "search net.yaml --maximize builtins:len --max {metric}=1G -c {convention}",
    "survey": "survey . -c {convention} --metrics {metric}",
    "compare": "compare net.yaml --at d=8 --at d=16 --at d=8 -c {convention}",
    "diff": "diff net.yaml other.yaml -c {convention}",
    "check": "check net.yaml --max {metric}=1G -c {convention}",
    "page": "page net.yaml -c {convention}",
}
APART = {  # the commands that show none, or whose own tests say so
    *("devices", "conventions", "selftest", "import", "export", "ops", "schema", "validate", "help", "limits"),
    *("completion", "serve", "plot", "memory", "bench", "zoo", "reconcile", "reproduce"),
}
SAID = {"unknown": r">=|unknown|cannot be judged", "uncounted": "counts 0 for"}
IN_JSON = {"unknown": r'"complete": ?false|"incomplete"|"unknown"', "uncounted": '"uncounted": '}


def test_every_command_is_held_to_it():
    assert TOTALS.keys() | APART == {*COMMANDS}
    assert not TOTALS.keys() & APART


@pytest.fixture(params=KINDS)
def kind(request, tmp_path):
    """A kind of gap, and the networks that have it in the working directory."""
    layer = KINDS[request.param][0]
    (tmp_path / "net.yaml").write_text(f"{HEAD}  - {layer}\n")
    (tmp_path / "other.yaml").write_text(f"{HEAD}  - {layer}\n  - {layer}\n")
    return request.param


def line_of(command, kind):
    """The words of a command line about the networks of a kind."""
    _, convention, metric = KINDS[kind]
    return shlex.split(TOTALS[command].format(convention=convention, metric=metric))


@pytest.mark.parametrize("command", TOTALS)
def test_a_total_says_what_it_leaves_out(run, command, kind):
    result = run(*line_of(command, kind))
    assert re.search(SAID.get(kind, SAID["unknown"]), result.out + result.err), result


@pytest.mark.parametrize("command", sorted(TOTALS.keys() - {"explain", "formula", "page"}))  # these have no --json
def test_a_total_says_it_to_programs(run, command, kind):
    result = run(*line_of(command, kind), "--json")
    assert re.search(IN_JSON.get(kind, IN_JSON["unknown"]), result.out + result.err), result


@pytest.mark.parametrize("command", ["compare", "diff", "fit", "survey", "sweep", "training"])
def test_lower_bounds_are_marked_in_csv(run, command, kind):
    result = run(*line_of(command, kind), "--format", "csv")
    head, *_ = rows = list(csv.DictReader(io.StringIO(result.out)))
    marks = [row[name] for row in rows for name in head if name.startswith("complete")]
    assert ("False" in marks) == (kind != "uncounted")


def test_the_library_says_it(monkeypatch, tmp_path, kind):
    monkeypatch.chdir(tmp_path)
    _, convention, metric = KINDS[kind]
    how = {"convention": convention}
    several = fit("net.yaml", vary={"d": [8, 16]}, limits={metric: "1G"}, **how)
    forms = formula("net.yaml", metrics=metric, **how)
    picture = plot("net.yaml", x=metric, y="params", d=[8, 16], **how)
    if kind == "uncounted":
        found = analyze("net.yaml", **how), training("net.yaml", **how), forms[metric], *survey(".", **how).rows
        assert all(one.uncounted for one in found)
        assert several.said.head["uncounted"]
        assert sweep("net.yaml", d=[8, 16], metrics=metric, **how).attrs["uncounted"] == several.said.head["uncounted"]
        assert sweep("net.yaml", d=[8, 16], metrics="params", **how).attrs == {}
        assert all("counts 0 for" in repr(one) for one in (explain("net.yaml", **how), forms, picture))
    else:
        assert not analyze("net.yaml", **how).complete
        assert not training("net.yaml", **how).complete
        assert not forms.complete
        assert not several.frame()["complete"].any()
        assert not any(row.complete for row in survey(".", **how).rows)
        assert not sweep("net.yaml", d=[8, 16], metrics=metric, **how)["complete"].any()
        assert "unknown" in repr(explain("net.yaml", **how))
        assert "lower bounds" in repr(picture)


def test_a_reconciled_total_is_a_lower_bound_where_one_side_is(run, tmp_path):
    (tmp_path / "net.yaml").write_text(f"{HEAD}  - {KINDS['windowed'][0]}\n")
    for sides in (("flops", "deepspeed"), ("deepspeed", "flops")):
        assert "lower bounds" in run("reconcile", "net.yaml", *sides).out
    assert "lower bounds" not in run("reconcile", "net.yaml", "flops", "framework").out
    printed = analyze(tmp_path / "net.yaml", convention="deepspeed").totals["flops"]
    assert "nothing explains it" in run("reconcile", "net.yaml", "deepspeed", str(printed)).out


def test_a_lower_bound_reproduces_no_figure(run, tmp_path):
    printed = analyze(load_with(tmp_path, ""), convention="deepspeed").totals["flops"]
    rows = f"published:\n  - {{source: 'Table 1', convention: deepspeed, rows: [{{flops: {printed}}}]}}\n"
    load_with(tmp_path, rows)
    assert f">= {printed:,}" in run("reproduce", "net.yaml").out


def load_with(tmp_path, rows):
    """The network with a window, and published figures."""
    (tmp_path / "net.yaml").write_text(f"{HEAD}  - {KINDS['windowed'][0]}\n{rows}")
    return load(tmp_path / "net.yaml")


STRICT = {  # a line that notes something, and how it ends with --strict
    "analyze": ("analyze net.yaml", 2),
    "survey": ("survey .", 1),
    "check": ("check", 1),
}


@pytest.mark.usefixtures("net")
@pytest.mark.parametrize("command", STRICT)
def test_strict_fails_on_what_is_otherwise_noted(run, tmp_path, command):
    (tmp_path / "costcalc.yaml").write_text("checks: [{spec: other.yaml, level: warn, max: {params: 1}}]\n")
    line, code = STRICT[command]
    assert [run(*line.split()).code, run(*line.split(), "--strict").code] == [0, code]
    help = " ".join(run(command, "--help").out.split())
    assert "--strict Fail on what is otherwise a " in help


def test_strict_means_one_thing(run):
    having = {name for name in COMMANDS if re.search(r"--strict\s", run(name, "--help").out)}
    assert having == STRICT.keys()


OTHER = ["sweep", "fit", "formula", "survey", "check"]  # their metrics are not those of the convention


@pytest.mark.parametrize("command", OTHER)
def test_a_metric_of_another_convention_is_called_so(run, command, tmp_path):
    """`deepspeed` counts FLOPs: `mult_adds` is then the figure of `paper`."""
    (tmp_path / "net.yaml").write_text(f"{HEAD}  - {{linear: 3}}\n")
    for metric, said in (("mult_adds", True), ("flops", False), ("paper.mult_adds", False)):
        line = TOTALS[command].format(convention="deepspeed", metric=metric)
        out = run(*line.split()).out
        assert "convention deepspeed: " in out
        assert ("mult_adds by paper" in out) == (said or command == "fit")  # which always shows `mult_adds`
