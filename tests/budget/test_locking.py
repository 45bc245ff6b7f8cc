"""Limits compared with a base in memory: raised, removed, or no longer applying. Without git."""

from pathlib import Path

import pytest

from costcalc import CostcalcError
from costcalc.budget import checking
from costcalc.budget.checking import Run
from tests.budget.made import finished, loosened, statuses

NET = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"  # 1,000 * out mult-adds, 10 * out params
CHECKS = "checks:\n  - spec: net.yaml\n    max: {mult_adds: 10k, params: 1k}\n    vs_base: {mult_adds: +1%}\n"
PRICES = "name: mine\ncost: mult_adds\nprices: {mac: %s}\n"


def limits(there, before, after, *specs, **more):
    """The loosened limits of a change with only tracked files."""
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
    assert loosened(finished("a/b/net.yaml")) == []  # none before


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
        ("base-unreadable", "try another base: --base REF")
    ]
    there(after, {**after, "costcalc.yaml": "net.yaml"}, modes={"costcalc.yaml": "120000"})
    assert finished().base.endswith("the limits at main cannot be read: 'costcalc.yaml' was a link there")


GLOBS = [  # a glob at the base, the files that it matched there
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
    assert limits(there, before, after) == []  # the limit is new, so none was left


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


def test_a_price_list_may_be_a_path(there):
    files = {"net.yaml": NET % 5, "prices.yaml": PRICES % 1}
    there({**files, "prices.yaml": PRICES % 0}, files)
    checked = Run(["net.yaml"], None, "main", {"max": {"params": "1M"}}, convention=Path("prices.yaml")).finished(
        locked=True
    )
    assert [one[0] for one in loosened(checked)] == ["raised"]


def test_an_exception_for_a_spec_that_no_check_is_about_is_told(there):
    checks = "checks:\n- {spec: net.yaml, vs_base: {params: +1%}}\n"
    entry = "exceptions:\n- {spec: other.yaml, metric: params, from: 1, to: 2}\n"
    files = {"net.yaml": NET % 9, "other.yaml": NET % 9}
    found = limits(there, {**files, "costcalc.yaml": checks}, {**files, "costcalc.yaml": checks + entry})
    assert found == [("exception", "params", "except 1 -> 2", "other.yaml")]


def test_a_spec_that_is_no_text_any_more_has_lost_its_limits(there, tmp_path):
    there({}, {"net.yaml": NET % 9 + "budget: {params: 1k}\n"})
    (tmp_path / "net.yaml").write_bytes(b"\xff\xfe\x00budget")
    assert loosened(finished("net.yaml")) == [("removed", "params", "1k", "net.yaml")]


def test_the_budget_of_a_spec_with_another_name_is_the_one_that_it_had(there):
    body = "".join(f"  - {{conv: 1x1, out: {at}}}\n" for at in range(1, 9))
    text = NET % 5 + body + "budget: {params: %s}\n"
    found = limits(there, {"net.yaml": text % "10k"}, {"other.yaml": text % "20k"}, "other.yaml")
    assert found == [("raised", "params", "10k -> 20k", "net.yaml")]


@pytest.mark.parametrize(("convention", "known"), [("paper", ["refs/heads/main"]), ("prices.yaml", [])])
def test_limits_from_options_have_a_base_where_their_price_list_is_a_file_of_one(there, convention, known):
    files = {"net.yaml": NET % 5, "prices.yaml": PRICES % 1}
    there(files, files, known=known)
    run = Run(["net.yaml"], None, None, {"max": {"mult_adds": "20k"}}, convention=convention)
    with pytest.raises(CostcalcError, match="limits from options have no version at the base") as error:
        run.finished(locked=True)
    (problem,) = error.value.problems
    help = "leave out --locked: it compares the limits of costcalc.yaml and of specs"
    assert (problem.code, problem.help) == ("usage", help)
