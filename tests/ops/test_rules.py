"""Rules apart from their counts: refusals with the option concerned, and the labels of layers."""

import inspect

import numpy as np
import pytest

from costcalc import ops
from costcalc.errors import Refused
from costcalc.num.points import Points, Pool, leaf
from costcalc.ops import INDEX, find
from costcalc.ops import kinds as all_kinds
from costcalc.ops.kinds import Amount, Axis, Count, Flag, Kernel, Order, Padding, PerAxis, Rate, Scale, Size, Window
from costcalc.selftest.perform import PERFORMERS

APART = "queries and keys have different leading axes"
TRANSPOSED = {"kernel": 1, "out": 4}
SQUARE, VECTOR, SEQUENCE = (5, 6, 4), (4,), (6, 8)
GRID = "needs a grid: [length, channels], [height, width, channels], ..; got a plain vector"
REFUSED = [  # operation, input shapes, options, reason, the option concerned
    ("conv", [SQUARE], {"kernel": 1, "out": 4, "groups": 3}, "4 channels do not split into 3 groups", "groups"),
    ("conv", [SQUARE], {"kernel": 1, "out": 3, "groups": 2}, "3 outputs do not split into 2 groups", "groups"),
    ("conv", [VECTOR], {"kernel": 1, "out": 3}, GRID, None),
    ("conv", [SQUARE], {"kernel": (1, 1, 1), "out": 3}, "the kernel has 3 values for 2 spatial axes", None),
    ("conv", [SQUARE], {"kernel": 1, "out": 3, "stride": (1,)}, "stride has 1 values for 2 spatial axes", None),
    ("conv", [SQUARE], {"kernel": 1, "out": 3, "dilation": (1,)}, "dilation has 1 values for 2 spatial axes", None),
    ("conv", [SQUARE], {"kernel": 1, "out": 3, "padding": (1,)}, "padding has 1 values for 2 spatial axes", None),
    (
        *("conv", [SQUARE], {"kernel": 1, "out": 3, "padding": ((1, 1, 1), (1, 1, 1))}),
        *("padding per side is [before, after] for each axis", "padding"),
    ),
    (
        *("conv", [SQUARE], {"kernel": 3, "out": 3, "dilation": 4, "padding": 1}),
        *("a window of 9 is larger than its input of 7 with padding", None),
    ),
    ("dwconv", [VECTOR], {"kernel": 1}, GRID, None),
    ("dwconv", [SQUARE], {"kernel": (1,)}, "the kernel has 1 values for 2 spatial axes", None),
    ("dwconv", [SQUARE], {"kernel": 1, "stride": (1,)}, "stride has 1 values for 2 spatial axes", None),
    ("dwconv", [SQUARE], {"kernel": 1, "dilation": (1,)}, "dilation has 1 values for 2 spatial axes", None),
    ("conv_transpose", [VECTOR], {"kernel": 1, "out": 1}, GRID, None),
    (
        "conv_transpose",
        [SQUARE],
        {"kernel": 1, "out": 4, "groups": 3},
        "4 channels do not split into 3 groups",
        "groups",
    ),
    (
        "conv_transpose",
        [SQUARE],
        {"kernel": 1, "out": 3, "groups": 2},
        "3 outputs do not split into 2 groups",
        "groups",
    ),
    ("conv_transpose", [SQUARE], {"kernel": (1,), "out": 1}, "the kernel has 1 values for 2 spatial axes", None),
    (
        "conv_transpose",
        [SQUARE],
        {"kernel": 1, "out": 1, "stride": (1,)},
        "stride has 1 values for 2 spatial axes",
        None,
    ),
    (
        "conv_transpose",
        [SQUARE],
        {"kernel": 1, "out": 1, "dilation": (1,)},
        "dilation has 1 values for 2 spatial axes",
        None,
    ),
    (
        *("conv_transpose", [SQUARE], {"kernel": 1, "out": 1, "output_padding": (1,)}),
        *("output_padding has 1 values for 2 spatial axes", None),
    ),
    (
        *("conv_transpose", [SQUARE], {"kernel": 3, "out": 1, "padding": (0, 4)}),
        *("the output would be 0 wide: the padding cuts all of it off", None),
    ),
    (
        *("conv_transpose", [SQUARE], {"kernel": 3, "out": 1, "output_padding": 1}),
        *("`padding: same` leaves no room for output_padding", "output_padding"),
    ),
    (
        *("conv_transpose", [SQUARE], {"kernel": 3, "out": 1, "padding": 0, "output_padding": (0, 1)}),
        *("output_padding 1 must be less than the stride or the dilation", "output_padding"),
    ),
    ("maxpool", [VECTOR], {"kernel": 1}, GRID, None),
    ("maxpool", [SQUARE], {"kernel": (1,)}, "the kernel has 1 values for 2 spatial axes", None),
    ("maxpool", [SQUARE], {"kernel": 1, "stride": (1,)}, "stride has 1 values for 2 spatial axes", None),
    ("maxpool", [SQUARE], {"kernel": 1, "dilation": (1,)}, "dilation has 1 values for 2 spatial axes", None),
    ("avgpool", [SQUARE], {"kernel": 3, "padding": 2}, "padding 2 is more than half the window of 3", "padding"),
    ("adaptive_avgpool", [SQUARE], {"size": (1,)}, "the size has 1 values for 2 spatial axes", None),
    ("adaptive_maxpool", [VECTOR], {"size": 1}, GRID, None),
    ("reduce", [VECTOR], {"method": "mean", "axis": 0}, "a vector has one axis only: write `keep: true`", "axis"),
    ("reduce", [VECTOR], {"method": "mean", "axis": "height"}, "a tensor of rank 1 has no axis `height`", "axis"),
    ("slice", [SQUARE], {"size": 1, "axis": 3}, "axis 3 is past the last of 3 axes (the first is 0)", "axis"),
    ("slice", [SQUARE], {"size": 3, "start": 2}, "values 2 to 5 of only 4", None),
    ("split", [SQUARE], {"parts": 3}, "4 does not split into 3 equal parts", None),
    ("split", [SQUARE], {"parts": 2, "part": 2}, "part 2 of 2: the first is 0", "part"),
    ("concat", [], {}, "concat joins one branch or more, got none", None),
    ("concat", [(2, 3), (4, 3)], {}, "concat: shapes do not match: 2x3 and 4x3", None),
    ("concat", [(2, 3), (2, 2, 3)], {}, "concat: shapes do not match: 2x3 and 2x2x3", None),
    ("pad", [SQUARE], {"padding": "same"}, "pad takes numbers", "padding"),
    ("pad", [VECTOR], {"padding": 1}, GRID, None),
    ("reshape", [SQUARE], {"shape": (7, 2)}, "120 values do not fill a shape of 14", None),
    ("permute", [SQUARE], {"order": (0, 1, 1)}, "the order must name each of the 3 axes once, from 0", None),
    ("tokens", [VECTOR], {}, GRID, None),
    ("grid", [SQUARE], {"size": 2}, "grid takes [tokens, features], got a tensor of rank 3", None),
    ("grid", [SEQUENCE], {"size": 2}, "6 tokens do not fill a grid of 4", None),
    ("windows", [SQUARE], {"size": (5, 4)}, "a grid side of 6 does not split into windows of 4", None),
    ("windows", [SQUARE], {"size": (5,)}, "the window has 1 values for 2 spatial axes", None),
    ("space_to_depth", [SQUARE], {"factor": 2}, "a grid side of 5 is not a multiple of 2", None),
    ("depth_to_space", [SQUARE], {"factor": 3}, "4 channels are not a multiple of 9", None),
    ("channel_shuffle", [SQUARE], {"groups": 3}, "4 channels do not split into 3 groups", "groups"),
    ("upsample", [SQUARE], {}, "upsample takes a factor or `to`, one of them", None),
    ("upsample", [SQUARE], {"scale": (1,)}, "the factor has 1 values for 2 spatial axes", None),
    ("upsample", [SQUARE], {"to": (1,)}, "to has 1 values for 2 spatial axes", None),
    ("upsample", [SQUARE], {"scale": 0.1}, "the output would be 0 wide", None),
    ("groupnorm", [SQUARE], {"groups": 3}, "4 channels do not split into 3 groups", "groups"),
    ("glu", [(3,)], {}, "glu halves the channels: 3 is odd", None),
    ("add", [SQUARE], {}, "add joins two branches or more, got 1", None),
    ("mul", [SQUARE], {}, "mul joins two branches or more, got 1", None),
    ("sub", [SQUARE] * 3, {}, "sub takes two branches, got 3", None),
    ("div", [SQUARE] * 3, {}, "div takes two branches, got 3", None),
    ("add", [(2, 3), (4, 3)], {}, "add: shapes do not match: 2x3 and 4x3", None),
    ("mul", [(2, 3), (4, 3)], {}, "mul: shapes do not match: 2x3 and 4x3", None),
    ("sub", [(2, 3), (4, 3)], {}, "sub: shapes do not match: 2x3 and 4x3", None),
    ("div", [(2, 3), (4, 3)], {}, "div: shapes do not match: 2x3 and 4x3", None),
    ("bilinear", [(2, 3)], {"out": 1}, "bilinear takes two inputs, got 1", None),
    ("bilinear", [(2, 3), (3, 3)], {"out": 1}, "the leading axes differ: 2 against 3", None),
    ("bilinear", [(2, 3), (3,)], {"out": 1}, "the inputs have 1 and 0 leading axes", None),
    ("matmul", [(2, 3)], {}, "matmul takes two inputs, got 1", None),
    ("matmul", [(3,), (3,)], {}, "matmul joins two tensors of the same rank, 2 or more; got ranks 1 and 1", None),
    ("matmul", [(2, 3), (4, 2)], {}, "matmul: 3 columns on the left meet 4 rows on the right", None),
    ("einsum", [(2, 3)], {"equation": "a->a"}, "`a` names 1 axes of a tensor with 2", None),
    ("einsum", [(2, 3)], {"equation": "aa->a"}, "axis `a` is 2 in one tensor and 3 in another", None),
    ("einsum", [(2, 3)], {"equation": "ab->aa"}, "`aa` names an axis of the result twice", "equation"),
    ("einsum", [(2, 3)], {"equation": "ab->c"}, "`c` in the result names no axis of the tensors", None),
    ("einsum", [(2, 3)], {"equation": "ab"}, "`ab` is not an equation such as `bij,bjk->bik`", "equation"),
    ("einsum", [(2, 3)], {"equation": "a1->a"}, "`a1->a` is not an equation such as `bij,bjk->bik`", "equation"),
    ("einsum", [(2, 3)], {"equation": "a,b->a"}, "`a,b->a` names 2 tensors, `of` gives 1", "equation"),
    (
        *("einsum", [(2,)] * 3, {"equation": "a,a,a->a"}),
        *("einsum takes one tensor or two: the cost of more depends on the order", "equation"),
    ),
    ("gru", [VECTOR], {"hidden": 2}, "a recurrent layer works on [length, features], got a tensor of rank 1", None),
    ("lstm", [SEQUENCE], {"hidden": 2, "projection": 2}, "a projection to 2 of only 2 hidden", "projection"),
    ("attention", [VECTOR], {"heads": 2}, "attention works on a sequence: [tokens, features]", None),
    ("attention", [SEQUENCE], {"heads": 3}, "8 channels do not split into 3 heads", None),
    ("attention", [SEQUENCE], {"heads": 3, "kv_heads": 2}, "3 heads do not share 2 kv_heads evenly", "kv_heads"),
    (
        *("attention", [(6, 8), (5, 8)], {"heads": 2, "causal": True}),
        *("a causal mask or a window needs at least as many keys as queries, got 5 keys for 6 queries", None),
    ),
    ("attention", [(2, 5, 8), (5, 8)], {"heads": 2}, APART, None),
    (
        "attention",
        [(2, 5, 8), (3, 5, 8)],
        {"heads": 2},
        "queries and keys have different leading axes: 2 against 3",
        None,
    ),
    ("attend", [(5, 8)], {"heads": 2}, "attend takes queries, keys and values, got 1 inputs", None),
    ("attend", [(5, 8), (4, 8), (3, 8)], {"heads": 2}, "4 keys but 3 values", None),
    ("attend", [(5, 8), (4, 8), (4, 8)], {"heads": 3}, "8 channels do not split into 3 heads", "heads"),
    ("attend", [(5, 8), (4, 6), (4, 8)], {"heads": 2}, "6 key channels are not a multiple of the head size 4", None),
    ("attend", [(5, 8), (4, 8), (4, 7)], {"heads": 2}, "7 value channels do not split into 2 heads", None),
    ("attend", [(5, 8), (4, 12), (4, 12)], {"heads": 2}, "2 heads do not share 3 heads of keys evenly", "heads"),
]


def applied(name, flowing, options):
    """The layer of a rule."""
    op = find(name)
    bound = {key: op.options[key].kind.bind(value) for key, value in options.items()}
    for branch in op.branches:
        if op.options[branch].kind.form == "branches":
            bound[branch] = tuple(flowing)
        elif len(flowing) == 2:
            bound[branch] = flowing[1]
    return op.rule(flowing[0] if flowing else (1,), **bound)


@pytest.mark.parametrize(("name", "flowing", "options", "message", "option"), REFUSED, ids=range(len(REFUSED)))
def test_a_refusal_names_its_numbers_and_its_option(name, flowing, options, message, option):
    with pytest.raises(Refused) as caught:
        applied(name, flowing, options)
    assert (caught.value.message, caught.value.option) == (message, option)


@pytest.mark.parametrize(("name", "flowing", "options", "message", "option"), REFUSED, ids=range(len(REFUSED)))
def test_arrays_are_refused_where_numbers_are(name, flowing, options, message, option):
    table = Pool()

    def points(size):
        return leaf(table, np.array([[size], [size]]))

    with pytest.raises(Refused) as caught:
        applied(name, [tuple(map(points, shape)) for shape in flowing], options)
    assert (caught.value.message, caught.value.option) == (message, option)


LABELS = [  # operation, input shapes, options, the type in a table, detail
    ("conv", [SQUARE], {"kernel": 3, "out": 2}, "conv 3x3", {"kernel": (3, 3), "stride": (1, 1), "groups": 1}),
    (
        *("conv", [SQUARE], {"kernel": (1, 3), "out": 2, "groups": 2, "stride": (1, 2)}, "conv 1x3 grouped"),
        {"kernel": (1, 3), "stride": (1, 2), "groups": 2},
    ),
    ("dwconv", [SQUARE], {"kernel": 3}, "conv dw 3x3", {"kernel": (3, 3), "stride": (1, 1), "groups": 4}),
    (
        *("conv_transpose", [SQUARE], {"kernel": 2, "out": 2, "stride": 2}, "conv transposed 2x2"),
        {"kernel": (2, 2), "stride": (2, 2), "groups": 1},
    ),
    (
        *("conv_transpose", [SQUARE], {"kernel": 2, "out": 2, "groups": 2}, "conv transposed 2x2 grouped"),
        {"kernel": (2, 2), "stride": (1, 1), "groups": 2},
    ),
    ("maxpool", [SQUARE], {"kernel": 3}, "maxpool 3x3", {"kernel": (3, 3), "stride": (3, 3)}),
    ("avgpool", [SQUARE], {"kernel": "global"}, "avgpool 5x6", {"kernel": (5, 6), "stride": (1, 1)}),
    ("lppool", [SQUARE], {"kernel": 2, "stride": 1}, "lppool 2x2", {"kernel": (2, 2), "stride": (1, 1)}),
    ("linear", [VECTOR], {"out": 2}, "fully connected", {}),
    ("groupnorm", [SQUARE], {"groups": 2}, "groupnorm", {"groups": 2}),
    ("dropout", [VECTOR], {}, "dropout", {"rate": 0.5}),
    ("attention", [SEQUENCE], {"heads": 2}, "attention", {"heads": 2}),
    ("attend", [SEQUENCE] * 3, {"heads": 2}, "attend", {"heads": 2}),
    ("opaque", [VECTOR], {"label": "a sort"}, "opaque: a sort", {"label": "a sort"}),
    ("relu", [VECTOR], {}, "relu", {}),
]


@pytest.mark.parametrize(("name", "flowing", "options", "label", "detail"), LABELS, ids=lambda value: str(value)[:20])
def test_a_layer_is_called_as_in_the_tables_of_papers(name, flowing, options, label, detail):
    layer = applied(name, flowing, options)
    assert (find(name).label(layer.detail), dict(layer.detail)) == (label, detail)


@pytest.mark.parametrize("name", sorted(INDEX))
def test_defaults_are_those_of_the_definition(name):
    performer = PERFORMERS[name]
    taken = inspect.signature(performer).parameters
    given = {option.name: option.default for option in find(name).options.values() if not option.required}
    ours = {key: value for key, value in given.items() if key in taken and key not in find(name).branches}
    assert ours == {key: taken[key].default for key in ours}


def test_operations_of_equal_names_and_modules():
    assert {name: find(name).name for name in INDEX} == {name: name for name in INDEX}
    assert {find(name).rule.__module__.rpartition(".")[2]: INDEX[name] for name in INDEX} == {
        module: module for module in set(INDEX.values())
    }
    assert {name: find(name).takes_input for name in INDEX if not find(name).takes_input} == {"parameter": False}
    assert [*find("conv").options] == ["kernel", "out", "stride", "padding", "dilation", "groups", "bias"]
    assert (find("conv").main, find("relu").main, find("add").main) == ("kernel", None, "inputs")
    assert (find("attention").branches, find("einsum").branches) == (("memory",), ("of",))
    assert [option.name for option in find("conv").options.values() if option.required] == ["kernel", "out"]
    assert sorted(ops.__all__) == ops.__all__


KINDS = [  # kind, given value, result or reason of the refusal
    (Size, 1, 1),
    (Size, 0, "must be at least 1, got 0"),
    (Size, 2.0, 2),
    (Count, 0, 0),
    (Count, -1, "must be at least 0, got -1"),
    (Amount, "unknown", "unknown"),
    (Amount, "unkown", "must be `unknown`, got `unkown`"),
    (Amount, -1, "must be at least 0, got -1"),
    (PerAxis, (0, 1), (0, 1)),
    (PerAxis, -1, "must be at least 0, got -1"),
    (Scale, (0.5, 2), (0.5, 2)),
    (Scale, 0, "must be more than 0, got 0"),
    (Rate, 0, 0),
    (Rate, 1, 1),
    (Rate, 1.1, "must be from 0 to 1, got 1.1"),
    (Rate, -0.1, "must be from 0 to 1, got -0.1"),
    (Kernel, (1, 2), (1, 2)),
    (Kernel, (0, 2), "must be at least 1, got 0"),
    (Window, "global", "global"),
    (Window, 0, "must be at least 1, got 0"),
    (Window, "gobal", "must be `global`, got `gobal`"),
    (Padding, "valid", "valid"),
    (Padding, ((0, 1), 2), ((0, 1), 2)),
    (Padding, ((0, -1), 2), "must be at least 0, got -1"),
    (Padding, "full", "must be `same` or `valid`, got `full`"),
    (Flag, True, True),
    (Flag, 1, True),
    (Flag, 0, False),
    (Flag, "yes", "must be true or false, got `yes`"),
    (Order, (1, 0), (1, 0)),
    (Order, (-1, 0), "must be at least 0, got -1"),
    (Axis, "tokens", "tokens"),
    (Axis, 2, 2),
    (Axis, -1, "must be at least 0, got -1"),
]


@pytest.mark.parametrize(("kind", "given", "result"), KINDS, ids=lambda one: getattr(one, "name", None) or str(one))
def test_kinds_admit_what_they_say(kind, given, result):
    try:
        bound = kind.bind(given)
    except Refused as error:
        bound = error.message
    assert (type(bound), bound) == (type(result), result)


def test_kinds_are_called_by_what_they_hold():
    kinds = [one for one in vars(all_kinds).values() if isinstance(one, all_kinds.Kind)]
    forms = {form: {one.name for one in kinds if one.form == form} for form in {one.form for one in kinds}}
    assert forms == {
        "number": {"size", "width", "count", "amount", "rate", "flag"},
        "kernel": {"steps", "per_axis", "scale", "kernel", "axes", "sides", "window", "flags"},
        "padding": {"padding"},
        "shape": {"shape", "order"},
        "word": {"axis", "method"},
        "text": {"equation", "label"},
        "branch": {"branch"},
        "branches": {"branches"},
        "numbers": {"rates"},
    }
    assert {one.name: one.words for one in kinds if one.words and one.name != "method"} == {
        "amount": ("unknown",),
        "window": ("global",),
        "padding": ("same", "valid"),
        "axis": ("channels", "features", "height", "width", "depth", "length", "tokens"),
    }
    assert [one.words for one in kinds if one.name == "method"] == [
        ("nearest", "bilinear"),
        ("last", "first"),
        ("mean", "sum", "max"),
        ("weight", "bias", "gamma", "beta", "slope", "running"),
    ]


def test_kinds_know_points():
    points = leaf(Pool(), np.array([1, 2]))
    assert type(Size.bind(points)) is Points
    for kind, array, message in [
        (Size, [2, 0], "must be at least 1, got 0"),
        (Count, [0, -1], "must be at least 0, got -1"),
        (Scale, [1, 0], "must be more than 0, got 0"),
        (Rate, [1, 2], "must be from 0 to 1, got 2"),
    ]:
        with pytest.raises(Refused) as caught:
            kind.bind(leaf(Pool(), np.array(array)))
        assert (caught.value.message, caught.value.failing.tolist()) == (message, [False, True])
    assert Flag.bind(leaf(Pool(), np.array([1, 1]))) is True
    assert Order.bind((leaf(Pool(), np.array([1, 1])), 0)) == (1, 0)


@pytest.mark.parametrize("name", sorted(INDEX))
def test_an_operation_says_what_it_is(name):
    assert find(name).doc
    assert find(name).doc == find(name).rule.__doc__
