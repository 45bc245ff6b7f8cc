"""Arguments of the library's functions: normalise the accepted forms, and reject other types with one clear error."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, wraps
from importlib import import_module
from typing import Any

from .errors import ArgumentError, Problem, brief


def names(value: Any, argument: str) -> tuple[str, ...]:
    """Names from a list, or from a string as on the command line: `mult_adds,params`. Raises ArgumentError."""
    if isinstance(value, str):
        return tuple(filter(None, (name.strip() for name in value.split(","))))
    if not isinstance(value, Iterable) or isinstance(value, bytes):
        raise _wrong(value, argument, 'names in a list, or in a text: ["mult_adds", "params"] or "mult_adds,params"')
    items = tuple(value)
    for item in items:
        if not isinstance(item, str):
            raise _wrong(item, f"each of `{argument}`", 'a name: "mult_adds"')
    return items


def mapping(value: Any, argument: str, example: str) -> dict[str, Any]:
    """A dict with string keys, empty for None. Raises ArgumentError."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _wrong(value, argument, f"a mapping by names: {example}")
    return dict(value)


def mappings(value: Any, argument: str, example: str) -> tuple[dict[str, Any], ...]:
    """Mappings from a list, or from a single mapping. Raises ArgumentError."""
    if isinstance(value, Mapping):
        return (mapping(value, argument, example),)
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)):
        raise _wrong(value, argument, f"a list of mappings: [{example}]")
    return tuple(mapping(item, f"each of `{argument}`", example) for item in value)


def _wrong(value: Any, argument: str, accepted: str) -> ArgumentError:
    named = argument if "`" in argument else f"`{argument}`"
    return ArgumentError(Problem("bad-argument", f"{named} cannot be {brief(repr(value))}", help=f"give {accepted}"))


@lru_cache(None)
def public(module: str, name: str) -> Any:
    """A public class of a module, or a public function wrapped to check the types of its arguments."""
    value = getattr(import_module(module), name)
    return value if isinstance(value, type) else guarded(value, name)


def guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Wrap a public function to check its arguments against its annotations before it runs.

    Types whose content decides (networks, conventions, input sizes) are left to the function.
    """
    code, hints = function.__code__, function.__annotations__
    positional = code.co_varnames[: code.co_argcount]

    @wraps(function)
    def wrapper(*args: Any, **given: Any) -> Any:
        for argument, value in (*zip(positional, args, strict=False), *given.items()):
            if argument in hints and not _fits(value, hints[argument]):
                raise _unfit(argument, value, hints[argument])
        return function(*map(_plain, args), **{argument: _plain(value) for argument, value in given.items()})

    wrapper.__module__, wrapper.__qualname__ = "costcalc", name  # its import path, which pickle uses too
    return wrapper


def _plain(value: Any) -> Any:
    """Convert a NumPy integer to a Python int; return other values unchanged."""
    return int(value) if not isinstance(value, (int, str)) and _is_number(value, "int") else value


def _is_number(value: Any, kind: str) -> bool:
    """Whether a value is a number (an integer for kind `int`), NumPy scalars included."""
    from numbers import Integral, Real  # slow to load

    return isinstance(value, Integral if kind == "int" else Real) and not isinstance(value, bool)


def _unfit(argument: str, value: Any, hint: str) -> ArgumentError:
    """The error for a value of the wrong type, or for the first such element of a list."""
    for kind in _kinds(hint):
        inner = _kind(kind)
        if inner and inner[1] in ("Sequence", "Iterable") and isinstance(value, (list, tuple)):
            wrong = next((item for item in value if not _fits(item, inner[2])), None)
            return _wrong(wrong, f"each of `{argument}`", _said(inner[2]))
    return _wrong(value, argument, _said(hint))


_SAID = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "None": "None",
    "os.PathLike": "a path",
    "Callable": "a function",
    "Tell": "a function",
    "Score": "a function",
    "Mapping": "a mapping by names",
    "Sequence": "a list",
    "Iterable": "a list",
}


def _said(hint: str) -> str:
    """The type for a message: `a text, a path or None`."""
    said = list(dict.fromkeys(_SAID[_kind(kind)[1]] for kind in _kinds(hint)))  # type: ignore[index]
    return ", ".join(said[:-1]) + (" or " if said[1:] else "") + said[-1]


@lru_cache(256)
def _kind(hint: str) -> re.Match[str] | None:
    """Match a type as its name and the content of its brackets; None if it has another form."""
    return re.fullmatch(r"(\w[\w.]*)(?:\[(.*)\])?", hint)


@lru_cache(256)
def _kinds(hint: str) -> tuple[str, ...]:
    """The members of a union: `str | Mapping[str, int | str]` has two."""
    members, depth = [""], 0
    for char in hint:
        depth += (char in "[(") - (char in "])")
        if char == "|" and not depth:
            members.append("")
        else:
            members[-1] += char
    return tuple(kind.strip() for kind in members)


def _fits(value: Any, hint: str) -> bool:
    """Whether a value has the annotated type; a type missing from `_SAID` accepts any value."""
    kinds = [_kind(kind) for kind in _kinds(hint)]
    if any(kind is None or kind[1] not in _SAID for kind in kinds):
        return True
    return any(_is_a(value, kind[1], kind[2] or "Any") for kind in kinds if kind)


def _is_a(value: Any, name: str, inner: str) -> bool:
    if name == "None":
        return value is None
    if name in ("int", "float"):
        return type(value) is int or _is_number(value, name)
    if name == "os.PathLike":
        return isinstance(value, os.PathLike) and isinstance(os.fspath(value), str)
    if name in ("Callable", "Tell", "Score"):
        return callable(value)
    if name == "Mapping":
        return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    if name in ("Sequence", "Iterable"):
        is_list = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))
        return is_list and (not isinstance(value, (list, tuple)) or all(_fits(item, inner) for item in value))
    return isinstance(value, {"str": str, "bool": bool}[name])
