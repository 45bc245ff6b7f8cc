"""References: runs of layers by number, lists of names, the sizes of named layers, and includes of several inputs.

Each spec is compared with the same network written layer by layer, or with a published count.
"""

import pytest

from costcalc import CostcalcError, analyze, export, formula, load, sweep
from costcalc.rewrite import Rewriting

UNET = """
vars: {base: 64, levels: {default: 4, min: 0}, res: 572, pad: {default: valid}}
input: [res, res, 1]
defaults: {conv: {padding: pad, then: [relu]}}
blocks:
  double(c): [{conv: 3x3, out: c, repeat: 2}]
  up(c, skip):
    - {conv_transpose: 2x2, out: c, stride: 2, as: x}
    - {slice: x.height, axis: height, from: skip, start: (skip.height - x.height) // 2}
    - {slice: x.width, axis: width, start: (skip.width - x.width) // 2, as: cropped}
    - concat: [cropped, x]
    - double: c
layers:
  - repeat: levels
    as: down
    layers:
      - {double: base * 2 ** i, as: skip}
      - {maxpool: 2x2}
  - {double: base * 2 ** levels}
  - {up: [base * 2 ** (levels - 1 - i), "down[levels - 1 - i]/skip"], repeat: levels}
  - {conv: 1x1, out: 2, then: []}
"""
UNROLLED = """
input: [572, 572, 1]
defaults: {conv: {padding: valid}}
layers:
  - {conv: 3x3, out: 64}
  - {conv: 3x3, out: 64, as: d1}
  - {maxpool: 2x2}
  - {conv: 3x3, out: 128}
  - {conv: 3x3, out: 128, as: d2}
  - {maxpool: 2x2}
  - {conv: 3x3, out: 256}
  - {conv: 3x3, out: 256}
  - {conv_transpose: 2x2, out: 128, stride: 2, as: u2}
  - {slice: 272, axis: height, from: d2, start: 4}
  - {slice: 272, axis: width, start: 4, as: c2}
  - concat: [c2, u2]
  - {conv: 3x3, out: 128}
  - {conv: 3x3, out: 128}
  - {conv_transpose: 2x2, out: 64, stride: 2, as: u1}
  - {slice: 536, axis: height, from: d1, start: 16}
  - {slice: 536, axis: width, start: 16, as: c1}
  - concat: [c1, u1]
  - {conv: 3x3, out: 64}
  - {conv: 3x3, out: 64}
  - {conv: 1x1, out: 2}
"""


def net(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def shapes(text, **values):
    """Operation, output and parameters of every layer, shown or hidden."""
    return [(line.op, line.output, line.params) for line in analyze(text, convention="framework", **values).lines]


def test_unet_with_a_decoder_that_is_a_repeat_has_the_counts_of_its_authors():
    """Ronneberger et al. 2015, Figure 1: 572 to 388; the layers of its Caffe model have 31,030,658 parameters."""
    report = analyze(UNET, convention="framework")
    assert report.totals["params"] == 31_030_658
    assert report.lines[-1].output == (388, 388, 2)


def test_a_decoder_in_a_repeat_is_the_same_written_out():
    own = [line for line in shapes(UNET, levels=2) if line[0] != "relu"]
    assert own == shapes(UNROLLED)
    assert analyze(UNET, levels=2).totals == analyze(UNROLLED).totals


def test_levels_are_points_of_a_sweep():
    """The structure differs from point to point."""
    frame = sweep(UNET, levels=[0, 1, 2, 3, 4], base=[8, 16], res=[572, 604])
    for point in frame.to_dict("records"):
        one = analyze(UNET, **{name: point[name] for name in ("levels", "base", "res")}).totals
        assert one == {"mult_adds": point["mult_adds"], "params": point["params"]}
    assert len(frame) == 20


def test_sizes_of_named_layers_are_symbols_of_a_formula():
    text = """
    vars: {w: 8, res: 32}
    input: [res, res, 3]
    layers:
      - {conv: 3x3, out: w, as: skip}
      - {conv: 3x3, out: 2 * skip.channels, stride: 2}
      - {upsample: , to: [skip.height, skip.width]}
      - {conv: 1x1, out: skip.channels + input.channels}
    """
    form = formula(text, names=["w", "res"])["mult_adds"]
    for point in sweep(text, w=[4, 8, 24], res=[16, 32, 34]).to_dict("records"):
        own = analyze(text, w=point["w"], res=point["res"]).totals["mult_adds"]
        assert own == point["mult_adds"]
        assert form.closed.subs({symbol: point[symbol.name] for symbol in form.symbols}) == own


def test_all_runs_of_a_layer_are_joined():
    """WaveNet (arXiv:1609.03499) sums the skips of all blocks: four of 16 channels here."""
    text = """
    input: [100, 8]
    layers:
      - repeat: 4
        as: block
        layers:
          - {conv: 2, out: 8, dilation: 2 ** i, as: z}
          - {conv: 1, out: 16, from: z, as: skip}
          - {conv: 1, out: 8, from: z}
      - {add: "block[*]/skip", as: sum}
      - {concat: [sum, "block[*]"]}
    """
    lines = analyze(text).lines
    assert next(line for line in lines if line.op == "add").output == (100, 16)
    assert lines[-1].output == (100, 16 + 4 * 8)


def test_a_list_of_names_is_one_argument():
    text = """
    input: [8, 8, 4]
    blocks:
      merge(names):
        - concat: names
        - {conv: 1x1, out: "names[0].channels + names[1].channels"}
      first(names, c): [{conv: 1x1, out: c, from: "names[0]"}]
    layers:
      - {conv: 1x1, out: 3, as: a}
      - {conv: 1x1, out: 5, as: b}
      - {merge: [a, b, input]}
      - {merge: {names: [b, a]}}
      - {first: [[b, a], 2]}
    """
    assert [line.output for line in analyze(text).lines if line.op == "conv"][2:] == [(8, 8, 8), (8, 8, 8), (8, 8, 2)]
    assert [line.output for line in analyze(text).lines if line.op == "concat"] == [(8, 8, 12), (8, 8, 8)]


def test_names_pass_through_blocks():
    text = """
    input: [8, 8, 4]
    blocks:
      inner(x, c=x.channels): [{concat: [[], x]}, {conv: 1x1, out: c}]
      outer(skips): [{inner: ["skips[i]"], repeat: 3}]
    layers:
      - {conv: 1x1, out: 2 + i, repeat: 3, as: a}
      - {outer: a}
    """
    assert [line.output[-1] for line in analyze(text).lines if line.op == "conv"] == [2, 3, 4, 2, 3, 4]


def test_runs_that_pass_their_input_on_are_counted():
    """If the skipped run did not count, all later indices would refer to other layers."""
    text = """
    input: [8, 8, 4]
    layers:
      - {conv: 1x1, out: 10 + i, repeat: 4, when: i != 1, as: a}
      - {identity: , from: "a[1]"}
      - {identity: , from: "a[2]"}
    """
    assert [line.output[-1] for line in analyze(text).lines if line.op == "identity"] == [10, 12]


def test_rows_of_a_table_are_runs():
    text = """
    input: [32, 32, 3]
    blocks: {stage(c): [{conv: 3x3, out: c, stride: 2}]}
    layers:
      - {stage: [8, 16, 32], as: s}
      - {upsample: 2, as: up}
      - add: [{conv: 1x1, out: 32, from: "s[1]"}]
    """
    text = text.replace('add: [{conv: 1x1, out: 32, from: "s[1]"}]', 'add: [up, [{conv: 1x1, out: 32, from: "s[1]"}]]')
    assert analyze(text).lines[-1].output == (8, 8, 32)


def test_general_access_to_shapes():
    text = """
    inputs: {x: [6, 5, 4, 3], y: [7, 9]}
    layers:
      - {opaque: a cut, out: ["x.shape[0]", y.tokens, y.features, x.depth + x.channels], mult_adds: 0, params: 0}
    """
    assert analyze(text).lines[-1].output == (6, 7, 9, 9)


HEAD = """
inputs: {p3: [32, 32, 8], p4: [16, 16, 8]}
vars: {anchors: 3}
layers:
  - {conv: 3x3, out: 8, from: p3, as: tower}
  - {conv: 3x3, out: 4 * anchors, as: box}
  - {conv: 3x3, out: 8, from: p4, as: low}
"""


def test_an_include_of_several_inputs_has_several_outputs(tmp_path):
    net(tmp_path / "head.yaml", HEAD)
    text = """
input: [32, 32, 3]
layers:
  - {conv: 3x3, out: 8, stride: 1, as: a}
  - {conv: 3x3, out: 16, stride: 2, as: b}
  - {include: head.yaml, from: {p3: a, p4: b}, anchors: 2, as: head}
  - {conv: 1x1, out: 5, from: head/box}
  - {conv: 1x1, out: 5, from: head/low}
  - {reuse: head, from: {p4: a, p3: a}, as: again}
"""
    path = net(tmp_path / "net.yaml", text.replace("out: 16", "out: 8"))
    lines = analyze(path).lines
    assert [line.output for line in lines] == [
        *[(32, 32, 8), (16, 16, 8), (32, 32, 8), (32, 32, 8), (16, 16, 8), (32, 32, 5), (16, 16, 5)],
        *[(32, 32, 8), (32, 32, 8), (32, 32, 8)],
    ]
    listed = net(tmp_path / "other.yaml", path.read_text().replace("{p3: a, p4: b}", "[a, b]"))
    assert analyze(listed).totals == analyze(path).totals


def test_a_head_that_levels_share_has_its_parameters_once():
    """Five levels, one head: 9 * 8 * 8 + 8 and 9 * 8 * 4 + 4 numbers; the outputs of each level have names."""
    text = """
    input: [64, 64, 8]
    blocks:
      head(c):
        - {conv: 3x3, out: c, as: tower}
        - {conv: 3x3, out: 4, as: box}
    layers:
      - {maxpool: 2x2, repeat: 3, as: p}
      - {head: 8, from: "p[0]", as: h0}
      - {reuse: h0, from: "p[1]", as: h1}
      - {reuse: h0, from: "p[2]", as: h2}
      - {identity: , from: h1/tower}
      - {identity: , from: h2/box}
    """
    report = analyze(text, convention="framework")
    assert report.totals["params"] == 9 * 8 * 8 + 8 + 9 * 8 * 4 + 4
    assert [line.output for line in report.lines[-2:]] == [(16, 16, 8), (8, 8, 4)]
    assert report.totals["mult_adds"] == (9 * 64 + 9 * 32) * (32 * 32 + 16 * 16 + 8 * 8)


def test_an_exported_network_with_references_reads_back_equal(tmp_path):
    onnx = pytest.importorskip("onnx")
    export(UNET, tmp_path / "net.onnx", levels=2, base=4)
    read, own = (analyze(one, convention="framework") for one in (onnx.load(tmp_path / "net.onnx"), load(UNET)))
    assert read.totals == analyze(UNET, convention="framework", levels=2, base=4).totals != own.totals


@pytest.mark.parametrize("rewriting", [Rewriting(conv="separable"), Rewriting(thin=0.5)], ids=["separable", "thin"])
def test_rewrites_leave_references_whole(rewriting):
    rewritten = rewriting.apply(load(UNET)).model
    assert analyze(rewritten).totals["params"] < analyze(UNET).totals["params"]
    assert analyze(rewritten).lines[-1].output[:2] == (388, 388)


HEADED = """input: [8, 8, 4]
blocks:
  gated(c): [{conv: 1x1, out: c}]
  merge(names): [{concat: names}]
  one(x): [{identity: , from: x}]
layers:
  - {conv: 1x1, out: 4, repeat: 3, as: a}
  - {conv: 1x1, out: 4, as: b}
"""
KNOWN = "(named so far: `input`, `a`, `b`)"
NOT_LISTED = (
    "9:14: expected a list of branches, found `b` "
    "(write [[], [..]]: each branch is a list of layers, or the name of one; `[]` is the input itself)"
)
MISTAKES = {
    '{identity: , from: "a[3]"}': "9:24: there is no `a[3]` (the first is `a[0]`, the last `a[2]`)",
    '{identity: , from: "a[-1]"}': "9:24: there is no `a[-1]` (the first is `a[0]`, the last `a[2]`)",
    '{identity: , from: "a[1.5]"}': "9:24: `a[..]`: 1.5 is not a whole number (write floor(..) or divisible(..))",
    '{identity: , from: "a[x]"}': "9:27: unknown variable `x` (a variable is declared under `vars:`)",
    '{identity: , from: "a[channels]"}': "9:27: unknown variable `channels` (a variable is declared under `vars:`)",
    '{identity: , from: "c[0]"}': f"9:25: no layer before this one is called `c` {KNOWN}",
    '{identity: , from: "a[0"}': f"9:24: no layer before this one is called `a[0` {KNOWN}",
    '{concat: "a[*]b"}': f"9:14: no layer before this one is called `a[*]b` {KNOWN}",
    '{identity: , from: "a[*]"}': "9:6: `a[*]` names 3 layers here, not one",
    '{identity: , from: "a[0]/conv"}': "9:24: there is no `conv` in `a[0]/conv`",
    "{conv: 1x1, out: zz.channels}": f"9:22: no layer before this one is called `zz` {KNOWN}",
    '{conv: 1x1, out: "2 * zz.channels"}': f"9:27: no layer before this one is called `zz` {KNOWN}",
    "{conv: 1x1, out: b.depth}": "9:22: `b` has no depth: it has 3 axes, 8x8x4",
    "{conv: 1x1, out: b.hight}": "9:22: `hight` is not a size of a layer (a similar name exists: `height`)",
    '{conv: 1x1, out: "b.shape[3]"}': "9:22: `b.shape` has no value for 3 (it has 3, counted from 0)",
    "{conv: 1x1, out: b.shape}": "9:22: `out` cannot be `(8, 8, 4)` (it is a whole number, 1 or more)",
    "{concat: b}": NOT_LISTED,
    '{one: "a[*]"}': "5:13: `x` names 3 layers here, not one (`x[0]` is the first of them; `concat: x` takes all)",
    "{merge: {names: [a, zz]}}": f"9:25: no layer before this one is called `zz` {KNOWN}",
    "{reuse: b, from: {p: a}}": "9:6: `b` has one input (write `from: NAME`)",
    "{reuse: b, from: [a]}": "9:22: expected a name, or a map of names, found a list (write {input: NAME})",
    '{conv: 1x1, out: 8, reuse: "a[0]"}': "9:6: `a[0]` is inside another layer: only that one can be used again",
    '{reuse: "a[0]"}': "9:6: `a[0]` is inside another layer: only that one can be used again",
    "{gated: [1, [2]]}": "9:13: `gated` takes 1 value (c), got 2 (write {gated: [c]})",
}


@pytest.mark.parametrize(("layer", "said"), MISTAKES.items(), ids=MISTAKES)
def test_mistakes_are_named_where_they_stand(layer, said):
    with pytest.raises(CostcalcError) as error:
        analyze(f"{HEADED}  - {layer}\n")
    assert str(error.value) == f"text:{said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vars: {w: x.height}\ninput: [4]\nlayers: [relu]", "1:11: `x.height`"),
        ("input: [input.channels]\nlayers: [relu]", "1:9: `input.channels`"),
        ("define: {w(c): a.height * c}\ninput: [4]\nlayers: [relu]", "1:16: `a.height * c`"),
    ],
)
def test_sizes_of_layers_are_known_only_in_layers(text, said):
    with pytest.raises(CostcalcError) as error:
        analyze(text)
    help = "the sizes of layers are known in `layers:` and `blocks:`"
    assert str(error.value) == f"text:{said} reads the size of a layer ({help})"


def test_brackets_without_end_take_no_time():
    with pytest.raises(CostcalcError, match=r"no meaning|not an expression|no layer"):
        analyze(f"{HEADED}  - {{identity: , from: 'a{'[[[]' * 45}'}}\n")


def test_lists_of_lists_stay_bounded():
    """Each block doubles its list of names: a trillion layers after forty levels."""
    blocks = "".join(f"  b{n}(names): [{{b{n + 1}: {{names: [names, names]}}}}]\n" for n in range(38))
    text = f"input: [8]\nblocks:\n{blocks}  b38(names): [{{concat: names}}]\nlayers:\n  - {{b0: {{names: [input]}}}}\n"
    with pytest.raises(CostcalcError, match="at most 2,000 layers can be named here"):
        analyze(text)
