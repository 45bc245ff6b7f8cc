"""The standard streams as the parent process left them: closed, captured, or no longer read."""

import _signal as signal  # what `signal` is made of, without the time that its enumerations take
import errno
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from ..render.text import inert


class Closed(io.TextIOBase):
    """A standard output that is closed: nothing can be written to it, and nothing is lost in silence."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Refuse the text, as the system does. Raises OSError."""
        raise OSError(errno.EBADF, "it is closed")

    @property
    def buffer(self) -> "Closed":
        """The same, for bytes."""
        return self


class Inert:
    """A stream for people: in a job of GitHub nothing that is written to it is a command."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, which starts a line."""
        return self.stream.write(inert(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def errors_inert() -> Iterator[None]:
    """Have standard error run no command of a file that an error shows."""
    before = sys.stderr
    sys.stderr = cast("TextIO", Inert(before))
    try:
        yield
    finally:
        sys.stderr = before


def all_there() -> None:
    """Put something in the place of streams that are closed; their numbers go to no file that is opened later."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    number = os.open(os.devnull, os.O_RDWR)
    while number < 2:
        number = os.dup(number)
    if sys.stdout is None:
        sys.stdout = Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (open to the end)


def hush() -> None:
    """Discard output that no process reads, so that Python has nothing to flush at exit."""
    try:
        number = sys.stdout.fileno()
    except (OSError, AttributeError, ValueError):  # closed, or captured by a program that has no file there
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)


@contextmanager
def stopped_cleanly() -> Iterator[None]:
    """Let a request to end unwind as Ctrl-C does, so that no unfinished file stays behind; afterwards all is as before.

    A program that has a handler of its own keeps it.
    """
    own = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if own:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        if own:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
