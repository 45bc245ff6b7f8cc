"""`costcalc compare`: the comparison tables of the MobileNet paper, memory, errors, formats."""

import csv
import io
import json

import pytest

from costcalc import CostcalcError, analyze, load
from costcalc.analysis.compare.compare import compare
from costcalc.errors import Source
from costcalc.read.spec.reader import read

INPUT = "input: [32, 32, 16]\n"


def spec(layers, head=INPUT, path="net.yaml"):
    """The model of a spec with these layers."""
    return read(Source(path, head + "layers:\n" + "".join(f"  - {layer}\n" for layer in layers)))


def totals(found):
    """(mult-adds, params) of both sides."""
    return [(side.totals["cost"], side.totals["params"]) for side in (found.left, found.right)]


# MobileNets (arXiv:1704.04861)


def test_table_4():
    found = compare("mobilenet", conv="standard")
    assert totals(found) == [(568_740_352, 4_209_088), (4_867_293_184, 29_281_120)]
    without = sum(one.cost for one in found.right.elements if one.type != "fully connected")
    assert without == 4_866_269_184  # 4866 M in print


def test_table_5():
    found = compare("mobilenet", at=[{"alpha": 0.75}, {"middle": 0}])
    assert totals(found) == [(325_400_448, 2_568_144), (307_323_392, 2_875_328)]  # 325 M, 2.6 M and 307 M, 2.9 M
    removed = [pair.left[0].name.partition("/")[0] for pair in found.pairs if pair.status == "removed"]
    assert sorted({*removed}) == [f"separable_{n}" for n in (10, 11, 7, 8, 9)]  # five of 14x14x512


def test_table_3():
    at = [{"alpha": 1}, {"alpha": 0.75}, {"alpha": 0.75, "rho": 0.714}]
    rows = {one.title: (one.totals["cost"], one.totals["params"]) for one in compare("mobilenet", at=at, **TABLE_3)}
    assert rows["mobilenet alpha=1, standard"] == (462_422_016, 2_359_296)  # 462 M, 2.36 M
    assert rows["mobilenet alpha=1"] == (52_283_392, 266_752)  # 52.3 M, 0.27 M
    assert rows["mobilenet alpha=0.75"] == (29_578_752, 150_912)  # 29.6 M, 0.15 M
    assert rows["mobilenet alpha=0.75, rho=0.714"] == (15_091_200, 150_912)  # 15.1 M, 0.15 M


TABLE_3 = {"conv": "standard", "layers": "separable_7"}


def test_8_to_9_times_less_computation():
    pairs = [pair for pair in compare("mobilenet", conv="standard").pairs if pair.status == "rewritten"]
    ratios = [pair.right[0].cost / sum(one.cost for one in pair.left) for pair in pairs]
    assert len(ratios) == 13
    assert all(8 < ratio < 9 for ratio in ratios[1:])
    assert 7.8 < ratios[0] < 8  # 64 outputs: 1/64 + 1/9


def test_vgg_is_32_times_as_large_and_27_times_as_costly():
    (cost, params), (other, more) = totals(compare("mobilenet", "vgg16"))
    assert (int(other / cost), int(more / params)) == (27, 32)


def test_the_saving_is_the_theory():
    from costcalc.analysis.compare.page import theory

    for found in (compare("mobilenet", conv="standard"), compare("vgg16", conv="separable")):
        pairs = [pair for pair in found.pairs if theory(pair)]
        assert len(pairs) in (13, 12)
        for pair in pairs:
            ours = sum(one.cost for one in pair.right) / sum(one.cost for one in pair.left)
            assert ours == pytest.approx(theory(pair), rel=1e-12)


# designs


def test_what_stands_for_what_when_a_network_is_rewritten():
    found = compare("vgg16", conv="separable")
    assert [pair.left[0].name for pair in found.pairs] == [one.name for one in found.left.elements]
    assert all(len(pair.left) == 1 for pair in found.pairs)
    assert sum(len(pair.right) == 2 for pair in found.pairs) == 12
    assert found.left_alone == [("stage_1/conv_1", "it is the first convolution (--stem takes it too)")]


def test_layers_of_a_rewritten_network_are_chosen_by_their_names_before():
    model = spec(["{conv: 3x3, out: 16}"] * 4)
    found = compare(model, conv="separable", layers="conv_3")
    assert [[one.name for one in side] for pair in found.pairs for side in (pair.left, pair.right)] == [
        ["conv_3"],
        ["dwconv_2", "conv_3"],
    ]
    assert totals(found)[0] == (9 * 16 * 16 * 1024, 9 * 16 * 16)
    assert totals(found)[1] == (16 * (9 + 16) * 1024, 16 * (9 + 16))


def test_one_setting_is_compared_with_the_spec_as_it_is():
    found = compare("mobilenet", at=[{"alpha": 0.5}])
    assert [found.left.title, found.right.title] == ["mobilenet alpha=1.0", "mobilenet alpha=0.5"]
    assert totals(found)[1] == tuple(analyze("mobilenet", alpha=0.5).totals.values())
    assert all(pair.left[0].name == pair.right[0].name for pair in found.pairs)


def test_only_settings_that_differ_are_labels(run):
    at = [{"alpha": 1, "res": 160}, {"alpha": 0.75, "res": 160}, {"alpha": 0.75, "res": 160, "rho": 0.5}]
    titles = [design.title for design in compare("mobilenet", at=at)]
    assert titles == ["mobilenet alpha=1", "mobilenet alpha=0.75", "mobilenet alpha=0.75, rho=0.5"]
    two = [design.title for design in compare("mobilenet", "mobilenet_v2", at=at[:2])]
    assert two == [f"{name} alpha={alpha}" for name in ("mobilenet", "mobilenet_v2") for alpha in (1, 0.75)]
    line = "compare", "mobilenet", "--at", "alpha=0.5,res=160", "--at", "alpha=0.75,res=160"
    out = run(*line).out
    heading = next(line for line in out.splitlines() if line.startswith("layer "))
    for text in ("mult-adds alpha=0.5", "mult-adds alpha=0.75", "params alpha=0.5", "params alpha=0.75"):
        assert text in heading
    assert "res" not in heading
    assert out.startswith("A: mobilenet alpha=0.5\nB: mobilenet alpha=0.75\n")
    assert run(*line, "--format", "csv").out.startswith("name,status,type,mult_adds_a,mult_adds_b,")
    same = run("compare", "mobilenet", "--at", "alpha=1", "--at", "alpha=1").out
    assert same.startswith("A: mobilenet\nB: mobilenet\n")


def test_rewrites_after_each_other():
    found = compare("resnet50", conv="separable", stem=True, thin=0.5, fold=True, convention="framework")
    assert found.right.title == "resnet50, separable, thin 0.5, folded"
    ops = {row.op.name for one in found.right.elements for row in one.rows}
    assert "dwconv" in ops
    assert "batchnorm" not in ops
    assert found.right.report.output == found.left.report.output


def test_fold_shows_biases_in_place_of_norms():
    (cost, params), (after, folded) = totals(compare("mobilenet", fold=True, convention="framework"))
    gammas = (
        analyze("mobilenet", convention="framework").totals["params"] - analyze("mobilenet").totals["params"] - 1000
    )
    assert (after, params - folded) == (cost, gammas // 2)  # gamma and beta are removed, a bias is added
    with pytest.raises(CostcalcError, match="folded: mobilenet has no layer that this changes"):
        compare(load("mobilenet"), fold=True, layers="linear")


def test_specs_of_one_name_are_told_by_their_paths():
    one, other = (spec(["{conv: 3x3, out: 8}"], "name: net\n" + INPUT, path) for path in ("a.yaml", "b.yaml"))
    found = compare(one, other)
    assert (found.left.title, found.right.title) == ("a.yaml", "b.yaml")


def names(found):
    """Both sides of each pair by name."""
    return [tuple(" + ".join(one.name for one in side) for side in (pair.left, pair.right)) for pair in found.pairs]


def test_norms_between_and_after_are_where_they_went():
    layers = ["{repeat: 2, layers: [{dwconv: 3x3}, batchnorm, {conv: 1x1, out: 16}, batchnorm]}"]
    assert names(compare(spec(layers), conv="standard")) == [
        ("1/dwconv + 1/conv", "1/conv"),
        ("1/batchnorm_1", ""),
        ("1/batchnorm_2", "1/batchnorm"),
        ("2/dwconv + 2/conv", "2/conv"),
        ("2/batchnorm_1", ""),
        ("2/batchnorm_2", "2/batchnorm"),
    ]
    assert names(compare(spec(layers), fold=True)) == [
        ("1/dwconv + 1/batchnorm_1", "1/dwconv"),
        ("1/conv + 1/batchnorm_2", "1/conv"),
        ("2/dwconv + 2/batchnorm_1", "2/dwconv"),
        ("2/conv + 2/batchnorm_2", "2/conv"),
    ]


def test_the_runs_of_a_stem_that_repeats():
    found = compare(spec(["{conv: 3x3, out: 16, repeat: 3}"]), conv="separable")
    assert [[len(side) for side in (pair.left, pair.right)] for pair in found.pairs] == [[1, 1], [1, 2], [1, 2]]


def test_theory_is_for_the_same_channels_only():
    from costcalc.analysis.compare.page import theory

    separable = ["{dwconv: 3x3}", "{conv: 1x1, out: 24}"]
    said = [
        [theory(pair) for pair in compare(spec(separable), spec([dense])).pairs]
        for dense in ("{conv: 3x3, out: 24}", "{conv: 3x3, out: 25}", "{conv: 3x3, out: 24, groups: 2}")
    ]
    assert said == [[1 / (1 / 24 + 1 / 9)], [None, None], [None]]
    assert not any(theory(pair) for pair in compare("vgg16", conv="separable", thin=0.5).pairs[2:])


# memory


def test_values_moved_by_hand():
    layers = [
        "{conv: 3x3, out: 8, stride: 2, then: [batchnorm, relu]}",
        "{dwconv: 3x3}",
        "{add: [[], [{conv: 1x1, out: 8, bias: false}]]}",
        "{flatten: , as: f}",
        "{linear: 10}",
        "{reuse: f, from: f}",
    ]
    found = compare(spec(layers), spec(layers))
    moved = {one.name: one.moved for one in found.left.elements}
    grid = 16 * 16 * 8
    assert moved == {
        "conv": 32 * 32 * 16 + grid + (9 * 16 * 8 + 8) + 4 * 8,  # weight, bias; gamma, beta and the running two
        "dwconv": grid + grid + 9 * 8 + 8,
        "add/branch_2/conv": grid + grid + 8 * 8,
        "add": 3 * grid,
        "f": 0,
        "linear": grid + 10 + grid * 10 + 10,
        "flatten": 0,
    }


def test_what_runs_several_times_moves_its_weights_once():
    found = compare(spec(["{linear: 10, times: 7}"]), spec(["{linear: 10}"]))
    (often,), (once,) = found.left.elements, found.right.elements
    flowing = 32 * 32 * (16 + 10)
    assert (often.moved, once.moved) == (7 * flowing + 170, flowing + 170)


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (["--bytes"], 4),
        (["--dtype", "4"], 4),
        (["--dtype", "float16"], 2),
        (["--dtype", "bfloat16"], 2),
        (["--dtype", "int8", "--bytes"], 1),
        (["--dtype", "float64"], 8),
        (["--dtype", "64"], 64),
    ],
)
def test_bytes(run, words, size):
    code, out, _ = run("compare", "vgg16", "--conv", "separable", *words, "--json")
    found = json.loads(out)
    design = compare("vgg16", conv="separable").right
    assert (code, found["totals"]["bytes_b"]) == (0, design.totals["moved"] * size)
    assert found["totals"]["mult_adds_per_byte_b"] == design.totals["cost"] / (design.totals["moved"] * size)
    text = run("compare", "vgg16", "--conv", "separable", *words).out
    assert f"each layer once, {size} bytes per value" in text
    assert "B has 7.79 times fewer mult-adds, 1.03 times more bytes moved" in text


# errors


ONE = "error: there is only one design: nothing to compare it with\n"
ONE += (
    "  = help: name another spec, or use --at alpha=0.5, --conv standard or separable, --thin 0.75, --merge or --fold\n"
)
ABOVE_0 = "  = help: expected a number above 0\n"
FINITE = "  = help: expected a finite number\n"
SETS = "  = help: write --at alpha=0.5,res=160\n"
ERRORS = {
    "vgg16": ONE,
    "vgg16 --by type --bytes": ONE,
    "vgg16 --conv standard": (
        "error: standard: vgg16 has no layer that this changes\n"
        "  = help: it makes depthwise convolutions followed by a 1x1 convolution dense\n"
    ),
    "vgg16 --fold": (
        "error: folded: vgg16 has no layer that this changes\n"
        "  = help: it folds batch norms directly after a convolution or linear layer\n"
    ),
    "vgg16 --thin 1": (
        "error: thin 1: vgg16 has no layer that this changes\n"
        "  = help: it scales the widths that the spec gives as numbers\n"
        "  = note: linear_3: it makes the network's output\n"
    ),
    "mobilenet --conv separable": (
        "error: separable: mobilenet has no layer that this changes\n"
        "  = help: it splits dense convolutions with a kernel larger than 1x1; the first only with --stem\n"
        "  = note: conv: it is the first convolution (--stem takes it too)\n"
    ),
    "vgg16 --conv separable --layers linear_1": (
        "error: separable: vgg16 has no layer that this changes\n"
        "  = help: it splits dense convolutions with a kernel larger than 1x1; the first only with --stem\n"
    ),
    "mobilenet --thin 0.5": ("error: mobilenet has its own width multiplier\n  = help: write --at alpha=0.5\n"),
    "vgg16 --thin 0": f"error: `thin` cannot be `0`\n{ABOVE_0}",
    "vgg16 --thin -1": f"error: `thin` cannot be `-1`\n{ABOVE_0}",
    "vgg16 --thin half": f"error: `thin` cannot be `half`\n{ABOVE_0}",
    "vgg16 --thin nan": f"error: `thin` cannot be `nan`\n{FINITE}",
    "vgg16 --thin inf": f"error: `thin` cannot be `inf`\n{FINITE}",
    "vgg16 --thin 1,5": "error: `thin` cannot be `1,5`\n  = help: a number has a decimal point\n",
    "vgg16 --thin 1e99": "error: `thin` cannot be `1e99`\n  = help: a number has at most 18 digits\n",
    "mobilenet --at x": f"error: `--at x` sets nothing\n{SETS}",
    "mobilenet --at =1": f"error: `--at =1` sets nothing\n{SETS}",
    "mobilenet --at alpha=": f"error: `--at alpha=` sets nothing\n{SETS}",
    "mobilenet --at alpha=1,": f"error: `--at alpha=1,` sets nothing\n{SETS}",
    "mobilenet --at alpha=1,alpha=2": "error: `alpha` is set twice in `--at alpha=1,alpha=2`\n",
    "mobilenet --at alpha=wide": "error: `alpha` cannot be `wide`\n  = help: it is a number\n",
    "mobilenet --at alpha=nan": f"error: `alpha` cannot be `nan`\n{FINITE}",
    "mobilenet --at rho=small": f"error: `rho` cannot be `small`\n{ABOVE_0}",
    "mobilenet --at rho=0": f"error: `rho` cannot be `0`\n{ABOVE_0}",
    "vgg16 --at width=2": "error: vgg16 has no variable `width`\n",
    "vgg16 --conv separable --layers zzz": (
        "error: no layer is called `zzz`\n  = help: a name from the table, or a glob such as '*/dwconv'\n"
    ),
    "vgg16 resnet50 --layers stag_1": (
        "error: no layer is called `stag_1`\n  = help: a similar name exists: `stage_1`\n"
    ),
    "vgg16 resnet50 --sort params": "error: `--sort` needs three designs or more; there are two\n",
    "vgg16 resnet50 mobilenet --by type": "error: `--by` is for two designs; there are more\n",
    "vgg16 resnet50 mobilenet --sort parms": (
        "error: there is no column `parms`\n  = help: a similar name exists: `params`\n"
    ),
    "vgg16 resnet50 mobilenet --sort bytes": (
        "error: there is no column `bytes`\n  = help: known: `mult_adds`, `params`, `ratio`, `params_ratio`\n"
    ),
    "vgg16 --stem": "error: `--stem` needs `--conv separable`\n",
    "vgg16 resnet50 --dtype int3": (
        "error: `dtype` cannot be `int3`\n"
        "  = help: a number of bytes from 1 to 64, or `float64`, `float32`, `float16`, `bfloat16`, `int8`\n"
    ),
    "vgg16 resnet50 --dtype 0": "error: `dtype` cannot be `0`\n",
    "vgg16 resnet50 --dtype 65": "error: `dtype` cannot be `65`\n",
    "vgg16 nosuch": "error: there is no file 'nosuch'\n",
    "vgg16 --conv dense": "error: invalid value for '--conv': 'dense' is not one of 'standard', 'separable'\n",
}


@pytest.mark.parametrize("line", ERRORS)
def test_errors(run, line):
    code, out, err = run("compare", *line.split())
    assert (code, out) == (2, "")
    assert err.startswith(ERRORS[line])
    if "= help" in ERRORS[line]:
        assert err == ERRORS[line]


def test_a_thin_network_that_does_not_fit_says_which_network_is_meant(run, tmp_path):
    (tmp_path / "net.yaml").write_text(
        INPUT + "layers: [{residual: true, layers: [{conv: 3x3, out: 16}]}, {linear: 9}]\n"
    )
    code, out, err = run("compare", "net.yaml", "--thin", "0.5")
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == "error: `residual`: shapes do not match: 32x32x16 and 32x32x8"
    assert err.splitlines()[-2] == "  = note: in net rewritten (thin 0.5)"


def test_a_network_that_grows_too_large(run):
    code, _, err = run("compare", "vgg16", "--thin", "1e9")
    assert (code, "= note: in vgg16 rewritten (thin 1000000000.0)" in err) == (2, True)


def test_too_many_designs():
    with pytest.raises(CostcalcError, match="at most 1,000 designs can be compared"):
        compare("vgg16", at=[{"res": 32 * n} for n in range(1, 1002)])


def test_nothing_in_common(run, tmp_path):
    (tmp_path / "a.yaml").write_text(INPUT + "layers: [{conv: 3x3, out: 16}]\n")
    (tmp_path / "b.yaml").write_text("input: [100, 7]\nlayers: [{lstm: 5}]\n")
    code, out, _ = run("compare", "a.yaml", "b.yaml")
    assert code == 0
    assert "\nno layer of A corresponds to a layer of B\n" in out
    assert "total" in out
    assert "stands for" not in run("compare", "a.yaml", "a.yaml").out


def test_lower_bounds_are_called_so(run, tmp_path):
    (tmp_path / "a.yaml").write_text(INPUT + "layers: [{conv: 3x3, out: 16}]\n")
    (tmp_path / "b.yaml").write_text(INPUT + "layers: [{conv: 3x3, out: 16}, {opaque: a sort}]\n")
    assert (
        "\nB: lower bounds (>=): the cost of opaque: a sort (opaque) is unknown\n"
        in run("compare", "a.yaml", "b.yaml").out
    )
    league = run("compare", "a.yaml", "b.yaml", "vgg16").out
    assert "\nb: lower bounds (>=): the cost of opaque: a sort (opaque) is unknown\n" in league


# formats


def test_table(run):
    lines = run("compare", "mobilenet", "--conv", "standard", "--layers", "separable_7").out.splitlines()
    assert lines[:4] == [
        "A: mobilenet",
        "B: mobilenet, standard",
        "mult-adds: 52,283,392 -> 462,422,016  +410,138,624  +784.5 %  8.84x",
        "params: 266,752 -> 2,359,296  +2,092,544  +784.5 %  8.84x",
    ]
    assert [line.split() for line in lines[7:10]] == [
        [
            "separable_7",
            "conv",
            "dw",
            "3x3",
            "+",
            "conv",
            "1x1",
            "->",
            "conv",
            "3x3",
            "52,283,392",
            "462,422,016",
            "+410,138,624",
            "8.84x",
            "8.84x",
            "266,752",
            "2,359,296",
            "8.84x",
        ],
        [],
        ["total", "52,283,392", "462,422,016", "+410,138,624", "8.84x", "266,752", "2,359,296", "8.84x"],
    ]
    assert "theory: 1/N + 1/DK^2 of a standard convolution (arXiv:1704.04861, section 3.1)" in lines


@pytest.mark.parametrize("by", ["layer", "type"])
def test_csv_and_json_have_the_same_rows(run, by):
    words = ["compare", "mobilenet", "--conv", "standard", "--bytes", "--by", by]
    rows = list(csv.DictReader(io.StringIO(run(*words, "--format", "csv").out)))
    found = json.loads(run(*words, "--json").out)
    listed = found["layers" if by == "layer" else "by_type"]
    assert [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in listed] == rows
    assert sum(int(row["mult_adds_b"]) for row in rows) == found["totals"]["mult_adds_b"] == 4_867_293_184
    assert sum(int(row["params_a"]) for row in rows) == found["totals"]["params_a"] == 4_209_088
    assert len(rows) == (17 if by == "layer" else 4)
    assert found["a"]["totals"] == {"mult_adds": 568_740_352, "params": 4_209_088}
    assert [found[side]["title"] for side in "ab"] == ["mobilenet", "mobilenet, standard"]


def test_what_is_left_alone_is_in_the_notes_and_in_json(run, tmp_path):
    layers = "[{conv: 1x1, out: 16}, {conv: 3x3, out: 16, groups: 2}, {conv: 3x3, out: 16}]"
    (tmp_path / "net.yaml").write_text(f"{INPUT}layers: {layers}\n")
    words = ["compare", "net.yaml", "--conv", "separable"]
    assert "\nunchanged: conv_2: it is grouped\n" in run(*words).out
    assert json.loads(run(*words, "--json").out)["left_alone"] == [{"name": "conv_2", "why": "it is grouped"}]
    many = "[{conv: 1x1, out: 16}, {conv: 3x3, out: 16, groups: 2, repeat: 8}, {conv: 3x3, out: 16}]"
    (tmp_path / "net.yaml").write_text(f"{INPUT}layers: {many}\n")
    assert "\nand 3 more unchanged\n" in run(*words).out


def test_league(run):
    words = ["compare", "mobilenet", "vgg16", "resnet50", "--bytes"]
    rows = list(csv.DictReader(io.StringIO(run(*words, "--format", "csv").out)))
    assert [row["design"] for row in rows] == ["mobilenet", "vgg16", "resnet50"]
    assert [int(row["params"]) for row in rows] == [4_209_088, 138_344_128, 25_502_912]
    assert next(row["ratio"] for row in rows) == "1.0"
    for column in rows[0].keys() - {"design"}:
        ordered = list(csv.DictReader(io.StringIO(run(*words, "--format", "csv", "--sort", column).out)))
        values = [float(row[column]) for row in ordered]
        assert values == sorted(values, reverse=True)
        assert sorted(row["design"] for row in ordered) == ["mobilenet", "resnet50", "vgg16"]
    found = json.loads(run(*words, "--json").out)["designs"]
    assert [design["spec"]["name"] for design in found] == ["mobilenet", "vgg16", "resnet50"]
    assert found[1]["ratio"] == 15_470_264_320 / 568_740_352


def test_a_league_of_designs_without_cost(run, tmp_path):
    (tmp_path / "a.yaml").write_text(INPUT + "layers: [relu]\n")
    code, out, _ = run("compare", "a.yaml", "a.yaml", "vgg16", "--sort", "ratio", "--bytes")
    assert (code, "vgg16" in out) == (0, True)


@pytest.mark.parametrize("format", ["table", "md", "csv", "json", "latex"])
def test_every_format_is_the_same_each_time_and_steers_nothing(run, tmp_path, format):
    layers = '[{conv: 1x1, out: 16}, {conv: 3x3, out: 20, as: "a[red]b"}]'
    text = f'name: "net\\e[31m|`x`"\ninput: [32, 32, 3]\nlayers: {layers}\n'
    (tmp_path / "evil.yaml").write_text(text)
    for words in (["evil.yaml", "--conv", "separable", "--bytes"], ["evil.yaml", "vgg16", "resnet50"]):
        first = run("compare", *words, "--format", format)
        assert first == run("compare", *words, "--format", format)
        assert (first.code, first.err) == (0, "")
        assert "\x1b" not in first.out
        if format != "latex":
            assert ("a[red]b" in first.out.replace("\\", "")) == (words[1] == "--conv")


@pytest.mark.parametrize("width", [80, 100, 160, 300])
def test_no_number_is_cut_in_a_terminal(run, monkeypatch, width):
    wide = run("compare", "mobilenet", "--conv", "standard").out
    monkeypatch.setenv("COLUMNS", str(width))
    out = run("compare", "mobilenet", "--conv", "standard").out
    assert "…" not in out
    for number in ("231,211,008", "462,422,016", "4,867,293,184", "568,740,352"):
        assert out.count(number) == wide.count(number)


def test_many_designs_say_input_and_variables(run):
    *_, ratio, one, other, meaning = run(
        "compare", "mobilenet", "vgg16", "mobilenet", "--sort", "mult_adds"
    ).out.splitlines()
    assert ratio == "ratio: to mobilenet"
    assert one.startswith("vgg16: shipped config vgg16; input 224x224x3; layers=16, ")
    assert other.startswith("mobilenet, mobilenet: shipped config mobilenet; input 224x224x3; alpha=1.0, ")
    assert meaning.startswith("convention paper: ")
    *_, same, _ = run("compare", "mobilenet", "mobilenet", "mobilenet").out.splitlines()
    assert same.startswith("shipped config mobilenet; input 224x224x3; alpha=1.0, ")
