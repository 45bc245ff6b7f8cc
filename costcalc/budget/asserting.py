"""Budgets in a test suite."""

from __future__ import annotations

from typing import Any

from ..errors import CostcalcError
from .amounts import headline, notes
from .checking import check
from .verdict import ALREADY, FAILING, Outcome, Verdict


def assert_within(*specs: Any, **limits: Any) -> Any:
    """Fail if a spec is over a limit, even if it already was at the base; takes the arguments of `check`.

    A test asserts a state, not a change, so a limit that was already broken at the base fails too. Checks of level
    `warn` do not fail. Returns the outcomes. Raises AssertionError with the output of `costcalc check`, and
    CostcalcError if a limit cannot be judged.
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    outcomes = check(*specs, **limits)
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    if problems:
        raise CostcalcError(*problems)
    judged = [(one, each) for one in outcomes if one.check.level == "error" for each in one.verdicts]
    said = [_text(one, each) for one, each in judged if each.status in (*FAILING, ALREADY)]
    if said:
        raise AssertionError("\n".join(said))
    return outcomes


def _text(outcome: Outcome, verdict: Verdict) -> Any:
    lines = [f"{outcome.title}: {headline(verdict)}"]
    return "\n".join([*lines, *(f"  {kind}: {text}" for kind, text in notes(outcome, verdict))])
