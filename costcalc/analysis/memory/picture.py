"""Memory along the schedule as a picture, drawn by matplotlib."""

from __future__ import annotations

import io
from textwrap import fill
from typing import TYPE_CHECKING

from ...errors import OptionError, Problem

if TYPE_CHECKING:
    from .memory import Memory

NOTE = 140  # characters of a line under the axes


def picture(found: Memory, format: str) -> bytes:
    """The bytes of a PNG or SVG: what every operation needs, the peak marked. Raises OptionError."""
    try:
        import matplotlib
    except ImportError:
        message = "pictures need the matplotlib package"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[plot]'")) from None
    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import EngFormatter

    with pyplot.rc_context({"svg.hashsalt": "costcalc", "font.size": 10}):
        figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
        live = found.lives.live
        axes.bar(range(len(live)), live, width=1.0, color="0.7")
        if live:
            axes.bar([found.at], [found.peak_bytes], width=1.0, color="tab:red")
            axes.set_title(f"{found.model.name}: {found.peak_bytes:,} B at {found.schedule[found.at].operation}")
        axes.set_xlabel(fill(f"operations in the order they run; {found.storage.text}", NOTE), fontsize=8)
        axes.set_ylabel("live tensors")
        axes.yaxis.set_major_formatter(EngFormatter("B", sep=" "))
        data = io.BytesIO()
        figure.savefig(data, format=format, dpi=150, metadata={"Date": None} if format == "svg" else None)
        pyplot.close(figure)
    return data.getvalue()
