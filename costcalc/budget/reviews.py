"""Checks for code review tools: annotations, code quality, static analysis.

Names come from untrusted files, so each format escapes them for its own grammar. Paths are relative to the repository,
wherever the program was started.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from .. import __version__
from ..errors import Place
from ..records import NamedTuple
from ..render.text import printable
from .amounts import headline, notes
from .config import NAME
from .loosening import Loosened
from .page import CODES, summary
from .verdict import FAILING, Checked, Outcome, Verdict

ANNOTATIONS = 10  # annotations per level that GitHub shows for one step
RESULTS = 5_000  # results that GitHub accepts in one SARIF file
RULES = {
    "over-limit": "A cost is over its limit.",
    "grew": "A change adds more than its limit allows.",
    "already-over": "A cost was over its limit before.",
    "not-judged": "A limit could not be judged.",
    "limit-raised": "A limit allows more than at the base.",
    "limit-removed": "A limit of the base was removed.",
    "limit-unmatched": "A limit of the base no longer judges its spec.",
    "limit-exception": "An exception lets a change add more than its limit allows.",
}


class Finding(NamedTuple):
    """A problem. `path` is relative to the repository; None for a place outside of it."""

    level: str  # error or warning
    code: str
    message: str
    path: str | None
    place: Place | None
    outcome: Outcome | None = None
    verdict: Verdict | None = None
    loosened: Loosened | None = None

    @property
    def fingerprint(self) -> str:
        """Subject of the limit, without numbers, so an issue keeps its fingerprint when the amount changes."""
        if self.loosened:
            loose = self.loosened.limit
            return _hashed([self.code, loose.kind, loose.metric, loose.where, *self.loosened.specs[:1]])
        limit = self.verdict.limit if self.verdict else None
        outcome: Any = self.outcome
        parts = [self.code, outcome.check.spec, outcome.title, outcome.check.level, outcome.check.convention.name]
        parts += [limit.kind, limit.metric, limit.where] if limit else [self.message]
        return _hashed(parts)


def _hashed(parts: list[str]) -> str:
    return sha256(json.dumps(parts).encode()).hexdigest()


def findings(checked: Checked) -> Iterator[Finding]:
    """All problems: limits first, then costs, at the line of the spec that grew or else at the limit."""
    for one in checked.loosened:
        level, path = "error" if checked.locked else "warning", one.path and in_repository(one.path, checked.root)
        yield Finding(level, CODES[one.status], printable(one.message), *_at(one.place, path, checked), loosened=one)
    for outcome in checked.outcomes:
        spec = in_repository(outcome.spec, checked.root)
        outcome = outcome._replace(spec=spec or outcome.spec)
        for problem in outcome.problems:
            message = printable(f"{outcome.title}: {problem.message}" + (f" ({problem.help})" if problem.help else ""))
            yield Finding("error", "not-judged", message, *_at(problem.place, spec, checked), outcome)
        for verdict in outcome.verdicts:
            if verdict.status in CODES:
                failed = verdict.status in FAILING and outcome.check.level == "error"
                place = verdict.cause.place if verdict.cause else verdict.limit.place
                message = printable(f"{outcome.title}: {headline(verdict)}")
                at = _at(place, spec, checked)
                yield Finding("error" if failed else "warning", CODES[verdict.status], message, *at, outcome, verdict)


def _at(place: Place | None, spec: str | None, checked: Checked) -> tuple[str | None, Place | None]:
    """(path, place) to show: the place, or else the spec as a whole."""
    path = in_repository(place.source.path, checked.root) if place else None
    return (path, place) if path else (spec, None)


def in_repository(path: str, root: str) -> str | None:
    """Path relative to the root of the repository, with `/`; None for other files."""
    name = os.path.relpath(os.path.realpath(path), os.path.realpath(root)).replace(os.sep, "/")
    return name if os.path.isfile(path) and not name.startswith("../") else None


def github(checked: Checked) -> str:
    """Workflow commands, one per finding, at the line of the spec that grew; then the summary."""
    lines, counted = [], {"error": 0, "warning": 0}
    for finding in findings(checked):
        counted[finding.level] += 1
        if counted[finding.level] > ANNOTATIONS:
            continue
        said = notes(finding.outcome, finding.verdict) if finding.verdict else []
        text = finding.message + (f" ({'; '.join(f'{kind}: {text}' for kind, text in said)})" if said else "")
        at = f"file={_property(finding.path)}," if finding.path else ""
        at += f"line={finding.place.line},col={finding.place.column}," if finding.place else ""
        lines.append(f"::{finding.level} {at}title={_property(f'costcalc {finding.code}')}::{_data(text)}")
    hidden = sum(max(count - ANNOTATIONS, 0) for count in counted.values())
    more = [f"{hidden:,} more are not shown as annotations"] if hidden else []
    last = [summary(checked.outcomes, checked.loosened), *(one.message for one in checked.stale), checked.base]
    return "\n".join([*lines, *more, *map(_plain, last)]) + "\n"


def _data(text: str) -> str:
    """Escape a text for a workflow command. `##[` starts an old-style command anywhere in a line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace("##[", "# #[")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")


def _plain(text: str) -> str:
    """A line of a log that no CI service interprets as a command."""
    return printable(text).replace("::", ": :").replace("##[", "# #[")


def gitlab(checked: Checked) -> str:
    """Code Quality issues."""
    issues = [
        {
            "description": finding.message,
            "check_name": f"costcalc-{finding.code}",
            "fingerprint": finding.fingerprint,
            "severity": "major" if finding.level == "error" else "minor",
            "location": {
                "path": finding.path or printable(_about(finding)),
                "lines": {"begin": finding.place.line if finding.place else 1},
            },
        }
        for finding in findings(checked)
    ]
    return json.dumps(issues, indent=1) + "\n"


def _about(found: Finding) -> str:
    """Spec of a finding without a file in the repository, or the file of checks."""
    return found.outcome.spec if found.outcome else NAME


def sarif(checked: Checked) -> str:
    """SARIF 2.1.0, for code scanning."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    driver = {"name": "costcalc", "version": __version__, "rules": rules}
    results = [_result(finding) for finding in findings(checked)][:RESULTS]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(log, indent=1) + "\n"


def _result(found: Finding) -> dict[str, Any]:
    text = "".join(f"\\{char}" if char in "\\[]" else char for char in found.message)  # [a](b) would be a link
    result: dict[str, Any] = {
        "ruleId": found.code,
        "level": found.level,
        "message": {"text": text},
        "partialFingerprints": {"costcalc/v1": found.fingerprint},
    }
    if found.path:
        place = found.place
        region = {"startLine": place.line, "startColumn": place.column} if place else {"startLine": 1}
        location = {"artifactLocation": {"uri": quote(os.fsencode(found.path))}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result
