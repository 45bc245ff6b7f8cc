"""`--watch` runs again if a file it read changes, and ends at Ctrl-C."""

import os
import signal
import subprocess
import sys

import pytest

from costcalc.cli import watch

NET = "input: [8]\nlayers:\n  - {include: part.yaml}\n"
PART = "input: [8]\nlayers: [{{linear: {}}}]\n"


@pytest.fixture
def edits(monkeypatch, tmp_path):
    """A function that schedules edits, one per run, then Ctrl-C; each sleep performs the next one."""
    planned, calm = [], [0]

    def sleep(seconds):
        calm[0] = 0 if seconds == watch.EVERY else calm[0] + 1
        assert calm[0] <= watch.MOST
        if seconds != watch.EVERY:
            return
        if not planned:
            raise KeyboardInterrupt
        for name, text in planned.pop(0).items():
            if text is None:
                (tmp_path / name).unlink()
            else:
                (tmp_path / name).write_text(text)
                os.utime(tmp_path / name, (len(planned), len(planned)))

    monkeypatch.setattr(watch.time, "sleep", sleep)
    return planned.extend


@pytest.fixture
def net(tmp_path):
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "part.yaml").write_text(PART.format(4))


def counts(out):
    return [line.split(",")[1] for line in out.splitlines() if line.startswith("fully connected")]


ANALYZE = "analyze", "net.yaml", "--watch", "--by", "type", "--columns", "type,params", "--format", "csv"


@pytest.mark.usefixtures("net")
def test_an_included_file_is_watched(run, edits):
    edits([{"part.yaml": PART.format(5)}, {"other.yaml": ""}, {"net.yaml": NET + "  - {linear: 2}\n"}])
    done = run(*ANALYZE)
    assert (done.code, counts(done.out)) == (130, ["32", "40", "50"])
    assert done.err.count("watching net.yaml and 1 more; Ctrl-C stops") == 3


@pytest.mark.usefixtures("net")
def test_a_spec_that_is_broken_or_gone_for_a_while_is_watched_on(run, edits):
    edits([{"part.yaml": None}, {"part.yaml": PART.format(5)}, {"net.yaml": "input: ["}, {"net.yaml": NET}])
    done = run(*ANALYZE)
    assert (done.code, counts(done.out)) == (130, ["32", "40", "40"])
    assert done.err.count("error: ") == 2


@pytest.mark.usefixtures("net")
def test_a_spec_that_is_not_there_yet_is_waited_for(run, edits):
    edits([{"new.yaml": PART.format(3)}])
    done = run("analyze", "new.yaml", *ANALYZE[2:])
    assert (done.code, counts(done.out)) == (130, ["24"])


CHECKS = "checks:\n  - {{spec: '*.yaml', max: {{params: {}}}}}\n"


@pytest.mark.usefixtures("net")
def test_checks_are_watched_with_the_files_of_a_glob(run, edits, tmp_path):
    edits([{"costcalc.yaml": CHECKS.format(10)}, {"third.yaml": PART.format(1)}, {"costcalc.yaml": "checks: ["}])
    (tmp_path / "costcalc.yaml").write_text(CHECKS.format(100))
    done = run("check", "--watch", "-o", "out.csv", "--exit-zero")
    assert done.code == 130
    assert "third.yaml" in (tmp_path / "out.csv").read_text()
    assert done.err.count("watching") == 4


@pytest.mark.usefixtures("net")
def test_what_a_run_writes_does_not_start_another(run, edits, tmp_path):
    edits([{"note.txt": "no spec"}])
    (tmp_path / "costcalc.yaml").write_text(CHECKS.format(100))
    assert run("check", "--watch", "-o", "out.json").err.count("watching") == 1


@pytest.mark.usefixtures("net")
def test_quiet_says_nothing_of_it(run, edits):
    edits([])
    assert run(*ANALYZE, "-q").err == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("analyze - --watch", "standard input can be read only once"),
        ("check --update --watch", "this changes files"),
        ("check --tighten --watch", "this changes files"),
        ("sweep mobilenet --watch", "there is no option"),
    ],
)
def test_where_it_has_no_place(run, line, said):
    done = run(*line.split())
    assert done.code == 2
    assert said in done.err
    assert "watching" not in done.err


@pytest.mark.usefixtures("net")
def test_a_run_without_it_ends(run):
    assert run("analyze", "net.yaml").code == 0


def hearing():
    """Enable Ctrl-C, also if the tests run as a background job."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.usefixtures("net")
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_real_process_runs_again_and_ends_at_ctrl_c(tmp_path):
    line = [sys.executable, "-m", "costcalc", *ANALYZE]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(line, cwd=tmp_path, **pipes, preexec_fn=hearing)
    try:
        assert "watching" in process.stderr.readline()
        assert [process.stdout.readline() for _ in range(2)][1] == "fully connected,32\n"
        (tmp_path / "part.yaml").write_text(PART.format(5))
        assert "watching" in process.stderr.readline()
        assert [process.stdout.readline() for _ in range(2)][1] == "fully connected,40\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.communicate() == ("", "")
    finally:
        process.kill()
        process.communicate()
