"""Budgets: limits on the cost of a design, now and against the base of a change."""
