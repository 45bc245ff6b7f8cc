"""Time a network: export it to ONNX, run it with onnxruntime and report its times beside its mult-adds."""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

from ...arguments import mapping
from ...errors import OptionError, Problem
from ...metrics.conventions import find
from ...metrics.metrics import metric, totals
from ...metrics.pricing import MAC, total
from ...metrics.walk import Walk
from ...model.network import Model
from ...model.rows import Row, Trace
from ...model.stitching import graph_of
from ...model.trace import trace
from ...model.uncollected import uncollected
from ...model.variables import settle
from ...read.anything import Inputs, Network, load
from ...records import NamedTuple
from ...render import Result
from ...render.sheet import Page
from ...write.torch import source_text
from ..convert.convert import exported
from ..memory.roofline import Roofline, bounded
from ..report.analyze import scaled
from ..report.report import Report, report

WARM_UPS, RUNS, SECONDS = 10, 30, 1.0  # minimum number of runs, minimum seconds
PASSES = 100  # runs of the training passes, as reviews of networks time them
STEADY = 1.3  # highest median / minimum that still gives a verdict
MOST_RUNS = 10_000


class Times(NamedTuple):
    """Seconds of each run, in order."""

    runs: tuple[float, ...]

    @property
    def least(self) -> float:
        """Seconds of the fastest run."""
        return min(self.runs)

    @property
    def median(self) -> float:
        """Seconds of the median run."""
        return statistics.median(self.runs)

    @property
    def mean(self) -> float:
        """Mean seconds of a run, as reviews of networks print it."""
        return statistics.fmean(self.runs)

    @property
    def deviation(self) -> float:
        """Standard deviation of the seconds of a run."""
        return statistics.stdev(self.runs) if len(self.runs) > 1 else 0.0

    @property
    def is_steady(self) -> bool:
        """Whether the times vary little enough to be compared."""
        return self.median <= STEADY * self.least


class Backward(NamedTuple):
    """Times of the forward pass and of forward plus backward, the runtime, and the mult-adds of both."""

    forward: Times
    both: Times
    runtime: str  # torch 2.13
    mult_adds: int


class _Found(NamedTuple):
    report: Report
    times: Times
    threads: int
    runtime: str  # onnxruntime 1.32
    machine: str
    roofline: Roofline | None = None
    layers: tuple[LayerTime, ...] = ()
    backward: Backward | None = None


class Bench(Result, _Found):
    """A timed network: `times` has every run, `report` its costs, `roofline` its bounds on a device.

    layers    times of its layers, if requested
    backward  times of the training passes, if requested
    """

    def page(self) -> Page:
        """One row."""
        from .page import BenchPage

        return BenchPage([self])


def bench(
    spec: Network,
    *,
    threads: int = 1,
    runs: int = RUNS,
    device: str | None = None,
    layers: bool = False,
    backward: bool = False,
    input: Inputs | None = None,
    rho: float | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] = lambda count: None,
    **values: Any,
) -> Bench:
    """Time one sample on this machine, with onnxruntime on the processor (the extra `bench`).

    spec, input  what `costcalc.load` takes; the weights are random
    threads      threads of onnxruntime
    runs         minimum number of timed runs; they last at least one second and follow 10 warm-up runs
    device       device whose bounds are shown beside the times: a name from `costcalc devices`, or a file
    layers       also time each layer, with the profiler of onnxruntime
    backward     also time the training passes, 100 times, with PyTorch (the extra `torch`)
    progress     called with the number of each run
    rho, settings, values  as in `analyze`

    The times hold for this machine at this moment: do not use them in budgets. Raises CostcalcError.
    """
    if type(threads) is not int or not 1 <= threads <= 1024 or type(runs) is not int or not RUNS <= runs <= MOST_RUNS:
        help = f"threads from 1 to 1,024, runs from {RUNS} to {MOST_RUNS:,}"
        raise OptionError(Problem("bad-value", f"{threads} threads or {runs} runs are not possible", help=help))
    given = {**mapping(settings, "settings", '{"alpha": 0.75}'), **values}
    model = load(spec, input)
    with uncollected():
        settled = settle(model, scaled(model, given, rho))
        walked = trace(model, settled)
        counted = report(model, walked, settled, _framework())
        roofline = None if device is None else bounded(model, settled, None, device)
    passes = _passes(model, settled, threads) if backward else None
    session = _Session(exported(model, settled, "onnx").content, threads)
    times = measured(session.run, runs, progress)
    parts = _layers(session, walked.rows, runs, roofline) if layers else ()
    both = None if passes is None else _timed(passes, model, walked, settled, progress)
    return Bench(counted, times, threads, session.version, machine(), roofline, parts, both)


def _passes(model: Model, settled: Mapping[str, Any], threads: int) -> Any:
    return passes(model, settled, threads)


def _timed(
    passes: Any, model: Model, walked: Trace, settled: Mapping[str, Any], progress: Callable[[int], None]
) -> Backward:
    """Time the training passes of a network; the mult-adds include the forward pass and both gradients."""
    walk = Walk(model, walked, settled)
    cost = totals(walk, [metric("training_mult_adds", _framework())])["training_mult_adds"]
    forward, both = (measured(one, PASSES, progress) for one in (passes.forward, passes.both))
    return Backward(forward, both, passes.runtime, cost)


def _layers(session: _Session, rows: Any, runs: int, roofline: Roofline | None) -> tuple[LayerTime, ...]:
    """Times of the layers. They come from separate runs, because profiling takes time."""
    bounds = None if roofline is None else {one.name: max(one.compute, one.memory) for one in roofline.bounds}
    return tuple(of_layers(rows, profiled(session.profiling, session.feeds, WARM_UPS, runs), bounds))


def measured(run: Callable[[], None], runs: int = RUNS, progress: Callable[[int], None] = lambda count: None) -> Times:
    """Time a function: warm-up runs first, then at least `runs` runs and one second."""
    for _ in range(WARM_UPS):
        run()
    seconds: list[float] = []
    begun = time.perf_counter()
    while len(seconds) < runs or (time.perf_counter() - begun < SECONDS and len(seconds) < MOST_RUNS):
        before = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - before)
        progress(1)
    return Times(tuple(seconds))


def machine() -> str:
    """Name of the processor, as reported by the system."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return (names or [platform.processor() or platform.machine()])[0]


def _framework() -> Any:
    return find("framework")


class _Session:
    """A model ready to run on random inputs. Raises OptionError if onnxruntime is missing."""

    def __init__(self, content: Any, threads: int) -> None:
        try:
            import numpy
            import onnxruntime
        except ImportError:
            message = "timing needs the package onnxruntime, which is not installed"
            raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[bench]'")) from None
        self.content, self.threads, self.package = content, threads, onnxruntime
        self.version = f"onnxruntime {onnxruntime.__version__}"
        self.session = self._made(None)
        chance = numpy.random.default_rng(0)
        self.feeds = {
            one.name: chance.random(one.shape, dtype=numpy.float32)
            if "float" in one.type
            else numpy.zeros(one.shape, dtype=numpy.int64)
            for one in self.session.get_inputs()
        }

    def _made(self, profile: str | None) -> Any:
        options = self.package.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.log_severity_level = 3
        if profile is not None:
            options.enable_profiling, options.profile_file_prefix = True, profile
        return self.package.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])

    def profiling(self, path: str) -> Any:
        """Open a session of the same model that writes a profile to a file whose name starts with `path`."""
        return self._made(path)

    def run(self) -> None:
        """Run the model once."""
        self.session.run(None, self.feeds)


_ENDS = ("_kernel_time", "_nchwc")
_MOST_EVENTS = 10**6  # events read from a profile; the rest is left out
OTHER = "other kernels"  # kernels that belong to no layer, such as changes of layout


class LayerTime(NamedTuple):
    """One layer with its norms and activations: its mult-adds, its times in seconds, and its bound."""

    name: str
    mult_adds: int
    least: float
    median: float
    bound: Fraction | None  # least seconds on a device: the larger of its compute and memory bounds


def profiled(make: Callable[[Any], Any], feeds: Mapping[str, Any], warm_ups: int, runs: int) -> dict[str, list[float]]:
    """Seconds of each kernel in each run after the warm-up runs, by kernel name.

    make   returns a session that writes a profile to a given path
    feeds  inputs of a run
    """
    with tempfile.TemporaryDirectory() as folder:
        session = make(os.path.join(folder, "profile"))
        for _ in range(warm_ups + runs):
            session.run(None, feeds)
        with open(session.end_profiling(), encoding="utf-8") as file:
            events = json.load(file)
    kernels: dict[str, list[float]] = {}
    for event in events[:_MOST_EVENTS]:
        if event.get("cat") == "Node" and str(event.get("name")).endswith(_ENDS[0]):
            kernels.setdefault(event["name"], []).append(event["dur"] / 1e6)
    return {_kernel(name): times[-runs:] for name, times in kernels.items() if len(times) >= runs}


def _kernel(name: str) -> str:
    for end in _ENDS:
        name = name.removesuffix(end)
    return name


def of_layers(
    rows: Iterable[Row], kernels: Mapping[str, list[float]], bounds: Mapping[str, Fraction] | None
) -> list[LayerTime]:
    """Times of layers. Norms and activations written with a layer belong to it, because kernels fuse them.

    rows     rows of the network
    kernels  seconds of each run, by kernel
    bounds   least seconds of each layer on a device, if one is given
    """
    owners, costs, least = _owners(rows, bounds or {})
    runs: dict[str, list[float]] = {}
    for kernel, times in kernels.items():
        owner = owners.get(_layer(kernel, owners), OTHER)
        before = runs.get(owner, [0.0] * len(times))
        runs[owner] = [one + other for one, other in zip(before, times, strict=True)]
    names = [name for name in (*costs, OTHER) if name in runs]
    return [
        LayerTime(
            name,
            costs.get(name, 0),
            min(runs[name]),
            statistics.median(runs[name]),
            least.get(name, Fraction(0)) if bounds is not None else None,
        )
        for name in names
    ]


def _owners(
    rows: Iterable[Row], bounds: Mapping[str, Fraction]
) -> tuple[dict[str, str], dict[str, int], dict[str, Fraction]]:
    """The layer that owns each row, and the mult-adds and the sum of bounds of each layer."""
    owners: dict[str, str] = {}
    costs: dict[str, int] = {}
    least: dict[str, Fraction] = {}
    owner = OTHER
    for row in rows:
        owner = owner if row.follows and owners else row.name
        owners[row.name] = owner
        costs[owner] = costs.get(owner, 0) + total(MAC, row.op.name, row.layer.terms) * row.times
        least[owner] = least.get(owner, Fraction(0)) + bounds.get(row.name, Fraction(0))
    return owners, costs, least


def _layer(kernel: str, owners: Mapping[str, str]) -> str:
    """The longest row name that is a prefix of a kernel's name, cut at `_` or `/`; an empty string if there is none."""
    name = kernel
    while name and name not in owners:
        cut = max(name.rfind("_"), name.rfind("/"))
        name = name[:cut] if cut > 0 else ""
    return name


_GRIDS = frozenset(("conv", "dwconv", "maxpool", "avgpool", "conv_transpose", "lppool"))


class Passes(NamedTuple):
    """A forward pass, a forward plus backward pass, and the version of the framework that runs them."""

    forward: Callable[[], None]
    both: Callable[[], None]
    runtime: str


def passes(model: Model, settled: Mapping[str, Any], threads: int) -> Passes:
    """Training passes of a network, with random weights and inputs and a batch of 1.

    The module is the one that `costcalc export --to torch` writes. Raises OptionError without PyTorch, and SpecError
    for a network that cannot be exported.
    """
    torch = _torch()
    graph = graph_of(model, settled)
    space: dict[str, Any] = {}
    exec(compile(source_text(graph, model.name), "network.py", "exec"), space)
    made = [one for one in space.values() if isinstance(one, type) and issubclass(one, torch.nn.Module)]
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = made[-1]().train()
    inputs = [_input(torch, graph, name) for name in graph.inputs]

    def forward() -> None:
        network(*inputs)

    def both() -> None:
        network.zero_grad(set_to_none=True)
        found = network(*inputs)
        sum(one.sum() for one in (found if isinstance(found, tuple) else (found,))).backward()

    try:
        both()
    except ValueError as error:  # a batch norm over one value
        raise OptionError(Problem("bad-value", f"{model.name} cannot be trained on one sample: {error}")) from None
    return Passes(forward, both, f"torch {torch.__version__.partition('+')[0]}")


def _input(torch: Any, graph: Any, name: str) -> Any:
    """Random input; the channels of a grid come right after the batch."""
    readers = {node.row.op.name for node in graph.nodes if name in node.sources}
    shape = graph.inputs[name]
    first = len(shape) > 2 or readers & _GRIDS
    sizes = (1, shape[-1], *shape[:-1]) if first else (1, *shape)
    return torch.zeros(sizes, dtype=torch.int64) if readers == {"embedding"} else torch.rand(sizes)


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        message = "timing of backward passes needs the package torch, which is not installed"
        raise OptionError(Problem("missing-extra", message, help="pip install 'costcalc[torch]'")) from None
    return torch
