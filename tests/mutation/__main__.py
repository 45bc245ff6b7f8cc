"""Mutation testing: every operator and constant of the rules, the arithmetic, the gate and the limits is changed, one
at a time. tests_of.py lists the files and the tests that judge them.

    python -m tests.mutation                        all of them
    python -m tests.mutation costcalc/ops/conv.py costcalc/budget/judge.py
    python -m tests.mutation --sample 200
    python -m tests.mutation --every 3 costcalc/budget/
    python -m tests.mutation --within 5 costcalc/budget/

A mutant of a rule is caught if the loops of `selftest` or a test differ from it; any other mutant if a test that runs
it fails. equivalent.yaml lists the mutants that nothing can catch because they are equivalent, with the reason. The
final figure is the caught share of the others; the exit code is 1 if it is below 95 % in any file. With `--within` it
is a lower bound, because tests that were not run might catch survivors.
"""

import argparse
import random
import sys
import time
from itertools import groupby
from pathlib import Path

import yaml

from .judging import Failed, caught, seconds_of
from .mutants import ROOT, mutants
from .tests_of import judges, targets
from .warm import verdicts

LEAST = 0.95


def main():
    """Judge the mutants of the files; print the survivors and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="the files to change, or directories [all of tests_of.py]")
    parser.add_argument("--sample", type=int, help="only so many, drawn at random")
    parser.add_argument("--every", type=int, default=1, help="of each file only every so manieth")
    parser.add_argument("--within", type=float, help="run only the quickest tests, of so many seconds together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="only mutants whose text has this")
    given = parser.parse_args()
    paths = [path for path in targets() if not given.files or path.startswith(tuple(given.files))]
    if not paths:
        parser.error("tests_of.py has none of these files")
    made = {path: list(mutants(path, (ROOT / path).read_text(encoding="utf-8"))) for path in paths}
    equivalent = yaml.safe_load((Path(__file__).parent / "equivalent.yaml").read_text(encoding="utf-8")) or {}
    for key in stale(equivalent, made):
        print(f"no such mutant: {key}")
    try:
        return report(judged(chosen(made, equivalent, given), given.within))
    except Failed as error:
        parser.error(str(error))


def stale(equivalent, made):
    """The listed keys of equivalent mutants that no longer exist in the files."""
    known = {one.key for found in made.values() for one in found}
    return [key for key in equivalent if key.partition(" ")[0] in made and key not in known]


def chosen(made, equivalent, given):
    """The mutants to judge, grouped by the tests that judge their files."""
    found = [[one for one in each if one.key not in equivalent][:: given.every] for each in made.values()]
    found = [one for each in found for one in each if not given.only or given.only in one.key]
    if given.sample and given.sample < len(found):
        found = random.Random(given.seed).sample(found, given.sample)
    return sorted(found, key=lambda one: (judges(one.path), one.path, one.line))


def judged(found, within):
    """Yield (mutant, verdict or None). Raises Failed if the tests fail without a mutation."""
    for tests, group in groupby(found, lambda one: judges(one.path)):
        if tests:
            yield from ((mutant, by) for mutant, by, _ in verdicts(list(group), tests, within))
            continue
        mutants = list(group)
        seconds = {path: seconds_of(path) for path in {one.path for one in mutants}}
        yield from ((one, caught(one, seconds[one.path])) for one in mutants)


def report(found):
    """Print each mutant as it is judged, then the survivors, and the caught share of each file."""
    start, files, alive = time.monotonic(), {}, []
    for mutant, by in found:
        print(f"{by or 'ALIVE':8}{shown(mutant)}", flush=True)
        counts = files.setdefault(mutant.path, [0, 0])
        counts[0] += 1
        counts[1] += by is not None
        alive += [mutant] if by is None else []
    print(f"\n{time.monotonic() - start:.0f} s; alive:", *map(shown, alive), sep="\n  ")
    for path, (count, dead) in files.items():
        print(f"{path}: {dead} of {count} caught, {dead / count:.1%}")
    return int(any(dead < LEAST * count for count, dead in files.values()))


def shown(mutant):
    """One line about a mutant."""
    return f"{mutant.path}:{mutant.line} {mutant.function}: {mutant.before} => {mutant.after}"


if __name__ == "__main__":
    sys.exit(main())
