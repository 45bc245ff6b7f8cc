"""Memory along the schedule as a picture, drawn by matplotlib."""

from __future__ import annotations

import io
from textwrap import fill
from typing import TYPE_CHECKING

from ...render.figures import drawing, plain, saved

if TYPE_CHECKING:
    from .memory import Memory

NOTE = 140  # characters of a line under the axes


def picture(found: Memory, format: str) -> bytes:
    """The bytes of a PNG or SVG: what every operation needs, the peak marked. Raises OptionError."""
    from matplotlib.ticker import EngFormatter

    with drawing() as pyplot:
        figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
        live = found.lives.live
        axes.bar(range(len(live)), live, width=1.0, color="0.7")
        if live:
            axes.bar([found.at], [found.peak_bytes], width=1.0, color="tab:red")
            operation = found.schedule[found.at].operation
            axes.set_title(plain(f"{found.model.name}: {found.peak_bytes:,} B at {operation}"))
        axes.set_xlabel(fill(f"operations in the order they run; {found.storage.text}", NOTE), fontsize=8)
        axes.set_ylabel("live tensors")
        axes.yaxis.set_major_formatter(EngFormatter("B", sep=" "))
        data = io.BytesIO()
        saved(figure, data, format)
        pyplot.close(figure)
    return data.getvalue()
