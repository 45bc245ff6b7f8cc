"""docs/budgets.md is correct: every block is read or run, every table compared with the code."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from costcalc.budget import verdict
from costcalc.budget.config import read_config
from costcalc.cli.check import FORMATS, command
from costcalc.quantities import BYTES, COUNTS
from costcalc.read.spec.reader import SECTIONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "budgets.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.S | re.M)


_READ = [(yaml.safe_load(block), block) for block in blocks("yaml")]
YAML = {next(reversed(read)) if "exceptions" in read else next(iter(read)): block for read, block in _READ}
CHECKS, OWN, NET = YAML["checks"], YAML["input"], YAML["vars"]
WORKFLOW, GITLAB, HOOKS = (yaml.safe_load(YAML[key]) for key in (True, "costcalc", "repos"))


def test_every_yaml_block_is_known():
    assert len(blocks("yaml")) == len(YAML) == 7


@pytest.fixture
def shown(repository):
    """The repository of the page: the file of checks and the spec, on a branch."""
    repository.commit(costcalc=CHECKS, models__net=NET)
    repository.git("switch", "-q", "-c", "change")
    return repository


def test_the_file_of_checks(shown, run):
    assert len(read_config("costcalc.yaml").checks) == 2
    code, out, _ = run("check")
    assert (code, out.startswith("8 passed\n")) == (0, True)


@pytest.mark.parametrize("block", blocks("console"))
def test_what_is_printed(shown, run, block):
    before, after = re.search("a change of `(.*)` to `(.*)` prints", PAGE).groups()
    shown.write(models__net=NET.replace(before, after))
    line, _, printed = block.partition("\n")
    result = run(*shlex.split(line.removeprefix("$ "))[1:])
    assert result.code == 1
    assert result.out.startswith(printed)


@pytest.mark.parametrize("line", [line for block in blocks("sh") for line in block.splitlines()])
def test_commands_run(shown, run, line):
    assert run(*shlex.split(line)[1:]).code == 0


def test_a_budget_of_its_own(run, tmp_path):
    (tmp_path / "net.yaml").write_text(OWN)
    assert run("check", "net.yaml").code == 0


def test_python_blocks(shown, capsys, tmp_path):
    suite, script = blocks("python")
    exec(compile(script, "budgets.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == re.findall("print.*# (.*)", script)
    (tmp_path / "test_net.py").write_text(suite)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "costcalc.pytest_plugin"]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, env=env)
    assert "1 passed" in done.stdout


def test_the_workflow_uses_inputs_that_there_are():
    steps = WORKFLOW["jobs"]["costcalc"]["steps"]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert set(steps[-1]["with"]) <= set(action["inputs"])
    assert all(f"`{name}" in PAGE for name in action["inputs"] if name not in ("summary", "token"))
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in HOOKS["repos"][0]["hooks"]] == [hook["id"] for hook in hooks]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(("repeat", "code"), [("4", 0), ("6", 1)])
def test_the_gitlab_job(shown, tmp_path_factory, repeat, code):
    shown.write(models__net=NET.replace("repeat: 4", f"repeat: {repeat}"))
    programs = tmp_path_factory.mktemp("bin")
    (programs / "python").write_text(f'#!/bin/bash\nmkdir -p "$4/bin" && cp {programs}/there "$4/bin/python"\n')
    (programs / "there").write_text(f'#!/bin/bash\n[ "$3" = pip ] || exec {sys.executable} "$@"\n')
    for name in ("python", "there"):
        (programs / name).chmod(0o755)
    script = "\n".join(GITLAB["costcalc"]["script"])
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    for report in GITLAB["costcalc"]["artifacts"]["reports"].values():
        assert (shown.root / report).stat().st_size
    assert ("error[over-limit]" in done.stdout) == bool(code)


def test_tables_name_what_there_is():
    rows = dict(re.findall(r"^\| \w+ \| [\w ]+ \| `(\w+)`: (.*?) \|", PAGE, re.M))
    assert rows == {
        name: verdict.SAYS[name]
        for name in (verdict.PASS, verdict.CROSSED, verdict.WORSE, verdict.ALREADY, verdict.OVER)
    }
    assert all(f"`{name}`" in PAGE for name in (*verdict.SAYS, *filter(None, (*COUNTS, *BYTES))) if name != "K")
    assert all(f"`{name}`" in PAGE for name in FORMATS)
    options = {opt for param in command.params for opt in param.opts if opt.startswith("--")}
    ordinary = {"--set", "--rho", "--res", "--json", "--color", "--output", "--convention", "--config"}
    ordinary |= {"--help", "--quiet", "--verbose", "--units"}  # of every command
    assert {opt for opt in options - ordinary if opt not in PAGE} == set()
    assert "budget" in SECTIONS


def test_this_repository_keeps_its_own_budgets(run, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert run("check").code == 0
