"""Searches and surveys on a local Dask cluster of two workers, with workers and drivers killed: the same bytes out."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.analysis.test_space import WIDTHS

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
SCORE = """
import time
def of(choices):
    time.sleep(0.02)
    with open('calls', 'a') as file:
        file.write('x')
    return choices['w[0]'] - choices['w[2]'] + 0.1 * choices['k[1]']
"""
SPEC = "input: [8, 8, {}]\nlayers: [{{conv: 3x3, out: {}}}, {{linear: 10}}]\n"
SEARCH = ["search", "net.yaml", "--max", "mult_adds=60k", "--maximize", "surrogate_on_cluster:of", "--here"]
FILES = 200


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers in processes of their own, which are started again when they end."""
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as found:
        yield found


@pytest.fixture
def work(tmp_path):
    """A space with a function of scores, and a directory of models with bad ones between."""
    (tmp_path / "net.yaml").write_text(WIDTHS)
    (tmp_path / "surrogate_on_cluster.py").write_text(SCORE)
    (tmp_path / "models").mkdir()
    for number in range(FILES):
        text = "layers: [" if number % 20 == 7 else SPEC.format(1 + number % 9, 1 + number)
        (tmp_path / "models" / f"net{number:03}.yaml").write_text(text)
    return tmp_path


def started(*line):
    """The command in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", "costcalc", *line], stdout=subprocess.DEVNULL)


def wait_for(path, lines):
    """Until a journal has so many lines."""
    for _ in range(6000):
        if Path(path).exists() and Path(path).read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} never has {lines} lines")


def results(folder):
    """What a search found."""
    return [(Path(folder) / name).read_bytes() for name in ("candidates.csv", "front.csv", "front.json")]


def kill_a_worker(cluster):
    """End one worker's process as a machine that is switched off does."""
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
    """First a worker of the cluster, then the driver."""
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
