"""Run tasks in processes on this machine with bounded memory and time; another process retries a lost task."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, BinaryIO

from ... import limits
from ...errors import FileError, OptionError, Problem
from ...limits import changed
from ...records import NamedTuple
from . import worker
from .worker import done

TRIES = 3  # processes that a task may crash before it is given up
PATIENCE = 1  # seconds to wait for a process's last output, if its children keep the stream open


class Lost(NamedTuple):
    """A task without a result: its process ended, or it exceeded its time or memory."""

    why: str


class Pool:
    """A pool of worker processes; as a context manager, it ends them on exit.

    function  of costcalc, as `module:name`: takes a task, returns its result
    jobs      number of processes
    memory    bytes that each process may have; 0 means no limit
    seconds   time limit of one task; 0 means no limit
    tries     number of processes that a task may crash
    last      tasks after which a process is replaced; 0 means no limit
    grown     resident bytes after a task from which a process is replaced; 0 means no limit
    is_heard  whether the output of tasks is shown on standard error
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
        is_heard: bool = False,
    ) -> None:
        self.function, self.jobs, self.memory, self.seconds, self.tries = function, jobs, memory, seconds, tries
        self.last, self.grown, self.is_heard = last, grown, is_heard
        self.hearers: dict[subprocess.Popen[bytes], threading.Thread] = {}
        self.limits = limits.changed()
        self.found: queue.Queue[Any] = queue.Queue()
        self.lock, self.running = threading.Lock(), True
        self.threads: list[threading.Thread] = []
        self.processes: dict[subprocess.Popen[bytes], int] = {}  # with the thread that each serves
        self.idle: list[subprocess.Popen[bytes]] = []  # those without a task

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.running = False
            for process in [*self.processes]:
                process.kill()
        for thread in self.threads:
            thread.join()
        for process in self.idle:
            self._end(process)

    def results(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield (task, result) as tasks finish; a result may be `Lost`. Raises what a task raised.

        Processes are kept for the next call.
        """
        self.tasks = iter(tasks)
        self.threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self.jobs)]
        for thread in self.threads:
            thread.start()
        left = len(self.threads)
        while left:
            result = self.found.get()
            if result is None:
                left -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                yield result

    def _serve(self) -> None:
        """Give tasks to a process, replaced when needed, until no task is left."""
        process, count = None, 0
        worker.mask_interrupts(True)
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
            if process:
                self._spare(process)
        except BaseException as error:
            self.found.put(error)
        finally:
            for one in [one for one, owner in list(self.processes.items()) if owner == threading.get_ident()]:
                self._end(one)
            self.found.put(None)

    def _tried(self, process: Any, task: Any) -> tuple[Any, Any]:
        """(process for the next task, result of this task)."""
        why = ""
        for _ in range(self.tries):
            if not self.running:  # killed because the pool was closed
                break
            process = process or self._spared() or self._started()
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
        """(whether a result came, the result or error, whether the process has grown, the reason if none came)."""
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
        err = subprocess.PIPE if self.is_heard else subprocess.DEVNULL
        process = subprocess.Popen(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, env=os.environ | one_thread
        )
        if process.stderr:
            self.hearers[process] = threading.Thread(target=_show, args=(process.stderr,), daemon=True)
            self.hearers[process].start()
        with self.lock:
            self.processes[process] = threading.get_ident()
            if not self.running:
                process.kill()
        with suppress(OSError):
            worker.send(process.stdin, (self.function, self.memory, self.limits, self.grown))  # type: ignore[arg-type]
        return process

    def _spared(self) -> subprocess.Popen[bytes] | None:
        """Take an idle process for this thread, if there is one."""
        with self.lock:
            if not self.idle:
                return None
            process = self.idle.pop()
            self.processes[process] = threading.get_ident()
            return process

    def _spare(self, process: subprocess.Popen[bytes]) -> None:
        """Mark a process as idle."""
        with self.lock:
            self.processes[process] = 0
            self.idle.append(process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        if hearer := self.hearers.pop(process, None):
            hearer.join(PATIENCE)
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):
                stream.close()  # type: ignore[union-attr]
        with self.lock:
            self.processes.pop(process, None)


def _show(stream: BinaryIO) -> None:
    """Copy the output of a process to standard error until it ends."""
    with stream, suppress(OSError, ValueError):  # one of both streams is closed
        for line in stream:
            sys.stderr.write(line.decode(errors="replace"))
            sys.stderr.flush()


WAITING = 3  # tasks per thread of the cluster that are submitted at once
FINDING = 20  # seconds to connect to the scheduler


class Cluster:
    """Workers of a scheduler; as a context manager, it releases its data on exit.

    function  of costcalc, as `module:name`; costcalc must be installed on the workers
    address   of the scheduler, such as tcp://10.0.0.5:8786
    """

    def __init__(self, function: str, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            message = "a cluster needs the packages dask and distributed"
            raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[dask]'")) from None
        self.function = function
        try:
            self.client = Client(address, timeout=FINDING, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise FileError(Problem("unreadable", f"no Dask scheduler answers at {address!r}: {error}")) from None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()

    def results(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield (task, result) as tasks finish; a result may be `Lost`. Raises what a task raised."""
        from distributed import as_completed

        left = iter(tasks)
        threads = sum(self.client.nthreads().values()) or 1
        given: dict[Any, Any] = {}
        running = as_completed(loop=self.client.loop)
        for task in islice(left, WAITING * threads):
            self._give(task, given, running)
        for future in running:
            task = given.pop(future.key)
            result = self._result(future)
            del future
            for more in islice(left, 1):
                self._give(more, given, running)
            yield task, result

    def _give(self, task: Any, given: dict[Any, Any], running: Any) -> None:
        future = self.client.submit(done, self.function, task, changed(), pure=False, retries=TRIES)
        given[future.key] = task
        running.add(future)

    def _result(self, future: Any) -> Any:
        from distributed.scheduler import KilledWorker

        try:
            return future.result()
        except KilledWorker:
            return Lost("it ended the process")


def workers(function: str, jobs: int, cluster: str | None, **bounds: Any) -> Pool | Cluster:
    """A `Pool` of processes on this machine with `bounds`, or the workers of a scheduler if one is named."""
    return Cluster(function, cluster) if cluster else Pool(function, jobs, **bounds)
