"""Activations of Keras by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...ops import INDEX

if TYPE_CHECKING:
    from ...model.network import Step
    from .layer import Layer


_NAMES = {
    "hard_sigmoid": "hsigmoid",
    "hard_swish": "hswish",
    "hard_silu": "hswish",
    "exponential": "exp",
    "leaky_relu": "leaky_relu",
    "log_softmax": "log_softmax",
    "hard_tanh": "hardtanh",
}
_PASSES = (None, "linear")


def named(given: str) -> str:
    """The name of an activation, which may be a word or a configuration."""
    while isinstance(given, dict):
        inner = given.get("config")
        given = inner if isinstance(inner, str) else (inner or {}).get("name") or given.get("class_name")
    return given


def activations(layer: Layer, given: Any) -> tuple[Step, ...]:
    """The steps of an activation: none for `linear`; one that is not known is a step marked unknown."""
    name = named(given)
    if name in _PASSES:
        return ()
    op = _NAMES.get(name, name)
    if not isinstance(op, str) or INDEX.get(op) != "pointwise":
        return (layer.step("opaque", label=f"activation {name}"),)
    return (layer.step(op),)
