"""A survey of 2,000 model files, 20 of them invalid: time, memory, refusals.

    python -m tests.benchmarks.survey [JOBS]

Every fourth valid file is a Keras configuration or a TFLite graph of the tests; the others are MobileNets of 90 widths,
every tenth of them an ONNX graph. Invalid ones are truncated, random, deep or empty. Checks that each valid file has
the mult-adds of its kind, and each invalid one a reason.
"""

import gzip
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from costcalc import analyze, export, survey
from costcalc.read.loading import source

FILES, BAD, WIDTHS = 2_000, 20, 90
DATA = Path(__file__).parents[1] / "data"
PACKED = {"json": "keras/mobilenet.json.gz", "tflite": "tflite/mobilenet.float32.tflite.gz"}
BAD_DATA = (b"layers: [", b"", bytes(range(256)) * 99, b"[" * 100_000, b"input: [3]\nlayers: [{linear: -1}]\n")


def written(folder):
    """Write the files; return {path: suffix or width} of the valid ones."""
    text = source("mobilenet").text.replace("alpha: {default: 1.0,", "alpha: {{ALPHA}}")
    due, graphs = {}, {}
    for number in range(FILES - BAD):
        alpha = round(0.25 + number % WIDTHS / 100, 2)
        suffix = "yaml" if number % 4 else "onnx" if number % 12 == 0 else "json" if number % 8 else "tflite"
        path = folder / f"{number % 20:02}" / f"net{number:04}.{suffix}"
        path.parent.mkdir(exist_ok=True)
        if suffix in PACKED:
            due[str(path)], data = suffix, gzip.decompress((DATA / PACKED[suffix]).read_bytes())
        elif suffix == "onnx":
            if alpha not in graphs:
                export("mobilenet", path, weights="none", alpha=alpha)
                graphs[alpha] = path.read_bytes()
            due[str(path)], data = alpha, graphs[alpha]
        else:
            due[str(path)], data = alpha, text.replace("{{ALPHA}}", f"{{default: {alpha},").encode()
        path.write_bytes(data)
    for number in range(BAD):
        name = folder / f"bad{number:02}.{('yaml', 'onnx', 'json', 'keras')[number % 4]}"
        name.write_bytes(BAD_DATA[number % len(BAD_DATA)])
    return due


def main():
    """Print the figures."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with tempfile.TemporaryDirectory() as name:
        due = written(Path(name))
        costs = {like: analyze("mobilenet", alpha=like).totals["mult_adds"] for like in {*due.values()} - {*PACKED}}
        costs |= dict.fromkeys(PACKED, costs[1.0])
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        found = survey(name, jobs=jobs)
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    rows = {row.path: row for row in found.rows}
    assert len(rows) == FILES
    assert all(rows[path].metrics["mult_adds"] == costs[like] for path, like in due.items())
    refused = Counter(row.error for row in found.rows if row.error)
    assert sum(refused.values()) == BAD
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{FILES:,} files by {jobs} processes: {seconds:.1f} s, {cpu:.1f} s of processor time of the processes")
    print(f"memory: {after.ru_maxrss / 1024:.0f} MB in the largest process, {own:.0f} MB in this one")
    print("refused:", ", ".join(f"{count} {code}" for code, count in sorted(refused.items())))


if __name__ == "__main__":
    main()
