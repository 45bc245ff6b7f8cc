"""The parts for CI, each tested in use: the action by a shell, the hooks by pre-commit, the fixture by pytest."""

import inspect
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import costcalc
from costcalc.budget.asserting import assert_within

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
NET = "input: [10, 10, 10]\nlayers: [{conv: 1x1, out: %s}]\n"
CHECKS = "checks:\n  - {spec: models/net.yaml, max: {mult_adds: 10k}}\n"
PARTS = ("README.md", "LICENSE", "costcalc", "configs", ".pre-commit-hooks.yaml", "action.yml")
PARTS += ("pyproject.toml", "hatch_build.py", "docs", "lean")
LEAN = {"click", "rich", "pyyaml"}

LIBRARIES = [path for path in sys.path if path.rstrip("/").endswith(("site-packages", "dist-packages"))]
PLANTED = {  # files that a checkout may contain so that programs execute them
    *sys.stdlib_module_names,
    *("click", "yaml", "rich", "numpy", "pandas", "sympy", "costcalc", "pip", "hatchling", "setuptools", "wheel"),
    *(
        "sitecustomize",
        "usercustomize",
        "ensurepip",
        "virtualenv",
        "pre_commit",
        "_virtualenv",
        "distutils",
        "packaging",
    ),
}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the package sources in a separate commit."""
    folder = tmp_path_factory.mktemp("sources")
    for name in PARTS:
        path = ROOT / name
        ignored = shutil.ignore_patterns("__pycache__")
        (shutil.copytree if path.is_dir() else shutil.copy)(
            path, folder / name, **({"ignore": ignored} if path.is_dir() else {})
        )
    who = ["-c", "user.name=a", "-c", "user.email=a"]
    for args in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "a"]):
        subprocess.run(["git", "-C", folder, *args], check=True)
    return folder


@pytest.fixture
def offline(monkeypatch):
    """Makes pip install offline: the package is built and run with the libraries of these tests."""
    pytest.importorskip("hatchling")
    settings = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_CONFIG_FILE": os.devnull}
    for name, value in {**settings, "PYTHONPATH": os.pathsep.join(LIBRARIES)}.items():
        monkeypatch.setenv(name, value)


def script(path, text):
    """Write an executable bash script."""
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def environments(tmp_path_factory):
    """A directory for PATH with a Python whose virtual environments contain the libraries of these tests."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "a.pth").write_text("\n".join(LIBRARIES))
    for name in ("python", "python3"):
        add = f'for site in "$4"/lib/python*/site-packages; do cp {folder}/a.pth "$site"; done'
        script(folder / name, f'{sys.executable} "$@" || exit; [ "$3" != venv ] || {add}')
    return folder


class Job:
    """A job that runs the steps of the action like GitHub's runner."""

    def __init__(self, folder, temp, inputs, event):
        defaults = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()}
        assert inputs.keys() <= defaults.keys()
        self.folder, self.temp, self.event = folder, temp, event
        self.inputs = {**defaults, "token": "t", **inputs}
        self.outputs, self.logs = {}, {}
        self.summary, self.output = temp / "summary.md", temp / "output"

    def value(self, text, action_path):
        """A text with its expressions replaced; an unknown one is an error of the action."""

        def known(match):
            expression = match[1].strip()
            if expression == "github.action_path":
                return str(action_path)
            if expression == "github.event.pull_request.number":
                return "7"
            kind, _, name = expression.partition(".")
            if kind == "inputs":
                return self.inputs[name]
            return self.outputs[expression]

        return re.sub(r"\$\{\{(.*?)\}\}", known, str(text))

    def wanted(self, step):
        """Whether a step's `if` is true."""
        parts = step.get("if", "").replace("${{", "").replace("}}", "").split("&&")
        found = [part.strip().partition(" == ") for part in parts if part.strip()]
        return all(
            self.inputs[name.removeprefix("inputs.")] == value.strip("'") if value else self.event
            for name, _, value in found
        )

    def run(self, action_path, path=""):
        """Run the steps; return the exit code of the one that fails, or 0."""
        for step in ACTION["runs"]["steps"]:
            if not self.wanted(step):
                continue
            self.output.write_text("")
            assert "${{" not in step["run"]  # otherwise a branch name could be a command
            env = {name: self.value(text, action_path) for name, text in step.get("env", {}).items()}
            files = {"GITHUB_STEP_SUMMARY": self.summary, "GITHUB_OUTPUT": self.output, "RUNNER_TEMP": self.temp}
            env = {**os.environ, **env, **{name: str(value) for name, value in files.items()}}
            env |= {"GITHUB_REPOSITORY": "a/b", "PATH": f"{path}:{os.environ['PATH']}"}
            where = self.folder / self.value(step.get("working-directory", "."), action_path)
            shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            done = subprocess.run(shell, cwd=where, env=env, capture_output=True, text=True, check=False)
            self.logs[step["name"]] = done.stdout + done.stderr
            pairs = (line.partition("=") for line in self.output.read_text().splitlines())
            self.outputs |= {f"steps.{step.get('id')}.outputs.{name}": value for name, _, value in pairs}
            if done.returncode:
                return done.returncode
        return 0


@pytest.fixture
def job(repository, tmp_path_factory):
    """A function that creates a job on the repository with costcalc installed."""

    def job(inputs, event=True, installed=True):
        temp = tmp_path_factory.mktemp("runner")
        if installed:
            (temp / "costcalc" / "bin").mkdir(parents=True)
            script(temp / "costcalc" / "bin" / "python", f'[ "$3" = pip ] || exec {sys.executable} "$@"')
            (temp / "bin").mkdir()
            script(temp / "bin" / "python3", "exit 0")  # no new environment, because one exists
        found = Job(repository.root, temp, inputs, event)
        found.path = temp / "bin"
        return found

    return job


@pytest.mark.slow
def test_the_action_installs_checks_and_sums_up(repository, job, sources, offline, environments):
    repository.commit(costcalc=CHECKS, models__net=NET % 10)
    repository.git("switch", "-q", "-c", "change")
    repository.commit(models__net=NET % 11)
    one = job({}, installed=False)
    assert one.run(sources, environments) == 1, one.logs
    assert one.logs["Check"].startswith("::error file=models/net.yaml,line=2,col=")
    assert one.outputs == {"steps.check.outputs.exit-code": "1"}
    assert one.summary.read_text().startswith("**costcalc: 1 failed, 0 passed**\n")
    assert "Comment" not in one.logs


INPUTS = [
    ({}, 1, True),
    ({"paths": "models/other.yaml"}, 0, True),
    ({"paths": "models/other.yaml models/net.yaml"}, 1, True),
    ({"base": "HEAD"}, 0, True),
    ({"base": "HEAD", "strict": "true"}, 1, True),
    ({"config": "loose.yaml"}, 0, True),
    ({"working-directory": "models"}, 1, True),
    ({"summary": "false"}, 1, False),
    ({"paths": "models/other.yaml", "locked": "true"}, 0, True),
    ({"paths": "models/other.yaml", "config": "raised.yaml", "locked": "true"}, 1, True),
    ({"config": "none.yaml"}, 2, True),
    ({"base": "nowhere"}, 2, True),
    ({"paths": "--exit-zero"}, 2, True),
    ({"base": "$(touch hacked)", "paths": "; touch hacked", "config": "`touch hacked`"}, 2, True),
]


@pytest.mark.parametrize(("inputs", "code", "summary"), INPUTS)
def test_every_input_of_the_action(repository, job, inputs, code, summary):
    both = CHECKS + "  - {spec: models/other.yaml, max: {params: 1M}}\n"
    others = {"loose": both.replace("10k", "1M"), "raised": both}
    repository.commit(costcalc=both, **others, models__net=NET % 10, models__other=NET % 1)
    repository.git("switch", "-q", "-c", "change")
    repository.commit(models__net=NET % 11, raised=both.replace("1M", "2M"))
    one = job(inputs)
    assert one.run("", one.path) == code
    assert one.summary.exists() == summary
    assert not list(repository.root.rglob("hacked"))
    assert code == 0 or re.search("^::(error|warning) ", one.logs["Check"], re.M)


def test_every_input_of_the_action_is_used():
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    assert used == set(ACTION["inputs"])
    assert {name for inputs, _, _ in INPUTS for name in inputs} | {"comment", "token"} == used


GH = r"""#!/bin/bash
echo "$@" >> "$RUNNER_TEMP/calls"
case "$*" in *--paginate*) cat "$RUNNER_TEMP/comments";; esac
"""


@pytest.mark.parametrize("old", ["", "41\n42\n"])
def test_a_comment_is_made_once_then_kept_up_to_date(repository, job, old):
    repository.commit(costcalc=CHECKS, models__net=NET % 10)
    one = job({"comment": "true"})
    (one.path / "gh").write_text(GH)
    (one.path / "gh").chmod(0o755)
    (one.temp / "comments").write_text(old)
    assert one.run("", one.path) == 0
    calls = (one.temp / "calls").read_text().splitlines()
    end = f"--field body=@{one.temp}/comment.md"
    if old:
        assert calls[1] == f"api --method PATCH repos/a/b/issues/comments/41 {end}"
    else:
        assert calls[1] == f"api --method POST repos/a/b/issues/7/comments {end}"
    assert (one.temp / "comment.md").read_text().startswith("<!-- costcalc check -->\n**costcalc: 1 passed**\n")
    without = job({"comment": "true"}, event=False)  # no pull request, nothing to comment on
    assert without.run("", without.path) == 0
    assert "Comment" not in without.logs


@pytest.fixture
def hooks(repository, sources, offline, tmp_path_factory, monkeypatch):
    """A function that runs the hooks on all files, as a commit does."""
    pytest.importorskip("pre_commit")
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(home))
    revision = subprocess.run(
        ["git", "-C", sources, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    hooks = "".join(f"      - id: {hook['id']}\n" for hook in HOOKS)
    config = f"repos:\n  - repo: {sources}\n    rev: {revision}\n    hooks:\n{hooks}"
    (repository.root / ".pre-commit-config.yaml").write_text(config)

    def pre_commit(*args):
        line = [sys.executable, "-I", "-m", "pre_commit", *args]
        return subprocess.run(line, cwd=repository.root, capture_output=True, text=True, check=False)

    def committed():
        repository.git("add", "-A", "-f")
        done = pre_commit("install-hooks")
        assert done.returncode == 0, done.stdout + done.stderr
        (site,) = home.glob("repo*/py_env-*/lib/python*/site-packages")
        (site / "a.pth").write_text("\n".join(LIBRARIES))  # for a Python that heeds no PYTHONPATH
        return pre_commit("run", "--color", "never")

    return committed


def verdicts(done):
    return re.findall(r"^(costcalc \w+)\.+(\w+)", done.stdout, re.M)


@pytest.mark.slow
def test_the_hooks_by_pre_commit(repository, hooks):
    repository.write(costcalc=CHECKS, models__net=NET % 10, other__notes="no: spec\n")
    done = hooks()
    assert done.returncode == 0, done.stdout + done.stderr
    assert verdicts(done) == [("costcalc validate", "Passed"), ("costcalc check", "Passed")]
    repository.write(models__net=NET % 11, models__bad="layers: [{cnov: 3}]\n")
    done = hooks()
    assert done.returncode == 1
    assert verdicts(done) == [("costcalc validate", "Failed"), ("costcalc check", "Failed")]
    assert "models/bad.yaml:1:11" in done.stdout
    assert "mult-adds 11k is 1k (10.0 %) over the limit 10k" in done.stdout


@pytest.fixture
def hostile(repository, tmp_path_factory):
    """A pull request with modules and settings wherever a program may look; returns the file that they would create."""
    mark = tmp_path_factory.mktemp("mark") / "hacked"
    code = f"open({str(mark)!r}, 'a').write(__file__ + ' ' + __name__ + chr(10))\n"
    repository.commit(costcalc=CHECKS, models__net=NET % 10)
    repository.git("switch", "-q", "-c", "change")
    for folder in (repository.root, repository.root / "models"):
        for name in PLANTED:
            (folder / f"{name}.py").write_text(code)
        for name in ("pip", "costcalc", "hatchling", "venv"):  # packages are found before modules
            (folder / name).mkdir()
            for file in ("__init__.py", "__main__.py"):
                (folder / name / file).write_text(code)
        for name in ("setup.py", "conftest.py", "a.pth"):
            (folder / name).write_text(code if name != "a.pth" else f"import os; {code}")
        for name in ("pip.conf", "pip.ini", "setup.cfg"):
            (folder / name).write_text(
                "[global]\nrequire-hashes = true\nconstraint = nowhere.txt\n[install]\nuser = yes\n"
            )
        (folder / "pyproject.toml").write_text(
            "[build-system]\nrequires = []\nbuild-backend = 'setup'\nbackend-path = ['.']\n"
        )
        for name in ("git", "gh", "python", "python3", "pip", "costcalc", "mktemp"):
            script(folder / f"{name}.sh", f"touch {mark}")
    repository.commit(models__net=NET % 11)
    return mark


def test_what_is_planted_would_run(repository, hostile):
    """A control for the tests below: each attack works without protection."""
    for line in (["-m", "venv", "x"], ["-m", "costcalc"], ["-c", "import argparse, yaml"], ["-m", "pip"]):
        hostile.unlink(missing_ok=True)
        subprocess.run([sys.executable, *line], cwd=repository.root, capture_output=True, check=False)
        assert hostile.exists(), line
        hostile.unlink()
        subprocess.run([sys.executable, "-I", *line[:1], line[1], "--help"], cwd=repository.root, capture_output=True)
        assert not hostile.exists(), line


@pytest.mark.slow
@pytest.mark.parametrize("where", [".", "models"])
def test_the_action_runs_nothing_of_a_checkout(repository, hostile, job, sources, offline, environments, where):
    one = job({"working-directory": where, "comment": "true"}, installed=False)
    script(environments / "gh", "exit 0")
    assert one.run(sources, environments) == 1, one.logs
    assert one.logs["Check"].startswith("::error file=models/net.yaml,line=2,col=")
    assert not hostile.exists(), hostile.read_text()


@pytest.mark.slow
def test_the_hooks_run_nothing_of_a_checkout(repository, hostile, hooks):
    repository.write(models__net=NET % 12)
    done = hooks()
    assert verdicts(done)[1:] == [("costcalc check", "Failed")], done.stdout + done.stderr
    assert "over the limit 10k" in done.stdout
    assert not hostile.exists(), hostile.read_text()


@pytest.fixture
def published(sources, offline, monkeypatch, tmp_path_factory):
    """Lets pip find costcalc as if it were published."""
    folder = tmp_path_factory.mktemp("wheels")
    line = [sys.executable, "-I", "-m", "pip", "wheel", "--no-build-isolation", "-q", "-w", folder, sources / "lean"]
    subprocess.run(line, cwd="/", check=True, capture_output=True)
    for name, value in {"FIND_LINKS": str(folder), "IGNORE_INSTALLED": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)


@pytest.mark.slow
def test_the_gitlab_job_runs_nothing_of_a_checkout(repository, hostile, published, environments):
    page = (ROOT / "docs" / "budgets.md").read_text(encoding="utf-8")
    block = re.search(r"^```yaml\n(costcalc:\n.*?)^```", page, re.S | re.M)[1]
    lines = "\n".join(yaml.safe_load(block)["costcalc"]["script"])
    env = {**os.environ, "PATH": f"{environments}:{os.environ['PATH']}"}
    command = ["bash", "-eo", "pipefail", "-c", lines]
    done = subprocess.run(command, cwd=repository.root, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "over the limit 10k" in done.stdout) == (1, True), done.stdout + done.stderr
    assert not hostile.exists(), hostile.read_text()


def is_due(requirement):
    """Whether a requirement applies here, without extras."""
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate({"extra": ""})


def names_of(requirements):
    """The packages that requirements name."""
    return {re.match(r"[\w-]+", text)[0] for text in requirements}


def test_ci_and_hooks_install_what_a_check_uses():
    """The lean distribution is a subset, and hooks install exactly that and its dependencies."""
    tables = [(ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "lean/pyproject.toml")]
    whole, lean = (
        re.findall(r'"(.+?)"', re.search(r"^dependencies = \[(.*?)\]", text, re.S | re.M)[1]) for text in tables
    )
    assert names_of(lean) == LEAN
    assert {*lean} < {*whole}
    asked, *found = ({*hook["additional_dependencies"]} for hook in HOOKS)
    assert all(one == asked for one in found)
    assert "--no-deps" in asked
    closed, new = set(), {*LEAN}
    while new:
        closed |= new
        needed = [metadata.requires(name) or () for name in new]
        new = {one for each in needed for one in names_of(filter(is_due, each))} - closed
    closed = {name.lower() for name in closed}
    if "commonmark" in closed:
        pytest.skip("old releases of rich stand on another package; hooks install the newest")
    assert closed <= {name.lower() for name in names_of(asked - {"--no-deps"})}
    assert not {"numpy", "pandas", "sympy"} & closed
    assert '"$ACTION_PATH/lean"' in (ROOT / "action.yml").read_text(encoding="utf-8")
    assert "pip install costcalc-check" in (ROOT / "docs" / "budgets.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_lean_wheel_is_the_whole_program(sources, tmp_path):
    """It contains every file of the package and the version; a check imports none of the omitted dependencies."""
    pytest.importorskip("hatchling")
    line = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(line, cwd=sources / "lean", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"costcalc_check-{costcalc.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as found:
        names = {*found.namelist()}
    mine = {path.relative_to(sources).as_posix() for path in (sources / "costcalc").rglob("*") if path.is_file()}
    mine |= {f"costcalc/configs/{path.name}" for path in (sources / "configs").iterdir()}
    assert {name for name in names if name.startswith("costcalc/")} == mine


def test_every_interpreter_is_isolated():
    """No CI example starts Python without -I or runs a program from the checkout's environment."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("action.yml", ".pre-commit-hooks.yaml")]
    page = (ROOT / "docs" / "budgets.md").read_text(encoding="utf-8")
    texts += re.findall(r"^```yaml\n(.*?)^```", page, re.S | re.M)
    started = [
        line for text in texts for line in re.findall(r"(?:/|\b)python3?\b\"? .*", text) if not line.startswith("#")
    ]
    assert len(started) >= 6
    assert all(re.match(r'/?python3?"? -I -m ', line) for line in started), started
    assert not [text for text in texts if re.search(r"(^|[;&|/]) *pip3? install", text, re.M)]


SUITE = """
from costcalc import CostcalcError
import pytest

def test_without_the_fixture():
    import sys
    assert not [name for name in sys.modules if name in ("costcalc.budget.checking", "numpy", "rich", "click")]

def test_within(assert_budget):
    assert_budget("models/net.yaml", max={"mult_adds": "10k"})

def test_over(assert_budget):
    assert_budget("models/net.yaml", max={"mult_adds": "9k", "params": 100})

def test_of_the_file(assert_budget):
    (outcome,) = assert_budget("models")
    assert outcome.state == "pass"

def test_not_judged(assert_budget):
    with pytest.raises(CostcalcError, match="there is no metric `mult_add`"):
        assert_budget("models/net.yaml", max={"mult_add": "9k"})
    with pytest.raises(CostcalcError, match="no layer is called `dense`"):
        assert_budget("models/net.yaml", max={"layers": {"dense": {"params": 3}}})
"""


def test_the_fixture_by_pytest(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.yaml").write_text(NET % 10)
    (tmp_path / "costcalc.yaml").write_text(CHECKS)
    (tmp_path / "test_nets.py").write_text(SUITE)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "costcalc.pytest_plugin", "--color=no", "--no-header"]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, env=env)
    assert "1 failed, 4 passed" in done.stdout
    assert "AssertionError: models/net.yaml: mult-adds 10k is 1k (11.1 %) over the limit 9k" in done.stdout
    assert "asserting.py" not in done.stdout  # the traceback shows the test, not its callee


def test_the_fixture_fails_for_what_was_over_before(repository):
    repository.commit(costcalc=CHECKS, models__net=NET % 11)
    repository.git("switch", "-q", "-c", "change")
    assert [outcome.state for outcome in costcalc.check("models/net.yaml")] == ["warn"]
    with pytest.raises(AssertionError, match=r"models/net.yaml: mult-adds 11k is 1k .* over the limit 10k"):
        assert_within("models/net.yaml")
    with pytest.raises(AssertionError):
        assert_within("models/net.yaml", max={"mult_adds": "10k"})
    repository.write(costcalc=CHECKS.replace("}}", "}, level: warn}"))
    assert [outcome.state for outcome in assert_within("models/net.yaml")] == ["warn"]


def test_the_fixture_is_found():
    from importlib.metadata import entry_points

    (found,) = [one for one in entry_points(group="pytest11") if one.name == "costcalc"]
    assert found.load().__name__ == "costcalc.pytest_plugin"
    assert inspect.unwrap(costcalc.check).__module__ == "costcalc.budget.checking"
