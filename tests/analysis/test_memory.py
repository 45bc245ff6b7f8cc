"""`costcalc memory`: its text and machine-readable output; the blocks of docs/memory.md and receptive_field.md."""

import csv
import gzip
import io
import json
import re
import shlex
import subprocess
import sys
import time
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from costcalc import CostcalcError, memory
from costcalc.model.storage import bits_of

DOCS = Path(__file__).parents[2] / "docs"
PAGE, FIELDS = ((DOCS / name).read_text(encoding="utf-8") for name in ("memory.md", "receptive_field.md"))
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE + FIELDS, re.S | re.M)
BRANCHES = (  # both branches are large inside; the first has a large output, the second a small one
    "input: [8, 8, 4]\nlayers:\n  - {conv: 1x1, out: 4}\n"
    "  - concat: [[{conv: 1x1, out: 16, as: wide}], [{conv: 1x1, out: 32}, {conv: 1x1, out: 1, as: thin}]]\n"
)


def test_the_document(run):
    found = json.loads(run("memory", "mobilenet", "--bits", "w8a8", "--format", "json").out)
    figures = {"peak_bytes": 1_204_224, "floor_bytes": 1_204_224, "weights_bytes": 4_231_976}
    assert {name: found[name] for name in figures} == figures
    assert found["arena_bytes"] >= found["peak_bytes"]
    assert found["resident_bytes"] == 1_204_224 + 4_231_976
    assert found["policy"]["name"] == "fused"
    assert found["peak"]["operation"] == "separable_1/conv"
    assert [(one["name"], one["shape"], one["bytes"]) for one in found["peak"]["tensors"]] == [
        ("separable_1/conv", [112, 112, 64], 802_816),
        ("separable_1/dwconv/relu", [112, 112, 32], 401_408),
    ]
    assert found["peak"]["tensors"][0]["read_by"] == ["separable_2/dwconv"]
    assert found["next"] == {"bytes": 1_003_520, "operation": "separable_2/dwconv"}
    assert max(one["live_bytes"] for one in found["schedule"]) == found["peak_bytes"]
    assert max(one["offset"] + one["bytes"] for one in found["arena"]) == found["arena_bytes"]


def test_every_format(run, tmp_path):
    rows = list(csv.DictReader(io.StringIO(run("memory", "vgg16", "--bits", "8", "-f", "csv").out)))
    assert max(int(row["live_bytes"]) for row in rows) == 6_422_528
    plan = list(csv.DictReader(io.StringIO(run("memory", "vgg16", "--bits", "8", "--arena", "-f", "csv").out)))
    assert max(int(row["offset"]) + int(row["bytes"]) for row in plan) == 6_422_528
    assert "| separable\\_1/conv" in run("memory", "mobilenet", "--bits", "8", "-f", "md").out
    pytest.importorskip("matplotlib")
    for name in ("m.svg", "m.png"):
        assert run("memory", "mobilenet", "-o", name).code == 0
        assert (tmp_path / name).stat().st_size > 1000


def test_the_single_rules_are_options(run):
    def peak(*args):
        return json.loads(run("memory", *args, "--json").out)["peak_bytes"]

    assert peak("resnet50", "--add") == 7_225_344
    assert peak("mobilenet_v2", "--block", "--bits", "8") == 1_705_984
    assert peak("mobilenet_v2", "--policy", "inplace", "--bits", "8") == 1_404_928
    assert peak("mobilenet", "--alpha", "0.25", "--res", "96", "--bits", "8") == 55_296
    assert peak("mobilenet", "--bits", "8", "--batch", "4") == 4 * 1_204_224
    assert peak("mobilenet", "--no-fold", "--no-act", "--no-view") == 6_422_528


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--policy", "fusd"), "there is no policy `fusd`"),
        (("--bits", "w8"), "`bits` cannot be `w8`"),
        (("--bits", "w0a8"), "`weights` cannot be `0`"),
        (("--batch", "0"), "`batch` cannot be `0`"),
        (("--input", "gone"), "`input` cannot be `gone`"),
    ],
)
def test_what_cannot_be_is_refused(run, args, said):
    code, out, err = run("memory", "mobilenet", *args)
    assert (code, out) == (2, "")
    assert said in err


def test_bits():
    none = {**dict.fromkeys(("first", "last", "bias", "group", "scale", "zero"), 0), "own": False}
    assert bits_of("w4a16") == {"weights": 4, "activations": 16, **none}
    assert bits_of("w=4,a=8,first=8") == bits_of("w4a8,first=8")
    assert bits_of(8) == bits_of("8") == {"weights": 8, "activations": 8, **none}
    assert bits_of("w4a8,group=128,scale=16") == {**none, "weights": 4, "activations": 8, "group": 128, "scale": 16}
    with pytest.raises(CostcalcError):
        bits_of(True)


def test_a_better_order_of_branches(tmp_path):
    (tmp_path / "n.yaml").write_text(BRANCHES)
    found = memory(str(tmp_path / "n.yaml"), bits=8)
    assert found.peak_bytes == 64 * (4 + 16 + 32)  # the input, the output of the first branch, the inside of the second
    assert found.order is not None
    assert found.order.peak_bytes == 64 * (4 + 32 + 1)
    assert [name.rpartition("/")[2] for name in found.order.branches] == ["thin", "wide"]
    assert memory("mobilenet").order is None


@pytest.mark.parametrize("seed", range(4))
def test_an_order_of_seven_branches_is_as_good_as_the_best_of_all(tmp_path, seed):
    """Each branch has a wide and a narrow tensor. By hand: their input is live until the last branch runs."""
    random = Random(seed)
    sizes = [(random.randint(8, 40), random.randint(1, 7)) for _ in range(7)]
    branches = ", ".join(f"[{{conv: 1x1, out: {wide}}}, {{conv: 1x1, out: {thin}}}]" for wide, thin in sizes)
    (tmp_path / "n.yaml").write_text(f"input: [8, 8, 4]\nlayers: [{{conv: 1x1, out: 9}}, {{concat: [{branches}]}}]\n")

    def peak(order):
        held, most = 0, 2 * sum(thin for _, thin in sizes)  # the join
        for number, (wide, thin) in enumerate(order):
            most = max(most, held + 9 + wide, held + wide + thin + 9 * (number < 6))
            held += thin
        return 64 * max(most, 9 + 4)

    found = memory(str(tmp_path / "n.yaml"), bits=8)
    assert found.peak_bytes == peak(sizes)
    best = min(map(peak, permutations(sizes)))
    assert (found.order.peak_bytes if found.order else found.peak_bytes) == best


def test_a_network_of_one_input_and_no_layers(tmp_path):
    (tmp_path / "n.yaml").write_text("input: [8, 8, 4]\nlayers:\n  - {when: false, conv: 1x1, out: 2}\n")
    found = memory(str(tmp_path / "n.yaml"))
    assert (found.peak_bytes, found.peak, found.tensors) == (0, None, [])
    assert "no operation" in found.text()


def test_an_onnx_graph_keeps_the_order_of_its_nodes(tmp_path, run):
    pytest.importorskip("onnx")
    assert run("export", "mobilenet", "-o", "m.onnx").code == 0
    found, spec = memory(str(tmp_path / "m.onnx"), bits=8), memory("mobilenet", bits=8)
    assert (found.peak_bytes, found.arena_bytes) == (spec.peak_bytes, spec.arena_bytes)
    assert memory(str(tmp_path / "m.onnx"), policy="unfused").peak_bytes == 6_422_528


def test_densenet_is_planned_within_seconds():
    started = time.process_time()
    found = memory("densenet121", policy="inplace")
    assert found.peak_bytes <= found.arena_bytes
    assert found.page().document()["peak"]
    assert time.process_time() - started < 10


def test_every_block_of_the_page_is_known():
    assert len(BLOCKS) >= 4
    assert all(block.startswith("$ costcalc ") for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_page_prints(run, block):
    line, _, printed = block.partition("\n")
    result = run(*shlex.split(line.removeprefix("$ "))[1:])
    assert result.code == 0
    kept = [part.strip("\n") for part in printed.split("...\n")]
    for part in kept:
        assert part in result.out


@pytest.mark.parametrize("text", re.findall(r"^```yaml\n(.*?)^```", PAGE, re.S | re.M))
def test_the_specs_of_the_page(run, tmp_path, text):
    (tmp_path / "n.yaml").write_text(text)
    args = ("analyze", "mobilenet", "--bits", "8", "--device", "n.yaml") if "peak:" in text else ("check", "n.yaml")
    assert run(*args).code == 0


@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M))
def test_the_code_of_the_page(block):
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=True)
    said = [line.partition("# ")[2] for line in block.splitlines() if line.startswith("print")]
    assert done.stdout.splitlines() == said


def test_an_unknown_operation_leaves_lower_bounds(run, tmp_path):
    onnx = pytest.importorskip("onnx")
    make, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    nodes = [make("Relu", ["x"], ["a"]), make("Foo", ["a"], ["b"], domain="my"), make("Relu", ["b"], ["y"])]
    graph = onnx.helper.make_graph(nodes, "g", [info("x", 1, [1, 3, 8, 8])], [info("y", 1, [1, 4, 8, 8])])
    domains = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("my", 1)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=domains), tmp_path / "net.onnx")
    found = memory(tmp_path / "net.onnx")
    assert (found.unknown, json.loads(found.text("json"))["complete"]) == (["Foo"], False)
    out = run("memory", "net.onnx", "-v").out
    assert out.startswith("peak >= ")
    assert "the tensors of `Foo` are unknown" in out
    assert "next lower" not in out
    for metric in ("peak_bytes", "arena_bytes", "floor_bytes", "bytes_moved", "resident_bytes"):
        code, out, _ = run("check", "net.onnx", "--max", f"{metric}=1GiB")
        assert (code, f"`{metric}` cannot be judged" in out) == (2, True), metric
    found = json.loads(run("analyze", "net.onnx", "--device", "nvidia_a100_40gb", "--json").out)
    assert (found["complete"], [row["complete"] for row in found["layers"]]) == (False, [True, False])
    assert "the cost of `Foo` is unknown" in run("analyze", "net.onnx", "--device", "nvidia_a100_40gb").out
    assert memory("mobilenet").unknown == []


def test_a_keras_model_by_hand(tmp_path):
    """Padding before a stride is a separate tensor: 113x113 next to 112x112, with 64 channels."""
    packed = Path(__file__).parents[1] / "data" / "keras" / "mobilenet.json.gz"
    (tmp_path / "m.json").write_bytes(gzip.decompress(packed.read_bytes()))
    found = memory(tmp_path / "m.json", policy="unfused")
    assert found.peak_bytes == 4 * 64 * (112 * 112 + 113 * 113)
    assert [one.name for one in found.tensors] == ["conv_pad_2", "conv_pw_1_relu"]
    assert memory(tmp_path / "m.json", bits="w4a8").peak_bytes == 64 * (112 * 112 + 113 * 113)


def test_the_column_live(run):
    """The column `live` equals `peak_bytes` by layer: the bytes needed while the layer runs."""
    first = json.loads(run("analyze", "mobilenet", "--bits", "8", "--sort", "live", "--top", "1", "--json").out)[
        "layers"
    ][0]
    assert (first["name"], first["peak_bytes"]) == ("separable_1/conv", 1_204_224)
    rows = json.loads(run("analyze", "mobilenet", "--bits", "8", "--columns", "name,live", "--json").out)["layers"]
    assert rows[0] == {"name": "conv", "peak_bytes": 224 * 224 * 3 + 112 * 112 * 32}
