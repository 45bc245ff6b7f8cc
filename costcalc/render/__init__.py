"""Renderers: a page becomes text. Found by name, loaded on use."""

from __future__ import annotations

from typing import Any

from ..errors import OptionError, Problem, listed, nearest
from ..records import NamedTuple

FORMATS = {"table": "table", "csv": "csv_", "json": "json_", "md": "markdown", "latex": "latex", "html": "html_file"}
SUFFIXES = {".csv": "csv", ".html": "html", ".json": "json", ".md": "md", ".tex": "latex", ".txt": "table"}


class Screen(NamedTuple):
    """The output of a table: its width (None: as wide as needed), colour, and whether it is ASCII only.

    With `brief` the last note is one line; with `units`, `M` or `G`, counts are in millions or billions.
    """

    width: int | None = None
    color: bool = False
    ascii: bool = False
    brief: bool = False
    units: str = ""


def render_page(page: Any, format: str = "table", screen: Screen | None = None) -> str:
    """The text of a page (`sheet.Page`) in one of FORMATS."""
    from importlib import import_module

    if format not in FORMATS:
        help = nearest(format, FORMATS) or f"known: {listed(FORMATS)}"
        raise OptionError(Problem("unknown-format", f"there is no format `{format}`", help=help))
    screen = screen or Screen()
    if screen.units:
        from .scaled import FORMATS as FOR_PEOPLE
        from .scaled import ScaledPage

        page = ScaledPage(page, screen.units) if format in FOR_PEOPLE else page
    return import_module(f"{__name__}.{FORMATS[format]}").render(page, screen)
