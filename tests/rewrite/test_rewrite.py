"""Rewrites produce the same network as a rewrite by hand."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costcalc import analyze, formula, load, sweep
from costcalc.errors import Source
from costcalc.read.spec.reader import read
from costcalc.rewrite import fold, separable, standard, thin

HERE = Path(__file__).parents[1]
SPECS = sorted([*(HERE.parent / "configs").glob("*.yaml"), *(HERE / "specs").glob("*.yaml")])
ALL_SPECS = pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}/{path.stem}")
INPUT = "input: [32, 32, 16]\n"


def spec(layers, head=INPUT):
    """The model of a spec with these layers."""
    return read(Source("net.yaml", head + "layers:\n" + "".join(f"  - {layer}\n" for layer in layers)))


def costs(model, convention="framework", **values):
    """Type and cost of each layer, without its name."""
    report = analyze(model, convention=convention, settings=values)
    return [(line.type, line.inputs, line.output, line.times, line.cost, line.params) for line in report.lines]


def lines_of(problems):
    """Reasons by line of the list of layers, from 1."""
    return {spot[1]: reason for spot, reason in problems.items()}


REWRITES = {
    "standard": standard,
    "separable": separable,
    "thin": lambda model: thin(model, 0.75),
    "fold": fold,
}


# by hand: (layers, rewritten layers), with `head` if it has more than the input

STANDARD = {
    "plain": (
        ["{dwconv: 3x3, stride: 2, padding: 1}", "{conv: 1x1, out: 24, bias: false, then: [batchnorm, relu]}"],
        ["{conv: 3x3, stride: 2, padding: 1, out: 24, bias: false, then: [batchnorm, relu]}"],
    ),
    "norms and activations between": (
        ["{dwconv: 3x3, then: [batchnorm, relu6]}", "batchnorm", "hswish", "{conv: 1x1, out: 24}", "relu"],
        ["{conv: 3x3, out: 24}", "relu"],
    ),
    "window": (
        ["{dwconv: [1, 7], dilation: [1, 2], padding: valid}", "{conv: 1, out: 24}"],
        ["{conv: [1, 7], dilation: [1, 2], padding: valid, out: 24}"],
    ),
    "two after each other": (
        ["{dwconv: 3x3}", "{conv: 1x1, out: 24}", "{dwconv: 5x5}", "{conv: 1x1, out: 8}", "{conv: 1x1, out: 9}"],
        ["{conv: 3x3, out: 24}", "{conv: 5x5, out: 8}", "{conv: 1x1, out: 9}"],
    ),
    "repeat": (
        ["{repeat: 3, layers: [{dwconv: 3x3}, {conv: 1x1, out: 8 * (i + 1)}]}"],
        ["{repeat: 3, layers: [{conv: 3x3, out: 8 * (i + 1)}]}"],
    ),
    "residual": (
        ["{residual: true, layers: [{dwconv: 3x3, then: [relu]}, {conv: 1x1, out: 16}]}"],
        ["{residual: true, layers: [{conv: 3x3, out: 16}]}"],
    ),
    "branches": (
        ["concat: [[{dwconv: 3x3}, {conv: 1x1, out: 8}], [{conv: 1x1, out: 8}], []]"],
        ["concat: [[{conv: 3x3, out: 8}], [{conv: 1x1, out: 8}], []]"],
    ),
    "one branch": (
        ["{layernorm: , as: x}", "{matmul: [[{dwconv: 3x3}, {conv: 1x1, out: 32}], x]}"],
        ["{layernorm: , as: x}", "{matmul: [[{conv: 3x3, out: 32}], x]}"],
    ),
    "a layer that is tapped": (
        ["{dwconv: 3x3}", "{conv: 1x1, out: 24, as: p}", "{maxpool: 2}", "{conv: 1x1, out: 4, from: p}"],
        ["{conv: 3x3, out: 24, as: p}", "{maxpool: 2}", "{conv: 1x1, out: 4, from: p}"],
    ),
    "from": (
        ["{conv: 1x1, out: 4, as: p}", "relu", "{dwconv: 3x3, from: input}", "{conv: 1x1, out: 24}"],
        ["{conv: 1x1, out: 4, as: p}", "relu", "{conv: 3x3, out: 24, from: input}"],
    ),
    "times": (
        ["{times: 10, layers: [{dwconv: 3x3}, {conv: 1x1, out: 24}]}"],
        ["{times: 10, layers: [{conv: 3x3, out: 24}]}"],
    ),
    "reuse of a group": (
        ["{layers: [{dwconv: 3x3}, {conv: 1x1, out: 16}], as: head}", "{reuse: head}"],
        ["{conv: 3x3, out: 16, as: head}", "{reuse: head}"],
    ),
    "shipped block": (
        ["{separable: [[24, 2], [32]]}", "{separable: 32, repeat: 2}"],
        ["{conv: 3x3, out: 24, stride: 2, bias: false, then: [batchnorm, relu]}"]
        + ["{conv: 3x3, out: 32, bias: false, then: [batchnorm, relu]}"] * 3,
    ),
    "one dimension": (
        ["{dwconv: 9, stride: 2}", "gelu", "{conv: 1, out: 24}"],
        ["{conv: 9, stride: 2, out: 24}"],
        "input: [100, 16]\n",
    ),
}
STANDARD_BLOCKS = {
    "parameters": (
        "blocks:\n  part(k, c, s=1, act=relu):\n    - {dwconv: k, stride: s, then: [batchnorm, act]}\n"
        "    - {conv: 1x1, out: 2 * c, then: [act]}\n",
        ["part: [[3x3, 8], [5x5, 12, 2], [[1, 3], 4, 1, hswish]]", "{part: {k: 7, c: 4}, repeat: 2, residual: i > 0}"],
        [
            "{conv: 3x3, out: 16, then: [relu]}",
            "{conv: 5x5, out: 24, stride: 2, then: [relu]}",
            "{conv: [1, 3], out: 8, then: [hswish]}",
            "{repeat: 2, residual: i > 0, layers: [{conv: 7x7, out: 8, then: [relu]}]}",
        ],
    ),
    "an activation in place of a norm": (
        "blocks:\n  part(mid, c):\n    - {dwconv: 3x3, then: [mid]}\n    - {conv: 1x1, out: c}\n",
        ["part: [[relu, 8], [glu, 8], [relu, 9]]"],
        ["{conv: 3x3, out: 8}", "{dwconv: 3x3, then: [glu]}", "{conv: 1x1, out: 8}", "{conv: 3x3, out: 9}"],
    ),
    "block in block": (
        "blocks:\n  inner(c): [{dwconv: 3x3}, {conv: 1x1, out: c}]\n  outer(c): [{inner: c}, {inner: 2 * c}]\n",
        ["outer: [[8], [10]]"],
        [f"{{conv: 3x3, out: {width}}}" for width in (8, 16, 10, 20)],
    ),
}


@pytest.mark.parametrize("name", STANDARD)
def test_standard_by_hand(name):
    before, after, *head = STANDARD[name]
    assert costs(standard(spec(before, *head)).model) == costs(spec(after, *head))


@pytest.mark.parametrize("name", STANDARD_BLOCKS)
def test_standard_of_blocks_by_hand(name):
    blocks, before, after = STANDARD_BLOCKS[name]
    assert costs(standard(spec(before, INPUT + blocks)).model) == costs(spec(after))


LEFT_STANDARD = {
    "{dwconv: 3x3, multiplier: 2}|{conv: 1x1, out: 8}": "it has several filters per channel",
    "{dwconv: 3x3}|{conv: 3x3, out: 8}": "no 1x1 convolution follows it",
    "{dwconv: 3x3}": "no 1x1 convolution follows it",
    "{dwconv: 3x3}|{squeeze_excite: 4}|{conv: 1x1, out: 8}": "no 1x1 convolution follows it",
    "{dwconv: 3x3}|{maxpool: 2}|{conv: 1x1, out: 8}": "no 1x1 convolution follows it",
    "{dwconv: 3x3, then: [{maxpool: 2}]}|{conv: 1x1, out: 8}": ("other layers are between it and the 1x1 convolution"),
    "{dwconv: 3x3}|{conv: 1x1, out: 8, groups: 2}": "the 1x1 convolution after it is grouped",
    "{dwconv: 3x3}|{conv: 1x1, out: 8, padding: 1}": "the 1x1 convolution after it is padded",
    "{dwconv: 3x3}|{conv: 1x1, out: 8, stride: 2}": "the 1x1 convolution after it has a stride",
    "{dwconv: 3x3, as: a}|{conv: 1x1, out: 8}": "it is named, repeated or conditional",
    "{dwconv: 3x3, repeat: 2}|{conv: 1x1, out: 8}": "it is named, repeated or conditional",
    "{dwconv: 3x3, when: channels > 4}|{conv: 1x1, out: 8}": "it is named, repeated or conditional",
    "{dwconv: 3x3}|{conv: 1x1, out: 8, repeat: 2}": (
        "the 1x1 convolution after it is repeated, conditional or has a residual"
    ),
    "{dwconv: 3x3}|{conv: 1x1, out: 8, from: input}": (
        "the 1x1 convolution after it is repeated, conditional or has a residual"
    ),
    "{dwconv: 3x3, stride: 2}|{conv: 1x1, out: height}": (
        "the width after it depends on the grid, which its stride changes"
    ),
    "{dwconv: 3x3}|{conv: 1x1, out: 16, as: a}|{reuse: a, from: input}": (
        "the 1x1 convolution after it is reused separately"
    ),
}


@pytest.mark.parametrize("layers", LEFT_STANDARD)
def test_standard_leaves_alone_what_it_must_and_says_why(layers):
    model = spec(layers.split("|"))
    done = standard(model)
    assert costs(done.model) == costs(model)
    assert lines_of(done.left) == {3: LEFT_STANDARD[layers]}
    assert not done.changed


SEPARABLE = {
    "the first stays": (
        ["{conv: 3x3, out: 8}", "{conv: 3x3, out: 24, stride: 2, padding: 1, bias: false}"],
        [
            "{conv: 3x3, out: 8}",
            "{dwconv: 3x3, stride: 2, padding: 1, bias: false}",
            "{conv: 1x1, out: 24, bias: false}",
        ],
    ),
    "the first is 1x1": (
        ["{conv: 1x1, out: 8}", "{conv: 3x3, out: 24}"],
        ["{conv: 1x1, out: 8}", "{dwconv: 3x3}", "{conv: 1x1, out: 24}"],
    ),
    "what follows stands after both": (
        ["{conv: 1x1, out: 8}", "{conv: 5x5, out: 24, then: [batchnorm, relu, {maxpool: 2}]}"],
        [
            "{conv: 1x1, out: 8}",
            "{dwconv: 5x5, then: [batchnorm, relu]}",
            "{conv: 1x1, out: 24, then: [batchnorm, relu, {maxpool: 2}]}",
        ],
    ),
    "rectangles and dilation": (
        ["{conv: 1x1, out: 8}", "{conv: [1, 7], out: 24, dilation: [1, 2]}"],
        ["{conv: 1x1, out: 8}", "{dwconv: [1, 7], dilation: [1, 2]}", "{conv: 1x1, out: 24}"],
    ),
    "repeat": (
        ["{conv: 1x1, out: 8}", "{conv: 3x3, out: 8 * (i + 1), repeat: 3, residual: i == 0}"],
        [
            "{conv: 1x1, out: 8}",
            "{repeat: 3, residual: i == 0, layers: [{dwconv: 3x3}, {conv: 1x1, out: 8 * (i + 1)}]}",
        ],
    ),
    "a first one that repeats": (
        ["{conv: 3x3, out: 8, repeat: 3, then: [relu]}"],
        [
            "{conv: 3x3, out: 8, then: [relu]}",
            "{repeat: 2, layers: [{dwconv: 3x3, then: [relu]}, {conv: 1x1, out: 8, then: [relu]}]}",
        ],
    ),
    "a first one in a group that repeats": (
        ["{repeat: 2, layers: [{conv: 3x3, out: 8}, {conv: 3x3, out: 9}]}"],
        [
            "{conv: 3x3, out: 8}",
            "{dwconv: 3x3}",
            "{conv: 1x1, out: 9}",
            "{dwconv: 3x3}",
            "{conv: 1x1, out: 8}",
            "{dwconv: 3x3}",
            "{conv: 1x1, out: 9}",
        ],
    ),
    "conditions": (
        ["{conv: 1x1, out: 8}", "{conv: 3x3, out: 8, when: channels > 9}", "{conv: 3x3, out: 9, when: channels < 9}"],
        ["{conv: 1x1, out: 8}", "{dwconv: 3x3}", "{conv: 1x1, out: 9}"],
    ),
    "branches": (
        ["{conv: 1x1, out: 8, as: x}", "concat: [[{conv: 3x3, out: 4}], x, [{conv: 1x1, out: 4}]]"],
        ["{conv: 1x1, out: 8, as: x}", "concat: [[{dwconv: 3x3}, {conv: 1x1, out: 4}], x, [{conv: 1x1, out: 4}]]"],
    ),
    "named, tapped and used again": (
        [
            "{conv: 1x1, out: 24}",
            "{conv: 3x3, out: 24, as: p}",
            "{maxpool: 2}",
            "{reuse: p}",
            "{conv: 1x1, out: 4, from: p}",
        ],
        [
            "{conv: 1x1, out: 24}",
            "{layers: [{dwconv: 3x3}, {conv: 1x1, out: 24}], as: p}",
            "{maxpool: 2}",
            "{reuse: p}",
            "{conv: 1x1, out: 4, from: p}",
        ],
    ),
    "times": (
        ["{conv: 1x1, out: 24}", "{conv: 3x3, out: 24, times: 5, residual: true}"],
        ["{conv: 1x1, out: 24}", "{times: 5, residual: true, layers: [{dwconv: 3x3}, {conv: 1x1, out: 24}]}"],
    ),
    "a width relative to the input": (
        ["{conv: 1x1, out: 24}", "{conv: 3x3, out: 2 * channels}"],
        ["{conv: 1x1, out: 24}", "{dwconv: 3x3}", "{conv: 1x1, out: 2 * channels}"],
    ),
    "three dimensions": (
        ["{conv: 1, out: 8}", "{conv: [3, 5, 7], out: 24, stride: [1, 2, 1]}"],
        ["{conv: 1, out: 8}", "{dwconv: [3, 5, 7], stride: [1, 2, 1]}", "{conv: 1, out: 24}"],
        "input: [8, 16, 16, 4]\n",
    ),
}
SEPARABLE_BLOCKS = {
    "kernel, groups, stride and word as arguments": (
        "blocks:\n  part(k, c, s=1, g=1, act=relu):\n    - {conv: k, out: c, stride: s, groups: g, then: [act]}\n",
        ["part: [[1x1, 8], [3x3, 16], [5x5, 16, 2, 4], [7, 12, 1, 1, hswish], [[1, 3], 8]]"],
        [
            "{conv: 1x1, out: 8, then: [relu]}",
            "{dwconv: 3x3, then: [relu]}",
            "{conv: 1x1, out: 16, then: [relu]}",
            "{conv: 5x5, out: 16, stride: 2, groups: 4, then: [relu]}",
            "{dwconv: 7x7, then: [hswish]}",
            "{conv: 1x1, out: 12, then: [hswish]}",
            "{dwconv: [1, 3], then: [relu]}",
            "{conv: 1x1, out: 8, then: [relu]}",
        ],
    ),
    "the first in a block that is called again": (
        "blocks:\n  part(c): [{conv: 3x3, out: c}]\n",
        ["part: [[8], [9]]", "{part: 10}"],
        ["{conv: 3x3, out: 8}", "{dwconv: 3x3}", "{conv: 1x1, out: 9}", "{dwconv: 3x3}", "{conv: 1x1, out: 10}"],
    ),
    "the first in a block that repeats": (
        "blocks:\n  part(c): [{conv: 3x3, out: c}]\n",
        ["{part: 8, repeat: 2}", "{part: 9}"],
        ["{conv: 3x3, out: 8}", "{dwconv: 3x3}", "{conv: 1x1, out: 8}", "{dwconv: 3x3}", "{conv: 1x1, out: 9}"],
    ),
}


@pytest.mark.parametrize("name", SEPARABLE)
def test_separable_by_hand(name):
    before, after, *head = SEPARABLE[name]
    assert costs(separable(spec(before, *head)).model) == costs(spec(after, *head))


@pytest.mark.parametrize("name", SEPARABLE_BLOCKS)
def test_separable_of_blocks_by_hand(name):
    blocks, before, after = SEPARABLE_BLOCKS[name]
    assert costs(separable(spec(before, INPUT + blocks)).model) == costs(spec(after))


def test_the_stem_too():
    before, after = SEPARABLE["the first stays"][0], ["{dwconv: 3x3}", "{conv: 1x1, out: 8}"]
    after += ["{dwconv: 3x3, stride: 2, padding: 1, bias: false}", "{conv: 1x1, out: 24, bias: false}"]
    assert costs(separable(spec(before), stem=True).model) == costs(spec(after))


def test_separable_leaves_alone_what_it_must_and_says_why():
    layers = ["{conv: 3x3, out: 16}", "{conv: 3x3, out: 16, groups: 4}", "{conv_transpose: 4x4, out: 16, stride: 2}"]
    layers += ["{conv: 3x3, out: width, stride: 2}", "{conv: 1x1, out: 16, groups: 2}", "{dwconv: 3x3}"]
    done = separable(spec(layers))
    assert costs(done.model) == costs(spec(layers))
    assert lines_of(done.left) == {
        3: "it is the first convolution (--stem takes it too)",
        4: "it is grouped",
        5: "it is transposed",
        6: "its width depends on the grid, which its stride changes",
    }


def test_where_the_first_may_not_run_the_next_may_be_it():
    layers = ["{layers: [{conv: 3x3, out: 8}], when: k > 1}", "{conv: 3x3, out: 8, when: k > 2}", "{conv: 3x3, out: 8}"]
    done = separable(spec([*layers, "{conv: 3x3, out: 9}"], "vars: {k: 3}\n" + INPUT))
    why = "it may be the first convolution (--stem takes it too)"
    assert lines_of(done.left) == {4: why.replace("may be", "is"), 5: why, 6: why}
    for k, count in ((3, 3), (2, 2), (1, 1)):
        assert [row[0] for row in costs(done.model, k=k)] == ["conv 3x3"] * count + ["conv dw 3x3", "conv 1x1"]


THIN = {  # alpha is 0.5
    "plain": (
        ["{conv: 3x3, out: 24}", "{dwconv: 3x3}", "{conv: 1x1, out: 31, groups: 1}", "avgpool: global", "linear: 10"],
        ["{conv: 3x3, out: 12}", "{dwconv: 3x3}", "{conv: 1x1, out: 15}", "avgpool: global", "linear: 10"],
    ),
    "at least 8 where there were as many": (
        ["{conv: 3x3, out: 12}", "{conv: 3x3, out: 4}", "{conv: 3x3, out: 99}"],
        ["{conv: 3x3, out: 8}", "{conv: 3x3, out: 4}", "{conv: 3x3, out: 99}"],
    ),
    "relative widths": (
        ["{conv: 3x3, out: 24}", "{conv: 3x3, out: 2 * channels}", "linear: 3"],
        ["{conv: 3x3, out: 12}", "{conv: 3x3, out: 24}", "linear: 3"],
    ),
    "joins": (
        [
            "{conv: 3x3, out: 32}",
            "{residual: true, layers: [{conv: 3x3, out: 32}]}",
            "concat: [[{conv: 1x1, out: 32}], [{conv: 1x1, out: 64}]]",
            "linear: 3",
        ],
        [
            "{conv: 3x3, out: 16}",
            "{residual: true, layers: [{conv: 3x3, out: 16}]}",
            "concat: [[{conv: 1x1, out: 16}], [{conv: 1x1, out: 32}]]",
            "linear: 3",
        ],
    ),
    "every shape of the output": (
        ["{conv: 3x3, out: 32}", "{layers: [{linear: 64}, relu, {layers: [{linear: 10}]}, softmax]}"],
        ["{conv: 3x3, out: 16}", "{layers: [{linear: 32}, relu, {layers: [{linear: 10}]}, softmax]}"],
    ),
    "repeat and tap": (
        ["{conv: 3x3, out: 32, as: p}", "{conv: 3x3, out: 16 * (i + 1), repeat: 2}", "{conv: 1x1, out: 5, from: p}"],
        ["{conv: 3x3, out: 16, as: p}", "{conv: 3x3, out: 8 * (i + 1), repeat: 2}", "{conv: 1x1, out: 5, from: p}"],
    ),
    "classes wherever they are": (
        ["{conv: 3x3, out: 32}", "concat: [[{linear: classes}], [{linear: 32}]]", "{conv: 1x1, out: 4}"],
        ["{conv: 3x3, out: 16}", "concat: [[{linear: classes}], [{linear: 16}]]", "{conv: 1x1, out: 4}"],
        "vars: {classes: 20}\n" + INPUT,
    ),
    "recurrent and parameter": (
        ["{lstm: 64}", "{gru: 32}", "{linear: 2}"],
        ["{lstm: 32}", "{gru: 16}", "{linear: 2}"],
        "input: [20, 64]\n",
    ),
}
THIN_BLOCKS = {
    "a width as an argument, a condition on it": (
        "blocks:\n  part(c, s=1, n=16):\n    - residual: c == channels\n"
        "      layers: [{conv: 3x3, out: c, stride: s}]\n    - {linear: n, when: s == 2}\n    - {relu: , repeat: s}\n",
        ["{conv: 1x1, out: 32}", "part: [[32], [64, 2, 32], {c: 32}]", "linear: 9"],
        [
            "{conv: 1x1, out: 16}",
            "{residual: true, layers: [{conv: 3x3, out: 16}]}",
            "relu",
            "{conv: 3x3, out: 32, stride: 2}",
            "{linear: 16}",
            "relu",
            "relu",
            "{residual: true, layers: [{conv: 3x3, out: 16}]}",
            "relu",
            "linear: 9",
        ],
    ),
    "a count of the same name in a block inside": (
        "blocks:\n  inner(n): [{conv: 1x1, out: n}]\n  outer(n): [{inner: 32, repeat: n}]\n",
        ["{outer: 24}", "linear: 5"],
        ["{repeat: 24, layers: [{conv: 1x1, out: 16}]}", "linear: 5"],
    ),
    "a width passed on": (
        "blocks:\n  inner(n, m=n): [{conv: 1x1, out: n}, {conv: 1x1, out: m}]\n  outer(w): [{inner: w}]\n",
        ["{outer: 24}", "{inner: channels // 2}", "linear: 5"],
        ["{conv: 1x1, out: 12}"] * 2 + ["{conv: 1x1, out: 6}"] * 2 + ["linear: 5"],
    ),
    "the output's width as an argument": (
        "blocks:\n  head(c, n=24): [{conv: 1x1, out: n}, {conv: 1x1, out: c}, {linear: c}]\n"
        "  tail(n): [{layers: [{head: n}]}, softmax]\n",
        ["{head: 32}", "head: [[32], [20]]", "{tail: 10}"],
        ["{conv: 1x1, out: 12}", "{conv: 1x1, out: 16}", "{linear: 16}"] * 2
        + ["{conv: 1x1, out: 12}", "{conv: 1x1, out: 10}", "{linear: 10}"]
        + ["{conv: 1x1, out: 12}", "{conv: 1x1, out: 8}", "{linear: 10}", "softmax"],
    ),
    "a ratio and a default that follows": (
        "blocks:\n  part(t, c, mid=t * channels): [{conv: 1x1, out: mid}, {dwconv: 3x3}, {conv: 1x1, out: c}]\n",
        ["{conv: 1x1, out: 32}", "part: [[6, 32], [2, 24]]", "linear: 5"],
        [
            "{conv: 1x1, out: 16}",
            "{conv: 1x1, out: 96}",
            "{dwconv: 3x3}",
            "{conv: 1x1, out: 16}",
            "{conv: 1x1, out: 32}",
            "{dwconv: 3x3}",
            "{conv: 1x1, out: 12}",
            "linear: 5",
        ],
    ),
}


@pytest.mark.parametrize("name", THIN)
def test_thin_by_hand(name):
    before, after, *head = THIN[name]
    assert costs(thin(spec(before, *head), 0.5).model) == costs(spec(after, *head))


@pytest.mark.parametrize("name", THIN_BLOCKS)
def test_thin_of_blocks_by_hand(name):
    blocks, before, after = THIN_BLOCKS[name]
    assert costs(thin(spec(before, INPUT + blocks), 0.5).model) == costs(spec(after))


FOLD = {
    "what follows a convolution": (
        [
            "{conv: 3x3, out: 8, bias: false, then: [batchnorm, relu]}",
            "{dwconv: 3x3, bias: false, then: [batchnorm]}",
            "{linear: 8, bias: false, then: [batchnorm, relu, {maxpool: 2}]}",
        ],
        ["{conv: 3x3, out: 8, then: [relu]}", "{dwconv: 3x3}", "{linear: 8, then: [relu, {maxpool: 2}]}"],
    ),
    "a layer of its own": (
        ["{conv: 3x3, out: 8, bias: false}", "{batchnorm: , then: [relu]}", "{conv_transpose: 2, out: 8}", "batchnorm"],
        ["{conv: 3x3, out: 8, then: [relu]}", "{conv_transpose: 2, out: 8}"],
    ),
    "with a bias already": (
        ["{conv: 3x3, out: 8, then: [batchnorm]}"],
        ["{conv: 3x3, out: 8}"],
    ),
    "only one of two": (
        ["{conv: 3x3, out: 8, bias: false, then: [batchnorm, batchnorm]}"],
        ["{conv: 3x3, out: 8, then: [batchnorm]}"],
    ),
    "not what is before or apart": (
        ["batchnorm", "{conv: 3x3, out: 8, bias: false, then: [relu, batchnorm]}", "layernorm"],
        ["batchnorm", "{conv: 3x3, out: 8, bias: false, then: [relu, batchnorm]}", "layernorm"],
    ),
    "not what others read": (
        ["{conv: 3x3, out: 8, bias: false, as: p}", "batchnorm", "{add: [[], p]}"],
        ["{conv: 3x3, out: 8, bias: false, as: p}", "batchnorm", "{add: [[], p]}"],
    ),
    "in branches, groups and repeats": (
        [
            "concat: [[{conv: 1x1, out: 4, bias: false}, batchnorm], [batchnorm]]",
            "{repeat: 2, layers: [{conv: 1x1, out: 4, bias: false, then: [batchnorm]}]}",
        ],
        ["concat: [[{conv: 1x1, out: 4}], [batchnorm]]", "{repeat: 2, layers: [{conv: 1x1, out: 4}]}"],
    ),
}
FOLD_BLOCKS = {
    "a norm as an argument": (
        "blocks:\n  part(c, norm=batchnorm): [{conv: 1x1, out: c, bias: false, then: [norm, relu]}]\n",
        ["part: [[8], [8, layernorm], [9]]"],
        [
            "{conv: 1x1, out: 8, then: [relu]}",
            "{conv: 1x1, out: 8, bias: false, then: [layernorm, relu]}",
            "{conv: 1x1, out: 9, then: [relu]}",
        ],
    ),
    "shipped blocks": (
        "",
        ["{separable: 24}"],
        ["{dwconv: 3x3, then: [relu]}", "{conv: 1x1, out: 24, then: [relu]}"],
    ),
}


@pytest.mark.parametrize("convention", ["framework", "paper", "keras", "flops", "slim"])
@pytest.mark.parametrize("name", FOLD)
def test_fold_by_hand(name, convention):
    before, after = FOLD[name]
    assert costs(fold(spec(before)).model, convention) == costs(spec(after), convention)


@pytest.mark.parametrize("name", FOLD_BLOCKS)
def test_fold_of_blocks_by_hand(name):
    blocks, before, after = FOLD_BLOCKS[name]
    assert costs(fold(spec(before, INPUT + blocks)).model) == costs(spec(after))


def test_fold_says_what_it_cannot():
    done = fold(
        spec(["batchnorm", "{conv: 3x3, out: 8, then: [relu, batchnorm]}", "{conv: 1x1, out: 8, as: p}", "batchnorm"])
    )
    why = "no convolution or linear layer is directly before it"
    assert lines_of(done.left) == {3: why, 4: why, 6: why}


INNER = """
vars: {w: 16, k: 3}
input: [64, 64, 3]
blocks:
  part(c):
    - {conv: k, out: c, bias: false, then: [batchnorm, relu]}
layers:
  - {conv: k, out: w, as: stem}
  - part: [[24], [w]]
  - {dwconv: 3x3}
  - {conv: 1x1, out: 32, as: last}
  - {linear: 9}
"""
INCLUDED = {  # by hand: the rewritten {include, until: last, w: 20} and {include, after: stem, times: 2}
    "separable": (
        ["{conv: 3x3, out: 20}"]
        + [layer for width in (24, 20) for layer in ("{dwconv: 3x3, %s}", f"{{conv: 1x1, out: {width}, %s}}")]
        + ["{dwconv: 3x3}", "{conv: 1x1, out: 32}"],
        [layer for width in (24, 16) for layer in ("{dwconv: 3x3, %s}", f"{{conv: 1x1, out: {width}, %s}}")]
        + ["{dwconv: 3x3}", "{conv: 1x1, out: 32}", "{linear: 9}"],
    ),
    "standard": (
        ["{conv: 3x3, out: 20}", "{conv: 3x3, out: 24, %s}", "{conv: 3x3, out: 20, %s}", "{conv: 3x3, out: 32}"],
        ["{conv: 3x3, out: 24, %s}", "{conv: 3x3, out: 16, %s}", "{conv: 3x3, out: 32}", "{linear: 9}"],
    ),
    "thin": (
        [
            "{conv: 3x3, out: 15}",
            "{conv: 3x3, out: 18, %s}",
            "{conv: 3x3, out: 15, %s}",
            "{dwconv: 3x3}",
            "{conv: 1x1, out: 24}",
        ],
        [
            "{conv: 3x3, out: 18, %s}",
            "{conv: 3x3, out: 12, %s}",
            "{dwconv: 3x3}",
            "{conv: 1x1, out: 24}",
            "{linear: 9}",
        ],
    ),
    "fold": (
        [
            "{conv: 3x3, out: 20}",
            "{conv: 3x3, out: 24, then: [relu]}",
            "{conv: 3x3, out: 20, then: [relu]}",
            "{dwconv: 3x3}",
            "{conv: 1x1, out: 32}",
        ],
        [
            "{conv: 3x3, out: 24, then: [relu]}",
            "{conv: 3x3, out: 16, then: [relu]}",
            "{dwconv: 3x3}",
            "{conv: 1x1, out: 32}",
            "{linear: 9}",
        ],
    ),
}


@pytest.mark.parametrize("name", INCLUDED)
def test_included_specs_by_hand(tmp_path, name):
    (tmp_path / "inner.yaml").write_text(INNER)
    layers = "[{include: inner.yaml, until: last, w: 20}, {include: inner.yaml, after: stem, times: 2}]"
    (tmp_path / "top.yaml").write_text(f"{INPUT}layers: {layers}\n")
    norms = "bias: false, then: [batchnorm, relu]"
    first, second = ([layer.replace("%s", norms) for layer in part] for part in INCLUDED[name])
    by_hand = spec([*first, f"{{times: 2, layers: [{', '.join(second)}]}}"])
    assert costs(REWRITES[name](load(tmp_path / "top.yaml")).model) == costs(by_hand)


# laws


@ALL_SPECS
def test_there_and_back(path):
    model = load(path)
    there = separable(model)
    back = standard(there.model)
    assert costs(back.model) == costs(standard(model).model)
    if not standard(model).changed:
        assert costs(back.model) == costs(model)
    assert there.changed or costs(there.model) == costs(model)


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "resnet18", "googlenet", "alexnet"])
def test_there_and_back_with_the_stem(name):
    there = separable(load(name), stem=True).model
    assert not any(kernel_of(line) > 1 for line in analyze(there).lines if line.op == "conv" and line.groups == 1)
    assert costs(standard(there).model) == costs(load(name))


def kernel_of(line):
    """The longest side of a layer's kernel."""
    return max(line.kernel)


@ALL_SPECS
def test_a_width_multiplier_of_1_changes_nothing(path):
    assert costs(thin(load(path), 1).model) == costs(load(path))


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75, 1.5])
def test_thin_of_mobilenet_is_its_own_width_multiplier(alpha):
    text = load("mobilenet").source.text.replace("floor(alpha * c)", "c").replace("published:", "#").partition("#\n")[0]
    plain = read(Source("mobilenet.yaml", text))
    assert costs(thin(plain, alpha).model) == costs(load("mobilenet"), alpha=alpha)


@ALL_SPECS
def test_fold_takes_norms_and_leaves_multiplications(path):
    model = load(path)
    done = fold(model)
    before, after = (analyze(one, convention="framework") for one in (model, done.model))
    assert before.totals["mult_adds"] == after.totals["mult_adds"]
    left = sum(line.op == "batchnorm" for line in after.lines)
    reasons = {spot[1] for spot in done.left}
    assert left == sum(line.op == "batchnorm" and line.line in reasons for line in before.lines)
    assert fold(done.model).changed == frozenset()


@ALL_SPECS
def test_the_model_that_comes_in_stays_as_it_was(path):
    model = load(path)
    before = costs(model)
    for done in (standard(model), separable(model), separable(model, stem=True), thin(model, 0.5), fold(model)):
        assert done.model.steps is not model.steps or not model.steps
        assert (done.model.variables, done.model.source) == (model.variables, model.source)
    assert costs(model) == before


# generated specs

KERNELS = ["1x1", "3x3", "5x5", "7", "[1, 3]", "[3, 1]"]
THEN = ["", ", then: [batchnorm, relu]", ", then: [relu6]", ", bias: false, then: [batchnorm]", ", then: []"]


@st.composite
def layers(draw, depth=2, side=16):
    """Lists of layers that keep the grid, so that any list fits anywhere."""
    return [draw(layer(depth)) for _ in range(draw(st.integers(1, 4)))]


@st.composite
def layer(draw, depth):
    """One layer, or a list of them in a group, block, repeat, branch."""
    kinds = (
        ["conv"] * 3 + ["grouped", "other"] + ["group", "repeat", "residual", "concat", "times", "part"] * (depth > 0)
    )
    kind = draw(st.sampled_from(kinds))
    kernel, width = (
        draw(st.sampled_from(KERNELS)),
        draw(st.sampled_from(["8", "12", "2 * channels", "channels // 2 * 2"])),
    )
    then = draw(st.sampled_from(THEN))
    if kind == "conv":
        return f"{{conv: {kernel}, out: {width}{then}}}"
    if kind == "grouped":
        return f"{{conv: {kernel}, out: 2 * channels, groups: 2{then}}}"
    if kind == "other":
        return draw(st.sampled_from(["relu", "batchnorm", "{maxpool: 3x3, stride: 1}", "{channel_shuffle: 2}"]))
    if kind == "part":
        row = [kernel, *(draw(st.sampled_from(values)) for values in ([8, 16], [1, 2], ["relu", "gelu"]))]
        return f"{{part: [{', '.join(map(str, row))}]}}"
    inner = ", ".join(draw(layers(depth - 1)))
    if kind == "repeat":
        return f"{{repeat: {draw(st.integers(0, 3))}, layers: [{inner}]}}"
    if kind == "residual":
        return f"{{residual: channels == 8, layers: [{inner}, {{conv: {kernel}, out: 8{then}}}]}}"
    if kind == "concat":
        return f"{{concat: [[{inner}], [{{conv: {kernel}, out: 8}}], []]}}"
    return f"{{{'times: 3, ' if kind == 'times' else ''}layers: [{inner}]}}"


PART = "blocks:\n  part(k, c, g, act):\n    - {conv: k, out: c, groups: g, then: [batchnorm, act]}\n"
GENERATED = settings(max_examples=150, deadline=None, derandomize=True)


@pytest.mark.slow
@GENERATED
@given(layers())
def test_generated_specs_there_and_back(texts):
    model = spec(texts, "input: [16, 16, 8]\n" + PART)
    for stem in (False, True):
        there = separable(model, stem=stem)
        assert costs(standard(there.model).model) == costs(model)
        dense = [line for line in analyze(there.model).lines if line.op == "conv" and kernel_of(line) > 1]
        assert len([line for line in dense if line.groups == 1]) <= (not stem)


@pytest.mark.slow
@GENERATED
@given(layers())
def test_generated_specs_folded(texts):
    model = spec(texts, "input: [16, 16, 8]\n" + PART)
    before, after = analyze(model, convention="framework"), analyze(fold(model).model, convention="framework")
    assert before.totals["mult_adds"] == after.totals["mult_adds"]
    assert sum(line.op == "batchnorm" for line in after.lines) <= sum(line.op == "batchnorm" for line in before.lines)
    assert [line for line in before.lines if line.op not in ("batchnorm", "conv")] == [
        line._replace(name=old.name, path=old.path)
        for line, old in zip(
            [line for line in after.lines if line.op not in ("batchnorm", "conv")],
            [line for line in before.lines if line.op not in ("batchnorm", "conv")],
            strict=True,
        )
    ]


# the result works with arrays and symbols


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_v2", "resnet50", "vgg16"])
def test_sweeps_of_what_comes_out(name, rewrite):
    model = REWRITES[rewrite](load(name)).model
    axes = {"res": [96, 160, 224]} | ({"alpha": [0.5, 0.75, 1.0]} if "alpha" in model.variables else {})
    for row in sweep(model, **axes).itertuples():
        values = {axis: getattr(row, axis) for axis in axes}
        assert analyze(model, settings=values).totals == {"mult_adds": row.mult_adds, "params": row.params}


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("name", ["mobilenet", "resnet50", "vgg16"])
def test_formulas_of_what_comes_out(name, rewrite):
    model = REWRITES[rewrite](load(name)).model
    found = formula(model, names=["res"]).mult_adds
    assert found.subs(dict.fromkeys(found.free_symbols, 224)) == analyze(model).totals["mult_adds"]


def test_sweeps_over_what_decides_a_rewrite():
    head = "vars: {k: 3, g: 1, n: 2}\n" + INPUT
    model = spec(["{conv: 1x1, out: 8}", "{conv: k, out: 16, groups: g, repeat: n}"], head)
    rewritten = separable(model).model
    for row in sweep(rewritten, k=[1, 3, 5], g=[1, 2], n=[1, 2]).itertuples():
        values = {"k": row.k, "g": row.g, "n": row.n}
        assert analyze(rewritten, settings=values).totals["mult_adds"] == row.mult_adds
        pair = (
            ["{dwconv: k}", "{conv: 1x1, out: 16}"] if row.k > 1 and row.g == 1 else ["{conv: k, out: 16, groups: g}"]
        )
        by_hand = spec(["{conv: 1x1, out: 8}", f"{{repeat: n, layers: [{', '.join(pair)}]}}"], head)
        assert row.mult_adds == analyze(by_hand, settings=values).totals["mult_adds"]


# specs that would make a rewrite run forever


def doubling(levels, leaf):
    """Blocks that each call the next twice, never run."""
    blocks = "".join(f"  b{at}: [b{at + 1}, b{at + 1}]\n" for at in range(levels))
    return f"{INPUT}blocks:\n{blocks}  b{levels}: [{leaf}]\n"


@pytest.mark.parametrize("leaf", ["relu", "{conv: 3x3, out: 16}", "{dwconv: 3x3}, {conv: 1x1, out: 16}, batchnorm"])
@pytest.mark.parametrize("rewrite", REWRITES)
def test_what_blocks_double_is_rewritten_once(rewrite, leaf):
    model = spec(["{conv: 3x3, out: 16}", "{b0: , when: false}", "{b0: , when: channels > 16}"], doubling(38, leaf))
    assert len(costs(REWRITES[rewrite](model).model)) == 1


def test_what_includes_multiply_is_rewritten_once(tmp_path):
    for at in range(9):
        inner = f"{{include: {at + 1}.yaml}}, " * 20
        (tmp_path / f"{at}.yaml").write_text(INPUT + f"layers: [{inner}]\n")
    (tmp_path / "9.yaml").write_text(INPUT + "layers: [{conv: 3x3, out: 16}]\n")
    (tmp_path / "top.yaml").write_text(INPUT + "layers: [{include: 0.yaml, when: false}, {conv: 3x3, out: 16}]\n")
    for rewrite in REWRITES.values():
        assert len(costs(rewrite(load(tmp_path / "top.yaml")).model)) == 1
