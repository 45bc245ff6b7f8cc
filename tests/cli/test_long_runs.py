"""Long runs: progress only on a terminal, and no partial file after an interrupt."""

import io
import signal
import subprocess
import sys
import time

import pytest

from costcalc.cli import terminal

CODE = (  # background jobs ignore Ctrl-C
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from costcalc.cli import main; main()"
)
SWEEP = ["sweep", "mobilenet", "--vary", "alpha=0.001:50:0.001", "--res", "33:5032:1"]  # 250 million points


class Terminal(io.StringIO):
    """A standard error that pretends to be a terminal or not."""

    def __init__(self, is_terminal):
        super().__init__()
        self.isatty = lambda: is_terminal


@pytest.mark.parametrize(("is_terminal", "seconds", "shown"), [(True, 5, True), (False, 5, False), (True, 0.5, False)])
def test_progress(monkeypatch, is_terminal, seconds, shown):
    clock = iter([0.0, seconds, seconds])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", Terminal(is_terminal))
    with terminal.Progress(1000, "points") as bar:
        bar.add(250)
    text = sys.stderr.getvalue()
    assert ("250 of 1,000 points, 15 s left" in text) == shown
    assert text.endswith("\r\x1b[K") == shown


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stopped_run_leaves_the_old_file(tmp_path, number, code):
    (tmp_path / "p.csv").write_text("old")
    process = subprocess.Popen([sys.executable, "-c", CODE, *SWEEP, "-o", "p.csv"], cwd=tmp_path)
    end = time.monotonic() + 30
    while time.monotonic() < end and len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.05)
    time.sleep(0.3)  # into the writing
    process.send_signal(number)
    assert process.wait(30) == code
    assert (tmp_path / "p.csv").read_text() == "old"
    if number != signal.SIGKILL:  # which cannot be answered
        assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


@pytest.mark.parametrize("resumes", [True, False])
def test_what_can_go_on_says_so_when_it_is_stopped(monkeypatch, resumes):
    monkeypatch.setattr(sys, "stderr", Terminal(False))
    bar = terminal.Progress(100, "files", resumes)
    bar.add(25)
    bar.__exit__(KeyboardInterrupt)
    said = "stopped at 25 of 100 files; the same command with --resume continues\n"
    assert sys.stderr.getvalue() == (said if resumes else "")
