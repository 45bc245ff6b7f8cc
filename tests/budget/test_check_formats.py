"""The formats of `costcalc check` against their schemas, and names that try to inject markup."""

import csv
import io
import json
import os
import re
import shlex
import sys
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest

from costcalc.cli.check import FORMATS

DATA = Path(__file__).parents[1] / "data"
NET = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"
CHECKS = """\
checks:
  - spec: models/net.yaml
    max: {mult_adds: 10k, params: 1k, any_layer.mult_adds: 100%}
    vs_base: {mult_adds: +0}
    why: the tile
  - {spec: models/new.yaml, vs_base: {params: +0}, max: {params: 1M}}
  - {spec: models/odd.yaml, max: {layers: {dense: {params: 3}}}}
  - {spec: models/big.yaml, max: {params: 3}, level: warn}
  - {spec: models/old.yaml, max: {params: 3}}
"""


@pytest.fixture
def checked(repository, run, monkeypatch):
    """A function that returns the output in a format, for checks with every verdict, run from a subdirectory."""
    same = {f"models__{name}": NET % 5 for name in ("odd", "old")}
    repository.commit(costcalc=CHECKS, models__net=NET % 10, **same)
    repository.git("switch", "-q", "-c", "change")
    repository.write(models__net=NET % 11, models__new=NET % 1, models__big=NET % 5)
    monkeypatch.chdir(repository.root / "models")

    def checked(format, code=2):
        result = run("check", "--format", format)
        assert (result.code, result.err) == (code, "")
        return result.out

    return checked


def test_github(checked):
    lines = checked("github").splitlines()
    assert [re.match(r"::(\w+) file=([^,]*),(?:line=(\d+))?", line).groups() for line in lines[:-2]] == [
        ("error", "models/net.yaml", "3"),
        ("error", "models/net.yaml", "3"),
        ("error", "costcalc.yaml", "7"),
        ("warning", "models/big.yaml", "3"),
        ("warning", "costcalc.yaml", "9"),
    ]
    assert "mult-adds 11k is 1k (10.0 %25) over the limit 10k" in lines[0]
    assert (
        lines[-2]
        == "2 failed, 1 not judged, 1 already over, 1 warned, 3 passed, 1 skipped (new spec: ../models/new.yaml)"
    )


def test_gitlab(checked, repository):
    issues = json.loads(checked("gitlab"))
    for issue in issues:
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert (repository.root / issue["location"]["path"]).is_file()
        assert issue["location"]["lines"]["begin"] > 0
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(issues) == 5
    repository.write(models__net=NET % 12)  # other numbers but the same issues
    assert [issue["fingerprint"] for issue in json.loads(checked("gitlab"))] == prints


def test_sarif(checked, repository):
    log = json.loads(checked("sarif"))
    schema = json.loads((DATA / "sarif-2.1.0.subset.schema.json").read_text())
    jsonschema.Draft4Validator(schema).validate(log)
    (run,) = log["runs"]
    assert {result["ruleId"] for result in run["results"]} <= {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert [result["level"] for result in run["results"]] == ["error", "error", "error", "warning", "warning"]
    for result in run["results"]:
        (location,) = result["locations"]
        assert (repository.root / unquote(location["physicalLocation"]["artifactLocation"]["uri"])).is_file()


def test_junit(checked):
    xmlschema = pytest.importorskip("xmlschema")
    text = checked("junit")
    xmlschema.XMLSchema(str(DATA / "junit.xsd")).validate(text)
    (suite,) = ElementTree.fromstring(text.encode())
    kinds = [child.tag for case in suite for child in case]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": str(len(suite)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
    }
    assert (kinds.count("failure"), kinds.count("error"), kinds.count("skipped"), len(suite)) == (2, 1, 1, 9)


def test_schemas_refuse_what_is_wrong(checked):
    xmlschema = pytest.importorskip("xmlschema")
    log = json.loads(checked("sarif"))
    schema = json.loads((DATA / "sarif-2.1.0.subset.schema.json").read_text())
    for change in ({"level": "fatal"}, {"message": {}}, {"locations": [{"file": "a"}]}, {"rule": "x"}):
        log["runs"][0]["results"][0] |= change
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft4Validator(schema).validate(log)
    bad = checked("junit").replace("<testcase", "<case").replace("</testcase", "</case")
    with pytest.raises(xmlschema.XMLSchemaException):
        xmlschema.XMLSchema(str(DATA / "junit.xsd")).validate(bad)


def test_json_and_csv_say_the_same(checked):
    document = json.loads(checked("json"))
    assert document["summary"] == {
        "failed": 2,
        "not_judged": 1,
        "already_over": 1,
        "warned": 1,
        "excepted": 0,
        "passed": 3,
        "skipped": 1,
    }
    rows = list(csv.DictReader(io.StringIO(checked("csv"))))
    verdicts = [one for each in document["checks"] for one in each["verdicts"]]
    assert [(row["metric"], row["status"], row["now"]) for row in rows if row["status"] != "error"] == [
        (one["metric"], one["status"], str(one["now"])) for one in verdicts
    ]
    assert verdicts[0] | {"message": ""} == {
        "spec": "../models/net.yaml",
        "settings": {},
        "kind": "max",
        "metric": "mult_adds",
        "where": "",
        "layer": "",
        "status": "crossed",
        "limit": "10k",
        "allowed": 10_000,
        "now": 11_000,
        "base": 10_000,
        "level": "error",
        "message": "",
        "file": "../models/net.yaml",
        "line": 3,
    }
    (problem,) = [one for each in document["checks"] for one in each["problems"]]
    assert (problem["code"], problem["line"]) == ("unknown-layer", 7)
    assert rows[-1]["message"] == "no layer is called `dense`"


def test_markdown(checked):
    text = checked("md")
    assert text.startswith("**costcalc: 2 failed, 1 not judged, 1 already over, 1 warned, 3 passed, 1 sk")
    assert text.count("\n```") == 2
    assert "error[over-limit]: mult-adds 11k is 1k (10.0 %) over the limit 10k" in text
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(table) == 11  # header, rule, 8 limits, and the row that is not judged
    assert table[2].startswith("| ERROR |")


def test_markdown_of_many_fits_a_comment(repository, run):
    text = "\n".join(f"  - {{spec: net.yaml, at: {{w: {width}}}, max: {{params: 1}}}}" for width in range(1, 1500))
    repository.write(net="vars: {w: 1}\n" + NET % "w", costcalc=f"checks:\n{text}\n")
    result = run("check", "--format", "md")
    assert result.code == 1
    assert len(result.out) < 65_536
    assert "1,299 more rows are not shown" in result.out
    assert ".. (cut here: it is too long for a comment)" in result.out
    annotations = run("check", "--format", "github").out
    assert annotations.count("::error") == 10
    assert "1,489 more are not shown as annotations" in annotations


def test_the_file_says_the_format(repository, run):
    repository.write(net=NET % 10, costcalc="checks: [{spec: net.yaml, max: {params: 1M}}]\n")
    for name, start in {
        "a.xml": "<?xml",
        "a.sarif": '{\n "$schema"',
        "a.json": '{"schema_version"',
        "a.md": "**",
    }.items():
        assert run("check", "-o", name).code == 0
        assert (repository.root / name).read_text().startswith(start)


EVIL = [
    "x\n::error file=a.py,line=1::forged",
    "x\r\n::add-mask::secret",
    "::warning::forged",
    "##[error]forged",
    "x%0A::error::forged",
    "a,line=7::forged",
    "a\x1b[2Jb",
    "a\u2028::error::forged",
    '"]]></failure><testcase name="forged"/>',
    "[forged](https://example.org) @everyone <img src=x> www.example.org",
    "```\n# forged",
    "| forged | row |",
    "\u202ereversed",
    "$(touch hacked)",
    '","forged":"',
]


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="its names of files are text")
@pytest.mark.parametrize("format", FORMATS)
def test_a_name_that_is_no_text(repository, run, format):
    repository.write(costcalc="checks: [{spec: '?.yaml', max: {params: 1}}]\n")
    with open(os.path.join(os.fsencode(repository.root), b"\xff.yaml"), "w") as file:
        file.write("input: [10]\nlayers: [{linear: 10}]\n")
    done = run("check", "--format", format)
    assert (done.code, done.err) == (1, "")
    assert run("check", "-o", "a", "--format", format).code == 1


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="its names of files are text")
@pytest.mark.slow
def test_a_name_that_is_no_text_in_other_commands(run, tmp_path):
    name = os.fsdecode(b"\xff.yaml")
    (tmp_path / name).write_text("input: [10]\nlayers: [{linear: 10}]\n")
    for line in (["analyze", "-f", "html"], ["page", "-o", "a.html"], ["export", "--to", "onnx", "-o", "a.onnx"]):
        assert run(line[0], name, *line[1:]).code == 0
    assert run("survey", ".", "-o", "all.parquet").code == 0


COMMANDS = ["::error file=a.py::forged", "##[add-matcher]forged.json", "x ##[set-output name=exit-code]0"]


@pytest.mark.parametrize("evil", COMMANDS)
def test_no_line_of_a_log_is_a_command(repository, run, monkeypatch, evil):
    """GitHub's runner executes lines that start with `::` or contain `##[` (ActionCommand.cs)."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    quoted = json.dumps(evil)
    repository.write(costcalc=f"checks: [{{spec: net.yaml, max: {{any_layer.params: 1}}, why: {quoted}}}]\n")
    good = f"input: [10, 10, 10]\nlayers: [{{conv: 1x1, out: 10, as: {quoted}}}]\n"
    bad = f"input: [10, 10, 10]\nlayers: [{{conv: 1x1, out: 10, {quoted}: 1}}]\n"
    commands = ("analyze", "explain", "memory", "training", "validate", "check")
    lines = [[name, "net.yaml"] for name in commands] + [["check", "-f", name] for name in ("md", "latex")]
    shown = []
    for text in (good, bad):
        (repository.root / "net.yaml").write_text(text)
        for line in lines:
            done = run(*line)
            assert done.code in (0, 1, 2)
            said = done.out + "\n" + done.err
            assert "##[" not in said.replace(r"\#\#\[", ""), line
            assert not [one for one in said.splitlines() if one.lstrip().startswith("::")], line
            shown.append("forged" in said or "exit-code" in said)
    assert sum(shown) > len(lines)  # its names were to be shown
    (repository.root / "costcalc.yaml").write_text(f"checks: [{{spec: net.yaml, {quoted}: 1}}]\n")
    for line in (["check"], ["check", "-f", "github", "-o", "a"], ["check", "-f", "md", "-o", "a"]):
        done = run(*line)
        assert (done.code, "##[" in done.out + done.err) == (2, False)
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert evil in run("check").err


def test_a_command_that_a_message_shows_is_one_of_a_shell(repository, run):
    """A file name stays a single shell word, so that a copied command does not execute parts of it."""
    (repository.root / "models").mkdir()
    repository.write(costcalc="checks: [{spec: 'models/*.yaml', max: {params: 1}}]\n")
    name = "a$(touch hacked)`touch hacked`;b 'c.yaml"
    (repository.root / "models" / name).write_text("input: [10]\nlayers: [{linear: 10}]\n")
    found = re.search(r"= help: .*: (costcalc check .* --update)", run("check").out)
    assert shlex.split(found[1]) == ["costcalc", "check", f"models/{name}", "--update"]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("format", FORMATS)
def test_no_name_forges_anything(repository, run, evil, format):
    """Tested in the names of the spec file, a layer, a metric and a variable's value, and in the reason."""
    name = evil.replace("/", "|")
    quoted = json.dumps(evil)
    (repository.root / "models").mkdir()
    repository.write(costcalc=f"checks: [{{spec: 'models/*.yaml', max: {{any_layer.params: 1}}, why: {quoted}}}]\n")
    (repository.root / "models" / f"{name}.yaml").write_text(
        f"input: [10, 10, 10]\nlayers: [{{conv: 1x1, out: 10, as: {quoted}}}, {{opaque: {quoted}}}]\n", encoding="utf-8"
    )
    result = run("check", "--format", format)
    assert result.code == 1  # it was read, so the names are there to be shown
    out = result.out
    lines = re.split("[\n\r\u2028\u2029\x85\x0b\x0c]", out)
    assert "\x1b" not in out
    assert "\u202e" not in out
    if format == "github":
        commands = [line for line in lines if line.lstrip().startswith("::")]
        assert all(
            re.match(r"::error (file=[^,:]*,)?(line=\d+,col=\d+,)?title=costcalc [\w-]+::", one) for one in commands
        )
        assert len(commands) == 1
        assert "##[" not in out
    else:
        assert not [line for line in lines if re.match(r"\s*::", line)]
    if format == "junit":
        assert len(ElementTree.fromstring(out.encode())[0]) == 1
    if format == "md":
        fences = [line for line in lines if re.match("`{3,}", line)]
        assert len(fences) == 2
        before, after = out.split(fences[0], 1)
        assert not re.search(r"(?<!\\)[<@\[]|www\.", before)
        assert after.rstrip().endswith(fences[1])
        assert not [line for line in lines if line.startswith("#")]
    if format == "sarif":
        (found,) = json.loads(out)["runs"][0]["results"]
        assert not re.search(r"(?<!\\)\[", found["message"]["text"])
    if format == "gitlab":
        assert len(json.loads(out)) == 1
    if format == "json":
        assert len(json.loads(out)["checks"]) == 1


def test_a_bad_file_is_reported_in_the_format_too(repository, run):
    repository.write(costcalc="checks: [{spec: net.yaml, maks: {params: 1}}]\n")
    result = run("check", "--format", "github")
    assert result.code == 2
    assert result.out.startswith("::error file=costcalc.yaml,line=1,col=")
    assert run("check", "--format", "junit").out.count("<error") == 2
    assert len(json.loads(run("check", "--format", "gitlab").out)) == 2
    assert len(json.loads(run("check", "--format", "sarif").out)["runs"][0]["results"]) == 2
    assert run("check").out == ""
