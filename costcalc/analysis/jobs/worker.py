"""A process that does one task after the other: tasks come on standard input, results go to standard output.

The program of a worker. It runs as a file, so that no module of the caller runs a second time; messages are pickles of
costcalc's own parts, between processes of one user.
"""

import os
import pickle
import sys
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


def bound_memory(most: int) -> None:
    """Let this process have at most so many bytes of memory, where the system can bound it; 0 is no bound."""
    try:
        import resource
    except ImportError:  # Windows
        return
    if most:
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def done(function: str, task: Any) -> Any:
    """What a function of costcalc, `module:name`, makes of a task."""
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)(task)


def main() -> None:
    """Do what comes until nothing does."""
    tasks, results = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no result
    function, most = received(tasks)
    import_module(function.partition(":")[0])
    bound_memory(most)
    while True:
        try:
            task = received(tasks)
        except EOFError:
            return
        try:
            result = True, done(function, task)
        except MemoryError:
            result = False, "memory"
        except Exception as error:
            result = False, error
        send(results, result)


if __name__ == "__main__":
    sys.path[:] = sys.argv[1:]  # that of the caller, without the directory of this file
    import_module("costcalc.analysis.jobs.worker").main()
