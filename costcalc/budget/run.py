"""Checks, spec by spec."""

import os
from typing import NamedTuple

from ..errors import CostcalcError, FileError, Problem
from ..loading import load
from .bases import Bases
from .config import Check, Limit
from .judge import judge
from .measure import Measured
from .verdict import Outcome


class Task(NamedTuple):
    """One check on one file."""

    check: Check
    path: str


def outcomes(tasks, bases):
    """The Outcome of each task, one after the other; of each spec's own `budget:` too."""
    seen: set = set()
    for task in tasks:
        yield _outcome(task, bases)
        if task.path not in seen:
            seen.add(task.path)
            yield from _own(task.path, bases)


def budget_of(path):
    """The Check that a spec's own `budget:` is, or None."""
    model = load(path)
    limits = tuple(
        Limit("max", metric, "", _amount(cap.text, metric), cap.text, cap.place) for metric, cap in model.budget.items()
    )
    return Check(path, {}, "paper", limits, "error", "", limits[0].place) if limits else None


def _amount(text, metric):
    from .bounds import amount

    return amount(text.replace(",", ""), metric)


def _own(path, bases):
    try:
        check = budget_of(path)
    except CostcalcError:
        return  # its task says so
    if check:
        yield _outcome(Task(check, path), bases)


def _outcome(task, bases):
    check, path = task
    outcome = Outcome(check, path, check.at)
    try:
        now, base, then = _measured(check, path, bases)
    except CostcalcError as error:
        return outcome._replace(problems=error.problems)
    verdicts, problems = [], []
    for limit in check.limits:
        try:
            if limit.kind == "vs_base" and base is None:
                raise FileError(_no_base(bases, path)._replace(place=limit.place))
            verdicts.append(judge(limit, now, then))
        except CostcalcError as error:
            problems += error.problems
    return outcome._replace(verdicts=tuple(verdicts), base=base, problems=tuple(problems))


def _measured(check, path, bases: Bases):
    """(cost now, Base, cost at the base); the last None for a new spec."""
    model = load(path)
    now = Measured(model, check.at, check.convention)
    base = bases.of(path)
    if base is None or base.name is None:
        return now, base, None
    if not model.included:
        with open(path, "rb") as file:
            if bases.is_same(base, file.read()):
                return now, base, now
    return now, base, _then(bases, base, check)


def _then(bases, base, check):
    """The cost at the base. Variables that the spec did not have there stay out."""
    model = bases.model(base)
    at = {name: value for name, value in check.at.items() if name in model.variables or name == "rho"}
    return Measured(model, at, check.convention)


def _no_base(bases, path):
    if bases.why_none:
        return bases.why_none
    return Problem("outside", f"{os.path.relpath(path)} is outside the repository: there is no base to compare with")
