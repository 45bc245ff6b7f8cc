"""Tensors inside an operation, which are neither its inputs nor its outputs."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..num.values import Shape
from . import INDEX

INSIDE = ("attention", "attend", "moe", "selective_scan", "latent_attention")
CACHED = ("attention", "latent_attention")


def inside(op: str, inputs: tuple[Shape, ...], options: Mapping[str, Any], fused: bool) -> Any:
    """Values of the tensors inside one of `INSIDE`; without scores of attention where they are `fused`."""
    return import_module(f"{__package__}.{INDEX[op]}").inside(op, inputs, options, fused)


def cached(op: str, inputs: tuple[Shape, ...], options: Mapping[str, Any]) -> Any:
    """Values of a cache that an operation reads and does not make."""
    return import_module(f"{__package__}.{INDEX[op]}").cached(inputs, options) if op in CACHED else 0
