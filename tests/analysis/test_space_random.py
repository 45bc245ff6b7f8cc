"""Random spaces, counted exactly, against an enumeration of their networks."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costcalc import analyze, space
from costcalc.analysis.space import units
from tests.analysis.test_space import loads

METRICS = ("mult_adds", "params", "peak_bytes")
LAYERS = (
    '{{conv: "k[{0}]", out: "w[{0}]"}}',
    '{{conv: 1x1, out: "w[{0}]", then: [relu]}}',
    '{{dwconv: "k[{0}]", residual: true}}',
    '{{conv: "k[{0}]", out: 4, when: "on[{0}]"}}',
    '{{dwconv: "k[{0}]", repeat: "on[{0}] + 1"}}',
    '{{conv: 3x3, out: "w[{0}] * a"}}',
    '{{add: [[{{conv: "k[{0}]", out: channels}}], [{{dwconv: 3x3, when: "on[{0}]"}}]]}}',
)


@st.composite
def texts(draw):
    """A spec of up to four layers whose kernels, widths and conditions are choices, some of them unread."""
    picked = draw(st.lists(st.sampled_from(LAYERS), min_size=1, max_size=4))
    widths = draw(st.lists(st.sampled_from([2, 3, 4]), min_size=1, max_size=2, unique=True))
    variables = [
        f"k: {{default: 3, choices: [1, 3], each: {len(picked)}}}",
        f"w: {{default: {widths[0]}, choices: {widths}, each: {len(picked)}}}",
        f"on: {{default: 1, choices: [0, 1], each: {len(picked)}}}",
        f"a: {{default: 1, choices: {draw(st.sampled_from([[1], [1, 2]]))}}}",
    ]
    lines = [f"  - {text.format(at)}" for at, text in enumerate(picked)]
    return "\n".join([f"vars: {{{', '.join(variables)}}}", "input: [4, 4, 4]", "layers:", *lines, "  - linear: 3", ""])


def networks(text):
    """The metrics of every distinct network; unread choices take their first value."""
    model = loads(text)
    names = {name: one.choices for name, one in model.variables.items() if len(one.choices) > 1 and not one.each}
    found = Counter()
    for values in product(*names.values()):
        choices = dict(zip(names, values, strict=True))
        if any(choices[name] != names[name][0] and not is_read(text, name, choices) for name in names):
            continue
        totals = analyze(model, settings=choices, metrics=METRICS).totals
        found[tuple(totals[name] for name in METRICS)] += 1
    return found


def is_read(text, name, choices):
    """Whether a network with these choices reads one of them, derived from the layers of this test."""
    base, _, at = name.rstrip("]").partition("[")
    if base == "a":
        return "* a" in text
    line = text.split("layers:\n")[1].splitlines()[int(at)]
    off = "when" in line and choices[f"on[{at}]"] == 0
    return name in line and not (base == "k" and off and "add" not in line)


def counts(text, draw):
    """The counts of networks and budgets of a space, from all its networks."""
    every = networks(text)
    ordered = sorted(every.elements())
    for number, metric in enumerate(METRICS):
        found = space(loads(text), of=metric)
        costs = sorted(one[number] for one in ordered)
        assert found.networks == len(costs)
        picked = costs[draw % len(costs)]
        assert found.within(picked) == sum(one <= picked for one in costs)
        assert found.nth(draw % len(costs) + 1)["metrics"][metric] == picked
    limits = dict(zip(METRICS, ordered[draw % len(ordered)], strict=True))
    due = sum(all(one <= most for one, most in zip(costs, limits.values(), strict=True)) for costs in ordered)
    assert space(loads(text)).fitting(limits) == due


@settings(max_examples=1, deadline=None)
@given(texts(), st.integers(0, 10**6))
def test_counts_of_random_spaces(text, draw):
    counts(text, draw)


@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts(), st.integers(0, 10**6))
@pytest.mark.parametrize(("at_once", "room"), [(3, 10**9), (1 << 14, 200)])
def test_counts_of_random_spaces_that_are_walked_in_pieces(monkeypatch, at_once, room, text, draw):
    monkeypatch.setattr(units, "AT_ONCE", at_once)
    monkeypatch.setattr(units, "ROOM", room)
    counts(text, draw)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(texts(), st.integers(0, 10**6))
def test_counts_of_many_random_spaces(text, draw):
    counts(text, draw)
