"""Commands killed at a rename, as in a power failure: `--resume` ends with the same files."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")
SPEC = """
vars: {w: {default: 8, choices: [8, 16, 24]}, res: {default: 32, min: 1}}
input: [res, res, 3]
layers: [{conv: 3x3, out: w}, {linear: 10}]
"""
LINES = {
    "sweep": ["sweep", "net.yaml", "--vary", "w=8,16", "-m", "mult_adds", "-o", "{}/"],
    "search": ["search", "net.yaml", "--max", "mult_adds=1G", "--maximize", "scores.csv", "-o", "{}"],
    "survey": ["survey", "net.yaml", "-o", "{}/all.csv"],
}
AT = [("sweep", 0), ("sweep", 1), ("search", 0), ("search", 2), ("search", 4), ("survey", 0)]
KILLED = """
import os, signal, sys
renamed, left = os.replace, [int(sys.argv[1])]

def replace(*names):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    renamed(*names)

os.replace = replace
from costcalc.cli import main
main(sys.argv[2:])
"""


@pytest.fixture(autouse=True)
def work(tmp_path):
    """A space and scores for its networks."""
    (tmp_path / "net.yaml").write_text(SPEC)
    (tmp_path / "scores.csv").write_text("w,score\n8,1\n16,2\n24,3\n")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()


def files(folder):
    """The files below a directory."""
    found = (path for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rename"), AT)
def test_nothing_is_left_over(run, name, rename):
    line = LINES[name]
    assert run(*(part.format("one") for part in line)).code == 0
    again = [part.format("two") for part in line]
    killed = subprocess.run([sys.executable, "-c", KILLED, str(rename), *again], capture_output=True, timeout=60)
    assert killed.returncode == -9
    assert any(path.endswith(".tmp") for path in files("two"))
    assert run(*again, "--resume").code == 0
    assert files("two") == files("one")
