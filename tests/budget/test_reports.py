"""Reports for review tools from hand-made checks: each finding at its place, valid in its format."""

import json
import re
from xml.etree import ElementTree

import pytest

from costcalc import __version__
from costcalc.budget import markdown as marked
from costcalc.budget import reviews
from costcalc.budget.junit import junit
from costcalc.budget.markdown import markdown
from costcalc.budget.page import counts
from costcalc.budget.reviews import findings, github, gitlab, in_repository, sarif
from costcalc.budget.verdict import Checked
from costcalc.errors import Place, Problem, Source
from tests.budget.made import everything, outcome, verdict

NET, TITLED = "models/net.yaml", "models/net.yaml alpha=0.75 deep=True"


@pytest.fixture
def checked(tmp_path, monkeypatch):
    """A finished run with all files present but one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for name in ("costcalc.yaml", *(f"models/{one}.yaml" for one in ("net", "small", "grown", "new"))):
        (tmp_path / name).write_text("")
    return everything()


LOOSE = [
    "limit raised: max mult_adds 150M -> 160M, of models/net.yaml",
    "limit removed: max fc* params 3, of a, b",
    "limit removed: min mult_adds 1, of c.yaml",
    "exception from a limit: vs_base mult_adds +5% except, of models/net.yaml",
]
HEADS = [
    "mult-adds 181.5M is 11.5M (6.8 %) over the limit 170M",
    "mult-adds of fc 25% is 15% over the limit 10%",
    "params 90 is 10 (10.0 %) under the limit 100",
    "params 100 -> 110, +10.0 %: more than +5%, which allows 105",
]
ODD = "models/odd\\x1b.yaml"
FINDINGS = [  # level, code, message, path, line and column
    ("warning", "limit-raised", LOOSE[0], "costcalc.yaml", (3, 21)),
    ("warning", "limit-removed", LOOSE[1], "costcalc.yaml", None),
    ("warning", "limit-removed", LOOSE[2], None, None),
    ("warning", "limit-exception", LOOSE[3], "costcalc.yaml", (3, 21)),
    ("error", "over-limit", f"{TITLED}: {HEADS[0]}", NET, (3, 5)),
    ("warning", "already-over", f"{TITLED}: {HEADS[1]}", "costcalc.yaml", (4, 7)),
    ("warning", "over-limit", f"models/small.yaml: {HEADS[2]}", "models/small.yaml", None),
    ("error", "not-judged", f"{ODD}: no layer is called `x` (the names are others)", "costcalc.yaml", (5, 3)),
    ("error", "not-judged", f"{ODD}: it takes too long", None, None),
    ("error", "grew", f"models/grown.yaml: {HEADS[3]}", "models/grown.yaml", None),
]


def test_each_problem_is_a_finding_at_its_line_or_its_file(checked):
    found = [*findings(checked)]
    said = [(one.level, one.code, one.message, one.path, one.place and one.place[1:3]) for one in found]
    assert said == FINDINGS
    assert [one.loosened for one in found[:4]] == list(checked.loosened)
    assert [one.verdict for one in found[4:7]] == [
        *checked.outcomes[0].verdicts,
        checked.outcomes[1].verdicts[0],
    ]
    assert [one.level for one in findings(checked._replace(locked=True))][:4] == ["error"] * 4


def test_paths_are_those_of_the_repository(checked, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path / "models")
    away = [one._replace(spec=one.spec.removeprefix("models/")) for one in checked.outcomes]
    found = [*findings(checked._replace(outcomes=away, loosened=(), root=".."))]
    assert (found[2].path, found[2].outcome.spec) == ("models/small.yaml", "models/small.yaml")
    assert in_repository("net.yaml", "..") == NET
    assert in_repository("net.yaml", ".") == "net.yaml"
    assert in_repository("../costcalc.yaml", ".") is None  # outside
    assert in_repository("none.yaml", "..") is None  # not there
    assert in_repository("../models", "..") is None  # no file


def test_a_fingerprint_has_what_is_limited_and_no_number(checked):
    marks = [one.fingerprint for one in findings(checked)]
    assert len(set(marks)) == len(marks)
    assert {len(one) for one in marks} == {64}
    first, second, *rest = checked.outcomes
    more = [each._replace(now=each.now + 1, base=7) for each in first.verdicts]
    others = [
        first._replace(verdicts=tuple(more)),
        second,
        *rest,
    ]
    again = [one.fingerprint for one in findings(checked._replace(outcomes=others))]
    assert again == marks
    for other in (
        first._replace(check=first.check._replace(level="warn")),
        first._replace(check=first.check._replace(spec="*.yaml")),
        first._replace(check=first.check._replace(convention=first.check.convention._replace(name="ours"))),
        first._replace(settings={}),
    ):
        found = [one.fingerprint for one in findings(checked._replace(outcomes=[other, second, *rest]))]
        assert [one == before for one, before in zip(found, marks, strict=True)] == [True] * 4 + [False] * 2 + [
            True
        ] * 4
    for name, value in (("kind", "min"), ("metric", "flops"), ("where", "x")):
        limit = first.verdicts[1].limit._replace(**{name: value})
        other = first._replace(verdicts=(first.verdicts[0], first.verdicts[1]._replace(limit=limit)))
        found = [one.fingerprint for one in findings(checked._replace(outcomes=[other, second, *rest]))]
        assert [at for at in range(10) if found[at] != marks[at]] == [5]
        loose = checked.loosened[0]._replace(limit=checked.loosened[0].limit._replace(**{name: value}))
        found = [one.fingerprint for one in findings(checked._replace(loosened=(loose, *checked.loosened[1:])))]
        assert [at for at in range(10) if found[at] != marks[at]] == [0]
    loose = checked.loosened[1]
    for specs, is_same in ((("a", "c"), True), (("b", "a"), False)):
        changed = (checked.loosened[0], loose._replace(specs=specs), *checked.loosened[2:])
        assert ([*findings(checked._replace(loosened=changed))][1].fingerprint == marks[1]) == is_same


def test_workflow_commands(checked):
    lines = github(checked).splitlines()
    assert lines[:3] == [
        f"::warning file=costcalc.yaml,line=3,col=21,title=costcalc limit-raised::{LOOSE[0]}",
        f"::warning file=costcalc.yaml,title=costcalc limit-removed::{LOOSE[1]}",
        f"::warning title=costcalc limit-removed::{LOOSE[2]}",
    ]
    notes = "from: models/net.yaml:3:5  fc changed  +20,000,000; why: the tile; help: reduce it, or raise the limit: "
    assert lines[4] == (
        f"::error file={NET},line=3,col=5,title=costcalc over-limit::{TITLED}: {HEADS[0].replace('%', '%25')} "
        f"(base: 160M at main (0123456); this change adds 21.5M; {notes}costcalc check {NET} --update)"
    )
    assert lines[8] == f"::error title=costcalc not-judged::{ODD}: it takes too long"
    assert [one.split(" ")[0] for one in lines[:10]] == [f"::{level}" for level, *_ in FINDINGS]
    assert lines[10].startswith("3 limits raised or removed, 1 exception, 2 failed, 2 not judged, ")
    assert lines[11].startswith(
        "costcalc.yaml:9: stale exception: mult_adds of models/net.yaml a=1: the base has 3,000"
    )
    assert lines[12:] == ["base: main (0123456)"]
    assert github(checked).endswith("\n")


def test_of_each_level_so_many_are_annotations_as_are_shown(checked, monkeypatch):
    assert reviews.ANNOTATIONS == 10
    monkeypatch.setattr(reviews, "ANNOTATIONS", 4)
    lines = github(checked).splitlines()
    assert [one.split(" ")[0] for one in lines[:8]] == ["::warning"] * 4 + ["::error"] * 4
    assert lines[8] == "2 more are not shown as annotations"
    monkeypatch.setattr(reviews, "ANNOTATIONS", 6)
    assert "more are not shown" not in github(checked)


HOSTILE = "a\n::error::b%c,d:e##[x]\r"


def test_no_name_is_a_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b:c.yaml").write_text("")
    bad = outcome("a,b:c.yaml", problems=(Problem("x", HOSTILE, Place(Source("a,b:c.yaml", ""), 1, 1)),))
    lines = github(Checked([bad], f"base: {HOSTILE}")).splitlines()
    assert lines[0] == (
        "::error file=a%2Cb%3Ac.yaml,line=1,col=1,title=costcalc not-judged::"
        "a,b:c.yaml: a\\n::error::b%25c,d:e# #[x]\\r"
    )
    assert lines[-1] == "base: a\\n: :error: :b%c,d:e# #[x]\\r"
    assert reviews._data("a%b\rc\nd##[e") == "a%25b%0Dc%0Ad# #[e"
    (result,) = json.loads(sarif(Checked([bad], "")))["runs"][0]["results"]
    assert "##\\[x\\]" in result["message"]["text"]
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"] == {"uri": "a%2Cb%3Ac.yaml"}


def test_code_quality_issues(checked):
    issues = json.loads(gitlab(checked))
    marks = [one.fingerprint for one in findings(checked)]
    severity = {"error": "major", "warning": "minor"}
    paths = [path or {2: "costcalc.yaml", 8: ODD}[at] for at, (*_, path, _) in enumerate(FINDINGS)]
    assert issues == [
        {
            "description": message,
            "check_name": f"costcalc-{code}",
            "fingerprint": mark,
            "severity": severity[level],
            "location": {"path": path, "lines": {"begin": spot[0] if spot else 1}},
        }
        for (level, code, message, _, spot), mark, path in zip(FINDINGS, marks, paths, strict=True)
    ]
    assert gitlab(checked).startswith('[\n {\n  "description"')
    assert gitlab(checked).endswith("]\n")


def test_sarif(checked, monkeypatch):
    log = json.loads(sarif(checked))
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert [*log, *run, *driver] == ["$schema", "version", "runs", "tool", "results", "name", "version", "rules"]
    assert (driver["name"], driver["version"]) == ("costcalc", __version__)
    assert {one["id"]: one["shortDescription"]["text"] for one in driver["rules"]} == reviews.RULES
    assert {one for _, one, *_ in FINDINGS} <= set(reviews.RULES)
    marks = [one.fingerprint for one in findings(checked)]
    for result, (level, code, message, path, spot), mark in zip(run["results"], FINDINGS, marks, strict=True):
        region = {"startLine": spot[0], "startColumn": spot[1]} if spot else {"startLine": 1}
        place = {"artifactLocation": {"uri": path}, "region": region}
        assert result == {
            "ruleId": code,
            "level": level,
            "message": {"text": message.replace("\\", "\\\\")},
            "partialFingerprints": {"costcalc/v1": mark},
            **({"locations": [{"physicalLocation": place}]} if path else {}),
        }
    assert sarif(checked).startswith('{\n "$schema"')
    assert reviews.RESULTS == 5_000
    monkeypatch.setattr(reviews, "RESULTS", 3)
    assert json.loads(sarif(checked))["runs"][0]["results"] == run["results"][:3]


CASES = [  # class, name, contents: (tag, attributes, text)
    (NET, "max mult_adds as at the base", ("system-out", {}, f"warning: {LOOSE[0]}")),
    ("a", "max params fc* as at the base", ("system-out", {}, f"warning: {LOOSE[1]}")),
    ("c.yaml", "min mult_adds as at the base", ("system-out", {}, f"warning: {LOOSE[2]}")),
    (NET, "vs_base mult_adds as at the base", ("system-out", {}, f"warning: {LOOSE[3]}")),
    (TITLED, "max mult_adds 170M", ("failure", {"message": HEADS[0], "type": "over-limit"}, "base: 160M at ")),
    (TITLED, "max mult_adds any_layer 10%", ("system-out", {}, f"warning: {HEADS[1]}")),
    ("models/small.yaml", "min params 100", ("system-out", {}, f"warning: {HEADS[2]}")),
    ("models/small.yaml", "max mult_adds 9", None),
    (
        ODD,
        *("unknown-layer", ("error", {"message": "no layer is called `x`", "type": "unknown-layer"}, "the names are")),
    ),
    (ODD, "limit", ("error", {"message": "it takes too long", "type": "limit"}, "")),
    (
        "models/grown.yaml",
        "vs_base params +5%",
        ("failure", {"message": HEADS[3], "type": "grew"}, "base: main (0123456)"),
    ),
    ("models/grown.yaml", "vs_base activations +5%", None),
    (
        "models/new.yaml",
        *("vs_base mult_adds +0", ("skipped", {"message": "mult-adds: new: there is nothing to compare with"}, "")),
    ),
]


def test_a_test_report_has_a_case_for_each_limit(checked):
    text = junit(checked)
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n  <testsuite name="costcalc" ')
    assert text.endswith("</testsuites>\n")
    (suite,) = ElementTree.fromstring(text)
    assert suite.tag == "testsuite"
    assert suite.attrib == {"name": "costcalc", "tests": "13", "failures": "2", "errors": "2", "skipped": "1"}
    assert [one.tag for one in suite] == ["testcase"] * 13
    for case, (owner, name, inner) in zip(suite, CASES, strict=True):
        assert case.attrib == {"classname": owner, "name": name}
        assert [(one.tag, one.attrib) for one in case] == ([inner[:2]] if inner else [])
        assert not inner or (case[0].text or "").startswith(inner[2])
    assert suite[4][0].text.split("; ")[-2:] == [
        "why: the tile",
        f"help: reduce it, or raise the limit: costcalc check {NET} --update",
    ]
    (suite,) = ElementTree.fromstring(junit(checked._replace(locked=True)))
    assert suite.attrib["failures"] == "6"
    assert [(one[0].tag, one[0].attrib["type"]) for one in suite[:4]] == [
        ("failure", code) for _, code, *_ in FINDINGS[:4]
    ]
    assert suite[0][0].attrib["message"] == LOOSE[0]


def test_xml_has_no_character_that_it_cannot_hold():
    bad = outcome("a\x00b.yaml", verdict(1, status="pass"), problems=(Problem("x", "\x1b<&"),))
    (suite,) = ElementTree.fromstring(junit(Checked([bad], "")))
    assert (suite[0].attrib["classname"], suite[0][0].attrib["message"]) == ("a\\x00b.yaml", "\\x1b<&")


CUT = re.compile(r"\d more|listed below|not shown|cut here")


def block(kind, code, message, place, notes):
    return [f"{kind}[{code}] {message}"]


def test_markdown_says_how_it_went_then_all_limits_then_what_failed(checked):
    text = markdown(checked, block)
    parts = text.split("\n\n")
    assert parts[0].startswith("**costcalc: 3 limits raised or removed, 1 exception, 2 failed, 2 not judged, ")
    assert [one.strip("*").replace("\\", "") for one in parts[1:5]] == LOOSE
    assert parts[5].count("\n") == sum(counts(checked.outcomes).values()) + 1
    fenced = text[text.index("```text\n") :]
    assert fenced.startswith(f"```text\nwarning[limit-raised] {LOOSE[0]}\n")
    assert fenced.endswith(f"\nerror[grew] {HEADS[3]}\n```\n")
    assert not CUT.search(text)
    good = Checked([outcome(NET, verdict(1, status="pass"))], "")
    assert "```" not in markdown(good, block)


def test_markdown_is_cut_where_a_comment_would_be_too_long(checked, monkeypatch):
    assert (marked.LARGEST, marked.ROWS, marked.LIMITS) == (60_000, 200, 20)
    whole = markdown(checked, block)
    text, _, body = whole.partition("\n```text\n")
    length = len(text) + len(body.removesuffix("\n```\n"))
    monkeypatch.setattr(marked, "LARGEST", length)
    assert markdown(checked, block) == whole
    monkeypatch.setattr(marked, "LARGEST", length - 1)
    cut = body.removesuffix("\n```\n")[:-1]
    assert markdown(checked, block) == f"{text}\n```text\n{cut}\n.. (cut here: it is too long for a comment)\n```\n"
    monkeypatch.setattr(marked, "LARGEST", 5)
    assert markdown(checked, block).endswith("\n```text\n\n.. (cut here: it is too long for a comment)\n```\n")


def test_markdown_has_so_many_rows_and_limits_as_can_be_read(checked, monkeypatch):
    monkeypatch.setattr(marked, "LIMITS", 3)
    monkeypatch.setattr(marked, "ROWS", 2)
    text = markdown(checked, block).partition("\n```text\n")[0]
    assert "1 more, listed below" in text
    assert LOOSE[3].replace("_", "\\_") not in text
    assert text.count("| ERROR |") == 2
    assert "| FAIL |" not in text
    assert "7 more rows are not shown" in text
    assert "more totals" not in text
    monkeypatch.setattr(marked, "ROWS", 1)
    assert "1 more totals are not shown" in markdown(checked, block)
    monkeypatch.setattr(marked, "LIMITS", 4)
    monkeypatch.setattr(marked, "ROWS", 9)
    assert not CUT.search(markdown(checked, block))


def test_a_fence_is_longer_than_any_in_it(checked):
    bad = outcome("x.yaml", problems=(Problem("x", "a ```` b"),))
    text = markdown(Checked([bad], ""), block)
    assert "\n`````text\n" in text
    assert text.endswith("\n`````\n")
