"""Time of a diff of two networks of 10,000 layers, compared with analyzing both, in one run.

    python -m tests.benchmarks.compare

Prints both times and their ratio (target: 3 seconds, at most 4 times), and the number of pairs that differ.
"""

import random
import time

from costcalc import analyze
from costcalc.analysis.compare.compare import diff
from costcalc.errors import Source
from costcalc.read.spec.reader import read

ROUNDS = 3
COUNT = 10_000
FEW = ["relu", "{dwconv: 3x3}", "{conv: 1x1, out: 16, then: [batchnorm, relu]}", "{conv: 1x1, out: channels}"]
MANY = [f"{{conv: {kernel}x{kernel}, out: {8 * n}}}" for kernel in (1, 3, 5) for n in range(1, 33)]


def layers(seed):
    """Layers of some hundred kinds."""
    rng = random.Random(seed)
    return [rng.choice(MANY if rng.random() < 0.7 else FEW) for _ in range(COUNT)]


def edited(old, count):
    """The layers with scattered edits: changed, inserted and removed ones."""
    rng, new = random.Random(count), list(old)
    for _ in range(count):
        at, kind = rng.randrange(len(new)), rng.randrange(3)
        new[at : at + (kind > 0)] = [rng.choice(MANY)] if kind < 2 else []
    return new


def spec(lines):
    """The model of a spec with these layers."""
    text = "input: [32, 32, 16]\nlayers:\n" + "".join(f"  - {line}\n" for line in lines)
    return read(Source("net.yaml", text))


def seconds(work):
    """The best time of several runs, and the result."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - start)
    return best, found


def compared(name, old, new):
    """One row."""
    one, other = spec(old), spec(new)
    alone, _ = seconds(lambda: (analyze(one), analyze(other)))
    took, found = seconds(lambda: diff(one, other))
    edits = sum(pair.status not in ("same", "follows") for pair in found.pairs)
    print(f"{name:24} {took:6.2f} s (less than 3)   analyzing both {alone:6.2f} s", end="   ")
    print(f"ratio {took / alone:.2f}   {edits:,} edits")


def main():
    """All rows."""
    old = layers(1)
    compared("nothing", old, old)
    compared("one edit", old, edited(old, 1))
    compared("2,000 scattered edits", old, edited(old, 2_000))
    compared("unrelated", old, layers(2))
    compared("all of one kind", MANY[:1] * COUNT, [*MANY[:1] * (COUNT // 2), *MANY[1:2] * (COUNT // 2)])


if __name__ == "__main__":
    main()
