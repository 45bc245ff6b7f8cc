"""A run of checks from end to end in one process: files on disk, a base in memory, no git and no other program."""

import os

import pytest

import costcalc
from costcalc import CostcalcError
from costcalc.budget import checking
from costcalc.budget.asserting import assert_within
from costcalc.budget.checking import Run, check
from tests.budget.made import COMMIT

NET = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"  # 1,000 * out mult-adds, 10 * out params
CHECKS = "checks:\n  - spec: net.yaml\n    max: {mult_adds: 10k, params: 1k}\n    vs_base: {mult_adds: +1%}\n"


def finished(*specs, base="main", **more):
    return Run(list(specs), None, base, **more).finished()


def statuses(checked):
    found = {}
    for one in checked.outcomes:
        found.setdefault(one.title, []).extend(each.status for each in one.verdicts)
    return found


def loosened(checked):
    return [(one.status, one.limit.metric, one.became, *one.specs) for one in checked.loosened]


def test_a_change_is_judged_against_the_base(there):
    there({"costcalc.yaml": CHECKS, "net.yaml": NET % 11}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 9})
    checked = finished()
    assert statuses(checked) == {"net.yaml": ["crossed", "pass", "grew"]}
    assert checked.base == "base: main (ccccccc)"
    (one,) = checked.outcomes
    assert [each.base for each in one.verdicts] == [9_000, 90, 9_000]
    assert tuple(one.base) == ("main", COMMIT, "net.yaml")
    assert (checked.loosened, checked.deleted, checked.locked, checked.stale) == ((), (), False, ())
    assert checked.root == os.path.realpath(".")


def test_a_spec_is_new_moved_or_gone(there):
    body = "".join(f"  - {{conv: 1x1, out: {at}}}\n" for at in range(1, 9))
    checks = "checks:\n- {spec: '*.yaml', vs_base: {params: +0}}\n- {spec: 'a/*.yaml', vs_base: {params: +0}}\n"
    there(
        {"costcalc.yaml": checks, "new.yaml": NET % 3, "a/moved.yaml": NET % 5 + body, "same.yaml": NET % 4},
        {
            "costcalc.yaml": checks,
            "old.yaml": NET % 5 + body,
            "same.yaml": NET % 4,
            "gone.yaml": "x: 1\n",
            "b/gone.yaml": "",
        },
        tracked=["costcalc.yaml", "new.yaml", "a/moved.yaml", "same.yaml"],
    )
    checked = finished()
    assert statuses(checked) == {"new.yaml": ["skipped"], "same.yaml": ["pass"], "a/moved.yaml": ["pass"]}
    assert [one.base.name for one in checked.outcomes] == [None, "same.yaml", "old.yaml"]
    assert checked.deleted == ("gone.yaml",)


def test_without_a_repository_only_changes_need_a_base(there):
    there({"costcalc.yaml": CHECKS, "net.yaml": NET % 9})
    checked = finished(base=None)
    (one,) = checked.outcomes
    assert statuses(checked) == {"net.yaml": ["pass", "pass"]}
    assert [(each.code, each.place.line, each.help) for each in one.problems] == [
        ("not-a-repository", 4, "`max` and `min` need no base")
    ]
    assert (one.base, one.state, checked.base) == (None, "error", "no base: limits are judged by themselves")
    assert (checked.loosened, checked.deleted, checked.root) == ((), (), os.path.realpath("."))
    with pytest.raises(CostcalcError, match="this is not a git repository"):
        finished()
    with pytest.raises(CostcalcError, match="this is not a git repository"):
        Run([]).finished(locked=True)


def test_limits_from_options_take_the_place_of_those_in_a_file(there):
    memory = there({"costcalc.yaml": CHECKS, "net.yaml": NET % 11}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 9})
    given = {"max": {"params": "105"}, "vs_base": {"mult_adds": "+3k"}}
    checked = finished("net.yaml", given=given)
    assert statuses(checked) == {"net.yaml": ["crossed", "pass"]}
    assert (checked.loosened, memory.closed) == ((), 1)
    assert checked.outcomes[0].verdicts[0].limit.place is None
    with pytest.raises(CostcalcError, match="limits without a spec") as error:
        finished(given=given)
    (problem,) = error.value.problems
    assert (problem.code, problem.help) == ("usage", "write costcalc check SPEC --max mult_adds=170M")
    with pytest.raises(CostcalcError, match="limits from options have no base") as error:
        Run(["net.yaml"], None, "main", given).finished(locked=True)
    assert error.value.problems[0].code == "usage"


def test_a_setting_and_a_convention_are_for_limits_from_options(there):
    there({"net.yaml": "vars: {a: 1}\n" + NET % "5 * a"})
    checked = finished("net.yaml", base=None, given={"max": {"params": "10"}}, at={"a": 2}, convention="torchinfo")
    (one,) = checked.outcomes
    assert (one.title, one.check.convention.name, one.verdicts[0].now) == ("net.yaml a=2", "torchinfo", 110)


def test_metrics_that_are_asked_for_are_shown(there):
    there({"costcalc.yaml": CHECKS, "net.yaml": NET % 11}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 9})
    (one,) = finished(metrics=["params", "weights_bytes", "params"]).outcomes
    assert [tuple(each) for each in one.shown] == [
        ("params", 110, 90, True, True),
        ("weights_bytes", 440, 360, True, True),
    ]
    (one,) = finished(base=None, metrics=["params"]).outcomes
    assert [tuple(each) for each in one.shown] == [("params", 110, None, True, True)]
    with pytest.raises(CostcalcError, match="there is no metric `parms`"):
        finished(metrics=["parms"])


def test_a_layer_of_unknown_cost_makes_a_lower_bound(there):
    opaque = NET % 9 + "  - {opaque: top, out: [1]}\n"
    checks = "checks:\n- {spec: net.yaml, max: {weights_bytes: 1kB}}\n"
    there({"costcalc.yaml": checks, "net.yaml": NET % 9}, {"costcalc.yaml": checks, "net.yaml": opaque})
    (one,) = finished(metrics=["params"]).outcomes
    assert one.shown[0][1:] == (90, 90, True, False)
    there({"net.yaml": opaque}, {"costcalc.yaml": checks, "net.yaml": NET % 9})
    (one,) = finished(metrics=["params"]).outcomes
    assert one.shown[0][1:] == (90, 90, False, True)


def test_specs_that_are_named_are_all_that_is_checked(there):
    checks = (
        CHECKS
        + "- {spec: m/a.yaml, max: {params: 1k}}\n".replace("-", "  -")
        + "  - {spec: m/b.yaml, max: {params: 1k}}\n"
    )
    budget = "budget: {params: 95, mult_adds: 1M}\n"
    files = {
        "costcalc.yaml": checks,
        "net.yaml": NET % 9,
        "m/a.yaml": NET % 9,
        "m/b.yaml": NET % 9 + budget,
        "own.yaml": NET % 10 + budget,
    }
    there(files, files)
    assert statuses(finished("m")) == {"m/a.yaml": ["pass"], "m/b.yaml": ["pass", "pass", "pass"]}
    assert statuses(finished("m/a.yaml", "net.yaml")) == {"m/a.yaml": ["pass"], "net.yaml": ["pass"] * 3}
    assert statuses(finished("own.yaml")) == {"own.yaml": ["already", "pass"]}
    (one,) = finished("own.yaml").outcomes
    assert [(each.limit.metric, each.limit.text, each.limit.place.line) for each in one.verdicts] == [
        ("params", "95", 4),
        ("mult_adds", "1M", 4),
    ]
    assert (one.check.place.line, one.check.spec, one.check.level) == (4, "own.yaml", "error")
    there({"bare.yaml": NET % 9, "empty/x.txt": ""}, files)
    (bare,) = finished("bare.yaml").outcomes
    assert [(each.code, each.help) for each in bare.problems] == [
        ("no-limits", "add `budget: {mult_adds: 170M}` to it, a check to costcalc.yaml, or --max mult_adds=170M")
    ]
    with pytest.raises(CostcalcError, match="no check is about a spec in 'empty'") as error:
        finished("empty")
    assert error.value.problems[0].code == "no-limits"


def test_a_run_without_checks_says_what_to_write(there):
    there({"net.yaml": NET % 9})
    with pytest.raises(CostcalcError, match=r"there is no costcalc.yaml here or in a directory above") as error:
        finished(base=None)
    (problem,) = error.value.problems
    assert (problem.code, "{spec: my_net.yaml, max: {mult_adds: 170M}}" in problem.help) == ("no-config", True)


def test_a_spec_that_cannot_be_read_is_one_error_at_its_check(there):
    there({"costcalc.yaml": CHECKS, "net.yaml": "layers: [\n"}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 9})
    (one,) = finished().outcomes
    assert (one.state, one.verdicts, len(one.problems)) == ("error", (), 1)
    there({"net.yaml": NET % 9}, {"costcalc.yaml": CHECKS, "net.yaml": "layers: [\n"})
    (one,) = finished().outcomes
    assert [each.status for each in one.verdicts] == ["pass", "pass"]
    (problem,) = one.problems
    assert (problem.code, problem.place.line, problem.help) == ("base-unreadable", 4, "another base may do: --base REF")
    assert problem.message.startswith("there is nothing to compare with at main: ")


def test_a_wrong_setting_is_an_error_where_it_is_written(there):
    checks = "checks:\n- spec: net.yaml\n  at: {b: 1}\n  max: {params: 1k}\n"
    there({"costcalc.yaml": checks, "net.yaml": NET % 9})
    (one,) = finished(base=None).outcomes
    assert [(each.code, each.place.line, each.place.column) for each in one.problems] == [("unknown-variable", 3, 7)]


def test_a_shipped_config_is_no_file_of_a_check(there):
    there({})
    (one,) = finished("mobilenet.yaml", base=None, given={"max": {"params": "5M"}}).outcomes
    (problem,) = one.problems
    assert (problem.code, problem.message) == ("no-file", "there is no file 'mobilenet.yaml'")
    assert problem.help == "to check the shipped config of this name, write `costcalc check mobilenet`"
    (one,) = finished("mobilenet", base=None, given={"max": {"params": "5M"}}).outcomes
    assert (one.state, one.shipped, one.verdicts[0].now) == ("pass", True, 4_209_088)


def test_a_network_that_is_no_file_has_no_base(there):
    there({"net.yaml": NET % 9}, {"net.yaml": NET % 9})
    model = costcalc.load("net.yaml")
    outcomes = check(model, base="main", vs_base={"params": "+0"}, max={"params": "1k"})
    (one,) = outcomes
    assert [each.status for each in one.verdicts] == ["pass"]
    (problem,) = one.problems
    assert (problem.code, problem.message) == ("outside", "a network that is no file has no base to compare with")
    assert problem.help == "check it with `max` or `min`, or give a path"
    assert (outcomes.state, check(model, max={"params": "1k"}).state) == ("error", "pass")
    assert outcomes.page().heads()[-1].startswith("1 not judged, 1 passed")


def test_the_worst_outcome_is_the_state_of_all(there):
    there({"net.yaml": NET % 9, "big.yaml": NET % 99, "bad.yaml": "layers: [\n"})
    for specs, state in (
        (["net.yaml"], "pass"),
        (["net.yaml", "big.yaml"], "fail"),
        (["big.yaml", "bad.yaml"], "error"),
    ):
        assert check(*specs, max={"params": "100"}).state == state
    there({"costcalc.yaml": CHECKS.replace("1k", "1") + "    level: warn\n"}, {"net.yaml": NET % 8})
    assert check(base="main").state == "warn"


def test_a_spec_outside_the_repository_has_no_base(there, tmp_path_factory):
    away = tmp_path_factory.mktemp("away") / "net.yaml"
    away.write_text(NET % 9)
    there({}, {})
    (one,) = finished(str(away), given={"vs_base": {"params": "+0"}}).outcomes
    (problem,) = one.problems
    assert (problem.code, problem.help) == ("outside", "check it with `max` or `min`, which need no base")
    assert problem.message.endswith("is not in the repository: there is no base to compare with")


def test_a_run_that_could_not_begin_has_an_outcome_for_its_report(there):
    there({"costcalc.yaml": "checks: 3\n"})
    with pytest.raises(CostcalcError) as error:
        finished(base=None)
    found = checking.unreadable(error.value)
    assert (found.outcomes[0].spec, found.base, found.outcomes[0].state) == (
        "costcalc.yaml",
        "nothing was compared",
        "error",
    )
    assert found.outcomes[0].problems == error.value.problems
    nowhere = checking.unreadable(CostcalcError(error.value.problems[0]._replace(place=None)))
    assert nowhere.outcomes[0].spec == "costcalc.yaml"


def test_too_many_layers_are_compared_with_no_base(there, limit):
    there({"costcalc.yaml": CHECKS, "net.yaml": NET % 9}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 8})
    limit(compared=1)
    assert statuses(finished()) == {"net.yaml": ["pass", "pass", "grew"]}
    two = NET % 9 + "  - {conv: 1x1, out: 2}\n"
    there({"net.yaml": two}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 8})
    (one,) = finished().outcomes
    assert "a network of 2 layers is compared with no base: the limit is 1" in one.problems[0].message
    there({"net.yaml": NET % 9}, {"costcalc.yaml": CHECKS, "net.yaml": two})
    (one,) = finished().outcomes
    assert [each.code for each in one.problems] == ["base-unreadable"]
    there({"net.yaml": two}, {"costcalc.yaml": CHECKS, "net.yaml": two})  # the same: there is nothing to compare
    assert statuses(finished()) == {"net.yaml": ["already", "pass", "pass"]}


PRICES = "name: mine\ncost: mult_adds\nprices: {mac: %s}\n"


def limits(there, before, after, *specs, **more):
    """What became of the limits of a change, all of whose files are tracked."""
    there(after, before, tracked=list(after), **more)
    return loosened(finished(*specs))


EDITS = [
    ("10k", "20k", [("raised", "mult_adds", "10k -> 20k", "net.yaml")]),
    ("+1%", "+2%", [("raised", "mult_adds", "+1% -> +2%", "net.yaml")]),
    (", params: 1k", "", [("removed", "params", "1k", "net.yaml")]),
    ("10k", "9k", []),
]


@pytest.mark.parametrize(("old", "new", "found"), EDITS)
def test_limits_are_those_of_the_base_or_stricter(there, old, new, found):
    before = {"costcalc.yaml": CHECKS, "net.yaml": NET % 5}
    assert limits(there, before, before | {"costcalc.yaml": CHECKS.replace(old, new)}) == found
    checked = Run([], None, "main").finished(locked=True)
    assert (checked.locked, {one.path for one in checked.loosened}) == (True, {"costcalc.yaml"} if found else set())


def test_the_budget_in_a_spec_is_compared_where_its_text_is_another(there):
    before = {"net.yaml": NET % 5 + "budget: {mult_adds: 10k, params: 1k}\n"}
    after = {"net.yaml": NET % 5 + "budget: {mult_adds: 20k}\n"}
    wanted = [("raised", "mult_adds", "10k -> 20k", "net.yaml"), ("removed", "params", "1k", "net.yaml")]
    assert limits(there, before, after, "net.yaml") == wanted
    assert limits(there, before, before, "net.yaml") == []
    assert limits(there, before, {"net.yaml": "layers: [\n"}, "net.yaml") == [
        ("removed", "mult_adds", "10k", "net.yaml"),
        ("removed", "params", "1k", "net.yaml"),
    ]
    assert limits(there, {"net.yaml": "layers: [\n"}, before, "net.yaml") == []


def test_a_file_of_checks_counts_where_the_base_had_it(there, monkeypatch, tmp_path):
    files = {"a/costcalc.yaml": CHECKS.replace("net", "b/net"), "a/b/net.yaml": NET % 5}
    there(files, files)
    (tmp_path / "a" / "costcalc.yaml").unlink()
    for folder in ("a/b", "a"):
        monkeypatch.chdir(tmp_path / folder)
        found = finished("b/net.yaml" if folder == "a" else "net.yaml", given=None)
        assert [one[0] for one in loosened(found)] == ["removed"] * 3
        assert {one.path for one in found.loosened} == {"a/costcalc.yaml"}
    monkeypatch.chdir(tmp_path)
    there({"a/b/net.yaml": NET % 5 + "budget: {params: 1k}\n"}, files)
    assert loosened(finished("a/b/net.yaml")) == []  # here there was none


def test_a_file_of_checks_that_an_option_names(there):
    files = {"ci/ours.yaml": CHECKS, "ci/net.yaml": NET % 5}
    there({**files, "ci/ours.yaml": CHECKS.replace("10k", "11k")}, files)
    checked = Run([], "ci/ours.yaml", "main").finished()
    assert loosened(checked) == [("raised", "mult_adds", "10k -> 11k", "ci/net.yaml")]
    assert checked.loosened[0].path == "ci/ours.yaml"


def test_a_file_of_checks_that_cannot_be_read_at_the_base(there):
    after = {"costcalc.yaml": CHECKS, "net.yaml": NET % 5}
    there(after, {**after, "costcalc.yaml": "checks: 3\n"})
    checked = finished()
    assert checked.loosened == ()
    assert checked.base == "base: main (ccccccc); the limits at main cannot be read: expected a list, found `3`"
    with pytest.raises(CostcalcError, match="cannot be read") as error:
        Run([], None, "main").finished(locked=True)
    assert [(one.code, one.help) for one in error.value.problems] == [
        ("base-unreadable", "another base may do: --base REF")
    ]
    there(after, {**after, "costcalc.yaml": "net.yaml"}, modes={"costcalc.yaml": "120000"})
    assert finished().base.endswith("the limits at main cannot be read: 'costcalc.yaml' was a link there")


GLOBS = [  # a glob at the base, the files that it named there
    ("models/*.yaml", ["models/a.yaml", "models/b.yaml"]),
    ("models/**/*.yaml", ["models/a.yaml", "models/b.yaml", "models/deep/c.yaml"]),
    ("**/*.yaml", ["models/a.yaml", "models/b.yaml", "models/deep/c.yaml", "top.yaml"]),
    ("./top.yaml", ["top.yaml"]),
    ("*.onnx", []),
]


@pytest.mark.parametrize(("glob", "names"), GLOBS)
def test_globs_name_at_the_base_what_they_would_name_now(there, glob, names):
    specs = ["models/a.yaml", "models/b.yaml", "models/deep/c.yaml", ".off/d.yaml", "models/.e.yaml", "top.yaml"]
    files = dict.fromkeys(specs, NET % 5) | {"top.txt": "x"}
    checks = f"checks:\n- {{spec: '{glob}', max: {{params: 1k}}}}\n"
    other = "checks:\n- {spec: top.yaml, max: {flops: 1G}}\n"
    found = limits(there, files | {"costcalc.yaml": checks}, files | {"costcalc.yaml": other})
    assert found == ([("removed", "params", "1k", *names)] if names else [])
    assert sorted(files) == sorted([*specs, "top.txt"])


@pytest.mark.parametrize(
    ("named", "names"),
    [("models", ["models/a.yaml"]), ("models/a.yaml", ["models/a.yaml"]), (".", ["models/a.yaml", "modelsx/b.yaml"])],
)
def test_only_limits_of_specs_that_a_run_is_about_are_compared(there, named, names):
    files = {"models/a.yaml": NET % 5, "modelsx/b.yaml": NET % 5}
    text = "checks:\n" + "".join(f"- {{spec: {name}, max: {{params: %s}}}}\n" for name in files)
    before, after = text.replace("%s", "1k"), text.replace("%s", "2k")
    found = limits(there, files | {"costcalc.yaml": before}, files | {"costcalc.yaml": after}, named)
    assert [one[3] for one in found] == names


def test_a_spec_that_is_gone_or_called_otherwise_is_no_longer_judged(there):
    body = "".join(f"  - {{conv: 1x1, out: {at}}}\n" for at in range(1, 9))
    checks = "checks:\n- {spec: 'a/*.yaml', max: {params: 10k}}\n"
    before = {"costcalc.yaml": checks, "a/one.yaml": NET % 5 + body, "a/two.yaml": NET % 7, "a/stays.yaml": NET % 5}
    after = {"costcalc.yaml": checks, "b/one.yaml": NET % 5 + body, "a/stays.yaml": NET % 5}
    assert limits(there, before, after) == [
        ("unmatched", "params", "10k (it is b/one.yaml now)", "a/one.yaml"),
        ("unmatched", "params", "10k (it is deleted)", "a/two.yaml"),
    ]


def test_a_layer_that_leaves_its_glob_is_no_longer_judged(there):
    named = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: 5, as: stage/a}\n  - {conv: 1x1, out: 5, as: %s}\n"
    checks = "checks:\n  - {spec: net.yaml, max: {layers: {'stage/*': {params: 200}}}}\n"
    before, after = {"costcalc.yaml": checks, "net.yaml": named % "stage/b"}, {"net.yaml": named % "head/b"}
    after["costcalc.yaml"] = checks
    assert limits(there, before, after) == [
        ("unmatched", "params", "200 (`stage/b` is gone, `head/b` is new)", "net.yaml")
    ]
    before["costcalc.yaml"] = CHECKS.replace("10k, params: 1k", "1M")
    after["costcalc.yaml"] = checks.replace("max: {", "max: {mult_adds: 1M, ").replace(
        "}}}}", "}}}, vs_base: {mult_adds: +1%}}"
    )
    assert limits(there, before, after) == []  # the limit is new, so it has left none


@pytest.mark.parametrize(("price", "count"), [(0, 1), (2, 1), (1, 0)])
def test_a_price_list_of_an_option_is_compared_too(there, price, count):
    files = {"net.yaml": NET % 5, "prices.yaml": PRICES % 1}
    there({**files, "prices.yaml": PRICES % price}, files)
    given = {"max": {"mult_adds": "20k"}}
    for convention in ("prices.yaml", checking.os.path.abspath("prices.yaml")):
        checked = Run(["net.yaml"], None, "main", given, convention=convention).finished(locked=True)
        wanted = ("raised", "mult_adds", "20k (the price list mine has changed)", "net.yaml")
        assert loosened(checked) == [wanted] * count
    there({}, {"net.yaml": NET % 5})
    with pytest.raises(CostcalcError, match="the price list at main cannot be read: there is no 'prices"):
        Run(["net.yaml"], None, "main", given, convention="prices.yaml").finished(locked=True)


def test_a_spec_that_is_moved_to_a_limit_counts_as_new_there(there):
    body = "".join(f"  - {{conv: 1x1, out: {at}}}\n" for at in range(1, 9))
    checks = "checks:\n- {spec: 'a/*.yaml', max: {params: 10}}\n"
    before = {"costcalc.yaml": checks, "b/net.yaml": NET % 5 + body, "a/old.yaml": NET % 7 + body * 2}
    there({"costcalc.yaml": checks, "a/net.yaml": NET % 5 + body, "a/new.yaml": NET % 7 + body * 2}, before)
    assert statuses(finished()) == {"a/net.yaml": ["over"], "a/new.yaml": ["already"]}
    own = {"costcalc.yaml": checks, "net.yaml": NET % 5 + body + "budget: {params: 10}\n"}
    there({"moved.yaml": own["net.yaml"]}, own)
    assert statuses(finished("moved.yaml")) == {"moved.yaml": ["already"]}


def test_an_exception_lets_one_change_pass(there):
    checks = "checks:\n- {spec: net.yaml, vs_base: {params: +1%}}\n"
    entry = "exceptions:\n- {spec: net.yaml, metric: params, from: %s, to: 99}\n"
    there({"costcalc.yaml": checks + entry % 90, "net.yaml": NET % 9}, {"costcalc.yaml": checks, "net.yaml": NET % 9})
    assert (statuses(finished()), finished().stale) == ({"net.yaml": ["pass"]}, ())
    assert [one.status for one in finished().loosened] == ["exception"]
    there({"net.yaml": NET % 99}, {"costcalc.yaml": checks, "net.yaml": NET % 9})
    assert statuses(finished()) == {"net.yaml": ["grew"]}
    there({"costcalc.yaml": checks + entry % 80, "net.yaml": NET % 9}, {"costcalc.yaml": checks, "net.yaml": NET % 9})
    assert [one.why for one in finished().stale] == ["the base has 90, not 80"]
    assert finished("net.yaml").stale == finished().stale
    there({"other.yaml": NET % 9})
    assert finished("other.yaml", given={"max": {"params": "1k"}}, base=None).stale == ()


def test_a_test_fails_for_what_is_over_a_limit(there):
    there({"costcalc.yaml": CHECKS, "net.yaml": NET % 9}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 9})
    assert [one.spec for one in assert_within(base="main")] == ["net.yaml"]
    there({"net.yaml": NET % 11}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 11})  # it was over before
    with pytest.raises(AssertionError) as error:
        assert_within(base="main")
    said = str(error.value).splitlines()
    assert said[0] == "net.yaml: mult-adds 11k is 1k (10.0 %) over the limit 10k"
    assert said[1:] == ["  base: 11k at main (ccccccc); this change leaves it"]
    with pytest.raises(AssertionError) as error:
        assert_within("net.yaml", max={"mult_adds": "10k", "params": "100"})
    first, *lines = str(error.value).splitlines()
    assert (first, len(lines)) == ("net.yaml: mult-adds 11k is 1k (10.0 %) over the limit 10k", 5)
    assert lines[-1] == "  help: reduce it, or give another limit than 100"
    there({"costcalc.yaml": CHECKS + "    level: warn\n"}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 9})
    assert assert_within(base="main").state == "warn"
    there({"net.yaml": "layers: [\n"})
    with pytest.raises(CostcalcError, match=r"net\.yaml:2:1"):
        assert_within("net.yaml", max={"params": "100"})
