"""Layers that do not always run: minimum, expected and maximum cost against an enumeration of all outcomes."""

import itertools
import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costcalc import analyze, errors, formula, sweep
from costcalc.cli import main
from costcalc.metrics.metrics import metric, totals
from costcalc.metrics.walk import Walk
from costcalc.model.rows import exact
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.read.anything import load
from costcalc.write.spec import spec_text

LEAF = 64  # mult-adds of a 1x1 convolution of 8 to 8 channels at one position
PROBS = st.sampled_from(["0", "0.1", "0.25", "1/3", "0.5", "0.9", "1"])
COMMON = ("min_mult_adds", "expected_mult_adds", "max_mult_adds", "mult_adds", "params")


def code(args):
    """The exit code of a command."""
    with pytest.raises(SystemExit) as stop:
        main(args)
    return stop.value.code


def leaf(times):
    return {"conv": 1, "out": 8, "times": times}


def group(inner, prob):
    return {"layers": inner, "prob": prob}


def choice(branches, parts):
    total = sum(parts) or 1
    parts = parts if sum(parts) else [1, *parts[1:]]
    return {"one_of": branches, "prob": [f"{part} / {total}" for part in parts]}


def networks():
    layer = st.builds(leaf, st.integers(0, 5))

    def deeper(steps):
        lists = st.lists(steps, max_size=3)
        pairs = st.integers(2, 3).flatmap(
            lambda n: st.tuples(
                st.lists(lists, min_size=n, max_size=n), st.lists(st.integers(0, 3), min_size=n, max_size=n)
            )
        )
        return st.builds(group, lists, PROBS) | pairs.map(lambda pair: choice(*pair))

    return st.lists(st.recursive(layer, deeper, max_leaves=6), min_size=1, max_size=3)


def outcomes(layers):
    """All outcomes of a list of layers: (probability, mult-adds)."""
    found = []
    for parts in itertools.product(*map(outcomes_of, layers)):
        prob, cost = Fraction(1), 0
        for p, c in parts:
            prob, cost = prob * p, cost + c
        found.append((prob, cost))
    return found


def outcomes_of(layer):
    if "conv" in layer:
        return [(Fraction(1), LEAF * layer["times"])]
    if "layers" in layer:
        prob = Fraction(layer["prob"])
        return [(1 - prob, 0), *((prob * p, cost) for p, cost in outcomes(layer["layers"]))]
    probs = [Fraction(part.replace(" ", "")) for part in layer["prob"]]
    return [(prob * p, cost) for prob, one in zip(probs, layer["one_of"], strict=True) for p, cost in outcomes(one)]


def spec(layers):
    return f"input: [1, 1, 8]\nlayers: {json.dumps(layers)}\n"


@settings(max_examples=60, deadline=None)
@given(networks())
def test_every_outcome_is_between_the_cheapest_and_the_dearest_path(layers):
    possible = [(prob, cost) for prob, cost in outcomes(layers) if prob]
    assert sum(prob for prob, _ in possible) == 1
    found = analyze(spec(layers), metrics=COMMON)
    assert found.totals["min_mult_adds"] == min(cost for _, cost in possible)
    assert found.totals["mult_adds"] == found.totals["max_mult_adds"] == max(cost for _, cost in possible)
    expected = sum(prob * cost for prob, cost in possible)
    assert found.totals["expected_mult_adds"] == pytest.approx(float(expected))
    assert Fraction(found.exact.get("expected_mult_adds", found.totals["expected_mult_adds"])) == expected


ROUTED = """
vars: {p: {default: 0.25, min: 0}, q: {default: 0.5, min: 0}, a: 8, b: 16}
input: [4, 4, 8]
layers:
  - {conv: 3x3, out: 8, prob: p}
  - one_of:
      - [{conv: 3x3, out: a}, {conv: 1x1, out: 8, prob: p}, {conv: 1x1, out: 8}]
      - [{conv: 1x1, out: b}, {conv: 1x1, out: 8}]
      - []
    prob: [q, 1 - q, 0]
"""


def test_a_sweep_equals_each_point_alone():
    axes = {"p": [0, 0.25, 1], "q": [0, 0.3, 1], "a": [1, 8, 40], "b": [4, 300]}
    frame = sweep(ROUTED, axes, metrics=COMMON)
    assert len(frame) == 54
    for point in frame.to_dict("records"):
        alone = analyze(ROUTED, metrics=COMMON, **{name: point[name] for name in axes}).totals
        assert {name: point[name] for name in COMMON} == pytest.approx({name: alone[name] for name in COMMON})


def test_a_formula_equals_the_numbers_at_every_point():
    found = formula(ROUTED, names=["a", "b", "p"], metrics=COMMON)
    for a, b, p in ((8, 16, 0.25), (40, 3, 0.5), (1, 300, 0.75), (7, 7, 1), (3, 2, 0)):
        numbers = analyze(ROUTED, a=a, b=b, p=p, metrics=COMMON).totals
        for name in COMMON:
            form = found[name].general
            values = {symbol: {"a": a, "b": b, "p": p}[symbol.name] for symbol in form.free_symbols}
            assert float(form.subs(values)) == pytest.approx(numbers[name])


def test_a_probability_is_the_fraction_that_is_meant():
    assert [exact(one) for one in (0.1, 1 - 0.9, 1 / 3, 1, 0)] == [
        Fraction(1, 10),
        Fraction(1, 10),
        Fraction(1, 3),
        1,
        0,
    ]


def test_every_number_of_one_network_by_hand(capsys, tmp_path):
    path = tmp_path / "n.yaml"
    path.write_text("input: [2]\nlayers:\n  - linear: 3\n  - {linear: 3, prob: 1/3}\n  - {linear: 2, prob: 0.5}\n")
    assert code(["analyze", str(path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["totals"] == {
        "mult_adds": 6 + 9 + 6,
        "params": 21,
        "min_mult_adds": 6,
        "expected_mult_adds": 6 + 3 + 3,
    }
    assert [row["expected_mult_adds"] for row in found["layers"]] == [6, 3, 3]
    assert [row["min_mult_adds"] for row in found["layers"]] == [6, 0, 0]
    assert "exact" not in found
    assert code(["check", str(path), "--max", "mult_adds=20", "--max", "expected_mult_adds=12"]) == 1
    assert code(["check", str(path), "--max", "mult_adds=21", "--max", "expected_mult_adds=11"]) == 1
    assert code(["check", str(path), "--max", "mult_adds=21", "--max", "expected_mult_adds=12"]) == 0


def test_a_part_of_a_network_keeps_the_share_that_it_has_in_the_whole():
    model = load(ROUTED)
    values = settle(model, {})
    whole = Walk(model, trace(model, values), values)
    one = [metric("max_mult_adds", "paper")]
    apart = [totals(whole.part([row]), one)["max_mult_adds"] for row in whole.rows]
    assert sum(apart) == totals(whole, one)["max_mult_adds"] == analyze(ROUTED).totals["mult_adds"]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("[{linear: 2, prob: 1.5}]", "`prob` cannot be `1.5`"),
        ("[{linear: 2, prob: true}]", "`prob` cannot be `true`"),
        ("[{linear: 2, prob: channels}]", "`prob`: must be from 0 to 1, got 2"),
        ("[{one_of: [[], []], prob: [0.5, 0.6]}]", "`one_of`: probabilities sum to 1.1, not 1"),
        ("[{one_of: [[], []], prob: [1]}]", "`one_of` needs a probability for each of 2 branches"),
        ("[{one_of: [[], []], prob: 0.5}]", "expected a list of numbers, found `0.5`"),
        ("[{one_of: [[]], prob: [1]}]", "`one_of` needs two branches or more"),
        ("[{one_of: [[], [{linear: 3}]], prob: [0.5, 0.5]}]", "`one_of`: shapes do not match: 2 and 3"),
        ("[{one_of: [[], []]}]", "`one_of` needs `prob`: a list of numbers from 0 to 1, one for each branch"),
    ],
)
def test_what_is_no_probability_is_refused(layers, message):
    with pytest.raises(errors.CostcalcError) as error:
        analyze(f"input: [2]\nlayers: {layers}\n")
    assert error.value.problems[0].message == message


def test_a_layer_with_a_probability_is_not_written_as_another_spec():
    with pytest.raises(errors.SpecError) as error:
        spec_text(load("input: [2]\nlayers: [{linear: 2, prob: 0.5}]\n"), {})
    assert error.value.problems[0].message == "`linear` has a probability (`prob`), which cannot be written"


def test_a_choice_is_written_and_read_back():
    text = spec_text(load("input: [2]\nlayers:\n  - {one_of: [[], [{linear: 2}]], prob: [0, 1]}\n"), {})
    assert analyze(text).totals == {"mult_adds": 4, "params": 4, "min_mult_adds": 4, "expected_mult_adds": 4}


def test_a_formula_of_what_is_no_whole_number_is_not_rounded():
    found = formula("input: [2]\nvars: {c: 3}\nlayers: [{linear: c, prob: 0.25}]\n", metrics=["expected_mult_adds"])
    assert found["expected_mult_adds"](c=3) == 1.5
