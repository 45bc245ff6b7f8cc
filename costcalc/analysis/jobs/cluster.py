"""Tasks on a Dask cluster: its scheduler gives a task whose worker is lost to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from ...errors import FileError, OptionError, Problem
from ...limits import changed
from .pool import TRIES, Lost, Pool
from .worker import done

WAITING = 3  # tasks per thread of the cluster that are given out at once
PATIENCE = 20  # seconds to find the scheduler


class Cluster:
    """The workers of a scheduler; used as a context manager, it gives back what it holds.

    function  of costcalc, as `module:name`; costcalc is installed where the workers are
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
            self.client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise FileError(Problem("unreadable", f"no Dask scheduler answers at {address!r}: {error}")) from None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()

    def results(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """(task, result) in the order in which they are done; a result may be `Lost`. Raises what a task raised."""
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
    """What does tasks: processes on this machine in `bounds` of a `Pool`, or the workers of a scheduler, if named."""
    return Cluster(function, cluster) if cluster else Pool(function, jobs, **bounds)
