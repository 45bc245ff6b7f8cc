"""Gaps in totals: unknown costs, and work without a price in a convention."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .metrics import never

if TYPE_CHECKING:
    from ..model.rows import Row
    from .metrics import Metric


def bounds(rows: Sequence[Row], metrics: Iterable[Metric]) -> list[bool]:
    """For each row, whether any of the metrics is a lower bound."""
    rules = [metric.rough for metric in metrics if metric.rough is not never]
    return [bool(row.layer.unknown or (rules and any(rule(row) for rule in rules))) for row in rows]


def uncounted(rows: Iterable[Row], metrics: Iterable[Metric]) -> list[dict[str, Any]]:
    """The work that the price lists of the metrics count as 0: one entry per quantity and type of layer."""
    priced = {one.priced.name: one.priced for one in metrics if one.instead}
    entries: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows if priced else ():
        for convention in priced.values():
            for quantity, amount in convention.uncounted(row.op.name, row.layer).items():
                new = {"convention": convention.name, "quantity": quantity, "type": row.type, "layers": 0}
                new |= {"first": "/".join(row.frame.path), "amount": 0}
                one = entries.setdefault((convention.name, quantity, row.type), new)
                one["layers"] += 1
                one["amount"] += amount * row.times
    return list(entries.values())


def kinds(found: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The distinct entries of `uncounted`, without amounts, which depend on the setting."""
    same = {(one["convention"], one["quantity"], one["type"]): one for one in reversed([*found])}
    return [
        {name: one[name] for name in ("convention", "quantity", "type", "first")} for one in reversed(same.values())
    ]
