"""Checks as a page: what fails and why first, then every limit in a table."""

from .. import __version__
from ..render.columns import printable
from ..render.json_ import SCHEMA_VERSION
from ..render.sheet import Column, Sheet
from .amounts import headline, metric_name, notes, short
from .verdict import FAILING, PASS, SAYS

WORDS = {"error": "ERROR", "fail": "FAIL", "warn": "WARN", "pass": "ok"}


class VerdictPage:
    """The outcomes of a run. `blocks` draws one problem with its place, as errors are drawn."""

    def __init__(self, outcomes, block, deleted=()):
        self.outcomes, self.block, self.deleted = outcomes, block, deleted

    def heads(self):
        """The failures, each with its place, and one line that says how all of it went."""
        found = []
        for outcome in self.outcomes:
            if outcome.state != "pass":
                found += [f"{WORDS[outcome.state]}  {printable(outcome.title)}", ""]
                found += self._blocks(outcome)
        return [*found, summary(self.outcomes), *(f"deleted: {printable(name)}" for name in self.deleted)]

    def _blocks(self, outcome):
        for problem in outcome.problems:
            yield from self.block("error", problem.code, problem.message, problem.place, _problem_notes(problem))
        kind = "warning" if outcome.state == "warn" else "error"
        for verdict in outcome.verdicts:
            if verdict.status not in (PASS, "skipped"):
                yield from self.block(
                    kind if verdict.status in FAILING else "warning",
                    CODES[verdict.status],
                    headline(verdict),
                    verdict.limit.place,
                    notes(outcome, verdict),
                )

    def sheets(self):
        """One row a limit."""
        columns = (
            Column(""),
            Column("spec", folds=True),
            Column("what"),
            Column("limit", True),
            Column("now", True),
            Column("base", True, "base", 1),
            Column("verdict", spare=2),
        )
        rows = [self._cells(outcome, verdict) for outcome in self.outcomes for verdict in outcome.verdicts]
        return [Sheet(columns, rows)] if rows else []

    def _cells(self, outcome, verdict):
        limit = verdict.limit
        what = metric_name(limit.metric) + (f", {printable(limit.where)}" if limit.where else "")
        state = "ok" if verdict.status in (PASS, "skipped") else WORDS[outcome.state]
        words = {"max": "", "min": ">= ", "vs_base": ""}[limit.kind]
        base = "-" if verdict.base is None else short(verdict.base, limit.metric)
        return (
            state,
            printable(outcome.title),
            what,
            f"{words}{limit.text}",
            short(verdict.now, limit.metric),
            base,
            SAYS[verdict.status],
        )

    def notes(self):
        """What was compared with what."""
        bases = {f"{one.base.revision} ({one.base.commit[:7]})" for one in self.outcomes if one.base}
        return [f"base: {', '.join(sorted(bases))}"] if bases else ["no base: limits are judged by themselves"]

    def records(self):
        """One row a limit."""
        rows = [_record(outcome, verdict) for outcome in self.outcomes for verdict in outcome.verdicts]
        return list(rows[0]) if rows else ["spec"], rows

    def document(self):
        """Every outcome with its verdicts and problems."""
        return {
            "schema_version": SCHEMA_VERSION,
            "costcalc": __version__,
            "summary": counts(self.outcomes),
            "deleted": list(self.deleted),
            "checks": [_entry(outcome) for outcome in self.outcomes],
        }


CODES = {
    "crossed": "over-limit",
    "worse": "over-limit",
    "over": "over-limit",
    "grew": "grew",
    "already": "already-over",
}


def counts(outcomes):
    """How many of the outcomes failed, could not be judged, warn, pass; how many limits were skipped."""
    states = [outcome.state for outcome in outcomes]
    skipped = sum(verdict.status == "skipped" for outcome in outcomes for verdict in outcome.verdicts)
    names = {"failed": "fail", "not_judged": "error", "warned": "warn", "passed": "pass"}
    return {**{name: states.count(state) for name, state in names.items()}, "skipped": skipped}


def summary(outcomes):
    """`1 failed, 2 passed, 1 limit skipped (new spec: models/tiny.yaml)`."""
    found = counts(outcomes)
    parts = [f"{found[name]:,} {name.replace('_', ' ')}" for name in ("failed", "not_judged", "warned") if found[name]]
    parts.append(f"{found['passed']:,} passed")
    if found["skipped"]:
        new = sorted({one.spec for one in outcomes if any(each.status == "skipped" for each in one.verdicts)})
        named = ", ".join(map(printable, new[:3])) + (", .." if len(new) > 3 else "")
        parts.append(f"{found['skipped']:,} limit{'s' * (found['skipped'] != 1)} skipped (new spec: {named})")
    return ", ".join(parts)


def _problem_notes(problem):
    return ([("help", problem.help)] if problem.help else []) + [("note", note) for note in problem.notes]


def _number(value):
    return None if value is None else int(value) if value == int(value) else float(value)


def _record(outcome, verdict):
    limit, cause = verdict.limit, verdict.cause
    return {
        "spec": outcome.spec,
        "settings": " ".join(f"{name}={value}" for name, value in outcome.settings.items()),
        "kind": limit.kind,
        "metric": limit.metric,
        "where": limit.where,
        "layer": verdict.layer,
        "status": verdict.status,
        "limit": limit.text,
        "allowed": _number(verdict.allowed),
        "now": _number(verdict.now),
        "base": _number(verdict.base),
        "level": outcome.check.level,
        "file": cause.place.source.path if cause else "",
        "line": cause.place.line if cause else None,
    }


def _entry(outcome):
    base = outcome.base
    return {
        "spec": outcome.spec,
        "settings": dict(outcome.settings),
        "convention": outcome.check.convention,
        "state": outcome.state,
        "why": outcome.check.why,
        "base": {"revision": base.revision, "commit": base.commit, "path": base.name} if base else None,
        "verdicts": [{**_record(outcome, verdict), "settings": dict(outcome.settings)} for verdict in outcome.verdicts],
        "problems": [{"code": one.code, "message": one.message, "help": one.help} for one in outcome.problems],
    }
