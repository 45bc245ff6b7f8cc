"""Judge models in separate processes with limits on time and memory."""

import multiprocessing
import resource
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from .entry import Entry
from .judge import NOT_RUN, REFUSED, Verdict, judged


def verdicts(entries: Iterable[Entry], jobs: int, seconds: float, gigabytes: float) -> Iterator[Verdict]:
    """The verdicts of models in order, with `jobs` processes."""
    _warm()
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda one: bounded(one, seconds, gigabytes), entries)


def bounded(entry: Entry, seconds: float, gigabytes: float, judge: Callable[[Entry], Verdict] = judged) -> Verdict:
    """The verdict of one model; refused if it takes too long or too much memory."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(judge, entry, theirs, gigabytes))
    process.start()
    theirs.close()
    try:
        if ours.poll(seconds):
            return ours.recv()
        return Verdict(entry, REFUSED, why=f"not done after {seconds:.0f} s", seconds=seconds)
    except EOFError:
        return Verdict(entry, NOT_RUN, why="the process ended: out of memory?")
    finally:
        process.kill()
        process.join()


def _warm():
    """Import everything once by reading a small module, so that forked processes have it."""
    import torch

    from costcalc.read.torch import reader
    from tests.written import assert_spec_costs_the_same

    from . import count

    torch.set_num_threads(1)
    count.due(lambda: torch.nn.Linear(2, 2), (((1, 2), "float32"),))
    with torch.device("meta"):
        program = torch.export.export(torch.nn.Linear(2, 2), (torch.rand(1, 2),), strict=False)
    assert_spec_costs_the_same(reader.read(program, "warm", "warm"))


def _work(judge, entry, pipe, gigabytes):
    import torch

    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_DATA, (int(gigabytes * 2**30),) * 2)
    try:
        pipe.send(judge(entry))
    except BaseException as error:  # a fault of costcalc or of the harness must be visible
        pipe.send(Verdict(entry, "WRONG", why=f"{type(error).__name__}: {error}"[:300]))
