"""Shared fixtures and hooks."""

import gc
import os
import subprocess
import sys
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from costcalc.budget.bases import BRANCHES, COMMITS
from costcalc.cli import main
from costcalc.limits import raised
from tests.seconds import Seconds, slow_ids, stale

os.environ.pop("COLUMNS", None)  # output width depends on the test only, not on the environment
CI = (*COMMITS, *BRANCHES)
MEASURES = "COSTCALC_TEST_SECONDS" in os.environ  # also in the workers of xdist


def pytest_configure(config):
    gc.set_threshold(100_000)  # as in the program: most objects live to the end
    if MEASURES:
        config.pluginmanager.register(Seconds(), "seconds")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Mark the cases that were measured as slow."""
    slow, known = set(slow_ids()), {item.nodeid for item in items}
    for item in items:
        if item.nodeid in slow:
            item.add_marker(pytest.mark.slow)
    whole = MEASURES and not any("::" in one for one in config.args)
    if whole and (gone := stale(sorted(slow), known)):
        message = f"tests/slow.txt names tests that are not there: {gone}"
        print(message, file=sys.__stderr__)  # xdist workers do not show the error
        raise pytest.UsageError(message)


class Result(NamedTuple):
    """Exit code and output of a command line."""

    code: int
    out: str
    err: str


@pytest.fixture
def limit():
    """A function that sets limits until the test ends: `limit(file_bytes=5)`."""
    with ExitStack() as stack:
        yield lambda **numbers: stack.enter_context(raised(**numbers))


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """A function that runs a command line in an empty directory and returns a Result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*args):
        with pytest.raises(SystemExit) as exit_:
            main([str(arg) for arg in args])
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        return Result(exit_.value.code, out.out, out.err)

    return run


class Repository:
    """A git repository for tests: write files, commit, create branches."""

    def __init__(self, root):
        self.root = root

    def git(self, *args):
        done = subprocess.run(["git", "-C", self.root, *args], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, **files):
        """Write files by name: `models__net` is models/net.yaml."""
        for name, text in files.items():
            path = self.root / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, **files):
        """Write files and commit everything."""
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a commit")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(run, tmp_path, monkeypatch):
    """An empty git repository on branch main, also the working directory."""
    for name in [name for name in os.environ if name.startswith("GIT_")] + list(CI):
        monkeypatch.delenv(name, raising=False)
    for key, value in {"NAME": "a", "EMAIL": "a@example.org"}.items():
        monkeypatch.setenv(f"GIT_AUTHOR_{key}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{key}", value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    found = Repository(tmp_path)
    found.git("init", "-q", "-b", "main")
    return found
