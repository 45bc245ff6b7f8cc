"""Budgets in a test-suite."""

from __future__ import annotations

from typing import Any

from ..errors import CostcalcError
from .amounts import headline, notes
from .checking import check
from .verdict import ALREADY, FAILING, Outcome, Verdict


def assert_within(*specs: Any, **limits: Any) -> Any:
    """Fail if a spec is over a limit, also if it was before; `limits` as `check` takes them. Gives the outcomes.

    A test says what is so, not what a change may do: a limit that was broken at the base already fails it as well.
    Checks of level `warn` do not.
    Raises AssertionError, which says what `costcalc check` does; CostcalcError where a limit cannot be judged.
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
