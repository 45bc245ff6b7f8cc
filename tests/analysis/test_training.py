"""costcalc training: saved tensors equal to PyTorch's, optimizer states, stages of ZeRO, checkpoints."""

import csv
import io
import json
import shlex
from pathlib import Path

import pytest

from costcalc import CostcalcError, analyze, training
from costcalc.analysis.training.training import deepspeed, zero
from costcalc.errors import Source
from costcalc.metrics.states import Parameters, states
from costcalc.read.spec.reader import read

ROOT = Path(__file__).parent.parent
OURS = Path(__file__).with_name("training")
PAGE = (ROOT.parent / "docs" / "training.md").read_text(encoding="utf-8")
RECORD = json.loads((ROOT / "data" / "saved_bytes.json").read_text(encoding="utf-8"))["networks"]
NETWORKS = {  # as recorded -> (spec, settings, options)
    "resnet18": ("resnet18", {}, {}),
    "resnet34": ("resnet18", {"layers": 34}, {}),
    "resnet50": ("resnet50", {}, {}),
    "vgg16": (OURS / "vgg16.yaml", {}, {}),
    "alexnet": (OURS / "alexnet.yaml", {}, {}),
    "squeezenet1_0": (OURS / "squeezenet.yaml", {}, {}),
    "squeezenet1_1": (OURS / "squeezenet.yaml", {"version": 1}, {}),
    "mobilenet_v2": (OURS / "with_dropout.yaml", {}, {}),
    "vit_b_16, math": ("vit_b_16", {}, {"attention": "math"}),
    "vit_b_16, fused": ("vit_b_16", {}, {"attention": "fused"}),
    "swin_t, no stochastic depth": ("swin_t", {}, {}),
    "resnet101": ("resnet50", {"layers": 101}, {}),
    **{name: (name, {}, {}) for name in ("mnasnet1_0", "resnext50_32x4d", "mobilenet_v3_large", "mobilenet_v3_small")},
    **{name: (name, {}, {}) for name in ("regnet_y_400mf", "densenet121")},
    "shufflenet_v2_x1_0": ("shufflenet_v2", {}, {}),
    "efficientnet_b0, no stochastic depth": ("efficientnet", {}, {}),
    "convnext_tiny, no stochastic depth": ("convnext_tiny", {}, {}),
}
DROPPED = {  # values before the classifier, which torchvision drops and the shipped config does not
    **dict.fromkeys(("mnasnet1_0", "mobilenet_v3_large", "efficientnet_b0, no stochastic depth"), 1280),
    "mobilenet_v3_small": 1024,
}
OTHER = ("shufflenet_v2_x1_0",)  # torchvision's network differs: its mult-adds are not those of the paper


def spec(layers, shape="[8]"):
    return read(Source("n.yaml", f"input: {shape}\nlayers: {layers}\n"))


def saved(layers, shape="[8]", **options):
    """The bytes saved by each layer, in order."""
    return [line.saved for line in training(spec(layers, shape), **options).lines]


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_keep_what_pytorch_keeps(name):
    path, settings, options = NETWORKS[name]
    found = training(path, batch=2, settings=settings, convention="flop_counter_meta", **options).totals
    mask = 2 * 4 * DROPPED.get(name, 0)
    assert found["saved_bytes"] + mask == RECORD[name]["saved_bytes"]
    if RECORD[name]["backward_mult_adds"] and name not in OTHER:
        assert found["flops"] == 2 * RECORD[name]["mult_adds"]
        assert found["backward_flops"] == 2 * RECORD[name]["backward_mult_adds"]


def test_stochastic_depth_keeps_its_noise():
    """11 of Swin-T's 12 blocks drop two branches with a probability: one value per sample and branch."""
    more = RECORD["swin_t"]["saved_bytes"] - RECORD["swin_t, no stochastic depth"]["saved_bytes"]
    assert more == 11 * 2 * 2 * 4
    assert RECORD["swin_t"]["saved_bytes"] == 213_268_432


def test_resnet18_by_hand():
    found = training("resnet18", batch=2)
    by_hand = 1_204_224 + 2 * 6_422_528 + 3_211_264 + 1_605_632
    by_hand += 8 * 1_605_632 + 9 * (802_816 + 401_408 + 200_704) + 4_096 + 2 * 4 * 4800
    assert found.totals["saved_bytes"] == by_hand == 44_398_080
    assert found.loss == "softmax"


@pytest.mark.parametrize(
    ("layers", "kept"),
    [  # on vectors of 8 values of 4 bytes
        ("[{linear: 8}]", [32]),
        ("[{linear: 8, trained: false}]", [0]),
        (
            "[{linear: 8}, {linear: 8, trained: false}]",
            [32, 0],
        ),  # its weights need no gradient, so its input is not saved
        ("[{linear: 8}, relu, {linear: 8}]", [32, 32, 0]),  # the output of relu, once
        ("[{linear: 8}, relu6, {linear: 8}]", [32, 32, 32]),
        ("[{linear: 8}, gelu]", [32, 32]),
        ("[{linear: 8}, {dropout: 0.5}, {linear: 8}]", [32, 32, 32]),
        ("[{linear: 8}, {dropout: 0}, {linear: 8}]", [32, 0, 32]),
        ("[{mul: [[{linear: 8}], [{linear: 8}]]}]", [32, 0, 64]),
        ("[{mul: [[], [{linear: 8}]]}]", [32, 0]),  # the network's input is saved once
        ("[{add: [[{linear: 8}], []]}]", [32, 0]),
        ("[{linear: 8}, batchnorm]", [32, 32 + 64]),
        ("[{linear: 8}, layernorm]", [32, 32 + 8]),
        ("[{linear: 8, times: 3}]", [96]),
        ("[{linear: 8}, {split: 2}, {linear: 4}]", [32, 0, 32]),  # a view saves its whole tensor
    ],
)
def test_what_a_layer_keeps(layers, kept):
    assert saved(layers) == kept


def test_masks_of_one_byte():
    assert saved("[{linear: 8}, {dropout: 0.5}]", masks=1) == [32, 8]


@pytest.mark.parametrize(
    ("optimizer", "precision", "each"),
    [
        *(
            ("sgd", "fp32", 8),
            ("momentum", "fp32", 12),
            ("adam", "fp32", 16),
            ("adamw", "fp32", 16),
            ("lion", "fp32", 12),
        ),
        *(("sgd", "bf16", 8), ("adam", "bf16", 16), ("adam", "amp", 16), ("adam8bit", "fp32", 10 + 8 / 256)),
    ],
)
def test_bytes_a_parameter(optimizer, precision, each):
    assert sum(states(Parameters(25_600, 0, 0), optimizer, precision)) == 25_600 * each


def test_frozen_parameters_have_weights_only():
    assert sum(states(Parameters(0, 1000, 0), "adam", "fp32")) == 4000
    assert sum(states(Parameters(0, 0, 10), "adam", "bf16")) == 40


def test_stages_of_zero():
    """Figure 1 of the ZeRO paper (arXiv:1910.02054): 7.5 B parameters, 64 devices, K = 12."""
    held = states(Parameters(7_500_000_000, 0, 0), "adam", "bf16")
    assert [round(stage.bytes / 1e9, 2) for stage in zero(held, 64)] == [120.0, 31.41, 16.64, 1.88]
    printed = [120, 31.4, 16.6, 1.9]
    assert [round(stage.bytes / 1e9, 1) for stage in zero(held, 64)] == printed


def test_estimates_of_deepspeed():
    """estimate_zero2 and estimate_zero3 of DeepSpeed: 2 P + 18 P/N, and 4 * largest layer + 18 P/N."""
    second, third = deepspeed(2_851_000_000, 8, 32_000_000)
    assert second.bytes == 2 * 2_851_000_000 + 18 * 2_851_000_000 // 8
    assert third.bytes == 4 * 32_000_000 + 18 * 2_851_000_000 // 8


S, B, H, A = 64, 1, 32, 4  # a small layer with the shape of Korthikanti et al. 2022, Table 2
TRANSFORMER = f"""
vars: {{s: {S}, h: {H}, a: {A}}}
input: [s, h]
blocks:
  core(n, d):
    - {{linear: h, as: q}}
    - {{linear: h, from: before, as: k}}
    - {{linear: h, from: before, as: v}}
    - {{reshape: [n, d, s], from: k, as: keys}}
    - {{reshape: [n, s, d], from: q, as: queries}}
    - {{reshape: [n, s, d], from: v, as: values}}
    - {{matmul: [queries, keys]}}
    - softmax
    - {{dropout: 0.1, as: weights}}
    - {{matmul: [weights, values]}}
    - {{reshape: [s, h]}}
  layer:
    - residual: true
      layers: [layernorm, {{as: before}}, {{core: [a, h // a]}}, {{linear: h}}, {{dropout: 0.1}}]
    - residual: true
      layers: [layernorm, {{linear: 4 * h}}, gelu, {{linear: h}}, {{dropout: 0.1}}]
layers:
  - {{linear: h}}
  - {{layer: , as: one}}
"""


def transformer(checkpoint=(), **sizes):
    how = {"precision": "bf16", "masks": 1, "checkpoint": checkpoint}
    found = training(read(Source("t.yaml", TRANSFORMER)), settings=sizes, **how)
    first = 2 * sizes.get("s", S) * B * sizes.get("h", H)  # the previous layer, whose input is also saved
    return found.totals["saved_bytes"] - first, found.inside


@pytest.mark.parametrize(("s", "h", "a", "printed"), [(S, H, A, None), (2048, 12288, 96, 2_868_903_936)])
def test_korthikanti(s, h, a, printed):
    """s b h (34 + 5 a s/h) bytes per layer in 16 bits, without the two statistics per norm and position.

    The second is a layer of GPT-3: 2,868,903,936 bytes, 855,638,016 without the attention matrices, and
    50,331,648 with full recomputation.
    """
    statistics, squares = 2 * 2 * 4 * s * B, 5 * a * s * s * B
    whole, _ = transformer(s=s, h=h, a=a)
    assert whole - statistics == s * B * h * 34 + squares == (printed or whole - statistics)
    kept, inside = transformer(["one"], s=s, h=h, a=a)
    assert kept - inside == 2 * s * B * h  # full recomputation: only the input of the layer
    assert inside == whole - 2 * s * B * h
    if printed:
        assert (whole - statistics - squares, kept - inside) == (855_638_016, 50_331_648)


def test_checkpoints_compute_again():
    plain, kept = (training("vit_b_16", checkpoint=one) for one in ((), ["encoder_*"]))
    again = sum(line.forward for line in plain.lines if line.name.startswith("encoder"))
    assert kept.totals["recomputed_mult_adds"] == again
    assert kept.totals["training_mult_adds"] == plain.totals["training_mult_adds"] + again
    assert kept.totals["saved_bytes"] < plain.totals["saved_bytes"]
    assert kept.totals["saved_bytes"] == sum(line.saved for line in kept.lines) + kept.inside
    with pytest.raises(CostcalcError, match="no block is called `encodr_1`"):
        training("vit_b_16", checkpoint=["encodr_1"])


def test_fused_attention_computes_scores_again():
    plain, fused = (training("vit_b_16", attention=one).totals["training_mult_adds"] for one in ("unfused", "fused"))
    assert fused - plain == 12 * 197 * 197 * 768


def test_totals_and_parts(run):
    code, out, _ = run("training", "mobilenet_v2", "--batch", "4", "--json")
    document = json.loads(out)
    totals, layers = document["totals"], document["layers"]
    assert code == 0
    assert totals["mult_adds"] == sum(line["forward"] for line in layers) == 300_774_272
    assert totals["backward_mult_adds"] == sum(line["input_gradients"] + line["weight_gradients"] for line in layers)
    assert totals["training_mult_adds"] == totals["mult_adds"] + totals["backward_mult_adds"]
    assert totals["step_mult_adds"] == 4 * totals["training_mult_adds"]
    assert totals["saved_bytes"] == sum(line["saved_bytes"] for line in layers) == document["peak"]["saved"]
    assert totals["training_bytes"] == sum(document["peak"].values())
    rows = list(csv.DictReader(io.StringIO(run("training", "mobilenet_v2", "--batch", "4", "-f", "csv")[1])))
    assert sum(int(row["saved_bytes"]) for row in rows) == totals["saved_bytes"]


def test_half_the_bytes():
    whole, half = (training("resnet18", precision=one).totals["saved_bytes"] for one in ("fp32", "bf16"))
    statistics, indices = 2 * 4 * 4800, 8 * 56 * 56 * 64
    assert whole - statistics - indices == 2 * (half - statistics - indices)


def test_autocast_keeps_norms_in_32_bits():
    """A linear layer in 16 bits, its output cast to 32 bits for the norm, the norm's output cast back to 16 bits."""
    first = 8 * 2
    assert saved("[{linear: 8}, layernorm, {linear: 8}]", precision="amp") == [first, 32 + 8, 16]


def test_torch_prints_what_its_convention_says(run):
    found = training("mobilenet_v2", convention="flop_counter").totals
    assert found["backward_flops"] == 2 * RECORD["mobilenet_v2"]["backward_mult_adds"] == 2 * 5_839_076_224
    _, out, _ = run("reconcile", "mobilenet_v2", "flops", "flop_counter", "--metric", "training", "--json")
    (part,) = json.loads(out)["parts"]
    assert (part["part"], part["difference"]) == ("groups ignored in the weight gradient", 2 * 5_248_365_696)
    code, _, err = run("reconcile", "mobilenet_v2", "paper", "300M", "--metric", "training")
    assert (code, "two conventions" in err) == (2, True)


@pytest.mark.parametrize(
    "options",
    [{"optimizer": "adamm"}, {"precision": "fp16"}, {"attention": "flash"}, {"batch": 0}, {"ranks": -1}, {"masks": 3}],
)
def test_what_cannot_be(options):
    with pytest.raises(CostcalcError):
        training("mobilenet_v2", **options)


def test_what_keeps_more_is_a_lower_bound(run, tmp_path):
    (tmp_path / "n.yaml").write_text("input: [5, 8]\nlayers: [{lstm: 8}, {linear: 2}]\n")
    out = run("training", "n.yaml")[1]
    assert "lower bounds of bytes: lstm may save more than is known" in out
    assert ">=" not in out.partition("saved bytes")[2].splitlines()[2].rsplit("  ", 1)[0]  # its mult-adds are known
    assert ">= " in out
    assert json.loads(run("training", "n.yaml", "--json")[1])["complete"] is False


def test_explain_shows_the_backward_pass(run):
    out = run("explain", "mobilenet", "separable_1", "--backward")[1]
    line = "DK*DK*M*DF*DF = 3*3*32*112*112 = 3,612,672"
    assert [f"  {name:9}  {line}" in out for name in ("mult-adds", "d input", "d weights")] == [True] * 3
    assert "d input" not in run("explain", "mobilenet", "conv", "--backward")[1]


def test_one_path_of_layers_that_do_not_always_run(run, tmp_path):
    """One of two branches runs: mult-adds are those of the most expensive path, as in `analyze`."""
    wide, narrow = "{conv: 1x1, out: 64}", "{conv: 1x1, out: 2}, {conv: 1x1, out: 64}"
    layers = f"[{{conv: 1x1, out: 4}}, {{one_of: [[{wide}], [{narrow}]], prob: [0.5, 0.5]}}]"
    (tmp_path / "n.yaml").write_text(f"input: [8, 8, 4]\nlayers: {layers}\n")
    model = read(Source("n.yaml", f"input: [8, 8, 4]\nlayers: {layers}\n"))
    names = ["mult_adds", "backward_mult_adds", "training_mult_adds", "saved_bytes", "training_bytes"]
    found, report = training(model), analyze(model, metrics=names)
    assert {name: found.totals[name] for name in names} == {name: report.totals[name] for name in names}
    assert found.totals["mult_adds"] == 64 * (4 * 4 + 4 * 64)
    out = run("training", "n.yaml")[1]
    assert "most expensive path" in out
    assert f"{found.totals['mult_adds']:,}" in out.partition("total mult-adds")[2].splitlines()[0]


def blocks(language):
    import re

    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.S | re.M)


@pytest.mark.parametrize("block", blocks("console"))
def test_the_page_says_what_is_printed(block, run):
    line, _, shown = block.partition("\n")
    code, out, _ = run(*shlex.split(line.removeprefix("$ costcalc ")))
    assert code == 0
    assert out.startswith(shown.removesuffix("...\n"))


def test_the_code_and_the_specs_of_the_page():
    (code,) = blocks("python")
    exec(compile(code, "training.md", "exec"), {})
    assert "44,398,080" in code
    frozen, headed = (training(read(Source("n.yaml", text))) for text in blocks("yaml"))
    assert {line.name for line in frozen.lines if not line.trained} == {"add/branch_1/linear"}
    assert "auxiliary/linear" in {line.name for line in headed.lines}
