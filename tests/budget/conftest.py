"""Shared fixtures of the check tests: files on disk, and a base in memory."""

import pytest

from costcalc.budget import bases
from tests.budget.made import Memory


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A function that writes files, sets the files at the base, and returns the repository in memory."""
    monkeypatch.chdir(tmp_path)
    for name in (*bases.COMMITS, *bases.BRANCHES):
        monkeypatch.delenv(name, raising=False)

    def there(now, before=None, **more):
        for name, text in now.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if before is not None:
            before = {name: text.encode() for name, text in before.items()}
        found = None if before is None else Memory(tmp_path, before, **more)
        monkeypatch.setattr(bases.Repository, "find", lambda: found)
        return found

    return there
