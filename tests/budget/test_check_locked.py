"""A change that raises, removes or evades its own limits is shown first in every format, and fails with --locked."""

import csv
import io
import json
from xml.etree import ElementTree

import pytest

NET = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"  # 1,000 * out mult-adds, 10 * out params
CHECKS = "checks:\n  - spec: net.yaml\n    max: {mult_adds: 10k, params: 1k}\n    vs_base: {mult_adds: +1%}\n"
GLOB = "checks:\n  - {spec: 'models/*.yaml', max: {mult_adds: 10k}}\n"
FORMATS = ("table", "json", "md", "csv", "latex", "github", "gitlab", "junit", "sarif")


@pytest.fixture
def change(repository, run):
    """A function that commits files, then changes on a branch; returns the loosened limits and the exit codes."""

    def change(before, after, *args, gone=()):
        repository.commit(**before)
        repository.git("switch", "-q", "-c", "change")
        for name in gone:
            repository.git("rm", "-q", name)
        repository.commit(**after)
        code, out, err = run("check", "--json", *args)
        assert err == ""
        found = [(one["status"], one["metric"], one["before"], one["now"]) for one in json.loads(out)["limits"]]
        return found, code, run("check", "--locked", *args).code

    return change


RAISED = [  # replacement in the file of checks; findings
    (("10k", "20k"), [("raised", "mult_adds", "10k", "20k")]),
    (("10k", "10001"), [("raised", "mult_adds", "10k", "10001")]),
    (("+1%", "+2%"), [("raised", "mult_adds", "+1%", "+2%")]),
    (("+1%", "+1% and 1"), [("raised", "mult_adds", "+1%", "+1% and 1")]),
    (("+1%", "+9k"), [("raised", "mult_adds", "+1%", "+9k")]),
    ((", params: 1k", ""), [("removed", "params", "1k", None)]),
    (("    vs_base: {mult_adds: +1%}\n", ""), [("removed", "mult_adds", "+1%", None)]),
    (("10k", "10000"), []),
    (("10k", "9k"), []),
    (("+1%", "+0.5%"), []),
    (("+1%}", "+1%}\n    why: because"), []),
]


@pytest.mark.parametrize(("edit", "found"), RAISED)
def test_limits_are_compared(change, edit, found):
    now = change({"costcalc": CHECKS, "net": NET % 5}, {"costcalc": CHECKS.replace(*edit)})
    assert now == (found, 0, 1 if found else 0)


@pytest.mark.parametrize(("text", "found"), [("9k", 1), ("10k", 0), ("11k", 0)])
def test_a_least_cost_that_is_lowered(change, text, found):
    checks = "checks:\n  - {spec: net.yaml, min: {mult_adds: %s}}\n"
    limits, *codes = change({"costcalc": checks % "10k", "net": NET % 20}, {"costcalc": checks % text})
    assert (len(limits), codes) == (found, [0, found])


def test_other_ways_to_be_less_strict(change):
    before = CHECKS + "    level: error\n  - {spec: net.yaml, at: {a: 2}, max: {params: 1k}}\n"
    before += "  - {spec: net.yaml, max: {any_layer.params: 10k, layers: {conv: {params: 9k}}}}\n"
    after = before.replace("error", "warn").replace("a: 2", "a: 1")
    after = after.replace("any_layer.params: 10k", "any_layer.params: 100%").replace("conv: {", "'*': {")
    net = "vars: {a: 1}\n" + NET % "5 * a"
    found, code, locked = change({"costcalc": before, "net": net}, {"costcalc": after})
    assert [(status, metric, before) for status, metric, before, _ in found] == [
        ("raised", "mult_adds", "10k"),
        ("raised", "params", "1k"),
        ("raised", "mult_adds", "+1%"),
        ("removed", "params", "1k"),
        ("removed", "params", "10k"),
        ("removed", "params", "9k"),
    ]
    assert (code, locked) == (0, 1)


def test_a_price_list_that_counts_less(change):
    checks = "checks:\n  - {spec: net.yaml, convention: prices.yaml, max: {mult_adds: 10k}}\n"
    prices = "name: mine\ncost: mult_adds\nprices: {mac: %s}\n"
    before = {"costcalc": checks, "prices": prices % 2, "net": NET % 5}
    found, code, locked = change(before, {"prices": prices % 1, "net": NET % 10})
    assert (found, code, locked) == ([("raised", "mult_adds", "10k", "10k")], 0, 1)


def test_the_budget_of_a_spec(change):
    before = NET % 5 + "budget: {mult_adds: 10k, params: 1k}\n"
    found, code, locked = change({"net": before}, {"net": NET % 15 + "budget: {mult_adds: 20k}\n"}, "net.yaml")
    assert found == [("raised", "mult_adds", "10k", "20k"), ("removed", "params", "1k", None)]
    assert (code, locked) == (0, 1)


def test_a_budget_that_moves_to_the_file_of_checks_is_the_same(change):
    before = {"costcalc": CHECKS, "net": NET % 5 + "budget: {params: 900}\n"}
    found, _, locked = change(before, {"costcalc": CHECKS.replace("1k", "900"), "net": NET % 5})
    assert (found, locked) == ([], 0)


def test_the_budget_of_a_spec_with_another_name(change):
    body = "".join(f"  - {{conv: 1x1, out: {at}}}\n" for at in range(1, 30))
    before = {"net": NET % 5 + body + "budget: {params: 10k}\n"}
    after = {"other": NET % 5 + body + "budget: {params: 20k}\n"}
    assert change(before, after, "other.yaml", gone=["net.yaml"])[0] == [("raised", "params", "10k", "20k")]


@pytest.mark.parametrize(
    ("names", "status"), [({"other__a": 5}, "unmatched"), ({}, "unmatched"), ({"models__c": 5}, None)]
)
def test_a_spec_that_leaves_its_glob(change, run, names, status):
    body = "".join(f"  - {{conv: 1x1, out: {at}}}\n" for at in range(1, 5))
    before = {"costcalc": GLOB, "models__a": NET % 5 + body, "models__b": NET % 1}
    found, code, locked = change(
        before, {name: NET % out + body for name, out in names.items()}, gone=["models/a.yaml"]
    )
    assert found == ([(status, "mult_adds", "10k", None)] if status else [])
    assert (code, locked) == (0, 1 if status else 0)
    said = run("check").out.splitlines()[0]
    became = "it is other/a.yaml now" if names else "it is deleted"
    line = f"warning[limit-unmatched]: limit no longer judges its spec: max mult_adds 10k ({became}), of models/a.yaml"
    assert (said == line) == bool(status)


LAYERS = "checks:\n  - {spec: net.yaml, max: {layers: {'stage/*': {params: 200}}}}\n"
NAMED = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: 5, as: stage/a}\n  - {conv: 1x1, out: %s, as: %s}\n"


def test_a_layer_that_leaves_its_glob(change, run):
    before = {"costcalc": LAYERS, "net": NAMED % (5, "stage/b")}
    found, code, locked = change(before, {"net": NAMED % (90, "head/b")})
    assert (found, code, locked) == ([("unmatched", "params", "200", "200")], 0, 1)
    said = "limit no longer judges a layer: max stage/* params 200 (`stage/b` is gone, `head/b` is new), of net.yaml"
    for name in FORMATS:
        assert said in run("check", "--format", name).out.replace("\\_", "_").replace("\\", ""), name
    assert run("check").out.startswith(f"warning[limit-unmatched]: {said}\n --> costcalc.yaml:2:")


@pytest.mark.parametrize(
    "after",
    [
        NAMED % (90, "stage/b"),  # exceeds the limit, which reports it
        NAMED.partition("  - {conv: 1x1, out: %s")[0],  # nothing new
        NAMED % (5, "stage/b") + "  - {conv: 1x1, out: 9, as: head/c}\n",  # nothing gone
        NAMED % (5, "stage/c"),  # still judged
        NAMED.partition("  - {conv: 1x1, out: %s")[0] + "  - {relu: null, as: head/r}\n",  # new, and costs nothing
    ],
)
def test_layers_that_stay_in_their_glob(change, after):
    assert change({"costcalc": LAYERS, "net": NAMED % (5, "stage/b")}, {"net": after})[0] == []


def test_a_limit_on_layers_that_is_new_has_left_none(change):
    after = {"costcalc": LAYERS, "net": NAMED % (90, "head/b")}
    assert change({"costcalc": CHECKS, "net": NAMED % (5, "stage/b")}, after)[0] == [
        ("removed", "mult_adds", "10k", None),
        ("removed", "params", "1k", None),
        ("removed", "mult_adds", "+1%", None),
    ]


def test_a_glob_that_is_narrower(change, run):
    before = {"costcalc": GLOB, **{f"models__{name}": NET % 1 for name in "abcde"}}
    found, _, locked = change(before, {"costcalc": GLOB.replace("*.yaml", "a.yaml")})
    assert (found, locked) == ([("removed", "mult_adds", "10k", None)], 1)
    assert "of models/b.yaml, models/c.yaml, models/d.yaml and 1 more\n" in run("check").out


def test_checks_that_are_gone_or_hidden_by_others(change, repository, run, monkeypatch):
    net = NET % 5 + "budget: {params: 1k}\n"
    found, _, locked = change(
        {"costcalc": CHECKS.replace("net", "models/net"), "models__net": net},
        {"models__costcalc": CHECKS.replace("10k", "20k")},
    )
    assert (found, locked) == ([], 0)  # the old ones apply here
    monkeypatch.chdir(repository.root / "models")
    assert json.loads(run("check", "--json").out)["limits"][0]["message"] == (
        "limit raised: max mult_adds 10k -> 20k, of models/net.yaml"
    )
    monkeypatch.chdir(repository.root)
    repository.git("rm", "-q", "costcalc.yaml")
    limits = json.loads(run("check", "--json", "models/net.yaml").out)["limits"]
    assert [(one["status"], one["kind"], one["metric"], one["file"]) for one in limits] == [
        ("removed", "max", "mult_adds", "costcalc.yaml"),
        ("removed", "max", "params", "costcalc.yaml"),
        ("removed", "vs_base", "mult_adds", "costcalc.yaml"),
    ]


def test_only_the_specs_that_a_run_is_about(change, run):
    checks = CHECKS + "  - {spec: other.yaml, max: {params: 1k}}\n"
    found, _, locked = change(
        {"costcalc": checks, "net": NET % 5, "other": NET % 5},
        {"costcalc": checks.replace("10k", "20k").replace("{params: 1k", "{params: 2k")},
        "other.yaml",
    )
    assert (found, locked) == ([("raised", "params", "1k", "2k")], 1)


def test_first_in_every_format(change, run):
    change({"costcalc": CHECKS, "net": NET % 5}, {"costcalc": CHECKS.replace("10k", "11k"), "net": NET % 12})
    said = "limit raised: max mult_adds 10k -> 11k, of net.yaml"
    for locked, level in (((), "warning"), (("--locked",), "error")):
        out = {name: run("check", "--format", name, *locked).out for name in FORMATS}
        assert out["table"].startswith(f"{level}[limit-raised]: {said}\n --> costcalc.yaml:3:")
        assert "\n1 limit raised or removed, 2 failed, " in out["table"]
        assert out["github"].startswith(
            f"::{level} file=costcalc.yaml,line=3,col=22,title=costcalc limit-raised::{said}\n"
        )
        first = json.loads(out["gitlab"])[0]
        assert (first["description"], first["location"]) == (said, {"path": "costcalc.yaml", "lines": {"begin": 3}})
        assert first["severity"] == {"error": "major", "warning": "minor"}[level]
        result = json.loads(out["sarif"])["runs"][0]["results"][0]
        assert (result["ruleId"], result["level"], result["message"]["text"]) == ("limit-raised", level, said)
        case = next(ElementTree.fromstring(out["junit"]).iter("testcase"))
        assert [(one.tag, said in (one.get("message") or one.text)) for one in case] == [
            ("failure" if locked else "system-out", True)
        ]
        assert out["md"].startswith("**costcalc: 1 limit raised or removed, 2 failed")
        assert out["md"].split("\n\n")[1] == f"**{said}**".replace("_", r"\_")
        assert out["md"].index(said) < out["md"].index("over the limit")
        assert "1 limit raised or removed" in out["latex"]
        row = next(csv.DictReader(io.StringIO(out["csv"])))
        assert (row["status"], row["message"], row["level"]) == ("limit-raised", said, level)
        assert [*json.loads(out["json"])][2:4] == ["limits", "summary"]
        (limit,) = json.loads(out["json"])["limits"]
        assert (limit["message"], limit["level"], limit["file"], limit["line"]) == (said, level, "costcalc.yaml", 3)


def test_the_fingerprint_has_no_number(change, repository, run):
    change({"costcalc": CHECKS, "net": NET % 5}, {"costcalc": CHECKS.replace("10k", "11k")})
    one = json.loads(run("check", "--format", "gitlab").out)[0]["fingerprint"]
    repository.write(costcalc=CHECKS.replace("10k", "12k"))
    assert json.loads(run("check", "--format", "gitlab").out)[0]["fingerprint"] == one


@pytest.mark.parametrize("format", ["table", "github", "md", "junit", "sarif", "gitlab"])
def test_locked_without_a_base_cannot_be_judged(repository, run, format):
    repository.write(costcalc=CHECKS.replace("    vs_base: {mult_adds: +1%}\n", ""), net=NET % 5)
    assert run("check").code == 0
    code, out, err = run("check", "--locked", "--format", format)
    assert (code, "there is no branch main or master to compare with" in out + err) == (2, True)


def test_locked_where_the_base_cannot_be_read(repository, run):
    repository.commit(costcalc="checks: 3\n", net=NET % 5)
    repository.write(costcalc=CHECKS)
    assert run("check").code == 0
    assert "the limits at main cannot be read: expected a list, found" in run("check").out.replace("\n", " ")
    assert run("check", "--locked").code == 2


def test_locked_is_for_limits_of_files(run, repository):
    repository.commit(costcalc=CHECKS, net=NET % 5)
    assert run("check", "net.yaml", "--max", "params=1k").code == 0
    assert run("check", "net.yaml", "--max", "params=1k", "--locked").code == 2
    assert run("check", "--locked", "--update").code == 2
    assert run("check", "--locked").code == 0


OPTIONS = ("net.yaml", "--max", "mult_adds=20k", "--vs-base", "mult_adds=+1%", "-c", "prices.yaml")


@pytest.mark.parametrize(
    ("after", "count"),
    [("prices: {mac: 0}", 2), ("prices: {mac: 2}", 2), ("base: flops", 2), ("prices: {mac: 1}\ntitle: other", 0)],
)
def test_a_price_list_of_an_option_that_a_change_edits(change, run, after, count):
    """The option is the user's, but its file belongs to the change, which could set all prices to 0."""
    before = {"prices": "name: mine\ncost: mult_adds\nprices: {mac: 1}\n", "net": NET % 5}
    after = {"prices": f"name: mine\ncost: mult_adds\n{after}\n", "net": NET % 5}
    found, code, locked = change(before, after, *OPTIONS)
    assert found == [("raised", "mult_adds", "20k", "20k"), ("raised", "mult_adds", "+1%", "+1%")][:count]
    assert (code, locked) == (0, 1 if count else 0)
    said = "limit raised: max mult_adds 20k (the price list mine has changed), of net.yaml"
    out = {name: run("check", *OPTIONS, "--format", name).out for name in ("table", "github")}
    assert [said in text for text in out.values()] == [count > 0] * 2
    assert (out["github"].startswith("::warning file=prices.yaml,title=costcalc limit-raised::")) == (count > 0)


def test_a_price_list_of_an_option_without_a_base(repository, run, tmp_path_factory):
    assert run("check", *OPTIONS, "--locked").code == 2
    repository.commit(net=NET % 5)
    repository.write(prices="name: mine\ncost: mult_adds\nprices: {mac: 1}\n")
    assert "the price list at main cannot be read: there is no 'prices.yaml' at main" in run("check", *OPTIONS).out
    assert run("check", *OPTIONS, "--locked").code == 2
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "prices.yaml"
    elsewhere.write_text("name: mine\ncost: mult_adds\nprices: {mac: 1}\n")
    result = run("check", *OPTIONS[:-1], str(elsewhere), "--locked")
    assert (result.code, "limits from options have no version at the base" in result.err) == (2, True)
