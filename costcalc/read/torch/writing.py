"""What works in place: which tensors have other values after a call, by the views of them that it is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .node import Node, tensor


def written(node: Any) -> tuple[str, ...]:
    """The names of the tensors that a node writes into, and of those that they are views of."""
    schema = getattr(node.target, "_schema", None)
    if schema is None or not schema.is_mutable:
        return ()
    given = Node(node).given
    places = (given[one.name] for one in schema.arguments if one.alias_info is not None and one.alias_info.is_write)
    return tuple(dict.fromkeys(name for one in places if hasattr(one, "meta") for name in _viewed(one)))


def _viewed(node: Any) -> Iterator[str]:
    """The name of a node, and of what it is a view of."""
    seen: Any = node
    while seen is not None:
        if not isinstance(seen.meta.get("val"), (tuple, list)):
            yield tensor(seen)
        seen = _source(seen)


def _source(node: Any) -> Any:
    """The node that a node gives a view of, or None."""
    if node.op != "call_function":
        return None
    if getattr(node.target, "__name__", "") == "getitem":
        return node.args[0]
    schema = getattr(node.target, "_schema", None)
    if schema is None or not any(one.alias_info is not None for one in schema.returns):
        return None
    given = Node(node).given
    return next((given[one.name] for one in schema.arguments if one.alias_info is not None), None)
