"""How `costcalc check` reads its options and shows the verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..budget.checking import Run, unreadable
from ..budget.options import KINDS, pair_of
from ..errors import CostcalcError, OptionError, Problem
from ..render.framed import framed
from .options import factor, set_values
from .output import deliver, format_for
from .progress import Progress

if TYPE_CHECKING:
    from ..budget.verdict import Checked


SUFFIXES = {".xml": "junit", ".sarif": "sarif"}
REVIEWED = ("md", "github", "gitlab", "junit", "sarif")  # formats that say too why nothing could be checked


def checked_by(
    paths: tuple[str, ...],
    config: str | None,
    base: str | None,
    given: Mapping[str, Any],
    format: str | None,
    locked: bool = False,
) -> Checked:
    """The finished run that the options ask for."""
    try:
        return finished(run_of(paths, config, base, given), locked)
    except CostcalcError as error:
        if format not in REVIEWED:
            raise
        return unreadable(error)


def run_of(paths: tuple[str, ...], config: str | None, base: str | None, given: Mapping[str, Any]) -> Run:
    """The Run that the options ask for."""
    limits = {kind: dict(pair_of(kind, text) for text in given[kind]) for kind in KINDS}
    rho = factor("rho", given["rho"])
    at = {**set_values(given["alpha"], given["res"], given["sets"]), **({"rho": rho} if rho else {})}
    if at and not any(limits.values()):
        help = "those of costcalc.yaml say `at:` which setting they are about"
        raise OptionError(Problem("usage", "a setting is for limits from options", help=help))
    return Run(paths, config, base, limits, at, given["convention"], given["metrics"])


def finished(run: Run, locked: bool = False) -> Checked:
    """The finished run, with a progress bar on a terminal."""
    found: list = []
    with Progress(len(run.tasks), "specs") as progress:
        for each in run.by_spec():
            found += each
            progress.add(1)
    return run.finished(found, locked)


def show(checked: Checked, format: str | None, output: str | None, color: str) -> None:
    """Deliver the outcomes in a format."""
    format = format or format_for(None, output, SUFFIXES)
    deliver(_text(checked, format, output, color), output)


def _text(checked: Checked, format: str, output: str | None, color: str) -> str:
    from ..budget import reviews
    from ..budget.page import VerdictPage
    from ..render import Screen, render_page
    from .talk import manner
    from .terminal import screen

    if format == "md":
        from ..budget.markdown import markdown

        return markdown(checked, framed)
    if format == "junit":
        from ..budget.junit import junit

        return junit(checked)
    if format in ("github", "gitlab", "sarif"):
        return getattr(reviews, format)(checked)
    return render_page(
        VerdictPage(checked, framed), format, screen(color) if output in (None, "-") else Screen(units=manner().units)
    )
