"""Sizes that are not known yet as expressions of a Model."""

from __future__ import annotations

from typing import Any

from ...model.expr import Expr
from ...num.polynomials import Dim
from ...num.valuation import names, valued


def argument(value: Any) -> Any:
    """An argument of a step: plain as it is, an unknown size as an expression over the variables."""
    if type(value) is int:
        return value
    if isinstance(value, Dim):
        return Expr(str(value), names(value), lambda env: valued(value, env))
    if isinstance(value, (tuple, list)):
        return tuple([item if type(item) is int else argument(item) for item in value])
    return value
