"""Where figures are printed: `MobileNets (arXiv:1704.04861), Tables 6 and 7` names a paper and two tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reproduce import Finding


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
