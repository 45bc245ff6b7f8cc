"""Budgets: limits on what a design may cost, judged now and against where a change began."""

from .judge import judge
from .verdict import FAILING, Outcome, Verdict

__all__ = ["FAILING", "Outcome", "Verdict", "judge"]
