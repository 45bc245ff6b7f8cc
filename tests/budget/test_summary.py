"""The summary matches the rows of its table in every format; random checks cover every verdict."""

import csv
import io
import json
import re
from collections import Counter
from xml.etree import ElementTree

import pytest

NET = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"  # 1,000 * out mult-adds, 10 * out params
MAX = {"pass": "max: {mult_adds: 99k}", "crossed": "max: {mult_adds: 5500}", "already": "max: {params: 10}"}
MORE = {
    "grew": "vs_base: {mult_adds: +1%}",
    "warned": "level: warn\n    max: {mult_adds: 5500, params: 5}",
    "error": "max: {layers: {dense: {params: 1}, conv: {params: 1}, head: {params: 1}}}",
    "unchanged": "max: {mult_adds: 4k}",
}
LIMITS = {**MAX, **MORE}
SPECS = {"a": (5, 6), "b": (5, 5), "new": (None, 6), "bad": (5, None)}  # out at the base, out now
WORDS = ("failed", "not_judged", "already_over", "warned", "excepted", "passed", "skipped")
DRAWN = [
    [("a", "crossed"), ("a", "pass"), ("b", "unchanged"), ("new", "grew"), ("a", "error")],
    [("a", "warned"), ("b", "already"), ("new", "crossed"), ("bad", "pass"), ("bad", "grew")],
    [("b", "pass"), ("b", "grew")],
    [("a", "grew"), ("a", "error"), ("a", "error"), ("new", "warned"), ("new", "error")],
    [("a", name) for name in LIMITS] + [("b", name) for name in LIMITS] + [("new", name) for name in LIMITS],
]
EXCEPTION = "exceptions:\n  - {spec: a.yaml, metric: mult_adds, from: 5000, to: 6000}\n"
SAYS = {  # the last cell of a row -> its category, if independent of the level
    "within": "passed",
    "already over, and not made worse": "already_over",
    "allowed by an exception, for this change": "excepted",
    "new: there is nothing to compare with": "skipped",
}


@pytest.fixture(params=[*range(len(DRAWN)), "excepted"])
def out(request, repository, run):
    """A function that returns the output of `check` for random checks in a format."""
    drawn = DRAWN[3] if request.param == "excepted" else DRAWN[request.param]
    checks = "".join(f"  - spec: {name}.yaml\n    {LIMITS[limit]}\n" for name, limit in drawn)
    checks = "checks:\n" + checks + (EXCEPTION if request.param == "excepted" else "")
    texts = [{name: NET % out for name, out in ((name, SPECS[name][at]) for name in SPECS) if out} for at in (0, 1)]
    repository.commit(costcalc=checks, **texts[0])
    repository.git("switch", "-q", "-c", "change")
    repository.write(**texts[1], bad="layers: [\n")
    return lambda name: run("check", "--format", name).out


def words(text):
    """The counts of a summary: {`failed`: 2, ..}."""
    found = {name: re.search(rf"([\d,]+) {name.replace('_', ' ')}\b", text) for name in WORDS}
    return {name: int(one[1]) if one else 0 for name, one in found.items()}


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def kind(state, says):
    """The summary word under which a row counts."""
    return SAYS.get(says) or {"ERROR": "not_judged", "FAIL": "failed", "WARN": "warned"}[state]


def counted(rows):
    found = Counter(kind(*row) for row in rows)
    return {name: found[name] for name in WORDS}


def test_markdown(out):
    text = out("md")
    rows = [cells(line) for line in text.splitlines() if line.startswith("| ")][2:]
    assert words(text.splitlines()[0]) == counted((row[0], row[-1]) for row in rows)


def test_table(out):
    text = out("table")
    heads, _, table = text.partition("───")
    rows = [
        re.split(r"\s{2,}", line.strip()) for line in table.splitlines()[1:] if re.match(r"(ERROR|FAIL|WARN|ok) ", line)
    ]
    summary = next(line for line in heads.splitlines() if re.search(r"\d passed", line))
    state, wraps = Counter(row[0] for row in rows), words(summary)
    assert state["ERROR"] == wraps["not_judged"]
    assert state["FAIL"] == wraps["failed"]
    assert state["WARN"] == wraps["warned"] + wraps["already_over"]
    assert state["ok"] == wraps["passed"] + wraps["skipped"] + wraps["excepted"]


def test_json_and_csv(out):
    document = json.loads(out("json"))
    verdicts = [(one["status"], one["level"]) for each in document["checks"] for one in each["verdicts"]]
    rows = list(csv.DictReader(io.StringIO(out("csv"))))
    assert [(row["status"], row["level"]) for row in rows if row["kind"] and "limit-" not in row["status"]] == verdicts
    named = {"pass": "passed", "already": "already_over", "excepted": "excepted", "skipped": "skipped"}
    kinds = [named.get(status) or ("warned" if level == "warn" else "failed") for status, level in verdicts]
    kinds += ["not_judged"] * sum(row["status"] == "error" for row in rows)
    assert document["summary"] == {name: Counter(kinds)[name] for name in WORDS}
    assert document["summary"] == words(out("md").splitlines()[0])
    assert document["summary"] == words(out("github").splitlines()[-2 - len(document["stale_exceptions"])])


def test_reports_without_a_summary_have_as_many_findings(out):
    document = json.loads(out("json"))
    said, loose = document["summary"], len(document["limits"])
    errors = said["failed"] + said["not_judged"]
    warnings = said["already_over"] + said["warned"] + loose
    results = json.loads(out("sarif"))["runs"][0]["results"]
    assert Counter(one["level"] for one in results) == +Counter(error=errors, warning=warnings)
    issues = json.loads(out("gitlab"))
    assert Counter(one["severity"] for one in issues) == +Counter(major=errors, minor=warnings)
    suite = ElementTree.fromstring(out("junit"))[0]
    numbers = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    assert numbers == {
        "tests": sum(said.values()) + loose,
        "failures": said["failed"],
        "errors": said["not_judged"],
        "skipped": said["skipped"],
    }
