"""Check whether a mutant is caught: by fast tests, the loops of `selftest`, the three domains, or slow tests."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import resource
import signal
from pathlib import Path

import numpy  # noqa: F401 (imported once, before forking)
import pandas  # noqa: F401
import pytest
import rich.style  # noqa: F401
import sympy  # noqa: F401

from .mutants import ROOT, unchanged
from .tests_of import QUICK, SLOW, located

SLOWER = 10  # multiple of the unmutated processor time: a slower mutant counts as hanging and is caught
BROKEN = 70  # exit code of a process that could not judge
ALIKE = frozenset(  # operations that share a rule with others
    [
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "celu",
        "gelu",
        "silu",
        "swish",
        "mish",
        "sigmoid",
        "hsigmoid",
        "hswish",
        "tanh",
        "hardtanh",
        "softplus",
        "softsign",
        "exp",
        "log",
        "sqrt",
        "square",
        "abs",
        "neg",
        "clamp",
        "adaptive_maxpool",
        "pixel_shuffle",
        "pixel_unshuffle",
    ]
)
WITHOUT_NUMBERS = {
    f"costcalc/num/{name}.py" for name in ("arrays", "dims", "exact", "points", "polynomials", "symbols", "valuation")
}


class Failed(Exception):
    """The tests cannot judge: they fail without a mutation, or do not exist."""


def seconds_of(path):
    """The processor time to judge an unmutated file. Raises Failed if it is caught."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    by = caught(unchanged(path), 3_600)
    if by:
        raise Failed(f"the tests of {path} fail without any change: {by}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def caught(mutant, seconds):
    """What catches a mutant: `loops`, `tests`, `crash` or `time`; None for a survivor. Runs in a separate process.

    `seconds` is the time without a mutation. Raises Failed if it cannot be judged.
    """
    process = os.fork()
    if not process:
        os._exit(_judged(mutant, int(30 + SLOWER * seconds)))
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return "time" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM) else "crash"
    if os.WEXITSTATUS(status) == BROKEN:
        raise Failed(f"the tests of {mutant.path} cannot judge")
    return {0: None, 1: "loops", 2: "domains", 3: "tests"}.get(os.WEXITSTATUS(status), "crash")


def _judged(mutant, seconds):
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    signal.alarm(10 * seconds)  # a process that waits forever uses no processor time
    os.chdir(ROOT)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            install(mutant)
            if _fails(*map(located, QUICK)):
                return 3
            if mutant.path not in WITHOUT_NUMBERS and _loops_differ(mutant):
                return 1
            if _fails(located("test_domains"), "-k", _domains(mutant)):
                return 2
            return 3 if any(_fails(located(name), "-k", "not config") for name in SLOW) else 0
    except (Failed, FileNotFoundError):
        return BROKEN
    except BaseException:
        return 4


def install(mutant):
    """Import a module as its mutant, so that pytest, which imports in its own way, finds it imported."""
    plain, path = importlib.machinery.SourceFileLoader.get_code, str(ROOT / mutant.path)
    changed = compile(mutant.tree, path, "exec")

    def get_code(self, name):
        return changed if self.path == path else plain(self, name)

    importlib.machinery.SourceFileLoader.get_code = get_code
    importlib.import_module(dotted(mutant.path))


def dotted(path):
    """The dotted name of a module, from its path."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _loops_differ(mutant):
    from costcalc.analysis.prove.prove import differences, drawn, performance, stated
    from costcalc.ops import INDEX

    own = _operations(mutant)
    cases = ((name, case) for name in own or INDEX for case in drawn(name, 120 if own else 30))
    return any(differences(stated(name, *case), performance(name, *case)) for name, case in cases)


def _operations(mutant):
    """The operations with rules in the mutant's file; at most two that share a rule."""
    from costcalc.ops import INDEX

    names = [name for name in INDEX if INDEX[name] == Path(mutant.path).stem]
    return [name for name in names if name not in ALIKE]


def _domains(mutant):
    own = _operations(mutant) or ["conv", "maxpool", "attention", "upsample", "concat", "add"]
    return "(" + " or ".join(f"[{name}]" for name in own) + ") and (arrays_give or symbols_give)"


def _fails(*args):
    """Whether a test fails. Raises Failed if none is selected, as for a path or a `-k` that matches nothing."""
    code = pytest.main([*args, "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore"])
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise Failed(f"no test fits {args}")
    return code != 0
