"""Output bytes do not depend on locale, time zone, hash seed, terminal, directory or Python version."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NET = """name: Größe 模型
vars: {alpha: {default: 1.0, min: 0.1}, res: 32, act: relu}
input: [res, res, 3]
layers:
  - {conv: 3x3, out: floor(alpha * 8), as: "é=1", then: [batchnorm, act]}
  - concat: [[], [{conv: 1x1, out: 4}], [{opaque: a sort, params: unknown, mult_adds: 7}]]
  - add: [[], [{dwconv: 3x3}]]
published:
  - {source: "Ein Aufsatz (arXiv:0000.00000), Table 1", rows: [{mult_adds: 1.2M}, {params: 9k}]}
"""
LINES = (
    "analyze net.yaml",
    "analyze net.yaml --json --by type",
    "sweep net.yaml --alpha 0.5,1 --format csv --skip-invalid",
    "formula net.yaml",
    "explain net.yaml -c thop",
    "import net.yaml",
    "import net.yaml --flat",
    "conventions thop",
    "reproduce net.yaml",
    "compare net.yaml --at alpha=0.5 --at alpha=1",
    "selftest conv --cases 5",
    "analyze nosuch.yaml",
    "analyze net.yaml --set alhpa=2",
)
# another Python can use these packages too, without their compiled parts
PATHS = os.pathsep.join((str(ROOT), sysconfig.get_paths()["purelib"]))
PLAIN = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONDONTWRITEBYTECODE": "1"}
WORLDS = {
    "another hash on the other side of the earth": {"PYTHONHASHSEED": "4711", "TZ": "Pacific/Kiritimati"},
    "no locale, optimized": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "1", "PYTHONOPTIMIZE": "2"},
    "a German locale on a coloured terminal": {
        "LC_ALL": "de_DE.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    },
}
CODE = """
import contextlib, io, sys
from costcalc.cli import main
for line in sys.argv[1].split("|"):
    sys.argv = ["costcalc"]
    try:
        main(line.split())
    except SystemExit as ended:
        print(ended.code, flush=True)
        print(ended.code, file=sys.stderr, flush=True)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A directory with a spec."""
    path = tmp_path_factory.mktemp("here")
    (path / "net.yaml").write_text(NET, encoding="utf-8")
    return path


def said(folder, python=sys.executable, lines=LINES, **environment):
    """The output of all commands as bytes."""
    given = {**PLAIN, "PYTHONPATH": PATHS, "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1", **environment}
    done = subprocess.run(
        [python, "-c", CODE, "|".join(lines)], cwd=folder, env=given, capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr, done.stderr[-2000:]
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def usual(folder):
    """The output in the current environment."""
    out, err = said(folder)
    assert "Größe".encode() in out or "é=1".encode() in out
    assert out.splitlines().count(b"2") == 2, out[-500:]
    assert err.count(b"error: ") == 2
    return out, err


@pytest.mark.parametrize("world", WORLDS)
def test_the_world_outside_changes_nothing(folder, usual, world):
    assert said(folder, **WORLDS[world]) == usual


def test_another_directory_changes_nothing(folder, usual, tmp_path):
    other = tmp_path / "ein anderes Verzeichnis"
    shutil.copytree(folder, other)
    assert said(other) == usual


def interpreter(version):
    """The path of a working Python of that version, or None."""
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python")
    for path in (shutil.which(f"python{version}"), *map(str, homes)):
        if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return path
    return None


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_every_python_prints_the_same(folder, version):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    lines = tuple(line for line in LINES if line.split()[0] in ("analyze", "selftest", "reproduce"))  # without NumPy
    assert said(folder, python, lines) == said(folder, lines=lines)
