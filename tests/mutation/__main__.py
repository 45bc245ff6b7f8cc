"""Is it tested? Every operator and constant of the rules, the arithmetic, the gate and the limits is changed, one at a
time; tests_of.py says which files that are, and which tests judge them.

    python -m tests.mutation                        all of them, on two processors
    python -m tests.mutation costcalc/ops/conv.py costcalc/budget/judge.py --jobs 1
    python -m tests.mutation --sample 200

A mutant is caught when the loops of `selftest`, or a test, say otherwise. Those that nothing can catch, because they
mean the same, are in equivalent.yaml with the reason. The figure at the end is the share that is caught of the others;
exit code 1 below 95 %.
"""

import argparse
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml

from .judging import caught
from .mutants import ROOT, mutants, unchanged
from .tests_of import judges, targets

LEAST = 0.95


def main():
    """Judge the mutants of the files; print those that live, and the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="the files to change [all of tests_of.py]")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, help="only so many, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="only mutants whose text has this")
    given = parser.parse_args()
    paths = given.files or targets()
    found = [one for path in paths for one in mutants(path, (ROOT / path).read_text(encoding="utf-8"))]
    found = [one for one in found if not given.only or given.only in one.key]
    equivalent = yaml.safe_load((Path(__file__).parent / "equivalent.yaml").read_text(encoding="utf-8")) or {}
    judged = [one for one in found if one.key not in equivalent]
    judged = random.Random(given.seed).sample(judged, min(given.sample or len(judged), len(judged)))
    for path in {judges(path): path for path in paths}.values():  # one of those that the same tests judge
        if caught(unchanged(path)):
            parser.error(f"the tests of {path} fail without any change")
    start, alive = time.monotonic(), []
    with ProcessPoolExecutor(given.jobs) as pool:
        for number, (mutant, by) in enumerate(zip(judged, pool.map(caught, judged), strict=True), 1):
            alive += [mutant] if by is None else []
            print(f"{number}/{len(judged)} {by or 'ALIVE':8}{shown(mutant)}", flush=True)
    count, share = len(judged) - len(alive), 1 - len(alive) / max(len(judged), 1)
    print(f"\n{len(found)} mutants, {len(judged)} judged: {time.monotonic() - start:.0f} s")
    print(f"{count} of {len(judged)} caught: {share:.1%}; alive:", *map(shown, alive), sep="\n  ")
    if not (given.files or given.only):
        print(*(f"no such mutant: {key}" for key in set(equivalent) - {one.key for one in found}), sep="\n")
    return int(share < LEAST)


def shown(mutant):
    """One line about a mutant."""
    return f"{mutant.path}:{mutant.line} {mutant.function}: {mutant.before} => {mutant.after}"


if __name__ == "__main__":
    sys.exit(main())
