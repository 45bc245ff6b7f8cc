"""A process that does one task after the other: tasks come on standard input, results go to standard output.

The program of a worker. It runs as a file, so that no module of the caller runs a second time; messages are pickles of
costcalc's own parts, between processes of one user.
"""

import os
import pickle
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO

SIZE = 8  # bytes that say how long a message is


def send(stream: BinaryIO, value: Any) -> None:
    """Write a message."""
    data = pickle.dumps(value)
    stream.write(len(data).to_bytes(SIZE, "little") + data)
    stream.flush()


def received(stream: BinaryIO) -> Any:
    """The next message. Raises EOFError where the other side is gone."""
    size = int.from_bytes(_whole(stream, SIZE), "little")
    return pickle.loads(_whole(stream, size))


def _whole(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def mask_interrupts(blocked: bool) -> None:
    """Block SIGINT in this thread and in processes that it starts, or unblock it, where the system can."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK if blocked else signal.SIG_UNBLOCK, {signal.SIGINT})


def bound_memory(most: int) -> None:
    """Let this process have at most so many bytes of memory, where the system can bound it; 0 is no bound."""
    try:
        import resource
    except ImportError:  # Windows
        return
    if most:
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def resident() -> int:
    """The bytes of memory that this process holds, where the system says; 0 elsewhere."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:  # no Linux
        return 0


def done(function: str, task: Any, limits: Mapping[str, int]) -> Any:
    """What a function of costcalc, `module:name`, makes of a task; `limits` are those that were raised."""
    module, _, name = function.partition(":")
    with import_module("costcalc.limits").raised(**limits):
        return getattr(import_module(module), name)(task)


def main() -> None:
    """Do what comes until nothing does. Ctrl-C is for the caller, which ends this process."""
    signal.signal(signal.SIGINT, lambda *_: None)
    mask_interrupts(False)
    tasks, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)  # what a library reads is no task
    os.dup2(2, 1)  # what it prints is no result
    function, most, limits, grown = received(tasks)
    import_module(function.partition(":")[0])
    bound_memory(most)
    with suppress(EOFError, BrokenPipeError):
        while True:
            fine, result = _answer(function, received(tasks), limits)
            send(results, (fine, result, bool(grown) and resident() > grown))


def _answer(function: str, task: Any, limits: Mapping[str, int]) -> tuple[bool, Any]:
    """(whether a task was done, its result or what it raised)."""
    try:
        return True, done(function, task, limits)
    except MemoryError:
        return False, "memory"
    except Exception as error:
        return False, error


if __name__ == "__main__":
    sys.path[:] = sys.argv[1:]  # that of the caller, without the directory of this file
    import_module("costcalc.analysis.jobs.worker").main()
