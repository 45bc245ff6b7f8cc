"""Processor time: one allowance that reading, walking and checking share.

`within` opens an allowance; one inside another never extends it. Loops over input call `spend`. Outside of every
allowance nothing is limited.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import process_time

from . import limits
from .errors import Place, Problem, SpecError

EVERY = 1_000  # units of work between two looks at the clock; a unit takes some microseconds


class _Allowance:
    """When the time is over, in seconds of processor time, and whose time it is."""

    def __init__(self, until: float, name: str, who: str) -> None:
        self.until, self.name, self.who, self.left = until, name, who, 0


_ALLOWED: ContextVar[_Allowance | None] = ContextVar("allowed", default=None)


@contextmanager
def within(name: str, who: str) -> Iterator[None]:
    """Limit the processor time inside to a limit in seconds, by its name; `who` takes the time, for the message."""
    outer, until = _ALLOWED.get(), process_time() + limits.value(name)
    token = _ALLOWED.set(outer if outer and outer.until <= until else _Allowance(until, name, who))
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def spend(work: int = 1, place: Place | None = None) -> None:
    """Note units of work. Raises SpecError, at `place` where that is known, when the time is over."""
    allowed = _ALLOWED.get()
    if allowed is None:
        return
    allowed.left -= work
    if allowed.left < 0:
        allowed.left = EVERY
        look(place)


def look(place: Place | None = None) -> None:
    """Raise SpecError when the time is over."""
    allowed = _ALLOWED.get()
    if allowed and process_time() > allowed.until:
        message = f"{allowed.who} takes more than {limits.value(allowed.name):,} seconds"
        raise SpecError(Problem("limit", message, place, limits.hint(allowed.name)))
