"""Valid specs counted three ways: with whole numbers point by point, with arrays, and with symbols."""

import time

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from costcalc import analyze
from costcalc.errors import CostcalcError, Source
from costcalc.formulas import formula
from costcalc.metrics import metric
from costcalc.read.spec import read
from costcalc.space import Table
from costcalc.sweeps import evaluated

from .grammar import specs

POINTS = {"alpha": np.array([1.0, 0.5, 0.75, 0.3, 1.37]), "res": np.array([32, 40, 33, 32, 40])}
PATIENT = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def agreement(count, number=0):
    """Compare on so many specs; says how many points and formulas that were. AssertionError at the first difference."""
    start, seen = time.monotonic(), {"specs": 0, "points": 0, "refused": 0, "formulas": 0, "held": 0}

    @seed(number)
    @settings(max_examples=count, database=None, phases=(Phase.generate, Phase.shrink), **PATIENT)
    @given(specs())
    def one(text):
        for name, more in agrees(text).items():
            seen[name] += more

    one()
    return (
        f"{', '.join(f'{value:,} {name}' for name, value in seen.items())}: all equal, {time.monotonic() - start:.0f} s"
    )


def agrees(text):
    """What was compared of one spec."""
    model = read(Source("net.yaml", text))
    metrics = [metric("mult_adds", "paper"), metric("params", "paper")]
    totals = [_totals(model, {name: column[at].item() for name, column in POINTS.items()}) for at in range(5)]
    swept = evaluated(model, next(Table(POINTS).chunks()), metrics, skip_invalid=True)
    found: list = [None] * 5
    for at, *numbers in zip(swept.kept, *(swept.columns[one.name] for one in metrics), strict=True):
        found[at] = {one.name: int(number) for one, number in zip(metrics, numbers, strict=True)}
    assert found == totals
    forms = formula(model)
    held = 0
    for at, total in enumerate(totals):
        values = {name: column[at].item() for name, column in POINTS.items()}
        for name in total or ():
            if forms[name].holds(**values):
                assert forms[name](**values) == total[name], (name, values)
                held += 1
    return {"specs": 1, "points": len(totals), "refused": totals.count(None), "formulas": len(metrics), "held": held}


def _totals(model, values):
    try:
        return analyze(model, settings=values).totals
    except CostcalcError:
        return None
