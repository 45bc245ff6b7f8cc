"""`costcalc survey`: every file is a row, whatever it contains; rows do not depend on the process that reads them."""

import csv
import hashlib
import io
import json
import os
import re
from pathlib import Path

import pytest

from costcalc import analyze, survey
from costcalc.analysis.jobs.pool import Lost, Pool
from costcalc.analysis.survey import measure
from costcalc.analysis.survey import survey as surveys

SPEC = "input: [8, 8, {}]\nlayers: [{{conv: 3x3, out: {}}}, {{linear: 10}}]\n"
BAD = {
    "cut.yaml": b"layers: [",
    "empty.yaml": b"",
    "random.onnx": bytes(range(256)) * 8,
    "open.yaml": b"vars: {n: }\ninput: [n]\nlayers: [{linear: 3}]\n",
    "loop.yaml": b"input: [3]\nlayers: [{include: loop.yaml}]\n",
    "archive.keras": b"PK\x03\x04",
    "config.json": b"{}",
    "deep.json": b"[" * 100_000,
    "sub/tab.yaml": b"a:\n\t- 1",
}


@pytest.fixture
def folder(tmp_path):
    """Eight valid models and some invalid ones, a link that leaves the directory, and other files."""
    models = tmp_path / "models"
    (models / "sub").mkdir(parents=True)
    for number in range(8):
        (models / f"net{number}.yaml").write_text(SPEC.format(3, 4 + number))
    for name, data in BAD.items():
        (models / name).write_bytes(data)
    (tmp_path / "secret.yaml").write_text(SPEC.format(1, 1))
    (models / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (models / "elsewhere").symlink_to(tmp_path)
    (models / "readme.txt").write_text("no model")
    (models / ".hidden.yaml").write_text(SPEC.format(3, 4))
    return models


def test_every_file_is_a_row(folder):
    found = survey(folder, metrics=("mult_adds", "params", "peak_bytes"), jobs=2)
    rows = {os.path.relpath(row.path, folder): row for row in found.rows}
    assert {*rows} == {*BAD, "link.yaml", *(f"net{number}.yaml" for number in range(8))}
    assert [row.path for row in found.rows] == sorted(row.path for row in found.rows)
    for number in range(8):
        row = rows[f"net{number}.yaml"]
        totals = analyze(folder / f"net{number}.yaml", metrics="peak_bytes").totals
        assert row.metrics == {name: totals[name] for name in ("mult_adds", "params", "peak_bytes")}
        assert (row.complete, row.error, row.layers) == (True, None, 2)
        assert row.sha256 == hashlib.sha256((folder / f"net{number}.yaml").read_bytes()).hexdigest()
    for name in (*BAD, "link.yaml"):
        assert (rows[name].metrics, rows[name].complete) == (None, None)
        assert rows[name].error != "internal-error"
        assert rows[name].reason
    assert (rows["link.yaml"].sha256, rows["link.yaml"].error) == (None, "bad-include")


def test_rows_are_the_same_for_any_number_of_processes(run, folder):
    one, two = (run("survey", "models", "--jobs", jobs, "-f", "csv").out for jobs in ("1", "3"))
    assert one == two
    rows = list(csv.DictReader(io.StringIO(one)))
    assert len(rows) == 8 + len(BAD) + 1
    found = json.loads(run("survey", "models", "--json").out)
    assert (found["complete"], found["refused"]) == (8, len(BAD) + 1)
    assert run("survey", "models", "--strict").code == 1
    assert run("survey", "models/net1.yaml", "--strict").code == 0
    assert run("survey", "nothing").code == 2
    assert run("survey", "models", "--metrics", "speed").code == 2
    assert "refused" in run("survey", "models").out


def test_a_survey_goes_on_where_it_was_stopped(run, folder, tmp_path, monkeypatch):
    line = ["survey", "models", "-o", "models.csv"]
    assert run(*line).code == 0
    due = (tmp_path / "models.csv").read_bytes()
    assert not (tmp_path / "models.csv.part").exists()
    journal = tmp_path / "models.csv.part"
    paths = [os.path.join("models", name) for name in sorted(os.listdir(folder)) if name.startswith("net")]
    survey(paths[:5], journal=str(journal))
    tasks = [surveys.Task(path, "models", ("params",), "paper") for path in paths]
    assert surveys._noted(str(journal), tasks) == {}  # from another query
    survey("models", journal=str(journal))
    with journal.open("a") as file:
        file.write("[[1, 2")
    (folder / "net3.yaml").write_text(SPEC.format(5, 5))
    asked = []
    monkeypatch.setattr(surveys, "workers", lambda *how, **more: asked.append(Counting(*how[:2])) or asked[0])
    assert run(*line, "--resume").code == 0
    assert asked[0].paths == ["models/net3.yaml"]
    rows = {row["path"]: row for row in csv.DictReader(io.StringIO((tmp_path / "models.csv").read_text()))}
    assert rows["models/net3.yaml"]["mult_adds"] == str(analyze("models/net3.yaml").totals["mult_adds"])
    assert len(rows) == len(due.splitlines()) - 1
    assert run("survey", "models", "--resume").code == 2


class Counting(Pool):
    """A pool that records its requests."""

    def results(self, tasks):
        self.paths = [task.path for task in tasks]
        return super().results(tasks)


def test_parquet(run, folder, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run("survey", "models", "-o", "models.parquet", "--jobs", "2").code == 0
    first = (tmp_path / "models.parquet").read_bytes()
    assert run("survey", "models", "-o", "models.parquet").code == 0
    assert (tmp_path / "models.parquet").read_bytes() == first
    found = parquet.read_table(tmp_path / "models.parquet").to_pylist()
    assert sum(row["complete"] is True for row in found) == 8
    assert run("survey", "models", "-f", "parquet").code == 2


def ends(task):
    """A test task that ends its process, takes long or uses much memory."""
    if task == "end":
        os._exit(3)
    if task == "sleep":
        import time

        time.sleep(60)
    if task == "memory":
        return len(bytearray(2**33))
    return task * 2


def test_a_lost_process_ends_no_other_task(monkeypatch):
    name = f"{ends.__module__}:ends"
    if not ends.__module__.startswith("tests."):
        pytest.skip("the tests are no package here")
    with Pool(name, 2, memory=3 * 2**30, seconds=8, tries=2) as pool:
        found = dict(pool.results(["a", "end", "b", "memory", "c"]))
    assert {task: result for task, result in found.items() if len(task) == 1} == {"a": "aa", "b": "bb", "c": "cc"}
    assert found["end"] == Lost("it ended the process")
    assert "bytes of memory" in found["memory"].why


def holds(task):
    """A test task that allocates memory permanently and returns the process id."""
    HELD.append(bytearray(task))
    HELD[-1][::4096] = bytes(len(HELD[-1][::4096])).replace(b"\0", b"\1")
    return os.getpid()


HELD = []


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the system does not say what a process holds")
def test_a_process_that_has_done_its_tasks_or_has_grown_is_replaced():
    name = f"{holds.__module__}:holds"
    if not holds.__module__.startswith("tests."):
        pytest.skip("the tests are no package here")
    with Pool(name, 1, last=2) as pool:
        by_number = [process for _, process in pool.results([0] * 5)]
    assert [by_number.index(process) for process in by_number] == [0, 0, 2, 2, 4]
    with Pool(name, 1, grown=2**28) as pool:
        by_size = [process for _, process in pool.results([0, 0, 2**28, 0, 0])]
    assert [by_size.index(process) for process in by_size] == [0, 0, 0, 3, 3]


def test_a_task_that_takes_too_long():
    with Pool("time:sleep", 1, seconds=1.5) as pool:
        assert dict(pool.results([0.01, 30, 0.02])) == {
            0.01: None,
            30: Lost("it takes more than 1.5 seconds"),
            0.02: None,
        }


def test_a_pool_that_is_left_ends_what_does_not_end():
    """As with Ctrl-C: the task of a killed process is not given to another one, which would delay the exit."""
    pool = Pool("time:sleep", 2)
    started = []
    pool._started = lambda: started.append(Pool._started(pool)) or started[-1]
    with pool:
        assert next(pool.results([0.01, 20, 20])) == (0.01, None)
    assert (len(started), pool.processes) == (2, {})
    assert all(process.poll() is not None for process in started)


def test_what_a_process_raises_is_raised():
    with Pool("math:sqrt", 1) as pool, pytest.raises(ValueError, match="math domain"):
        list(pool.results([-1]))


def test_the_page_of_the_docs(run, tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "survey.md").read_text(encoding="utf-8")
    (tmp_path / "models").mkdir()
    for spec in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        (tmp_path / spec.partition("\n")[0].removeprefix("# ")).write_text(spec)
    monkeypatch.setenv("COLUMNS", "100")
    ((line, printed),) = re.findall(r"```console\n\$ costcalc (.*?)\n(.*?)```", page, re.DOTALL)
    assert run(*line.split()).out == printed


def test_what_is_no_note_of_a_row_is_left_out(run, folder):
    """A forged journal that matches the files and the query."""
    line = ["survey", "models", "-o", "all.json", "--resume"]
    assert run(*line).code == 0
    due = Path("all.json").read_bytes()
    task = measure.Task("models/net0.yaml", "models", ("mult_adds", "params"), "paper")
    stamp = json.loads(json.dumps(surveys._stamp(task)))
    row = json.loads(json.dumps(measure.measure(task)._asdict()))
    odd = [{}, {"more": 1}, {"metrics": None}, {"metrics": {"params": 1}}, {"layers": "9"}, {"name": None}]
    odd += [{"metrics": {"mult_adds": 1, "params": "1"}}, {"metrics": {"mult_adds": 1, "params": True}}, {"error": 1}]
    hostile = [5, [], [1, 2, 3], [*stamp, []], [*stamp, None], [*stamp, {"path": []}], [*stamp, {"path": row["path"]}]]
    hostile += [[*stamp, {**row, **one}] for one in odd[1:]]
    text = "".join(json.dumps(one) + "\n" for one in hostile) + "[" * 10**5 + "\n[1, "
    Path("all.json.part").write_text(text)
    assert (run(*line).code, Path("all.json").read_bytes()) == (0, due)
    Path("all.json.part").write_text(json.dumps([*stamp, {**row, "layers": 7}]) + "\n")  # an entry is used as it is
    assert run(*line).code == 0
    assert {one["path"]: one["layers"] for one in json.loads(Path("all.json").read_text())["models"]}[row["path"]] == 7


@pytest.mark.parametrize("kind", ["link", "fifo", "directory"])
@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_a_journal_is_a_regular_file(run, tmp_path, kind, more):
    """`-o all.csv` in an untrusted checkout with a file at `all.csv.part`."""
    (tmp_path / "net.yaml").write_text(SPEC.format(3, 4))
    (tmp_path / "other").write_text("mine")
    path = tmp_path / "all.csv.part"
    {"link": lambda: path.symlink_to("other"), "fifo": lambda: os.mkfifo(path), "directory": path.mkdir}[kind]()
    done = run("survey", "net.yaml", "-o", "all.csv", *more)
    assert (done.code, done.err.count("error:"), (tmp_path / "other").read_text()) == (2, 1, "mine")


def test_an_output_that_cannot_be_written_is_one_error(run, tmp_path):
    (tmp_path / "net.yaml").write_text(SPEC.format(3, 4))
    done = run("survey", "net.yaml", "-o", "nowhere/all.csv")
    assert (done.code, done.err.count("error:")) == (2, 1)
