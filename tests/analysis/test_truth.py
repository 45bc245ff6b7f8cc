"""Whole networks against counts of a framework: `data/framework_layers.json.gz`, described in `data/README.md`.

Shipped configs and the specs in `specs/` are compared with the record of a network: layer by layer at the recorded
input, and in total there and at three other input sizes. The framework's shapes have a batch axis and mostly have
the channels second; only `channels_last` converts them to our layout.
"""

import gzip
import json
from collections import Counter
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import NamedTuple

import pytest

from costcalc import CostcalcError, analyze
from costcalc.model.trace import trace

HERE = Path(__file__).parents[1]
RECORD = json.loads(gzip.decompress((HERE / "data" / "framework_layers.json.gz").read_bytes()))
NETWORKS = {network["model"]: network for network in RECORD["models"]}

CONFIGS = HERE.parent / "configs"
SHIPPED = {  # a network from a shipped config: its name, and the variables that differ from the defaults
    "mobilenet_v1": ("mobilenet", {}),
    "mobilenet_v1_050": ("mobilenet", {"alpha": 0.5}),
    "alexnet": ("alexnet_owt", {}),
    "googlenet": ("googlenet", {"bn": 1}),
    "inception_v3": ("inception_v3", {}),
    "mobilenet_v2": ("mobilenet_v2", {}),
    "mobilenet_v3_large": ("mobilenet_v3_large", {}),
    "mobilenet_v3_small": ("mobilenet_v3_small", {}),
    "squeezenet1_0": ("squeezenet1_0", {"res": 224}),
    "squeezenet1_1": ("squeezenet1_1", {}),
    "vgg11_bn": ("vgg16", {"layers": 11, "bn": 1, "adaptive": 1}),
    "vgg16": ("vgg16", {"adaptive": 1}),
    "timm/legacy_xception": ("xception", {}),
    "timm/mobilenetv2_075": ("mobilenet_v2", {"alpha": 0.75}),
    "timm/mobilenetv4_conv_medium": ("mobilenet_v4_conv_m", {}),
    "timm/mobilenetv4_conv_small": ("mobilenet_v4_conv_s", {}),
    "convnext_tiny": ("convnext_tiny", {}),
    "densenet121": ("densenet121", {}),
    "efficientnet_b0": ("efficientnet", {}),
    "mnasnet1_0": ("mnasnet1_0", {}),
    "regnet_y_400mf": ("regnet_y_400mf", {}),
    "resnet18": ("resnet18", {}),
    "resnet50": ("resnet50", {}),
    "resnext50_32x4d": ("resnext50_32x4d", {}),
    "shufflenet_v2_x1_0": ("shufflenet_v2", {"torchvision": 1}),
    "swin_t": ("swin_t", {}),
    "vit_b_16": ("vit_b_16", {}),
    "timm/ghostnet_100": ("ghostnet", {}),
    "timm/mobilevit_s": ("mobilevit_s", {}),
    "timm/seresnet50": ("resnet50", {"se": 1}),
}
ONE_SIZE = {"vit_b_16"}  # its module requires the size of its position table
SQUARE = {"mobilenet_v1", "mobilenet_v1_050"}  # the config has one variable for both sides

FEATURES_LAST = {"Linear", "LayerNorm", "MultiheadAttention"}  # all other modules have the channels second
RECORDED_KINDS = {
    "Conv2d": "conv",
    "Linear": "linear",
    "BatchNorm2d": "norm",
    "batch_norm": "norm",
    "LayerNorm2d": "norm",
    "LayerNorm": "norm",
    "GroupNorm1": "norm",
    "MultiheadAttention": "attention",
    "matmul": "product",
    "scaled_dot_product_attention": "product",
    "MaxPool2d": "pool",
    "max_pool2d": "pool",
    "AvgPool2d": "pool",
    "avg_pool2d": "pool",
    "AdaptiveAvgPool2d": "pool",
    "adaptive_avg_pool2d": "pool",
    "mean": "pool",
    "interpolate": "resize",
    "Upsample": "resize",
}
KINDS = {
    "conv": "conv",
    "dwconv": "conv",
    "linear": "linear",
    "batchnorm": "norm",
    "layernorm": "norm",
    "groupnorm": "norm",
    "attention": "attention",
    "attend": "product",
    "einsum": "product",
    "parameter": "constant",
    "maxpool": "pool",
    "avgpool": "pool",
    "adaptive_avgpool": "pool",
    "upsample": "resize",
}


class Layer(NamedTuple):
    """The compared fields of a layer; `constant` and `product` rows have fewer, see `as_constant` and `as_product`."""

    kind: str
    input: tuple = ()
    output: tuple = ()
    kernel: tuple = ()
    stride: tuple = ()
    groups: int = 1
    weight: int = 0
    bias: int = 0
    mult_adds: int = 0


def as_constant(numbers):
    """A learned constant, reduced to its size, because both sides reshape its axes freely."""
    return Layer("constant", weight=numbers)


def as_product(mult_adds):
    """A matrix product without weights, reduced to its mult-adds. Only the framework has an axis for heads."""
    return Layer("product", mult_adds=mult_adds)


def without_leading_ones(shape):
    """The shape without leading axes of size 1: (1, 1, C), (1, C) and (C) are the same vector."""
    leading = next((axis for axis, size in enumerate(shape) if size != 1), len(shape))
    return tuple(shape[leading:])


def channels_last(shape, kind):
    """A recorded shape in our layout: [1, C, H, W] becomes (H, W, C). The batch of 1 is removed with leading ones.

    Modules in FEATURES_LAST already have our layout: [1, tokens, C], [1, H, W, C], [windows, tokens, C].
    """
    if kind not in FEATURES_LAST:
        batch, channels, *space = shape
        shape = (batch, *space, channels)
    return without_leading_ones(shape)


# the record


@lru_cache
def recorded(name):
    """The layers of a recorded network, as a multiset."""
    rows = [dict(zip(RECORD["columns"], row, strict=True)) for row in NETWORKS[name]["rows"]]
    rows = _with_attention_folded(rows)
    return Counter(layer for row in rows for layer in _recorded_layers(row))


def _with_attention_folded(rows):
    """Rows in which a module that calls `linear` as a function is one layer: Swin's attention, from qkv to proj."""
    homes = {row["name"] for row in rows if row["type"] == "linear"}
    folded, parts = [], {}
    for row in rows:
        if row["name"] in homes and row["macs"]:
            parts.setdefault(row["name"], []).append(row)
        else:
            folded.append(row)
    return folded + [_joined(calls) for calls in parts.values()]


def _joined(calls):
    """Calls of one attention module as a row of the type MultiheadAttention."""
    sums = {key: sum(call[key] or 0 for call in calls) for key in ("p_weight", "p_bias", "p_other", "macs")}
    return {**calls[0], "type": "MultiheadAttention", "out": [calls[-1]["out"]], **sums}


def _recorded_layers(row):
    kind = RECORDED_KINDS.get(row["type"])
    if row["p_other"]:
        yield as_constant(row["p_other"])
    if kind == "product":
        yield as_product(row["macs"])
    elif kind:
        yield _recorded_layer(row, kind)
    else:
        assert not any((row["macs"], row["p_weight"], row["p_bias"])), f"a costly row of unknown type: {row}"


def _recorded_layer(row, kind):
    output = row["out"][0] if kind == "attention" else row["out"]
    convolution = kind == "conv"
    return Layer(
        kind,
        channels_last(row["in"][0], row["type"]),
        channels_last(output, row["type"]),
        tuple(row["kernel"]) if convolution else (),
        tuple(row["stride"]) if convolution else (),
        row["groups"] if convolution else 1,
        row["p_weight"] or 0,
        row["p_bias"] or 0,
        row["macs"],
    )


# ours


def spec_of(name):
    """The path of a network's spec, and the values of its variables."""
    if name not in SHIPPED:
        return HERE / "specs" / f"{name.replace('/', '_')}.yaml", {}
    config, values = SHIPPED[name]
    return CONFIGS / f"{config}.yaml", values


def at_size(name, size):
    """The values of a network's variables at `HxW`."""
    _, values = spec_of(name)
    height, width = sides(size)
    return {**values, "res": height} if height == width else {**values, "res_h": height, "res_w": width}


def sides(size):
    """Height and width of `192x320`."""
    height, width = size.split("x")
    return int(height), int(width)


@lru_cache
def analyzed(name):
    """The report of a network at its recorded input."""
    path, values = spec_of(name)
    return analyze(path, convention="framework", **values)


@lru_cache
def traced(name):
    """The rows of a network at its recorded input, which hold parameters by kind."""
    report = analyzed(name)
    return trace(report.model, report.values).rows


def ours(name):
    """The layers of a network in costcalc, as a multiset."""
    pairs = zip(analyzed(name).lines, traced(name), strict=True)
    return Counter(layer for line, row in pairs for layer in _our_layers(line, row.layer.params))


def _our_layers(line, params):
    kind = KINDS.get(line.op)
    if kind == "constant":
        yield as_constant(line.params)
    elif kind == "product":
        yield as_product(line.cost)
    elif kind:
        convolution = kind == "conv"
        yield Layer(
            kind,
            without_leading_ones(line.input),
            without_leading_ones(line.output),
            line.kernel if convolution else (),
            line.stride if convolution else (),
            line.groups if convolution else 1,
            params.get("weight", 0) + params.get("gamma", 0),
            params.get("bias", 0) + params.get("beta", 0),
            line.cost,
        )
    else:
        assert not any((line.cost, line.params)), f"a costly layer of unknown kind: {line}"


# the comparisons


def macs(totals):
    """All multiply-adds of a network or of one of its `other_resolutions`."""
    return totals["conv_macs"] + totals["linear_macs"] + totals["matmul_macs"]


def test_every_network_has_a_spec():
    """All forty recorded networks have a spec, and every spec has a record."""
    used = {spec_of(name)[0] for name in NETWORKS}
    in_torch_ops = {HERE / "specs" / "separator_1d.yaml"}
    assert {path for path in used | in_torch_ops if path.parent != CONFIGS} == {*(HERE / "specs").glob("*.yaml")}


@pytest.mark.parametrize("name", NETWORKS)
def test_layers(name):
    """Every layer with weights or mult-adds, every pool and every resize, exactly."""
    theirs, mine = recorded(name), ours(name)
    assert {"missing": theirs - mine, "too many": mine - theirs} == {"missing": Counter(), "too many": Counter()}


@pytest.mark.parametrize("name", NETWORKS)
def test_totals(name):
    """Mult-adds, and parameters that the forward pass reads."""
    network = NETWORKS[name]
    unused = sum(prod(shape) for _, shape in network["unused_params"])
    expected = {"mult_adds": macs(network), "params": network["params"] - unused}
    assert analyzed(name).totals == expected


@pytest.mark.parametrize("name", NETWORKS)
def test_running_statistics(name):
    """Buffers of batch norms, used or not: mean and variance per channel, and the framework's batch counter."""
    norms = [row.layer.params["running"] for row in traced(name) if row.op.name == "batchnorm"]
    unused = [2 * shape[0] for part, shape in NETWORKS[name]["unused_params"] if part.endswith("bn.weight")]
    if norms:
        assert sum(norms + unused) + len(norms + unused) == NETWORKS[name]["buffers"]


def can_run(name, size):
    """Whether the network's spec supports that size."""
    height, width = sides(size)
    return name not in ONE_SIZE and (height == width or name not in SQUARE)


CASES = [
    (name, size) for name, network in NETWORKS.items() for size in network["other_resolutions"] if can_run(name, size)
]


@pytest.mark.parametrize(("name", "size"), CASES)
def test_other_resolutions(name, size):
    """Mult-adds at another input size; sizes that the framework refuses are refused here too."""
    expected, values = NETWORKS[name]["other_resolutions"][size], at_size(name, size)
    path, _ = spec_of(name)
    if "error" in expected:
        with pytest.raises(CostcalcError):
            analyze(path, **values)
    else:
        assert analyze(path, **values).totals["mult_adds"] == macs(expected)
