"""A file that a command writes is whole, or as it was: on a full disk and with every command that writes."""

import os
import resource
import subprocess
import sys

import pytest

RUN = """
import resource, sys
from costcalc.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
main(sys.argv[2:])
"""
NET = "vars: {alpha: 1.0}\ninput: [8, 8, 3]\nlayers: [{conv: 3x3, out: floor(alpha * 8)}]\n"
CHECKS = "# why: a phone, and this comment stays\nchecks:\n  - {spec: net.yaml, max: {mult_adds: 10}}  # too low\n"
WRITING = [  # command line, the file it writes
    ("analyze mobilenet -o out.csv", "out.csv"),
    ("analyze mobilenet -o out.json", "out.json"),
    ("sweep mobilenet --alpha 1,0.75,0.5 -o out.csv", "out.csv"),
    ("sweep mobilenet --alpha 1,0.75,0.5 -o out.parquet", "out.parquet"),
    ("fit mobilenet --vary alpha=0.25:1:0.25 --max params=3M -o out.csv", "out.csv"),
    ("plot mobilenet --alpha 1,0.5 -o out.svg", "out.svg"),
    ("compare mobilenet --conv standard -o out.md", "out.md"),
    ("selftest relu --cases 5 -o out.json", "out.json"),
    ("check --format json -o out.json", "out.json"),
    ("check --update", "costcalc.yaml"),
    ("export mobilenet --weights none -o out.onnx", "out.onnx"),
]


def written(folder, line, most):
    """(exit code, standard error) of a command that can write no file of more than `most` bytes."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(most), *line.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="files cannot be kept small there")
@pytest.mark.parametrize(("line", "name"), WRITING)
def test_a_full_disk_leaves_the_old_file(tmp_path, line, name):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "net.yaml").write_text(NET)
    (folder / "costcalc.yaml").write_text(CHECKS)
    if name != "costcalc.yaml":
        (folder / name).write_text("before")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code, err = written(folder, line, 20)
    assert code == 2
    assert f"cannot write '{name}': File too large" in err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert written(folder, line, 10**9)[0] in (0, 1)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert (after.keys(), after[name] != before[name]) == (before.keys(), True)
    assert {one: data for one, data in after.items() if one != name} == {
        one: data for one, data in before.items() if one != name
    }


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("line", ["analyze mobilenet --json", "sweep mobilenet --alpha 1,0.5 --json"])
def test_a_full_device_is_an_error(tmp_path, line):
    code, err = written(tmp_path, f"{line} -o /dev/full", 10**9)
    assert code == 2
    assert "cannot write '/dev/full': No space left on device" in err


def test_an_update_keeps_links_rights_and_comments(run, tmp_path):
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "real.yaml").write_text(CHECKS)
    (tmp_path / "real.yaml").chmod(0o640)
    (tmp_path / "costcalc.yaml").symlink_to("real.yaml")
    assert run("check", "--update")[0] == 0
    assert (tmp_path / "costcalc.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == CHECKS.replace("mult_adds: 10}", "mult_adds: 13824}")
    assert (tmp_path / "real.yaml").stat().st_mode & 0o7777 == 0o640
