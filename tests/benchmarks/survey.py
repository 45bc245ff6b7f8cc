"""A survey of 2,000 model files, 20 of them bad: time, memory, refusals.

    python -m tests.benchmarks.survey [JOBS]

The good ones are MobileNets of 90 widths, specs and every tenth an ONNX graph; the bad ones are cut off, random, deep
or empty. Checks that each good file has the mult-adds of its width, and each bad one a reason.
"""

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from costcalc import analyze, export, survey
from costcalc.read.loading import source

FILES, BAD, WIDTHS = 2_000, 20, 90
BAD_DATA = (b"layers: [", b"", bytes(range(256)) * 99, b"[" * 100_000, b"input: [3]\nlayers: [{linear: -1}]\n")


def written(folder):
    """Write the files; the mult-adds of each good one by its path."""
    text = source("mobilenet").text.replace("alpha: {default: 1.0,", "alpha: {{ALPHA}}")
    due, graphs = {}, {}
    for number in range(FILES - BAD):
        alpha = round(0.25 + number % WIDTHS / 100, 2)
        is_graph = number % 10 == 0
        path = folder / f"{number % 20:02}" / f"net{number:04}.{'onnx' if is_graph else 'yaml'}"
        path.parent.mkdir(exist_ok=True)
        if is_graph and alpha not in graphs:
            export("mobilenet", path, weights="none", alpha=alpha)
            graphs[alpha] = path.read_bytes()
        path.write_bytes(graphs[alpha] if is_graph else text.replace("{{ALPHA}}", f"{{default: {alpha},").encode())
        due[str(path)] = alpha
    for number in range(BAD):
        name = folder / f"bad{number:02}.{('yaml', 'onnx', 'json', 'keras')[number % 4]}"
        name.write_bytes(BAD_DATA[number % len(BAD_DATA)])
    return due


def main():
    """Print the figures."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with tempfile.TemporaryDirectory() as name:
        due = written(Path(name))
        costs = {alpha: analyze("mobilenet", alpha=alpha).totals["mult_adds"] for alpha in {*due.values()}}
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        found = survey(name, jobs=jobs)
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = {row.path: row for row in found.rows}
    assert len(rows) == FILES
    assert all(rows[path].metrics["mult_adds"] == costs[alpha] for path, alpha in due.items())
    refused = Counter(row.error for row in found.rows if row.error)
    assert sum(refused.values()) == BAD
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{FILES:,} files by {jobs} processes: {seconds:.1f} s, {cpu:.1f} s of processor time of the processes")
    print(f"memory: {after.ru_maxrss / 1024:.0f} MB in the largest process, {own:.0f} MB in this one")
    print("refused:", ", ".join(f"{count} {code}" for code, count in sorted(refused.items())))


if __name__ == "__main__":
    main()
