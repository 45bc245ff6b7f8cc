"""Constant folding of activations: functions of one number with attributes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...num.polynomials import Dim
from .elementwise import elementwise


def _of(function: Callable[..., Any], **defaults: Any) -> Callable[..., Any]:
    """Create the rule of a function of one number. `defaults` are its attributes; symbolic sizes have no value."""

    def rule(node: Any) -> Any:
        given = {name: node.get(name, default) for name, default in defaults.items()}

        def element(value: Any) -> Any:
            return None if value is None or isinstance(value, Dim) else function(value, **given)

        return elementwise(element)(node)

    return rule


def _celu(x: float, alpha: float) -> float:
    return max(x, 0) + min(alpha * math.expm1(min(x, 0) / alpha), 0)


def _gelu(x: float, approximate: str) -> float:
    if approximate == "tanh":
        return x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + math.erf(x / math.sqrt(2)))


def _is_infinite(x: float, detect_negative: int, detect_positive: int) -> bool:
    return math.isinf(x) and bool(detect_positive if x > 0 else detect_negative)


def _selu(x: float, alpha: float, gamma: float) -> float:
    return gamma * (x if x > 0 else alpha * math.expm1(x))


def _shrunk(x: float, bias: float, lambd: float) -> float:
    return x + bias if x < -lambd else x - bias if x > lambd else 0


def _softplus(x: float) -> float:
    return math.log1p(math.exp(x))


RULES: dict[str, Callable[..., Any]] = {
    "Celu": _of(_celu, alpha=1.0),
    "Elu": _of(lambda x, alpha: x if x > 0 else alpha * math.expm1(x), alpha=1.0),
    "Gelu": _of(_gelu, approximate="none"),
    "HardSigmoid": _of(lambda x, alpha, beta: max(0, min(1, alpha * x + beta)), alpha=0.2, beta=0.5),
    "HardSwish": _of(lambda x: x * max(0, min(1, x / 6 + 0.5))),
    "IsInf": _of(_is_infinite, detect_negative=1, detect_positive=1),
    "IsNaN": _of(math.isnan),
    "LeakyRelu": _of(lambda x, alpha: x if x >= 0 else alpha * x, alpha=0.01),
    "Mish": _of(lambda x: x * math.tanh(_softplus(x))),
    "Selu": _of(_selu, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875),
    "Shrink": _of(_shrunk, bias=0.0, lambd=0.5),
    "Softplus": _of(_softplus),
    "Softsign": _of(lambda x: x / (1 + abs(x))),
    "Swish": _of(lambda x, alpha: x / (1 + math.exp(-alpha * x)), alpha=1.0),
    "ThresholdedRelu": _of(lambda x, alpha: x if x > alpha else 0, alpha=1.0),
}
