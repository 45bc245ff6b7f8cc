"""Metrics, conventions, and the counters of other tools."""
