"""Every rule against an interpreter that runs the operation in loops and counts its work."""

import ast
import sys
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

import costcalc.selftest
from costcalc import analyze
from costcalc.analysis.prove.prove import differences, drawn, performance, prove, stated
from costcalc.errors import Refused
from costcalc.metrics.price_lists import NUMBERS, TERMS
from costcalc.ops import INDEX, find
from costcalc.ops.base import Layer
from costcalc.selftest.cases import CASES
from costcalc.selftest.perform import PERFORMERS, perform
from costcalc.selftest.tally import Counted, Tally, shape_of, tensor

CASES_EACH = [100, pytest.param(400, marks=pytest.mark.slow)]  # of an operation

NEVER_REFUSED = {name for name, module in INDEX.items() if module in ("pointwise", "norm", "opaque")} - {
    *("glu", "add", "sub", "mul", "div", "groupnorm")
} | {"linear", "logits", "embedding", "parameter", "flatten"}


def test_no_operation_is_missing():
    assert set(CASES) == set(INDEX)
    assert set(PERFORMERS) == set(INDEX)
    assert set(INDEX) > NEVER_REFUSED


@pytest.mark.parametrize("cases", CASES_EACH)
@pytest.mark.parametrize("name", sorted(INDEX))
def test_rule_says_what_the_loops_count(name, cases):
    proof = prove(name, cases)
    assert proof.first is None
    assert proof.performed == cases
    assert bool(proof.impossible) == (name not in NEVER_REFUSED)


@pytest.mark.parametrize("name", sorted(INDEX))
def test_rule_states_the_terms_that_it_is_listed_for(name):
    layers = [layer for case in drawn(name, 400) if (layer := stated(name, *case))]
    found = [{*chain.from_iterable(parts)} for parts in ((one.terms for one in layers), (one.params for one in layers))]
    listed = [{term.name for term in table.values() if name in term.operations} for table in (TERMS, NUMBERS)]
    assert found == listed


def test_the_same_seed_draws_the_same_cases():
    assert [*drawn("conv", 20, 3)] == [*drawn("conv", 20, 3)] != [*drawn("conv", 20, 4)]
    first = next(drawn("conv", 1))  # identical on every Python and machine
    shared = {"stride": (2,), "padding": "valid", "bias": False, "groups": 1}
    assert first == (((6, 6),), {"out": 1, "kernel": (1,), **shared})


# corner cases: (operation, input shapes, options, whether it is valid)

LINE, SQUARE, CUBE = (7, 3), (5, 6, 4), (4, 3, 4, 2)
FIRST = {"causal": True, "align": "first"}
THREE = ((2, 3), (2, 3), (2, 3))
CORNERS = {
    "conv: asymmetric padding": ("conv", (LINE,), {"kernel": 4, "out": 2, "padding": ((2, 1),)}, True),
    "conv: only padding in a window": ("conv", ((1, 2),), {"kernel": 2, "out": 1, "padding": 3}, True),
    "conv: stride past the kernel": ("conv", (SQUARE,), {"kernel": 1, "out": 2, "stride": 4}, True),
    "conv: window too large": ("conv", (LINE,), {"kernel": 3, "out": 1, "dilation": 4, "padding": "valid"}, False),
    "conv: 3-D, grouped": ("conv", (CUBE,), {"kernel": (2, 1, 3), "out": 4, "groups": 2, "padding": 1}, True),
    "conv: groups do not divide": ("conv", (SQUARE,), {"kernel": 1, "out": 4, "groups": 3}, False),
    "dwconv: multiplier": ("dwconv", (SQUARE,), {"kernel": 3, "multiplier": 3, "stride": (2, 1)}, True),
    "conv_transpose: cropped": ("conv_transpose", (LINE,), {"kernel": 4, "out": 2, "stride": 2, "padding": 1}, True),
    "conv_transpose: gaps": ("conv_transpose", (LINE,), {"kernel": 1, "out": 2, "stride": 3, "padding": 0}, True),
    "conv_transpose: valid": ("conv_transpose", (LINE,), {"kernel": 2, "out": 2, "padding": "valid"}, True),
    "conv_transpose: all cropped": ("conv_transpose", ((1, 1),), {"kernel": 2, "out": 1, "padding": 1}, False),
    "conv_transpose: output padding": (
        *("conv_transpose", (SQUARE,)),
        *({"kernel": 3, "out": 2, "stride": 2, "padding": 1, "output_padding": (1, 0), "groups": 2}, True),
    ),
    "conv_transpose: output padding of a whole stride": (
        *("conv_transpose", (LINE,)),
        *({"kernel": 3, "out": 1, "stride": 2, "padding": 1, "output_padding": 2}, False),
    ),
    "conv_transpose: same, with output padding": (
        *("conv_transpose", (LINE,), {"kernel": 4, "out": 1, "stride": 2, "output_padding": 1}, False),
    ),
    "pool: input smaller than the window": (
        *("maxpool", ((2, 2, 1),), {"kernel": 3, "stride": 2, "padding": 0, "ceil_mode": True}, True),
    ),
    "pool: input far too small": (
        *("maxpool", ((2, 2, 1),), {"kernel": 4, "stride": 2, "padding": 0, "ceil_mode": True}, False),
    ),
    "pool: a window in the right padding": (
        *("maxpool", ((5, 1),), {"kernel": 2, "stride": 3, "padding": 1, "ceil_mode": True}, True),
    ),
    "pool: half the window in the padding": ("avgpool", ((3, 1),), {"kernel": 4, "padding": ((2, 1),)}, True),
    "pool: more than half the window in the padding": (
        "avgpool",
        ((5, 1),),
        {"kernel": 3, "padding": ((0, 2),)},
        False,
    ),
    "pool: hanging over the end": ("lppool", ((6, 1),), {"kernel": 3, "stride": 2, "ceil_mode": True}, True),
    "pool: global": ("maxpool", (CUBE,), {"kernel": "global"}, True),
    "pool: global, spread": ("maxpool", (SQUARE,), {"kernel": "global", "dilation": 2}, False),
    "adaptive pool: a larger grid": ("adaptive_avgpool", (SQUARE,), {"size": (7, 2)}, True),
    "sub: three branches": ("sub", THREE, {}, False),
    "div: three branches": ("div", THREE, {}, False),
    "mul: three branches": ("mul", ((2, 1), (1,), (3, 1, 4)), {}, True),
    "permute: a matrix": ("permute", ((2, 3),), {"order": (1, 0)}, True),
    "matmul: batches of other sizes": ("matmul", ((2, 3, 4), (3, 4, 3)), {}, False),
    "matmul: a vector": ("matmul", ((4,), (4,)), {}, False),
    "bilinear: other positions": ("bilinear", ((2, 3), (3, 3)), {"out": 1}, False),
    "concat: other ranks": ("concat", ((2, 3), (2, 2, 3)), {}, False),
    "concat: other positions": ("concat", ((2, 3), (3, 3)), {}, False),
    "einsum: sizes of one axis": ("einsum", ((2, 3), (4, 2)), {"equation": "ab,bc->ac"}, False),
    "einsum: three tensors": ("einsum", ((2,), (2,), (2,)), {"equation": "a,a,a->a"}, False),
    "einsum: a diagonal": ("einsum", ((3, 3),), {"equation": "aa->a"}, True),
    "einsum: a number": ("einsum", ((2, 3), (2, 3)), {"equation": "ab,ab->"}, True),
    "einsum: an axis twice in the result": ("einsum", ((3, 2), (2, 3)), {"equation": "ab,bc->aa"}, False),
    "split: a part too many": ("split", (SQUARE,), {"parts": 2, "part": 2}, False),
    "windows: smaller than one": ("windows", ((1, 1),), {"size": 2}, False),
    "pixel_shuffle: too few channels": ("pixel_shuffle", ((1, 1),), {"factor": 2}, False),
    "upsample: a factor below 1": ("upsample", (SQUARE,), {"scale": 0.3}, True),
    "lstm: projection": ("lstm", ((3, 2),), {"hidden": 3, "projection": 2, "layers": 2, "bidirectional": True}, True),
    "lstm: projection as wide": ("lstm", ((3, 2),), {"hidden": 3, "projection": 3}, False),
    "gru: both ways, no bias": ("gru", ((4, 3),), {"hidden": 2, "bidirectional": True, "bias": False}, True),
    "attention: causal": ("attention", ((5, 4),), {"heads": 2, "causal": True}, True),
    "attend: causal, cached keys": ("attend", ((4, 8), (10, 8), (10, 16)), {"heads": 1, "causal": True}, True),
    "attend: window, cached keys": ("attend", ((3, 2), (9, 2), (9, 2)), {"heads": 1, "window": 4}, True),
    "attend: causal, first places": ("attend", ((4, 8), (10, 8), (10, 16)), {"heads": 1, **FIRST}, True),
    "attend: causal, fewer keys, first places": ("attend", ((5, 8), (3, 8), (3, 16)), {"heads": 1, **FIRST}, True),
    "attend: window, first places": ("attend", ((3, 2), (9, 2), (9, 2)), {"heads": 1, **FIRST, "window": 2}, True),
    "attend: window, fewer keys": ("attend", ((4, 2), (3, 2), (3, 2)), {"heads": 1, **FIRST, "window": 2}, False),
    "attend: fewer keys": ("attend", ((4, 2), (3, 2), (3, 2)), {"heads": 1, "causal": True}, False),
    "attention: causal window": ("attention", ((2, 6, 4),), {"heads": 2, "causal": True, "window": 3}, True),
    "attention: window on both sides": ("attention", ((6, 4),), {"heads": 1, "window": 4}, True),
    "attention: window of one": ("attention", ((6, 4),), {"heads": 1, "window": 1}, True),
    "attention: window past the ends": ("attention", ((3, 4),), {"heads": 1, "causal": True, "window": 9}, True),
    "attention: memory, shared keys": (
        *("attention", ((2, 3, 8), (2, 5, 3)), {"heads": 4, "kv_heads": 2, "head_size": 3, "out": 5}, True),
    ),
    "attention: memory of other windows": ("attention", ((2, 3, 4), (5, 3, 4)), {"heads": 2}, False),
    "attention: memory without windows": ("attention", ((2, 3, 4), (3, 4)), {"heads": 2}, False),
    "attend: grouped keys": ("attend", ((3, 8), (5, 4), (5, 6)), {"heads": 4}, True),
    "attend: heads that cannot share": ("attend", ((3, 6), (5, 4), (5, 4)), {"heads": 3}, False),
    "attend: more keys' heads than heads": ("attend", ((3, 2), (5, 4), (5, 4)), {"heads": 1}, False),
    "attend: keys of other windows": ("attend", ((2, 3, 4), (5, 3, 4), (2, 3, 4)), {"heads": 1}, False),
}


def checked(name, flowing, options, rule=None):
    """The differences between a rule and the loops on one case."""
    return differences(stated(name, flowing, options, rule), performance(name, flowing, options))


@pytest.mark.parametrize("corner", CORNERS)
def test_corner(corner):
    name, flowing, options, possible = CORNERS[corner]
    assert (performance(name, flowing, options) is not None) == possible
    assert checked(name, flowing, options) == {}


# the loops against PyTorch: checksums of results of torch 2.13.0 with the same weights

RECORDED = [
    (
        *("conv", [(6, 5, 4)], (3, 7, 6), -138.75),
        {"kernel": (3, 2), "out": 6, "stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2},
    ),
    ("dwconv", [(7, 3)], (4, 6), -14.546875, {"kernel": 3, "multiplier": 2, "stride": 2, "padding": 1}),
    (
        *("conv_transpose", [(3, 4, 4)], (8, 14, 2), -426.21875),
        {"kernel": 3, "out": 2, "stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2), "dilation": (2, 1)}
        | {"groups": 2},
    ),
    (
        *("maxpool", [(4, 3, 4, 2)], (2, 2, 2, 2), 41.5),
        {"kernel": (2, 3, 2), "stride": (3, 2, 2), "padding": (1, 1, 0), "ceil_mode": True},
    ),
    ("avgpool", [(5, 6, 2)], (3, 3, 2), -6.0, {"kernel": 3, "stride": 2, "padding": 1}),
    ("adaptive_avgpool", [(5, 3, 2)], (3, 4, 2), -2.9375, {"size": (3, 4)}),
    ("upsample", [(3, 4, 2)], (7, 10, 2), -33.657143, {"scale": 2.5, "method": "bilinear"}),
    ("pixel_shuffle", [(2, 3, 8)], (4, 6, 2), -34.125, {"factor": 2}),
    ("pixel_unshuffle", [(4, 6, 2)], (2, 3, 8), -16.875, {"factor": 2}),
    ("channel_shuffle", [(2, 3, 6)], (2, 3, 6), -7.0, {"groups": 3}),
    ("gru", [(5, 3)], (5, 8), 5.793799, {"hidden": 4, "layers": 2, "bidirectional": True}),
    ("lstm", [(5, 3)], (5, 4), 1.594748, {"hidden": 4, "layers": 2, "bidirectional": True, "projection": 2}),
    ("attention", [(4, 6)], (4, 6), -85.649698, {"heads": 3, "causal": True}),
    ("attend", [(2, 3, 8), (2, 5, 4), (2, 5, 6)], (2, 3, 12), -18.442561, {"heads": 4}),
    ("bilinear", [(3, 2), (3, 4)], (3, 5), 23.3125, {"out": 5}),
    ("groupnorm", [(3, 2, 6)], (3, 2, 6), -40.216856, {"groups": 3}),
]


@pytest.mark.parametrize(
    ("name", "flowing", "shape", "checksum", "options"), RECORDED, ids=[one[0] for one in RECORDED]
)
def test_loops_compute_what_torch_computes(name, flowing, shape, checksum, options):
    result = PERFORMERS[name](Tally(), *(tensor(one) for one in flowing), **options)
    assert shape_of(result) == shape
    weighed = sum(result[index] * (1 + number % 5) for number, index in enumerate(sorted(result)))
    assert weighed == pytest.approx(checksum, abs=2e-6)


def test_loops_share_nothing_with_the_rules():
    paths = [*Path(costcalc.selftest.__file__).parent.glob("*.py")]
    assert len(paths) > 5
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 1 or root_of(node.module) in sys.stdlib_module_names, path
            elif isinstance(node, ast.Import):
                assert {root_of(alias.name) for alias in node.names} <= sys.stdlib_module_names, path


def root_of(module):
    """The package of a module's name."""
    return module.partition(".")[0]


# the comparison detects wrong rules

AGREED = Counted((2, 3), {"weight": 6, "bias": 2}, {"mac": 12, "bias": 4, "mac_masked": 1})
SAME = Layer((2, 3), {"weight": 6, "bias": 2, "gamma": 0}, {"mac": 12, "bias": 4, "mac_masked": 1, "mac_attention": 0})
WRONG_LAYERS = {
    "shape": SAME._replace(shape=(3, 2)),
    "params": SAME._replace(params={"weight": 2, "bias": 6}),
    "macs": SAME._replace(terms={**SAME.terms, "mac": 11, "mac_attention": 1}),
    "terms": SAME._replace(terms={**SAME.terms, "bias": 5}),
    "unknown": SAME._replace(unknown=("params",)),
    "possible": None,
}


@pytest.mark.parametrize("thing", WRONG_LAYERS)
def test_comparison_sees_every_thing(thing):
    assert differences(SAME, AGREED) == {}
    assert thing in differences(WRONG_LAYERS[thing], AGREED)


def test_comparison_sees_a_rule_that_allows_too_much():
    assert differences(None, None) == {}
    assert differences(SAME, None) == {"possible": (True, False)}


def scaled(layer, quantity, factor):
    """A layer with one of its terms multiplied."""
    return layer._replace(terms={**layer.terms, quantity: layer.terms[quantity] * factor})


def ungrouped(x, **options):
    """A convolution that ignores its groups in the mult-adds."""
    return scaled(find("conv").rule(x, **options), "mac", options.get("groups", 1))


def on_output(x, **options):
    """A transposed convolution counted on the output grid."""
    layer = find("conv_transpose").rule(x, **options)
    return layer._replace(terms={**layer.terms, "mac": layer.terms["mac_on_output"]})


def one_bias(x, **options):
    """A recurrent layer with one bias vector per gate instead of two."""
    layer = find("gru").rule(x, **options)
    return layer._replace(params={**layer.params, "bias": layer.params["bias"] // 2})


def unmasked(x, **options):
    """Attention that omits masked pairs."""
    return scaled(find("attention").rule(x, **options), "mac_masked", 0)


def turned(x, **options):
    """A pixel shuffle with height and width exchanged."""
    layer = find("pixel_shuffle").rule(x, **options)
    return layer._replace(shape=(*layer.shape[-2::-1], layer.shape[-1]))


def careless(x, **options):
    """A split that accepts any size."""
    try:
        return find("split").rule(x, **options)
    except Refused:
        return Layer(x)


WRONG_RULES = {
    ungrouped: ("conv", (SQUARE,), {"kernel": 3, "out": 6, "groups": 2}, "macs"),
    on_output: ("conv_transpose", (LINE,), {"kernel": 4, "out": 2, "stride": 2, "padding": 1}, "macs"),
    one_bias: ("gru", (LINE,), {"hidden": 2}, "params"),
    unmasked: ("attention", (LINE,), {"heads": 3, "causal": True}, "macs"),
    turned: ("pixel_shuffle", ((2, 3, 4),), {"factor": 2}, "shape"),
    careless: ("split", (SQUARE,), {"parts": 3}, "possible"),
}


@pytest.mark.parametrize("wrong", WRONG_RULES)
def test_wrong_rule_is_caught(wrong):
    name, flowing, options, thing = WRONG_RULES[wrong]
    assert checked(name, flowing, options) == {}
    assert thing in checked(name, flowing, options, wrong)


@pytest.mark.parametrize("wrong", [ungrouped, one_bias, turned, careless])
def test_search_finds_a_wrong_rule(wrong):
    name, *_ = WRONG_RULES[wrong]
    proof = prove(name, 400, rule=wrong)
    assert proof.differing
    assert stated(name, *proof.first[:2], wrong) != stated(name, *proof.first[:2])


# whole specs

SPECS = {
    "separable": (
        """
        input: [9, 8, 3]
        layers:
          - {conv: 3x3, out: 4, stride: 2, bias: false, then: [batchnorm, relu]}
          - {dwconv: 3x3, bias: false, then: [batchnorm, relu]}
          - {conv: 1x1, out: 6, groups: 2}
          - {maxpool: 3x3, stride: 2, padding: [[0, 1], [1, 0]]}
          - avgpool: global
          - flatten
          - linear: 5
          - softmax
        """,
        (
            ("conv", {"kernel": 3, "out": 4, "stride": 2, "bias": False}),
            *(
                ("batchnorm", {}),
                ("relu", {}),
                ("dwconv", {"kernel": 3, "bias": False}),
                ("batchnorm", {}),
                ("relu", {}),
            ),
            ("conv", {"kernel": 1, "out": 6, "groups": 2}),
            ("maxpool", {"kernel": 3, "stride": 2, "padding": ((0, 1), (1, 0))}),
            *(("avgpool", {"kernel": "global"}), ("flatten", {}), ("linear", {"out": 5}), ("softmax", {})),
        ),
        (9, 8, 3),
    ),
    "hourglass": (
        """
        input: [6, 4, 2]
        layers:
          - concat:
              - []
              - - {conv: 2x2, out: 5, stride: 2, padding: valid, then: [prelu]}
                - {conv_transpose: 4x4, out: 3, stride: 2, padding: 1}
          - {conv: 3x3, out: 4, dilation: 2, padding: 2}
          - {upsample: 2, method: bilinear}
          - {pixel_unshuffle: 2}
        """,
        (
            (
                *("concat", {}),
                (),
                (
                    ("conv", {"kernel": 2, "out": 5, "stride": 2, "padding": "valid"}),
                    *(("prelu", {}), ("conv_transpose", {"kernel": 4, "out": 3, "stride": 2, "padding": 1})),
                ),
            ),
            ("conv", {"kernel": 3, "out": 4, "dilation": 2, "padding": 2}),
            *(("upsample", {"scale": 2, "method": "bilinear"}), ("pixel_unshuffle", {"factor": 2})),
        ),
        (6, 4, 2),
    ),
    "sequence": (
        """
        input: {tokens: 6, features: 8}
        layers:
          - add:
              - []
              - [layernorm, {attention: 4, kv_heads: 2, causal: true, window: 3}]
          - {gru: 3, bidirectional: true}
          - {reduce: mean, axis: tokens}
          - {linear: 2, bias: false}
        """,
        (
            (
                "add",
                {},
                (),
                (("layernorm", {}), ("attention", {"heads": 4, "kv_heads": 2, "causal": True, "window": 3})),
            ),
            ("gru", {"hidden": 3, "bidirectional": True}),
            *(("reduce", {"method": "mean", "axis": "tokens"}), ("linear", {"out": 2, "bias": False})),
        ),
        (6, 8),
    ),
    "stacked": (
        """
        input: {tokens: 4, features: 3}
        layers:
          - {lstm: 4, layers: 2, bidirectional: true, projection: 2}
        """,
        (("lstm", {"hidden": 4, "layers": 2, "bidirectional": True, "projection": 2}),),
        (4, 3),
    ),
}


def walked(steps, x, totals):
    """Run (operation, options, *branches) in sequence; return the last shape."""
    for name, options, *branches in steps:
        counted = perform(name, [walked(branch, x, totals) for branch in branches] or [x], options)
        totals["mult_adds"] += sum(counted.macs.values())
        totals["params"] += sum(number for kind, number in counted.params.items() if kind != "running")
        x = counted.shape
    return x


@pytest.mark.parametrize("title", SPECS)
def test_spec_costs_what_the_loops_count(title, tmp_path):
    text, steps, x = SPECS[title]
    path = tmp_path / f"{title}.yaml"
    path.write_text(text, encoding="utf-8")
    totals = Counter()
    output = walked(steps, x, totals)
    report = analyze(path, convention="framework")
    assert (report.totals, report.output) == (dict(totals), output)
