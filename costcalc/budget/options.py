"""Limits that are not in a file: from options, or from Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import OptionError, Problem, brief
from ..metrics.metrics import unit_of
from .config import Limit, limit_of

if TYPE_CHECKING:
    from ..metrics.pricing import Convention


KINDS = ("max", "min", "vs_base")


def limits_of(given: Any, convention: Convention) -> tuple[Limit, ...]:
    """Parse limits, {`max`, `min` or `vs_base`: {metric: limit}}. Raises OptionError.

    A metric applies to the whole network (`params`), to each layer (`any_layer.params`), or under `layers` to a glob.
    """
    return tuple(limit for kind in KINDS for limit in _of_kind(kind, given.get(kind) or {}, convention))


def _of_kind(kind: str, limits: Any, convention: Convention) -> Iterator[Limit]:
    for name, value in limits.items():
        if name == "layers" and isinstance(value, Mapping):
            for glob, inner in value.items():
                yield from (_one(kind, metric, glob, limit, convention) for metric, limit in inner.items())
        elif name == "any_layer" and isinstance(value, Mapping):
            yield from (_one(kind, metric, name, limit, convention) for metric, limit in value.items())
        else:
            where, dot, metric = name.partition(".")
            layer = where == "any_layer" and dot
            yield _one(kind, metric if layer else name, where if layer else "", value, convention)


def _one(kind: str, metric: str, where: str, value: str, convention: Convention) -> Limit:
    text = value
    if type(value) is int:
        text = f"{'+' if kind == 'vs_base' else ''}{value}{unit_of(metric).symbol}"
    if type(text) is not str:
        message = f"a limit is a text or a whole number, not {brief(repr(value))}"
        raise OptionError(Problem("bad-limit", message, help='write {"mult_adds": "170M"}'))
    if where and kind == "vs_base":
        raise OptionError(Problem("bad-limit", "`vs_base` limits only the whole network", help="use max or min"))
    return limit_of(kind, metric, where, text, convention)


def pair_of(kind: str, text: str) -> tuple[str, str]:
    """Parse an option's `mult_adds=170M` into (metric, limit). Raises OptionError."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name or not value:
        option = f"--{kind.replace('_', '-')}"
        help = f"write {option} mult_adds={'+1%' if kind == 'vs_base' else '170M'}"
        raise OptionError(Problem("usage", f"`{option} {text[:60]}` limits nothing", help=help))
    return name, value
