"""Timed networks as a page: a row each, mult-adds beside times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...render.sheet import Column, Sheet
from ...render.text import printable

if TYPE_CHECKING:
    from .bench import Bench


class BenchPage:
    """Networks that were timed after each other on one machine."""

    def __init__(self, found: Sequence[Bench]) -> None:
        self.found = found

    def heads(self) -> list[str]:
        """Nothing: the table itself is the answer."""
        return []

    def sheets(self) -> list[Sheet]:
        """One row a network; times in milliseconds."""
        names = ("mult-adds", "least ms", "median ms", "mean ms", "deviation", "runs", "G mult-adds/s at the least")
        columns = (Column("network", folds=True), *(Column(name, True) for name in names), Column("steady"))
        return [Sheet(columns, [self._cells(one) for one in self.found])]

    def _cells(self, one: Bench) -> tuple[str, ...]:
        times = one.times
        sizes = (times.least, times.median, times.mean, times.deviation)
        return (
            printable(one.report.model.name),
            f"{_cost(one):,}",
            *(f"{1000 * size:.2f}" for size in sizes),
            f"{len(times.runs):,}",
            f"{_cost(one) / times.least / 1e9:.1f}",
            "yes" if times.is_steady else "no verdict",
        )

    def notes(self) -> list[str]:
        """What was run where."""
        first = self.found[0]
        unsteady = [one for one in self.found if not one.times.is_steady]
        noisy = ["no verdict: the median is more than 1.3 times the least, the machine was busy"] if unsteady else []
        ran = f"{first.runtime}, {first.threads} thread{'s' if first.threads > 1 else ''}, batch 1, 10 warm-ups"
        return [*noisy, f"{ran}; {first.machine}; times of this machine at this moment; costcalc {__version__}"]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The names and rows of a CSV file, in seconds."""
        rows = [_record(one) for one in self.found]
        return [*rows[0]], rows

    def document(self) -> dict[str, Any]:
        """The machine, then the networks."""
        first = self.found[0]
        about = {"costcalc": __version__, "runtime": first.runtime, "threads": first.threads, "machine": first.machine}
        return {**about, "networks": self.records()[1]}


def _cost(one: Bench) -> int:
    return one.report.totals["mult_adds"]


def _record(one: Bench) -> dict[str, Any]:
    times = one.times
    return {
        "network": one.report.model.name,
        "mult_adds": _cost(one),
        "params": one.report.totals["params"],
        "complete": one.report.complete,
        "least": times.least,
        "median": times.median,
        "mean": times.mean,
        "deviation": times.deviation,
        "runs": len(times.runs),
        "steady": times.is_steady,
    }
