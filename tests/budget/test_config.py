"""Values of a file of checks, and its errors with place and help. Without a network."""

import os

import pytest

from costcalc.budget import config
from costcalc.budget.config import Check, config_of, find_config, key_for, limit_of, read_config
from costcalc.errors import CostcalcError, Source
from costcalc.files import Folder
from costcalc.metrics.conventions import find

WHOLE = """\
checks:
- spec: 'models/*.yaml'
  at: {alpha: 0.75, deep: true}
  convention: torchinfo
  max:
    mult_adds: 170M
    paper.params: '4k'
    any_layer: {params: 10%}
    any_layer.activations: 7
    layers: {'conv*': {mult_adds: 3}}
  min: {params: 1}
  vs_base: {weights_bytes: +1%}
  level: warn
  why: it  must
    fit
- {spec: b.yaml, max: {params: 1}}
exceptions:
- {spec: b.yaml, at: {a: 3}, convention: torchinfo, metric: mult_adds, from: 5k, to: 6k, reason: it  must  be}
- {spec: c.yaml, metric: paper.params, from: 5, to: '6'}
"""


def read(text, path="models/costcalc.yaml", folder="."):
    return config_of(Source(path, text), Folder(folder))


def at(place):
    return place.line, place.column, place.width


def test_a_check_has_all_that_is_written():
    found = read(WHOLE)
    assert (found.path, found.folder) == ("models/costcalc.yaml", "models")
    first, second = found.checks
    assert (first.spec, first.at, first.level, first.why) == (
        "models/*.yaml",
        {"alpha": 0.75, "deep": True},
        "warn",
        "it must fit",
    )
    assert (first.convention, first.counted_by) == (find("torchinfo"), "torchinfo")
    assert (at(first.place), at(first.at_place)) == ((2, 9, 15), (3, 7, 25))
    assert [(one.kind, one.where, one.metric, one.text, *at(one.place)) for one in first.limits] == [
        ("max", "", "mult_adds", "170M", 6, 16, 4),
        ("max", "", "paper.params", "4k", 7, 19, 4),
        ("max", "any_layer", "params", "10%", 8, 25, 3),
        ("max", "any_layer", "activations", "7", 9, 28, 1),
        ("max", "conv*", "mult_adds", "3", 10, 35, 1),
        ("min", "", "params", "1", 11, 17, 1),
        ("vs_base", "", "weights_bytes", "+1%", 12, 28, 3),
    ]
    assert second._replace(limits=()) == Check("b.yaml", {}, find("paper"), (), place=second.place)
    assert (second.level, second.why, second.counted_by, second.at_place) == ("error", "", "paper", None)


def test_an_exception_has_all_that_is_written():
    first, second = read(WHOLE).exceptions
    assert (first.spec, first.at, first.counted_by, first.metric) == ("b.yaml", {"a": 3}, "torchinfo", "mult_adds")
    assert (first.before, first.most, first.most_text, first.reason) == (5_000, 6_000, "6k", "it must be")
    assert (at(first.place), at(first.most_place)) == ((18, 10, 6), (18, 86, 2))
    assert first.key == ((("a", "3"),), "torchinfo", "mult_adds")
    assert (second.at, second.counted_by, second.metric) == ({}, "paper", "paper.params")
    assert (second.before, second.most, second.most_text, second.reason) == (5, 6, "6", "")
    assert (at(second.place), at(second.most_place)) == ((19, 10, 6), (19, 53, 3))
    assert read("checks:\n- {spec: a.yaml, max: {params: 1}}\nexceptions:\n").exceptions == ()


def test_a_convention_tells_exceptions_apart_unless_the_metric_names_it():
    assert key_for({"b": 2, "a": True}, "torchinfo", "params") == ((("a", "True"), ("b", "2")), "torchinfo", "params")
    assert key_for({}, "torchinfo", "paper.params") == ((), "", "paper.params")


CHECK = "checks: [{spec: net.yaml, %s}]"
EXCEPT = "checks: [{spec: net.yaml, max: {params: 1}}]\nexceptions: %s"
ENTRY = "{spec: my_net.yaml, max: {mult_adds: 170M}}"
EXCEPTION = "{spec: my_net.yaml, metric: mult_adds, from: 1000000, to: 1100000}"
HELP, HELP_EXCEPT = f"write {ENTRY}", f"write {EXCEPTION}"
ONE_SPEC = "name it; each spec needs its own exception"
ONE_WORD = "write `%s: ..` with one value"
SIMILAR, SIMILAR_PAPER = "a similar name exists: `params`", "a similar name exists: `paper`"
DOWN = "a path is relative to the directory of the file that contains it, as in `backbones/mobilenet.yaml`"
KNOWN = "known: `at`, `convention`, `from`, `metric`, `reason`, `spec`, `to`"
BESIDE = "paths are relative to this file"
WRONG = [  # the file (places between « »), and (code, help) of each error
    ("«x»", ("not-a-map", "start with `checks:` and a list")),
    ("«a»: 1", ("unknown-key", "known: `checks`, `exceptions`"), ("missing-key", f"write `checks:`, then - {ENTRY}")),
    ("«e»xceptions: []", ("empty", f"- {EXCEPTION}"), ("missing-key", f"write `checks:`, then - {ENTRY}")),
    ("checks: «[]»", ("empty", f"- {ENTRY}")),
    ("checks: «{a: 1}»", ("not-a-list", "start each of the checks with `- `")),
    ("checks: [«x»]", ("not-a-map", HELP)),
    ("checks: [«{max: {params: 1}}»]", ("missing-key", HELP)),
    ("checks: [«{spec: net.yaml}»]", ("missing-key", "add max: {mult_adds: 170M}")),
    ("checks: [«{spec: net.yaml, max: {}}»]", ("missing-key", "add max: {mult_adds: 170M}")),
    (CHECK % "max: «3»", ("not-a-map", "write {mult_adds: 170M}")),
    (CHECK % "vs_base: «3»", ("not-a-map", "write {mult_adds: +1%}")),
    (CHECK % "max: {any_layer: «3»}", ("not-a-map", "write {mult_adds: 170M}")),
    (CHECK % "max: {layers: «3»}", ("not-a-map", "write {'conv*': {mult_adds: 170M}}")),
    (CHECK % "max: {layers: {a: «3»}}", ("not-a-map", "write {mult_adds: 170M}")),
    (CHECK % "max: {params: 1}, at: «3»", ("not-a-map", "write {alpha: 0.75, res: 160}")),
    (CHECK % "max: {params: 1}, level: «eror»", ("unknown-level", "a similar name exists: `error`")),
    (CHECK % "max: {params: 1}, level: «warm»", ("unknown-level", "a similar name exists: `warn`")),
    (CHECK % "max: {params: 1}, why: «[x]»", ("not-text", "write `why: ..` with one value")),
    (CHECK % "max: {params: 1}, level: «[x]»", ("not-text", "write `level: ..` with one value")),
    (CHECK % "max: {params: «[1]»}", ("not-text", "write `params: ..` with one value")),
    (CHECK % "max: {params: 1}, at: {alpha: «[1]»}", ("not-text", "write `alpha: ..` with one value")),
    (CHECK % "max: {params: 1}, convention: «a.yaml»", ("no-file", "paths are relative to this file")),
    (CHECK % "max: {params: 1}, convention: «a.yml»", ("no-file", "paths are relative to this file")),
    (CHECK % "vs_base: {«layers»: {a: {params: +1}}}", ("bad-limit", "write `layers` under `max:` or `min:`")),
    (CHECK % "vs_base: {«any_layer»: {params: +1}}", ("bad-limit", "write `any_layer` under `max:` or `min:`")),
    (CHECK % "vs_base: {«any_layer.flops»: +1}", ("bad-limit", "write `any_layer.flops` under `max:` or `min:`")),
    (CHECK % "max: {«parms»: 1}", ("unknown-metric", "a similar name exists: `params`")),
    (CHECK % "max: {params: «10%»}", ("bad-limit", "")),
    (CHECK % "max: {layers: {a: {«parms»: 10%}}}", ("unknown-metric", "a similar name exists: `params`")),
    (EXCEPT % "«{}»", ("not-a-list", "start each of the exceptions with `- `")),
    (EXCEPT % "«[]»", ("empty", f"- {EXCEPTION}")),
    (EXCEPT % "[«x»]", ("not-a-map", HELP_EXCEPT)),
    (EXCEPT % "[«{metric: params, from: 1, to: 2}»]", ("missing-key", HELP_EXCEPT)),
    (EXCEPT % "[«{spec: a.yaml, from: 1, to: 2}»]", ("missing-key", HELP_EXCEPT)),
    (EXCEPT % "[«{spec: a.yaml, metric: params, to: 2}»]", ("missing-key", HELP_EXCEPT)),
    (EXCEPT % "[«{spec: a.yaml, metric: params, from: 1}»]", ("missing-key", HELP_EXCEPT)),
    (EXCEPT % "[{spec: «'*.yaml'», metric: params, from: 1, to: 2}]", ("bad-value", ONE_SPEC)),
    (EXCEPT % "[{spec: «a?.yaml», metric: params, from: 1, to: 2}]", ("bad-value", ONE_SPEC)),
    (EXCEPT % "[{spec: «a.txt», metric: params, from: 1, to: 2}]", ("bad-include", DOWN)),
    (EXCEPT % "[{spec: a.yaml, metric: «parms», from: 1, to: 2}]", ("unknown-metric", SIMILAR)),
    (EXCEPT % "[{spec: a.yaml, metric: params, from: «1MB», to: 2}]", ("bad-limit", "")),
    (EXCEPT % "[{spec: a.yaml, metric: params, from: 1, to: «2%»}]", ("bad-limit", "")),
    (EXCEPT % "[{spec: a.yaml, metric: params, from: 1, to: 2, at: {a: «[1]»}}]", ("not-text", ONE_WORD % "a")),
    (EXCEPT % "[{spec: a.yaml, metric: params, from: 1, to: 2, reason: «[1]»}]", ("not-text", ONE_WORD % "reason")),
    (
        EXCEPT % "[{spec: a.yaml, metric: params, from: 1, to: 2, convention: «papr»}]",
        ("unknown-convention", SIMILAR_PAPER),
    ),
    (EXCEPT % "[{spec: a.yaml, metric: params, from: 1, to: 2, convention: «a.yaml»}]", ("no-file", BESIDE)),
    (EXCEPT % "[{spec: a.yaml, metric: params, from: 1, to: 2, «max»: 3}]", ("unknown-key", KNOWN)),
]


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_has_a_place_and_a_way_out(case, tmp_path):
    marked, *wanted = case
    parts = marked.replace("«", "|«").replace("»", "|").split("|")
    spots = [("".join(parts[:at]).replace("«", ""), one[1:]) for at, one in enumerate(parts) if one[:1] == "«"]
    with pytest.raises(CostcalcError) as error:
        read(marked.replace("«", "").replace("»", ""), folder=str(tmp_path))
    found = error.value.problems
    assert sorted((one.code, one.help or "") for one in found) == sorted(wanted)
    ((before, word),) = spots
    spot = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert spot in [(one.place.line, one.place.column) for one in found]
    assert {one.place.width for one in found if at(one.place)[:2] == spot} == {len(word)}
    assert {one.place.source.path for one in found} == {"models/costcalc.yaml"}


def test_a_level_is_one_of_two():
    assert [read(CHECK % f"level: {one}, max: {{params: 1}}").checks[0].level for one in ("error", "warn")] == [
        "error",
        "warn",
    ]


def test_one_list_has_a_limit(monkeypatch):
    monkeypatch.setattr(config, "CHECKS", 2)
    one, other = "{spec: net.yaml, max: {params: 1}}", "{spec: net.yaml, metric: params, from: 1, to: 2}"
    two = read(f"checks: [{one}, {one}]\nexceptions: [{other}, {other}]")
    assert (len(two.checks), len(two.exceptions)) == (2, 2)
    for text, what in (
        (f"checks: [{one}, {one}, x]", "checks"),
        (f"checks: [{one}]\nexceptions: [{other}, {other}, x]", "exceptions"),
    ):
        with pytest.raises(CostcalcError, match=f"at most 2 {what} can stand here") as error:
            read(text)
        assert [one.code for one in error.value.problems] == ["limit"]


@pytest.mark.parametrize(
    ("text", "is_glob"),
    [
        ("*.yaml", True),
        ("- spec: *.yaml", True),
        ("- spec: **/x.yaml", True),
        ("- spec: [a", False),
        ("- {spec: &x a}", False),
    ],
)
def test_a_glob_without_quotes_is_told_from_other_bad_yaml(text, is_glob):
    with pytest.raises(CostcalcError) as error:
        read(f"checks:\n{text}\n")
    help = "a glob that begins with `*` needs quotes: '*.yaml'"
    assert {one.help == help for one in error.value.problems} == {is_glob}


def test_a_price_list_is_found_beside_the_file(tmp_path):
    prices = "name: ours\ntitle: x\nbase: paper\ncost: mult_adds\nprices: {mac: 3}\n"
    (tmp_path / "ours.yaml").write_text(prices)
    text = (CHECK % "convention: ours.yaml, max: {mult_adds: 1}") + "\nexceptions:\n- " + EXCEPTION
    found = read(text.replace("metric", "convention: ours.yaml, metric"), folder=str(tmp_path))
    assert (found.checks[0].convention.prices["mac"], found.checks[0].counted_by) == (3, "ours.yaml")
    assert found.exceptions[0].counted_by == "ours.yaml"


def test_a_share_is_of_layers_and_a_change_of_the_whole():
    paper = find("paper")
    assert limit_of("max", "params", "conv*", "10%", paper).bound.unit == "%"
    with pytest.raises(CostcalcError, match="limited by a number"):
        limit_of("max", "params", "", "10%", paper)
    with pytest.raises(CostcalcError, match="a change starts with"):
        limit_of("vs_base", "params", "", "10%", paper)
    assert limit_of("vs_base", "params", "", "+10%", paper)[:5:4] == ("vs_base", "+10%")


def test_the_nearest_file_of_checks_up_to_the_repository_counts(tmp_path, monkeypatch):
    inner = tmp_path / "top" / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    (tmp_path / "costcalc.yaml").write_text("")
    assert find_config() == os.path.join("..", "..", "..", "costcalc.yaml")
    (tmp_path / "top" / ".git").mkdir()
    assert find_config() is None
    (tmp_path / "top" / "costcalc.yaml").write_text("")
    assert find_config() == os.path.join("..", "..", "costcalc.yaml")
    (tmp_path / "top" / "a" / "costcalc.yaml").mkdir()  # a directory is not a file of checks
    assert find_config() == os.path.join("..", "..", "costcalc.yaml")
    (inner / "costcalc.yaml").write_text("")
    assert (find_config(), find_config("..")) == ("costcalc.yaml", os.path.join("..", "..", "costcalc.yaml"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CostcalcError, match="there is no file") as error:
        read_config(str(tmp_path / "costcalc.yaml"))
    assert error.value.problems[0].code == "no-file"


def test_names_that_other_parts_and_the_documentation_use():
    assert config.NAME == "costcalc.yaml"
    assert config.KEYS == ("spec", "at", "convention", "max", "min", "vs_base", "level", "why")
    assert config.EXEMPTION == ("spec", "at", "convention", "metric", "from", "to", "reason")
    assert config.CHECKS == 10_000
