"""What several test files share."""

import pytest

from costcalc.cli import main


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """A function that runs a command line in an empty directory: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*args):
        with pytest.raises(SystemExit) as exit_:
            main([str(arg) for arg in args])
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        return exit_.value.code, out.out, out.err

    return run
