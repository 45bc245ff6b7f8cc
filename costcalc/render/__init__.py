"""Renderers: a page becomes text. Found by name, loaded on use."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import OptionError, Problem, listed, nearest

FORMATS = {"table": "table", "csv": "csv_", "json": "json_", "md": "markdown", "latex": "latex"}
SUFFIXES = {".csv": "csv", ".json": "json", ".md": "md", ".tex": "latex", ".txt": "table"}


class Screen(NamedTuple):
    """Where a table goes: its width (None is as wide as it needs), colour, and whether only ASCII can be shown."""

    width: int | None = None
    color: bool = False
    ascii: bool = False


def render_page(page: Any, format: str = "table", screen: Screen | None = None) -> str:
    """The text of a page (`sheet.Page`) in one of FORMATS."""
    from importlib import import_module

    if format not in FORMATS:
        help = nearest(format, FORMATS) or f"known: {listed(FORMATS)}"
        raise OptionError(Problem("unknown-format", f"there is no format `{format}`", help=help))
    return import_module(f"{__name__}.{FORMATS[format]}").render(page, screen or Screen())
