"""Long-running fuzzing: valid and broken specs through every command.

    python -m tests.fuzz --minutes 30
    python -m tests.fuzz --minutes 5 --seed 7 compare diff
    python -m tests.fuzz --specs 2000        numbers, arrays, symbols, ONNX and import on so many valid specs
    python -m tests.fuzz --points 100000     expressions in numbers, arrays and symbols, at so many points: a full run
                                             begins with them

No run may end in a traceback or with an exit code other than 0, 1 and 2, or need more than 5 s or 300 MB.
No graph refused by ONNX's checker may be accepted (checker.py lists the known differences).
Otherwise the exit code is 1, and each failure is printed with its smallest input.
"""

import argparse
import sys
import time

from .domains import agreement
from .numbers import numbers
from .sandbox import prepare
from .search import Tally, search
from .targets import TARGETS

POINTS = 100_000  # points of expressions in a run of all targets
ROUND = 60  # inputs of one target before the next one


def main():
    """Fuzz for some minutes and print the statistics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)} [all]")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--specs", type=int, help="compare numbers, arrays, symbols, ONNX and import on so many specs instead"
    )
    parser.add_argument("--points", type=int, help="compare expressions in three domains at so many points instead")
    given = parser.parse_args()
    prepare(given.targets or TARGETS)
    if given.points or not (given.targets or given.specs):
        print(numbers(given.points or POINTS, given.seed), flush=True)
    if given.points:
        return 0
    if given.specs:
        print(agreement(given.specs, given.seed))
        return 0
    start, tallies, number = time.monotonic(), {name: Tally() for name in given.targets or TARGETS}, given.seed * 10**6
    until = start + 60 * given.minutes
    while time.monotonic() < until:
        for at, (name, tally) in enumerate(tallies.items()):
            known, now = len(tally.failures), time.monotonic()
            search(name, tally, ROUND, number, now + (until - now) / (len(tallies) - at))  # an equal share for each
            number += 1
            if len(tally.failures) > known:
                print(shown(name, *[*tally.failures.items()][-1]), flush=True)
    report(tallies, time.monotonic() - start)
    return int(any(tally.failures for tally in tallies.values()))


def report(tallies, seconds):
    """Print the statistics."""
    heads = ("inputs", "exit 0", "exit 1", "exit 2", "worst s", "worst MB", "failures")
    print("target".ljust(12) + "".join(head.rjust(10) for head in heads))
    for name, tally in tallies.items():
        codes = "".join(f"{tally.codes.get(code, 0):>10,}" for code in (0, 1, 2))
        worst = f"{tally.seconds:>10.2f}{tally.megabytes:>10.0f}{len(tally.failures):>10}"
        print(f"{name:12}{tally.tried:>10,}{codes}{worst}")
    print(f"{sum(tally.tried for tally in tallies.values()):,} inputs in {seconds:,.0f} s")


def shown(name, wrong, found):
    """A failure with its smallest input."""
    (files, args), ended = found
    inputs = "\n".join(f"-- {path}\n{data!r}" for path, data in files.items())
    ending = f"-- exit {ended.code}, {ended.seconds:.2f} s, {ended.megabytes:.0f} MB\n{ended.err[-1500:]}"
    return f"\n== {name}: {wrong}: costcalc {' '.join(args)}\n{inputs}\n{ending}"


if __name__ == "__main__":
    sys.exit(main())
