"""Budgets in a test-suite."""

from ..errors import CostcalcError
from .amounts import headline, notes
from .checking import check
from .verdict import FAILING


def assert_within(*specs, **limits):
    """Fail when a spec is over a limit; `limits` as `check` takes them. Gives the outcomes.

    Raises AssertionError, which says what `costcalc check` does; CostcalcError where a limit cannot be judged.
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    outcomes = check(*specs, **limits)
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    if problems:
        raise CostcalcError(*problems)
    failed = [(one, each) for one in outcomes if one.state == "fail" for each in one.verdicts]
    said = [_text(one, each) for one, each in failed if each.status in FAILING]
    if said:
        raise AssertionError("\n".join(said))
    return outcomes


def _text(outcome, verdict):
    lines = [f"{outcome.title}: {headline(verdict)}"]
    return "\n".join([*lines, *(f"  {kind}: {text}" for kind, text in notes(outcome, verdict))])
