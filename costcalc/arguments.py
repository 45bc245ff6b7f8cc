"""Arguments of the library's functions: what may be written in several ways, and one clear error for other types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .errors import ArgumentError, Problem, brief


def names(value: Any, argument: str) -> tuple[str, ...]:
    """Names in a list, or in a text as the command line has them: `mult_adds,params`. Raises ArgumentError."""
    if isinstance(value, str):
        return tuple(filter(None, (name.strip() for name in value.split(","))))
    if not isinstance(value, Iterable) or isinstance(value, bytes):
        raise _wrong(value, argument, 'names in a list, or in a text: ["mult_adds", "params"] or "mult_adds,params"')
    found = tuple(value)
    for one in found:
        if not isinstance(one, str):
            raise _wrong(one, f"each of `{argument}`", 'a name: "mult_adds"')
    return found


def mapping(value: Any, argument: str, example: str) -> dict[str, Any]:
    """A mapping by names, empty for None. Raises ArgumentError."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _wrong(value, argument, f"a mapping by names: {example}")
    return dict(value)


def mappings(value: Any, argument: str, example: str) -> tuple[dict[str, Any], ...]:
    """Mappings in a list, or a single one. Raises ArgumentError."""
    if isinstance(value, Mapping):
        return (mapping(value, argument, example),)
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)):
        raise _wrong(value, argument, f"a list of mappings: [{example}]")
    return tuple(mapping(one, f"each of `{argument}`", example) for one in value)


def _wrong(value: Any, argument: str, accepted: str) -> ArgumentError:
    named = argument if "`" in argument else f"`{argument}`"
    return ArgumentError(Problem("bad-argument", f"{named} cannot be {brief(repr(value))}", help=f"give {accepted}"))
