"""Standard streams as inherited from the parent process: closed, captured, or no longer read."""

import _signal as signal  # what `signal` is based on, without the import time of its enumerations
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
    """A closed standard output: writing raises an error, so that nothing is lost silently."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Raise OSError, as the system does."""
        raise OSError(errno.EBADF, "it is closed")

    @property
    def buffer(self) -> "Closed":
        """The same stream, for bytes."""
        return self


class Inert:
    """A stream for messages: in a job of GitHub Actions, it escapes workflow commands."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text that starts a line."""
        return self.stream.write(inert(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def errors_inert() -> Iterator[None]:
    """Escape workflow commands on standard error, for example in the excerpts of files."""
    before = sys.stderr
    sys.stderr = cast("TextIO", Inert(before))
    try:
        yield
    finally:
        sys.stderr = before


def all_there() -> None:
    """Replace closed streams, so that later files do not get their descriptors."""
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
    except (OSError, AttributeError, ValueError):  # closed, or captured by a program without a file descriptor
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)


@contextmanager
def stopped_cleanly() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C, so that no unfinished file remains; the handler is restored afterwards.

    A handler installed by a calling program is kept.
    """
    own = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if own:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        if own:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
