"""What is not known of a cost is said by every command: no total looks exact that is a lower bound."""

import csv
import io
import json

import pytest

from costcalc import sweep

NET = """vars: {alpha: 1.0, sorted: true}
input: [8, 8, 3]
layers:
  - {conv: 3x3, out: floor(alpha * 8)}
  - {opaque: a sort, when: sorted}
"""
LINES = [  # command line, what says that its numbers are lower bounds
    ("analyze net.yaml", "lower bounds (>=): the cost of opaque: a sort (opaque) is not known"),
    ("analyze net.yaml", ">= 13,824"),
    ("analyze net.yaml --format md", ">= 13,824"),
    ("analyze net.yaml --format latex", "13,824"),
    ("sweep net.yaml --alpha 0.5,1", "lower bounds (>=) where `complete` is false"),
    ("sweep net.yaml --vary alpha=0.5,1 --vary sorted=true,false --pivot", "lower bounds (>=)"),
    ("fit net.yaml --vary alpha=0.25:1:0.25 --max params=200", "lower bounds (>=) where `complete` is false"),
    ("formula net.yaml", "mult_adds >= 13824*alpha"),
    ("formula net.yaml", "lower bounds (>=): the cost of a layer is not known"),
    ("formula net.yaml --format latex", r"\text{mult\_adds} \geq"),
    ("formula net.yaml --format python", "lower bounds (>=)"),
    ("compare net.yaml --at alpha=0.5 --at alpha=1", "lower bounds (>=)"),
    ("diff net.yaml other.yaml", "not known"),
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
