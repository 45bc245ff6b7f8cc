"""End-to-end runs of checks in one process: files on disk, a base in memory, no other program."""

import os

import pytest

import costcalc
from costcalc import CostcalcError
from costcalc.budget import bases, checking, run
from costcalc.budget.asserting import assert_within
from costcalc.budget.checking import Run, check
from costcalc.errors import Problem, SpecError
from costcalc.limits import hint as limits_hint
from tests.budget.made import COMMIT, finished, statuses

NET = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"  # 1,000 * out mult-adds, 10 * out params
CHECKS = "checks:\n  - spec: net.yaml\n    max: {mult_adds: 10k, params: 1k}\n    vs_base: {mult_adds: +1%}\n"


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
    assert (one.base, one.state, checked.base) == (None, "error", "no base: limits are judged without a comparison")
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
    with pytest.raises(CostcalcError, match="limits from options need a spec") as error:
        finished(given=given)
    (problem,) = error.value.problems
    assert (problem.code, problem.help) == ("usage", "write costcalc check SPEC --max mult_adds=170M")
    with pytest.raises(CostcalcError, match="limits from options have no version at the base") as error:
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
    assert [(*each.limit[:3], each.limit.text, each.limit.place.line) for each in one.verdicts] == [
        ("max", "params", "", "95", 4),
        ("max", "mult_adds", "", "1M", 4),
    ]
    assert (one.check.place.line, one.check.spec, one.check.level) == (4, "own.yaml", "error")
    there({"bare.yaml": NET % 9, "empty/x.txt": ""}, files)
    (bare,) = finished("bare.yaml").outcomes
    assert [(each.code, each.help) for each in bare.problems] == [
        ("no-limits", "add `budget: {mult_adds: 170M}` to it, a check to costcalc.yaml, or --max mult_adds=170M")
    ]
    with pytest.raises(CostcalcError, match="no check covers a spec in 'empty'") as error:
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
    assert (problem.code, problem.place.line, problem.help) == ("base-unreadable", 4, "try another base: --base REF")
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
    assert (problem.code, problem.message) == ("outside", "a network that is not a file has no base to compare with")
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
    assert "a network of 2 layers cannot be compared with a base: the limit is 1" in one.problems[0].message
    with pytest.raises(SpecError) as error:
        run._Spec(run.Task("net.yaml"), bases.Bases("main")).compared(one.check)
    (problem,) = error.value.problems
    assert (problem.code, problem.help) == ("limit", limits_hint("compared"))
    there({"net.yaml": NET % 9}, {"costcalc.yaml": CHECKS, "net.yaml": two})
    (one,) = finished().outcomes
    assert [each.code for each in one.problems] == ["base-unreadable"]
    there({"net.yaml": two}, {"costcalc.yaml": CHECKS, "net.yaml": two})  # unchanged: nothing to compare
    assert statuses(finished()) == {"net.yaml": ["already", "pass", "pass"]}


def test_a_test_fails_for_what_is_over_a_limit(there):
    there({"costcalc.yaml": CHECKS, "net.yaml": NET % 9}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 9})
    assert [one.spec for one in assert_within(base="main")] == ["net.yaml"]
    there({"net.yaml": NET % 11}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 11})  # it was over before
    with pytest.raises(AssertionError) as error:
        assert_within(base="main")
    assert [str(one.path) for one in error.traceback.filter(error)] == [__file__]  # pytest shows the line of the test
    said = str(error.value).splitlines()
    assert said[0] == "net.yaml: mult-adds 11k is 1k (10.0 %) over the limit 10k"
    assert said[1:] == ["  base: 11k at main (ccccccc); this change does not affect it"]
    with pytest.raises(AssertionError) as error:
        assert_within("net.yaml", max={"mult_adds": "10k", "params": "100"})
    first, *lines = str(error.value).splitlines()
    assert (first, len(lines)) == ("net.yaml: mult-adds 11k is 1k (10.0 %) over the limit 10k", 5)
    assert lines[-1] == "  help: reduce it, or set a limit other than 100"
    there({"costcalc.yaml": CHECKS + "    level: warn\n"}, {"costcalc.yaml": CHECKS, "net.yaml": NET % 9})
    assert assert_within(base="main").state == "warn"
    there({"net.yaml": "layers: [\n"})
    with pytest.raises(CostcalcError, match=r"net\.yaml:2:1"):
        assert_within("net.yaml", max={"params": "100"})


def test_arguments_that_cannot_be_are_named(there):
    there({"net.yaml": NET % 9})
    for name in ("max", "min", "vs_base", "at", "metrics"):
        with pytest.raises(CostcalcError, match=f"`{name}`"):
            check("net.yaml", **{name: 3})
    assert [each.status for each in check("net.yaml", min={"params": "1k"})[0].verdicts] == ["over"]


def test_limits_from_options_are_judged_alone(there):
    there({"net.yaml": NET % 9 + "budget: {params: 1}\n"})
    (one,) = check("net.yaml", max={"mult_adds": "1M"})
    assert [each.limit.metric for each in one.verdicts] == ["mult_adds"]
    model = costcalc.load("net.yaml")
    assert [each.limit.metric for one in check(model, max={"mult_adds": "1M"}) for each in one.verdicts] == [
        "mult_adds"
    ]
    assert [each.limit.metric for one in check(model) for each in one.verdicts] == ["params"]


def test_what_a_glob_named_is_deleted_below_its_file(there):
    checks = "checks:\n- {spec: '*.yaml', max: {params: 1k}}\n"
    files = {"sub/costcalc.yaml": checks, "sub/net.yaml": NET % 9}
    there(files, {**files, "sub/gone.yaml": NET % 7, "top.yaml": NET % 6})
    assert Run([], "sub/costcalc.yaml", "main").finished().deleted == ("sub/gone.yaml",)


def test_paths_of_a_report_begin_at_the_repository(there, tmp_path, monkeypatch):
    there({"sub/x.txt": ""})
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert checking.unreadable(CostcalcError(Problem("x", "y"))).root == os.path.realpath(tmp_path)


def test_a_limit_on_layers_of_a_new_spec_is_judged(there):
    checks = "checks:\n- {spec: net.yaml, max: {layers: {'conv*': {params: 1}}}}\n"
    there({"net.yaml": NET % 9, "costcalc.yaml": checks}, {"costcalc.yaml": checks})
    (one,) = finished().outcomes
    assert ([each.status for each in one.verdicts], one.escaped) == (["over"], ())


def test_a_metric_that_a_spec_does_not_have_is_an_error_of_its_outcome(there):
    there({"net.yaml": NET % 9})
    (one,) = finished("net.yaml", base=None, given={"max": {"params": "1k"}}, metrics=["effective_alpha"]).outcomes
    assert ([each.status for each in one.verdicts], one.state, len(one.problems)) == (["pass"], "error", 1)


def test_a_limit_that_a_moved_spec_did_not_have_is_new_to_it(there):
    body = "".join(f"  - {{conv: 1x1, out: {at}}}\n" for at in range(1, 9))
    checks, own = "checks:\n- {spec: 'a/*.yaml', max: {params: 10}}\n", "budget: {params: 10}\n"
    there(
        {"costcalc.yaml": checks, "a/net.yaml": NET % 5 + body + own},
        {"costcalc.yaml": checks, "b.yaml": NET % 5 + body + own},
    )
    assert [[each.status for each in one.verdicts] for one in finished().outcomes] == [["over"], ["already"]]
    there({"new.yaml": NET % 7 + body + own}, {"old.yaml": NET % 7 + body})
    assert statuses(finished("new.yaml")) == {"new.yaml": ["over"]}
