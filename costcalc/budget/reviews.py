"""Checks for the places where people review code: annotations, code quality, test reports, static analysis.

Names come from files that strangers write, so each format gets them escaped for its own grammar.
"""

import json
from hashlib import sha256
from xml.etree import ElementTree

from .. import __version__
from ..render.columns import printable
from .amounts import headline, notes
from .page import CODES, summary
from .verdict import ALREADY, FAILING, PASS

ANNOTATIONS = 10  # of each kind that GitHub shows for one step
RULES = {
    "over-limit": "A cost is over its limit.",
    "grew": "A change adds more than it may.",
    "already-over": "A cost was over its limit before.",
    "not-judged": "A limit could not be judged.",
}


def findings(outcomes):
    """(level, code, message, place, outcome, verdict) of all that is not fine; level is error or warning."""
    for outcome in outcomes:
        for problem in outcome.problems:
            yield "error", "not-judged", f"{outcome.title}: {problem.message}", problem.place, outcome, None
        for verdict in outcome.verdicts:
            if verdict.status in FAILING or verdict.status == ALREADY:
                failed = verdict.status in FAILING and outcome.check.level == "error"
                place = verdict.cause.place if verdict.cause else verdict.limit.place
                message = f"{outcome.title}: {headline(verdict)}"
                yield "error" if failed else "warning", CODES[verdict.status], message, place, outcome, verdict


def github(outcomes):
    """Workflow commands, one a finding, at the line of the spec that grew; the summary last."""
    lines, counted = [], {"error": 0, "warning": 0}
    for level, code, message, place, outcome, verdict in findings(outcomes):
        counted[level] += 1
        if counted[level] > ANNOTATIONS:
            continue
        said = "; ".join(f"{kind}: {text}" for kind, text in (notes(outcome, verdict) if verdict else []))
        at = f"file={_property(_path(place))},line={place.line},col={place.column}," if place else ""
        text = message + (f" ({said})" if said else "")
        lines.append(f"::{level} {at}title={_property(f'costcalc {code}')}::{_data(printable(text))}")
    hidden = sum(max(count - ANNOTATIONS, 0) for count in counted.values())
    more = [f"{hidden:,} more are not shown as annotations"] if hidden else []
    return "\n".join([*lines, *more, _line(summary(outcomes))]) + "\n"


def _data(text):
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text):
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")


def _line(text):
    """A line of a log that no one takes for a command."""
    return printable(text).replace("::", ": :")


def _path(place):
    return place.source.path


def gitlab(outcomes):
    """Code Quality issues. The fingerprint is of what is limited, not of the numbers: a push moves no issue."""
    issues = []
    for level, code, message, place, outcome, verdict in findings(outcomes):
        issues.append(
            {
                "description": printable(message),
                "check_name": f"costcalc-{code}",
                "fingerprint": _fingerprint(code, outcome, verdict),
                "severity": "major" if level == "error" else "minor",
                "location": {
                    "path": _path(place) if place else outcome.spec,
                    "lines": {"begin": place.line if place else 1},
                },
            }
        )
    return json.dumps(issues, indent=1) + "\n"


def _location(place, outcome):
    return {"path": _path(place) if place else outcome.spec, "lines": {"begin": place.line if place else 1}}


def _fingerprint(code, outcome, verdict):
    limit = verdict.limit if verdict else None
    parts = [code, outcome.title, *((limit.kind, limit.metric, limit.where, verdict.layer) if limit else ())]
    return sha256(json.dumps(parts).encode()).hexdigest()


def junit(outcomes):
    """A test report: one case a limit."""
    cases = [(outcome, verdict) for outcome in outcomes for verdict in (*outcome.verdicts, *outcome.problems)]
    suite = ElementTree.Element("testsuite", name="costcalc", tests=str(len(cases)))
    numbers = {"failures": 0, "errors": 0, "skipped": 0}
    for outcome, found in cases:
        kind = _case(suite, outcome, found)
        numbers[kind] = numbers.get(kind, 0) + 1
    suite.attrib.update({name: str(numbers[name]) for name in ("failures", "errors", "skipped")})
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite, outcome, found):
    judged = hasattr(found, "limit")
    name = f"{found.limit.kind} {found.limit.metric} {found.limit.where}".strip() if judged else found.code
    case = ElementTree.SubElement(suite, "testcase", classname=_xml(outcome.title), name=_xml(name))
    if not judged:
        ElementTree.SubElement(case, "error", message=_xml(found.message), type=found.code).text = _xml(
            found.help or ""
        )
        return "errors"
    if found.status == "skipped":
        ElementTree.SubElement(case, "skipped", message=_xml(headline(found)))
        return "skipped"
    if found.status in FAILING and outcome.check.level == "error":
        failure = ElementTree.SubElement(case, "failure", message=_xml(headline(found)), type=CODES[found.status])
        failure.text = _xml("; ".join(f"{kind}: {text}" for kind, text in notes(outcome, found)))
        return "failures"
    if found.status != PASS:
        ElementTree.SubElement(case, "system-out").text = _xml(f"warning: {headline(found)}")
    return "passed"


def _xml(text):
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def sarif(outcomes):
    """SARIF 2.1.0, for code scanning."""
    results = []
    for level, code, message, place, outcome, verdict in findings(outcomes):
        result = {
            "ruleId": code,
            "level": level,
            "message": {"text": printable(message)},
            "partialFingerprints": {"costcalc/v1": _fingerprint(code, outcome, verdict)},
        }
        if place:
            region = {"startLine": place.line, "startColumn": place.column}
            artifact = {"uri": _uri(_path(place))}
            result["locations"] = [{"physicalLocation": {"artifactLocation": artifact, "region": region}}]
        results.append(result)
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    driver = {"name": "costcalc", "version": __version__, "rules": rules}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results[:5000]}],
    }
    return json.dumps(log, indent=1) + "\n"


def _uri(path):
    from urllib.parse import quote

    return quote(path.replace("\\", "/"))


FORMATS = {"github": github, "gitlab": gitlab, "junit": junit, "sarif": sarif}
