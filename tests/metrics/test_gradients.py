"""The backward pass: mult-adds against PyTorch's counter, the exact rule where it is wrong, and frozen layers."""

import pytest

from costcalc import CostcalcError, analyze, formula, sweep
from costcalc.errors import Source
from costcalc.metrics.gradients import gradients
from costcalc.metrics.walk import Walk
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.read.loading import load
from costcalc.read.spec.reader import read

# Half the FLOPs of torch 2.13's FlopCounterMode on the meta device, backward less forward, 224x224x3, batch 1.
COUNTED = {
    "resnet18": 3_510_132_736,
    "resnet50": 8_060_354_560,
    "vgg16": 30_853_824_512,
    "alexnet_owt": 1_358_100_160,
    "vit_b_16": 35_012_050_944,
    "swin_t": 8_966_682_624,
}
# (right, counted): FlopCounterMode ignores the groups of a convolution in the gradient of its weights.
MISCOUNTED = {"mobilenet_v2": (590_710_528, 5_839_076_224)}


def walk_of(model, **values):
    settled = settle(model, values)
    return Walk(model, trace(model, settled), settled)


def spec(layers, shape="[56, 56, 64]"):
    return read(Source("n.yaml", f"input: {shape}\nlayers: {layers}\n"))


def backward(model, **values):
    return analyze(model, metrics=["backward_mult_adds"], **values).totals["backward_mult_adds"]


@pytest.mark.parametrize("name", COUNTED)
def test_networks_cost_what_torch_counts(name):
    assert backward(name) == COUNTED[name]


@pytest.mark.parametrize("name", MISCOUNTED)
def test_depthwise_networks_cost_what_the_law_says(name):
    right, counted = MISCOUNTED[name]
    walk = walk_of(load(name))
    assert backward(name) == right
    assert right + sum(one.ungrouped for one in gradients(walk)) == counted
    excess = [row.layer.terms["mac"] * (row.layer.detail["groups"] - 1) for row in walk.rows if "dw" in row.op.name]
    assert sum(excess) == counted - right


@pytest.mark.parametrize(
    ("layer", "right", "counted"),
    [
        ("{dwconv: 3x3, bias: false}", 3_612_672, 117_411_840),
        ("{conv: 3x3, out: 128, groups: 4, bias: false}", 115_605_504, 289_013_760),
        ("{conv_transpose: 4x4, out: 32, stride: 2, padding: 1, bias: false}", 205_520_896, 205_520_896),
    ],
)
def test_a_layer_behind_a_trained_one(layer, right, counted):
    """Measured with torch 2.13: a single layer on 64 channels at 56x56 whose input needs a gradient."""
    found = gradients(walk_of(spec(f"[batchnorm, {layer}]")))[-1]
    both = sum(found.inputs.values()) + sum(found.weights.values())
    assert (both, both + found.ungrouped) == (right, counted)


@pytest.mark.parametrize(
    ("layers", "inputs", "weights"),
    [  # of linear layers 8 -> 8 on one position: 64 mult-adds each
        ("[{linear: 8}, {linear: 8}]", 64, 128),
        ("[{linear: 8, trained: false}, {linear: 8}]", 0, 64),  # a frozen prefix
        ("[{linear: 8}, {linear: 8, trained: false}]", 64, 64),  # a frozen layer behind a trained one
        ("[{layers: [{linear: 8}, {linear: 8}], trained: false}]", 0, 0),
        ("[{layers: [{linear: 8, trained: true}, {linear: 8}], trained: false}]", 64, 64),
        ("[{linear: 8, trained: 1 == 2}, {linear: 8, trained: 2 > 1}]", 0, 64),
        ("[{repeat: 3, trained: i == 1, layers: [{linear: 8}]}]", 64, 64),
        ("[{linear: 8, then: [batchnorm], trained: false}, {linear: 8}]", 0, 64),
        ("[{linear: 8, as: a, trained: false}, {linear: 8}, {reuse: a}]", 64, 64),  # the run behind it
        ("[{linear: 8, as: a}, {reuse: a}]", 64, 128),
        ("[{linear: 8, times: 3}, {linear: 8}]", 64, 4 * 64),
        ("[{add: [[{linear: 8}], [{linear: 8}]]}]", 0, 128),  # each branch has a first layer
        ("[{matmul: [[{linear: 8}, {reshape: [1, 8]}], [{linear: 8}, {reshape: [8, 1]}]]}]", 2 * 8, 128),
        ("[{matmul: [[{linear: 8}, {reshape: [1, 8]}], [{reshape: [8, 1]}]]}]", 8, 64),
        ("[{bilinear: [[], []], out: 4}]", 0, 4 * 8 * 8),
        ("[{linear: 8}, {bilinear: [[], []], out: 4}]", 2 * 4 * 8 * 8, 64 + 4 * 8 * 8),
    ],
)
def test_what_needs_a_gradient(layers, inputs, weights):
    found = gradients(walk_of(spec(layers, "[8]")))
    assert sum(sum(one.inputs.values()) for one in found) == inputs
    assert sum(sum(one.weights.values()) for one in found) == weights


def test_low_rank_adapters_pay_for_the_frozen_layer():
    """LoRA: gradients flow through the frozen layers, whose own weights need no gradient."""
    adapted = "{add: [[{linear: 64, trained: false}], [{linear: 4}, {linear: 64}]]}"
    found = gradients(walk_of(spec(f"[{adapted}, {adapted}]", "[64]")))
    assert sum(sum(one.weights.values()) for one in found) == 2 * (64 * 4 + 4 * 64)
    assert sum(sum(one.inputs.values()) for one in found) == 64 * 64 + 64 * 4 + 2 * 4 * 64


@pytest.mark.parametrize(("trained", "inputs", "weights"), [("true", 3 * 16 + 64, 256), ("false", 0, 0)])
def test_attention_on_an_input_without_gradient(trained, inputs, weights):
    """4 tokens of 4 channels: every projection is 64 mult-adds, both products 64 each with four gradients."""
    (found,) = gradients(walk_of(spec(f"[{{attention: 2, trained: {trained}}}]", "[4, 4]")))
    assert found.weights.get("mac", 0) == weights
    assert found.inputs.get("mac", 0) == (64 if weights else 0)
    assert found.inputs.get("mac_attention", 0) == (4 * 64 if weights else 0)


def test_every_number_is_an_array_or_a_symbol_too():
    names = ["backward_mult_adds", "training_mult_adds", "saved_bytes", "training_bytes"]
    table = sweep("mobilenet", metrics=names, alpha=[1.0, 0.75, 0.3], res=[224, 161])
    forms = formula("mobilenet", metrics=names[:3])
    for row in table.to_dict("records"):
        values = {"alpha": row["alpha"], "res": row["res"]}
        totals = analyze("mobilenet", metrics=names, **values).totals
        assert {name: row[name] for name in names} == {name: totals[name] for name in names}
        assert {name: forms[name](**values) for name in forms} == {name: totals[name] for name in forms}
    with pytest.raises(CostcalcError, match="has no formula"):
        formula("mobilenet", metrics=names[3:])


def test_trained_is_a_condition():
    with pytest.raises(CostcalcError, match="`trained` cannot be"):
        spec("[{linear: 8, trained: 3}]", "[8]")


def test_what_only_its_author_knows_is_a_lower_bound():
    layers = "[{linear: 8}, {opaque: a thing, mult_adds: 100, params: 10}]"
    report = analyze(spec(layers, "[8]"), metrics=["backward_mult_adds"])
    assert not report.complete
    assert analyze(spec(layers, "[8]")).complete


def test_operations_with_weights_are_those_that_say_so():
    from costcalc.metrics.gradients import _WEIGHTED
    from costcalc.metrics.price_lists import NUMBERS

    without = {"parameter", "opaque", "selective_scan"}  # their weights are in no mult-adds
    assert {*NUMBERS["weight"].operations} - without == _WEIGHTED
