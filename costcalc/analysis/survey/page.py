"""A survey as a page: a row a file, refused ones with their reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...metrics.conventions import price_list
from ...metrics.metrics import is_metric
from ...render.json_ import SCHEMA_VERSION
from ...render.sheet import Column, Sheet
from ...render.text import printable

if TYPE_CHECKING:
    from .measure import Found
    from .survey import Survey


class SurveyPage:
    """Counts of complete, bounded and refused files, and the table."""

    title = "costcalc survey"

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.kinds = Counter(_kind(row) for row in survey.rows)

    def heads(self) -> list[str]:
        """How many files there are, and how many have no complete costs."""
        bounds = f", {self.kinds['bound']:,} lower bounds (>=)" if self.kinds["bound"] else ""
        return [f"{len(self.survey.rows):,} files: {self.kinds['complete']:,} complete{bounds}, {self._refused}"]

    @property
    def _refused(self) -> str:
        return f"{self.kinds['refused']:,} refused"

    def sheets(self) -> list[Sheet]:
        """The table."""
        metrics = self.survey.metrics
        columns = (
            Column("path"),
            *(Column(name, True, counts=is_metric(name)) for name in metrics),
            Column("refused because", spare=1),
        )
        rows = [
            (
                printable(row.path),
                *(_shown(row, name) for name in metrics),
                printable(row.reason or ""),
            )
            for row in self.survey.rows
        ]
        return [Sheet(columns, rows)]

    def notes(self) -> list[str]:
        """Why files were refused, and what the numbers mean."""
        codes = Counter(row.error for row in self.survey.rows if row.error)
        said = [f"refused: {', '.join(f'{count:,} {code}' for code, count in sorted(codes.items()))}"] if codes else []
        priced = price_list(self.survey.convention)
        return [*said, f"convention {priced.name}: {priced.title}; costcalc {__version__}"]

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """A row a file."""
        names = ["path", "name", "bytes", "sha256", "layers", "complete", *self.survey.metrics, "error", "reason"]
        return names, [self._record(row) for row in self.survey.rows]

    def _record(self, row: Found) -> dict[str, Any]:
        metrics = {name: (row.metrics or {}).get(name) for name in self.survey.metrics}
        about = {"path": row.path, "name": row.name, "bytes": row.size, "sha256": row.sha256, "layers": row.layers}
        return {**about, "complete": row.complete, **metrics, "error": row.error, "reason": row.reason}

    def document(self) -> Mapping[str, Any]:
        """For programs: exact counts as whole numbers."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costcalc": __version__,
            "convention": self.survey.convention,
            "files": len(self.survey.rows),
            "complete": self.kinds["complete"],
            "lower_bounds": self.kinds["bound"],
            "refused": self.kinds["refused"],
            "models": self.records()[1],
        }


def _kind(row: Found) -> str:
    return "refused" if row.error else "complete" if row.complete else "bound"


def _shown(row: Found, name: str) -> str:
    if row.metrics is None:
        return ""
    return f"{'' if row.complete else '>= '}{row.metrics[name]:,}"
