"""No silent substitution: every command reports when it uses a shipped config instead of a file."""

import json

import pytest

from tests.commands import TAKING, WITH_JSON

ELSEWHERE = {
    *("space", "search"),  # for specs with choices
    *("survey", "import"),  # of files and models
    *("page", "serve"),  # a page, whose stamp is in tests/analysis/test_page.py
    "plot",  # the note of a sweep, in a picture
    "bench",  # prints times of the machine
}
CASES = {  # command -> command line on NET, the name of a shipped config and of a user file in turn
    **dict.fromkeys(sorted(TAKING - ELSEWHERE), "NET"),
    "explain": "NET linear_1",
    "sweep": "NET --vary classes=10,100",
    "fit": "NET --vary classes=10:100:10 --max mult_adds=100G",
    "compare": "NET NET NET",
    "diff": "NET NET",
    "check": "NET --max mult_adds=100G",
    "reconcile": "NET paper thop",
    "export": "NET -o net.py",
}
OWN = """
vars: {classes: 10}
published: [{source: a paper, rows: [{params: 0.1K}]}]
input: [16]
layers: [{linear: classes, as: linear_1}, {linear: 10}]
"""


def test_the_exceptions_are_commands():
    assert {*CASES} == TAKING - ELSEWHERE
    assert ELSEWHERE < TAKING


@pytest.mark.parametrize("command", CASES)
@pytest.mark.parametrize("name", ["vgg16.yaml", "vgg16"])
def test_a_shipped_config_is_called_one(run, tmp_path, command, name):
    line = [command, *CASES[command].replace("NET", name).split()]
    found = run(*line)
    if (command, name) == ("check", "vgg16.yaml"):
        assert found.code == 2
        assert "there is no file 'vgg16.yaml'" in found.out
        assert "write `costcalc check vgg16`" in found.out
        return
    assert found.code == 0
    assert ("shipped" in found.out + found.err) is not (command == "export" and name == "vgg16")
    if command in WITH_JSON:
        assert '"shipped": true' in run(*line, "--json").out


@pytest.mark.parametrize("command", CASES)
def test_a_file_of_ones_own_is_not(run, tmp_path, command):
    (tmp_path / "vgg16.yaml").write_text(OWN)
    line = [command, *CASES[command].replace("NET", "vgg16.yaml").split()]
    found = run(*line)
    assert found.code == (command == "reproduce")  # its published figure differs
    assert "shipped" not in found.out + found.err
    if command in WITH_JSON:
        assert '"shipped": true' not in run(*line, "--json").out


@pytest.mark.parametrize("name", ["./vgg16.yaml", "models/vgg16.yaml", "./vgg16", "vgg16.yml"])
def test_a_path_is_no_name_of_a_shipped_config(run, name):
    found = run("analyze", name)
    assert (found.code, found.out) == (2, "")
    assert f"there is no file '{name}'" in found.err


def test_included_files_that_are_shipped(run, tmp_path):
    text = "input: [224, 224, 3]\nlayers: [{include: mobilenet.yaml}, {include: head.yaml}]\n"
    (tmp_path / "net.yaml").write_text(text)
    (tmp_path / "head.yaml").write_text("input: [1000]\nlayers: [{linear: 10}]\n")
    assert "; includes the shipped config mobilenet; input" in run("analyze", "net.yaml").out
    spec = json.loads(run("analyze", "net.yaml", "--json").out)["spec"]
    assert (spec["shipped"], [one["shipped"] for one in spec["included"]]) == (False, [True, False])
    found = run("check", "net.yaml", "--max", "params=5M")
    assert "net.yaml: includes the shipped config mobilenet" in found.out
