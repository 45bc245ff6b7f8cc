"""`costcalc check --metrics`: totals next to the limits, now and at the base, in every format. Counted by hand."""

import csv
import io
import json
import re

import pytest

from costcalc import check
from costcalc.errors import OptionError

NET = (
    "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"  # 1000 mult-adds and 40 bytes of weights for each output
)
UNKNOWN = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: 2}\n  - {opaque: a sort}\n"
LIMITS = "checks:\n  - {spec: '*.yaml', max: {mult_adds: 1M}}\n"
ASKED = ("--metrics", "mult_adds,weights_bytes")


@pytest.fixture
def edited(repository, run):
    """A net with 10 outputs at the base and 11 now, and a new net."""
    repository.commit(costcalc=LIMITS, net=NET % 10)
    repository.git("switch", "-q", "-c", "change")
    repository.write(net=NET % 11, new=NET % 1)
    return run


def test_json_has_now_and_base(edited):
    code, out, _ = edited("check", "--json", *ASKED)
    shown = {one["spec"]: one["metrics"] for one in json.loads(out)["checks"]}
    known = {"complete": True, "base_complete": True}
    new = {"base": None, "complete": True, "base_complete": None}
    assert code == 0
    assert shown["net.yaml"] == {
        "mult_adds": {"now": 11_000, "base": 10_000, **known},
        "weights_bytes": {"now": 440, "base": 400, **known},
    }
    assert shown["new.yaml"] == {"mult_adds": {"now": 1000, **new}, "weights_bytes": {"now": 40, **new}}


def test_without_metrics_nothing_changes(edited):
    assert all("metrics" not in one for one in json.loads(edited("check", "--json").out)["checks"])
    assert "weights_bytes" not in edited("check").out


@pytest.mark.parametrize("format", ["table", "md", "latex"])
def test_tables_have_a_row_a_metric(edited, format):
    text = edited("check", *ASKED, "--format", format).out.replace("\\_", "_")
    rows = [re.sub(r"[|&\\]", " ", line).split() for line in text.splitlines()]
    assert [row[3:6] for row in rows if row[:3] == ["net.yaml", "paper", "weights_bytes"]] == [
        ["400B", "440B", "+10.0"]
    ]
    assert [row[3:6] for row in rows if row[:3] == ["new.yaml", "paper", "mult_adds"]] == [["-", "1k", "-"]]


def test_csv_has_a_row_a_metric(edited):
    rows = [*csv.DictReader(io.StringIO(edited("check", *ASKED, "--format", "csv").out))]
    shown = [(row["spec"], row["metric"], row["now"], row["base"]) for row in rows if row["kind"] == "metric"]
    assert ("net.yaml", "weights_bytes", "440", "400") in shown
    assert ("new.yaml", "mult_adds", "1000", "") in shown
    assert {row["status"] for row in rows if row["kind"] == "metric"} == {"shown"}


def test_what_is_not_known_is_a_lower_bound(repository, run):
    repository.commit(net=UNKNOWN)
    asked = ("check", "net.yaml", "--max", "activations=1G", "--metrics", "mult_adds")
    (found,) = json.loads(run(*asked, "--json").out)["checks"]
    assert (found["metrics"]["mult_adds"]["now"], found["metrics"]["mult_adds"]["complete"]) == (2000, False)
    assert ">= 2k" in run(*asked).out
    assert "lower bound" in run(*asked, "--format", "csv").out


def test_the_library_has_them_too(edited, monkeypatch):
    found = {outcome.spec: outcome.shown for outcome in check(metrics=["params", "framework.params", "params"])}
    assert [(one.metric, one.now, one.base) for one in found["net.yaml"]] == [
        ("params", 110, 100),
        ("framework.params", 121, 110),
    ]
    with pytest.raises(OptionError, match="no metric `macs`"):
        check(metrics=["macs"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--metrics", "macs"], "no metric `macs`"),
        ([*ASKED, "--update"], "`--metrics` cannot be used"),
        ([*ASKED, "--tighten"], "`--metrics` cannot be used"),
        ([*ASKED, "--format", "sarif"], "`--metrics` is not shown in sarif"),
        ([*ASKED, "-o", "report.xml"], "`--metrics` is not shown in junit"),
    ],
)
def test_refused_where_nothing_shows_them(edited, more, message):
    code, out, err = edited("check", *more)
    assert (code, out) == (2, "")
    assert message in err


def test_bytes_of_tensors_say_how_they_are_stored(edited):
    assert "tensors stored" in edited("check", "--metrics", "peak_bytes").out
    assert "tensors stored" not in edited("check", "--metrics", "params").out


def test_rows_that_are_cut_are_said(repository, run):
    repository.commit(net=NET % 1)
    repository.write(
        costcalc="checks:\n" + "".join(f"  - {{spec: n{at}.yaml, max: {{params: 1M}}}}\n" for at in range(201))
    )
    repository.write(**{f"n{at}": NET % 1 for at in range(201)})
    assert "1 more totals are not shown" in run("check", "--metrics", "params", "--format", "md").out
