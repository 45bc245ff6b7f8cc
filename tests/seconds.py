"""Processor seconds of tests: `COSTCALC_TEST_SECONDS=1 pytest` prints them by file, and fails where they are too many.

A second is that of the machine on which the limits were set: a fixed calculation is timed between the tests, so that
neither another machine nor others' work on it changes the verdict.
"""

import os
from collections import Counter
from pathlib import Path
from statistics import median
from time import process_time

import pytest

EACH = 25  # seconds of a test without the marker `slow`: three times what any takes, as a first run of mypy does
ALL = 600  # seconds of all of them: twice what they take; README says how long that is on two processors
CALCULATION = 0.0027  # seconds that `calculation` takes there
EVERY = 50  # tests between two calculations
SHOWN = 25  # files and tests in the report
MEASURED = Path(__file__).with_name("slow.txt")  # the cases that took longest, by their ids


def calculation():
    """The processor time of a fixed calculation."""
    start = process_time()
    found = {}
    for number in range(10_000):
        found[f"{number % 97}"] = found.get(f"{number % 89}", 0) + number
    return process_time() - start


def spent():
    """Processor time of this process and of those that it has started and that have ended."""
    now = os.times()
    return process_time() + now.children_user + now.children_system


def slow_ids():
    """The ids of the cases that are slow by measurement."""
    return [line for line in MEASURED.read_text(encoding="utf-8").splitlines() if line]


def stale(ids, known):
    """Those of the ids that are of no test, though there are others of the same file."""
    files = {one.partition("::")[0] for one in known}
    return [one for one in ids if one not in known and one.partition("::")[0] in files]


class Seconds:
    """What each test took, as its process tells it; the verdict at the end."""

    def __init__(self):
        self.start = self.count = 0
        self.taken, self.calculations = {}, []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        self.start = spent()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        if call.when == "teardown":
            item.user_properties.append(("seconds", spent() - self.start))
            if self.count % EVERY == 0:
                item.user_properties.append(("calculation", calculation()))
            self.count += 1

    def pytest_runtest_logreport(self, report):
        told = dict(report.user_properties) if report.when == "teardown" else {}
        if "seconds" in told:
            self.taken[report.nodeid] = told["seconds"]
        if "calculation" in told:
            self.calculations.append(told["calculation"])

    @property
    def scaled(self):
        """The seconds of each test, as they are on the machine of the limits."""
        pace = self._pace
        return {name: seconds / pace for name, seconds in self.taken.items()}

    def verdict(self):
        """What takes too many seconds: a line each."""
        total = sum(self.scaled.values())
        each = [f"{name} takes {seconds:.1f} s" for name, seconds in self.scaled.items() if seconds > EACH]
        found = [f"{one}: more than {EACH} s; do less, or add its id to tests/slow.txt" for one in each]
        return found + [f"all tests take {total:.0f} s: more than {ALL} s"] * (total > ALL)

    def lines(self):
        """The report: all, the files and the tests that take longest."""
        files = Counter()
        for name, seconds in self.scaled.items():
            files[name.partition("::")[0]] += seconds
        tests = Counter(self.scaled)
        total = f"{sum(tests.values()):8.1f} s"
        return [
            f"{total}  {len(tests):,} tests; the calculation took {self._pace:.2f} times as long",
            *(f"{seconds:8.1f} s  {name}" for most in (files, tests) for name, seconds in most.most_common(SHOWN)),
        ]

    @property
    def _pace(self):
        """How many times as long as there the calculation took."""
        return median(self.calculations or [CALCULATION]) / CALCULATION

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session, exitstatus):
        if self._is_judged(session.config) and self.verdict() and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter, config):
        terminalreporter.section("processor seconds")
        for line in [*self.lines(), *(self.verdict() if self._is_judged(config) else [])]:
            terminalreporter.write_line(line)

    @staticmethod
    def _is_judged(config):
        return config.option.markexpr == "not slow" and not hasattr(config, "workerinput")
