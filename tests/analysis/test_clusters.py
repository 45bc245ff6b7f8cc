"""Searches and surveys on a local Dask cluster with killed workers and drivers give the same bytes."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.analysis.test_space import WIDTHS

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
SCORE = """
import time
def of(choices):
    time.sleep(0.02)
    return choices['w[0]'] - choices['w[2]'] + 0.1 * choices['k[1]']
"""
SPEC = "input: [8, 8, {}]\nlayers: [{{conv: 3x3, out: {}}}, {{linear: 10}}]\n"
SEARCH = ["search", "net.yaml", "--max", "mult_adds=60k", "--maximize", "surrogate_on_cluster:of", "--here"]
FILES = 200


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers in separate processes, which are restarted when they end."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as found:
        yield found


@pytest.fixture
def work(tmp_path):
    """A space with a score function, and a directory of models with invalid ones among them."""
    (tmp_path / "net.yaml").write_text(WIDTHS)
    (tmp_path / "surrogate_on_cluster.py").write_text(SCORE)
    (tmp_path / "models").mkdir()
    for number in range(FILES):
        text = "layers: [" if number % 20 == 7 else SPEC.format(1 + number % 9, 1 + number)
        (tmp_path / "models" / f"net{number:03}.yaml").write_text(text)
    return tmp_path


def started(*line):
    """Start the command in a separate process."""
    return subprocess.Popen([sys.executable, "-m", "costcalc", *line], stdout=subprocess.DEVNULL)


def wait_for(path, lines):
    """Wait until a journal has a number of lines."""
    for _ in range(6000):
        if Path(path).exists() and Path(path).read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} never has {lines} lines")


def results(folder):
    """The results of a search."""
    return [(Path(folder) / name).read_bytes() for name in ("candidates.csv", "front.csv", "front.json")]


def kill_a_worker(cluster):
    """Kill one worker's process, as in a power failure."""
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)


def test_a_search(run, work, cluster):
    address = ["--cluster", cluster.scheduler_address]
    assert run(*SEARCH, "-o", "one").code == 0
    assert run(*SEARCH, "-o", "two", "--jobs", "2").code == 0
    assert run(*SEARCH, "-o", "three", *address).code == 0
    assert results("one") == results("two") == results("three")


def test_a_search_that_loses_a_worker(run, work, cluster):
    assert run(*SEARCH, "-o", "one").code == 0
    process = started(*SEARCH, "-o", "two", "--cluster", cluster.scheduler_address)
    wait_for("two/scores.jsonl", 10)
    kill_a_worker(cluster)
    assert process.wait(120) == 0
    assert results("one") == results("two")
    noted = [json.loads(line)[0] for line in Path("two/scores.jsonl").read_text().splitlines()]
    assert len(noted) == len({*noted}) == len(results("one")[0].splitlines()) - 1


@pytest.mark.parametrize("how", ["one", "jobs", "cluster"])
def test_a_search_whose_driver_is_killed_goes_on(run, work, cluster, how):
    more = {"one": [], "jobs": ["--jobs", "2"], "cluster": ["--cluster", cluster.scheduler_address]}[how]
    process = started(*SEARCH, "-o", "two", *more)
    wait_for("two/scores.jsonl", 20)
    process.kill()
    process.wait()
    noted = Path("two/scores.jsonl").read_bytes().count(b"\n")
    assert run(*SEARCH, "-o", "two", "--resume", *more).code == 0
    assert run(*SEARCH, "-o", "one").code == 0
    assert results("one") == results("two")
    assert Path("two/scores.jsonl").read_bytes().count(b"\n") == len(results("one")[0].splitlines()) - 1 > noted


def test_a_survey(run, work, cluster):
    for name, more in {"a": [], "b": ["--jobs", "2"], "c": ["--cluster", cluster.scheduler_address]}.items():
        assert run("survey", "models", "-o", f"{name}.csv", *more).code == 0
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes() == Path("c.csv").read_bytes()


@pytest.mark.parametrize("how", ["jobs", "cluster"])
def test_a_survey_that_is_killed_goes_on(run, work, cluster, how):
    """First a worker of the cluster is killed, then the driver."""
    more = {"jobs": ["--jobs", "2"], "cluster": ["--cluster", cluster.scheduler_address]}[how]
    assert run("survey", "models", "-o", "a.csv").code == 0
    process = started("survey", "models", "-o", "b.csv", *more)
    wait_for("b.csv.part", 10)
    if how == "cluster":
        kill_a_worker(cluster)
    wait_for("b.csv.part", 30)
    process.kill()
    process.wait()
    assert not Path("b.csv").exists()
    assert run("survey", "models", "-o", "b.csv", "--resume", *more).code == 0
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()
    with open("b.csv", encoding="utf-8") as file:
        rows = [row["path"] for row in csv.DictReader(file)]
    assert len(rows) == len({*rows}) == FILES


SIZES = "vars: {w: {default: 8, min: 1}, res: 32}\ninput: [res, res, 3]\nlayers: [{conv: 3x3, out: w}, {linear: 10}]\n"
SWEEP = ["sweep", "sizes.yaml", "--vary", "w=1:2048:1", "--res", "32:3531:1"]  # 7 million points, seven partitions


def files(folder):
    """The files of a dataset and their bytes."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.parametrize("how", ["jobs", "cluster"])
def test_a_sweep_that_is_killed_goes_on(run, work, cluster, how):
    """First a worker is killed and the run recovers; then the driver of another run, completed by `--resume`."""
    pytest.importorskip("pyarrow")
    (work / "sizes.yaml").write_text(SIZES)
    more = {"jobs": ["--jobs", "2"], "cluster": ["--cluster", cluster.scheduler_address]}[how]
    assert run(*SWEEP, "-o", "one/").code == 0
    process = started(*SWEEP, "-o", "two/", *more)
    if how == "cluster":
        wait_for("two/_parts.jsonl", 2)
        kill_a_worker(cluster)
    else:
        os.kill(child_of(process.pid), signal.SIGKILL)
    assert process.wait(120) == 0
    process = started(*SWEEP, "-o", "three/", *more)
    wait_for("three/_parts.jsonl", 3)
    process.kill()
    process.wait()
    noted = [json.loads(line)[1]["file"] for line in Path("three/_parts.jsonl").read_text().splitlines()[1:]]
    made = {name: Path("three", name).stat().st_mtime_ns for name in noted}
    assert run(*SWEEP, "-o", "three/", "--resume", *more).code == 0
    assert (len(files("one")), 2 <= len(made) <= 6) == (8, True)
    assert files("one") == files("two") == files("three")
    assert made == {name: Path("three", name).stat().st_mtime_ns for name in made}  # no partition is computed twice


def child_of(number):
    """Wait for a child process and return it."""
    for _ in range(3000):
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, parent, *_ = path.read_text().rpartition(")")[2].split()
                if int(parent) == number and state != "Z":
                    return int(path.parent.name)
        time.sleep(0.01)
    raise AssertionError(f"{number} starts no process")
