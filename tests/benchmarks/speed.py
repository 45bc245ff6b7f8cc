"""Speed of costcalc as machine-independent ratios: `python tests/benchmarks/speed.py [ROUNDS]`.

Every start of the program is timed as a whole process, alternating with a minimal program that
imports the same libraries or draws a table of the same size. The fastest round counts. The exit
code is 1 if a target is missed.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START = "from costcalc.__main__ import main; main()"
IMPORTS = "import click, yaml"
CLICK = "import click"
TABLE = """
import click, yaml
from rich.console import Console
from rich.table import Table
for rows, columns in ((30, 9), (6, 6)):
    table = Table(show_footer=True)
    for column in range(columns):
        table.add_column(str(column), no_wrap=True)
    for row in range(rows):
        table.add_row(*["10,838,016"] * columns)
    Console(width=200).print(table)
"""
ANALYZE = """
import sys, time
from costcalc import analyze
best = 1e9
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    analyze("mobilenet.yaml").totals
    best = min(best, time.perf_counter() - start)
print(best * 1000)
"""
LAYER = "  - {conv: 3x3, out: 64}\n"
HEAD = "input: [32, 32, 64]\nlayers:\n"


def finished(code, *args, cwd=None):
    """(seconds, peak memory in MB, output) of a Python program in a separate process."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") or name == "PYTHONPATH"}
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.PIPE, cwd=cwd, env=clean) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"failed: {code} {' '.join(args)}")
    return seconds, usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10), output


def ratio(line, baseline, rounds):
    """The time of a command line relative to a baseline, measured alternately."""
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(finished(START, *line.split())[0])
        theirs.append(finished(baseline)[0])
    return min(ours) / min(theirs)


def seconds(layers, folder, rounds):
    """The fastest analysis of a spec with a number of layers: {literal or repeated: seconds}."""
    texts = {"literal": HEAD + LAYER * layers, "repeated": f"{HEAD}{LAYER[:-2]}, repeat: {layers}}}\n"}
    found = {}
    for name, text in texts.items():
        path = Path(folder) / f"{name}_{layers}.yaml"
        path.write_text(text, encoding="utf-8")
        line = ("analyze", str(path), "--by", "type", "--json")
        found[name] = min(finished(START, *line)[0] for _ in range(rounds))
    return found


def measured(rounds):
    """(what, figure, target, unit) of everything."""
    yield "peak memory, analyze mobilenet.yaml", finished(START, "analyze", "mobilenet.yaml")[1], 21, "MB"
    yield "json / import click, yaml", ratio("analyze mobilenet.yaml --format json", IMPORTS, rounds), 1.3, ""
    yield "table / the same cells drawn by rich", ratio("analyze mobilenet.yaml", TABLE, rounds), 1.05, ""
    yield "the same in colour", ratio("analyze mobilenet.yaml --color always", TABLE, rounds), 1.05, ""
    yield "--help / import click", ratio("--help", CLICK, rounds), 1.3, ""
    yield "analyze('mobilenet.yaml') in Python", float(finished(ANALYZE, str(10 * rounds))[2]), 2, "ms"
    with tempfile.TemporaryDirectory() as folder:
        few, many = seconds(10_000, folder, 3), seconds(100_000, folder, 2)
    for name in many:
        yield f"100,000 layers, {name}", many[name], 2.5, "s"
        yield f"100,000 layers, {name} / 10,000", many[name] / few[name], 11, ""


def main():
    """Print the table; return 1 if a target is missed."""
    missed = 0
    print(f"{'':40}{'measured':>10}{'target':>9}")
    for what, figure, target, unit in measured(int(sys.argv[1]) if len(sys.argv) > 1 else 20):
        missed += figure > target
        print(
            f"{what:40}{figure:>10.2f}{target:>9g} {unit:3}{'  missed' if figure > target else ''}".rstrip(), flush=True
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
