"""A picture of the histogram of a space, with its limits as lines, drawn by matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ...render.figures import drawing, plain, saved

if TYPE_CHECKING:
    from .space import Space

BARS = 60


def picture(found: Space, limits: dict[str, int], note: str, format: str) -> bytes:
    """The bytes of a PNG or SVG. Raises OptionError without matplotlib."""
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
