"""In-place operators: the tensors whose values a call changes, including views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .node import Node, tensor


def written(node: Any) -> tuple[str, ...]:
    """Names of the tensors that a node writes into, of their bases, and of other views of these bases."""
    schema = getattr(node.target, "_schema", None)
    if schema is None or not schema.is_mutable:
        return ()
    given = Node(node).given
    places = (given[one.name] for one in schema.arguments if one.alias_info is not None and one.alias_info.is_write)
    seen = dict.fromkeys(view for one in places if hasattr(one, "meta") for view in _views(one, node))
    return tuple(tensor(one) for one in seen if not isinstance(one.meta.get("val"), (tuple, list)))


def _views(one: Any, before: Any) -> Iterator[Any]:
    """A node, the chain of its bases, and all views of the first base created before `before`."""
    while one is not None:
        yield one
        base, one = one, _source(one)
    found = [base]
    for each in found:
        found += [user for user in each.users if user < before and _source(user) is each]
    yield from found


def _source(node: Any) -> Any:
    """Node that a node returns a view of, or None."""
    if node.op != "call_function":
        return None
    if getattr(node.target, "__name__", "") == "getitem":
        return node.args[0]
    schema = getattr(node.target, "_schema", None)
    if schema is None or not any(one.alias_info is not None for one in schema.returns):
        return None
    given = Node(node).given
    return next((given[one.name] for one in schema.arguments if one.alias_info is not None), None)
