"""Tests of the measurement of test times and its verdict."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests import seconds
from tests.seconds import Seconds, slow_ids, stale


def told(name, taken, calculation=seconds.CALCULATION, when="teardown"):
    """The report of a test from its process."""
    return SimpleNamespace(when=when, nodeid=name, user_properties=[("seconds", taken), ("calculation", calculation)])


def measured(*reports):
    """A Seconds plugin that received some reports."""
    found = Seconds()
    for report in reports:
        found.pytest_runtest_logreport(report)
    return found


def test_a_test_that_takes_too_long_is_named():
    found = measured(told("a.py::quick", 0.5), told("a.py::long", 30), told("a.py::ignored", 9, when="call"))
    assert found.verdict() == ["a.py::long takes 30.0 s: more than 25 s; do less, or add its id to tests/slow.txt"]


def test_all_together_are_limited():
    found = measured(*(told(f"a.py::{number}", 2.5) for number in range(300)))
    assert found.verdict() == [f"all tests take 750 s: more than {seconds.ALL} s"]


def test_a_slow_machine_changes_no_verdict():
    assert measured(told("a.py::one", 30, 2 * seconds.CALCULATION)).verdict() == []
    assert len(measured(told("a.py::one", 15, seconds.CALCULATION / 2)).verdict()) == 1


def test_the_report_has_files_and_tests_largest_first():
    lines = measured(told("a.py::x", 1), told("b.py::y", 0.75), told("b.py::z", 0.75)).lines()
    assert [line.split()[-1] for line in lines[1:]] == ["b.py", "a.py", "a.py::x", "b.py::y", "b.py::z"]
    assert lines[0].split()[:4] == ["2.5", "s", "3", "tests;"]


def test_work_of_other_processes_counts():
    before = seconds.spent()
    subprocess.run([sys.executable, "-c", "sum(range(2_000_000))"], check=True)
    assert seconds.spent() > before


def test_ids_of_tests_that_are_gone_are_told():
    known = {"tests/a.py::one[1]", "tests/a.py::two"}
    assert stale(["tests/a.py::one[1]", "tests/a.py::one[2]", "tests/b.py::x"], known) == ["tests/a.py::one[2]"]


def test_the_list_has_each_id_once_and_names_files_that_are_there():
    ids = slow_ids()
    assert ids == sorted(set(ids))
    assert [one for one in ids if not os.path.exists(one.partition("::")[0])] == []


@pytest.mark.parametrize(("work", "code"), [("pass", 0), ("while process_time() < start + 1: pass", 1)])
def test_a_run_ends_with_the_verdict(tmp_path, work, code):
    (tmp_path / "conftest.py").write_text(
        "from tests import seconds\n"
        "seconds.EACH = 0.2\n"
        "def pytest_configure(config):\n    config.pluginmanager.register(seconds.Seconds())\n"
    )
    (tmp_path / "test_it.py").write_text(
        f"from time import process_time\ndef test_it():\n    start = process_time()\n    {work}\n"
    )
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {os.getcwd()}\n")
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert ("more than 0.2 s" in done.stdout) == bool(code)
