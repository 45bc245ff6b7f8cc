"""Single networks of spaces: by index, drawn and on the front, against an enumeration."""

import json
from collections import Counter
from itertools import product

import numpy as np
import pytest

from costcalc import analyze, space
from costcalc.analysis.space.counts import counted
from costcalc.analysis.space.estimate import estimated
from costcalc.analysis.space.sums import Maxima, Sums, multiplied, within_both
from costcalc.errors import OptionError
from tests.analysis.test_space import CONDITION, DEPTHS, SHARED, SIZES, SKIP, WIDTHS, WORDS, loads

MANY = """
vars: {w: {default: 8, choices: [4, 8], each: 2}, a: {default: 1, choices: [1, 2, 3]}, b: {default: 1, choices: [1, 2]}}
input: [8, 8, 3]
layers:
  - {conv: a, out: "w[0]"}
  - {conv: b, out: "w[1]"}
  - {conv: a, out: 4}
"""
METRICS = ("mult_adds", "params", "peak_bytes")
TEXTS = {"WIDTHS": WIDTHS, "SHARED": SHARED, "SKIP": SKIP, "WORDS": WORDS, "SIZES": SIZES, "MANY": MANY}


def networks(text, metrics=METRICS):
    """Every network: its choices, and its metrics from a full analysis."""
    model = loads(text)
    names = {name: one.choices for name, one in model.variables.items() if one.choices and not one.each}
    for values in product(*names.values()):
        choices = dict(zip(names, values, strict=True))
        totals = analyze(model, settings=choices, metrics=metrics).totals
        yield choices, {name: totals[name] for name in metrics}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("metric", ["mult_adds", "peak_bytes"])
def test_each_number_is_a_network_of_its_own_in_rising_order(text, metric):
    every = list(networks(text))
    found = space(loads(text), of=metric)
    numbered = [found.nth(number + 1) for number in range(found.networks)]
    assert [one["metrics"][metric] for one in numbered] == sorted(costs[metric] for _, costs in every)
    due = {tuple(sorted(choices.items())): costs[metric] for choices, costs in every}
    assert {tuple(sorted(one["choices"].items())): one["metrics"][metric] for one in numbered} == due


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_peak_memory_is_the_largest_of_all_parts(text):
    every = Counter(costs["peak_bytes"] for _, costs in networks(text))
    found = space(loads(text), of="peak_bytes")
    assert found.networks == sum(every.values())
    for limit in (*every, min(every) - 1):
        assert found.within(limit) == sum(count for cost, count in every.items() if cost <= limit)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_several_budgets_at_once(text):
    every = [costs for _, costs in networks(text)]
    found = space(loads(text))
    for share in (0.2, 0.5, 0.8):
        limits = {name: sorted(costs[name] for costs in every)[int(share * len(every))] for name in METRICS}
        for names in (METRICS[:2], METRICS[1:], METRICS):
            wanted = {name: limits[name] for name in names}
            due = sum(all(costs[name] <= most for name, most in wanted.items()) for costs in every)
            assert found.fitting(wanted) == due


@pytest.mark.parametrize("text", [WIDTHS, MANY, SHARED, SKIP])
@pytest.mark.parametrize("most", [(), ("params",), ("mult_adds",)])
def test_no_network_beats_the_front(text, most):
    signs = [-1 if name in most else 1 for name in ("mult_adds", "params")]
    points = {(signs[0] * one["mult_adds"], signs[1] * one["params"]) for _, one in networks(text)}
    due = best(points)
    found = space(loads(text)).front("params", most)
    assert {(signs[0] * one["metrics"]["mult_adds"], signs[1] * one["metrics"]["params"]) for one in found} == due
    assert len(found) == len(due)
    for one in found[:5]:
        totals = analyze(loads(text), settings=one["choices"]).totals
        assert one["metrics"] == {name: totals[name] for name in one["metrics"]}
        assert [*one["choices"]] == [name for name in loads(text).variables if name in one["choices"]]


def best(points):
    """The points that are not dominated in both values."""
    points = set(points)
    beats = [(a, b) for a, b in points if any((c, d) != (a, b) and c <= a and d <= b for c, d in points)]
    return points - {*beats}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("most", [(), ("params",), ("mult_adds",), ("params", "mult_adds")])
@pytest.mark.parametrize("limited", [("params",), ("mult_adds",), ("mult_adds", "params"), METRICS])
def test_the_front_is_of_the_networks_within_the_limits(text, most, limited):
    signs = [-1 if name in most else 1 for name in METRICS[:2]]
    every = [costs for _, costs in networks(text)]
    found = space(loads(text))
    for share in (0.3, 0.6, 0.9):
        limits = {name: sorted(costs[name] for costs in every)[int(share * len(every))] for name in limited}
        fits = [costs for costs in every if all(costs[name] <= limit for name, limit in limits.items())]
        due = best(tuple(sign * costs[name] for sign, name in zip(signs, METRICS[:2], strict=True)) for costs in fits)
        if not due:
            with pytest.raises(OptionError, match="no network is within"):
                found.front("params", most, limits)
            continue
        front = [one["metrics"] for one in found.front("params", most, limits)]
        assert len(front) == len(due)
        assert {(signs[0] * one["mult_adds"], signs[1] * one["params"]) for one in front} == due
        assert all(one[name] <= limit for one in front for name, limit in limits.items())


@pytest.mark.parametrize("most", [(), ("peak_bytes",)])
def test_the_front_of_memory_within_limits(most):
    sign = -1 if most else 1
    every = [costs for _, costs in networks(WIDTHS)]
    limits = {"mult_adds": 60_000, "peak_bytes": 5_000}
    fits = [one for one in every if all(one[name] <= limit for name, limit in limits.items())]
    found = space(loads(WIDTHS)).front("peak_bytes", most, limits)
    assert {(one["metrics"]["mult_adds"], sign * one["metrics"]["peak_bytes"]) for one in found} == best(
        (one["mult_adds"], sign * one["peak_bytes"]) for one in fits
    )


def test_a_front_is_of_two_metrics():
    found = space(loads(WIDTHS))
    with pytest.raises(OptionError, match="a limit on `weights_bytes` cannot be applied"):
        found.front("params", limits={"weights_bytes": "1 MB"})
    with pytest.raises(OptionError, match="two metrics"):
        found.front("mult_adds")


def test_samples_are_uniform():
    """Chi-square at the 99.9 % quantile, with a fixed seed."""
    limits = {"mult_adds": 60_000, "params": 1_200, "peak_bytes": 6_000}
    due = [choices for choices, costs in networks(WIDTHS) if all(costs[name] <= most for name, most in limits.items())]
    drawn = list(space(loads(WIDTHS)).samples(100 * len(due), limits, seed=3))
    found = Counter(tuple(sorted(one["choices"].items())) for one in drawn)
    assert {*found} == {tuple(sorted(one.items())) for one in due}
    freedom = len(due) - 1
    square = sum((count - 100) ** 2 / 100 for count in found.values())
    assert square < freedom * (1 - 2 / (9 * freedom) + 3.09 * np.sqrt(2 / (9 * freedom))) ** 3  # Wilson-Hilferty


def test_positions_that_are_not_read_are_not_named():
    for one in space(loads(DEPTHS)).samples(50):
        choices = one["choices"]
        for stage in (0, 1):
            read = [at for at in (0, 1) if f"ks[{2 * stage + at}]" in choices]
            assert read == [*range(choices[f"d[{stage}]"])]
    assert space(loads(CONDITION)).nth(1)["choices"] == {"on[0]": 0, "on[1]": 0}


@pytest.mark.parametrize(("positions", "seed"), [(1, 0), (4, 1), (40, 2)])
def test_any_number_of_parts(positions, seed):
    random = np.random.default_rng(seed)
    parts = [counted(random.integers(0, 60, 9) * 8 + 100) for _ in range(positions)]
    for sums, fold in ((Sums(parts), sum), (Maxima(parts), max)):
        for share in (0, 0.3, 0.99):
            limit = int(sums.base + (sums.most - sums.base) * max(share, 0.1))
            number = int(share * 1000) * sums.within(limit) // 1000
            picks = sums.drawn(limit, number)
            assert fold(cost for cost, _ in picks) <= limit
            assert all(own < one.weights[one.costs == cost][0] for one, (cost, own) in zip(parts, picks, strict=True))
        exact = sums.ranked(sums.most, 0)
        assert fold(cost for cost, _ in exact) == sums.most


def test_pairs_of_costs():
    random = np.random.default_rng(5)
    radix = 10_000
    pairs = [[(int(a), int(b)) for a, b in random.integers(0, 99, (7, 2))] for _ in range(4)]
    sums = Sums([counted([a * radix + b for a, b in part]) for part in pairs])
    every = [tuple(map(sum, zip(*one, strict=True))) for one in product(*pairs)]
    for limits in random.integers(100, 320, (20, 2)).tolist():
        due = sum(a <= limits[0] and b <= limits[1] for a, b in every)
        assert within_both(sums, radix, limits) == due


def test_what_cannot_be_counted_is_refused_with_the_reason():
    found = space(loads(WIDTHS))
    with pytest.raises(OptionError, match="at once cannot be counted exactly"):
        found.fitting({"mult_adds": 1, "params": 1, "activations": 1})
    with pytest.raises(OptionError, match="there is no network 217: 216 are"):
        found.nth(217)
    with pytest.raises(OptionError, match="no network is within the limits"):
        next(found.samples(1, {"mult_adds": 1}))
    for metric in ("arena_bytes", "training_bytes", "saved_bytes", "bytes_moved", "effective_alpha"):
        with pytest.raises(OptionError, match="neither a sum nor a maximum over layers"):
            space(loads(WIDTHS), of=metric)


def test_shares_have_the_bounds_of_clopper_and_pearson():
    """Against published intervals: 0 of 10 and 5 of 10 at 95 %."""
    none, half = estimated(0, 10, ""), estimated(5, 10, "")
    assert (none.low, round(none.high, 4)) == (0.0, 0.3085)
    assert (round(half.low, 4), round(half.high, 4)) == (0.1871, 0.8129)
    assert estimated(10, 10, "").high == 1.0


def test_the_command_lists_networks(run, tmp_path):
    (tmp_path / "net.yaml").write_text(WIDTHS)
    every = sorted(costs["mult_adds"] for _, costs in networks(WIDTHS))
    found = json.loads(run("space", "net.yaml", "--nth", "7", "--json").out)
    assert (found["nth"]["number"], found["nth"]["metrics"]["mult_adds"]) == (7, every[6])
    line = "space net.yaml --max mult_adds=60k --samples 4 --seed 2"
    found = json.loads(run(*line.split(), "--json").out)
    assert [one["metrics"]["mult_adds"] <= 60_000 for one in found["samples"]] == [True] * 4
    assert run(*line.split()).out == run(*line.split()).out
    assert len(run(*line.split(), "-f", "csv").out.splitlines()) == 5
    found = json.loads(run("space", "net.yaml", "--max", "mult_adds=60k", "--max", "params=1k", "--json").out)
    due = sum(one["mult_adds"] <= 60_000 and one["params"] <= 1_000 for _, one in networks(WIDTHS))
    assert found["fitting"] == due
    line = "space net.yaml --max activations=2k --max params=1k --estimate 500 --json"
    found = json.loads(run(*line.split()).out)
    low, high = found["estimate"]["share"]
    assert (found["fitting"], 0 < low < high < 1) == (None, True)
    assert len(json.loads(run(*["space", "net.yaml", "--front", "params,max", "--json"]).out)["front"]) > 3
    limited = run(
        "space", "net.yaml", "--front", "params,max", "--max", "mult_adds=60k", "--max", "params=700", "--json"
    )
    assert all(one["metrics"]["params"] <= 700 for one in json.loads(limited.out)["front"])
    assert run(*["space", "net.yaml", "--nth", "3", "--samples", "4"]).code == 2
    assert run(*["space", "net.yaml", "--max", "params=1", "--max", "params=2"]).code == 2


def test_the_picture_has_the_budget(run, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "net.yaml").write_text(WIDTHS)
    assert run(*["space", "net.yaml", "--max", "mult_adds=60k", "--plot", "a.svg"]).code == 0
    assert "mult_adds" in (tmp_path / "a.svg").read_text() or "<svg" in (tmp_path / "a.svg").read_text()
    assert run(*["space", "net.yaml", "--plot", "a.gif"]).code == 2


def test_the_space_of_proxylessnas_has_proxyless_mobile():
    """Each block has six variants or is omitted, except the first of a stage; the published network is in the space."""
    found = space("proxyless_space")
    assert found.networks == (6 * 7**3) ** 5 * 6
    choices = {
        "k": (5, 3, 3, 3, 7, 3, 5, 5, 7, 5, 5, 5, 5, 5, 5, 5, 7, 7, 7, 7, 7),
        "e": (3, 3, 3, 3, 3, 3, 3, 3, 6, 3, 3, 3, 6, 3, 3, 3, 6, 6, 3, 3, 6),
        "on": (1, 1, 0, 0, *(1,) * 17),
    }
    assert analyze("proxyless_space", settings=choices).totals == analyze("proxyless_mobile").totals


def test_the_width_of_a_supernet(run):
    line = "space ofa_mobilenet_v3 --set d=2 --set ks=3 --set res=96 --json"
    found = [json.loads(run(*line.split(), name, "1.2").out) for name in ("--width", "--alpha")]
    assert found[0] == found[1]
    assert found[0]["least"] > json.loads(run(*line.split()).out)["least"]
    assert run(*line.split(), "--width", "1.2", "--alpha", "1.2").code == 2


def test_positions_are_set_as_a_page_names_them(run, tmp_path):
    """The text of a network as an argument of --set gives that network."""
    (tmp_path / "net.yaml").write_text(DEPTHS)
    found = json.loads(run(*["space", "net.yaml", "--samples", "3", "--json"]).out)["samples"]
    shown = run(*["space", "net.yaml", "--samples", "3", "-f", "csv"]).out.splitlines()[1:]
    for one, line in zip(found, shown, strict=True):
        sets = [word for text in line.split(",", 1)[1].strip('"').split() for word in ("--set", text)]
        assert (
            json.loads(run("analyze", "net.yaml", *sets, "--json").out)["totals"]["mult_adds"]
            == one["metrics"]["mult_adds"]
        )
    assert json.loads(run(*["space", "net.yaml", "--set", "ks=3,-,5", "--json"]).out)["choices"].keys() == {
        *("ks[1]", "ks[3]", "e[0]", "e[1]", "e[2]", "e[3]", "d[0]", "d[1]")
    }
    assert "has 4 positions, not 5" in run("analyze", "net.yaml", "--set", "ks=3,3,3,3,3").err


@pytest.mark.parametrize("length", [5, 1000, 2**18])
def test_convolutions_by_fourier_transforms_are_exact(length):
    """The largest values, whose convolution is their product times the number of pairs."""
    prime = 2**31 - 1
    most = np.full(length, prime - 1)
    assert (multiplied(most, most, prime) == np.arange(1, length + 1) % prime).all()
    mixed = np.random.default_rng(1).integers(0, prime, 200)
    due = [
        sum(int(a) * int(b) for a, b in zip(mixed[: at + 1], mixed[at::-1], strict=True)) % prime for at in range(200)
    ]
    assert multiplied(mixed, mixed, prime).tolist() == due
