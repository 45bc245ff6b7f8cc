"""Page of the checks: the failures and their causes, then every limit in a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..analysis.report.columns import by_others
from ..analysis.report.notes import unpriced
from ..errors import brief
from ..render.json_ import SCHEMA_VERSION
from ..render.sheet import Column, Sheet
from ..render.text import printable
from .amounts import headline, metric_name, notes, rounded, short
from .loosening import CODES as LOOSENED
from .loosening import EXCEPTION, Loosened
from .verdict import ALREADY, SAYS, Checked, Outcome, Shown, Verdict

if TYPE_CHECKING:
    from fractions import Fraction

    from ..errors import Place, Problem
    from .exempting import Stale


WORDS = {"error": "ERROR", "fail": "FAIL", "warn": "WARN", "pass": "ok"}


class VerdictPage:
    """Outcomes of a run. `block` formats one problem with its place, like an error."""

    title = "costcalc check"

    def __init__(self, checked: Checked, block: Callable[..., Any]) -> None:
        self.outcomes, self.base, self.deleted, self.block = checked.outcomes, checked.base, checked.deleted, block
        self.loosened, self.kind = checked.loosened, "error" if checked.locked else "warning"
        self.stale = checked.stale

    def heads(self) -> list[str]:
        """The failures, each with its place, and a summary line."""
        return [*self.failures(), summary(self.outcomes, self.loosened)]

    def failures(self) -> list[str]:
        """Lines of all problems, loosened limits first: what, by how much, where, why, and help."""
        lines: list[str] = []
        for one in self.loosened:
            lines += self.block(self.kind, CODES[one.status], printable(one.message), one.place, [])
            lines += [] if one.place else [""]
        for outcome in self.outcomes:
            if outcome.state != "pass":
                lines += [f"{WORDS[outcome.state]}  {printable(outcome.title)}", ""]
                lines += self._blocks(outcome)
        return lines

    def _blocks(self, outcome: Outcome) -> Iterator[str]:
        for problem in outcome.problems:
            yield from self.block("error", problem.code, problem.message, problem.place, _problem_notes(problem))
            yield from [] if problem.place else [""]
        kind = "warning" if outcome.check.level == "warn" else "error"
        for verdict in outcome.verdicts:
            if verdict.status in CODES:
                sort = "warning" if verdict.status == ALREADY else kind
                said = headline(verdict), verdict.limit.place, notes(outcome, verdict)
                yield from self.block(sort, CODES[verdict.status], *said)
                yield from [] if verdict.limit.place else [""]

    def sheets(self) -> list[Sheet]:
        """One row per limit, and one for each spec that could not be judged."""
        columns = (
            Column(""),
            Column("spec", folds=True),
            Column("what", folds=True),
            Column("limit", True, "limit", 2),
            Column("base", True),
            Column("now", True),
            Column("change", True, "change", 1),
            Column("verdict", folds=True),
        )
        rows = [cells for _, cells in self.rows()]
        return [*([Sheet(columns, rows)] if rows else []), *self._metrics()]

    def rows(self) -> list[tuple[float, tuple[str, ...]]]:
        """(relative change of the metric since the base, cells) of each limit, the largest change first.

        Limits that could not be judged come first; equal changes keep the order of the checks.
        """
        rows: list[tuple[float, tuple[str, ...]]] = []
        for outcome in self.outcomes:
            for problem in outcome.problems:
                said = printable(brief(problem.message))
                rows.append((math.inf, ("ERROR", printable(outcome.title), "-", "-", "-", "-", "-", said)))
            rows += [(moved(verdict), self._cells(outcome, verdict)) for verdict in outcome.verdicts]
        return sorted(rows, key=lambda row: -row[0])

    def _metrics(self) -> list[Sheet]:
        """One row per spec and requested metric."""
        columns = (
            Column("spec", folds=True),
            Column("convention", spare=1),
            Column("metric"),
            *(Column(name, True) for name in ("base", "now", "change")),
        )
        rows = {
            (one.title, one.check.convention.name, each.metric): _totals(one, each)
            for one in self.outcomes
            for each in one.shown
        }
        return [Sheet(columns, [*rows.values()], title="metrics")] if rows else []

    def _cells(self, outcome: Outcome, verdict: Verdict) -> tuple[str, ...]:
        limit = verdict.limit
        what = metric_name(limit.metric) + (f", {printable(limit.where)}" if limit.where else "")
        state = WORDS[
            "pass" if verdict.status not in CODES else "warn" if verdict.status == ALREADY else _word(outcome)
        ]
        words = {"max": "", "min": ">= ", "vs_base": ""}[limit.kind]
        base = "-" if verdict.base is None else short(verdict.base, verdict)
        return (
            state,
            printable(outcome.title),
            what,
            f"{words}{limit.text}",
            base,
            short(verdict.now, verdict),
            _change(verdict),
            SAYS[verdict.status],
        )

    def notes(self) -> list[str]:
        """The base of the comparison, and the conventions."""
        used = {one.check.convention.name: one.check.convention for one in self.outcomes}
        judged: dict[str, dict[str, None]] = {name: {} for name in used}
        for one in self.outcomes:
            judged[one.check.convention.name] |= dict.fromkeys(each.limit.metric for each in one.verdicts)
        parts = [
            (f"convention {name}: {printable(one.title)}", by_others(one, judged[name]), f"costcalc {__version__}")
            for name, one in used.items()
        ]
        stamps = ["; ".join(filter(None, part)) for part in parts]
        origins = dict.fromkeys(f"{printable(one.spec)}: {one.origin}" for one in self.outcomes if one.origin)
        for one in self.outcomes:
            origins |= dict.fromkeys(f"{printable(one.spec)}: {note}" for note in unpriced(one.uncounted))
        gone = [f"deleted: {printable(name)}" for name in self.deleted]
        return [*(printable(one.message) for one in self.stale), *gone, printable(self.base), *origins, *stamps]

    def records(self) -> tuple[list[str], list[dict[str, str]]]:
        """One row per limit, one per requested metric, and one per problem of a check that could not be judged."""
        rows = [_changed(one, self.kind) for one in self.loosened]
        rows += [_record(outcome, verdict) for outcome in self.outcomes for verdict in outcome.verdicts]
        rows += [_total(outcome, one) for outcome in self.outcomes for one in outcome.shown]
        rows += [_unjudged(outcome, problem) for outcome in self.outcomes for problem in outcome.problems]
        return list(FIELDS), rows

    def document(self) -> dict[str, Any]:
        """Every outcome with its verdicts and problems."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costcalc": __version__,
            "limits": [_loosened(one, self.kind) for one in self.loosened],
            "summary": counts(self.outcomes),
            "stale_exceptions": [_stale(one) for one in self.stale],
            "deleted": list(self.deleted),
            "base": self.base,
            "checks": [_entry(outcome) for outcome in self.outcomes],
        }


def moved(verdict: Verdict) -> float:
    """Relative change of a metric since its base; 0 if there is no base."""
    if not verdict.base:
        return 0.0
    return abs(float(verdict.now) / float(verdict.base) - 1)


def _change(verdict: Verdict) -> str:
    """Change since the base: in percent, or in points for a share of the network."""
    if verdict.base is None:
        return "-"
    if verdict.now == verdict.base:
        return "0 %"
    if verdict.is_share:
        return f"{100 * float(verdict.now - verdict.base):+.3g} points"
    return f"{100 * float(verdict.now - verdict.base) / float(verdict.base):+.2f} %" if verdict.base else "from nothing"


CODES = {
    "crossed": "over-limit",
    "worse": "over-limit",
    "over": "over-limit",
    "grew": "grew",
    "already": "already-over",
    **LOOSENED,
}


KINDS = ("failed", "not_judged", "already_over", "warned", "excepted", "passed", "skipped")
_KINDS = {"already": "already_over", "excepted": "excepted", "skipped": "skipped", "pass": "passed"}


def kind(outcome: Outcome, verdict: Verdict) -> str:
    """Kind of a limit, one of KINDS; a broken limit of level `warn` is a warning."""
    return _KINDS.get(verdict.status) or ("warned" if outcome.check.level == "warn" else "failed")


def counts(outcomes: list[Outcome]) -> dict[str, int]:
    """Number of rows of the table for each of KINDS: one row per limit, and one per problem of a check."""
    numbers = dict.fromkeys(KINDS, 0)
    for outcome in outcomes:
        numbers["not_judged"] += len(outcome.problems)
        for verdict in outcome.verdicts:
            numbers[kind(outcome, verdict)] += 1
    return numbers


def summary(outcomes: list[Outcome], loosened: tuple[Loosened, ...] = ()) -> str:
    """`5 failed, 1 already over, 2 passed, 1 skipped (new spec: models/tiny.yaml)`: rows of the table, by kind.

    Limits that the change loosens come first.
    """
    exceptions = sum(one.status == EXCEPTION for one in loosened)
    loose = {"limit": (len(loosened) - exceptions, " raised or removed"), "exception": (exceptions, "")}
    parts = [f"{number:,} {what}{'s' * (number != 1)}{how}" for what, (number, how) in loose.items() if number]
    found = counts(outcomes)
    said = {name: number for name, number in found.items() if number or name == "passed"}
    parts += [f"{number:,} {name.replace('_', ' ')}" for name, number in said.items()]
    if found["skipped"]:
        new = sorted({one.spec for one in outcomes if any(each.status == "skipped" for each in one.verdicts)})
        named = ", ".join(map(printable, new[:3])) + (", .." if len(new) > 3 else "")
        parts[-1] += f" (new spec: {named})"
    return ", ".join(parts)


def _word(outcome: Outcome) -> str:
    return "warn" if outcome.check.level == "warn" else "fail"


def _problem_notes(problem: Problem) -> Any:
    return ([("help", problem.help)] if problem.help else []) + [("note", note) for note in problem.notes]


def _number(value: int | Fraction | None) -> Any:
    return None if value is None else int(value) if value == int(value) else float(value)


FIELDS = (
    *("spec", "settings", "kind", "metric", "where", "layer", "status", "limit", "allowed", "now", "base"),
    *("level", "message", "file", "line"),
)


def _record(outcome: Outcome, verdict: Verdict) -> dict[str, str]:
    limit = verdict.limit
    numbers = (_number(value) for value in (verdict.allowed, verdict.now, verdict.base))
    said = limit.kind, limit.metric, limit.where, verdict.layer, verdict.status, limit.text, *numbers
    place = verdict.cause.place if verdict.cause else None
    return _fields(outcome, said, headline(verdict), place)


def _changed(one: Loosened, level: str) -> dict[str, str]:
    """Row of a limit that is less strict than at the base."""
    limit = one.limit
    said = (
        one.specs[0] if len(one.specs) == 1 else f"{len(one.specs):,} specs",
        "",
        limit.kind,
        limit.metric,
        limit.where,
    )
    numbers = "", CODES[one.status], one.now.text if one.now else "", None, None, None
    found = (one.place.source.path, one.place.line) if one.place else (one.path or "", None)
    return dict(zip(FIELDS, (*said, *numbers, level, one.message, *found), strict=True))


def _loosened(one: Loosened, level: str) -> dict[str, Any]:
    limit = one.limit
    return {
        "status": one.status,
        "kind": limit.kind,
        "metric": limit.metric,
        "where": limit.where,
        "before": limit.text,
        "now": one.now.text if one.now else None,
        "specs": list(one.specs),
        "level": level,
        "message": one.message,
        "file": one.place.source.path if one.place else one.path,
        "line": one.place.line if one.place else None,
    }


def _stale(one: Stale) -> dict[str, Any]:
    """An exception that no longer applies."""
    exemption = one.exemption
    return {
        "spec": exemption.spec,
        "settings": dict(exemption.at),
        "metric": exemption.metric,
        "from": _number(exemption.before),
        "to": _number(exemption.most),
        "message": one.message,
        "file": exemption.place.source.path,
        "line": exemption.place.line,
    }


def _totals(outcome: Outcome, one: Shown) -> tuple[str, ...]:
    what = printable(outcome.title), outcome.check.convention.name, one.metric
    now = ("" if one.complete else ">= ") + rounded(one.now, one.metric)
    if one.base is None:
        return *what, "-", now, "-"
    base = ("" if one.base_complete else ">= ") + rounded(one.base, one.metric)
    grown = f"{100 * (float(one.now) / float(one.base) - 1):+.1f} %" if one.base else "-"
    return *what, base, now, grown if one.complete and one.base_complete else "-"


def _total(outcome: Outcome, one: Shown) -> dict[str, str]:
    """Row of a metric without a limit."""
    numbers = None, _number(one.now), _number(one.base)
    bound = "" if one.complete else "`now` is a lower bound: the cost of a layer is unknown"
    return _fields(outcome, ("metric", one.metric, "", "", "shown", "", *numbers), bound, None)


def _metric(one: Shown) -> dict[str, Any]:
    base = None if one.base is None else one.base_complete
    return {"now": _number(one.now), "base": _number(one.base), "complete": one.complete, "base_complete": base}


def _unjudged(outcome: Outcome, problem: Problem) -> dict[str, str]:
    return _fields(outcome, ("", "", "", "", "error", "", None, None, None), problem.message, problem.place)


def _fields(outcome: Outcome, said: tuple[Any, ...], message: str, place: Place | None) -> dict[str, str]:
    settings = " ".join(f"{name}={value}" for name, value in outcome.settings.items())
    found = place.source.path if place else "", place.line if place else None
    values = outcome.spec, settings, *said, outcome.check.level, message, *found
    return dict(zip(FIELDS, values, strict=True))


def _entry(outcome: Outcome) -> dict[str, Any]:
    base = outcome.base
    return {
        "spec": outcome.spec,
        "shipped": outcome.shipped,
        "settings": dict(outcome.settings),
        "convention": outcome.check.convention.name,
        **({"uncounted": [*outcome.uncounted]} if outcome.uncounted else {}),
        "state": outcome.state,
        "why": outcome.check.why,
        "base": {"revision": base.revision, "commit": base.commit, "path": base.name} if base else None,
        "verdicts": [{**_record(outcome, verdict), "settings": dict(outcome.settings)} for verdict in outcome.verdicts],
        "problems": [_problem(one) for one in outcome.problems],
        **({"metrics": {one.metric: _metric(one) for one in outcome.shown}} if outcome.shown else {}),
    }


def _problem(problem: Problem) -> dict[str, Any]:
    place = problem.place
    at = {"file": place.source.path, "line": place.line, "column": place.column} if place else {}
    return {"code": problem.code, "message": problem.message, "help": problem.help, **at}
