"""What does this neural network cost, before anyone trains it?

    from costcalc import analyze
    analyze("mobilenet.yaml", alpha=0.75, res=160).totals

The public names are loaded on first use (PEP 562), which keeps the start fast.
"""

TYPE_CHECKING = False  # type checkers recognise the name; importing `typing` takes longer than this whole module

if TYPE_CHECKING:  # for editors and type checkers: the same names as below
    from typing import Any

    from .analysis.bench.bench import bench
    from .analysis.compare.compare import compare, diff
    from .analysis.convert.convert import export, import_
    from .analysis.explain.explain import explain
    from .analysis.fit.fit import fit
    from .analysis.formula.formula import formula
    from .analysis.memory.memory import memory
    from .analysis.page.page import page
    from .analysis.reconcile.asking import reconcile
    from .analysis.report.analyze import analyze
    from .analysis.report.report import Report
    from .analysis.reproduce.reproduce import reproduce
    from .analysis.search.search import search
    from .analysis.space.space import space
    from .analysis.survey.survey import survey
    from .analysis.sweep.plotting import plot
    from .analysis.sweep.sweep import sweep
    from .analysis.training.training import training
    from .budget.checking import check
    from .errors import CostcalcError
    from .read.anything import load

__version__ = "0.1.0"

_PUBLIC = {
    "analyze": "analysis.report.analyze",
    "check": "budget.checking",
    "load": "read.anything",
    "Report": "analysis.report.report",
    "CostcalcError": "errors",
    "compare": "analysis.compare.compare",
    "diff": "analysis.compare.compare",
    "explain": "analysis.explain.explain",
    "export": "analysis.convert.convert",
    "import_": "analysis.convert.convert",
    "memory": "analysis.memory.memory",
    "page": "analysis.page.page",
    "plot": "analysis.sweep.plotting",
    "reproduce": "analysis.reproduce.reproduce",
    "reconcile": "analysis.reconcile.asking",
    "search": "analysis.search.search",
    "space": "analysis.space.space",
    "survey": "analysis.survey.survey",
    "sweep": "analysis.sweep.sweep",
    "formula": "analysis.formula.formula",
    "fit": "analysis.fit.fit",
    "training": "analysis.training.training",
    "bench": "analysis.bench.bench",
}

__all__ = [
    "CostcalcError",
    "Report",
    "analyze",
    "bench",
    "check",
    "compare",
    "diff",
    "explain",
    "export",
    "fit",
    "formula",
    "import_",
    "load",
    "memory",
    "page",
    "plot",
    "reconcile",
    "reproduce",
    "search",
    "space",
    "survey",
    "sweep",
    "training",
]


def __getattr__(name: str) -> "Any":
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .arguments import public

    return public(f"{__name__}.{_PUBLIC[name]}", name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
