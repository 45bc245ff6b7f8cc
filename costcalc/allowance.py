"""Processor time: one allowance shared by reading, tracing and checking.

`within` opens an allowance; a nested one never extends the outer one. Loops over input call `spend`. `ticking` uses a
system timer to check the clock in all other code. Outside an allowance, nothing is limited.
"""

from __future__ import annotations

import _signal as signal  # the C module behind `signal`, without the cost of its enums
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import process_time

from . import limits
from .errors import Place, Problem, SpecError

EVERY = 1_000  # units of work between two checks of the clock; a unit takes a few microseconds
AGAIN = 1.0  # seconds of processor time for cleanup before an exceeded allowance raises again
TICK = 0.05  # seconds of processor time between two ticks


class OutOfTime(SpecError):
    """The time limit was exceeded. The network may be valid, so code that skips invalid settings must not catch it."""


class _Over(BaseException):
    """The time limit was exceeded. Only the `within` of that allowance catches this."""

    def __init__(self, allowed: _Allowance, place: Place | None) -> None:
        super().__init__()
        self.allowed, self.place = allowed, place


class _Allowance:
    """The deadline in seconds of processor time, the name of the limit, and what it applies to."""

    def __init__(self, until: float, name: str, who: str) -> None:
        self.until, self.name, self.who, self.left = until, name, who, 0

    def error(self, place: Place | None) -> OutOfTime:
        """The error for exceeding the limit at a place."""
        message = f"{self.who} takes more than {limits.value(self.name):,} seconds"
        return OutOfTime(Problem("limit", message, place, limits.hint(self.name)))


_ALLOWED: ContextVar[_Allowance | None] = ContextVar("allowed", default=None)


@contextmanager
def within(name: str, who: str) -> Iterator[None]:
    """Limit the processor time of the block to the limit `name`, in seconds; the error message names `who`."""
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
    """Suspend the limit inside the block: for a server that gives each request its own allowance."""
    token = _ALLOWED.set(None)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


@contextmanager
def ticking() -> Iterator[None]:
    """Check the clock at every tick inside the block. Does nothing if the program already uses the timer.

    Only for a whole program: signal handlers belong to the process, and only its main thread runs them.
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
    """Count units of work. Past the time limit, `within` raises OutOfTime, at `place` if given."""
    allowed = _ALLOWED.get()
    if allowed is None:
        return
    allowed.left -= work
    if allowed.left < 0:
        allowed.left = EVERY
        look(place)


def look(place: Place | None = None) -> None:
    """Check the clock; past the deadline, leave the `within` of that allowance."""
    allowed = _ALLOWED.get()
    if allowed and (now := process_time()) >= allowed.until:
        allowed.until = now + AGAIN
        raise _Over(allowed, place)
