"""Sweeps with several processes: the same bytes despite lost or stopped processes."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from costcalc import load, sweep
from costcalc.analysis.jobs.parcel import packed, unpacked
from costcalc.analysis.jobs.pool import Pool
from costcalc.analysis.sweep import partitions
from costcalc.errors import OptionError

parquet = pytest.importorskip("pyarrow.parquet")
SPEC = """
vars: {w: {default: 8, min: 1}, res: 32}
input: [res, res, 3]
layers: [{conv: 3x3, out: w}, {linear: 10}]
"""
LINE = ["sweep", "net.yaml", "--vary", "w=1:1024:1", "--res", "32:1831:1"]  # 1.8 million points, two partitions


@pytest.fixture(autouse=True)
def spec(tmp_path):
    """The spec of the sweeps."""
    (tmp_path / "net.yaml").write_text(SPEC)
    return tmp_path


def digests(folder):
    """The files of a dataset."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path(folder).iterdir())}


def test_one_two_and_a_resumed_sweep_are_the_same_bytes(run, spec, monkeypatch):
    assert run(*LINE, "-o", "one/").code == 0
    assert run(*LINE, "-o", "two/", "--jobs", "2").code == 0
    due = digests("one")
    assert [*due] == ["_costcalc.json", "part-000000.parquet", "part-000001.parquet"]
    assert digests("two") == due
    about = json.loads((spec / "one" / "_costcalc.json").read_text())
    assert (about["points"], [part["file"] for part in about["parts"]]) == (1024 * 1800, [*due][1:])
    assert [part["sha256"] for part in about["parts"]] == [due[part["file"]] for part in about["parts"]]

    (spec / "two" / "_costcalc.json").unlink()  # as if it had been stopped before the second file
    (spec / "two" / "part-000001.parquet").unlink()
    notes = [about["fingerprint"], *([at, part] for at, part in enumerate(about["parts"]))]
    (spec / "two" / "_parts.jsonl").write_text("".join(json.dumps(one) + "\n" for one in notes) + '[3, {"fi')
    first = os.stat("two/part-000000.parquet").st_mtime_ns
    assert run(*LINE, "-o", "two/", "--resume").code == 0
    assert digests("two") == due
    assert os.stat("two/part-000000.parquet").st_mtime_ns == first
    assert run(*LINE, "-o", "two/", "--resume").code == 0  # nothing left to do
    assert digests("two") == due

    assert run(*LINE, "-o", "two/").code == 2
    hostile = [5, [], [0, 1], [0, {"file": 5}], [0, {**about["parts"][0], "file": "../net.yaml"}], ["0", {}]]
    hostile += [[0, {**about["parts"][0], key: value}] for key, value in (("rows", "9"), ("skipped", {"a": "b"}))]
    (spec / "two" / "_costcalc.json").write_text("[" * 10**5)
    assert "no sweep of these points" in run(*LINE, "-o", "two/", "--resume").err
    for parts in (5, [5], [{}], [{**about["parts"][0], "file": "../net.yaml"}], [{**about["parts"][0], "rows": "9"}]):
        (spec / "two" / "_costcalc.json").write_text(json.dumps({**about, "parts": parts}))
        with pytest.raises(OptionError, match="no sweep of these points"):
            partitions._finished("two", about["fingerprint"])
    (spec / "two" / "_costcalc.json").unlink()
    (spec / "two" / "_parts.jsonl").write_text("".join(json.dumps(one) + "\n" for one in [*notes, *hostile]))
    assert run(*LINE, "-o", "two/", "--resume").code == 0
    assert digests("two") == due
    assert "no sweep of these points" in run(*LINE, "-m", "params", "-o", "two/", "--resume").err
    assert run(*LINE, "-o", "points.csv", "--resume").code == 2


def test_points_of_a_dataset_are_those_of_one_sweep(run, monkeypatch):
    monkeypatch.setattr(partitions, "CHUNKS", 1)
    line = ["sweep", "net.yaml", "--vary", "w=1:1100:1", "--res", "32:1031:1", "-o", "points/", "--jobs", "2"]
    assert run(*line).code == 0
    found = parquet.read_table("points").to_pandas()
    due = sweep("net.yaml", w=range(1, 1101), res=range(32, 1032))
    assert len(os.listdir("points")) == 4
    assert found.pop("complete").all()
    assert found.equals(due)


def test_files_in_order_do_not_depend_on_processes(run):
    line = ["sweep", "net.yaml", "--vary", "w=1:200:1", "--res", "32:1500:1"]
    for name in ("a.csv", "a.parquet"):
        assert run(*line, "-o", name).code == 0
        assert run(*line, "-o", f"two-{name}", "--jobs", "2").code == 0
    assert Path("a.csv").read_bytes() == Path("two-a.csv").read_bytes()
    assert parquet.read_table("a.parquet").equals(parquet.read_table("two-a.parquet"))


def test_points_that_cannot_be_are_left_out_or_refused(run):
    Path("net.yaml").write_text(SPEC.replace("out: w", "out: w, padding: valid"))
    line = ["sweep", "net.yaml", "--vary", "w=1:4:1", "--res", "1:5:1", "-o", "points/"]
    found = run(*line, "--jobs", "2")
    assert (found.code, "at w=1, res=1" in found.err) == (2, True)
    assert os.listdir("points") == ["_parts.jsonl"]
    found = run(*line[:-1], "others/", "--jobs", "2", "--skip-invalid")
    assert (found.code, "skipped 8 points" in found.err) == (0, True)
    assert json.loads(Path("others/_costcalc.json").read_text())["points"] == 12


def test_a_killed_worker_loses_nothing(run, monkeypatch):
    """The first process of each pool is killed during its work."""
    assert run(*LINE, "-o", "one/").code == 0
    started = Pool._started
    killed = []

    def start(self):
        process = started(self)
        if not killed:
            killed.append(process.pid)
            process.kill()
        return process

    monkeypatch.setattr(Pool, "_started", start)
    assert run(*LINE, "-o", "two/", "--jobs", "2").code == 0
    assert killed
    assert digests("two") == digests("one")


@pytest.mark.slow
def test_a_killed_driver_goes_on(run, spec):
    assert run(*LINE, "-o", "one/").code == 0
    line = [sys.executable, "-m", "costcalc", *LINE, "-o", "two/", "--jobs", "2"]
    process = subprocess.Popen(line)
    while process.poll() is None and not (spec / "two" / "part-000000.parquet").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run(*LINE, "-o", "two/", "--resume", "--jobs", "2").code == 0
    assert digests("two") == digests("one")


@pytest.mark.slow
def test_a_dask_cluster(run):
    distributed = pytest.importorskip("distributed")
    assert run(*LINE, "-o", "one/").code == 0
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        assert run(*LINE, "-o", "two/", "--cluster", cluster.scheduler_address).code == 0
    assert digests("two") == digests("one")


def test_a_cluster_that_is_not_there(run, monkeypatch):
    pytest.importorskip("distributed")
    from costcalc.analysis.jobs import pool

    monkeypatch.setattr(pool, "FINDING", 1)
    found = run(*LINE, "-o", "two/", "--cluster", "tcp://127.0.0.1:9")
    assert (found.code, "no Dask scheduler answers" in found.err) == (2, True)


@pytest.mark.parametrize("name", ["mobilenet", "deeplabv3_mobilenet"])
def test_a_parcel_is_the_network(name):
    model = load(name)
    found = unpacked(packed(model))
    assert (found.name, found.source, found.included) == (model.name, model.source, model.included)
    assert sweep(found, res=[64, 96]).equals(sweep(model, res=[64, 96]))


def test_the_page_of_the_docs(run):
    page = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"```console\n\$ costcalc (.*?)\n```", page)
    assert run(*line.split()).code == 0
    assert len(parquet.read_table("points")) == 64 * 65
