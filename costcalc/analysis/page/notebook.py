"""The page of one report, for a notebook: in a frame of its own, under the table that every notebook can show.

Notebooks that are not trusted, and the sites that show them, drop scripts and frames: the table stays. In the frame the
scripts of the page reach nothing outside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.lives import Lives
from ...model.uncollected import uncollected
from .axes import Points
from .network import Wanted, document, point
from .page import framed
from .structure import LIVE, Point

if TYPE_CHECKING:
    from ..report.report import Report

BYTES = 300_000  # of a frame: each is saved in the notebook


def live(report: Report) -> str:
    """A closed disclosure with the page of a report; nothing where it would be too large."""
    from ...render.html_file import html_file

    with uncollected():
        names = tuple(one.name for one in report.metrics[2:])
        wanted = Wanted(report.model, report.convention, (*names, LIVE), report.values)
        first = point(wanted, {}) if LIVE not in names else Point(report, _lives(report))
        frame = framed(html_file(document(wanted, Points((), True), first)))
    if len(frame.encode()) > BYTES:
        return ""
    return f"<details><summary>Blocks, graph and memory</summary>{frame}</details>"


def _lives(report: Report) -> Lives:
    return Lives(report.trace, report.model.storage)
