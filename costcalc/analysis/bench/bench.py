"""A network timed: exported to ONNX, run with onnxruntime, its times beside its mult-adds."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...arguments import mapping
from ...errors import OptionError, Problem
from ...model.network import Model
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render.result import Result
from ..convert.export import exported
from ..report.analyze import scaled
from ..report.report import Report, report

if TYPE_CHECKING:
    from ...render.sheet import Page

WARM_UPS, RUNS, SECONDS = 10, 30, 1.0  # at least so many runs, and so long
STEADY = 1.3  # median over minimum, above which there is no verdict
MOST_RUNS = 10_000


class Times(NamedTuple):
    """Seconds of each run, in order."""

    runs: tuple[float, ...]

    @property
    def least(self) -> float:
        """The fastest run."""
        return min(self.runs)

    @property
    def median(self) -> float:
        """The run in the middle."""
        return statistics.median(self.runs)

    @property
    def mean(self) -> float:
        """The mean, as reviews of networks print it."""
        return statistics.fmean(self.runs)

    @property
    def deviation(self) -> float:
        """The standard deviation of a run."""
        return statistics.stdev(self.runs) if len(self.runs) > 1 else 0.0

    @property
    def is_steady(self) -> bool:
        """Whether the machine was quiet enough to compare with."""
        return self.median <= STEADY * self.least


class _Found(NamedTuple):
    report: Report
    times: Times
    threads: int
    runtime: str  # onnxruntime 1.32
    machine: str


class Bench(Result, _Found):
    """A network timed: `times` has every run, `report` its costs."""

    def page(self) -> Page:
        """One row."""
        from .page import BenchPage

        return BenchPage([self])


def bench(
    spec: Network,
    *,
    threads: int = 1,
    runs: int = RUNS,
    input: Inputs | None = None,
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] = lambda count: None,
    **values: Any,
) -> Bench:
    """How long one sample takes here, with onnxruntime on the processor (the extra `bench`).

    spec, input  what `costcalc.load` takes; random weights
    threads      of onnxruntime
    runs         at least so many are timed, and one second, after 10 that are not
    progress     is told of each run
    rho, settings, values  as in `analyze`

    Times are of this machine at this moment: they belong in no budget. Raises CostcalcError.
    """
    if type(threads) is not int or not 1 <= threads <= 1024 or type(runs) is not int or not RUNS <= runs <= MOST_RUNS:
        help = f"threads from 1 to 1,024, runs from {RUNS} to {MOST_RUNS:,}"
        raise OptionError(Problem("bad-value", f"{threads} threads or {runs} runs cannot be", help=help))
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
    model = load(spec, input)
    with uncollected():
        settled = settle(model, scaled(model, given, rho))
        counted = report(model, trace(model, settled), settled, _framework())
    run, version = _session(model, settled, threads)
    return Bench(counted, measured(run, runs, progress), threads, version, machine())


def measured(run: Callable[[], None], runs: int = RUNS, progress: Callable[[int], None] = lambda count: None) -> Times:
    """The times of a function: warm-ups first, then at least so many runs and one second."""
    for _ in range(WARM_UPS):
        run()
    found: list[float] = []
    begun = time.perf_counter()
    while len(found) < runs or (time.perf_counter() - begun < SECONDS and len(found) < MOST_RUNS):
        before = time.perf_counter()
        run()
        found.append(time.perf_counter() - before)
        progress(1)
    return Times(tuple(found))


def machine() -> str:
    """The processor's name, as far as the system says it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return (names or [platform.processor() or platform.machine()])[0]


def _framework() -> Any:
    from ...metrics.conventions import find

    return find("framework")


def _session(model: Model, settled: Mapping[str, Any], threads: int) -> tuple[Callable[[], None], str]:
    """A function that runs the network once, and the version of what runs it. Raises OptionError without it."""
    try:
        import numpy
        import onnxruntime
    except ImportError:
        message = "timing needs the package onnxruntime, which is not installed"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[bench]'")) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    content = exported(model, settled, "onnx").content
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    chance = numpy.random.default_rng(0)
    feeds = {
        one.name: chance.random(one.shape, dtype=numpy.float32)
        if "float" in one.type
        else numpy.zeros(one.shape, dtype=numpy.int64)
        for one in session.get_inputs()
    }
    return lambda: session.run(None, feeds), f"onnxruntime {onnxruntime.__version__}"
