"""Read the options of `costcalc check` and show its verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..budget.checking import Run, unreadable
from ..budget.options import KINDS, pair_of
from ..budget.verdict import Checked
from ..errors import CostcalcError, OptionError, Problem
from ..render import render_page
from ..render.framed import framed
from .options import Asked, Output
from .terminal import Progress

REVIEWED = ("md", "github", "gitlab", "junit", "sarif")  # formats that also report why nothing could be checked


def checked_by(
    paths: tuple[str, ...],
    config: str | None,
    base: str | None,
    given: Mapping[str, Any],
    out: Output,
    locked: bool = False,
) -> Checked:
    """Run the checks that the options request."""
    try:
        return finished(run_of(paths, config, base, given), locked)
    except CostcalcError as error:
        if out.as_json or out.format not in REVIEWED:
            raise
        return unreadable(error)


def run_of(paths: tuple[str, ...], config: str | None, base: str | None, given: Mapping[str, Any]) -> Run:
    """Create the Run that the options request."""
    limits = {kind: dict(pair_of(kind, text) for text in given[kind]) for kind in KINDS}
    asked: Asked = given["asked"]
    at = {**asked.plain, **({"rho": asked.multiplier} if asked.rho else {})}
    if at and not any(limits.values()):
        help = "a limit in costcalc.yaml names its setting with `at:`"
        raise OptionError(Problem("usage", "a setting applies only to limits from options", help=help))
    return Run(paths, config, base, limits, at, given["convention"], given["metrics"])


def finished(run: Run, locked: bool = False) -> Checked:
    """Finish a run, with a progress bar on a terminal."""
    found: list = []
    with Progress(len(run.tasks), "specs") as progress:
        for each in run.by_spec():
            found += each
            progress.add(1)
    return run.finished(found, locked)


def show(checked: Checked, out: Output) -> None:
    """Write the outcomes in the requested format."""
    out.deliver_page(_text(checked, out))


def _text(checked: Checked, out: Output) -> str:
    from ..budget import reviews
    from ..budget.page import VerdictPage

    format = out.form()
    if format == "md":
        from ..budget.markdown import markdown

        return markdown(checked, framed)
    if format == "junit":
        from ..budget.junit import junit

        return junit(checked)
    if format in ("github", "gitlab", "sarif"):
        return getattr(reviews, format)(checked)
    return render_page(VerdictPage(checked, framed), format, out.screen)
