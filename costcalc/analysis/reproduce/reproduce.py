"""Compare every published figure with the computed one: do the digits agree, and if not, why?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ... import __version__
from ...errors import OptionError, Problem, SpecError, listed, nearest
from ...files import configs
from ...metrics.metrics import METRICS, PUBLISHED, metric, totals, unit_of
from ...metrics.walk import Walk
from ...model.network import Claim, Model
from ...model.rows import Row, called
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settings_of, settle
from ...quantities import DIFFERS, ERRATUM, EXACT, NOT_REPRODUCIBLE, SHARES, VERDICTS, Count, agreement, figure
from ...read.anything import Network, load
from ...records import NamedTuple
from ...render import Result
from ...render.sheet import Column, Page, Sheet
from ...render.text import printable
from ...rewrite import Rewriting, phased


class Finding(NamedTuple):
    """A published figure, the computed figure, and the verdict."""

    spec: str
    claim: Claim
    metric: str
    ours: Count
    verdict: str
    how: str = ""  # for an exact figure that agrees only if rounded, or only if truncated
    why: str = ""  # for a figure that is not exact

    @property
    def printed(self) -> str:
        """The printed figure as text."""
        return self.claim.figures[self.metric]


class Findings(Result, list[Finding]):
    """A list with one Finding per published figure; `accuracies` counts accuracies, which are not computed."""

    def __init__(self, found: Iterable[Finding] = (), accuracies: int = 0) -> None:
        super().__init__(found)
        self.accuracies = accuracies

    def page(self) -> Page:
        """Figures by table, as `costcalc reproduce` prints them."""
        return FindingsPage(grouped(self), self.accuracies)


def reproduce(*specs: Network) -> Findings:
    """Compare published figures with computed ones: each is exact, an erratum, not reproducible, or differs.

    specs   each is what `costcalc.load` takes; by default all shipped configs

    Raises CostcalcError, also for a spec without published figures.
    """
    found = Findings()
    for spec in specs or sorted(configs(), key=lambda name: (name != "mobilenet", name)):  # its tables come first
        model = load(spec)
        if specs and not [*model.published]:
            help = "list them under `published:`, with their source"
            raise OptionError(Problem("no-figures", f"{model.name} has no published figures", help=help))
        found += findings(model)
        found.accuracies += accuracies(model)
    return found


def findings(model: Model) -> list[Finding]:
    """One Finding for each published figure of a model except accuracies, in order.

    Each setting of the variables is traced once. Raises SpecError for a row about a layer that does not exist.
    """
    settings: dict = {}
    for claim in model.published:
        if not claim.figures.keys().isdisjoint(PUBLISHED):
            with _about(claim):
                values = settle(model, claim.at)
            key = claim.conv, claim.phase, tuple(settings_of(values).items())
            settings.setdefault(key, (values, []))[1].append(claim)
    judged: dict = {}
    with uncollected():
        for (conv, phase, _), (values, claims) in settings.items():
            rewritten = Rewriting(conv).apply(model).model if conv else model
            rewritten = phased(rewritten, phase) if phase else rewritten
            _judge_all(rewritten, values, claims, judged)
    return [finding for claim in model.published for finding in judged.get(id(claim), ())]


def accuracies(model: Model) -> int:
    """Number of published accuracies, which are not computed."""
    return sum(name not in PUBLISHED for claim in model.published for name in claim.figures)


@contextmanager
def _about(claim: Any) -> Iterator[None]:
    """Add the place of a claim to the errors raised inside."""
    try:
        yield
    except OptionError as error:
        raise SpecError(*(problem._replace(place=claim.place) for problem in error.problems)) from None
    except SpecError as error:
        note = f"for the figures published on line {claim.place.line}"
        raise SpecError(*(problem._replace(notes=(*problem.notes, note)) for problem in error.problems)) from None


def _judge_all(model: Model, values: Mapping[str, Any], claims: list[Claim], found: dict[int, list[Finding]]) -> None:
    """Add the findings of claims about one setting to `found`, keyed by the identity of the claim."""
    with _about(claims[0]):
        walk = Walk(model, trace(model, values), values)
    known: dict = {}
    for claim in claims:
        with _about(claim):
            chosen = chosen_rows(walk.rows, claim.of)
            part = walk if chosen is walk.rows else walk.part(chosen)
            found[id(claim)] = [
                _judged(model, claim, name, _count(name, claim.convention, walk, part, known))
                for name in PUBLISHED
                if name in claim.figures
            ]


def chosen_rows(rows: Any, of: Mapping[str, tuple[str, ...]]) -> list[Row]:
    """Rows of a trace that a figure covers: those of a `type` or `layer`, or all rows `without` some.

    Raises OptionError for a name that no row has.
    """
    for name in of.get("type", ()):
        types = {row.type for row in rows}
        if name not in types:
            help = nearest(name, types) or f"the types: {listed(sorted(types))}"
            raise OptionError(Problem("unknown-type", f"there is no layer of type `{name}`", help=help))
        rows = [row for row in rows if row.type == name]
    for pattern in of.get("layer", ()):
        rows = called(rows, pattern)
    without = {id(row) for pattern in of.get("without", ()) for row in called(rows, pattern)}
    return [row for row in rows if id(row) not in without] if without else rows


def _count(name: str, convention: str, whole: Walk, part: Walk, known: dict[Any, Any]) -> Count:
    """A metric of a part of a walk, in percent of the whole if it is a share; `known` caches totals of the whole."""
    one = metric(name.removesuffix("_share"), convention)
    if (part is whole or name in SHARES) and (one.name, convention) not in known:
        known[one.name, convention] = totals(whole, [one])[one.name]
    of_all = known.get((one.name, convention), 0)
    count = of_all if part is whole else totals(part, [one])[one.name]
    complete = not any(one.is_bound(row) for row in (whole if name in SHARES else part).rows)
    return Count(100 * count, max(of_all, 1), complete) if name in SHARES else Count(count, 1, complete)


def _judged(model: Model, claim: Any, name: str, ours: Any) -> Finding:
    printed: Any = figure(claim.figures[name], unit_of(name))
    how = agreement(ours, printed)
    verdict, why = EXACT, ""
    if name in claim.corrected:
        fixed = claim.corrected[name]
        right: Any = figure(fixed, unit_of(name))
        verdict, why = ERRATUM, f"{claim.errata[name]}; it should be {fixed}"
        if agreement(ours, right) is None:
            verdict, why = DIFFERS, f"its erratum says {fixed}, which is wrong too"
    elif how is None and name in claim.errata:
        verdict, why = ERRATUM, claim.errata[name]
    elif how is None and name in claim.unreproducible:
        verdict, why = NOT_REPRODUCIBLE, claim.unreproducible[name]
    elif how is None:
        verdict = DIFFERS
    return Finding(model.name, claim, name, ours, verdict, (how or "") if verdict == EXACT else "", why)


COLUMNS = (
    Column("network", folds=True),
    Column("setting", folds=True),
    Column("convention", spare=1),
    Column("metric"),
    Column("printed", number=True),
    Column("computed", number=True),
    Column("verdict", folds=True),
)
NAMED = 5  # shipped configs listed in a note
MANY = {"erratum": "errata", "differs": "differ"}  # plural forms of verdicts
RECORD = (
    *("source", "spec", "line", "model", "setting", "convention", "metric"),
    *("printed", "computed", "complete", "verdict", "how", "why", "note"),
)


class FindingsPage(Page):
    """Findings grouped by table, and the number of figures per verdict.

    groups      (source, findings) pairs; a figure in two tables is in two groups and counts twice
    accuracies  number of published figures that are not computed
    only        verdicts to show; empty means all
    """

    title = "costcalc reproduce"

    def __init__(self, groups: list[tuple[str, list[Finding]]], accuracies: int, only: tuple[str, ...] = ()) -> None:
        self.groups = [(source, [one for one in group if not only or one.verdict in only]) for source, group in groups]
        self.accuracies = accuracies
        self.counts = dict.fromkeys(VERDICTS, 0)
        for finding in (one for _, group in groups for one in group):
            self.counts[finding.verdict] += 1

    def sheets(self) -> list[Sheet]:
        """One sheet per table."""
        return [
            Sheet(COLUMNS, [*map(_cells, group)], title=printable(source)) for source, group in self.groups if group
        ]

    def notes(self) -> list[str]:
        """The summary, and the meaning of the verdicts."""
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
        """The shipped configs among the specs."""
        found = {
            one.spec: one.claim.place is not None and one.claim.place.source.shipped
            for _, group in self.groups
            for one in group
        }
        names = [name for name, is_shipped in found.items() if is_shipped]
        most = names[:NAMED] if len(names) <= NAMED else [f"{len(names):,} shipped configs"]
        return [f"shipped: {', '.join(map(printable, most))}"] if names else []

    def records(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Column names and rows of a CSV file: one row per figure."""
        return list(RECORD), [_record(source, finding) for source, group in self.groups for finding in group]

    def document(self) -> dict[str, Any]:
        """The JSON document: the number of figures per verdict, then the figures."""
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
    """Setting and part that a figure covers: `alpha=0.75, without linear`."""
    values = [f"{name}={value}" for name, value in claim.at.items()]
    values += [f"phase={claim.phase}"] * bool(claim.phase) + [claim.conv] * bool(claim.conv)
    left_out = claim.of.get("without")
    without = [f"without {' and '.join(left_out)}"] if left_out else []
    return ", ".join([*values, *claim.of.get("type", ()), *claim.of.get("layer", ()), *without])


def computed(finding: Any) -> str:
    """A formatted count; a share has two digits more than the printed one."""
    number, out_of, complete = finding.ours
    printed: Any = figure(finding.printed, unit_of(finding.metric))
    places = printed.places + 2
    text = f"{number / out_of:.{places}f}%" if finding.metric in SHARES else f"{number:,}"
    return text if complete else f">= {text}"


def said(finding: Finding) -> str:
    """The verdict with its reason or note: `exact (rounded)`, `erratum: digits swapped`."""
    how = f"{finding.verdict} ({finding.how})" if finding.how else finding.verdict
    why = f"{how}: {finding.why}" if finding.why else how
    note = finding.claim.notes.get("note")
    return f"{why}; {note}" if note else why


FIRST = "arXiv:1704.04861"  # the paper whose tables come first
_TABLES = re.compile(r"(.*), Tables (\d+(?:, \d+)*) and (\d+)", re.ASCII)
_TABLE = re.compile(r"(.*?), Table (\d+)", re.ASCII)


def tables(source: str) -> list[str]:
    """Split a source that names several tables into one source per table."""
    several = _TABLES.fullmatch(source)
    if not several:
        return [source]
    return [f"{several[1]}, Table {number}" for number in (*several[2].split(", "), several[3])]


def grouped(findings: list[Finding]) -> list[tuple[str, list[Finding]]]:
    """(source, findings) pairs, one per table: the MobileNet paper first, then other papers in order of appearance.

    A row from two tables is in both groups.
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
