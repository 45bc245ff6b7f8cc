"""costcalc selftest: the table of cases, and the detection of a wrong rule."""

import csv
import io
import json

import pytest

from costcalc.ops import INDEX, find
from costcalc.ops.base import TABLE


@pytest.fixture
def wrong(monkeypatch):
    """`linear` with one extra parameter if it has a bias."""
    op = find("linear")

    def rule(x, out, *, bias=True):
        layer = op.rule(x, out, bias=bias)
        return layer._replace(params={**layer.params, "bias": layer.params["bias"] + bias})

    monkeypatch.setitem(TABLE, "linear", op._replace(rule=rule))


def test_all_operations_are_equal(run):
    code, out, err = run("selftest", "--cases", "10", "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert (document["equal"], document["seed"]) == (True, 0)
    assert [row["operation"] for row in document["operations"]] == list(INDEX)
    assert {(row["performed"], row["differ"], row["first"]) for row in document["operations"]} == {(10, 0, None)}


def test_the_table_says_what_was_tried(run):
    code, out, _ = run("selftest", "conv", "relu", "conv", "--cases", "30")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[2:4]] == ["conv", "relu"]
    assert "2 operations: all equal (seed 0)" in out
    assert "counter-example" not in out


@pytest.mark.usefixtures("wrong")
def test_a_wrong_rule_is_shown_with_its_first_counter_example(run):
    code, out, _ = run("selftest", "linear", "relu", "--cases", "20", "--json")
    linear, relu = json.loads(out)["operations"]
    stated, counted = linear["first"]["differences"]["params"].values()
    assert code == 1
    assert 0 < linear["differ"] <= 20 == linear["performed"]
    assert (stated["bias"], stated["weight"]) == (counted["bias"] + 1, counted["weight"])
    assert linear["first"]["options"].get("bias", True) is True
    assert (relu["differ"], relu["first"]) == (0, None)


@pytest.mark.usefixtures("wrong")
@pytest.mark.parametrize("format", ["table", "csv", "md", "latex"])
def test_every_format_says_that_a_rule_is_wrong(run, format):
    code, out, _ = run("selftest", "linear", "relu", "--cases", "20", "--format", format)
    assert code == 1
    if format == "csv":
        linear, relu = csv.DictReader(io.StringIO(out))
        assert "stated" in linear["first"]
        assert relu["first"] == ""
    else:
        assert "1 of 2 operations" in out
        assert "counter-example" in out


def test_the_seed_draws_the_cases(run):
    same = [run("selftest", "attend", "--seed", "5", "--cases", "50", "--json") for _ in range(2)]
    other = run("selftest", "attend", "--seed", "6", "--cases", "50", "--json")
    assert same[0] == same[1]
    assert json.loads(other[1])["operations"] != json.loads(same[0][1])["operations"]


def test_an_operation_that_is_not_there(run):
    code, _, err = run("selftest", "covn")
    assert (code, err) == (2, "error: there is no operation `covn`\n  = help: a similar name exists: `conv`\n")
