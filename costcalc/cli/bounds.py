"""Limits on input: the output of `costcalc limits`, and raising them through the environment."""

from __future__ import annotations

from typing import Any

from .. import __version__, limits
from ..errors import OptionError, Problem, brief, listed, nearest
from ..render.json_ import SCHEMA_VERSION
from ..render.sheet import Column, Page, Sheet

_EXAMPLE = 'write COSTCALC_LIMITS="layers=1000000 nesting=100"'


class LimitsPage(Page):
    """Every limit with its value and meaning, those that can be raised first."""

    title = "costcalc limits"

    def __init__(self) -> None:
        groups = (limits.RAISABLE, True), (limits.FIXED, False)
        self.rows: list[dict[str, Any]] = [
            {"limit": name.lower(), "value": limits.value(name), "raisable": raisable, "of": meaning}
            for group, raisable in groups
            for name, (meaning, _) in group.items()
        ]

    def sheets(self) -> list[Sheet]:
        """One row per limit."""
        columns = Column("limit"), Column("value", True), Column("can be raised"), Column("meaning", folds=True)
        yes = {True: "yes", False: "no"}
        rows = [(row["limit"], f"{row['value']:,}", yes[row["raisable"]], row["of"]) for row in self.rows]
        return [Sheet(columns, rows)]

    def notes(self) -> list[str]:
        """How to raise limits."""
        return ["COSTCALC_LIMITS='layers=1000000 nesting=100' in the environment raises limits for one run"]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per limit."""
        return list(self.rows[0]), self.rows

    def document(self) -> dict[str, Any]:
        """One entry per limit."""
        return {"schema_version": SCHEMA_VERSION, "costcalc": __version__, "limits": self.rows}


def asked(text: str) -> dict[str, int]:
    """Parse raised limits: `layers=1000000 nesting=100`. Raises OptionError."""
    raised = {}
    for part in text.replace(",", " ").split():
        name, equals, number = part.partition("=")
        if not equals or not (number.isascii() and number.isdigit() and 0 < len(number) <= limits.DIGITS):
            raise OptionError(Problem("bad-limit", f"COSTCALC_LIMITS: `{brief(part)}` raises no limit", help=_EXAMPLE))
        if name.upper() not in limits.RAISABLE:
            names = [one.lower() for one in limits.RAISABLE]
            help = nearest(name, names) or f"limits: {listed(names)}"
            message = f"COSTCALC_LIMITS: there is no limit `{brief(name)}`"
            raise OptionError(Problem("bad-limit", message, help=help))
        raised[name] = int(number)
    return raised
