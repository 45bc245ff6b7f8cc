"""The exported PyTorch file: a module with the same parameters and the same shapes as the spec."""

import ast
import sys
from pathlib import Path

import pytest

from costcalc import analyze
from costcalc.errors import SpecError
from costcalc.read.loading import load
from costcalc.write.torch import source_text
from costcalc.write.torch.pieces import value, wrapped
from tests.write.test_export_onnx import HIDDEN, LAYERS, SPECS, graph_of, model

TORCH = pytest.mark.skipif(
    "torch" not in sys.modules and not __import__("importlib.util").util.find_spec("torch"),
    reason="torch is not installed",
)


def text_of(one, **values):
    """The text of the file of a model."""
    return source_text(graph_of(one, **values), one.name)


def module(one, device="meta", **values):
    """Build the network of a file."""
    import torch

    names = {}
    exec(compile(text_of(one, **values), "net.py", "exec"), names)
    found = [value for value in names.values() if isinstance(value, type) and issubclass(value, torch.nn.Module)][-1]
    with torch.device(device):
        return found().eval()


def fed(one, device="meta"):
    """The output of a network for inputs of zeros."""
    import torch

    graph = graph_of(one)
    readers = {name: {node.row.op.name for node in graph.nodes if name in node.sources} for name in graph.inputs}
    inputs = []
    for name, shape in graph.inputs.items():
        first = len(shape) > 2 or readers[name] & {"conv", "maxpool", "avgpool", "conv_transpose", "lppool"}
        stored = (1, shape[-1], *shape[:-1]) if first else (1, *shape)
        kind = torch.int64 if readers[name] == {"embedding"} else torch.float32
        inputs.append(torch.zeros(stored, dtype=kind, device=device))
    found = module(one, device)(*inputs)
    return found if isinstance(found, tuple) else (found,)


def agree(one):
    """Build a network, run it on the meta device, and compare parameters and shapes with the spec."""
    assert (
        sum(each.numel() for each in module(one).parameters()) == analyze(one, convention="framework").totals["params"]
    )
    graph = graph_of(one)
    due = [sorted(graph.nodes[number].row.layer.shape) for number in graph.unread]
    due += [sorted(graph.inputs[graph.output])] if type(graph.output) is str else []
    assert [sorted(each.shape[1:]) for each in fed(one)] == due


TIED = {"bert", "gemma2_9b", "gpt2", "whisper"}  # a head shares the table of the embedding, which no module supports
WRITTEN = [path for path in SPECS if path.stem not in HIDDEN | TIED]


@pytest.mark.parametrize("name", sorted(TIED))
def test_a_head_that_reads_the_embedding_is_refused(name):
    with pytest.raises(SpecError, match="PyTorch modules cannot share the weights of another layer"):
        text_of(load(name))


@TORCH
@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_a_module_has_the_parameters_and_shapes_of_its_spec(path):
    agree(load(path))


@TORCH
@pytest.mark.parametrize(("flow", "layer"), [one for one in LAYERS if one != ("[4]", "instancenorm")])
def test_every_way_of_a_layer_runs(flow, layer):
    agree(model(f"  - {layer}\n", flow))


NETWORKS = {
    "reuse": "  - {conv: 3x3, out: 4, as: head, then: [prelu]}\n  - reuse: head\n  - layernorm\n  - reuse: head\n",
    "named": "  - {conv: 1x1, out: 4, as: a}\n  - relu\n  - add: [[{from: a, conv: 1x1, out: 4}], [], a]\n"
    "  - concat: [a, []]\n",
    "deep": "  - {conv: 1x1, out: 4, as: a}\n  - concat: [[{add: [[sigmoid], a]}, relu], [tanh]]\n",
    "outputs": "  - {conv: 1x1, out: 4, as: a}\n  - {conv: 1x1, out: 5}\n  - {linear: 6, from: a}\n",
    "attend": "  - tokens\n  - {linear: 12, as: q}\n  - attend: [q, [{linear: 6}], [{linear: 6}]]\n    heads: 4\n",
    "cached": "  - tokens\n  - attend: [[{slice: 4, start: 5, axis: tokens}], [], []]\n    heads: 1\n    causal: true\n"
    "    window: 3\n",
    "first": "  - tokens\n  - attend: [[{slice: 4, start: 5, axis: tokens}], [], []]\n    heads: 1\n    causal: true\n"
    "    align: first\n",
    "memory": "  - tokens\n  - {linear: 6, as: m}\n  - {attention: 2, memory: m, then: [relu]}\n",
    "input": "  - {conv: 1x1, out: 4}\n  - mul: [[], input]\n  - {add: [[layernorm], input]}\n",
    "nothing": "  - {conv: 1x1, out: 4, when: false}\n",
}


@TORCH
@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_every_shape_of_a_graph_runs(layers):
    agree(model(layers))


@pytest.mark.parametrize(
    "name", ["mobilenet_v2", "resnet50", "vit_b_16", "swin_t", "ssd300_vgg", "googlenet", "yolov2"]
)
def test_the_file_is_python_that_a_person_can_read(name):
    text = text_of(load(name))
    ast.parse(text)
    assert max(map(len, text.splitlines())) <= 140
    assert "costcalc" not in text.partition('"""\n')[2]


def test_mobilenet_is_the_table_of_the_paper():
    text = text_of(load("mobilenet"))
    assert "def separable(inputs, outputs, stride=1):" in text
    assert "separable(64, 128, 2),\n" in text
    assert "*(separable(512, 512) for _ in range(5)),\n" in text
    assert "class Mobilenet(nn.Module):" in text


@pytest.mark.parametrize(
    ("layer", "words"), [("opaque: a sort", "no module in PyTorch"), ("maxpool: 2x2x2x2", "over 4 axes")]
)
def test_what_pytorch_cannot_have_is_named(layer, words):
    flow = "[4, 4, 4, 4, 4]" if "maxpool" in layer else "[9, 4]"
    with pytest.raises(SpecError, match=rf"net.yaml:3:.*`odd`.*{words}"):
        text_of(model(f"  - {{{layer}, as: odd}}\n", flow))


def test_the_command_writes_a_file(run):
    assert run("export", "mobilenet", "-o", "net.py", "--alpha", "0.25")[0] == 0
    assert "separable(8, 16)," in Path("net.py").read_text()
    assert run("export", "mobilenet", "--to", "torch", "-o", "-")[1].startswith('"""mobilenet')


@pytest.mark.parametrize("text", ['a" + __import__("os").getcwd() + "', "a\\", "a\n", "\u00e4,b->ab"])
def test_a_text_stays_in_its_literal(text):
    assert ast.literal_eval(value(text)) == text


def test_a_long_line_is_not_broken_inside_a_text():
    line = f'Einsum({", ".join(["nn.Identity()"] * 9)}, equation="a, (b, \\" [c,d->ab")'
    found = wrapped(line, 4)
    assert found[-2] == '        equation="a, (b, \\" [c,d->ab",'
    assert [len(found), *map(str.strip, found[:2])] == [12, "Einsum(", "nn.Identity(),"]


@pytest.mark.parametrize("name", ['a""" + __import__("os").getcwd() + """', "a\\", 'a"', "a\n"])
def test_a_name_stays_in_its_docstring(name):
    """No text of an untrusted spec becomes code in the exported file."""
    tree = ast.parse(text_of(model("  - {conv: 1x1, out: 4}")._replace(name=name)))
    assert isinstance(tree.body[0], ast.Expr)
    assert isinstance(tree.body[0].value, ast.Constant)
    assert {type(one) for one in tree.body[1:]} == {ast.ImportFrom, ast.ClassDef}
