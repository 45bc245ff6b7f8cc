"""Time and memory to read ONNX files, against onnx-tool: `python tests/benchmarks/graphs.py [ROUNDS]`.

Every file of `tests/data/onnx` is analysed by both in separate processes, alternately; the fastest round and the
smallest memory peak count. onnx-tool (pip install onnx-tool tabulate) prints a similar table. It needs the weights,
which a file of zeros replaces, and sizes for open axes. The target is to be faster and smaller on every file, and
0.6 seconds for ResNet-50; the exit code is 1 if it is missed.
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
THEIRS = """
import sys, numpy, onnx_tool
sizes = {sys.argv[2]: numpy.zeros((1, 3, 224, 224), numpy.float32)} if len(sys.argv) > 2 else None
onnx_tool.model_profile(sys.argv[1], dynamic_shapes=sizes)
"""
TARGET = 0.6  # seconds
OPEN = {  # the input of a file with open axes, and their names
    "dynamo_dyn_mobilenet_v2": ("x", ("s53", "s0")),
    "legacy_dyn_resnet50": ("x", ("height", "width")),
}


def measured(code, *args):
    """(seconds, peak megabytes) of a Python program in a separate process; None if it fails."""
    start = time.perf_counter()
    with open(os.devnull, "wb") as nothing:
        process = subprocess.Popen([sys.executable, "-c", code, *args], stdout=nothing, stderr=nothing)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes of a unit
    return None if process.returncode else (time.perf_counter() - start, usage.ru_maxrss * unit / 1e6)


def least(runs):
    """The minimum of each figure over several runs; None if one failed."""
    return None if None in runs else tuple(map(min, zip(*runs, strict=True)))


def compared(rounds, path, name):
    """(our figures, theirs) for one file, measured alternately."""
    source, axes = OPEN.get(name, ("", ()))
    options = [part for axis in axes for part in ("--set", f"{axis}=224")]
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(measured(OURS, "analyze", str(path), *options))
        theirs.append(measured(THEIRS, str(path), *([source] if source else [])))
    return least(ours), least(theirs)


def with_weights(path):
    """Create an empty file of the right size for a model's external weights, which onnx-tool reads."""
    from costcalc.read.onnx import file

    for tensor in file.parsed(file.source(str(path))).graph.initializer:
        entry = {one.key: one.value for one in tensor.external_data}
        if entry:
            with open(path.parent / entry["location"], "ab") as weights:
                end = int(entry["offset"]) + int(entry["length"])
                weights.truncate(max(weights.tell(), end))


def main():
    """Print the table; return 1 if the target is missed."""
    rounds, missed = int(sys.argv[1]) if len(sys.argv) > 1 else 3, False
    print(f"{'':36}{'costcalc':>18}{'onnx-tool':>19}{'ratio':>8}{'':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for packed in sorted(DATA.glob("*.onnx.gz")):
            name = packed.name.removesuffix(".onnx.gz")
            path = Path(folder) / f"{name}.onnx"
            path.write_bytes(gzip.decompress(packed.read_bytes()))
            with_weights(path)
            ours, theirs = compared(rounds, path, name)
            missed |= ours is None or (theirs is not None and any(a >= b for a, b in zip(ours, theirs, strict=True)))
            missed |= name == "legacy_dyn_resnet50" and ours is not None and ours[0] > TARGET
            print(row(name, ours, theirs), flush=True)
    return int(missed)


def row(name, ours, theirs):
    """One line of the table."""
    shown = [f"{one[0]:8.2f} s{one[1]:5.0f} MB" if one else f"{'fails':>18}" for one in (ours, theirs)]
    ratios = [f"{a / b:8.2f}" for a, b in zip(ours, theirs, strict=True)] if ours and theirs else []
    return f"{name:36}{shown[0]:>18}{shown[1]:>19}{''.join(ratios)}"


if __name__ == "__main__":
    sys.exit(main())
