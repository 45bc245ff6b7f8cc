"""Printed figures beside computed ones as a page: a sheet for each table of a paper."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ... import __version__
from ...metrics.metrics import METRICS, unit_of
from ...quantities import SHARES, VERDICTS, figure
from ...render.sheet import Column, Sheet
from ...render.text import printable

if TYPE_CHECKING:
    from ...model.network import Claim
    from .reproduce import Finding


COLUMNS = (
    Column("network", folds=True),
    Column("setting", folds=True),
    Column("convention", spare=1),
    Column("metric"),
    Column("printed", number=True),
    Column("computed", number=True),
    Column("verdict", folds=True),
)
NAMED = 5  # shipped configs that a note names
MANY = {"erratum": "errata", "differs": "differ"}  # the verdicts that read otherwise of several figures
RECORD = (
    *("source", "spec", "line", "model", "setting", "convention", "metric"),
    *("printed", "computed", "complete", "verdict", "how", "why", "note"),
)


class FindingsPage:
    """Groups of findings by table, and how many figures there are of each verdict.

    groups      (source, findings) pairs; a figure that stands in two tables is in two groups, and counts twice
    accuracies  how many published figures are not computed
    only        the verdicts to show, all if empty
    """

    title = "costcalc reproduce"

    def __init__(self, groups: list[tuple[str, list[Finding]]], accuracies: int, only: tuple[str, ...] = ()) -> None:
        self.groups = [(source, [one for one in group if not only or one.verdict in only]) for source, group in groups]
        self.accuracies = accuracies
        self.counts = dict.fromkeys(VERDICTS, 0)
        for finding in (one for _, group in groups for one in group):
            self.counts[finding.verdict] += 1

    def heads(self) -> list[Any]:
        """Nothing: the summary stands at the end, where the eye is after many tables."""
        return []

    def sheets(self) -> list[Sheet]:
        """One sheet per table."""
        return [
            Sheet(COLUMNS, [*map(_cells, group)], title=printable(source)) for source, group in self.groups if group
        ]

    def notes(self) -> list[str]:
        """The summary."""
        total = sum(self.counts.values())
        parts = [
            f"{count:,} {verdict if count == 1 else MANY.get(verdict, verdict)}"
            for verdict, count in self.counts.items()
            if count
        ]
        figures = f"{total:,} figure{'' if total == 1 else 's'}{': ' if parts else ''}{', '.join(parts)}"
        count = self.accuracies
        left = "" if not count else f"; {count:,} {'accuracy is' if count == 1 else 'accuracies are'} not computed"
        return [figures + left, *self._shipped()]

    def _shipped(self) -> list[str]:
        """Which of the specs are shipped configs."""
        found = {
            one.spec: one.claim.place is not None and one.claim.place.source.shipped
            for _, group in self.groups
            for one in group
        }
        names = [name for name, is_shipped in found.items() if is_shipped]
        most = names[:NAMED] if len(names) <= NAMED else [f"{len(names):,} shipped configs"]
        return [f"shipped: {', '.join(map(printable, most))}"] if names else []

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """The names and rows of a CSV file: one row per figure."""
        return list(RECORD), [_record(source, finding) for source, group in self.groups for finding in group]

    def document(self) -> dict[str, Any]:
        """The JSON document: how many figures there are of each verdict, then the figures."""
        from ...render.json_ import SCHEMA_VERSION

        counts = {verdict.replace(" ", "_"): count for verdict, count in self.counts.items()}
        return {
            "schema_version": SCHEMA_VERSION,
            "costcalc": __version__,
            "summary": {"figures": sum(counts.values()), **counts, "accuracies": self.accuracies},
            "figures": [_entry(source, finding) for source, group in self.groups for finding in group],
        }


def _entry(source: str, finding: Finding) -> dict[str, Any]:
    claim: Any = finding.claim
    return {
        **_record(source, finding),
        "shipped": claim.place.source.shipped,
        "at": dict(claim.at),
        "conv": claim.conv,
        "phase": claim.phase,
        "of": dict(claim.of),
        "url": claim.notes.get("url", ""),
    }


def _record(source: str, finding: Any) -> dict[str, Any]:
    claim, ours = finding.claim, finding.ours
    number = ours.number if finding.metric not in SHARES else ours.number / ours.out_of
    name, place = claim.notes.get("model", ""), claim.place
    given = claim.convention, finding.metric, finding.printed, number, ours.complete
    said = finding.verdict, finding.how, finding.why, claim.notes.get("note", "")
    return dict(zip(RECORD, (source, finding.spec, place.line, name, setting(claim), *given, *said), strict=True))


def _cells(finding: Finding) -> tuple[str, ...]:
    claim: Any = finding.claim
    heading = METRICS[finding.metric.removesuffix("_share")].title
    texts = (
        claim.notes.get("model", finding.spec),
        setting(claim),
        claim.convention,
        f"{heading} share" if finding.metric in SHARES else heading,
        finding.printed,
        computed(finding),
        said(finding),
    )
    return tuple(map(printable, texts))


def setting(claim: Claim) -> str:
    """What a figure is of: `alpha=0.75, without linear`."""
    values = [f"{name}={value}" for name, value in claim.at.items()]
    values += [f"phase={claim.phase}"] * bool(claim.phase) + [claim.conv] * bool(claim.conv)
    left_out = claim.of.get("without")
    without = [f"without {' and '.join(left_out)}"] if left_out else []
    return ", ".join([*values, *claim.of.get("type", ()), *claim.of.get("layer", ()), *without])


def computed(finding: Any) -> str:
    """A count formatted for display; a share with two digits more than the printed one."""
    number, out_of, complete = finding.ours
    printed: Any = figure(finding.printed, unit_of(finding.metric))
    places = printed.places + 2
    text = f"{number / out_of:.{places}f}%" if finding.metric in SHARES else f"{number:,}"
    return text if complete else f">= {text}"


def said(finding: Finding) -> str:
    """The verdict with its reason or a note: `exact (rounded)`, `erratum: digits swapped`."""
    how = f"{finding.verdict} ({finding.how})" if finding.how else finding.verdict
    why = f"{how}: {finding.why}" if finding.why else how
    note = finding.claim.notes.get("note")
    return f"{why}; {note}" if note else why


FIRST = "arXiv:1704.04861"  # the paper whose tables come first
_TABLES = re.compile(r"(.*), Tables (\d+(?:, \d+)*) and (\d+)", re.ASCII)
_TABLE = re.compile(r"(.*?), Table (\d+)", re.ASCII)


def tables(source: str) -> list[str]:
    """The source once for each table that it names."""
    several = _TABLES.fullmatch(source)
    if not several:
        return [source]
    return [f"{several[1]}, Table {number}" for number in (*several[2].split(", "), several[3])]


def grouped(findings: list[Finding]) -> list[tuple[str, list[Finding]]]:
    """(source, findings) pairs, a table each: those of the MobileNet paper, then others, papers in the order they come.

    A row that stands in two tables is in both groups.
    """
    groups: dict = {}
    papers: dict = {}
    for finding in findings:
        for source in tables(finding.claim.source):
            groups.setdefault(source, []).append(finding)
            papers.setdefault(_paper(source), len(papers))
    return sorted(groups.items(), key=lambda pair: _order(pair[0], papers))


def _order(source: str, papers: Mapping[str, int]) -> tuple[bool, int, float, str]:
    table = _TABLE.match(source)
    return FIRST not in source, papers[_paper(source)], int(table[2]) if table else float("inf"), source


def _paper(source: str) -> str:
    table = _TABLE.match(source)
    return table[1] if table else source.partition(", ")[0]
