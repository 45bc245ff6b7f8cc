"""The roofline of a device with the layers of a network on it, drawn by matplotlib."""

from __future__ import annotations

import io
from textwrap import fill
from typing import TYPE_CHECKING, Any

from ...errors import OptionError, Problem
from ...records import NamedTuple
from ...render.figures import drawing, plain, saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .roofline import Roofline

NAMED = 40  # layers that are named one by one
NOTE = 100  # characters of a line under the axes
KINDS = (("compute", "tab:red", "o"), ("memory", "tab:blue", "s"))


class _Point(NamedTuple):
    """A layer: FLOP/B, FLOP/s that it can reach at most, what bounds it, its name."""

    intensity: float
    rate: float
    by: str
    name: str


def picture(found: Roofline, format: str) -> bytes:
    """The bytes of a PNG or SVG: the roofs, and a mark a layer at its intensity and the operations that it allows.

    Raises OptionError without matplotlib, and where no layer has mult-adds.
    """
    points = _points(found)
    if not points:
        raise OptionError(Problem("bad-value", "no layer has known mult-adds: there is nothing to draw"))
    with drawing(grid=True) as pyplot:
        figure, axes = pyplot.subplots(figsize=(7, 5), layout="constrained")
        _roofs(axes, found, [one.intensity for one in points])
        _marks(axes, points)
        _named(axes, points)
        axes.set(xscale="log", yscale="log", ylabel="FLOP/s that it can reach at most (1 mult-add = 2)")
        axes.set_title(plain(f"{found.model.name} on {found.device.name}"))
        axes.set_xlabel(fill(f"FLOP/B; {found.lives.storage.text}; bounds, no predictions", NOTE), fontsize=8)
        axes.legend(loc="lower right", fontsize=9)
        data = io.BytesIO()
        saved(figure, data, format)
        pyplot.close(figure)
    return data.getvalue()


def _points(found: Roofline) -> list[_Point]:
    """The layers with mult-adds of which all is known."""
    known = [one for one in found.bounds if one.complete and one.mult_adds and one.bytes]
    rates = [float(2 * one.mult_adds / max(one.compute, one.memory)) for one in known]
    return [_Point(one.intensity, rate, one.by, one.name) for one, rate in zip(known, rates, strict=True)]


def _named(axes: Axes, points: list[_Point]) -> None:
    """Write the names of layers beside their marks, where there is room: above the roof for one, below for the next."""
    for number, one in enumerate(points if len(points) <= NAMED else ()):
        place, side = ((3, -3), "left") if number % 2 else ((-3, 3), "right")
        how: dict[str, Any] = {"textcoords": "offset points", "fontsize": 4, "color": "0.3", "ha": side, "gid": "layer"}
        axes.annotate(plain(one.name), (one.intensity, one.rate), place, **how)


def _roofs(axes: Axes, found: Roofline, intensities: list[float]) -> None:
    bandwidth = float(found.device.bandwidth.value)
    ridges = [float(rate.value) / bandwidth for rate in found.peaks.values()]
    left, right = min([*intensities, *ridges]) / 2, max([*intensities, *ridges]) * 2
    axes.plot(
        [left, max(ridges)], [left * bandwidth, max(ridges) * bandwidth], color="0.3", label=_rate(bandwidth, "B/s")
    )
    for bits, rate in found.peaks.items():
        value = float(rate.value)
        axes.plot(
            [value / bandwidth, right], [value, value], color="0.3", label=f"{_rate(value, 'FLOP/s')} at {bits} bits"
        )


def _marks(axes: Axes, points: list[_Point]) -> None:
    for kind, color, mark in KINDS:
        part = [(one.intensity, one.rate) for one in points if one.by == kind]
        if part:
            label = f"{len(part)} layers bound by {kind}"
            axes.scatter(
                [x for x, _ in part], [y for _, y in part], s=24, color=color, marker=mark, label=label, zorder=3
            )


def _rate(value: float, unit: str) -> str:
    from matplotlib.ticker import EngFormatter

    return EngFormatter(unit, places=1)(value)
