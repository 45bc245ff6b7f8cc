"""Checks as a test report in JUnit format: one case per limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from .amounts import headline, notes
from .page import CODES
from .verdict import FAILING, Checked, Outcome, Verdict

if TYPE_CHECKING:
    from ..errors import Problem
    from .loosening import Loosened


def junit(checked: Checked) -> str:
    """Test suite of a run, as XML."""
    suite = ElementTree.Element("testsuite", name="costcalc")
    numbers = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for one in checked.loosened:
        _count(numbers, _loosened(suite, one, checked.locked))
    for outcome in checked.outcomes:
        for problem in outcome.problems:
            _count(numbers, _unjudged(suite, outcome, problem))
        for verdict in outcome.verdicts:
            _count(numbers, _judged(suite, outcome, verdict))
    suite.attrib.update({name: str(number) for name, number in numbers.items()})
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _count(numbers: dict[str, int], kind: str | None) -> None:
    numbers["tests"] += 1
    if kind:
        numbers[kind] += 1


def _unjudged(suite: Any, outcome: Outcome, problem: Problem) -> str:
    case = _case(suite, outcome, problem.code)
    ElementTree.SubElement(case, "error", message=_xml(problem.message), type=problem.code).text = _xml(problem.help)
    return "errors"


def _judged(suite: Any, outcome: Outcome, verdict: Verdict) -> str | None:
    limit, said = verdict.limit, _xml(headline(verdict))
    case = _case(suite, outcome, " ".join(filter(None, (limit.kind, limit.metric, limit.where, limit.text))))
    if verdict.status == "skipped":
        ElementTree.SubElement(case, "skipped", message=said)
        return "skipped"
    if verdict.status in FAILING and outcome.check.level == "error":
        failure = ElementTree.SubElement(case, "failure", message=said, type=CODES[verdict.status])
        failure.text = _xml("; ".join(f"{kind}: {text}" for kind, text in notes(outcome, verdict)))
        return "failures"
    if verdict.status in CODES:
        ElementTree.SubElement(case, "system-out").text = f"warning: {said}"
    return None


def _loosened(suite: Any, one: Loosened, locked: bool) -> str | None:
    """Add a limit that is less strict than at the base: a failure if limits are locked."""
    name = " ".join(filter(None, (one.limit.kind, one.limit.metric, one.limit.where, "as at the base")))
    case = ElementTree.SubElement(suite, "testcase", classname=_xml(one.specs[0]), name=_xml(name))
    if locked:
        ElementTree.SubElement(case, "failure", message=_xml(one.message), type=CODES[one.status])
        return "failures"
    ElementTree.SubElement(case, "system-out").text = f"warning: {_xml(one.message)}"
    return None


def _case(suite: Any, outcome: Outcome, name: str) -> Any:
    return ElementTree.SubElement(suite, "testcase", classname=_xml(outcome.title), name=_xml(name))


def _xml(text: Any) -> str:
    """Escape the characters that XML cannot represent."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text or "")
