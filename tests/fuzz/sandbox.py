"""Run the program in a separate process: its exit, processor time and memory.

Time is processor time, which does not depend on other load of the machine.
"""

import os
import resource
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SECONDS, MEGABYTES = 5.0, 300  # more is a failure
LOADED = 190  # megabytes of a program with all of MODULES; anything above belongs to the caller
RAN = f"{tempfile.gettempdir()}/costcalc-fuzz-{os.getpid()}-ran"  # the trace of a program started by a file
KILLED = 20  # seconds of processor time
ROOM = 2**32  # bytes of address space beyond those of the caller, which has some gigabytes with PyTorch
ADDRESSES, RESIDENT = 0, 1  # fields of /proc/self/statm
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
LOADED_BY = {  # slow imports: PyTorch, and what it imports when a module is read
    "modules": ["costcalc.read.torch.reader", "torch.export", "torch.export._trace", "torch._dynamo", "torch._export"],
}
SLOW = "too slow"
WRITTEN = ("out.py", "out.onnx")  # output files of commands


class Link(NamedTuple):
    """A symbolic link in place of the bytes of a file."""

    target: str


class Ended(NamedTuple):
    """The result of a run."""

    code: int  # exit code; negative for a signal
    seconds: float  # processor time
    megabytes: float  # peak, including the program itself
    out: str
    err: str
    ran: bool = False  # whether a program named in a file was executed
    left: tuple = ()  # (name, bytes) of the existing files of WRITTEN

    @property
    def failure(self):
        """A short description of the failure; "" if there is none."""
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
    """Import what the targets need, so that forked processes start immediately."""
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
        begun = _bytes(RESIDENT) / 2**20
        process = os.fork()
        if not process:
            _child(folder, args)
        _, status, usage = os.wait4(process, 0)
        left = [(name, Path(folder, name)) for name in WRITTEN if Path(folder, name).exists()]
        left = [(name, path.read_bytes()) for name, path in left]
        out, err = (Path(folder, name).read_bytes().decode("utf-8", "replace") for name in (".out", ".err"))
    peak = usage.ru_maxrss / 1024 - max(begun - LOADED, 0)  # a fork starts with the memory of its parent
    seconds, ran = usage.ru_utime + usage.ru_stime, os.path.exists(RAN)
    if ran:
        os.unlink(RAN)
    return Ended(os.waitstatus_to_exitcode(status), seconds, peak, out, err, ran, tuple(left))


def _bytes(field):
    """The current memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[field]) * resource.getpagesize()


def _child(folder, args):
    code = 99
    try:
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_CPU, (KILLED, KILLED))
        resource.setrlimit(resource.RLIMIT_AS, (_bytes(ADDRESSES) + ROOM, _bytes(ADDRESSES) + ROOM))
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
