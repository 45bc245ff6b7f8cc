"""Tensors internal to an operation: neither inputs nor outputs."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..num.values import Shape
from . import INDEX

INSIDE = ("attention", "attend", "moe", "selective_scan", "latent_attention")
CACHED = ("attention", "latent_attention")


def inside(op: str, inputs: tuple[Shape, ...], options: Mapping[str, Any], fused: bool) -> Any:
    """The number of values in the internal tensors of an operation of `INSIDE`; `fused` omits attention scores."""
    return import_module(f"{__package__}.{INDEX[op]}").inside(op, inputs, options, fused)


def cached(op: str, inputs: tuple[Shape, ...], options: Mapping[str, Any]) -> Any:
    """The number of cached values that an operation reads but does not compute."""
    return import_module(f"{__package__}.{INDEX[op]}").cached(inputs, options) if op in CACHED else 0
