"""Table of operators and their rules: the outputs for given inputs, and the operations that state the cost.

A rule gets a Node and returns its outputs, each a shape or a Tensor. Operators are registered under their names in
the standard domain. `DOMAINS` lists other domains with the same meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from ....errors import Refused, brief
from ..tensors import stored

FAMILIES = (
    "conv",
    "pool",
    "linear",
    "attention",
    "norm",
    "recurrent",
    "pointwise",
    "reduce",
    "layout",
    "cut",
    "select",
)
MODULES = (*FAMILIES, "constants", "control", "quantized")
DOMAINS = ("", "ai.onnx", "com.microsoft")
RULES: dict = {}


def rule(
    *names: str,
    into: dict[str, Callable[..., Any]] | None = None,
    multiplies: bool = False,
    takes_any: bool = False,
    takes_scope: bool = False,
) -> Callable[..., Any]:
    """Register a rule under operator names.

    into         another table, for operators that are not from ONNX
    multiplies   whether it has mult-adds: if its input shapes are unknown, its cost is unknown
    takes_any    whether it can infer its outputs when an input shape is unknown
    takes_scope  whether it walks nested graphs and thus requires the scope of its node
    """

    def enter(function: Any) -> Callable[..., Any]:
        function.multiplies, function.takes_any, function.takes_scope = multiplies, takes_any, takes_scope
        (RULES if into is None else into).update(dict.fromkeys(names, function))
        return function

    return enter


@lru_cache(1)
def table() -> dict[str, Callable[..., Any]]:
    """All rules by operator name."""
    for name in MODULES:
        import_module(f"{__name__}.{name}")
    return RULES


def is_standard(domain: str) -> bool:
    """Whether operators of a domain have the meaning of the standard ones."""
    return domain in DOMAINS


def find(domain: str, op: str) -> Callable[..., Any] | None:
    """Rule of an operator, or None."""
    return table().get(op) if is_standard(domain) else None


_VALUES = {1: "f", 2: "i", 3: "s", 4: "t", 5: "g", 6: "floats", 7: "ints", 8: "strings", 9: "tensors", 10: "graphs"}


def attributes(proto: Any, given: Any) -> dict[str, Any]:
    """Attributes of a node: name -> value. In a function, references are replaced by the attributes `given` to it."""
    found: dict[str, Any] = {}
    for one in proto.attribute:
        reference = one.ref_attr_name
        if not reference:
            found[one.name] = _value(one)
        elif reference in (given or {}):
            found[one.name] = given[reference]
    return found


def defaults(function: Any) -> dict[Any, Any]:
    """Attributes of a function that have defaults."""
    return {one.name: _value(one) for one in getattr(function, "attribute_proto", ())}


def _value(one: Any) -> Any:
    kind = one.type
    if kind == 2:
        return one.i
    if kind == 7:
        return list(one.ints[:])
    field = _VALUES.get(kind)
    if field is None:
        raise Refused(f"attribute `{brief(one.name)}` has no value")
    value = getattr(one, field)
    if field == "s":
        return value.decode("utf-8", "replace")
    if field == "t":
        return stored(value)
    return list(value) if field.endswith("s") and field != "graphs" else value
