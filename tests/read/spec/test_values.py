"""Rows of plain numbers, parameters that shadow variables, and sizes of 0 for empty inputs."""

import pytest

from costcalc import CostcalcError, analyze, formula, sweep

CACHE = """
vars: {past: {default: 0, min: 0}, new: 4}
inputs: {x: [new, 8], old: [past, 8]}
layers:
  - {linear: 8, as: k}
  - {concat: [old, k], axis: tokens, as: keys}
  - {attend: [x, keys, keys], heads: 2}
"""


def test_plain_numbers_are_rows_of_a_block_of_one_parameter():
    text = "input: [8]\nblocks: {gated(c): [{linear: c}]}\nlayers: [{gated: ROWS}]"
    rows = analyze(text.replace("ROWS", "[1, 2, 4]"))
    assert rows.lines == analyze(text.replace("ROWS", "[[1], [2], [4]]")).lines
    assert [line.output for line in rows.lines] == [(1,), (2,), (4,)]


def test_plain_numbers_are_rows_where_one_parameter_is_left():
    text = """
    input: [8]
    blocks:
      two(c, s=1): [{linear: c * s}]
    layers: [{two: [1, 2], s: 3}, {two: [1, 2]}]
    """
    assert [line.output for line in analyze(text).lines] == [(3,), (6,), (2,)]


def test_a_parameter_hides_a_variable_of_its_name():
    text = "vars: {c: 5}\ninput: [8]\nblocks: {b(c): [{linear: c}]}\nlayers: [{b: 3}, {linear: c}, {b: c + 1}]"
    assert [line.output for line in analyze(text).lines] == [(3,), (5,), (6,)]


@pytest.mark.parametrize(("past", "pairs"), [(0, 16), (1, 20), (12, 64)])
def test_no_past_is_a_past_of_0(past, pairs):
    """4 queries of 8 channels see past + 4 keys: 2 * 8 mult-adds each; 4 * 8 * 8 of the projection."""
    assert analyze(CACHE, past=past).totals["mult_adds"] == 16 * pairs + 256


def test_no_past_is_a_point_of_a_sweep_and_of_a_formula():
    form = formula(CACHE, names=["past", "new"])["mult_adds"]
    for point in sweep(CACHE, past=[0, 1, 7], new=[1, 5]).to_dict("records"):
        own = analyze(CACHE, past=point["past"], new=point["new"]).totals["mult_adds"]
        assert own == point["mult_adds"] == form.closed.subs({one: point[one.name] for one in form.symbols})


def test_positions_of_which_there_are_none_cost_nothing():
    text = "vars: {past: 0}\ninputs: {old: [past, 8], x: [2, 4]}\nlayers: [{linear: 4}, gelu, layernorm, JOIN]"
    report = analyze(text.replace("JOIN", "{concat: [[], x], axis: tokens}"))
    assert report.totals == {"mult_adds": 0, "params": 32}
    assert report.lines[-1].output == (2, 4)


REFUSED = {
    "layers: [{conv: 1, out: 4, from: old}]": "`conv` needs an input of at least 1 on every axis, got 0",
    "layers: [{add: [x, old]}]": "`add` needs an input of at least 1 on every axis, got 0",
    "layers: [{attend: [x, old, old], heads: 1}]": "`attend` needs an input of at least 1 on every axis, got 0",
    "layers: [{maxpool: global, from: old}]": "`maxpool` needs an input of at least 1 on every axis, got 0",
}


@pytest.mark.parametrize(("layers", "said"), REFUSED.items())
def test_none_is_refused_where_it_means_nothing(layers, said):
    text = f"vars: {{past: {{default: 2, min: 0}}}}\ninputs: {{x: [2, 8], old: [past, 8]}}\n{layers}"
    analyze(text)
    with pytest.raises(CostcalcError, match=said):
        analyze(text, past=0)
    with pytest.raises(CostcalcError, match=f"at past=0: {said}"):
        sweep(text, past=[2, 0])


@pytest.mark.parametrize("shape", ["[0, 8]", "[floor(a * 0.5), 8]", "[new - 1, 8]"])
def test_sizes_that_become_0_by_accident_are_refused(shape):
    with pytest.raises(CostcalcError, match="a size must be at least 1, got 0"):
        analyze(f"vars: {{a: 1, new: 1}}\ninput: {shape}\nlayers: [gelu]")
