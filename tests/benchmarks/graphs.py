"""How fast ONNX files are read, beside the package onnx-tool: `python tests/benchmarks/graphs.py [ROUNDS]`.

Every file of `tests/data/onnx` with a fixed input is analysed by both as whole processes, in turn; the fastest of all
rounds counts. onnx-tool (pip install onnx-tool tabulate) prints such a table too; it needs the weights, so a file of
zeros stands for them.
Our target is 0.6 seconds for ResNet-50; exit code 1 when it is missed.
"""

import gzip
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "onnx"
OURS = "import sys; from costcalc.cli import main; main()"
THEIRS = "import sys, onnx_tool; onnx_tool.model_profile(sys.argv[1])"
TARGET = 0.6


def seconds(code, *args):
    """How long a Python program takes as a process of its own; None when it fails."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, check=False, env=dict(os.environ))
    return None if done.returncode else time.perf_counter() - start


def fastest(rounds, path, *options):
    """(our seconds, theirs) for one file, measured in turn."""
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(seconds(OURS, "analyze", str(path), *options))
        theirs.append(None if options else seconds(THEIRS, str(path)))
    return min(ours), None if None in theirs else min(theirs)


def with_weights(path):
    """Put an empty file of the right size where a model says its weights are: onnx-tool reads them."""
    from costcalc.read.onnx import file

    for tensor in file.parsed(file.source(str(path))).graph.initializer:
        entry = {one.key: one.value for one in tensor.external_data}
        if entry:
            with open(path.parent / entry["location"], "ab") as weights:
                end = int(entry["offset"]) + int(entry["length"])
                weights.truncate(max(weights.tell(), end))


def main():
    """Print the table; 1 when the target is missed."""
    rounds, resnet50 = int(sys.argv[1]) if len(sys.argv) > 1 else 3, 0.0
    print(f"{'':36}{'costcalc':>10}{'onnx-tool':>11}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for packed in sorted(DATA.glob("*.onnx.gz")):
            name = packed.name.removesuffix(".onnx.gz")
            path = Path(folder) / f"{name}.onnx"
            path.write_bytes(gzip.decompress(packed.read_bytes()))
            with_weights(path)
            if "_dyn_" in name and name != "legacy_dyn_resnet50":
                continue
            sides = ("--set", "height=224", "--set", "width=224") if "_dyn_" in name else ()
            ours, theirs = fastest(rounds, path, *sides)
            resnet50 = ours if sides else resnet50
            other = (
                f"{theirs:9.2f} s{ours / theirs:8.2f}" if theirs else f"{'open axes' if sides else 'fails':>11}{'':8}"
            )
            print(f"{name:36}{ours:8.2f} s{other}".rstrip(), flush=True)
    return 1 if resnet50 > TARGET else 0


if __name__ == "__main__":
    sys.exit(main())
