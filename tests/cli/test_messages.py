"""Messages that state the solution."""

import pytest

from costcalc.cli.failures import report_failure
from costcalc.read.loading import ELSEWHERE


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("config.json", "name its config.json"),
        ("saved_model.pb", "python -m tf2onnx.convert --saved-model"),
        ("a", "name a file in it"),
    ],
)
def test_a_directory_names_the_way_in(run, tmp_path, name, way):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / name).touch()
    code, out, err = run("analyze", "model")
    assert (code, out, err.partition("\n")[0]) == (2, "", "error: 'model' is a directory")
    assert way in err


@pytest.mark.parametrize("suffix", ELSEWHERE)
def test_other_kinds_of_files_name_the_way_in(run, tmp_path, suffix):
    (tmp_path / f"model{suffix}").write_bytes(b"\x00\x01\x02")
    code, _, err = run("analyze", f"model{suffix}")
    assert (code, err.startswith(f"error: 'model{suffix}' is not a spec")) == (2, True)
    assert ELSEWHERE[suffix] in err


@pytest.mark.parametrize("name", ["numpy", "sympy", "pandas", "rich", "yaml"])
def test_a_missing_package_is_named(capsys, name):
    error = ModuleNotFoundError(f"No module named '{name}.core'", name=f"{name}.core")
    assert report_failure(error, []) == 2
    err = capsys.readouterr().err
    assert f"error: this needs the package `{name}`, which is not installed" in err
    assert "pip install" in err
    assert report_failure(ModuleNotFoundError("No module named 'costcalc.x'", name="costcalc.x"), []) == 101


def test_formulas_have_no_names_of_ours(run, tmp_path):
    (tmp_path / "net.yaml").write_text(
        "vars: {alpha: 1.0, res: 32}\ninput: [res, res, 3]\nlayers:\n"
        "  - {conv: 3x3, out: 64 if alpha > 0.5 else 32, stride: 2}\n  - {conv: 3x3, out: max(floor(8 * alpha), 4)}\n"
    )
    for extra in ([], ["--general"], ["--format", "latex"], ["--sensitivity"]):
        out = run("formula", "net.yaml", *extra).out
        assert "steps" not in out


def test_a_spec_of_the_zoo_points_at_no_schema_that_is_not_there(run, tmp_path):
    assert "yaml-language-server" not in run("zoo", "resnet50").out
    run("schema", "-o", "spec.schema.json")
    assert run("zoo", "resnet50").out.startswith("# yaml-language-server: $schema=spec.schema.json\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/next"),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "next"),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "next"),
        ("CHANGE_TARGET", "next"),
        ("COSTCALC_BASE", "next"),
    ],
)
def test_bases_of_other_ci(repository, run, monkeypatch, name, value):
    text = "input: [8]\nlayers: [{linear: 4}]\n"
    first = repository.commit(net=text)
    repository.git("branch", "next")
    repository.git("update-ref", "refs/remotes/origin/next", first)
    repository.commit(net=text.replace("4", "8"))
    monkeypatch.setenv(name, value)
    code, out, _ = run("check", "net.yaml", "--vs-base", "params=+0")
    assert code == 1
    assert f"next ({first[:7]})" in out


def test_an_option_before_the_command_says_where_it_goes(run):
    code, _, err = run("-q", "analyze", "mobilenet")
    assert code == 2
    assert "there is no option `-q`" in err
    assert "write it after the command: costcalc analyze .. -q" in err
