"""Exceptions: a single change may add more than `vs_base` allows while the base is the same; other changes may not."""

import csv
import io
import json
import os
import re

import jsonschema
import pytest

from costcalc.budget import keeping
from costcalc.budget.config import Limit
from costcalc.budget.entries import Unwritable, added, without
from costcalc.budget.keeping import Added, Exceptions
from costcalc.budget.schema import schema
from costcalc.errors import Place, Source

NET = "vars: {a: 1}\ninput: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s * a}\n"  # 1,000 * out * a mult-adds
CHECKS = """\
# the tile of the DSP  ── über
checks:
  - spec: 'models/*.yaml'   # all of them
    vs_base: {mult_adds: +1%}
  - {spec: models/b.yaml, at: {a: 3}, vs_base: {weights_bytes: +0}}
"""
ADDED = """
exceptions:
  - spec: models/b.yaml
    metric: mult_adds
    from: 5000
    to: 9000
  - spec: models/b.yaml
    at: {a: 3}
    metric: weights_bytes
    from: 600B
    to: 1080B
"""


@pytest.fixture
def grown(repository):
    """A branch on which one of two networks grew from 5 to 9."""
    repository.commit(costcalc=CHECKS, models__a=NET % 5, models__b=NET % 5)
    repository.git("switch", "-q", "-c", "change")
    repository.write(models__b=NET % 9)
    return repository


def text(repository):
    return (repository.root / "costcalc.yaml").read_text()


def states(run, *args):
    code, out, _ = run("check", "--json", *args)
    checks = json.loads(out)["checks"]
    return code, [verdict["status"] for check in checks for verdict in check["verdicts"]]


def test_an_update_excepts_this_change_and_no_other(grown, run):
    assert states(run) == (1, ["pass", "grew", "grew"])
    code, out, err = run("check", "--update")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "costcalc.yaml  exception added: models/b.yaml mult_adds 5000 -> 9000; the limit +1% stays",
        "costcalc.yaml  exception added: models/b.yaml a=3 weights_bytes 600B -> 1080B; the limit +0 stays",
    ]
    assert text(grown) == CHECKS + ADDED
    assert states(run) == (0, ["pass", "excepted", "excepted"])
    grown.write(models__a=NET % 6)  # another spec may not grow
    assert states(run) == (1, ["grew", "excepted", "excepted"])
    grown.write(models__a=NET % 5, models__b=NET % 10)  # nor may this one grow further
    code, found = states(run)
    assert (code, found) == (1, ["pass", "grew", "grew"])
    assert "note: the exception at costcalc.yaml:8 allows 9,000" in re.sub(" += ", " ", run("check").out)
    assert run("check", "--update").code == 0
    assert text(grown) == (CHECKS + ADDED).replace("9000", "10000").replace("1080B", "1200B")
    grown.write(models__b=NET % 7)  # less is allowed too
    assert states(run) == (0, ["pass", "excepted", "excepted"])


def test_once_the_base_moves_on_it_is_stale_and_an_update_removes_it(grown, run):
    run("check", "--update")
    grown.commit()
    grown.git("switch", "-q", "main")
    grown.git("merge", "-q", "change")
    grown.git("switch", "-q", "-c", "next")
    grown.write(models__b=NET % 10)
    assert states(run) == (1, ["pass", "grew", "grew"])
    out = run("check").out
    stale = "costcalc.yaml:8: stale exception: mult_adds of models/b.yaml: the base has 9,000, not 5,000; "
    assert stale + "costcalc check --update removes it" in out
    document = json.loads(run("check", "--json").out)
    assert [(one["metric"], one["line"]) for one in document["stale_exceptions"]] == [
        ("mult_adds", 8),
        ("weights_bytes", 12),
    ]
    for name in ("md", "github", "html", "latex"):
        assert "stale exception" in run("check", "--format", name).out.replace("\\", ""), name
    grown.write(models__b=NET % 9)
    assert states(run, "--locked") == (0, ["pass", "pass", "pass"])  # they allow nothing and existed before
    out = run("check", "--update").out
    assert out.count("stale exception removed: models/b.yaml") == 2
    assert text(grown) == CHECKS


FORMATS = ("table", "json", "md", "csv", "latex", "html", "github", "gitlab", "junit", "sarif")


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_shown_first_in_every_format_and_fails_when_locked(grown, run, name):
    run("check", "--update")
    plain = text(grown).replace("    to: 9000", "    to: 9000\n    reason: the head is wider")
    (grown.root / "costcalc.yaml").write_text(plain)
    said = "exception from a limit: vs_base mult_adds +1% except 5,000 -> 9,000 (the head is wider), of models/b.yaml"
    code, out, _ = run("check", "--format", name)
    shown = out.replace("&gt;", ">").replace("\\_", "_").replace("%25", "%").replace("\\u003e", ">").replace("\\", "")
    assert (code, said in shown) == (0, True), out
    assert "limit-exception" in out or name in ("md", "json", "latex", "html", "junit")
    assert run("check", "--locked", "--format", name).code == 1
    before = ("models/a.yaml", "allowed by an exception", "of models/b.yaml a=3")[name in ("gitlab", "sarif")]
    assert before not in shown.partition(said)[0] or name in ("json",)


def test_an_exception_is_a_row_of_the_table(grown, run):
    run("check", "--update")
    rows = list(csv.DictReader(io.StringIO(run("check", "--format", "csv").out)))
    assert [(row["status"], row["limit"]) for row in rows[:2]] == [
        ("limit-exception", "5,000 -> 9,000"),
        ("limit-exception", "600 B -> 1,080 B"),
    ]
    assert [row["status"] for row in rows[2:]] == ["pass", "excepted", "excepted"]
    assert "allowed by an exception, for this change" in run("check", "--format", "md").out
    assert "2 exceptions, 2 excepted, 1 passed" in run("check").out


ENTRY = "\nexceptions:\n  - {spec: models/b.yaml, metric: mult_adds, from: %s, to: %s}\n"


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (ENTRY % ("5000", "9000"), "excepted"),
        (ENTRY % ("5k", "9k"), "excepted"),
        (ENTRY % ("5000", "8999"), "grew"),
        (ENTRY % ("5001", "9000"), "grew"),
        (ENTRY % ("4999", "9000"), "grew"),
        (ENTRY.replace("models/b", "models/a") % ("5000", "9000"), "grew"),
        (ENTRY.replace("metric", "at: {a: 2}, metric") % ("5000", "9000"), "grew"),
        (ENTRY.replace("metric", "convention: torchinfo, metric") % ("5000", "9000"), "grew"),
        (ENTRY.replace("mult_adds", "params") % ("5000", "9000"), "grew"),
        ("\nexceptions:\n", "grew"),
    ],
)
def test_it_is_for_one_limit_of_one_spec_from_one_base(grown, run, entry, status):
    checks = CHECKS.replace("  - {spec: models/b.yaml, at", "  - {spec: models/a.yaml, at")
    (grown.root / "costcalc.yaml").write_text(checks + entry)
    assert states(run, "models/b.yaml")[1] == [status]


def test_a_lower_bound_is_not_known_to_be_allowed(grown, run):
    (grown.root / "costcalc.yaml").write_text(CHECKS + ENTRY % (5000, 9000))
    grown.write(models__b=NET % 9 + "  - {opaque: top, out: [1]}\n")
    assert states(run, "models/b.yaml")[1][0] != "excepted"


def test_a_new_exception_that_does_not_apply_yet_is_shown_too(grown, run):
    grown.write(models__b=NET % 5, costcalc=CHECKS + ENTRY % (9000, 99000))
    code, found = states(run, "--locked")
    assert (code, found) == (1, ["pass", "pass", "pass"])
    (limit,) = json.loads(run("check", "--json").out)["limits"]
    assert (limit["status"], limit["now"]) == ("exception", "9,000 -> 99,000")


def test_one_that_was_at_the_base_and_applies_again_is_shown(repository, run):
    repository.commit(costcalc=CHECKS + ENTRY % (5000, 9000), models__a=NET % 5, models__b=NET % 5)
    repository.git("switch", "-q", "-c", "change")
    assert states(run, "--locked")[0] == 0
    repository.write(models__b=NET % 9)
    limits = json.loads(run("check", "--json", "models/b.yaml").out)["limits"]
    assert [one["metric"] for one in limits] == ["mult_adds"]
    repository.write(costcalc=CHECKS + ENTRY % (5000, 20000))  # one that allows more is new
    repository.write(models__b=NET % 5)
    assert states(run, "--locked")[0] == 1


def test_specs_that_are_not_checked_are_left_alone(grown, run):
    run("check", "--update")
    grown.commit()
    grown.git("branch", "-f", "main")
    assert run("check", "models/a.yaml", "--update").out == "no limit needs a change\n"
    assert text(grown) == CHECKS + ADDED
    (grown.root / "models" / "b.yaml").write_text("layers: [")
    assert "stale" not in run("check").out  # unreadable files are not judged
    grown.git("rm", "-qf", "models/b.yaml")
    (grown.root / "costcalc.yaml").write_text(CHECKS.partition("  - {spec: models/b")[0] + ADDED)
    assert "no check limits how much it may grow" in run("check").out


BAD = [
    ("{spec: models/b.yaml, metric: mult_adds, from: 5}", "an exception needs `to:`"),
    ("{spec: 'models/*.yaml', metric: mult_adds, from: 5, to: 6}", "an exception is for one spec"),
    ("{spec: ../b.yaml, metric: mult_adds, from: 5, to: 6}", "leaves the directory"),
    ("{spec: /b.yaml, metric: mult_adds, from: 5, to: 6}", "is not a relative path"),
    ("{spec: b.yaml, metric: mult_ads, from: 5, to: 6}", "there is no metric `mult_ads`"),
    ("{spec: b.yaml, metric: mult_adds, from: -5, to: 6}", "cannot be negative"),
    ("{spec: b.yaml, metric: mult_adds, from: 5, to: nan}", "limits nothing"),
    ("{spec: b.yaml, metric: weights_bytes, from: 5, to: 6B}", "bytes need a unit"),
    ("{spec: b.yaml, metric: mult_adds, from: 5, to: 6, max: 7}", "unknown key `max`"),
    ("{spec: b.yaml, convention: ../x.yaml, metric: mult_adds, from: 5, to: 6}", "leaves the directory"),
    ("all", "expected a map"),
]


@pytest.mark.parametrize(("entry", "says"), BAD)
def test_what_is_no_exception_is_an_error(grown, run, entry, says):
    (grown.root / "costcalc.yaml").write_text(f"{CHECKS}exceptions:\n  - {entry}\n")
    code, _, err = run("check")
    assert (code, err.count(says), "errors" in err) == (2, 1, False), err


def test_the_schema_takes_what_the_reader_takes():
    check = {"spec": "a.yaml", "max": {"params": "1k"}}
    good = {"spec": "a.yaml", "metric": "mult_adds", "from": 5000, "to": "9000", "at": {"a": 1}, "reason": "because"}
    jsonschema.validate({"checks": [check], "exceptions": [good]}, schema())
    jsonschema.validate({"checks": [check], "exceptions": None}, schema())
    for wrong in ({"to": None}, {"from": "-5"}, {"metric": "mult_ads"}, {"max": 5}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"checks": [check], "exceptions": [{**good, **wrong}]}, schema())


LAYOUTS = [
    "exceptions:\n- spec: old.yaml # gone\n  metric: params\n  from: 1\n  to: 2\n\n# the checks\n",
    "exceptions:   # by us\n    # one\n    -\n        {spec: old.yaml, metric: params,\n       from: 1, to: 2} # end\n",
    "exceptions:\n  - spec: old.yaml\n    metric: params\n    from: 1\n    to: 2\n    reason: |\n      a\n      b\n\n",
    "exceptions:\r\n  - spec: old.yaml\r\n    metric: params\r\n    from: 1\r\n    to: 2\r\n",
    "exceptions: # none\n",
    "exceptions:\n",
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_comments_and_layout_stay(grown, run, layout, start):
    """The new file without the new entry equals the old file without the stale entry."""
    ending = "\r\n" if "\r\n" in layout else "\n"
    path = grown.root / "costcalc.yaml"
    checks = CHECKS.replace("\n", ending)
    before = layout + checks
    path.write_bytes((start + before).encode())
    assert run("check", "--update").code == 0
    after = path.read_bytes().decode()
    assert after.startswith(start)
    after = after.removeprefix(start)
    kept = [line for line in before.splitlines(keepends=True) if line.strip().startswith("#")]
    assert [line for line in after.splitlines(keepends=True) if line.strip().startswith("#")] == kept
    assert checks in after
    assert "old.yaml" not in after
    assert ending == "\n" or "\n" not in after.replace("\r\n", "")
    assert states(run)[0] == 0


@pytest.mark.parametrize(
    "wrong", ["exceptions: []\n", "exceptions: [{spec: old.yaml, metric: params, from: 1, to: 2}]\n"]
)
def test_a_list_that_cannot_be_rewritten_leaves_the_file_as_it_was(grown, run, wrong):
    (grown.root / "costcalc.yaml").write_text(CHECKS + wrong)
    code, _, err = run("check", "--update")
    assert code == 2
    assert "there are no exceptions here" in err or "cannot be rewritten in their current form" in err
    assert text(grown) == CHECKS + wrong


@pytest.mark.parametrize("name", ["a: b #", "x\ny", "*", "a?", "a\\b", os.fsdecode(b"\xff"), "\u202e"])
def test_a_name_that_no_exception_can_have(repository, run, name):
    """The file is unchanged, and the error states the reason."""
    checks = "checks:\n  - {spec: 'nets/*.yaml', vs_base: {params: +0}}\n"
    path = repository.root / "nets" / f"{name}.yaml"
    path.parent.mkdir()
    path.write_text(NET % 5)
    repository.commit(costcalc=checks)
    path.write_text(NET % 6)
    done = run("check", "--base", "HEAD", "--update")
    assert (done.code, "no exception can name" in done.err, done.err.count("error:")) == (2, True, 1), done.err
    assert text(repository) == checks


def test_entries_are_lines():
    lines = ["a: 1\n", "b:\n", "- x: 1\n", "  # in\n", "  y: 2\n", "# after\n", "- z\n", "c: 3"]
    assert without(lines, "b", [2]) == ["a: 1\n", "b:\n", "# after\n", "- z\n", "c: 3"]
    assert without(lines, "b", [2, 6]) == ["a: 1\n", "# after\n", "c: 3"]
    assert added(lines, "b", [["p: 1", "q: 2"]]) == [*lines[:7], "- p: 1\n", "  q: 2\n", "c: 3\n"]
    assert added(lines, "d", [["p: 1"]])[-4:] == ["c: 3\n", "\n", "d:\n", "  - p: 1\n"]
    with pytest.raises(Unwritable):
        added(["{a: 1}\n"], "b", [["p: 1"]])


def test_a_glob_in_a_directory_names_the_spec_from_the_file(repository, run, monkeypatch):
    checks = "checks:\n  - {spec: 'nets/**/*.yaml', convention: torchinfo, vs_base: {params: +0}}\n"
    repository.commit(sub__costcalc=checks, sub__nets__in__b=NET % 5)
    repository.write(sub__nets__in__b=NET % 6)
    assert run("check", "--config", "sub/costcalc.yaml", "--base", "HEAD", "--update").code == 0
    written = (repository.root / "sub" / "costcalc.yaml").read_text()
    assert "  - spec: nets/in/b.yaml\n    convention: torchinfo\n    metric: params\n" in written
    assert run("check", "--config", "sub/costcalc.yaml", "--base", "HEAD").code == 0
    monkeypatch.chdir(repository.root / "sub" / "nets")
    assert run("check", "--base", "HEAD").code == 0


def test_diff_of_all_says_it(grown, run):
    run("check", "--update")
    out = run("diff", "--base", "main").out
    assert "exception: mult_adds 5,000 -> 9,000" in re.sub(r"\s+", " ", out)
    rows = json.loads(run("diff", "--base", "main", "--json").out)["specs"]
    assert next(row["exceptions"] for row in rows if row["spec"] == "models/b.yaml") == ["mult_adds 5,000 -> 9,000"]
    grown.commit()
    rows = json.loads(run("diff", "--base", "HEAD", "--json").out)["specs"]  # the place of the stale entry
    stale = [row["exceptions"] for row in rows if row["spec"] == "models/b.yaml" and not row["settings"]]
    assert stale == [[]]


@pytest.mark.parametrize("before", ["", "    at: {alpha: 0.25}\n"])
def test_what_an_entry_is_about_is_read_back(before):
    """A list is not written if its new entry would apply to another setting than intended."""
    place = Place(Source("costcalc.yaml", "x\n"), 1, 1)
    limit = Limit("vs_base", "params", "", None, "+1%", place)
    one = Added("costcalc.yaml", limit, "net.yaml", {"alpha": 0.5}, "paper", "100", "200")
    head = "checks:\n  - {spec: net.yaml, vs_base: {params: +1%}}\n"
    other = f"exceptions:\n  - spec: net.yaml\n{before}    metric: params\n    from: 100\n    to: 200\n"
    with pytest.raises(Unwritable):
        keeping._verify("costcalc.yaml", head, head + other, [], [one])
    keeping._verify("costcalc.yaml", head, Exceptions((one,)).written("costcalc.yaml", head), [], [one])
