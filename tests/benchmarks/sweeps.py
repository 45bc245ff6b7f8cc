"""Speed of a sweep against the same arithmetic written in NumPy, both in one run.

    python -m tests.benchmarks.sweeps

Prints points per second for MobileNet V1's mult-adds and params on an alpha x res grid and random points (target: 5 and
3 million, at most 1.5 times the NumPy time), the peak memory of a long stream to CSV, and the time of `formula`.
"""

import resource
import subprocess
import sys
import time

import numpy as np

from costcalc import load
from costcalc.analysis.sweep.sweep import CHUNK, Evaluation, Grid, Table
from costcalc.metrics.metrics import metric

ROUNDS = 7
BY_HAND = 1 << 17  # points at once: the fastest size for NumPy, because fewer arrays are in memory
STAGES = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]


def by_hand(alpha, res):
    """Mult-adds and params of MobileNet V1, written for broadcasting arrays."""
    width = {c: np.maximum(np.floor(alpha * c), 8).astype(np.int64) for c in (32, 64, 128, 256, 512, 1024)}
    side = -(-res // 2)
    channels = width[32]
    weights = channels * 27
    mult_adds = weights * (side * side)
    params = weights
    for out, stride in STAGES:
        side = -(-side // stride) if stride > 1 else side
        area = side * side
        depthwise, pointwise = channels * 9, channels * width[out]
        mult_adds = mult_adds + depthwise * area + pointwise * area
        params = params + depthwise + pointwise
        channels = width[out]
    last = channels * 1000
    return mult_adds + last, params + last


def seconds(work, chunks):
    """The best time of several runs over all chunks."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for chunk in chunks:
            work(chunk)
        best = min(best, time.perf_counter() - start)
    return best


def compared(name, make):
    """One row: points per second of costcalc and NumPy, and the ratio of times; checks that both agree."""
    space = make()
    model, metrics = load("mobilenet"), [metric("mult_adds", "paper"), metric("params", "paper")]
    chunks = list(space.chunks())
    for chunk in chunks[:1]:
        ours = Evaluation(model, metrics).at(chunk).columns
        hand = by_hand(chunk.columns["alpha"], chunk.columns["res"])
        for column, array in zip(("mult_adds", "params"), hand, strict=True):
            assert np.array_equal(ours[column], np.broadcast_to(array, chunk.shape).ravel())
    ours = seconds(Evaluation(model, metrics).at, chunks)
    chunks = list(space.chunks(BY_HAND))
    hand = seconds(lambda chunk: by_hand(chunk.columns["alpha"], chunk.columns["res"]), chunks)
    rate, by_hand_rate = (f"{space.size / took / 1e6:8.2f} M/s" for took in (ours, hand))
    print(f"{f'{name}, {space.size:,}':32} {rate} {by_hand_rate} by hand   ratio {ours / hand:.2f} (at most 1.5)")


def stream(points):
    """The peak memory of a process that writes many points as CSV."""
    count = round(points**0.5)
    args = ["--vary", f"alpha={1 / 8}:{count / 8}:{1 / 8}", "--res", f"33:{32 + count}:1", "-f", "csv"]
    start = time.perf_counter()
    command = [sys.executable, "-c", "from costcalc.cli import main; main()", "sweep", "mobilenet", *args]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    took = time.perf_counter() - start
    print(f"{f'{count * count:,} points to CSV':32} {peak:8.0f} MB (less than 300)  {took:.1f} s")


def formula_process():
    """The time of `costcalc formula mobilenet` as a process."""
    command = [sys.executable, "-c", "from costcalc.cli import main; main()", "formula", "mobilenet"]
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - start)
    print(f"{'formula mobilenet':32} {best:8.2f} s (at most 1)")


def _random(count):
    random = np.random.default_rng(0)
    return {"alpha": random.uniform(0.25, 1.5, count), "res": random.integers(64, 2000, count)}


def main(points=10**6):
    """Print the whole table."""
    side = 2048
    stream(points)  # first, because a process inherits the peak of its parent
    formula_process()
    compared("grid", lambda: Grid({"alpha": np.linspace(0.25, 1.5, side), "res": np.arange(64, 64 + side)}))
    compared("random points", lambda: Table(_random(8 * CHUNK)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
