"""Tasks in processes on this machine: each has bounded memory and time, and one that is lost is given to another."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from ... import limits
from ...records import NamedTuple
from . import worker

TRIES = 3  # processes that a task may end before it is given up


class Lost(NamedTuple):
    """A task that has no result: it ended its process, or took too long or too much memory."""

    why: str


class Pool:
    """Processes that do tasks; used as a context manager, it ends them.

    function  of costcalc, as `module:name`: takes a task, gives its result
    jobs      how many processes
    memory    bytes that each may have; 0 is no bound
    seconds   that one task may take; 0 is no bound
    tries     how many processes a task may end
    last      tasks that a process does before another takes its place; 0 is no bound
    grown     bytes that it holds after a task from which on another takes its place; 0 is no bound
    """

    def __init__(
        self,
        function: str,
        jobs: int,
        memory: int = 0,
        seconds: float = 0,
        tries: int = TRIES,
        last: int = 0,
        grown: int = 0,
    ) -> None:
        self.function, self.jobs, self.memory, self.seconds, self.tries = function, jobs, memory, seconds, tries
        self.last, self.grown = last, grown
        self.limits = limits.changed()
        self.found: queue.Queue[Any] = queue.Queue()
        self.lock, self.running = threading.Lock(), True
        self.threads: list[threading.Thread] = []
        self.processes: dict[subprocess.Popen[bytes], int] = {}  # and the thread that each serves

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.running = False
            for process in [*self.processes]:
                process.kill()
        for thread in self.threads:
            thread.join()

    def results(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """(task, result) in the order in which they are done; a result may be `Lost`. Raises what a task raised."""
        self.tasks = iter(tasks)
        self.threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self.jobs)]
        for thread in self.threads:
            thread.start()
        left = len(self.threads)
        while left:
            found = self.found.get()
            if found is None:
                left -= 1
            elif isinstance(found, BaseException):
                raise found
            else:
                yield found

    def _serve(self) -> None:
        """Give tasks to one process after the other until there is none."""
        process, count = None, 0
        try:
            while self.running:
                with self.lock:
                    task = next(self.tasks, self)
                if task is self:
                    break
                before = process
                process, result = self._tried(process, task)
                self.found.put((task, result))
                count = count + 1 if process is before else 1
                if process and count == self.last:
                    self._end(process)
                    process = None
        except BaseException as error:
            self.found.put(error)
        finally:
            for one in [one for one, owner in list(self.processes.items()) if owner == threading.get_ident()]:
                self._end(one)
            self.found.put(None)

    def _tried(self, process: Any, task: Any) -> tuple[Any, Any]:
        """(the process to go on with, the result of a task)."""
        why = ""
        for _ in range(self.tries):
            if not self.running:  # it was killed because the pool was left
                break
            process = process or self._started()
            fine, result, has_grown, why = self._asked(process, task)
            if why:
                self._end(process)
                process = None
                if "seconds" in why:
                    break
            elif fine and has_grown:
                self._end(process)
                return None, result
            elif fine:
                return process, result
            elif result == "memory":
                self._end(process)
                return None, Lost(f"it needs more than {self.memory:,} bytes of memory")
            else:
                raise result
        return process, Lost(why)

    def _asked(self, process: Any, task: Any) -> tuple[bool, Any, bool, str]:
        """(whether a result came, the result or the error, whether the process has grown, why there is no result)."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.seconds, stop) if self.seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            worker.send(process.stdin, task)
            return (*worker.received(process.stdout), "")
        except (EOFError, OSError):
            why = f"it takes more than {self.seconds:g} seconds" if late.is_set() else "it ended the process"
            return False, None, False, why
        finally:
            if timer:
                timer.cancel()

    def _started(self) -> subprocess.Popen[bytes]:
        line = [sys.executable, os.path.abspath(worker.__file__), *sys.path]
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | one_thread
        )
        with self.lock:
            self.processes[process] = threading.get_ident()
            if not self.running:
                process.kill()
        with suppress(OSError):
            worker.send(process.stdin, (self.function, self.memory, self.limits, self.grown))  # type: ignore[arg-type]
        return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                stream.close()  # type: ignore[union-attr]
        with self.lock:
            self.processes.pop(process, None)
