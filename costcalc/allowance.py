"""Processor time: one allowance that reading, walking and checking share.

`within` opens an allowance; one inside another never extends it. Loops over input call `spend`. The program looks at
the clock in every other loop too, at a timer of the system: `ticking`. Outside of every allowance nothing is limited.
"""

from __future__ import annotations

import _signal as signal  # what `signal` is made of, without the time that its enumerations take
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import process_time

from . import limits
from .errors import Place, Problem, SpecError

EVERY = 1_000  # units of work between two looks at the clock; a unit takes some microseconds
AGAIN = 1.0  # seconds of processor time to leave, undisturbed by ticks, before an allowance is over once more
TICK = 0.05  # seconds of processor time between two ticks


class OutOfTime(SpecError):
    """An allowance is over: this says nothing of the network, so what skips settings that cannot be lets it pass."""


class _Over(BaseException):
    """An allowance is over. Nothing but `within` of that allowance catches it."""

    def __init__(self, allowed: _Allowance, place: Place | None) -> None:
        super().__init__()
        self.allowed, self.place = allowed, place


class _Allowance:
    """When the time is over, in seconds of processor time, and whose time it is."""

    def __init__(self, until: float, name: str, who: str) -> None:
        self.until, self.name, self.who, self.left = until, name, who, 0

    def error(self, place: Place | None) -> OutOfTime:
        """That it is over, noticed at a place."""
        message = f"{self.who} takes more than {limits.value(self.name):,} seconds"
        return OutOfTime(Problem("limit", message, place, limits.hint(self.name)))


_ALLOWED: ContextVar[_Allowance | None] = ContextVar("allowed", default=None)


@contextmanager
def within(name: str, who: str) -> Iterator[None]:
    """Limit the processor time inside to a limit in seconds, by its name; `who` takes the time, for the message."""
    outer = _ALLOWED.get()
    own = _Allowance(process_time() + limits.value(name), name, who)
    token = _ALLOWED.set(outer if outer and outer.until <= own.until else own)
    try:
        yield
    except _Over as over:
        if over.allowed is not own and outer:
            raise
        raise over.allowed.error(over.place) from None
    finally:
        _ALLOWED.reset(token)


@contextmanager
def without() -> Iterator[None]:
    """Limit nothing inside: for a program that waits, and gives each request an allowance of its own."""
    token = _ALLOWED.set(None)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


@contextmanager
def ticking() -> Iterator[None]:
    """Look at the clock inside at every tick, whatever runs; not where a program uses the timer itself.

    For a whole program alone: handlers of signals are of the process, and only its main thread hears them.
    """
    able = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not able or signal.getsignal(signal.SIGPROF) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGPROF, lambda *_: look())
    signal.setitimer(signal.ITIMER_PROF, TICK, TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)


def spend(work: int = 1, place: Place | None = None) -> None:
    """Note units of work. When the time is over, `within` raises OutOfTime, at `place` where that is known."""
    allowed = _ALLOWED.get()
    if allowed is None:
        return
    allowed.left -= work
    if allowed.left < 0:
        allowed.left = EVERY
        look(place)


def look(place: Place | None = None) -> None:
    """Leave `within` of the allowance whose time is over, if it is."""
    allowed = _ALLOWED.get()
    if allowed and (now := process_time()) >= allowed.until:
        allowed.until = now + AGAIN
        raise _Over(allowed, place)
