"""Every rule against an interpreter that performs the operation in loops and counts as it goes."""

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from costcalc import analyze
from costcalc import selftest as oracle
from costcalc.errors import Refused
from costcalc.ops import INDEX, find
from costcalc.ops.base import Layer
from costcalc.selftest import conv, layout, linear, pool, recurrent, shuffle
from costcalc.selftest.perform import PERFORMERS, perform
from costcalc.selftest.tally import MACS, Counted, Impossible, Tally, box, shape_of, tensor

EXAMPLES = 50

# what flows in: (shapes, options)

SIDES = {0: 1, 1: 9, 2: 6, 3: 4}  # rank of the grid -> the longest side, so that loops stay short
RANKS = st.sampled_from((2, 1, 3, 2, 1, 3, 2, 1, 0))  # a grid of rank 0 is a plain vector
CHANNELS = st.sampled_from((1, 2, 3, 4, 6))
AXES = st.sampled_from(("channels", "features", "height", "width", "depth", "length", "tokens", 0, 1, 2, 3))
FLAG = st.booleans()


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


def per_axis(rank, value):
    """A value for all axes, one for each of them, or (rarely) too many."""
    each = st.tuples(*[value] * rank)
    return st.one_of(value, value, each, each, each, st.tuples(*[value] * (rank + 1)))


def paddings(rank):
    """`same`, `valid`, a number, one per axis, [before, after] per axis, and a mixture."""
    side = small(2, 0)
    pair = st.tuples(side, side)
    numbers = (side, per_axis(rank, side), per_axis(rank, pair), per_axis(rank, st.one_of(side, pair)))
    return st.one_of(st.just("same"), st.just("valid"), *numbers, st.tuples(*[st.tuples(side, side, side)] * rank))


def options(needed, **optional):
    """Options by name, each of the optional ones there or not."""
    return st.fixed_dictionaries(needed, optional=optional)


@st.composite
def convolutions(draw, **more):
    """A grid, and what every convolution takes."""
    shape = draw(grids())
    rank = len(shape) - 1
    steps, spread = per_axis(rank, small(3)), per_axis(rank, small(3))
    more = {name: value(rank) if callable(value) else value for name, value in more.items()}
    needed = {"kernel": per_axis(rank, small(3))} | ({"out": CHANNELS} if "groups" in more else {})
    return (shape,), draw(options(needed, stride=steps, padding=paddings(rank), dilation=spread, bias=FLAG, **more))


@st.composite
def pools(draw, **more):
    """A grid, and what pooling takes."""
    shape = draw(grids(small(2)))
    rank = len(shape) - 1
    needed = {"kernel": st.one_of(per_axis(rank, small(4)), per_axis(rank, small(4)), st.just("global"))}
    steps, ceil = per_axis(rank, small(4)), FLAG
    more = {name: per_axis(rank, value) for name, value in more.items()}
    return (shape,), draw(options(needed, stride=steps, padding=paddings(rank), ceil_mode=ceil, **more))


@st.composite
def on_grid(draw, name, value, **more):
    """A grid, and one value for its axes."""
    shape = draw(grids(small(3)))
    return (shape,), draw(options({name: per_axis(len(shape) - 1, value)}, **more))


def on_any(shape, needed=None, **optional):
    """One tensor with options that do not depend on its shape."""
    return st.tuples(st.tuples(shape), options(needed or {}, **optional))


@st.composite
def attentions(draw):
    """A sequence, often a memory, and heads that often fit."""
    outer = draw(shapes(0, 2, 2))
    shape = (*outer, draw(small(5)), draw(st.sampled_from((2, 4, 6, 8, 3))))
    memory = (*outer, draw(st.one_of(st.just(shape[-2]), small(5))), draw(small(4)))
    flowing = draw(st.sampled_from(((shape,), (shape, memory), (shape, draw(shapes())), (shape[1:],))))
    needed, heads = {"heads": st.sampled_from((1, 2, 4, 3))}, st.sampled_from((1, 2, 4))
    more = {"kv_heads": heads, "head_size": small(3), "causal": FLAG, "window": small(6), "out": small(5), "bias": FLAG}
    return flowing, draw(options(needed, **more))


@st.composite
def attends(draw):
    """Queries, keys and values that mostly fit, with options."""
    outer, size, heads = draw(shapes(0, 2, 2)), draw(small(3)), draw(st.sampled_from((1, 2, 4, 3)))
    queries, kv_heads = draw(small(5)), draw(st.sampled_from((1, 2, 4)))
    keys = draw(st.one_of(st.just(queries), small(5)))
    fitting = ((queries, heads * size), (keys, kv_heads * size), (keys, kv_heads * draw(small(3))))
    flowing = tuple(draw(bent((*outer, *shape))) for shape in fitting)[: draw(st.sampled_from((3, 3, 3, 3, 2)))]
    return flowing, {"heads": heads, **draw(options({}, causal=FLAG, window=small(6)))}


@st.composite
def bent(draw, shape):
    """A shape, or (rarely) one that differs from it somewhere."""
    if draw(small(8)) > 1:
        return shape
    at = draw(small(len(shape) - 1, 0))
    return draw(st.sampled_from(((*shape[:at], shape[at] + 1, *shape[at + 1 :]), (2, *shape))))


@st.composite
def matrices(draw):
    """Two tensors that mostly multiply."""
    *batch, n, k, m = draw(shapes(3, 5, 3))
    flowing = (draw(bent((*batch, n, k))), draw(bent((*batch, k, m))), (k, m))
    return flowing[: draw(st.sampled_from((2, 2, 2, 3, 1)))], {}


@st.composite
def bilinears(draw):
    """Two tensors with the same positions, mostly."""
    positions = draw(shapes(0, 2, 3))
    flowing = (draw(bent((*positions, draw(small(4))))), draw(bent((*positions, draw(small(4))))), (2,))
    return flowing[: draw(st.sampled_from((2, 2, 2, 3, 1)))], draw(options({"out": small(4)}, bias=FLAG))


@st.composite
def einsums(draw):
    """An equation over four letters, and tensors that mostly fit it."""
    letters = st.text("abcd", min_size=1, max_size=3)
    terms = draw(st.lists(letters, min_size=1, max_size=2 if draw(small(8)) > 1 else 3))
    named = sorted(set("".join(terms)))
    kept = draw(st.lists(st.sampled_from(named), max_size=3, unique=draw(small(5)) > 1))
    size = dict(zip("abcd", draw(shapes(4, 4, 3)), strict=True))
    flowing = tuple(draw(bent(tuple(size[letter] for letter in term))) for term in terms)
    text = ",".join(terms) + draw(st.sampled_from(("->", " -> ", "->", "->", "->e", ""))) + "".join(kept)
    return flowing[: draw(st.sampled_from((3, 3, 3, 1)))], {"equation": text}


@st.composite
def joins(draw):
    """Tensors that broadcast, mostly: leading axes missing, axes of 1."""
    shape = draw(shapes(1, 4, 3))
    flowing = []
    for _ in range(draw(st.sampled_from((2, 2, 2, 3, 1)))):
        thin = tuple(draw(st.sampled_from((size, size, size, 1))) for size in shape)
        flowing.append(draw(bent(thin[draw(small(len(shape) - 1, 0)) :])))
    return tuple(flowing), {}


@st.composite
def concats(draw):
    """Tensors that differ along one axis, mostly."""
    shape = draw(shapes(1, 4, 3))
    axis = draw(st.one_of(small(len(shape) - 1, 0), AXES))
    at = axis if type(axis) is int and axis < len(shape) else len(shape) - 1
    branches = draw(small(3, 0 if draw(small(8)) == 1 else 1))
    flowing = [draw(bent((*shape[:at], draw(small(3)), *shape[at + 1 :]))) for _ in range(branches)]
    return tuple(flowing), draw(options({}, axis=st.one_of(st.just(axis), AXES)))


@st.composite
def reshapes(draw):
    """A shape and another that mostly holds as much."""
    a, b, c = draw(shapes(3, 3, 4))
    return ((a, b * c),), {"shape": draw(bent(draw(st.sampled_from(((a * b, c), (a * b * c,), (c, a, b))))))}


@st.composite
def permutes(draw):
    """A shape and an order of its axes, mostly."""
    shape = draw(shapes())
    order = draw(st.permutations(range(len(shape)))) if draw(small(5)) > 1 else draw(st.lists(small(3, 0), max_size=4))
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
    return (shape,), draw(options({name: ways[name] for name in chosen}, method=methods))


def recurrents(**more):
    """A sequence, (rarely) something else, and what recurrent layers take."""
    shape = st.one_of(*[st.tuples(small(5), small(4))] * 6, shapes())
    return on_any(shape, {"hidden": small(4)}, layers=small(3), bidirectional=FLAG, bias=FLAG, **more)


AMOUNT = st.one_of(st.just("unknown"), small(30, 0))
AFFINE = {"scale": FLAG, "shift": FLAG}
GROUPS = st.sampled_from((1, 2, 1, 3, 4))

CASES = {
    **{name: on_any(shapes()) for name, module in INDEX.items() if module == "pointwise"},
    "prelu": on_any(shapes(), shared=FLAG),
    "glu": on_any(shapes(1, 4, 6)),
    **dict.fromkeys(("add", "sub", "mul", "div"), joins()),
    "conv": convolutions(groups=GROUPS),
    "dwconv": convolutions(multiplier=small(3)),
    "conv_transpose": convolutions(groups=GROUPS, output_padding=lambda rank: per_axis(rank, small(2, 0))),
    "linear": on_any(shapes(), {"out": small(6)}, bias=FLAG),
    "bilinear": bilinears(),
    "matmul": matrices(),
    "einsum": einsums(),
    "embedding": on_any(shapes(1, 3), {"out": small(5), "vocab": small(7)}),
    "parameter": st.tuples(st.just(()), options({"shape": shapes()})),
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
    "pad": grids().flatmap(lambda shape: on_any(st.just(shape), {"padding": paddings(len(shape) - 1)})),
    "flatten": on_any(shapes()),
    "reshape": reshapes(),
    "permute": permutes(),
    "tokens": on_any(grids()),
    "grid": sequences_for_grids(),
    "windows": on_grid("size", small(3)),
    **dict.fromkeys(("space_to_depth", "pixel_unshuffle"), on_any(grids(), {"factor": small(3)})),
    **dict.fromkeys(("depth_to_space", "pixel_shuffle"), on_any(grids(st.sampled_from((1, 2, 4, 8, 9))), {"factor": small(3)})),
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


def evaluated(rule, op, flowing, given):
    """What a rule says of these shapes: a Layer, or None when it refuses."""
    bound = {name: op.options[name].kind.bind(value) for name, value in given.items()}
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


def performed(name, flowing, given):
    """What was counted in the loops, or None when the operation cannot be performed."""
    try:
        return perform(name, flowing, given)
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


def compare(name, rule=None, **how):
    """Hypothesis over one operation: fails with the smallest disagreement; returns how many cases could be."""
    op, seen = find(name), Counter()

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], **how)
    @given(CASES[name])
    def agree(case):
        layer, counted = evaluated(rule or op.rule, op, *case), performed(name, *case)
        seen["performed" if counted else "impossible"] += 1
        assert differences(layer, counted) == {}, case

    agree()
    return seen


@pytest.mark.parametrize("name", sorted(INDEX))
def test_rule_says_what_the_loops_count(name):
    seen = compare(name)
    assert seen["performed"] >= EXAMPLES // 4, "too few cases say anything"
    assert (seen["impossible"] > 0) == (name not in NEVER_REFUSED)
