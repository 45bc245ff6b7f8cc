"""Units split by the choices of their layers, and chains that are cut, against an enumeration of networks."""

from collections import Counter
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from costcalc import analyze, space
from costcalc.analysis.space import counter
from costcalc.analysis.space.chains import drawn_costs
from tests.analysis.test_space import loads
from tests.analysis.test_space_networks import networks
from tests.analysis.test_space_random import counts, texts

CHOICES = "a convolution over groups of choices that layers read together"
HEAD = """
vars:
  op: {{default: 0, choices: [0, 1, 2], each: 4}}
  k: {{default: 1, choices: [1, 3], each: 2}}
  a: {{default: 1, choices: [1, 2]}}
input: [8, 8, 4]
blocks:
  edge(at):
    - {{conv: 1x1, out: channels, when: "op[at] == 1"}}
    - {{conv: 3x3, out: channels, when: "op[at] == 2"}}
{0}
"""
CELLS = HEAD.format("""
  cell():
    - as: start
    - {edge: 0, as: node}
    - add: [[{identity: , from: start}, {edge: 1}], [{identity: , from: node}, {edge: 2}]]
layers:
  - {cell: , repeat: 2}
  - {conv: 3x3, out: 8, stride: 2}
  - cell
""")
NESTED = HEAD.format("""
layers:
  - {layers: [{edge: 0}, {conv: "k[0]", out: 4, when: "op[0] == 1"}, {edge: 1}], residual: true}
  - {conv: "k[1]", out: channels, when: "op[1] == 2"}
  - {edge: 2}
""")
TOGETHER = HEAD.format("""
layers:
  - {layers: [{edge: 0}, {edge: 1}], repeat: 2}
  - {conv: 3x3, out: 4, when: "op[1] == op[2]"}
  - {edge: 3}
""")
PLAIN = HEAD.format("""
layers:
  - {layers: [{edge: 0}, {conv: "2 * a - 1", out: 4}, {edge: 1}], repeat: 2}
  - {edge: 0}
""")
# the rest cannot be split
WIDTH = HEAD.format("""
layers:
  - repeat: 1
    layers: [{edge: 0}, {conv: 1x1, out: "4 * (op[1] + 1)"}, {edge: 2}, {conv: 1x1, out: 4}]
""")
HIDDEN = HEAD.format("""
layers:
  - repeat: 1
    layers:
      - {residual: "op[0] == 1", layers: [{conv: 1x1, out: "4 * (op[1] + 1)", as: inner}, {conv: 1x1, out: 4}]}
      - {when: "op[2] == 1", layers: [{conv: 1x1, out: 4, from: inner}]}
      - {edge: 3}
""")
WEIGHTS = HEAD.format("""
layers:
  - layers:
      - {conv: "2 * op[0] + 1", out: 4, as: first}
      - {edge: 1}
      - {reuse: first}
      - {edge: 2}
""")
APART = {"CELLS": CELLS, "NESTED": NESTED, "TOGETHER": TOGETHER, "PLAIN": PLAIN}
WHOLE = {"WIDTH": WIDTH, "HIDDEN": HIDDEN, "WEIGHTS": WEIGHTS}


@pytest.fixture
def tried(monkeypatch):
    """Split every unit that can be split, with any number of settings."""
    monkeypatch.setattr(counter, "FEW", 0)
    monkeypatch.setattr(counter, "APART", 0)


@cache
def distinct(text):
    """(choices that a network reads, its mult-adds) of every distinct network, by the conditions of these specs."""
    found = {}
    for choices, costs in networks(text, ("mult_adds", "params")):
        read = {name: value for name, value in choices.items() if is_read(text, name, choices)}
        found[tuple(sorted(read.items()))] = costs
    return found


def is_read(text, name, choices):
    """Whether a network with these choices reads one of them."""
    if name in ("k[0]", "k[1]"):
        return text is NESTED and (choices["op[0]"] == 1 if name == "k[0]" else choices["op[1]"] == 2)
    if name == "a":
        return text is PLAIN  # not a position: always read
    return f"edge: {name[3]}" in text or name in text.split("layers:\n", 1)[1]


@pytest.mark.parametrize("text", [*APART.values(), *WHOLE.values()], ids=[*APART, *WHOLE])
@pytest.mark.parametrize("metric", ["mult_adds", "params"])
def test_units_taken_apart_count_every_network_once(tried, text, metric):
    every = distinct(text)
    found = space(loads(text), of=metric)
    assert (found.method == CHOICES) == (text in APART.values())
    assert found.networks == len(every)
    numbered = [found.nth(number + 1) for number in range(found.networks)]
    assert [one["metrics"][metric] for one in numbered] == sorted(costs[metric] for costs in every.values())
    assert {tuple(sorted(one["choices"].items())): one["metrics"][metric] for one in numbered} == {
        choices: costs[metric] for choices, costs in every.items()
    }


def test_two_budgets_and_the_front_of_units_taken_apart(tried):
    every = [(costs["mult_adds"], costs["params"]) for costs in distinct(CELLS).values()]
    found = space(loads(CELLS))
    for first, second in every[:: len(every) // 5]:
        due = sum(a <= first and b <= second for a, b in every)
        assert found.fitting({"mult_adds": first, "params": second}) == due
    front = {(one["metrics"]["mult_adds"], one["metrics"]["params"]) for one in found.front("params", ["params"])}
    assert front == {(a, b) for a, b in every if not any((c <= a and d >= b) and (c, d) != (a, b) for c, d in every)}


AGAIN = """
vars:
  k: {default: 3, choices: [1, 3], each: 3}
  w: {default: 2, choices: [2, 3], each: 3}
  on: {default: 1, choices: [0, 1], each: 3}
input: [4, 4, 4]
layers:
  - {conv: "k[0]", out: "w[0]"}
  - {dwconv: "k[1]", residual: true}
  - {add: [[{conv: "k[2]", out: channels}], [{dwconv: 3x3, when: "on[2]"}]]}
  - linear: 3
"""


@settings(max_examples=1, deadline=None)
@example(AGAIN, 0)  # the parts of a unit depend on its input shape
@given(texts(), st.integers(0, 10**6))
def test_random_spaces_with_chains_cut_at_every_width(text, draw):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counter, "PAIRS", 0)
        patch.setattr(counter, "FEW", 0)
        patch.setattr(counter, "APART", 0)
        counts(text, draw)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(texts(), st.integers(0, 10**6))
def test_many_random_spaces_with_chains_cut_at_every_width(text, draw):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counter, "PAIRS", 0)
        patch.setattr(counter, "FEW", 0)
        patch.setattr(counter, "APART", 0)
        counts(text, draw)


def cell_costs(res, widths, cells):
    """The cost of each operation on an edge: nothing, nothing, a 1x1 and a 3x3 convolution per cell, nothing."""
    one = sum(cells * (res >> at) ** 2 * width**2 for at, width in enumerate(widths))
    return [0, 0, one, 9 * one, 0]


@pytest.mark.slow
def test_every_network_of_nats_bench():
    """15,625 networks by hand: the edges of all 15 cells share six choices."""
    found = space("nats_bench_topology")
    edge = Counter(cell_costs(32, (16, 32, 64), 5))
    bare = analyze("nats_bench_topology", settings={"op": 0}).totals["mult_adds"]
    every = Counter()
    for picked in product(edge, repeat=6):
        ways = 1
        for cost in picked:
            ways *= edge[cost]
        every[bare + sum(picked)] += ways
    assert (found.networks, found.method, found.shared) == (5**6, CHOICES, ())
    assert (found.least, found.most) == (bare, 220_119_680) == (7_783_040, max(every))
    for limit in every:
        assert found.within(limit) == sum(count for cost, count in every.items() if cost <= limit)
    one = found.nth(10_000)
    assert analyze("nats_bench_topology", settings=one["choices"]).totals["mult_adds"] == one["metrics"]["mult_adds"]


@pytest.mark.slow
def test_the_space_of_mobilenet_v3():
    """432^5 networks: the chain of widths is cut in the middle. Random networks have the same costs layer by layer."""
    found = space("mobilenet_v3_space")
    assert found.networks == 432**5 == 15_045_919_506_432
    costs = drawn_costs(found.decomposed, 20_000, np.random.default_rng(7))[0]
    for limit in (150_000_000, 219_000_000, 400_000_000):
        share = found.within(limit) / found.networks
        assert abs((costs <= limit).mean() - share) < 4 * (share * (1 - share) / 20_000) ** 0.5
    for number in (1, found.within("219M"), found.networks):
        one = found.nth(number)
        totals = analyze("mobilenet_v3_space", settings=one["choices"]).totals
        assert totals["mult_adds"] == one["metrics"]["mult_adds"]
