"""One run of the program in a process of its own: how it ends, how much processor time and memory it needs.

Time is that of the processor, as what else runs on a machine does not make the program slower.
"""

import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SECONDS, MEGABYTES = 5.0, 300  # more is a failure
LOADED = 190  # megabytes of a program with all of MODULES: more than that was there before, of whoever runs this
RAN = f"{tempfile.gettempdir()}/costcalc-fuzz-{os.getpid()}-ran"  # what a program that a file names would leave
KILLED = 20  # seconds of processor time
CODES = (0, 1, 2)
MODULES = [
    "numpy",
    "pandas",
    "sympy",
    "rich.style",
    "click",
    "yaml",
    "costcalc.analysis.sweep.sweep",
    "costcalc.analysis.formula.formula",
    "costcalc.analysis.report.report",
    "costcalc.analysis.compare.compare",
    "costcalc.analysis.fit.fit",
    "costcalc.analysis.reproduce.reproduce",
    "costcalc.budget.run",
    "costcalc.read.spec.evidence",
    "costcalc.read.onnx.model",
    "costcalc.read.keras.model",
    "costcalc.analysis.reconcile.reconcile",
    "costcalc.write.spec",
    "costcalc.write.torch",
    "costcalc.write.onnx.builder",
    "costcalc.analysis.sweep.plotting",
]
EXTRAS = ["onnx", "tflite", "matplotlib.pyplot", "matplotlib.backends.backend_svg"]  # where they are installed
LOADED_BY = {  # what takes seconds to load: PyTorch, and what it loads when a module is read
    "modules": ["costcalc.read.torch.reader", "torch.export", "torch.export._trace", "torch._dynamo", "torch._export"],
}
SLOW = "too slow"
WRITTEN = ("out.py", "out.onnx")  # files that commands are told to write


class Link(NamedTuple):
    """A link to somewhere, in place of the bytes of a file."""

    target: str


class Ended(NamedTuple):
    """How a run ended."""

    code: int  # of its exit; of a signal: less than 0
    seconds: float  # of processor time
    megabytes: float  # at most, the program itself included
    out: str
    err: str
    ran: bool = False  # whether a program ran that a file named
    left: tuple = ()  # (name, bytes) of those of WRITTEN that are there

    @property
    def failure(self):
        """What is wrong with it, in a few words; "" if nothing is."""
        if self.ran:
            return "a program of the files ran"
        if self.code not in CODES:
            last = next((line for line in reversed(self.err.splitlines()) if "Error" in line), "")
            return f"exit code {self.code} {last[:80]}".strip()
        if "Traceback" in self.err:
            return "a traceback"
        if self.seconds > SECONDS:
            return SLOW
        if self.megabytes > MEGABYTES:
            return "too large"
        told = (line.startswith(("error: ", '{"error": ')) for line in self.err.splitlines())
        if self.code == 2 and not self.out and not any(told):
            return "an error without a word"
        hidden = {char for char in self.err if not char.isprintable()} - {"\n"}
        return f"control characters: {sorted(hidden)}" if hidden else ""


def prepare(targets=()):
    """Load what runs of some targets need, so that the processes that are copied from this one start at once."""
    from importlib import import_module
    from importlib.util import find_spec

    wanted = [*EXTRAS, *(name for target in targets for name in LOADED_BY.get(target, ()))]
    extras = [name for name in wanted if find_spec(name.partition(".")[0])]
    for name in [*MODULES, *extras]:
        import_module(name)


def run(files, args):
    """Write files into an empty directory and run a command line there."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(data.target) if isinstance(data, Link) else path.write_bytes(data)
        begun = _megabytes()
        process = os.fork()
        if not process:
            _child(folder, args)
        _, status, usage = os.wait4(process, 0)
        left = [(name, Path(folder, name)) for name in WRITTEN if Path(folder, name).exists()]
        left = [(name, path.read_bytes()) for name, path in left]
        out, err = (Path(folder, name).read_bytes().decode("utf-8", "replace") for name in (".out", ".err"))
    peak = usage.ru_maxrss / 1024 - max(begun - LOADED, 0)  # a copy begins with all that was there
    seconds, ran = usage.ru_utime + usage.ru_stime, os.path.exists(RAN)
    if ran:
        os.unlink(RAN)
    return Ended(os.waitstatus_to_exitcode(status), seconds, peak, out, err, ran, tuple(left))


def _megabytes():
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _child(folder, args):
    code = 99
    try:
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_CPU, (KILLED, KILLED))
        resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
        for name, number in ((".out", 1), (".err", 2)):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        streams = [os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2)]
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = streams
        code = _ended(args)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _ended(args):
    from costcalc.cli import main

    try:
        main(args)
    except SystemExit as ended:
        return ended.code
    return 98
