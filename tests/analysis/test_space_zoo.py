"""The shipped search spaces, against the counters of their authors and an enumeration of networks."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from costcalc import analyze, load, space, sweep
from costcalc.errors import Source
from costcalc.read.spec.reader import read

DATA = Path(__file__).parents[1] / "data" / "spaces"


def table(name):
    """The rows of a recorded table."""
    with open(DATA / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def positions(text):
    """A value for all positions, or one per position."""
    values = tuple(map(int, text.split()))
    return values if len(values) > 1 else values[0]


@pytest.mark.parametrize("row", table("once_for_all"), ids=lambda row: "-".join(row.values())[:24])
def test_the_counter_of_once_for_all(row):
    """Recorded from `ofa.utils.flops_counter.profile` (2023-09): it adds up layers in 32-bit floats. `exact` is the sum
    of the same hooks in whole numbers."""
    settings = {name: positions(row[name]) for name in ("ks", "e", "d")}
    size = {"alpha": float(row["width"]), "res": int(row["res"])}
    found = analyze("ofa_mobilenet_v3", settings=settings, convention="framework", **size)
    assert (found.totals["mult_adds"], found.totals["params"]) == (int(row["exact"]), int(row["params"]))
    added = np.float32(0)
    for line in found.lines:
        for part in parts(line.cost, line.type):
            added += np.float32(part)
    assert abs(int(added) - int(row["printed"])) <= 16  # the counter lists both layers of a gate separately
    assert abs(int(row["printed"]) - int(row["exact"])) <= 32


def parts(cost, kind):
    """The mult-adds of the layers of a row: a gate has two of the same size."""
    return (cost // 2, cost // 2) if "squeeze" in kind else (cost,)


@pytest.mark.parametrize("row", table("regnets"), ids=lambda row: row["name"])
def test_every_regnet_of_pycls(row):
    """Mult-adds and parameters of pycls (dev/model_complexity.json) from the six parameters of its configs."""
    settings = {name: float(row[name]) if name in ("wa", "wm") else int(row[name]) for name in ("d", "w0", "wa", "wm")}
    settings |= {"g": int(row["g"]), "se": int(row["se"])}
    found = analyze("regnet", settings=settings, convention="ptflops_aten").totals
    assert (found["mult_adds"], found["params"]) == (int(row["flops"]), int(row["params"]))


NATS = {"op": (4, 2, 1, 2, 1, 1)}  # architecture 0
DATASETS = ({"res": 32, "classes": 10}, {"res": 32, "classes": 100}, {"res": 16, "classes": 120})
PRINTED = {  # https://github.com/D-X-Y/NATS-Bench/issues/24
    "ptflops_aten": (15_647_370, 15_653_220, 3_919_480),
    DATA / "thop_2021.yaml": (16_464_576, 16_470_336, 4_123_712),
    DATA / "ptflops_2021.yaml": (16_810_634, 16_816_484, 4_210_296),
}


@pytest.mark.parametrize("counter", PRINTED, ids=lambda one: Path(one).stem)
def test_three_counters_of_one_network_of_nats_bench(counter):
    due = PRINTED[counter]
    found = [analyze("nats_bench_topology", settings=NATS, convention=str(counter), **one) for one in DATASETS]
    assert tuple(one.totals["mult_adds"] for one in found) == due


def test_reconcile_says_what_they_count(run):
    line = ["reconcile", "nats_bench_topology", "paper", "15.64737M", "--set", "op=4,2,1,2,1,1"]
    assert "bias additions: linear" in run(*line).out
    price_list = str(DATA / "thop_2021.yaml")
    found = run("reconcile", "nats_bench_topology", "paper", price_list, "--set", "op=4,2,1,2,1,1").out
    assert ("663,552" in found, "16,464,576" in found) == (True, True)


def test_the_widths_resolutions_and_depths_of_mobilenet():
    found = space("mobilenet_space")
    axes = {name: one.choices for name, one in load("mobilenet_space").variables.items() if one.choices}
    costs = sorted(sweep("mobilenet", settings=axes)["mult_adds"].tolist())
    assert found.networks == len(costs) == 4 * 4 * 6
    assert [found.within(cost) for cost in costs] == [sum(one <= cost for one in costs) for cost in costs]


def test_depths_around_mobilenet_v2():
    found = space("mobilenet_v2_space", alpha=0.35, res=96, settings={f"more[{at}]": 0 for at in (0, 1, 2, 3)})
    axes = {f"more[{at}]": (0, 1, 2) for at in (4, 5, 6)}
    costs = sorted(sweep("mobilenet_v2_space", settings={**axes, "alpha": 0.35, "res": 96})["mult_adds"].tolist())
    assert [found.decomposed.cost_at(number + 1) for number in range(27)] == costs
    assert analyze("mobilenet_v2_space").totals == analyze("mobilenet_v2").totals


BLOCK = {"op": 3, "k": 3, "se": 0, "skip": 1, "f": 1.0, "more": 0}


def test_a_block_of_the_space_of_mobilenet_v3_is_one_of_432():
    """Section 4.1 of MnasNet (arXiv:1807.11626): S = 432 and B = 5, about 10^13 networks; MobileNetV2 is one."""
    assert analyze("mobilenet_v3_space").totals == analyze("mobilenet_v2").totals
    variables = load("mobilenet_v3_space").variables
    assert math.prod(len(variables[name].choices) for name in BLOCK) == 432
    fixed = {f"{name}[{at}]": value for name, value in BLOCK.items() for at in (0, 1, 3, 4)}
    found = space("mobilenet_v3_space", settings=fixed)
    assert found.networks == 432
    for number in (1, 100, 432):
        one = found.nth(number)
        whole = analyze("mobilenet_v3_space", settings={**fixed, **one["choices"]}).totals
        assert whole["mult_adds"] == one["metrics"]["mult_adds"]


@pytest.mark.slow
def test_what_a_counter_of_nats_bench_allows():
    """Half of the edges are fixed: 125 networks, each compared separately."""
    fixed = {"op[0]": 3, "op[1]": 1, "op[2]": 2, "cells": 1}
    found = space("nats_bench_topology", settings=fixed)
    axes = {f"op[{at}]": (0, 1, 2, 3, 4) for at in (3, 4, 5)}
    costs = sorted(sweep("nats_bench_topology", settings={**axes, **fixed})["mult_adds"].tolist())
    assert [found.decomposed.cost_at(number + 1) for number in range(125)] == costs


@pytest.mark.slow
def test_once_for_all_at_width_1_2():
    """The cheapest and the most expensive network, as counted by its own counter."""
    found = space("ofa_mobilenet_v3", alpha=1.2)
    rows = [row for row in table("once_for_all") if (row["width"], row["res"]) == ("1.2", "224")]
    due = {row["d"]: int(row["exact"]) for row in rows if (row["ks"], row["e"]) in (("3", "3"), ("7", "6"))}
    assert (found.networks, found.least, found.most) == (7371**5, due["2"], due["4"])
    assert [found.within(limit) for limit in (found.least, found.most)] == [1, 7371**5]


ANYNET = """
vars:
  d: {{default: 1, choices: [1, 2, 3, 4], each: 4}}
  w: {{default: 64, choices: [64, 128], each: 4}}
  b: {{default: 1, choices: [1, 2, 4]{0}}}
  g: {{default: 8, choices: [1, 2, 4, 8, 16, 32]{1}}}
input: [64, 64, 3]
blocks:
  block(w, b, g, s):
    - add:
        - - {{conv: 1x1, out: w // b}}
          - {{conv: 3x3, out: w // b, stride: s, groups: "w // b // min(g, w // b)"}}
          - {{conv: 1x1, out: w}}
        - [{{conv: 1x1, out: w, stride: s}}]
  stage(at):
    - block: [["w[at]", "{2}", "{3}", 2]]
    - {{repeat: "d[at] - 1", layers: [{{block: [["w[at]", "{2}", "{3}", 1]]}}]}}
layers:
  - {{conv: 3x3, out: 32, stride: 2}}
  - stage: [[0], [1], [2], [3]]
  - avgpool: global
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one_ratio", "one_group", "due"),
    [(False, False, (4 * 2 * 3 * 6) ** 4), (True, False, 3 * (4 * 2 * 6) ** 4), (True, True, 3 * 6 * (4 * 2) ** 4)],
    ids=["AnyNetX_A", "AnyNetX_B", "AnyNetX_C"],
)
def test_the_sizes_of_anynets(one_ratio, one_group, due):
    """The AnyNet design spaces of arXiv:2003.13678: A has (16 * 128 * 3 * 6)^4 networks; one ratio for all in B and C.

    C also has a single group. Here, each stage has 4 of the 16 depths and 2 of the 128 widths.
    """
    ratio = ("", "b") if one_ratio else (", each: 4", "b[at]")
    group = ("", "g") if one_group else (", each: 4", "g[at]")
    text = ANYNET.format(ratio[0], group[0], ratio[1], group[1])
    found = space(read(Source("anynet.yaml", text)))
    assert found.networks == due
    one = found.nth(due // 3)
    whole = analyze(found.model, settings=one["choices"]).totals
    assert whole["mult_adds"] == one["metrics"]["mult_adds"]


COUNTS = {  # of 7371^5 networks of width 1.0 at 224 pixels
    "150M": 113_060_354,
    "250M": 8_973_975_645_621_513,
    "300M": 856_295_841_105_991_212,
    "400M": 20_599_264_329_795_529_108,
    "500M": 21_758_652_757_306_604_288,
}


@pytest.mark.slow
@pytest.mark.parametrize("limit", COUNTS)
def test_the_command_counts_the_networks_of_once_for_all(run, limit):
    done = run("space", "ofa_mobilenet_v3", "--max", f"mult_adds={limit}", "--format", "json")
    found = json.loads(done.out)
    assert (done.code, found["networks"], found["fitting"]) == (0, 21_758_655_492_572_485_851, COUNTS[limit])


MIXED = (
    "ks=3,7,3,5,3,5,5,5,7,5,3,3,5,3,5,5,7,3,7,5",
    "e=4,6,3,6,3,4,3,3,3,6,6,3,4,6,3,4,6,3,6,3",
    "d=3,3,4,2,3",
)
NETWORKS = {  # mult-adds at 224 pixels and at 160, and parameters, at width 1.0
    ("ks=3", "e=3", "d=2"): (121_278_672, 63_240_528, 3_410_792),
    ("ks=7", "e=6", "d=4"): (566_170_656, 291_318_048, 7_664_760),
    ("ks=5", "e=4", "d=3"): (250_746_944, 129_548_864, 4_551_792),
    ("ks=3", "e=6", "d=4"): (433_141_536, 223_446_048, 7_299_960),
    ("ks=7", "e=3", "d=2"): (151_290_192, 78_552_528, 3_493_352),
    MIXED: (268_031_200, None, 5_036_464),
}


@pytest.mark.parametrize("settings", NETWORKS, ids=lambda one: "-".join(one)[:12])
def test_the_command_counts_networks_of_once_for_all(run, settings):
    given = [word for one in settings for word in ("--set", one)]
    line = ["analyze", "ofa_mobilenet_v3", *given, "-c", "framework", "--json"]
    totals = json.loads(run(*line).out)["totals"]
    small = json.loads(run(*line, "--res", "160").out)["totals"]
    due = NETWORKS[settings]
    assert (totals["mult_adds"], totals["params"]) == (due[0], due[2])
    assert due[1] in (None, small["mult_adds"])
