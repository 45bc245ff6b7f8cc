"""Shares of spaces estimated by random draws, against exact counts and an enumeration of networks."""

import json
import math
from collections import Counter

import numpy as np
import pytest

from costcalc import sweep
from costcalc.analysis.space.asking import Sampled, of_networks, paged
from costcalc.analysis.space.chains import drawn_costs, within_costs
from costcalc.analysis.space.estimate import between
from costcalc.analysis.space.page import Asked
from costcalc.analysis.space.space import counted_by, open_choices, space
from costcalc.errors import OptionError
from tests.analysis.test_space import DEPTHS, SHARED, WIDTHS, loads

COUPLED = """
vars:
  a: {default: 1, choices: [0.5, 0.75, 1], each: 1}
  k: {default: 3, choices: [1, 3, 5, 7], each: 12}
  res: {default: 8, choices: [8, 12, 16]}
input: [res, res, 3]
layers:
  - repeat: 12
    layers: [{conv: "k[i]", out: "floor(8 * a[0])"}]
  - {linear: 10}
"""


def chi_square(found, due, count):
    """The chi-square statistic, and its 99.9 % quantile."""
    total, freedom = sum(due.values()), len(due) - 1
    square = sum((found[one] - count * many / total) ** 2 / (count * many / total) for one, many in due.items())
    return square, freedom * (1 - 2 / (9 * freedom) + 3.09 * math.sqrt(2 / (9 * freedom))) ** 3


@pytest.mark.parametrize("text", [WIDTHS, SHARED, DEPTHS], ids=["widths", "shared", "depths"])
def test_draws_are_uniform_over_all_networks(text):
    """Chi-square over the exact histogram; small bins are merged."""
    found = space(loads(text))
    bars = found.histogram(8)
    due = {end: many for _, end, many in bars if many}
    costs = drawn_costs(found.decomposed, 20_000, np.random.default_rng(5))[0]
    drawn = Counter(next(end for end in due if cost <= end) for cost in costs.tolist())
    square, most = chi_square(drawn, due, 20_000)
    assert square < most


@pytest.mark.parametrize("share", [0.5, 0.00001])
def test_draws_within_a_limit(share):
    """Networks within a rare limit are found by index, others by rejection."""
    found = space(loads(WIDTHS))
    limit = found.quantile(share)
    costs = within_costs(found.decomposed, limit, 300, 3)
    assert (costs.shape, int(costs.max()) <= limit) == ((1, 300), True)


def test_both_limits_at_once_are_estimated_as_they_are_counted(run, tmp_path):
    (tmp_path / "net.yaml").write_text(WIDTHS)
    line = ["space", "net.yaml", "--max", "mult_adds=60k", "--max", "params=1k"]
    exact = json.loads(run(*line, "--json").out)["fitting"]
    found = json.loads(run(*line, "--estimate", "20000", "--json").out)
    low, high = found["estimate"]["share"]
    base = space("net.yaml").within("60k")
    assert low <= exact / base <= high
    assert high - low < 0.02


def test_where_nothing_decomposes_settings_are_drawn(run, tmp_path):
    (tmp_path / "net.yaml").write_text(COUPLED)
    refused = run("space", "net.yaml")
    assert (refused.code, "does not decompose" in refused.err, "--estimate" in refused.err) == (2, True, True)
    line = ["space", "net.yaml", "--set", "res=8", "--max", "mult_adds=400k", "--estimate", "4000"]
    page = run(*line).out
    assert page.startswith(f"{3 * 4**12:,} settings\nfit mult_adds <= 400,000: ")
    found = json.loads(run(*line, "--json").out)
    assert (found["method"], found["settings"], found["fitting"]) == ("sampling", 3 * 4**12, None)
    assert run(*line, "--json").out == run(*line, "--json").out
    exact = {}  # by the number of kernels of each size: a multinomial, summed by hand
    low, high = found["estimate"]["share"]
    grid = [one**2 for one in (1, 3, 5, 7)]
    ways = Counter({0: 1})
    for _ in range(11):
        ways = Counter_sum(ways, grid)
    for width in (4, 6, 8):
        for first in grid:
            for taps, many in ways.items():
                cost = 64 * width * (3 * first + width * taps) + 10 * 64 * width
                exact[cost] = exact.get(cost, 0) + many
    share = sum(many for cost, many in exact.items() if cost <= 400_000) / sum(exact.values())
    assert low <= share <= high
    below = found["percentiles"][1]
    half = sorted(exact)[int(np.searchsorted(np.cumsum([exact[one] for one in sorted(exact)]), 3 * 4**12 / 2))]
    assert below["low"] <= half <= below["high"]
    for more in (["--nth", "1"], ["--samples", "2"], ["--plot", "a.svg"]):
        assert run(*line, *more).code == 2


def Counter_sum(ways, values):
    """The histogram of sums after adding one more value."""
    found = Counter()
    for cost, many in ways.items():
        for value in values:
            found[cost + value] += many
    return found


def test_networks_are_drawn_where_only_their_costs_are_too_many():
    model = loads(WIDTHS)
    how = {
        "choices": open_choices(model, {}),
        "given": {},
        "seed": 2,
        "convention": "paper",
        "limits": {"params": 1000},
    }
    metrics = [counted_by(model, name, "paper") for name in ("mult_adds", "params", "peak_bytes")]
    drawn = of_networks(model, metrics, how, 5_000)
    assert (drawn.population, drawn.word) == (216, "networks")
    axes = dict(how["choices"])
    every = sweep(model, settings=axes, metrics="mult_adds,params,peak_bytes")
    due = Counter(zip(*(every[name].tolist() for name in drawn.costs), strict=True))
    found = Counter(zip(*(column.tolist() for column in drawn.costs.values()), strict=True))
    square, most = chi_square(found, due, 5_000)
    assert ({*found} <= {*due}, square < most) == (True, True)
    estimate = Sampled(model, metrics, how, drawn, "").estimate
    assert estimate.low <= (every["params"] <= 1000).mean() <= estimate.high


@pytest.mark.parametrize(("share", "drawn"), [(0.5, 20), (0.1, 100), (0.9, 1000), (0.5, 3)])
def test_bounds_of_a_percentile_hold_as_often_as_they_say(share, drawn):
    """The quantile is between values `low` and `high` if more than `low` and at most `high` values are below it."""
    low, high = between(share, drawn)
    chances = [math.comb(drawn, count) * share**count * (1 - share) ** (drawn - count) for count in range(drawn + 1)]
    start, end = (0 if low == 0 else low + 1), (drawn if high == drawn - 1 else high)
    assert sum(chances[start : end + 1]) >= 0.95
    assert 0 <= low <= share * drawn <= high + 1 <= drawn


def test_what_is_no_estimate_is_refused():
    how = {"convention": "paper", "settings": {}, "tell": None}
    with pytest.raises(OptionError, match="does not decompose"):
        paged(loads(COUPLED), "mult_adds", Asked(estimate=100), how)
