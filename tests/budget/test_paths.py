"""The files of a check: paths and globs in directories, without git."""

import os

import pytest

from costcalc.budget import paths
from costcalc.budget.config import read_config
from costcalc.budget.paths import is_in, tasks
from costcalc.errors import FileError

FILES = (
    *("a.yaml", "b.yml", "c.onnx", "note.txt", ".hidden.yaml", "m/a.yaml", "m/deep/e.YAML", "m/deep/f.json"),
    *("m/.off/g.yaml", "n/h.tflite", "n/i.keras", "odd[1].yaml"),
)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A directory of files, and a second one next to it."""
    for name in (*(f"top/{one}" for one in FILES), "away/secret.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    monkeypatch.chdir(tmp_path / "top")
    return tmp_path / "top"


def found(tree, *specs, wanted=()):
    """{path: how many checks} of the tasks of a file of checks with these specs."""
    lines = "".join(f"- {{spec: '{spec}', max: {{params: 1}}}}\n" for spec in specs)
    (tree / "costcalc.yaml").write_text(f"checks:\n{lines}")
    return {one.path: len(one.checks) for one in tasks(read_config("costcalc.yaml"), wanted)}


GLOBS = {
    "*.yaml": ["a.yaml", "odd[1].yaml"],
    "?.yml": ["b.yml"],
    "*/a.yaml": ["m/a.yaml"],
    "**/a.yaml": ["a.yaml", "m/a.yaml"],
    "**/*.yaml": ["a.yaml", "m/a.yaml", "odd[1].yaml"],
    "m/**/*.json": ["m/deep/f.json"],
    "**/*.tflite": ["n/h.tflite"],
    "n/*.keras": ["n/i.keras"],
    "*.onnx": ["c.onnx"],
    "**/e.YAML": ["m/deep/e.YAML"],
}


@pytest.mark.parametrize("glob", GLOBS)
def test_files_of_a_glob(tree, glob):
    """In any subdirectory, without hidden files and the file of checks itself."""
    assert sorted(found(tree, glob)) == GLOBS[glob]


def test_checks_on_a_file_are_one_task(tree):
    assert found(tree, "a.yaml", "*.yaml", "./a.yaml") == {"a.yaml": 3, "odd[1].yaml": 1}
    assert found(tree, "*.yaml", "m/**/*.yaml", wanted=["m"]) == {"m/a.yaml": 1}
    assert found(tree, "*.yaml", "m/*.yaml", wanted=["a.yaml", "n"]) == {"a.yaml": 1}
    (one,) = tasks(read_config(os.path.join("..", "top", "costcalc.yaml")), ["a.yaml"])
    assert (one.path, one.top) == (os.path.join("..", "top", "a.yaml"), os.path.join("..", "top"))


def test_all_that_is_wrong_is_said_at_its_check(tree):
    os.symlink("../../away", tree / "m" / "out")
    os.symlink("../away/secret.yaml", tree / "link.yaml")
    with pytest.raises(FileError) as error:
        found(tree, "b.yaml", "z*.yaml", "m/out/secret.yaml", "a.yaml", "l*.yaml", "note.txt")
    said = [(one.code, one.place.line, one.message) for one in error.value.problems]
    assert [(code, line) for code, line, _ in said[:2]] == [("no-file", 2), ("unmatched-glob", 3)]
    assert [line for _, line, _ in said] == [2, 3, 4, 6, 7]
    assert [one.help for one in error.value.problems[:2]] == [
        "a similar name exists: `b.yml`",
        "paths are relative to this file",
    ]
    with pytest.raises(FileError) as error:
        found(tree, "nothing_of_that_name_at_all")
    with pytest.raises(FileError) as error:
        found(tree, "nothing/of/that/name/at/all.onnx")
    assert error.value.problems[0].help == "remove the check, or correct the path"


BOUNDED = [(9, ["**/*.yaml"] * 4, None), (9, ["**/*.yaml"] * 3, 9), (7, ["m/*.yaml"], None), (8, ["m/*.yaml"], 1)]


@pytest.mark.parametrize(("most", "specs", "checks"), BOUNDED)
def test_files_and_checks_are_bounded(tree, monkeypatch, most, specs, checks):
    """Eight files including the file of checks; three of them are .yaml."""
    for name in ("b.yml", "c.onnx"):
        (tree / name).unlink()
    monkeypatch.setattr(paths, "FILES", most)
    if checks:
        assert sum(found(tree, *specs).values()) == checks
    else:
        with pytest.raises(FileError, match=f"more than {most} (checks on files|files are below)") as error:
            found(tree, *specs)
        assert {one.code for one in error.value.problems} == {"limit"}


def test_a_file_that_is_named_needs_no_look_at_all_others(tree, monkeypatch):
    """A check on one file works in a directory of any size."""
    monkeypatch.setattr(paths, "FILES", 1)
    assert found(tree, "a.yaml") == {"a.yaml": 1}
    monkeypatch.setattr(paths, "FILES", 2)
    assert found(tree, "a.yaml", "b.yml") == {"a.yaml": 1, "b.yml": 1}


def test_what_is_in_a_directory(tree):
    os.symlink("deep", tree / "m" / "same")
    os.symlink("a.yaml", tree / "m" / "other.yaml")
    for path, wanted, expected in (
        ("m/a.yaml", "m", True),
        ("m/a.yaml", "m/", True),
        ("m/a.yaml", ".", True),
        ("m/a.yaml", "m/a.yaml", True),
        ("m/a.yaml", "m/deep/../a.yaml", True),
        ("m/a.yaml", "a.yaml", False),
        ("mm/a.yaml", "m", False),
        ("m/other.yaml", "m/a.yaml", False),
        ("m/same/f.json", "m/deep", True),
        ("m/same/f.json", "m/deep/f.json", True),
    ):
        assert is_in(path, wanted) is expected, (path, wanted)
