"""The allowance of processor time: it covers every loop of the program, and differs from an invalid network."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from costcalc import allowance, compare
from costcalc.allowance import OutOfTime, look, ticking, within, without
from costcalc.analysis.sweep.sweep import Grid, results
from costcalc.errors import CostcalcError, Source
from costcalc.model.stitching import graph_of
from costcalc.model.variables import settle
from costcalc.read.spec.reader import read
from costcalc.write.spec import spec_text
from costcalc.write.torch import source_text
from tests.commands import TAKING

timed = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the timer is that of Unix")
LAYERS = "".join(f"  - {{conv: 3x3, out: {64 + at % 7}, then: [batchnorm, relu]}}\n" for at in range(3_000))
LARGE = f"input: [32, 32, 64]\nlayers:\n{LAYERS}"


def busy(seconds):
    """Work that never checks our clock."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


@timed
def test_the_clock_is_looked_at_where_no_loop_spends(limit):
    limit(run_seconds=0.2)
    start = time.process_time()
    with pytest.raises(OutOfTime, match="this test takes more than"), within("run_seconds", "this test"), ticking():
        busy(20)
    assert time.process_time() - start < 2
    assert signal.getsignal(signal.SIGPROF) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


@timed
def test_what_skips_errors_does_not_skip_the_end_of_a_run(limit):
    limit(run_seconds=0)
    done = []

    def skipping():
        try:
            with within("seconds", "one network"):
                busy(1)
        except CostcalcError:
            done.append("swallowed")

    with pytest.raises(OutOfTime, match="this test"), within("run_seconds", "this test"), ticking():
        skipping()
    assert done == []


def test_the_allowance_inside_ends_alone(limit):
    limit(seconds=0)
    with within("run_seconds", "this test"):
        with pytest.raises(OutOfTime, match="one network takes more than 0 seconds"), within("seconds", "one network"):
            look()
        look()


@timed
def test_timers_of_others_stay(limit):
    limit(run_seconds=0)
    before = signal.signal(signal.SIGPROF, signal.SIG_IGN)
    try:
        with within("run_seconds", "this test"), ticking():
            busy(0.2)
        assert signal.getsignal(signal.SIGPROF) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGPROF, before)


def test_other_threads_have_no_timer():
    found = []

    def run():
        with ticking():
            found.append(signal.getitimer(signal.ITIMER_PROF) if hasattr(signal, "setitimer") else (0.0, 0.0))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [(0.0, 0.0)]


def test_a_tick_on_the_way_out_tells_it_once(limit, monkeypatch):
    limit(seconds=0)
    told = allowance._Allowance.error
    monkeypatch.setattr(allowance._Allowance, "error", lambda self, place: look() or told(self, place))
    with pytest.raises(OutOfTime, match="this test"), within("seconds", "this test"):
        look()


def test_nothing_is_limited_without(limit):
    limit(seconds=0)
    with within("seconds", "this test"):
        with without():
            look()
            with pytest.raises(OutOfTime, match="a part"), within("seconds", "a part"):
                look()
        with without():
            look()


def test_a_sweep_skips_no_point_that_took_too_long(limit):
    model = read(Source("net.yaml", "vars: {n: 4}\ninput: [8, 8, n]\nlayers: [{repeat: 2000, layers: [relu]}]\n"))
    points = Grid({"n": np.array([4, 5])})
    assert [one.kept.size for one in results(model, points, ["params"], "paper", skip_invalid=True)] == [2]
    limit(seconds=0)
    with pytest.raises(OutOfTime):
        list(results(model, points, ["params"], "paper", skip_invalid=True))


WORK = {  # packages whose loops do not call `spend`
    "export to PyTorch": lambda model, graph: source_text(graph, "net"),
    "import": lambda model, graph: spec_text(model, settle(model, {})),
    "rewriting": lambda model, graph: compare(model, conv="separable"),
    "comparing": lambda model, graph: compare(model, model),
}


@timed
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the clock may ring in a callback of gc
@pytest.mark.parametrize("name", WORK)
def test_every_room_ends_when_its_time_is_over(name, limit):
    model = read(Source("net.yaml", LARGE))
    graph = graph_of(model, settle(model, {}))
    limit(run_seconds=0.05)
    start = time.process_time()
    with pytest.raises(OutOfTime, match="this test"), within("run_seconds", "this test"), ticking():
        WORK[name](model, graph)
    assert time.process_time() - start < 2


ARGUMENTS = {
    "compare": ["net.yaml", "net.yaml"],
    "diff": ["net.yaml", "mobilenet"],
    "explain": ["net.yaml"],
    "export": ["net.yaml", "-o", "net.py"],
    "fit": ["net.yaml", "--vary", "a=1:9:1", "--max", "params=1G"],
    "plot": ["net.yaml", "--vary", "a=1:9:1", "-o", "net.svg"],
    "reconcile": ["net.yaml", "paper", "framework"],
    "sweep": ["net.yaml", "--vary", "a=1:9:1"],
    "check": ["net.yaml", "--max", "params=1G"],
    "import": ["net.yaml", "-o", "out.yaml"],
    "search": ["net.yaml", "--max", "params=1G", "--maximize", "builtins:len"],
}
REFUSES = {"survey", "serve"}  # the file, not the command


@pytest.mark.parametrize("allowance", ["seconds", "run_seconds"])
@pytest.mark.parametrize("name", sorted(TAKING - REFUSES))
def test_every_command_ends_when_its_time_is_over(name, allowance, run, limit):

    layers = "".join("  - {conv: 3x3, out: a}\n" for _ in range(300))
    Path("net.yaml").write_text(f"vars: {{a: {{default: 4, min: 1}}}}\ninput: [32, 32, a]\nlayers:\n{layers}")
    limit(**{allowance: 0})
    code, out, error = run(name, *ARGUMENTS.get(name, ["net.yaml"]))
    assert code == 2
    assert "takes more than 0 seconds" in out + error
    assert f"COSTCALC_LIMITS={allowance}=N" in out + error
    assert sorted(path.name for path in Path().iterdir()) == ["net.yaml"]


@pytest.mark.parametrize(("allowance", "code"), [("seconds", 0), ("run_seconds", 2)])
def test_a_survey_refuses_files_that_take_too_long_and_ends_when_its_own_time_is_over(allowance, code, tmp_path):
    """Runs in a separate process. Files are read in worker processes, which get the limits of their parent."""
    (tmp_path / "net.yaml").write_text("input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 8}]\n")
    line = [sys.executable, "-m", "costcalc", "survey", "net.yaml"]
    limits = {"COSTCALC_LIMITS": f"{allowance}=0"}
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, env=os.environ | limits)
    assert done.returncode == code
    assert "takes more than 0 seconds" in done.stdout + done.stderr
