"""Processor seconds of tests: `COSTCALC_TEST_SECONDS=1 pytest` prints them by file and enforces limits.

A fixed calculation is timed between the tests to convert seconds to those of the machine on which the limits were set,
so that neither another machine nor its load changes the verdict.
"""

import os
from collections import Counter
from pathlib import Path
from statistics import median
from time import process_time

import pytest

EACH = 25  # seconds of a test without the marker `slow`: three times the slowest, which is a first run of mypy
ALL = 600  # seconds of all tests: twice their usual time; README states it for two processors
CALCULATION = 0.0027  # seconds that `calculation` takes there
EVERY = 50  # tests between two calculations
SHOWN = 25  # files and tests in the report
MEASURED = Path(__file__).with_name("slow.txt")  # ids of the slowest cases


def calculation():
    """The processor time of a fixed calculation."""
    start = process_time()
    found = {}
    for number in range(10_000):
        found[f"{number % 97}"] = found.get(f"{number % 89}", 0) + number
    return process_time() - start


def spent():
    """Processor time of this process and its finished child processes."""
    now = os.times()
    return process_time() + now.children_user + now.children_system


def slow_ids():
    """The ids of the cases that were measured as slow."""
    return [line for line in MEASURED.read_text(encoding="utf-8").splitlines() if line]


def stale(ids, known):
    """The ids that match no test, although their file has other tests."""
    files = {one.partition("::")[0] for one in known}
    return [one for one in ids if one not in known and one.partition("::")[0] in files]


class Seconds:
    """pytest plugin: collects the time of each test from its process, and gives a verdict at the end."""

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
        """The seconds of each test, converted to the machine of the limits."""
        pace = self._pace
        return {name: seconds / pace for name, seconds in self.taken.items()}

    def verdict(self):
        """A line for each file or test that exceeds its limit."""
        total = sum(self.scaled.values())
        each = [f"{name} takes {seconds:.1f} s" for name, seconds in self.scaled.items() if seconds > EACH]
        found = [f"{one}: more than {EACH} s; do less, or add its id to tests/slow.txt" for one in each]
        return found + [f"all tests take {total:.0f} s: more than {ALL} s"] * (total > ALL)

    def lines(self):
        """The report: the total, and the slowest files and tests."""
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
        """The time of the calculation relative to the machine of the limits."""
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
