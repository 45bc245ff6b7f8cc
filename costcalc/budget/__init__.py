"""Budgets: limits on what a design may cost, judged now and against where a change began."""
