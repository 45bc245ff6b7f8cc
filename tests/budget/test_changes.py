"""`diff --base REF` without a spec: all specs in costcalc.yaml and all changed ones."""

import json
import math
import re

import pytest

from costcalc.budget.changes import ChangesPage, Moved
from costcalc.metrics.conventions import find
from costcalc.render.sheet import Column


def net(width):
    return f"vars: {{alpha: 1.0}}\ninput: [8]\nlayers: [{{linear: floor({width} * alpha), bias: false}}]\n"


@pytest.fixture
def repo(repository, tmp_path):
    (tmp_path / "costcalc.yaml").write_text("checks:\n  - {spec: a.yaml, at: {alpha: 0.5}, max: {params: 1M}}\n")
    repository.commit(a=net(100), b=net(100), c=net(100), other="a: 1\n")
    repository.git("branch", "before")
    repository.write(b=net(50), other="a: 2\n")
    return repository


def entries(run, *args):
    found = json.loads(run("diff", "--base", "before", "--json", *args).out)["specs"]
    return [(one["spec"], one["settings"], one["params_base"], one["params_now"]) for one in found]


def test_named_and_changed_specs_are_shown_by_how_far_they_moved(repo, run):
    assert entries(run) == [("b.yaml", "", 800, 400), ("a.yaml", "alpha=0.5", 400, 400)]
    out = run("diff", "--base", "before").out
    assert "-400" in out
    assert "-50.0 %" in out
    assert "c.yaml" not in out


def test_exit_code_is_for_what_rose(repo, run):
    assert run("diff", "--base", "before", "--exit-code").code == 0
    repo.write(c=net(101))
    assert run("diff", "--base", "before", "--exit-code").code == 1


@pytest.mark.parametrize("now", ["layers: [", net(100).replace("}]", "}, {opaque: magic}]")])
def test_exit_code_is_for_what_may_have_risen_too(repo, run, now):
    """With an unreadable file or a layer of unknown cost, a total may have risen."""
    repo.write(c=now)
    assert run("diff", "--base", "before").code == 0
    assert run("diff", "--base", "before", "--exit-code").code == 2
    assert run("diff", "c.yaml", "--base", "before", "--exit-code").code == 2


def test_what_was_unknown_before_has_not_risen(repo, run):
    unknown = net(100).replace("}]", "}, {opaque: magic}]")
    repo.commit(c=unknown)
    repo.git("branch", "-f", "before")
    repo.write(c=f"# the same\n{unknown}")
    assert run("diff", "--base", "before", "--exit-code").code == 0
    assert run("diff", "c.yaml", "--base", "before", "--exit-code").code == 0
    repo.write(c=unknown.replace("{opaque: magic}", "{opaque: magic}, {opaque: magic}"))
    assert run("diff", "--base", "before", "--exit-code").code == 2


def test_what_is_new_is_shown_unless_git_does_not_know_it_or_it_is_a_link(repo, run, tmp_path):
    repo.commit(new=net(10))
    repo.write(unknown=net(10))
    (tmp_path / "link.yaml").symlink_to("new.yaml")
    repo.git("add", "link.yaml")
    assert [one for one in entries(run) if one[2] is None] == [("new.yaml", "", None, 80)]
    (line,) = [line for line in run("diff", "--base", "before").out.splitlines() if line.startswith("new.yaml")]
    assert line.split() == ["new.yaml", "-", "80", "-", "-", "-", "80", "-", "-", "new"]


def test_a_moved_spec_is_compared_with_its_old_name(repo, run):
    repo.git("mv", "c.yaml", "moved.yaml")
    assert ("moved.yaml", "", 800, 800) in entries(run)


def test_every_cell(repo, run, tmp_path):
    (tmp_path / "costcalc.yaml").write_text(
        "checks:\n  - {spec: a.yaml, at: {alpha: 0.5}, vs_base: {params: +1%}}\n"
        "exceptions:\n  - {spec: a.yaml, at: {alpha: 0.5}, metric: params, from: 400, to: 500}\n"
    )
    repo.write(
        a=net(110), b=net(50).replace("bias: false}]", "bias: false}, {opaque: magic, params: 0}]"), c="layers: ["
    )
    head, _, *rows = run("diff", "--base", "before").out.splitlines()
    wanted = "spec mult-adds_base mult-adds_now mult-adds_change % params_base params_now params_change %"
    assert " ".join(re.sub(r"(mult-adds|params) ", r"\1_", head).split()) == wanted
    cells = {row.split()[0]: row for row in rows if ".yaml" in row}
    line = {name: " ".join(row.split()[1:]) for name, row in cells.items()}
    assert line["a.yaml"] == "alpha=0.5 400 440 +40 +10.0 % 400 440 +40 +10.0 % exception: params 400 -> 500"
    assert line["b.yaml"] == "800 400 -400 -50.0 % 800 400 -400 -50.0 % lower bounds (>=)"
    assert cells["c.yaml"].split()[1:9] == ["-"] * 8
    assert [*cells] == ["c.yaml", "b.yaml", "a.yaml"]
    found = json.loads(run("diff", "--base", "before", "--json").out)
    assert [*found] == ["schema_version", "costcalc", "base", "convention", "specs"]
    assert (found["convention"], found["base"][:13]) == ("paper", "base: before ")
    names = [*(f"{name}_{side}" for name in ("mult_adds", "params") for side in ("base", "now"))]
    assert [*found["specs"][2]] == ["spec", "settings", *names, "complete", "problem", "exceptions"]
    assert [(one["complete"], bool(one["problem"]), one["exceptions"]) for one in found["specs"]] == [
        (True, True, []),
        (False, False, []),
        (True, False, ["params 400 -> 500"]),
    ]
    csv = run("diff", "--base", "before", "--format", "csv").out.splitlines()
    assert csv[0].split(",") == [*found["specs"][2]]


def test_rho_is_a_setting_of_every_spec(repo, run, tmp_path):
    (tmp_path / "costcalc.yaml").write_text("checks:\n  - {spec: g.yaml, at: {rho: 0.5}, max: {params: 1M}}\n")
    grid = "vars: {res: 32}\ninput: [res, res, 3]\nlayers: [{conv: 3x3, out: 8, bias: false}]\n"
    repo.commit(g=grid)
    repo.git("branch", "-f", "before")
    (found,) = json.loads(run("diff", "--base", "before", "--json").out)["specs"]
    assert (found["mult_adds_base"], found["mult_adds_now"]) == (16 * 16 * 216, 16 * 16 * 216)


def test_a_phase_is_a_setting_too(repo, run, tmp_path):
    (tmp_path / "costcalc.yaml").write_text("checks:\n  - {spec: c.yaml, at: {phase: train}, max: {params: 1M}}\n")
    repo.write(c=net(100).replace("}]", "}, {linear: 10, bias: false, only: train}]"))
    (found,) = [one for one in json.loads(run("diff", "--base", "before", "--json").out)["specs"] if one["settings"]]
    assert (found["problem"], found["params_base"], found["params_now"]) == ("", 800, 1_800)


def test_what_cannot_be_read_comes_first(repo, run):
    repo.write(c="layers: [")
    assert entries(run)[0] == ("c.yaml", "", None, None)


def test_without_a_base_or_with_settings_it_is_an_error(repo, run):
    for line in ("diff", "diff --base before --alpha 1", "diff --base nothing"):
        assert run(*line.split()).code == 2


def moved(before, after, **more):
    """A spec of one layer without bias, with its width at the base and now; None if it does not exist."""
    sides = ({"mult_adds": side, "params": side} if side is not None else None for side in (before, after))
    return Moved("net.yaml", {}, *sides, **more)


SHARES = [(100, 150, 0.5), (100, 50, 0.5), (100, 100, 0.0), (0, 0, 0.0), (0, 7, 1.0), (None, 7, math.inf)]


@pytest.mark.parametrize(("before", "after", "share"), SHARES)
def test_how_far_a_spec_moved(before, after, share):
    assert moved(before, after).share == share


def page(*found):
    return ChangesPage(list(found), "base: main", find("paper"))


def test_only_what_was_there_can_rise():
    assert not page(moved(None, 7), moved(7, None, problem="gone"), moved(7, 7)).rose
    assert page(moved(None, 7), moved(7, 8)).rose


def test_the_columns_of_the_table():
    """A narrow screen drops percentages first, then amounts at the base; names are folded."""
    costs = [
        column
        for title in ("mult-adds", "params")
        for column in (
            Column(f"{title} base", number=True, spare=2, counts=True),
            Column(f"{title} now", number=True, counts=True),
            Column(f"{title} change", number=True, counts=True),
            Column("%", number=True, spare=1),
        )
    ]
    (sheet,) = page(moved(1, 2)).sheets()
    assert sheet.columns == (Column("spec", folds=True), *costs, Column("", folds=True))
    assert sheet.rows == [("net.yaml", "1", "2", "+1", "+100.0 %", "1", "2", "+1", "+100.0 %", "")]


def test_where_nothing_changed_the_notes_say_so():
    assert page().notes()[0] == "no spec changed, and no file of checks names one"
    assert page(moved(1, 1)).notes()[0] == "base: main"


def test_a_spec_that_could_not_be_read_at_the_base(repo, run):
    repo.commit(c="layers: [")
    repo.git("branch", "-f", "before")
    repo.write(c=net(100))
    (found,) = [one for one in json.loads(run("diff", "--base", "before", "--json").out)["specs"] if one["problem"]]
    assert (found["spec"], found["params_base"], found["params_now"]) == ("c.yaml", None, 800)
    assert found["problem"].startswith("at the base: ")


def test_a_text_that_cannot_be_read_is_no_spec(repo, run, tmp_path):
    (tmp_path / "other.yaml").write_bytes(b"layers: \xff\xfe")
    assert "other.yaml" not in [one[0] for one in entries(run)]
