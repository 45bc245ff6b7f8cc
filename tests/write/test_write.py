"""Specs written from models: read back, they have the same layers and costs, and they are short."""

import gzip
import random
from collections import Counter
from math import prod
from pathlib import Path

import pytest

from costcalc import analyze, import_, sweep
from costcalc.errors import CostcalcError, Source, SpecError
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.model.wiring import wired
from costcalc.ops import find
from costcalc.read import anything
from costcalc.read.loading import load
from costcalc.read.spec.reader import read
from costcalc.rewrite import thin
from costcalc.selftest.cases import CASES
from costcalc.write.spec import fold, spec_text
from costcalc.write.spec.spec import grouped
from costcalc.write.spec.structure import settled, structured
from costcalc.write.spec.text import scalar

ROOT = Path(__file__).parents[2]
SPECS = sorted([*(ROOT / "configs").glob("*.yaml"), *(ROOT / "tests" / "specs").glob("*.yaml")])


def rows(model, **given):
    """Every layer: its type, its shapes, and all its counts."""
    return [
        (
            row.type,
            row.layer.shape,
            row.inputs,
            dict(row.layer.params),
            dict(row.layer.terms),
            row.times,
            shares(row),
        )
        for row in trace(model, settle(model, given)).rows
    ]


def shares(row):
    """Whether a layer has parameters that another layer counts."""
    return bool(row.shared and any(row.layer.params.values()))


def written(model, multiplier=None, **given):
    """The spec text written from a model."""
    return spec_text(model, settle(model, given), multiplier)


def back(text):
    """Read a spec text."""
    return read(Source("written.yaml", text))


def unsorted(found):
    """The layers without their order, which may differ with several outputs."""
    return Counter(map(str, found))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_read_back_it_costs_the_same_layer_by_layer(path):
    model = load(path)
    assert unsorted(rows(back(written(model)))) == unsorted(rows(model))


def spec_of(op, shapes, options):
    """A spec of one layer, whose inputs have these shapes."""
    names = [f"x{number}" for number in range(len(shapes))]
    own, beside = {name: listed(value) for name, value in options.items() if value is not None}, names[op.takes_input :]
    for branch in op.branches:
        several = op.options[branch].kind.form == "branches"
        own |= {branch: names} if several else {branch: beside.pop(0)} if beside else {}
    layer = {op.name: own.pop(op.main, None), **own, **({"from": names[0]} if op.takes_input and names else {})}
    return {"inputs": dict(zip(names, map(list, shapes), strict=True)) or {"x": [1]}, "layers": [layer]}


def listed(value):
    """A tuple as a list, and so are those in it."""
    return [listed(one) for one in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", CASES)
def test_every_operation_costs_the_same_when_read_back(name):
    """With random options, as `costcalc prove` draws them. Invalid ones are left out."""
    seen = 0
    for seed in range(20):
        given = spec_of(find(name), *CASES[name](random.Random(f"{name} {seed}")))
        try:
            model = anything.load(given)
            due = unsorted(rows(model))
        except CostcalcError:
            continue
        assert unsorted(rows(back(written(model)))) == due, given
        seen += 1
    assert seen > 1, name


@pytest.mark.parametrize(
    "name", ["mobilenet", "mobilenet_v2", "resnet50", "shufflenet_v2", "vit_b_16", "vgg16", "googlenet"]
)
def test_layers_keep_their_order(name):
    model = load(name)
    assert rows(back(written(model))) == rows(model)


def test_mobilenet_is_found_again():
    """84 single layers become the block and the table of the paper."""
    text = written(load("mobilenet"))
    hand = (ROOT / "configs" / "mobilenet.yaml").read_text().partition("published:")[0]
    assert "  separable(out, stride=1):\n" in text
    assert "  - separable: [[64], [128, 2], [128], [256, 2], [256], [512, 2]]\n" in text
    assert "  - {separable: 512, repeat: 5}\n" in text
    assert len(text) <= 2 * len(hand)
    assert len(text.splitlines()) <= 2 * len(hand.splitlines())


@pytest.mark.parametrize(
    "name", ["mobilenet", "resnet50", "vgg16", "densenet121", "inception_v3", "efficientnet", "vit_b_16"]
)
def test_no_spec_is_much_longer_than_one_by_hand(name):
    hand = (ROOT / "configs" / f"{name}.yaml").read_text().partition("published:")[0]
    assert len(written(load(name)).splitlines()) <= 2 * len(hand.splitlines())


@pytest.mark.parametrize("name", ["mobilenet", "vgg16", "resnet18", "resnet50", "mobilenet_v2"])
def test_its_widths_scale_as_those_of_a_thinner_network(name):
    model = load(name)
    own = back(written(model, "a"))
    assert rows(own) == rows(model)
    thinner = thin(model, 0.5).model
    assert analyze(own, a=0.5).totals == analyze(thinner).totals


def test_a_sweep_works_on_it(tmp_path):
    (tmp_path / "own.yaml").write_text(written(load("mobilenet"), "alpha"))
    found = sweep(tmp_path / "own.yaml", alpha=[1.0, 0.75, 0.5, 0.25])
    assert list(found["mult_adds"]) == list(sweep("mobilenet", alpha=[1.0, 0.75, 0.5, 0.25])["mult_adds"])


def spec(layers, inputs="input: [16, 16, 8]"):
    """A model of layers."""
    return read(Source("net.yaml", f"{inputs}\nlayers:\n{layers}"))


# fmt: off
SHAPES = {
    "names inside a branch": "  - {conv: 1x1, out: 8, as: a}\n"
    "  - add: [[{conv: 3x3, out: 8}], [{from: a, relu: }], a]\n",
    "dense": "  - {conv: 1x1, out: 4, as: a}\n  - {conv: 1x1, out: 4, as: b}\n  - {concat: [a, b], as: c}\n"
    "  - {conv: 1x1, out: 4, as: d}\n  - concat: [a, b, d]\n  - concat: [[], c]\n",
    "a group again": "  - {as: a, layers: [{conv: 1x1, out: 8}, {add: [[], [relu]]}]}\n  - relu\n  - reuse: a\n",
    "reuse": "  - {conv: 1x1, out: 8, as: a, then: [prelu]}\n  - reuse: a\n  - relu\n  - {reuse: a, times: 3}\n",
    "times": "  - {layers: [{conv: 1x1, out: 8, as: a}, relu, {conv: 1x1, out: 4}], times: 5}\n"
    "  - {layers: [relu], times: 2}\n",
    "times in times": "  - times: 5\n"
    "    layers: [{conv: 1x1, out: 8}, {layers: [{add: [[], [{conv: 1x1, out: 8}]]}], times: 3}]\n",
    "times in a branch": "  - {add: [[], [{conv: 1x1, out: 8, times: 2}]], times: 3}\n",
    "times around what runs once": "  - {conv: 3x3, out: 8, as: a}\n  - {conv: 1x1, out: 8}\n"
    "  - {add: [[], a], times: 3}\n  - {mul: [[], [{conv: 1x1, out: 8}]]}\n",
    "times of what runs again": "  - {conv: 1x1, out: 8, as: a, times: 4}\n  - {reuse: a, times: 3}\n",
    "what runs again inside": "  - times: 2\n    layers:\n      - {conv: 1x1, out: 8}\n"
    "      - {conv: 1x1, out: 8, as: w}\n      - {add: [[], [{reuse: w}, {conv: 1x1, out: 8}]]}\n",
    "constants": "  - add: [[], [{parameter: [16, 16, 8]}]]\n  - parameter: [3, 4]\n  - {parameter: [4, 3], as: p}\n",
    "made of a constant": "  - residual: true\n    layers: [{conv: 1x1, out: 8}, {mul: [[], [{parameter: [1, 1, 8]}, "
    "{opaque: cut, out: [16, 16, 8], mult_adds: 0, params: 0}, relu]]}]\n",
    "memory": "  - tokens\n  - {linear: 8, as: m}\n  - {attention: 2, memory: m}\n"
    "  - {attention: 2, memory: [{linear: 6}]}\n",
    "two uses of a join": "  - {add: [[relu], [sigmoid]], as: j}\n  - {conv: 1x1, out: 8}\n  - add: [j, []]\n",
    "a branch of a branch": "  - concat: [[relu, {concat: [[tanh], []]}], [{add: [[], [{conv: 1x1, out: 8}]]}]]\n",
    "einsum": '  - tokens\n  - {einsum: "ab,cb->ac", of: [[], [{linear: 8}]]}\n',
    "pads": "  - {conv: 3x3, out: 4, padding: [[0, 1], [2, 0]]}\n  - {pad: 0}\n"
    "  - {maxpool: 3x3, stride: 2, padding: 1}\n",
    "odd names": "  - {conv: 1x1, out: 8, as: 'a: b, {c}'}\n  - {conv: 1x1, out: 8}\n  - add: [[], 'a: b, {c}']\n",
    "two outputs": "  - {conv: 1x1, out: 8, as: a}\n  - {conv: 1x1, out: 4}\n  - {conv: 1x1, out: 2, from: a}\n",
    "sizes of five and six digits": "  - {conv: 3x3, out: 4, padding: [[0, 1], [0, 20000]], stride: [1, 300000]}\n",
    "joins in joins": "  - {as: a, conv: 1x1, out: 8}\n" + "  - add: [[{conv: 1x1, out: 8}, relu], [tanh]]\n" * 3
    + "".join("  - add: [[{conv: 3x3, out: 8}], input]\n  - relu\n" for _ in range(40)),
    "opaque": "  - {opaque: 'a sort, of', out: [4, 4, 2], mult_adds: 5, params: 7}\n  - {opaque: other}\n",
    "no layer": "  - {conv: 1x1, out: 8, when: false}\n  - relu\n",
    "the input again": "  - {conv: 1x1, out: 8}\n  - add: [[], input]\n  - {conv: 1x1, out: 8}\n  - mul: [[], input]\n",
}
# fmt: on


@pytest.mark.parametrize("layers", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_a_graph_is_written(layers):
    model = spec(layers)
    assert unsorted(rows(back(written(model)))) == unsorted(rows(model))


def test_a_name_is_not_the_number_of_another_layer():
    layers = "  - {lppool: 1}\n  - {as: m}\n  - softplus\n  - {relu: , from: m}\n" + "  - {lppool: 3}\n" * 2
    text = written(spec(layers))
    assert "as: lppool1" in text
    assert [line.name for line in analyze(back(text)).lines][-2:] == ["lppool_1", "lppool_2"]


def test_weights_of_what_runs_more_often_cannot_be_used_less_often():
    twice = wired(spec("  - {conv: 1x1, out: 8, as: a}\n  - reuse: a\n"), {})
    first, again = twice.nodes
    nodes = [first._replace(row=first.row._replace(times=3)), again._replace(row=again.row._replace(times=4))]
    with pytest.raises(SpecError, match="`conv` has the weights of `a`, which runs 3 times"):
        grouped(settled(structured(twice._replace(nodes=nodes), lambda node: node.row.options)))


def test_an_input_of_few_rows_names_its_axes():
    model = spec("  - relu\n", "input: {height: 3, width: 32, channels: 32}")
    assert "input: {height: 3, width: 32, channels: 32}\n" in written(model)
    assert rows(back(written(model))) == rows(model)


def test_several_inputs_keep_their_names():
    model = spec(
        "  - {conv: 1x1, out: 4}\n  - add: [[], [{from: mask, conv: 1x1, out: 4}]]\n",
        "inputs:\n  x: [8, 8, 3]\n  mask: [8, 8, 1]",
    )
    own = back(written(model))
    assert list(own.inputs) == ["x", "mask"]
    assert rows(own) == rows(model)


def chains(chance, depth=0):
    """Lines of a random list of layers that keep 8 channels, with groups and repeats."""
    pad = "  " * (2 * depth + 1)
    for _ in range(chance.randint(1, 5)):
        kind = chance.choice(["conv", "dw", "pair", "act", "group", "sum"][: 6 if depth < 2 else 4])
        if kind == "conv":
            yield f"{pad}- {{conv: {chance.choice(['1x1', '3x3'])}, out: 8, then: [{chance.choice(['', 'relu'])}]}}"
        elif kind == "dw":
            yield f"{pad}- {{dwconv: {chance.choice([3, 5])}, bias: false, repeat: {chance.randint(1, 3)}}}"
        elif kind == "pair":
            yield from (f"{pad}- {{conv: 1x1, out: {chance.choice([8, 16, 24])}}}", f"{pad}- {{conv: 1x1, out: 8}}")
        elif kind == "act":
            yield f"{pad}- {chance.choice(['relu', 'batchnorm', 'layernorm'])}"
        else:
            control = "repeat: 2" if kind == "group" else "residual: true"
            yield from (f"{pad}- {control}", f"{pad}  layers:", *chains(chance, depth + 1))


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_are_the_same_when_read_back(seed):
    model = spec("\n".join(chains(random.Random(seed))) + "\n")
    assert rows(back(written(model))) == rows(model)


@pytest.mark.parametrize(
    "text", ["a: b", "{x}", "", "null", "~", "# no", "- x", "1,2", 'say "x"', "tab\tbell\a", "\\", "ünï", " a "]
)
def test_every_text_survives_yaml(text):
    import yaml

    assert yaml.load(f"[{scalar(text)}]", yaml.BaseLoader) == [text]


def test_the_command_writes_a_spec(run, tmp_path):
    assert run("import", "mobilenet", "--alpha", "0.5", "-o", "own.yaml")[0] == 0
    out = run("analyze", "own.yaml", "--json")[1]
    assert '"mult_adds": 149' in out
    assert run("import", "mobilenet", "--width", "alpha")[1].startswith("name: mobilenet\nvars:\n  alpha:")


@pytest.mark.parametrize("name", ["2x", "channels", "max", "c", "a b"])
def test_a_width_needs_a_name(run, name):
    code, _, error = run("import", "mobilenet", "--width", name)
    assert code == 2
    assert "cannot name a variable" in error


ONNX = sorted((ROOT / "tests" / "data" / "onnx").glob("*.onnx.gz"))


@pytest.fixture
def graph(tmp_path):
    """A function that reads a recorded ONNX file: the Model, and values for its open axes."""
    pytest.importorskip("onnx")

    def graph(name):
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(gzip.decompress((ROOT / "tests" / "data" / "onnx" / f"{name}.onnx.gz").read_bytes()))
        found = load(path)
        return found, {one.name: 224 for one in found.variables.values() if one.default is None}

    return graph


def products(model, given):
    """Output shape, mult-adds and weights of every layer with mult-adds, without names."""
    found = trace(model, settle(model, given)).rows
    terms = ("mac", "mac_attention")
    return Counter(
        (
            tuple(row.layer.shape),
            *(row.layer.terms.get(term, 0) for term in terms),
            row.layer.params.get("weight", 0),
            row.times,
        )
        for row in found
        if any(row.layer.terms.get(term) for term in terms)
    )


@pytest.mark.parametrize("name", [path.name.partition(".")[0] for path in ONNX])
def test_a_graph_is_a_spec_with_the_same_cost(name, graph):
    model, sizes = graph(name)
    own = back(written(model, **sizes))
    assert products(own, {}) == products(model, sizes)
    for convention in ("framework", "paper"):
        found, due = (
            analyze(one, convention=convention, settings=given).totals for one, given in ((own, {}), (model, sizes))
        )
        assert found == due


def unknown(proto_nodes, constants=(), declared=()):
    """The Model of a graph of x [1, 3, 8, 8] and a number s with unknown operators."""
    helper = pytest.importorskip("onnx.helper")
    from costcalc.read.onnx import file, model

    nodes = [
        helper.make_node(op, args.split(), [out], domain="own" if op == "Frob" else "") for op, args, out in proto_nodes
    ]
    held = [helper.make_tensor(name, 1, shape, bytes(4 * prod(shape)), raw=True) for name, shape in constants]
    infos = [helper.make_tensor_value_info(name, 1, shape) for name, shape in declared]
    flows = [helper.make_tensor_value_info(name, 1, shape) for name, shape in (("x", [1, 3, 8, 8]), ("s", []))]
    ends = [helper.make_tensor_value_info(nodes[-1].output[0], 1, None)]
    made = helper.make_model(helper.make_graph(nodes, "g", flows, ends, held, value_info=infos))
    made.opset_import.append(helper.make_opsetid("own", 1))
    return model.read(file.bounded(made.SerializeToString(), "g.onnx"))


W, G = ("w", [3, 3, 1, 1]), ("g", [3, 1, 1])
UNKNOWN = {
    "of a number": ([("Frob", "s", "h"), ("Conv", "x w", "y")], [W], []),
    "of no shape": ([("Conv", "x w", "c"), ("Frob", "c", "h"), ("Relu", "h", "y")], [W], []),
    "read by what multiplies": ([("Frob", "x", "h"), ("Conv", "h w", "y")], [W], []),
    "of a stated shape": ([("Frob", "x", "h"), ("Conv", "h w", "c"), ("Add", "c x", "y")], [W], [("h", [1, 3, 8, 8])]),
    "of numbers": ([("Frob", "w x", "h"), ("Mul", "h g", "m"), ("Add", "m x", "y")], [W, G], [("h", [1, 3, 8, 8])]),
}


@pytest.mark.parametrize("case", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_stays_unknown(case):
    model = unknown(*case)
    own = back(written(model))
    assert analyze(own).totals == analyze(model).totals
    assert not analyze(own).complete
    counts = [sum(not line.complete for line in analyze(one).lines) for one in (own, model)]
    assert counts[0] == counts[1] > 0


def test_open_axes_are_variables(graph):
    model, sizes = graph("legacy_dyn_resnet50")
    own = back(written(model, **sizes))
    assert sorted(own.variables) == ["height_in", "width_in"]
    for height, width in ((224, 224), (320, 192), (97, 111)):
        found = analyze(own, height_in=height, width_in=width).totals
        assert found == analyze(model, settings={"height": height, "width": width}).totals


def test_an_axis_with_a_name_that_no_variable_can_have():
    helper = pytest.importorskip("onnx.helper")
    from costcalc.read.onnx import file, model

    flows = [helper.make_tensor_value_info(name, 1, [1, "phase", "height", 4]) for name in ("x", "y")]
    made = helper.make_model(helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", flows[:1], flows[1:]))
    found = model.read(file.bounded(made.SerializeToString(), "g.onnx"))
    assert {*found.variables} == {"phase", "height"}
    own = back(written(found, **dict.fromkeys(found.variables, 2)))
    assert {*own.variables} == {"phase_in", "height_in"}


def test_a_graph_of_mobilenet_is_as_short_as_its_spec(graph):
    text = written(*graph("legacy_mobilenet_v1")[:1])
    hand = (ROOT / "configs" / "mobilenet.yaml").read_text().partition("published:")[0]
    assert len(text) <= 2 * len(hand)
    assert "repeat: 5" in text


def test_concats_of_concats_are_found_in_a_graph(graph):
    """DenseNet's exporter writes every concat of all tensors: 1 + 2 + .. + 24."""
    assert len(written(graph("legacy_densenet121")[0]).splitlines()) < 45


def stages(count):
    """Stages of different widths, each with two or more blocks of three kinds, as in MaxViT."""
    text = "  - {conv: 3x3, out: 32}\n"
    for at in range(count):
        width = 32 + 8 * at
        text += f"  - {{conv: 1x1, out: {width}}}\n"
        inverted = f"{{conv: 1x1, out: {4 * width}}}, {{dwconv: 3x3}}, {{conv: 1x1, out: {width}}}"
        mixed = [f"layernorm, {{conv: {size}x{size}, out: {width}}}" for size in (5, 9)]
        wide = f"layernorm, {{linear: {4 * width}, then: [gelu]}}, {{linear: {width}}}"
        blocks = "".join(f"  - {{residual: true, layers: [{one}]}}\n" for one in (inverted, *mixed, wide))
        text += blocks * (2 + at % 3)
    return text


def test_the_work_to_find_blocks_grows_with_the_layers(monkeypatch):
    """Twice the layers examine three times the ranges; quadratic growth would be four times."""
    seen = Counter()
    for owner, name in ((fold._Line, "run"), (fold._Levels, "joined"), (fold, "block_of"), (fold, "_shape")):
        counted(monkeypatch, owner, name, seen)
    work = []
    for count in (6, 12):
        model = spec(stages(count))
        seen.clear()
        text = written(model)
        work.append((sum(seen.values()), len(model.steps)))
        assert len(text.splitlines()) < 40
    (few, least), (many, most) = work
    assert most >= 1.9 * least
    assert many < 2 * few * most / least, work


def counted(monkeypatch, owner, name, seen):
    """Count the calls of a function."""
    real = getattr(owner, name)

    def counting(*args):
        seen[name] += 1
        return real(*args)

    monkeypatch.setattr(owner, name, counting)


DOUBLING = "".join("  - {maxpool: 2x2}\n" + f"  - {{conv: 3x3, out: {n}}}\n" * 2 for n in (16, 32, 64))


def test_what_repeats_is_not_relative_to_what_it_changes():
    """Otherwise `out: 2 * channels` would double in every repeat."""
    model = spec(DOUBLING)
    text = written(model)
    assert "repeat: 2" in text
    assert rows(back(text)) == rows(model)


def test_a_spec_that_would_not_cost_the_same_is_not_folded(monkeypatch):
    """An error in folding is detected when the text is read back."""
    model = spec(DOUBLING)
    monkeypatch.setattr("costcalc.write.spec.fold._forget", lambda last, item: None)
    assert rows(back(written(model))) == rows(model)


def test_no_two_layers_have_one_name():
    """A layer whose name `concat_1` includes its number cannot keep it among other concats."""
    for name in ("nasnet_a_mobile", "googlenet"):
        assert analyze(back(written(load(name)))).totals == analyze(name).totals


def test_layers_keep_their_names(graph):
    model, _ = graph("legacy_mobilenet_v1")
    names = [line.name for line in analyze(back(written(model))).shown()]
    assert names[:3] == ["features/0/0", "features_1/dwconv", "features_1/conv"]
    assert names[-1] == "fc"
    names = [line.name for line in analyze(back(written(graph("dynamo_resnet18")[0]))).shown()]
    assert names[0] == "conv1"
    assert [name for name in names if name.endswith("/layer/conv2")] == [
        *("1/layer/conv2", "2/layer/conv2"),
        *(f"layer2_{n}/{side}layer/conv2" for n in (1, 2, 3) for side in ("add_1/branch_1/", "")),
    ]


@pytest.mark.parametrize("name", ["legacy_mobilenet_v2", "dynamo_efficientnet_b0", "legacy_googlenet", "legacy_swin_t"])
def test_a_flat_spec_has_every_name_of_the_graph(name, graph):
    model, _ = graph(name)
    text = spec_text(model, {}, flat=True)
    assert not any(word in text for word in ("blocks:", "repeat:"))
    found = {row.name: (row.cost, row.output) for row in analyze(back(text)).lines}
    own = [(row.name, (row.cost, row.output)) for row in analyze(model).lines if row.cost]
    assert own
    assert [found.get(name) for name, _ in own] == [cost for _, cost in own]


@pytest.mark.parametrize("sizes", [(3, 20, 20), (8, 3, 20, 20), (1, 20, 20, 3)])
def test_axes_that_a_list_would_mistake_are_written_by_name(sizes):
    axes = ("depth", "height", "width", "channels")[-len(sizes) :]
    named = ", ".join(f"{axis}: {size}" for axis, size in zip(axes, sizes, strict=True))
    model = read(Source("net.yaml", f"input: {{{named}}}\nlayers: [{{conv: 1, out: 8}}]\n"))
    text = written(model)
    assert f"input: {{{named}}}" in text
    assert analyze(back(text)).inputs == {"input": sizes}


def test_inputs_with_names_that_a_spec_cannot_have_are_renamed(tmp_path):
    """TensorFlow's `images:0`, Python's `if` and two names that would collide each get a distinct name."""
    onnx = pytest.importorskip("onnx")
    kinds = onnx.TensorProto.FLOAT, [1, 4]
    names = ["images:0", "images_0", "if", "0"]
    inputs = [onnx.helper.make_tensor_value_info(name, *kinds) for name in names]
    nodes = [onnx.helper.make_node("Sum", names, ["y"]), onnx.helper.make_node("MatMul", ["y", "w"], ["z"])]
    weight = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [4, 3], [0.5] * 12)
    outputs = [onnx.helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, [1, 3])]
    graph = onnx.helper.make_graph(nodes, "g", inputs, outputs, [weight])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "m.onnx")
    text = str(import_(tmp_path / "m.onnx"))
    assert [line.split(":")[0].strip() for line in text.splitlines() if line.startswith("  ")][:4] == [
        *("images_0", "images_0_2", "input_if", "input_0")
    ]
    assert analyze(text).totals == analyze(tmp_path / "m.onnx").totals == {"mult_adds": 12, "params": 12}
