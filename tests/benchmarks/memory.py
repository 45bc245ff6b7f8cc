"""Peaks of ONNX files, and the time and memory to find them, against onnxsim: run with `[FILES]` as arguments.

Every file (by default, `tests/data/onnx`) is read by both in separate processes, alternately. The peak assumes that
every node makes a tensor: `--policy unfused` here, the resident footprint without weights in onnxsim (pip install
onnxsim). The exit code is 1 if a file is read slower here, or the peaks differ for another reason than these:

- an activation or norm exported as several nodes (GELU, layer norm) is one operation here, so its
  internal tensors do not count and the peak is lower
- onnxsim leaves out constants of a few bytes
- onnxsim has no footprint for a file with open axes
"""

import gzip
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "onnx"
OURS = "import sys; from costcalc.cli import main; main()"
THEIRS = """
import json, sys, onnx
from onnxsim import plan_activation_memory
from onnxsim.model_info import ModelInfo
model = onnx.shape_inference.infer_shapes(onnx.load(sys.argv[1], load_external_data=False))
width, held = {1: 4, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8}, 0
for one in model.graph.initializer:
    count = width.get(one.data_type, 1)
    for size in one.dims:
        count *= size
    held += count
found = {"peak_bytes": ModelInfo(model).memory_footprint - held}
print(json.dumps({**found, "arena_bytes": plan_activation_memory(model).arena_bytes}))
"""
FEW = 64  # bytes of constants
COMPOSED = ("Erf", "LayerNormalization", "Softmax")  # operations that may be exported as several nodes


def measured(code, *args):
    """(JSON output, seconds, peak megabytes) of a Python program in a separate process; None if it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([sys.executable, "-c", code, *args], stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.perf_counter() - start
        out.seek(0)
        text = out.read()
    unit = 1 if sys.platform == "darwin" else 1024  # bytes of a unit
    return None if process.returncode else (json.loads(text), took, usage.ru_maxrss * unit / 1e6)


def files(folder):
    """The given files, or the recorded ones unpacked into a folder."""
    if len(sys.argv) > 1:
        return [Path(one) for one in sys.argv[1:]]
    found = []
    for packed in sorted(DATA.glob("*.onnx.gz")):
        found.append(Path(folder) / packed.name.removesuffix(".gz"))
        found[-1].write_bytes(gzip.decompress(packed.read_bytes()))
    return found


def reason(path, ours, theirs):
    """The reason for different peaks; `not explained` if none of the above applies."""
    if theirs is None:
        return "no footprint: open axes" if ours is None or b"dyn" in path.name.encode() else "not read"
    difference = ours[0]["peak_bytes"] - theirs[0]["peak_bytes"]
    if not difference:
        return "equal"
    if 0 < difference <= FEW:
        return f"{difference} B of constants"
    text = path.read_bytes()
    composed = difference < 0 and any(name.encode() in text for name in COMPOSED)
    return "composed of several nodes" if composed else "not explained"


def row(path, ours, theirs, why):
    """One line of the table."""
    cells = []
    for one in (ours, theirs):
        figures = f"{one[0]['peak_bytes']:12,}{one[0]['arena_bytes']:13,}" if one else f"{'-':>12}{'-':>13}"
        cells.append(figures + (f"{one[1]:7.2f}{one[2]:6.0f}" if one else f"{'-':>7}{'-':>6}"))
    return f"{path.stem:34}{cells[0]}  {cells[1]}  {why}"


def main():
    """Print the table; return 1 if a peak differs without a reason, or a file is read slower here."""
    if importlib.util.find_spec("onnxsim") is None:
        print("onnxsim is not installed: nothing to compare with")
        return 0
    missed, heads = False, f"{'peak B':>12}{'arena B':>13}{'s':>7}{'MB':>6}"
    print(f"{'':34}{'costcalc':>38}  {'onnxsim':>38}\n{'':34}{heads}  {heads}")
    with tempfile.TemporaryDirectory() as folder:
        for path in files(folder):
            ours = measured(OURS, "memory", str(path), "--policy", "unfused", "--json")
            theirs = measured(THEIRS, str(path))
            why = reason(path, ours, theirs)
            missed |= why == "not explained" or bool(ours and theirs and ours[1] > theirs[1])
            print(row(path, ours, theirs, why), flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
