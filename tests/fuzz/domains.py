"""Valid specs evaluated in three domains: with integers point by point, with arrays, and with symbols.

They are also written as a spec and, if onnx is installed, as an ONNX model, and compared.
"""

import time
from collections import Counter
from importlib.util import find_spec
from unittest.mock import patch

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from costcalc import analyze
from costcalc.analysis.formula.formula import formula
from costcalc.analysis.sweep.sweep import Evaluation, Table
from costcalc.errors import CostcalcError, Source
from costcalc.metrics.metrics import metric
from costcalc.read.spec.reader import read

from .elsewhere import exported, imported
from .grammar import specs

POINTS = {"alpha": np.array([1.0, 0.5, 0.75, 0.3, 1.37]), "res": np.array([32, 40, 33, 32, 40])}
METRICS = ("mult_adds", "params", "min_mult_adds", "expected_mult_adds")
NEAR = 1e-12  # expected values are exact for numbers and symbols, floats in arrays
PATIENT = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def agreement(count, number=0):
    """Compare `count` specs; return a text with the number of comparisons. Raises AssertionError on a difference.

    Specs that cannot be exported are counted by reason.
    """
    start, seen = time.monotonic(), Counter()

    @seed(number)
    @settings(max_examples=count, database=None, phases=(Phase.generate, Phase.shrink), **PATIENT)
    @given(specs())
    def one(text):
        seen.update(agrees(text))

    one()
    listed = "".join(f"{value:>10,} {name}\n" for name, value in seen.items())
    return f"{listed}all equal, {time.monotonic() - start:.0f} s"


def agrees(text):
    """Compare one spec; return the counts."""
    model = read(Source("net.yaml", text))
    metrics = [metric(name, "paper") for name in METRICS]
    totals = [_totals(model, {name: column[at].item() for name, column in POINTS.items()}) for at in range(5)]
    with patch("costcalc.num.tiles.TILE", 2):
        swept = Evaluation(model, metrics, skip_invalid=True).at(next(Table(POINTS).chunks()))
    found: list = [None] * 5
    for at, *numbers in zip(swept.kept, *(swept.columns[one.name] for one in metrics), strict=True):
        found[at] = {one.name: number.item() for one, number in zip(metrics, numbers, strict=True)}
    assert [*map(bool, found)] == [*map(bool, totals)]
    assert all(same(a[name], b[name]) for a, b in zip(found, totals, strict=True) for name in a or ())
    try:
        forms = formula(model, metrics=METRICS)
    except CostcalcError:  # only where the network at its defaults is refused, too
        assert _totals(model, {}) is None
        return {"specs": 1, "points": len(totals), "refused points": totals.count(None)}
    held = 0
    for at, total in enumerate(totals):
        values = {name: column[at].item() for name, column in POINTS.items()}
        for name in total or ():
            if forms[name].holds(**values):
                assert same(forms[name](**values), total[name]), (name, values)
                held += 1
    found = {"specs": 1, "points": len(totals), "refused points": totals.count(None), "formulas": len(metrics)}
    return {**found, "values of formulas": held, **_elsewhere(model)}


def _elsewhere(model):
    """Compare a spec in other forms, at its defaults and at one other point; return the counts."""
    found: Counter = Counter()
    for values in ({}, {"alpha": 0.3, "res": 40}):
        imported(model, values)
        found["specs written by import and read back"] += 1
        if find_spec("onnx"):
            found.update(exported(model, values))
    return found


def same(one, other):
    """Whether two totals are equal, exactly for integers."""
    return one == other if type(one) is type(other) is int else abs(one - other) <= NEAR * abs(other)


def _totals(model, values):
    try:
        totals = analyze(model, settings=values, metrics=METRICS).totals
        return {name: totals[name] for name in METRICS}
    except CostcalcError:
        return None
