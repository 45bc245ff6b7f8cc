"""The layer and the line that cause an excess, for hand-written specs with a base in memory."""

import pytest

from costcalc.budget.checking import Run

HEAD = "input: [10, 10, 10]\n"


def lines(*outs):
    """One convolution per line."""
    return "layers:\n" + "".join(f"  - {{conv: 1x1, out: {out}}}\n" for out in outs)


def found(there, before, after, metric="mult_adds", text="1", kind="max"):
    """(line, column, width, what, amount) of the cause of a worsened limit; None if there is none."""
    there({"net.yaml": after}, None if before is None else {"net.yaml": before})
    base = None if before is None else "main"
    (outcome,) = Run(["net.yaml"], None, base, {kind: {metric: text}}).finished().outcomes
    one = outcome.verdicts[0].cause
    return one and (*one.place[1:], one.what, one.amount)


GROWN = [  # the layers before and after: the line, the message, the added mult-adds
    ([5, 6], [5, 7], (4, 6, 4, "conv_2 changed", 500)),
    ([5, 6], [6, 6], (3, 6, 4, "conv_1 changed", 1_000)),  # conv_2 follows from it
    ([5], [5, 9], (4, 6, 4, "conv_2 added", 4_500)),
    ([5, 6, 7], [8, 6, 9], (3, 6, 4, "conv_1 changed and 1 more", 4_200)),
    ([6, 6, 7], [5, 6, 10], (5, 6, 4, "conv_3 changed", 1_800)),
    ([5, 6], [4, 6], None),
]


@pytest.mark.parametrize(("before", "after", "wanted"), GROWN)
def test_the_layer_that_was_changed_is_named(there, before, after, wanted):
    assert found(there, HEAD + lines(*before), HEAD + lines(*after)) == wanted


def test_of_what_falls_below_a_least_cost_the_layer_that_shrank_is_named(there):
    one = found(there, HEAD + lines(5, 6, 7), HEAD + lines(5, 3, 7), text="1G", kind="min")
    assert one == (4, 6, 4, "conv_2 changed", -1_500)  # conv_3 follows


def test_without_a_base_the_largest_layer_is_named(there):
    assert found(there, None, HEAD + lines(5, 6, 4)) == (3, 6, 4, "conv_1, the largest layer", 5_000)
    assert found(there, None, HEAD + lines(5, 20, 4)) == (4, 6, 4, "conv_2, the largest layer", 10_000)


def test_a_limit_on_layers_names_the_layer_that_breaks_it(there):
    assert found(there, None, HEAD + lines(5, 20), "any_layer.mult_adds") == (4, 6, 4, "conv_2", 10_000)
    assert found(there, HEAD + lines(5, 19), HEAD + lines(5, 20), "any_layer.mult_adds") == (4, 6, 4, "conv_2", 500)
    assert found(there, HEAD + lines(5), HEAD + lines(5, 20), "any_layer.mult_adds") == (4, 6, 4, "conv_2", 10_000)


def test_a_figure_of_the_whole_network_comes_from_no_layer(there):
    assert found(there, HEAD + lines(5), HEAD + lines(9), "arena_bytes", "1B") is None
    assert found(there, None, HEAD + lines(9), "arena_bytes", "1B") is None


def test_networks_that_are_too_large_are_not_compared_layer_by_layer(there, limit):
    limit(compared=4)
    assert found(there, HEAD + lines(5, 6), HEAD + lines(5, 7)) == (4, 6, 4, "conv_2 changed", 500)
    limit(compared=3)
    assert found(there, HEAD + lines(5, 6), HEAD + lines(5, 7)) is None


REPEAT = HEAD + "vars: {a: %s}  # wide\nlayers:\n  - repeat: 3\n    layers: [{conv: 1x1, out: a}]\n"
EDITED = [  # before, after: the place of the change, not of the layer
    (REPEAT % 5, REPEAT % 6, (2, 1, 12)),
    (REPEAT % 5, REPEAT.replace("repeat: 3", "repeat: 4") % 5, (4, 3, 11)),
    (
        HEAD + "vars:\n  a: 5\n" + "layers: [{conv: 1x1, out: a}]\n",
        HEAD + "vars:\n  a: 6 # n\n" + "layers: [{conv: 1x1, out: a}]\n",
        (3, 3, 4),
    ),
    (HEAD + lines("5"), "# only a comment is new\n" + HEAD + lines("5 + 1"), (4, 6, 4)),
    (
        "input: [10, 10, 10]\nlayers: [{conv: 1x1, out: 5}]\n",
        "input: [20, 20, 10]\nlayers: [{conv: 1x1, out: 5}]\n",
        (1, 1, 19),
    ),
]


@pytest.mark.parametrize(("before", "after", "spot"), EDITED)
def test_the_line_is_one_that_was_edited(there, before, after, spot):
    assert found(there, before, after)[:3] == spot


def test_layers_that_only_follow_are_named_where_no_layer_changed(there):
    before = "input: [10, 10, 10]\n" + lines(5)
    assert found(there, before, before.replace("10, 10, 10", "20, 20, 10"))[3:] == ("conv", 15_000)


def test_a_growth_of_one_has_a_cause(there):
    text = HEAD + "layers:\n  - {opaque: top, out: [1], params: %s, mult_adds: 5, as: x}\n"
    assert found(there, text % 7, text % 8, "params")[3:] == ("x changed", 1)


def test_of_two_edited_lines_the_nearest_one_is_named(there):
    text = HEAD + "vars:\n  b: %s\n  a: %s\nlayers:\n  - {conv: 1x1, out: a}\n  - {conv: 1x1, out: b}\n"
    assert found(there, text % (5, 5), text % (6, 6))[:2] == (4, 3)


def test_an_include_that_leads_elsewhere_is_the_line(there):
    part = "input: [10, 10, 10]\nlayers: [{conv: 1x1, out: %s}]\n"
    net = HEAD + "layers:\n  - {include: %s.yaml}\n"
    files = {"small.yaml": part % 5, "large.yaml": part % 6, "net.yaml": net % "small"}
    there(files | {"net.yaml": net % "large"}, files)
    (outcome,) = Run(["net.yaml"], None, "main", {"max": {"params": "1"}}).finished().outcomes
    place = outcome.verdicts[0].cause.place
    assert (place.source.path, place.line) == ("large.yaml", 2)
    there({"net.yaml": net % "small", "small.yaml": part % 7}, files)
    (outcome,) = Run(["net.yaml"], None, "main", {"max": {"params": "1"}}).finished().outcomes
    place = outcome.verdicts[0].cause.place
    assert (place.source.path, place.line) == ("small.yaml", 2)
