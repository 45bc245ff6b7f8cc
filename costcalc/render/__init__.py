"""Renderers of pages, found by format and imported on use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import OptionError, Problem, listed, nearest
from ..records import NamedTuple

if TYPE_CHECKING:
    import pandas

    from .sheet import Page, Sheet

FORMATS = {"table": "table", "csv": "csv_", "json": "json_", "md": "markdown", "latex": "latex", "html": "html_file"}
SUFFIXES = {".csv": "csv", ".html": "html", ".json": "json", ".md": "md", ".tex": "latex", ".txt": "table"}


class Screen(NamedTuple):
    """Screen for tables: its width (None: as wide as needed), colour, and whether it is ASCII only.

    With `brief` the last note is one line; with `units`, `M` or `G`, counts are in millions or billions.
    """

    width: int | None = None
    color: bool = False
    ascii: bool = False
    brief: bool = False
    units: str = ""


def render_page(page: Any, format: str = "table", screen: Screen | None = None) -> str:
    """Render a page (`sheet.Page`) in one of FORMATS."""
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


ROWS = 60  # maximum rows of a table in `repr`


class Result:
    """Base class of results: a subclass defines `page`, from which all output is derived."""

    __slots__ = ()

    def page(self) -> Page:
        """Page that the command of the same name prints."""
        raise NotImplementedError

    def text(self, format: str = "table") -> str:
        """Output of the command of the same name: as a `table`, or as `csv`, `json`, `md` or `latex`."""
        return render_page(self.page(), format)

    def frame(self) -> pandas.DataFrame:
        """The rows of the CSV output as a pandas DataFrame, with unrounded integers."""
        import pandas

        names, rows = self.page().records()
        return pandas.DataFrame(rows, columns=names)

    def __repr__(self) -> str:
        return render_page(_Short(self.page())).rstrip("\n")

    def _repr_html_(self) -> str:
        from .html import render

        return render(self.page())


class _Short:
    """A page truncated to ROWS rows per table, with the number of omitted rows."""

    def __init__(self, page: Page) -> None:
        self.page, self.title, self.left_out = page, page.title, 0

    def heads(self) -> list[str]:
        return self.page.heads()

    def sheets(self) -> list[Sheet]:
        sheets = self.page.sheets()
        self.left_out = sum(max(len(sheet.rows) - ROWS, 0) for sheet in sheets)
        return [sheet._replace(rows=sheet.rows[:ROWS]) for sheet in sheets]

    def notes(self) -> list[str]:
        more = [f"{self.left_out:,} more rows: .frame() has all"] if self.left_out else []
        return [*more, *self.page.notes()]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        return self.page.records()

    def document(self) -> Any:
        return self.page.document()
