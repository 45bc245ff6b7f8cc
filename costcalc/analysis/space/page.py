"""Page of a space: the number of networks, how many fit each budget, and the distribution of their costs."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import OptionError, Problem
from ...metrics.metrics import metric, storage_note
from ...records import NamedTuple
from ...render.figures import drawing, plain, saved
from ...render.sheet import Column, Sheet
from ...render.text import printable
from ..report.columns import constants, stamped
from ..report.document import heading
from ..report.gaps import uncounted_in
from ..report.notes import unpriced
from .chains import within_costs
from .estimate import Estimate, estimated

if TYPE_CHECKING:
    from .chains import Decomposed
    from .space import Space

BAR = 30  # characters of the longest bar
SHARES = (0.1, 0.5, 0.9)
ROWS = 10_000  # maximum networks on one page
DRAWN = 1_000_000  # maximum networks of an estimate


class Asked(NamedTuple):
    """Requested contents of a space's page besides its histogram."""

    limits: Mapping[str, Any] = {}
    bars: int = 12
    nth: int | None = None
    samples: int = 0
    seed: int = 0
    estimate: int = 0
    front: tuple[str, ...] = ()  # the other metric, and the metrics to maximize


class SpacePage:
    """The number of networks, the number within the limits, and the histogram or the requested networks."""

    def __init__(self, found: Space, asked: Asked | None = None) -> None:
        self.found, self.asked = found, asked or Asked()
        self.title = f"{found.model.name}: its space"
        open_ones = {name.partition("[")[0] for name in found.choices}
        self.inputs, self.values = constants(found.model, [*found.choices, *open_ones], found.given)
        self.limits = found.limits_of(self.asked.limits)
        metrics = [metric(name, found.prices) for name in dict.fromkeys([found.metric.name, *self.limits])]
        self.uncounted = uncounted_in(found.model, metrics, found.choices, found.given)
        self.estimate: Estimate | None = None
        self.fitting = self._fitting()
        self.networks = self._networks()
        self.is_list = bool(self.asked.samples or self.asked.front)
        self.spread = [] if self.is_list else found.histogram(self.asked.bars)
        self.shares = {} if self.is_list else self._shares()

    def _shares(self) -> dict[str, int]:
        return {f"p{round(100 * share)}": self.found.quantile(share) for share in SHARES}

    def _fitting(self) -> int | None:
        """Number of networks that fit; None if it is estimated."""
        if not self.asked.estimate:
            return self.found.fitting(self.limits) if self.limits else self.found.networks
        if not self.limits or self.asked.estimate > DRAWN:
            message = f"--estimate draws at most {DRAWN:,} networks, to see how many fit --max"
            raise OptionError(Problem("usage", message))
        space, most, others = self.found.under(self.limits)
        base = (space.within(most) if most is not None else space.networks) if space.settings else 0
        if not base or not others:
            return base
        within = self._within(space, most, base, others)
        exact = [f"{name} <= {limit:,}" for name, limit in self.limits.items() if name not in others]
        of = f"the {base:,} networks" + (f" with {' and '.join(exact)}" if exact else "")
        self.estimate = estimated(within, self.asked.estimate, of)
        return None

    def _within(self, space: Decomposed, most: int | None, base: int, others: Mapping[str, int]) -> int:
        """Number of networks, drawn from those within `most`, that are also within the other limits."""
        names = [one.name for one in space.designs.counting.metrics]
        costs = within_costs(space, space.most if most is None else most, self.asked.estimate, self.asked.seed)
        kept = np.ones(self.asked.estimate, dtype=bool)
        for name, limit in others.items():
            kept &= costs[names.index(name)] <= limit
        return int(kept.sum())

    def _networks(self) -> list[dict[str, Any]] | None:
        """The networks requested individually."""
        asked, limits = self.asked, self.limits
        if asked.nth is not None:
            return [self.found.nth(asked.nth, limits)]
        if asked.front:
            return self.found.front(asked.front[0], asked.front[1:], limits)
        if asked.samples > ROWS:
            raise OptionError(Problem("limit", f"--samples lists at most {ROWS:,} networks"))
        return list(self.found.samples(asked.samples, limits, asked.seed)) if asked.samples else None

    def heads(self) -> list[str]:
        """Number of networks, and how many fit."""
        lines = [f"{self.found.networks:,} networks"]
        said = " and ".join(f"{name} <= {limit:,}" for name, limit in self.limits.items())
        if self.limits and self.fitting is not None:
            lines.append(f"{self.fitting:,} fit {said} ({share(self.fitting, self.found.networks)})")
        if self.estimate:
            lines.append(f"fit {said}: {self.estimate.text}")
        return lines

    def sheets(self) -> list[Sheet]:
        """The histogram, or the requested networks."""
        if self.networks is not None:
            names, rows = self.records()
            metrics = [*self.networks[0]["metrics"]] if self.networks else []
            columns = tuple(Column(name, name != "network", counts=name in metrics) for name in names)
            return [Sheet(columns, [tuple(_shown(row[name]) for name in names) for row in rows])]
        title = self.found.metric.title
        columns = (Column(f"{title} above", True), Column("to", True), Column("networks", True), Column("share", True))
        most = max(count for *_, count in self.spread)
        bars = [
            (
                *(f"{one:,}" for one in (start, end, count)),
                share(count, self.found.networks),
                "#" * (-(-BAR * count // most) if count else 0) + self._marks(start, end),
            )
            for start, end, count in self.spread
        ]
        return [Sheet((*columns, Column("", spare=1)), bars, ("total", "", f"{self.found.networks:,}", "", ""))]

    def _marks(self, start: int, end: int) -> str:
        """The budget that ends in a bar, if there is one."""
        limit = self.limits.get(self.found.metric.name)
        return f" < {limit:,}" if limit is not None and start < limit <= end and limit != self.found.most else ""

    def notes(self) -> list[str]:
        """Extremes, percentiles, counting method, and meaning of the figures."""
        found = self.found
        shares = "".join(f"{name} {cost:,}, " for name, cost in self.shares.items())
        ways = "".join(f"; {' with '.join(names)} by {how}" for names, how in found.other_ways().items())
        drawn = f"; networks drawn uniformly, seed {self.asked.seed}" if self.asked.samples or self.estimate else ""
        names = [found.metric.name, *self.limits]
        note = storage_note(found.model, names)
        return [
            *unpriced(self.uncounted),
            f"least {found.least:,}, {shares}most {found.most:,}",
            f"exact, by {found.decomposed.how}{ways}{drawn}; choices that a network does not read do not count",
            *([note] if note else []),
            stamped(found.model, found.metric.priced, self.inputs, self.values),
        ]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The histogram, one row per bar; or one row per network."""
        if self.networks is None:
            return ["above", "to", "networks"], self._stretches()
        rows = [{**one["metrics"], "network": settings_text(one["choices"])} for one in self.networks]
        return list(rows[0]) if rows else ["network"], rows

    def _stretches(self) -> list[dict[str, Any]]:
        return [dict(zip(("above", "to", "networks"), one, strict=True)) for one in self.spread]

    def document(self) -> Mapping[str, Any]:
        """The JSON document; counts are exact integers."""
        found, asked = self.found, self.asked
        return {
            **heading(found.model, found.metric.priced, self.inputs, self.values),
            **({"uncounted": self.uncounted} if self.uncounted else {}),
            "metric": found.metric.name,
            "choices": {name: list(values) for name, values in found.choices.items()},
            "method": found.method,
            "shared": list(found.shared),
            "other_methods": [{"metrics": list(names), "how": how} for names, how in found.other_ways().items()],
            "networks": found.networks,
            "max": self.limits,
            "fitting": self.fitting,
            **({"estimate": self.estimate.record} if self.estimate else {}),
            "least": found.least,
            "most": found.most,
            **({"nth": {"number": asked.nth, **(self.networks or [{}])[0]}} if asked.nth is not None else {}),
            **({} if self.is_list else {"percentiles": self.shares, "histogram": self._stretches()}),
            **({"seed": asked.seed, "samples": self.networks} if asked.samples else {}),
            **({"front": self.networks} if asked.front else {}),
        }


def settings_text(choices: Mapping[str, Any]) -> str:
    """Choices in the syntax of `--set`, positions of a variable together: `ks=3,5,-,7`, with `-` for unread ones."""
    texts: dict[str, Any] = {}
    for name, value in choices.items():
        base, bracket, at = name.partition("[")
        if bracket:
            texts.setdefault(base, {})[int(at[:-1])] = value
        else:
            texts[name] = value
    return " ".join(f"{name}={_positions(value)}" for name, value in texts.items())


def _positions(value: Any) -> str:
    if not isinstance(value, dict):
        return printable(str(value))
    return ",".join(str(value.get(at, "-")) for at in range(max(value) + 1))


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def share(count: int, total: int) -> str:
    """A share in percent; `0 %` and `100 %` only if exact."""
    if not total:
        return "0.000 %"
    shown = f"{100 * count / total:.3f} %"
    return (
        f"< {0.001} %"
        if count and shown == "0.000 %"
        else "> 99.999 %"
        if count < total and shown == "100.000 %"
        else shown
    )


BARS = 60


def picture(found: Space, limits: dict[str, int], note: str, format: str) -> bytes:
    """A PNG or SVG chart. Raises OptionError without matplotlib."""
    from matplotlib.ticker import EngFormatter

    spread = found.histogram(BARS)
    with drawing() as pyplot:
        figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
        lefts, widths = [start for start, _, _ in spread], [end - start for start, end, _ in spread]
        axes.bar(lefts, [count / found.networks for *_, count in spread], widths, align="edge", color="0.6")
        for name, most in limits.items():
            if name == found.metric.name:
                share = found.within_count(most) / found.networks
                axes.axvline(most, color="C3", label=f"{name} <= {most:,}: {100 * share:.3f} %")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="best", fontsize=9)
        axes.xaxis.set_major_formatter(EngFormatter(found.metric.unit.symbol, sep=" "))
        axes.set_xlabel(found.metric.axis)
        axes.set_ylabel("share of networks")
        axes.set_title(plain(f"{found.model.name}: {found.networks:,} networks"))
        figure.supxlabel(plain(note[:140]), fontsize=6, color="0.4")
        data = io.BytesIO()
        saved(figure, data, format)
        pyplot.close(figure)
    return data.getvalue()
