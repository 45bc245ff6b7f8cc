"""A space of designs as a page: how many networks, how many fit each budget, and how their costs are spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...render.sheet import Column, Sheet
from ...render.text import printable
from ..fit.fit import most_of
from ..report.columns import stamped
from ..report.document import heading
from ..sweep.constants import constants

if TYPE_CHECKING:
    from .space import Space

BAR = 30  # characters of the longest bar
SHARES = (0.1, 0.5, 0.9)


class SpacePage:
    """The number of networks in a line, those within the limits, and the histogram."""

    def __init__(self, found: Space, limits: Mapping[str, Any]) -> None:
        self.found = found
        open_ones = {name.partition("[")[0] for name in found.choices}
        self.inputs, self.values = constants(found.model, [*found.choices, *open_ones], found.given)
        self.limits = {name: int(most_of(name, limit)) for name, limit in limits.items()}
        self.fitting = found.within_count(*self.limits.values()) if limits else found.networks
        self.spread = found.histogram()
        self.shares = {f"p{round(100 * share)}": found.quantile(share) for share in SHARES}

    def heads(self) -> list[str]:
        """How many networks there are, and how many fit."""
        lines = [f"{self.found.networks:,} networks"]
        for name, limit in self.limits.items():
            lines.append(f"{self.fitting:,} fit {name} <= {limit:,} ({share(self.fitting, self.found.networks)})")
        return lines

    def sheets(self) -> list[Sheet]:
        """The histogram."""
        title = self.found.metric.title
        columns = (Column(f"{title} above", True), Column("to", True), Column("networks", True), Column("share", True))
        most = max(count for *_, count in self.spread)
        rows = [
            (
                *(f"{one:,}" for one in (start, end, count)),
                share(count, self.found.networks),
                "#" * (-(-BAR * count // most) if count else 0),
            )
            for start, end, count in self.spread
        ]
        return [Sheet((*columns, Column("", spare=1)), rows, ("total", "", f"{self.found.networks:,}", "", ""))]

    def notes(self) -> list[str]:
        """The ends, the percentiles, how it was counted, and what the numbers mean."""
        found = self.found
        shares = ", ".join(f"{name} {cost:,}" for name, cost in self.shares.items())
        shared = f"; {', '.join(map(printable, found.shared))} tried one by one" if found.shared else ""
        return [
            f"least {found.least:,}, {shares}, most {found.most:,}",
            f"exact, by {found.method}{shared}; choices that a network does not read make no other one",
            stamped(found.model, found.metric.priced, self.inputs, self.values),
        ]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The histogram, a row a stretch."""
        names = ["above", "to", "networks"]
        return names, [dict(zip(names, one, strict=True)) for one in self.spread]

    def document(self) -> Mapping[str, Any]:
        """For programs: exact counts as whole numbers."""
        found = self.found
        return {
            **heading(found.model, found.metric.priced, self.inputs, self.values),
            "metric": found.metric.name,
            "choices": {name: list(values) for name, values in found.choices.items()},
            "method": found.method,
            "shared": list(found.shared),
            "networks": found.networks,
            "max": self.limits,
            "fitting": self.fitting,
            "least": found.least,
            "most": found.most,
            "percentiles": self.shares,
            "histogram": self.records()[1],
        }


def share(count: int, total: int) -> str:
    """A share in per cent; `0 %` and `100 %` only where they are exact."""
    shown = f"{100 * count / total:.3f} %"
    return (
        f"< {0.001} %"
        if count and shown == "0.000 %"
        else "> 99.999 %"
        if count < total and shown == "100.000 %"
        else shown
    )
