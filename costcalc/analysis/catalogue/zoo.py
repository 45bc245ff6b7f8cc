"""Page of the shipped configs: one row per config."""

from __future__ import annotations

from typing import Any

from ... import __version__
from ...metrics.conventions import find
from ...records import NamedTuple
from ...render.sheet import Column, Page, Sheet

COLUMNS = (
    Column("config"),
    Column("mult-adds", number=True, counts=True),
    Column("params", number=True, counts=True),
    Column("variables", folds=True, spare=1),
    Column("what it is", folds=True, spare=2),
)


class Config(NamedTuple):
    """A shipped config: its totals at the defaults under `paper`, its variables and its title."""

    config: str
    mult_adds: int
    params: int
    variables: tuple[str, ...]
    what: str


class ZooPage(Page):
    """The shipped configs."""

    title = "costcalc zoo"

    def __init__(self, configs: Any) -> None:
        self.configs, self.convention = configs, find("paper")

    def sheets(self) -> Any:
        """One row per config."""
        rows = [
            (one.config, f"{one.mult_adds:,}", f"{one.params:,}", ", ".join(one.variables), one.what)
            for one in self.configs
        ]
        return [Sheet(COLUMNS, rows)]

    def notes(self) -> Any:
        """Convention and settings of the figures."""
        title = f"convention {self.convention.name}: {self.convention.title}"
        return [f"{title}; every variable at its default; costcalc {__version__}"]

    def records(self) -> Any:
        """Column names and rows of a CSV file."""
        return [*Config._fields], [{**one._asdict(), "variables": " ".join(one.variables)} for one in self.configs]

    def document(self) -> Any:
        """The JSON document."""
        rows = [one._asdict() for one in self.configs]
        return {"schema_version": 1, "costcalc": __version__, "convention": self.convention.name, "configs": rows}
