"""What fits as a page: one row per setting, or why nothing does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...render.json_ import SCHEMA_VERSION
from ...render.sheet import Sheet
from ..sweep.page import About, PointsPage

if TYPE_CHECKING:
    from .fit import Fit


class FitPage(PointsPage):
    """The settings of a Fit, the first `top` of them if given."""

    def __init__(self, found: Fit, top: int | None = None) -> None:
        frame = found.frame()
        super().__init__(frame.head(top) if top else frame, about_fit(found, top))
        self.found = found

    def sheets(self) -> list[Sheet]:
        """One sheet; none where nothing fits."""
        return super().sheets() if self.found.size else []

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """One row per setting."""
        return list(self.frame.columns), self.frame.to_dict("records")

    def document(self) -> dict[str, Any]:
        """What was asked and tried, then the settings."""
        return {"schema_version": SCHEMA_VERSION, **self.about.head, "points": self.records()[1]}


def about_fit(found: Fit, top: int | None = None) -> About:
    """The About of what fits: how much was tried, how much fits, and what the numbers mean."""
    budgets = ", ".join(f"{name} <= {limit:,.10g}" for name, limit in found.limits.items())
    count = f"{found.size:,} best of {found.within:,} settings within {budgets}, {found.tried:,} tried"
    if not found.size:
        count = nothing_fits(found)
    if top and top < found.size:
        count = f"{top:,} of " + count
    for name in found.at_end:
        end = found.columns[name].max()
        count += f"; {name}={end:.10g} is the end of the values tried: --vary {name}=START:STOP:STEP"
    if "complete" in found.columns:
        count += "; lower bounds (>=) where `complete` is false: the cost of a layer is not known"
    head = {**found.said.head, "max": found.limits, "tried": found.tried, "within": found.within}
    return found.said._replace(note=f"{count}; {found.said.note}", head=head)


def nothing_fits(found: Fit) -> str:
    """Which budget rules everything out."""
    lines = ["nothing fits"]
    for metric, (least, limit) in found.ruled_out.items():
        lines.append(f"  {metric} is at least {least:,.10g}, over {limit:,.10g}")
    if not found.ruled_out and found.tried > sum(found.invalid.values()):
        lines.append(f"  {' and '.join(found.limits)} can each be met, but not together")
    for reason, count in found.invalid.items():
        lines.append(f"  {count:,} of {found.tried:,} settings cannot be built: {reason}")
    return "\n".join(lines)
