"""Whether anything notices a mutant: quick tests, the loops of `selftest`, the three domains, slow tests."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import resource
import signal
from pathlib import Path

import numpy  # noqa: F401 (what every judgement needs is loaded once, before it is copied)
import pandas  # noqa: F401
import pytest
import rich.table  # noqa: F401
import sympy  # noqa: F401

from .mutants import ROOT
from .tests_of import QUICK, SLOW, chosen, judges, located

SECONDS = 90  # of processor time for one judgement: a mutant that takes longer hangs, and is caught
ALIKE = frozenset(  # operations that are one rule with others
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


def caught(mutant):
    """What notices a mutant: `loops`, `tests`, `crash` or `time`; None if nothing does. A process of its own judges."""
    process = os.fork()
    if not process:
        os._exit(_judged(mutant))
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        return "time" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM) else "crash"
    return {0: None, 1: "loops", 2: "domains", 3: "tests"}.get(os.WEXITSTATUS(status), "crash")


def _judged(mutant):
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    signal.alarm(10 * SECONDS)  # one that waits for ever uses no processor
    os.chdir(ROOT)
    install(mutant)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if own := judges(mutant.path):
                return 3 if any(_fails(*chosen(judge)) for judge in own) else 0
            if _fails(*map(located, QUICK)):
                return 3
            if mutant.path not in WITHOUT_NUMBERS and _loops_differ(mutant):
                return 1
            if _fails(located("test_domains"), "-k", _domains(mutant)):
                return 2
            return 3 if any(_fails(located(name), "-k", "not config") for name in SLOW) else 0
    except BaseException:
        return 4


def install(mutant):
    """Import a module as its mutant; pytest, which has a way of its own to import, then finds it imported."""
    plain, path = importlib.machinery.SourceFileLoader.get_code, str(ROOT / mutant.path)
    changed = compile(mutant.tree(Path(path).read_text(encoding="utf-8")), path, "exec")

    def get_code(self, name):
        return changed if self.path == path else plain(self, name)

    importlib.machinery.SourceFileLoader.get_code = get_code
    importlib.import_module(dotted(mutant.path))


def dotted(path):
    """The name of a module by its path."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _loops_differ(mutant):
    from costcalc.analysis.prove.prove import differences, drawn, performance, stated
    from costcalc.ops import INDEX

    own = _operations(mutant)
    cases = ((name, case) for name in own or INDEX for case in drawn(name, 120 if own else 30))
    return any(differences(stated(name, *case), performance(name, *case)) for name, case in cases)


def _operations(mutant):
    """The operations whose rules are in the file of a mutant, of many alike only two."""
    from costcalc.ops import INDEX

    names = [name for name in INDEX if INDEX[name] == Path(mutant.path).stem]
    return [name for name in names if name not in ALIKE]


def _domains(mutant):
    own = _operations(mutant) or ["conv", "maxpool", "attention", "upsample", "concat", "add"]
    return "(" + " or ".join(f"[{name}]" for name in own) + ") and (arrays_give or symbols_give)"


def _fails(*args):
    return pytest.main([*args, "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore"]) not in (0, 5)
