"""Conventions of other programs against their recorded output: `data/peers.json`, described in `data/README.md`.

Every figure matches exactly, or the convention lists it under `differences`; listed figures must differ.
"""

import json
from functools import lru_cache
from pathlib import Path

import pytest

from costcalc import analyze
from costcalc.analysis.report.report import report
from costcalc.errors import Source
from costcalc.metrics.conventions import COUNTERS, NAMES, find
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.read.loading import load
from costcalc.read.spec.reader import read
from tests.analysis.test_truth import spec_of

RECORD = json.loads((Path(__file__).parents[1] / "data" / "peers.json").read_text())
FIGURES = {  # convention -> the program in the record, and its cost figure
    "fvcore": ("fvcore", "flops"),
    "thop": ("thop", "macs"),
    "ptflops": ("ptflops", "macs"),
    "ptflops_aten": ("ptflops-aten", "macs"),
    "torchinfo": ("torchinfo", "macs"),
    "torchprofile": ("torchprofile", "macs"),
    "flop_counter": ("torch-flop-counter", "flops"),
    "flop_counter_meta": ("torch-flop-counter-meta", "flops"),
    "flops": ("torch-flop-counter-meta", "flops"),
    "deepspeed": ("deepspeed", "flops"),
    "deepspeed_macs": ("deepspeed", "macs"),
    "calflops": ("calflops", "flops"),
    "calflops_macs": ("calflops", "macs"),
    "onnx_tool": ("onnx-tool", "macs"),
}


@lru_cache
def rows_of(name):
    """The model, the trace and the variables of a recorded network, without its final softmax."""
    path, values = spec_of(name)
    model = load(path)
    settled = settle(model, values)
    walked = trace(model, settled)
    assert walked.rows[-1].op.name == "softmax"
    return model, walked._replace(rows=walked.rows[:-1]), settled


def totals(name, convention):
    """(cost, params) of a recorded network under a convention."""
    model, walked, settled = rows_of(name)
    return tuple(report(model, walked, settled, find(convention)).totals.values())


def listed(convention, figure, name):
    """Whether a convention lists a difference for that network or operation."""
    return any(one.figure == figure and name in one.of for one in find(convention).differences)


NETWORKS = [(name, convention) for name in RECORD["networks"] for convention in FIGURES]


@pytest.mark.parametrize(("name", "convention"), NETWORKS)
def test_cost_of_networks(name, convention):
    program, figure = FIGURES[convention]
    theirs = RECORD["networks"][name][program][figure]
    same = totals(name, convention)[0] == theirs
    assert same != listed(convention, find(convention).cost, name)


@pytest.mark.parametrize(("name", "convention"), NETWORKS)
def test_params_of_networks(name, convention):
    theirs = RECORD["networks"][name][FIGURES[convention][0]].get("params")
    if theirs is None:
        assert not find(convention).params or convention == "flops"
    else:
        assert (totals(name, convention)[1] == theirs) != listed(convention, "params", name)


def test_nine_in_ten_figures_are_met():
    """At most one in ten of the programs' cost figures is a listed difference."""
    missed = [pair for pair in NETWORKS if listed(pair[1], find(pair[1]).cost, pair[0])]
    assert len(missed) * 10 <= len(NETWORKS)


CONV = "conv: 3x3, out: 16"
UP = "conv_transpose: 4x4, stride: 2, padding: 1"
SWAPPED = "[{permute: [0, 2, 1]}]"
LAYERS = {  # operation -> layers
    "conv2d (no bias)": f"{{{CONV}, bias: false}}",
    "conv2d bias": f"{{{CONV}}}",
    "conv2d stride 2, dilation 2": f"{{{CONV}, stride: 2, dilation: 2, padding: 2, bias: false}}",
    "conv2d groups 4": f"{{{CONV}, groups: 4, bias: false}}",
    "conv2d depthwise": "{dwconv: 3x3, bias: false}",
    "conv2d padding='same'": "{conv: 4x4, out: 16, bias: false}",
    "conv1d": "{conv: 3, out: 16, bias: false}",
    "conv3d": "{conv: 3x3x3, out: 16, bias: false}",
    "conv_transpose2d k4 s2 (no bias)": f"{{{UP}, out: 16, bias: false}}",
    "conv_transpose2d depthwise k4 s2": f"{{{UP}, out: 8, groups: 8, bias: false}}",
    "F.conv2d on a raw weight": f"{{{CONV}, bias: false}}",
    "linear 2-D (no bias)": "{linear: 32, bias: false}",
    "linear bias": "{linear: 32}",
    "linear on 3-D tokens (no bias)": "{linear: 32, bias: false}",
    "linear on 4-D NHWC (bias)": "{linear: 32}",
    "F.linear on a raw weight": "{linear: 32, bias: false}",
    "batchnorm2d (eval)": "batchnorm",
    "layernorm": "layernorm",
    "groupnorm": "{groupnorm: 4}",
    "relu module": "relu",
    "F.relu": "relu",
    "relu6 module": "relu6",
    "hardswish module": "hswish",
    "silu module": "silu",
    "gelu module": "gelu",
    "sigmoid module": "sigmoid",
    "hardsigmoid module": "hsigmoid",
    "prelu module": "prelu",
    "maxpool2d 2x2": "{maxpool: 2x2}",
    "avgpool2d 2x2": "{avgpool: 2x2}",
    "adaptive_avg_pool2d(1)": "{avgpool: global}",
    "x.mean((2,3))": "{reduce: mean, axis: height}, {reduce: mean, axis: 0}",
    "x + x": "{add: [[], []]}",
    "torch.add(x, x)": "{add: [[], []]}",
    "x * x": "{mul: [[], []]}",
    "x += x": "{add: [[], []]}",
    "torch.cat": "{concat: [[], []]}",
    "softmax module": "softmax",
    "F.softmax": "softmax",
    "x.softmax(-1)": "softmax",
    "x @ y  (4-D)": f"{{matmul: [[], {SWAPPED}]}}",
    "torch.matmul (4-D)": f"{{matmul: [[], {SWAPPED}]}}",
    "torch.bmm": f"{{matmul: [[], {SWAPPED}]}}",
    "torch.einsum": '{einsum: "hqd,hkd->hqk", of: [[], []]}',
    "F.scaled_dot_product_attention": "{attend: [[], [], []], heads: 4}",
    "nn.MultiheadAttention (eval)": "{attention: 4}",
    "nn.Upsample nearest x2": "{upsample: 2}",
    "nn.Upsample bilinear x2": "{upsample: 2, method: bilinear}",
    "F.interpolate bilinear x2": "{upsample: 2, method: bilinear}",
    "F.interpolate size=(20,24)": "{upsample: , to: [20, 24]}",
    "same conv called twice": "{conv: 3x3, out: 8, bias: false, as: one}, {reuse: one}",
    "batch 2 conv": f"{{{CONV}, bias: false, times: 2}}",
}
AS_TOKENS = {  # four heads of 50 tokens: as channels, or as rows
    "F.scaled_dot_product_attention": [50, 64],
    **{name: [200, 50] for name in ("softmax module", "F.softmax", "x.softmax(-1)")},
}
LAST = ("linear", "F.linear", "layernorm", "x", "torch.matmul", "torch.einsum", "nn.MultiheadAttention")


def input_of(name):
    """The input shape of an operation, channels last, without the batch."""
    batch, *shape = RECORD["operations"][name]["input"]
    if name == "torch.bmm":  # its first axis is not a batch
        return [batch, *shape]
    if name in AS_TOKENS:
        return AS_TOKENS[name]
    return shape if name.partition(" ")[0] in LAST else [*shape[1:], shape[0]]


@lru_cache
def operation(name, convention):
    """The cost of an operation under a convention."""
    shape = input_of(name)
    plain = name in ("conv2d bias", "linear bias")

    def cost(layers):
        return analyze(read(Source("op.yaml", f"input: {shape}\nlayers: [{layers}]")), convention=convention)

    with_all, without = cost(LAYERS[name]), cost(LAYERS[name].replace("}", ", bias: false}")) if plain else None
    total = with_all.totals[with_all.convention.cost]
    return total - without.totals[without.convention.cost] if plain else total


def test_every_operation_is_said():
    assert LAYERS.keys() == RECORD["operations"].keys()


@pytest.mark.parametrize("convention", [name for name in FIGURES if name in COUNTERS and name != "flop_counter_meta"])
@pytest.mark.parametrize("name", LAYERS)
def test_cost_of_operations(name, convention):
    program, figure = FIGURES[convention]
    printed = RECORD["operations"][name]["tools"].get(program)
    if printed is None:
        assert name in ("torch.bmm", "batch 2 conv")  # ptflops takes no batch
        return
    same = operation(name, convention) == printed[figure]
    assert same != listed(convention, find(convention).cost, name)


def test_differences_are_of_what_is_recorded():
    known = RECORD["networks"].keys() | RECORD["operations"].keys()
    for name in NAMES:
        for difference in find(name).differences:
            assert set(difference.of) <= known
            assert difference.figure in (find(name).cost, "params")


@pytest.mark.parametrize("name", COUNTERS)
def test_every_price_says_what_it_mirrors(name):
    one = find(name)
    assert one.name == name
    for part in ("prices", "numbers", "params"):
        assert one.mirrors[part].keys() == getattr(one, part).keys()
        assert all(one.mirrors[part].values())
    assert all(0 < bug <= one.prices[key] and "bug" in one.mirrors["prices"][key] for key, bug in one.bugs.items())
