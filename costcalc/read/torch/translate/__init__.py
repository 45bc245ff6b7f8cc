"""Table of operators and their translations to calls for the graph reader."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

FAMILIES = ("multiply", "pool", "pointwise", "move")
PRODUCTS = ("multiply",)  # families of operators with products
TABLE: dict = {}


def translates(*names: str) -> Callable[..., Any]:
    """Register a translation under operator names, those of `aten` without their namespace."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        TABLE.update(dict.fromkeys(names, function))
        return function

    return enter


@lru_cache(1)
def table() -> dict[str, Callable[..., Any]]:
    """All translations by operator name."""
    for name in FAMILIES:
        import_module(f"{__name__}.{name}")
    return TABLE


def find(schema_name: str) -> Callable[..., Any] | None:
    """Translation of an operator such as `aten::relu_`, or None. In-place variants share that of the plain operator."""
    space, _, name = schema_name.partition("::")
    known = name if space == "aten" else schema_name
    return table().get(known) or table().get(known.removesuffix("_"))


def multiplies(rule: Callable[..., Any]) -> bool:
    """Whether a translation belongs to operators that can have mult-adds."""
    return rule.__module__.rpartition(".")[2] in PRODUCTS
