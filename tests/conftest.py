"""What several test files share."""

from typing import NamedTuple

import pytest

from costcalc.cli import main


class Result(NamedTuple):
    """How a command line ended, and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """A function that runs a command line in an empty directory: a Result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*args):
        with pytest.raises(SystemExit) as exit_:
            main([str(arg) for arg in args])
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        return Result(exit_.value.code, out.out, out.err)

    return run
