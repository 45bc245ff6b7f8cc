"""Worker process: reads tasks from standard input and writes results to standard output.

It runs as a script, so that the caller's modules are not executed again. Messages are pickles of costcalc's own objects
between processes of one user.
"""

import os
import pickle
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO

SIZE = 8  # bytes of the length of a message


def send(stream: BinaryIO, value: Any) -> None:
    """Write a message."""
    data = pickle.dumps(value)
    stream.write(len(data).to_bytes(SIZE, "little") + data)
    stream.flush()


def received(stream: BinaryIO) -> Any:
    """Read the next message. Raises EOFError if the other side is gone."""
    size = int.from_bytes(_whole(stream, SIZE), "little")
    return pickle.loads(_whole(stream, size))


def _whole(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def mask_interrupts(blocked: bool) -> None:
    """Block or unblock SIGINT in this thread and the processes that it starts, if the system supports it."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK if blocked else signal.SIG_UNBLOCK, {signal.SIGINT})


def bound_memory(most: int) -> None:
    """Limit the memory of this process, if the system supports it; 0 means no limit."""
    try:
        import resource
    except ImportError:  # Windows
        return
    if most:
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def resident() -> int:
    """Bytes of resident memory of this process; 0 if the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:  # not Linux
        return 0


def done(function: str, task: Any, limits: Mapping[str, int]) -> Any:
    """Call a function of costcalc, `module:name`, with a task; `limits` are the raised limits."""
    module, _, name = function.partition(":")
    with import_module("costcalc.limits").raised(**limits):
        return getattr(import_module(module), name)(task)


def main() -> None:
    """Do tasks until the input ends. Ctrl-C is left to the caller, which ends this process."""
    signal.signal(signal.SIGINT, lambda *_: None)
    mask_interrupts(False)
    tasks, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)  # libraries must not read tasks
    os.dup2(2, 1)  # their output must not mix with results
    function, most, limits, grown = received(tasks)
    import_module(function.partition(":")[0])
    bound_memory(most)
    with suppress(EOFError, BrokenPipeError):
        while True:
            fine, result = _answer(function, received(tasks), limits)
            send(results, (fine, result, bool(grown) and resident() > grown))


def _answer(function: str, task: Any, limits: Mapping[str, int]) -> tuple[bool, Any]:
    """(whether the task succeeded, its result or its error)."""
    try:
        return True, done(function, task, limits)
    except MemoryError:
        return False, "memory"
    except Exception as error:
        return False, error


if __name__ == "__main__":
    sys.path[:] = sys.argv[1:]  # the caller's path, without the directory of this file
    import_module("costcalc.analysis.jobs.worker").main()
