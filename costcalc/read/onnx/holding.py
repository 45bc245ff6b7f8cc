"""Parameters put into steps that are stated already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reader import Reader


def hold(reader: Reader, roots: Iterable[str]) -> None:
    """Let the last step of a walk hold parameters that no step holds yet."""
    at, roots = len(reader.steps) - 1, [*roots]
    bits = max((reader.widths.typed[root] for root in roots if root in reader.widths.typed), default=0)
    reader.widths.hold(at, bits, 0)
    add(reader.steps, at, reader.numbers.rest(roots, at, "/".join(reader.steps[at].body.path)))


def add(steps: list, at: int, added: Mapping[str, int]) -> None:
    """Add numbers by kind to those that a step holds."""
    body = steps[at].body
    holds = {**body.holds, **{kind: body.holds.get(kind, 0) + count for kind, count in added.items()}}
    shared = None if any(added.values()) else body.shared
    steps[at] = steps[at]._replace(body=body._replace(holds=holds, shared=shared))
