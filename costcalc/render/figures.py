"""Draw figures with matplotlib: always with its default settings, and with texts as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import OptionError, Problem
from .text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID: Any = {"axes.grid": True, "grid.alpha": 0.3}


@contextmanager
def drawing(grid: bool = False) -> Iterator[Any]:
    """`matplotlib.pyplot`, without a screen. Raises OptionError if it is not installed.

    A `matplotlibrc` of the working directory or the user is ignored, because it could run LaTeX.
    """
    try:
        import matplotlib
    except ImportError:
        message = "plots need the matplotlib package"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[plot]'")) from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.style.context("default"):
        pyplot.rcParams.update({"svg.hashsalt": "costcalc", "font.size": 10, **(GRID if grid else {})})
        yield pyplot


def saved(figure: Figure, file: Any, format: str) -> None:
    """Write a figure as a PNG or SVG; equal figures give equal bytes."""
    figure.savefig(file, format=format, dpi=150, metadata={"Date": None} if format == "svg" else None)


def plain(text: str) -> str:
    """Escape a text for a figure, so that `$` does not start a formula."""
    return printable(text).replace("$", r"\$")
