"""The library under a type checker: a strict check of a client program, and the names that editors see."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import costcalc

ROOT = Path(costcalc.__file__).parent
PROGRAM = '''
"""What a program may do with the library."""

from collections.abc import Mapping
from pathlib import Path
from typing import assert_type

import costcalc
from costcalc import (
    CostcalcError,
    Report,
    analyze,
    check,
    compare,
    diff,
    explain,
    export,
    fit,
    formula,
    import_,
    load,
    plot,
    reconcile,
    reproduce,
    sweep,
)


def totals(report: Report) -> Mapping[str, int]:
    assert_type(report.complete, bool)
    assert_type(report.share(report.lines[0], "cost"), float)
    return report.totals


def layers(report: Report) -> list[str]:
    rows = report.by_type() + report.by_block(depth=2)
    return [line.name for line in (*report.shown(everything=True), *rows)]


def known(path: Path) -> list[str]:
    model = load(path)
    assert_type(model.name, str)
    return list(model.variables)


def main() -> None:
    report = analyze("mobilenet", convention="framework", settings={"res": 160}, alpha=0.75)
    assert_type(report, Report)
    print(totals(report), layers(report), known(Path("net.yaml")))
    print(report.frame().columns, costcalc.__version__)
    two = compare("mobilenet", load("mobilenet_v2"), at=[{"res": 160}])
    if isinstance(two, list):
        print([design.title for design in two])
    else:
        print(two.rose, two.left.report.totals)
    print(reconcile("mobilenet", "paper", "framework", metric="params").gap)
    print(sweep("mobilenet", metrics=["params"], alpha=[1.0, 0.75]).shape)
    print(formula("mobilenet", names=["alpha"])["mult_adds"].condition, formula("mobilenet").params)
    print(fit("mobilenet", vary=["alpha"], limits={"mult_adds": 150e6}).frame())
    net = {"input": [8, 8, 3], "layers": [{"conv": "3x3", "out": 4}]}
    with open("net.yaml", encoding="utf-8") as file, open("net.onnx", "rb") as graph:
        print(analyze(net, metrics="activations").frame(), analyze(file), analyze(graph).text("csv"))
    print(explain("mobilenet", "separable_7").report.totals, diff("mobilenet", base="main").rose)
    print(plot("mobilenet").frame(), [finding.verdict for finding in reproduce("mobilenet")])
    export("mobilenet", "net.onnx", weights="none").save("again.onnx")
    print(import_("mobilenet", width="alpha").upper(), check(net, max={"params": "150M"}).state)
    for outcome in check("net.yaml", max={"mult_adds": "10M"}):
        assert_type(outcome.state, str)
        print(outcome.title, [verdict.now for verdict in outcome.verdicts])


try:
    main()
except CostcalcError as error:
    print([problem.message for problem in error.problems])
'''
WRONG = {  # a mistake -> the checker's error code
    "analyze(3).totals\n": "arg-type",
    'analyze("mobilenet").total\n': "attr-defined",
    'compare("mobilenet", layers=["conv"])\n': "arg-type",
    'fit("mobilenet", vary=["alpha"])\n': "call-arg",
}


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    """The messages of mypy for a program, by line."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("types")

    def lines(program):
        (folder / "program.py").write_text(program, encoding="utf-8")
        options = ["--strict", "--follow-imports=silent", "--config-file=", "--python-version=3.11"]
        command = [sys.executable, "-m", "mypy", *options, "program.py"]
        env = {**os.environ, "MYPY_CACHE_DIR": str(folder / "cache"), "MYPYPATH": str(ROOT.parent)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env, check=False, timeout=300)
        assert done.returncode < 2, done.stdout + done.stderr
        return done.stdout.splitlines()

    return lines


def test_a_program_is_checked_strictly(checker):
    assert checker(PROGRAM) == ["Success: no issues found in 1 source file"]


def test_mistakes_are_seen(checker):
    program = "from costcalc import analyze, compare, fit\n\n" + "".join(WRONG)
    told = [line for line in checker(program) if "error:" in line]
    assert [line.rsplit("[", 1)[1].rstrip("]") for line in told] == [*WRONG.values()]


def lazy():
    """Name -> module of costcalc, for the names imported under TYPE_CHECKING."""
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    return {alias.name: node.module for node in block.body if node.level for alias in node.names}


def test_editors_see_the_lazy_names():
    assert lazy() == costcalc._PUBLIC


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "py.typed").read_text(encoding="utf-8") == ""
    assert importlib.util.find_spec("costcalc").submodule_search_locations == [str(ROOT)]
