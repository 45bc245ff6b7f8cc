"""Each declared version range is tested at both ends: .ci/run installs the bounds of pyproject.toml."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import costcalc

ROOT = Path(__file__).parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
LISTS = re.findall(r"^(?:requires|dependencies|[a-z]+) = \[(.*?)\]$", PYPROJECT, re.M | re.S)
NAMES = {"yaml": "pyyaml"}  # module -> package, if they differ
OWN = {"google": "onnx", "torch": "torch", "PIL": "matplotlib"}  # dependencies of others, or objects passed by the user


def printed(path):
    line = [sys.executable, ROOT / ".ci" / "lowest.py", path]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_every_requirement_has_a_lower_bound_that_is_tried():
    asked = {one for found in LISTS for one in re.findall(r'"([^"]+)"', found) if re.match(r"[\w.-]+[<>=~!]", one)}
    assert len(asked) >= 15
    assert all(re.fullmatch(r"[\w.-]+>=[\d.]+", one) for one in asked)
    small = {one for one in asked if not one.startswith("torch>")}  # torch is tested by the last steps of .ci/run
    assert sorted(printed(ROOT / "pyproject.toml").stdout.split()) == sorted(one.replace(">=", "==") for one in small)
    assert "torch>=2.13" in asked
    assert "torch==2.13" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_two_bounds_of_one_package_are_an_error(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        PYPROJECT.replace('plot = ["matplotlib>=3.8"]', 'plot = ["matplotlib>=3.9"]')
    )
    done = printed(tmp_path / "pyproject.toml")
    assert (done.returncode, "matplotlib has two lower bounds" in done.stderr) == (1, True)


def test_every_module_that_is_imported_is_asked_for():
    root = Path(costcalc.__file__).parent
    nodes = [node for path in root.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    imports = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imports |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    outside = {name.partition(".")[0] for name in imports} - sys.stdlib_module_names - {"costcalc"} - OWN.keys()
    asked = printed(ROOT / "pyproject.toml").stdout
    assert {"click", "yaml", "numpy", "pandas"} <= outside
    assert [name for name in outside if f"{NAMES.get(name, name)}==" not in asked] == []


def test_ci_tries_both_ends():
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert ".ci/lowest.py" in text
    assert text.count("-m pytest") >= 2
    names = re.findall(r"tests/[\w/]+\.py", text)
    assert len(names) > 10
    assert [name for name in names if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("line", ['"$work/lowest/bin/pip" check', "-W default::DeprecationWarning"])
def test_ci_sees_what_does_not_fit_together(line):
    assert line in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_ci_runs_every_test_that_needs_pytorch():
    """Where PyTorch is missing they are skipped, and no step before the last ones has it; slow ones run there too."""
    needs = re.compile(r"""(importorskip|find_spec)\("torch"[,)]""")
    tests = (ROOT / "tests").rglob("test_*.py")
    files = sorted(path for path in tests if needs.search(path.read_text(encoding="utf-8")))
    assert len(files) > 10
    runs = (ROOT / ".ci" / "run").read_text(encoding="utf-8").partition("install --no-cache-dir torch==")[2]
    runs = re.findall(r"-m pytest (?:.*\\\n)*.*", runs)
    assert all('-m "slow or not slow"' in one or "-m slow" in one for one in runs)
    named = {name for one in runs for name in re.findall(r"tests/[\w/]+\.py", one)}
    assert [name for path in files if (name := path.relative_to(ROOT).as_posix()) not in named] == []
