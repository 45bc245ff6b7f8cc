"""Sizes that are not known yet as expressions of a Model."""

from __future__ import annotations

from typing import Any

from ...model.expr import Expr
from ...num.polynomials import Dim
from ...num.valuation import names, valued


def argument(value: Any) -> Any:
    """An argument of a step: plain as it is, an unknown size as an expression over the variables."""
    kind = type(value)
    if kind is int:
        return value
    if kind is tuple:
        for item in value:
            if type(item) is not int:
                return tuple([argument(one) for one in value])
        return value
    if isinstance(value, Dim):
        return Expr(str(value), names(value), lambda env: valued(value, env))
    return tuple([argument(item) for item in value]) if isinstance(value, (tuple, list)) else value
