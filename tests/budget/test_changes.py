"""`diff --base REF` without a spec: all that costcalc.yaml names and all that changed."""

import json

import pytest


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


def test_what_cannot_be_read_comes_first(repo, run):
    repo.write(c="layers: [")
    assert entries(run)[0] == ("c.yaml", "", None, None)


def test_without_a_base_or_with_settings_it_is_an_error(repo, run):
    for line in ("diff", "diff --base before --alpha 1", "diff --base nothing"):
        assert run(*line.split()).code == 2
