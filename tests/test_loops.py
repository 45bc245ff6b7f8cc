"""Every rule against an interpreter that performs the operation in loops and counts as it goes."""

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import costcalc.selftest
from costcalc import analyze
from costcalc.errors import Refused
from costcalc.ops import INDEX, find
from costcalc.ops.base import Layer
from costcalc.selftest.perform import PERFORMERS, perform
from costcalc.selftest.tally import MACS, Counted, Impossible, Tally, shape_of, tensor
from costcalc.terms import NUMBERS, TERMS

EXAMPLES = 200

# what flows in: (shapes, options)

SIDES = {0: 1, 1: 9, 2: 6, 3: 4}  # rank of the grid -> the longest side, so that loops stay short
RANKS = st.sampled_from((2, 1, 3, 2, 1, 3, 2, 1, 0))  # a grid of rank 0 is a plain vector
CHANNELS = st.sampled_from((1, 2, 3, 4, 6))
AXES = st.sampled_from(("channels", "features", "height", "width", "depth", "length", "tokens", 0, 1, 2, 3))
FLAG = st.booleans()
SIDE = st.integers(0, 2)  # padding on one side


def small(most, least=1):
    """A whole number."""
    return st.integers(least, most)


def shapes(least=1, most=4, side=4):
    """A shape of any rank."""
    return st.lists(small(side), min_size=least, max_size=most).map(tuple)


@st.composite
def grids(draw, channels=CHANNELS, ranks=RANKS):
    """A grid of rank 0 to 3, with channels."""
    rank = draw(ranks)
    return (*(draw(small(SIDES[rank])) for _ in range(rank)), draw(channels))


def one_in(n):
    """Whether something rare is to happen."""
    return st.sampled_from((False,) * (n - 1) + (True,))


def per_axis(rank, value):
    """A value for all axes, one for each of them, or (rarely) too many."""
    each, many = st.tuples(*[value] * rank), st.tuples(*[value] * (rank + 1))
    return st.sampled_from((value,) * 15 + (each,) * 24 + (many,)).flatmap(lambda strategy: strategy)


def paddings(rank, side):
    """`same`, `valid`, a number, one per axis, [before, after] per axis, and a mixture."""
    pair, three = st.tuples(side, side), st.tuples(side, side, side)
    numbers = (side, per_axis(rank, side), per_axis(rank, pair), per_axis(rank, st.one_of(side, pair)))
    kinds = (st.just("same"), st.just("valid"), *numbers) * 6 + (st.tuples(*[three] * rank),)
    return st.sampled_from(kinds).flatmap(lambda strategy: strategy)


@st.composite
def choices(draw, needed, **optional):
    """Options by name, each of the optional ones mostly there."""
    chosen = {name: draw(value) for name, value in needed.items()}
    for name, value in optional.items():
        if not draw(one_in(3)):
            chosen[name] = draw(value)
    return chosen


@st.composite
def convolutions(draw, **more):
    """A grid, and what every convolution takes."""
    shape = draw(grids())
    rank = len(shape) - 1
    steps, spread = per_axis(rank, small(3)), per_axis(rank, st.sampled_from((1, 1, 1, 2, 3)))
    more = {name: value(rank) if callable(value) else value for name, value in more.items()}
    needed = {"kernel": per_axis(rank, small(3))}
    return (shape,), draw(
        choices(needed, stride=steps, padding=paddings(rank, SIDE), dilation=spread, bias=FLAG, **more)
    )


@st.composite
def grouped_convolutions(draw, **more):
    """The same with outputs and groups, which mostly share out the channels."""
    (shape,), options = draw(convolutions(**more))
    groups = draw(st.sampled_from((1, 1, 2, 2, 3)))
    fitting = st.one_of(*[small(2).map(lambda n: n * groups)] * 4, CHANNELS)
    said = {"groups": groups} if groups > 1 or draw(FLAG) else {}
    return ((*shape[:-1], draw(fitting)),), {"out": draw(fitting), **options, **said}


@st.composite
def pools(draw, **more):
    """A grid, and what pooling takes."""
    shape = draw(grids(small(2)))
    rank = len(shape) - 1
    needed = {"kernel": st.one_of(per_axis(rank, small(4)), per_axis(rank, small(4)), st.just("global"))}
    steps, padding = per_axis(rank, small(4)), paddings(rank, st.sampled_from((0, 0, 0, 0, 1, 1, 2)))
    more = {name: per_axis(rank, value) for name, value in more.items()}
    return (shape,), draw(choices(needed, stride=steps, padding=padding, ceil_mode=FLAG, **more))


@st.composite
def on_grid(draw, name, value, **more):
    """A grid, and one value for its axes."""
    shape = draw(grids(small(3)))
    return (shape,), draw(choices({name: per_axis(len(shape) - 1, value)}, **more))


def on_any(shape, needed=None, **optional):
    """One tensor with options that do not depend on its shape."""
    return st.tuples(st.tuples(shape), choices(needed or {}, **optional))


@st.composite
def attentions(draw):
    """A sequence, often a memory, and heads that often fit."""
    outer = draw(shapes(0, 2, 2))
    shape = (*outer, draw(small(5)), draw(st.sampled_from((2, 4, 6, 8, 3))))
    memory = (*outer, draw(st.one_of(st.just(shape[-2]), small(5))), draw(small(4)))
    flowing = draw(st.sampled_from(((shape,), (shape, memory), (shape, draw(shapes())), (shape[1:],))))
    needed, heads = {"heads": st.sampled_from((1, 2, 4, 3))}, st.sampled_from((1, 2, 4))
    more = {"kv_heads": heads, "head_size": small(3), "causal": FLAG, "window": small(6), "out": small(5), "bias": FLAG}
    return flowing, draw(choices(needed, **more))


@st.composite
def attends(draw):
    """Queries, keys and values that mostly fit, with options."""
    outer, size, kv_heads = draw(shapes(0, 2, 2)), draw(small(3)), draw(small(3))
    queries, heads = draw(small(5)), draw(st.sampled_from((1, 1, 2, 2, 3))) * kv_heads
    keys = draw(st.one_of(st.just(queries), small(5)))
    fitting = ((queries, heads * size), (keys, kv_heads * size), (keys, kv_heads * draw(small(3))))
    flowing = tuple(draw(bent((*outer, *shape))) for shape in fitting)[: draw(st.sampled_from((3, 3, 3, 3, 2)))]
    heads = draw(st.one_of(*[st.just(heads)] * 4, small(4)))
    return flowing, {"heads": heads, **draw(choices({}, causal=FLAG, window=small(6)))}


@st.composite
def bent(draw, shape):
    """A shape, or (rarely) one that differs from it somewhere."""
    if not draw(one_in(6)):
        return shape
    at = draw(small(len(shape) - 1, 0))
    return draw(st.sampled_from(((*shape[:at], shape[at] + 1, *shape[at + 1 :]), (2, *shape))))


@st.composite
def matrices(draw):
    """Two tensors that mostly multiply."""
    *batch, n, k, m = draw(shapes(3, 5, 3))
    flowing = (draw(bent((*batch, n, k))), draw(bent((*batch, k, m))), (k, m))
    return flowing[: draw(st.sampled_from((2, 2, 2, 2, 2, 3, 2, 2, 1)))], {}


@st.composite
def bilinears(draw):
    """Two tensors with the same positions, mostly."""
    positions = draw(shapes(0, 2, 3))
    flowing = (draw(bent((*positions, draw(small(4))))), draw(bent((*positions, draw(small(4))))), (2,))
    return flowing[: draw(st.sampled_from((2, 2, 2, 2, 2, 3, 2, 2, 1)))], draw(choices({"out": small(4)}, bias=FLAG))


@st.composite
def einsums(draw):
    """An equation over four letters, and tensors that mostly fit it."""
    letters = st.text("abcd", min_size=1, max_size=3)
    terms = draw(st.lists(letters, min_size=1, max_size=3 if draw(one_in(8)) else 2))
    named = sorted(set("".join(terms)))
    kept = draw(st.lists(st.sampled_from(named), max_size=3, unique=not draw(one_in(4))))
    size = dict(zip("abcd", draw(shapes(4, 4, 3)), strict=True))
    flowing = tuple(draw(bent(tuple(size[letter] for letter in term))) for term in terms)
    text = ",".join(terms) + draw(st.sampled_from(("->", " -> ", "->", "->", "->e", ""))) + "".join(kept)
    return flowing[: draw(st.sampled_from((3, 3, 3, 1)))], {"equation": text}


@st.composite
def joins(draw):
    """Tensors that broadcast, mostly: leading axes missing, axes of 1."""
    shape = draw(shapes(1, 4, 3))
    flowing = []
    for _ in range(draw(st.sampled_from((2, 2, 2, 2, 2, 3, 2, 2, 1)))):
        thin = tuple(draw(st.sampled_from((size, size, size, 1))) for size in shape)
        flowing.append(draw(bent(thin[draw(small(len(shape) - 1, 0)) :])))
    return tuple(flowing), {}


@st.composite
def concats(draw):
    """Tensors that differ along one axis, mostly."""
    shape = draw(shapes(1, 4, 3))
    axis = draw(st.one_of(small(len(shape) - 1, 0), AXES))
    at = axis if type(axis) is int and axis < len(shape) else len(shape) - 1
    branches = 0 if draw(one_in(12)) else draw(small(3))
    flowing = [draw(bent((*shape[:at], draw(small(3)), *shape[at + 1 :]))) for _ in range(branches)]
    return tuple(flowing), draw(choices({}, axis=st.one_of(st.just(axis), AXES)))


@st.composite
def reshapes(draw):
    """A shape and another that mostly holds as much."""
    a, b, c = draw(shapes(3, 3, 4))
    return ((a, b * c),), {"shape": draw(bent(draw(st.sampled_from(((a * b, c), (a * b * c,), (c, a, b))))))}


@st.composite
def permutes(draw):
    """A shape and an order of its axes, mostly."""
    shape = draw(shapes())
    order = draw(st.lists(small(3, 0), max_size=4) if draw(one_in(5)) else st.permutations(range(len(shape))))
    return (shape,), {"order": tuple(order)}


@st.composite
def sequences_for_grids(draw):
    """As many tokens as a grid has positions, mostly."""
    size = draw(st.one_of(small(4), shapes(1, 3, 4)))
    count = 1
    for side in size if type(size) is tuple else (size, size):
        count *= side
    return (draw(bent((count, draw(small(3))))),), {"size": size}


@st.composite
def upsamples(draw):
    """A grid with a factor or a size, rarely both or neither."""
    shape = draw(grids(small(2)))
    scales = st.sampled_from((0.3, 0.5, 1, 1.25, 1.5, 2, 2.5, 3))
    ways = {"scale": per_axis(len(shape) - 1, scales), "to": per_axis(len(shape) - 1, small(5))}
    chosen = draw(st.sampled_from((("scale",), ("to",), ("scale",), ("to",), ("scale", "to"), ())))
    methods = st.sampled_from(("nearest", "bilinear"))
    return (shape,), draw(choices({name: ways[name] for name in chosen}, method=methods))


def recurrents(**more):
    """A sequence, (rarely) something else, and what recurrent layers take."""
    shape = st.one_of(*[st.tuples(small(5), small(4))] * 6, shapes())
    return on_any(shape, {"hidden": small(4)}, layers=small(3), bidirectional=FLAG, bias=FLAG, **more)


AMOUNT = st.one_of(st.just("unknown"), small(30, 0))
AFFINE = {"scale": FLAG, "shift": FLAG}

CASES = {
    **{name: on_any(shapes()) for name, module in INDEX.items() if module == "pointwise"},
    "prelu": on_any(shapes(), shared=FLAG),
    "glu": on_any(shapes(1, 4, 6)),
    **dict.fromkeys(("add", "sub", "mul", "div"), joins()),
    "conv": grouped_convolutions(),
    "dwconv": convolutions(multiplier=small(3)),
    "conv_transpose": grouped_convolutions(
        output_padding=lambda rank: per_axis(rank, st.sampled_from((0, 0, 0, 1, 2)))
    ),
    "linear": on_any(shapes(), {"out": small(6)}, bias=FLAG),
    "bilinear": bilinears(),
    "matmul": matrices(),
    "einsum": einsums(),
    "embedding": on_any(shapes(1, 3), {"out": small(5), "vocab": small(7)}),
    "parameter": st.tuples(st.just(()), choices({"shape": shapes()})),
    **dict.fromkeys(("batchnorm", "layernorm", "instancenorm"), on_any(shapes(), **AFFINE)),
    "groupnorm": on_any(grids(), {"groups": small(4)}, **AFFINE),
    "rmsnorm": on_any(shapes(), scale=FLAG),
    "lrn": on_any(shapes(), size=small(6)),
    "maxpool": pools(dilation=small(3)),
    "avgpool": pools(),
    "lppool": pools(),
    **dict.fromkeys(("adaptive_avgpool", "adaptive_maxpool"), on_grid("size", small(5))),
    "reduce": on_any(shapes(), {"method": st.sampled_from(("mean", "sum", "max")), "axis": AXES}, keep=FLAG),
    "concat": concats(),
    "split": on_any(shapes(1, 4, 6), {"parts": small(3)}, part=small(2, 0), axis=AXES),
    "slice": on_any(shapes(1, 4, 6), {"size": small(4)}, start=small(3, 0), axis=AXES),
    "pad": grids().flatmap(lambda shape: on_any(st.just(shape), {"padding": paddings(len(shape) - 1, SIDE)})),
    "flatten": on_any(shapes()),
    "reshape": reshapes(),
    "permute": permutes(),
    "tokens": on_any(grids()),
    "grid": sequences_for_grids(),
    "windows": on_grid("size", small(3)),
    **dict.fromkeys(("space_to_depth", "pixel_unshuffle"), on_any(grids(), {"factor": small(3)})),
    **dict.fromkeys(
        ("depth_to_space", "pixel_shuffle"), on_any(grids(st.sampled_from((1, 2, 4, 8, 9))), {"factor": small(3)})
    ),
    "channel_shuffle": on_any(grids(), {"groups": small(4)}),
    "upsample": upsamples(),
    "attention": attentions(),
    "attend": attends(),
    "rnn": recurrents(),
    "lstm": recurrents(projection=small(3)),
    "gru": recurrents(),
    "opaque": on_any(shapes(), {"label": st.just("a thing")}, out=shapes(), mult_adds=AMOUNT, params=AMOUNT),
}
NEVER_REFUSED = {name for name, module in INDEX.items() if module in ("pointwise", "norm", "opaque")} - {
    *("glu", "add", "sub", "mul", "div", "groupnorm")
} | {"linear", "embedding", "parameter", "flatten"}


def test_no_operation_is_missing():
    assert set(CASES) == set(INDEX)
    assert set(PERFORMERS) == set(INDEX)
    assert set(INDEX) > NEVER_REFUSED


# the comparison


def evaluated(rule, op, flowing, options):
    """What a rule says of these shapes: a Layer, or None when it refuses."""
    bound = {name: op.options[name].kind.bind(value) for name, value in options.items()}
    forms = {name: op.options[name].kind.form for name in op.branches}
    for name, form in forms.items():
        if form == "branches":
            bound[name] = flowing
        elif len(flowing) == 2:
            bound[name] = flowing[1]
    x = flowing[:1] or (((1,),) if op.takes_input else ())
    try:
        return rule(*x, **bound)
    except Refused:
        return None


def performed(name, flowing, options):
    """What was counted in the loops, or None when the operation cannot be performed."""
    try:
        return perform(name, flowing, options)
    except Impossible:
        return None


def differences(layer, counted):
    """What a rule and the loops do not agree on: {thing: (the rule's, the loops')}."""
    if layer is None or counted is None:
        return {} if layer is counted else {"possible": (layer is not None, counted is not None)}
    pairs = {
        "shape": (layer.shape, counted.shape),
        "params": (nonzero(layer.params), nonzero(counted.params)),
        "macs": ({name: layer.terms.get(name, 0) for name in MACS}, counted.macs),
        "terms": (nonzero(layer.terms), nonzero(counted.terms)),
        "unknown": (layer.unknown, counted.unknown),
    }
    return {thing: pair for thing, pair in pairs.items() if pair[0] != pair[1]}


def nonzero(numbers):
    """Counts by name, without those of nothing."""
    return {name: number for name, number in numbers.items() if number != 0}


def checked(name, flowing, options, rule=None):
    """The differences between a rule and the loops on one case."""
    op = find(name)
    return differences(evaluated(rule or op.rule, op, flowing, options), performed(name, flowing, options))


def searched(name, rule=None, **how):
    """Hypothesis over one operation: fails with the smallest disagreement; returns how many cases could be.

    Also which quantities the rule stated.
    """
    op, seen = find(name), Counter()
    how = {"suppress_health_check": [HealthCheck.too_slow], "deadline": None, **how}

    @settings(max_examples=EXAMPLES, derandomize=True, **how)
    @given(CASES[name])
    def agree(case):
        layer, counted = evaluated(rule or op.rule, op, *case), performed(name, *case)
        seen["performed" if counted else "impossible"] += 1
        seen.update((*layer.terms, *(f"number {kind}" for kind in layer.params)) if layer else ())
        assert differences(layer, counted) == {}, case

    agree()
    return seen


@pytest.mark.parametrize("name", sorted(INDEX))
def test_rule_says_what_the_loops_count(name):
    seen = searched(name)
    assert seen["performed"] >= EXAMPLES // 4, "too few cases say anything"
    assert (seen["impossible"] > 0) == (name not in NEVER_REFUSED)
    stated = [term.name for term in TERMS.values() if name in term.operations]
    kinds = [f"number {term.name}" for term in NUMBERS.values() if name in term.operations]
    assert {*seen} - {"performed", "impossible"} == {*stated, *kinds}


# corners, by hand: (operation, what flows in, options, whether it can be performed)

LINE, SQUARE, CUBE = (7, 3), (5, 6, 4), (4, 3, 4, 2)
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


@pytest.mark.parametrize("corner", CORNERS)
def test_corner(corner):
    name, flowing, options, possible = CORNERS[corner]
    assert (performed(name, flowing, options) is not None) == possible
    assert checked(name, flowing, options) == {}


# the loops against PyTorch: checksums of results of torch 2.13.0, whose weights had the same values

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
    for path in Path(costcalc.selftest.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 1 or root_of(node.module) in sys.stdlib_module_names, path
            elif isinstance(node, ast.Import):
                assert {root_of(alias.name) for alias in node.names} <= sys.stdlib_module_names, path


def root_of(module):
    """The package of a module's name."""
    return module.partition(".")[0]


# the comparison can fail

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
    """A convolution that forgets its groups in the mult-adds."""
    return scaled(find("conv").rule(x, **options), "mac", options.get("groups", 1))


def on_output(x, **options):
    """A transposed convolution counted on the output grid."""
    layer = find("conv_transpose").rule(x, **options)
    return layer._replace(terms={**layer.terms, "mac": layer.terms["mac_on_output"]})


def one_bias(x, **options):
    """A recurrent layer with one bias vector a gate, not two."""
    layer = find("gru").rule(x, **options)
    return layer._replace(params={**layer.params, "bias": layer.params["bias"] // 2})


def unmasked(x, **options):
    """Attention that forgets what is under its mask."""
    return scaled(find("attention").rule(x, **options), "mac_masked", 0)


def turned(x, **options):
    """A pixel shuffle with height and width exchanged."""
    layer = find("pixel_shuffle").rule(x, **options)
    return layer._replace(shape=(*layer.shape[-2::-1], layer.shape[-1]))


def careless(x, **options):
    """A split that takes what it gets."""
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
    searched(name)
    with pytest.raises(AssertionError):
        searched(name, wrong, phases=[Phase.generate])


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
    """Performs (operation, options, *branches) one after the other; returns the last shape."""
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
