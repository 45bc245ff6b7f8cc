"""Time to count a space, for increasing positions and for the space of Once-for-All.

    python -m tests.benchmarks.spaces

Prints seconds of processor time for 5, 10, 20 and 40 positions of nine choices each. Counting the units is linear in
the positions and gives the number of networks, the extremes and the front. The table of all costs, built for the first
question about a budget, has an entry per cost in the range, each a number with as many digits as there are
positions: it is quadratic, like its result. Then prints the seconds and the peak memory to count the
networks of Once-for-All with 300 million mult-adds (target: 300 MB).
"""

import resource
import subprocess
import sys
import time

from costcalc import space
from costcalc.errors import Source
from costcalc.read.spec.reader import read

SPEC = """
vars: {{ks: {{default: 3, choices: [3, 5, 7], each: {0}}}, e: {{default: 3, choices: [3, 4, 6], each: {0}}}}}
input: [14, 14, 16]
blocks:
  block(at):
    - residual: true
      layers:
        - {{conv: 1x1, out: "channels * e[at]"}}
        - {{dwconv: "ks[at]"}}
        - {{conv: 1x1, out: 16}}
layers:
  - block: [{1}]
"""


def loads(positions):
    """A chain of blocks, each with its own kernel and expansion."""
    return read(Source("chain.yaml", SPEC.format(positions, ", ".join(f"[{at}]" for at in range(positions)))))


def main():
    """Print both tables."""
    print("positions               networks   within half of the range   units   table   MB")
    space(loads(2)).within_count(0)  # also imports the modules that the others need
    for positions in (5, 10, 20, 40):
        model = loads(positions)
        start = time.process_time()
        found = space(model)
        units = time.process_time() - start
        within = found.within_count((found.least + found.most) // 2)
        table = time.process_time() - start - units
        assert found.networks == 9**positions
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{positions:9}   {found.networks:20.3e}   {within:24.3e}   {units:5.2f}   {table:5.2f}   {most:.0f}")
    code = (
        "from costcalc import space\n"
        "found = space('ofa_mobilenet_v3')\n"
        "assert found.within('300M') == 856_295_841_105_991_212\n"
    )
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"ofa_mobilenet_v3, 300 M: {end.ru_utime - start.ru_utime:.1f} s, {end.ru_maxrss / 1024:.0f} MB at most")


if __name__ == "__main__":
    main()
