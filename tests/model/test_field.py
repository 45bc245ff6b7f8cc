"""Receptive fields: the published table, and random chains against positions traced one by one."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costcalc import CostcalcError, analyze, explain, load
from costcalc.errors import Source
from costcalc.model.field import fields
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.read.spec.reader import read

# The rows of google-research/receptive_field (2021, Apache-2.0, RECEPTIVE_FIELD_TABLE.md) for networks that are shipped
# here or written below: (network, resolution) -> (size, stride, padding) of each end point, in order
TABLE: dict[tuple[str, str], list[tuple[str, ...]]] = {}
for line in (Path(__file__).parents[1] / "data" / "receptive_fields.txt").read_text().splitlines()[1:]:
    network, resolution, _, *figures = line.split()
    TABLE.setdefault((network, resolution), []).append(tuple(figures))
NETWORKS = {
    "mobilenet_v1": ("mobilenet", {}),
    "mobilenet_v1_075": ("mobilenet", {"alpha": 0.75}),
    "vgg_a": ("vgg16", {"layers": 11}),
    "vgg_16": ("vgg16", {}),
    "alexnet_v2": ("alexnet", {}),
    "inception_v2": ("inception_v2", {}),
    "inception_v2-no-separable-conv": ("inception_v2", {}),
    "inception_v3": ("inception_v3", {}),
}
# ResNet of TF-Slim (research/slim/nets/resnet_v1.py, resnet_utils.py): the stride is in the 3x3 of the last unit of a
# block, convolutions with a stride pad (k - 1) / 2 on each side, the pool as `same`
SLIM = """
vars: {{res: 224}}
input: [res, res, 3]
blocks:
  unit(stride=1):
    - add:
        - [{{conv: 1x1, out: 4}}, {{conv: 3x3, out: 4, stride: stride, padding: 1}}, {{conv: 1x1, out: 4}}]
        - [{{maxpool: 1x1, stride: stride}}]
layers:
  - {{conv: 7x7, out: 4, stride: 2, padding: 3}}
  - {{maxpool: 3x3, stride: 2}}
  - {{conv: 1x1, out: 4}}
{}"""
UNITS = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3), "200": (3, 24, 36, 3)}


def slim(layers):
    """The spec of a ResNet of TF-Slim."""
    blocks = [f"  - {{unit: [1], repeat: {count - 1}}}\n  - unit: [2]\n" for count in UNITS[layers][:3]]
    return SLIM.format("".join(blocks) + f"  - {{unit: [1], repeat: {UNITS[layers][3]}}}\n")


def network_of(name):
    """The spec and settings of a network of the table."""
    return (slim(name.rpartition("_")[2]), {}) if name.startswith("resnet") else NETWORKS[name]


def found(spec, **at):
    model = read(Source("n.yaml", spec)) if "\n" in spec else load(spec)
    walked = trace(model, settle(model, at))
    return walked, fields(walked)


def local(spec, **at):
    """The field of the last layer that does not cover the whole input."""
    return [one for one in found(spec, **at)[1] if one.axes and not one.whole][-1]


@pytest.mark.parametrize("key", TABLE, ids="-".join)
def test_every_row_of_the_published_table(key):
    """Size, stride and padding of each end point, in order; without a resolution, some have no padding."""
    name, resolution = key
    spec, at = network_of(name)
    known = iter(
        [one for one in found(spec, **at, res=224 if resolution == "None" else int(resolution))[1] if one.axes]
    )
    for size, stride, padding in TABLE[key]:
        wanted = {"size": size, "stride": stride, "padding": padding}
        wanted = {part: (int(text),) * 2 for part, text in wanted.items() if text != "None"}
        assert any({part: getattr(one, part) for part in wanted} == wanted for one in known), wanted


def test_the_table_is_whole():
    assert len(TABLE) == 3 * 16
    assert sum(map(len, TABLE.values())) == 423  # of 561, without Inception V4 and Inception-ResNet


def test_padding_depends_on_the_resolution_and_size_does_not():
    one = local("mobilenet", res=321)
    assert (one.size[0], one.stride[0], one.padding[0]) == (315, 32, 157)


def test_resnet_with_the_stride_in_another_layer():
    """The published 483, 1027 and 1507 are for TF-Slim, with the stride in the last unit of a block. With the stride in
    the first 1x1 (He et al. 2015) they are the same; in the 3x3 of the first unit (torchvision), 427, 971 and 1451:
    three 3x3 convolutions read at twice the step before the stride rather than after it, 2 * (4 + 8 + 16) = 56 less.
    """
    for layers, first, inner in ((50, 483, 427), (101, 1027, 971), (152, 1507, 1451)):
        assert local("resnet50", layers=layers, v1=1).size == (first, first)
        assert local("resnet50", layers=layers).size == (inner, inner)
        assert first - inner == 2 * (4 + 8 + 16)


def test_why_the_padding_of_resnet_50_is_238_and_not_239():
    """TF-Slim pads its 7x7 with stride 2 by 3 on each side; `same` at 224 pads 2 before and 3 after."""
    assert local("resnet50", v1=1).padding == (238, 238)
    assert local(slim("50")).padding == (239, 239)
    assert local(slim("50").replace("stride: 2, padding: 3", "stride: 2")).padding == (238, 238)


def test_a_gate_reads_the_whole_input_and_leaves_the_local_field():
    _, known = found("mobilenet_v3_large")
    assert known[-1].whole
    assert not any(one.whole for one in known[:5])
    assert known[-1].axes is not None


def test_joins_of_different_strides_and_moved_positions_are_not_known():
    spec = "input: [8, 8, 4]\nlayers:\n  - {windows: 4x4}\n  - {attention: 2}\n"
    assert [one.axes for one in found(spec)[1]] == [None, None]


def test_alignment_is_told():
    text = "input: [9, 9, 2]\nlayers:\n  - add: [[{{conv: 3x3, out: 2, padding: {}}}], []]\n"
    assert found(text.format("same"))[1][-1].aligned
    assert not found(text.format("[[2, 0], [2, 0]]"))[1][-1].aligned


@st.composite
def chains(draw):
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        k, s, d = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
        padding = draw(st.sampled_from(["same", "valid", 1]))
        kind = draw(st.sampled_from(["conv", "pool"]))
        layers.append((kind, k, s, d, padding))
    return draw(st.integers(40, 60)), layers


def followed(size, layers, position):
    """The input positions, including padding, that an output position reads: one window at a time."""
    sizes = [size]
    for _, k, s, d, padding in layers:
        n, span = sizes[-1], d * (k - 1) + 1
        pad = 0 if padding in ("same", "valid") else padding
        sizes.append(-(-n // s) if padding == "same" else (n + 2 * pad - span) // s + 1)
    taken = {position}
    for n, (_, k, s, d, padding) in [*zip(sizes, layers, strict=False)][::-1]:
        left = 0 if padding == "valid" else padding
        if padding == "same":
            left = max(d * (k - 1) + 1 - (s if n % s == 0 else n % s), 0) // 2
        taken = {at * s - left + d * t for at in taken for t in range(k)}
    return taken


@settings(max_examples=80, deadline=None)
@given(chains())
def test_random_chains(chain):
    size, layers = chain
    texts = [
        f"{{conv: {k}, out: 1, stride: {s}, dilation: {d}, padding: {p}}}"
        if kind == "conv"
        else f"{{maxpool: {k}, stride: {s}, padding: valid}}"
        for kind, k, s, d, p in layers
    ]
    plain = [(kind, k, s, 1, "valid") if kind == "pool" else (kind, k, s, d, p) for kind, k, s, d, p in layers]
    try:
        _, known = found(f"input: [{size}, 1]\nlayers: [{', '.join(texts)}]\n")
    except CostcalcError:  # a window larger than the remaining grid
        return
    (axis,) = known[-1].axes
    for position in (0, 1, 5):
        taken = followed(size, plain, position)
        reach = axis.first + position * axis.step, axis.last + position * axis.step
        assert (min(taken), max(taken)) == reach


def test_columns_and_explanations(run):
    columns = "name,rf,rf_local,rf_stride,rf_padding"
    rows = json.loads(run("analyze", "mobilenet", "--columns", columns, "--json").out)["layers"]
    by_name = {row["name"]: row for row in rows}
    assert by_name["separable_13/conv"]["rf"] == [315, 315]
    assert by_name["separable_13/conv"]["rf_padding"] == [126, 126]
    assert by_name["avgpool"]["rf"] == "whole input"
    assert by_name["avgpool"]["rf_local"] == [315, 315]
    assert "315x315" in run("analyze", "mobilenet", "--columns", columns).out
    short = json.loads(run("analyze", "mobilenet", "--columns", "name,local,padding", "--json").out)["layers"][-3:]
    assert [row["rf_local"] for row in short] == [row["rf_local"] for row in rows[-3:]]
    assert run("analyze", "mobilenet", "--by", "type", "--columns", columns).code == 0
    wide = json.loads(run("analyze", "mobilenet", "--columns", "rf,stride,padding", "--json").out)["layers"]
    assert wide[3] == {"rf": [11, 11], "rf_stride": [4, 4], "rf_padding": [2, 2]}
    own = json.loads(run("analyze", "mobilenet", "--columns", "name,stride", "--json").out)["layers"]
    assert own[3]["stride"] == [2, 2]
    text = str(explain("mobilenet", "separable_2/dwconv"))
    assert (
        "receptive field of separable_2/dwconv/relu: 11x11, stride 4x4, padding 2x2\n  11 = 1 + 2*1 + 2*2 + 2*2" in text
    )
    assert analyze("mobilenet").fields["conv"].size == (3, 3)
