"""A picture of the histogram of a space, with its limits as lines, drawn by matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ...errors import OptionError, Problem

if TYPE_CHECKING:
    from .space import Space

BARS = 60


def picture(found: Space, limits: dict[str, int], note: str, format: str) -> bytes:
    """The bytes of a PNG or SVG. Raises OptionError without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        message = "plots need the matplotlib package"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[plot]'")) from None
    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import EngFormatter

    spread = found.histogram(BARS)
    with pyplot.rc_context({"svg.hashsalt": "costcalc", "font.size": 10}):
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
        axes.set_title(f"{found.model.name}: {found.networks:,} networks")
        figure.supxlabel(note[:140], fontsize=6, color="0.4")
        data = io.BytesIO()
        figure.savefig(data, format=format, dpi=150, metadata={"Date": None} if format == "svg" else None)
        pyplot.close(figure)
    return data.getvalue()
