"""Receptive fields: the published table, and random chains against positions followed one by one."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costcalc import CostcalcError, analyze, explain, load
from costcalc.errors import Source
from costcalc.model.field import fields
from costcalc.model.flow import flow_of
from costcalc.model.variables import settle
from costcalc.read.spec.reader import read

# google-research/receptive_field (2021), the table at 224x224: size, stride, padding of the last convolutional layer
PUBLISHED = {
    "mobilenet": (315, 32, 126),
    "vgg16": (212, 32, 90),
    "alexnet": (195, 32, 64),
    "inception_v2": (699, 32, 318),
    "inception_v3": (1311, 32, 618),
}
VGG = [3, 6, 10, 16, 24, 32, 44, 60, 76, 100, 132, 164, 212]
INCEPTION_V3 = [3, 7, 11, 15, 23, 31, 63, 95, 127, 159, 351, 543, 735, 927, 1055, 1183, 1311]


def found(spec, **at):
    model = read(Source("n.yaml", spec)) if "\n" in spec else load(spec)
    flow = flow_of(model, settle(model, at))
    return flow, fields(flow)


def local(spec, **at):
    """The field of the last layer that does not read the whole input."""
    return [one for one in found(spec, **at)[1] if one.axes and not one.whole][-1]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_table(name):
    size, stride, padding = PUBLISHED[name]
    one = local(name)
    assert (one.size, one.stride, one.padding) == ((size, size), (stride, stride), (padding, padding))


def test_the_end_points_of_the_published_table():
    for name, sizes in (("vgg16", VGG), ("inception_v3", INCEPTION_V3)):
        assert {*sizes} <= {one.size[0] for one in found(name)[1] if one.axes}


def test_padding_depends_on_the_resolution_and_size_does_not():
    one = local("mobilenet", res=321)
    assert (one.size[0], one.stride[0], one.padding[0]) == (315, 32, 157)


def test_resnet_with_the_stride_in_another_layer():
    """The published 483, 1027 and 1507 are of the stride in the first 1x1; in the 3x3 it is 427, 971 and 1451."""
    for layers, first, inner in ((50, 483, 427), (101, 1027, 971), (152, 1507, 1451)):
        assert local("resnet50", layers=layers, v1=1).size == (first, first)
        assert local("resnet50", layers=layers).size == (inner, inner)


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
    """The input positions that a position at the end reads, those in the paddings too: one window after the other."""
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
    except CostcalcError:  # a window larger than what is left
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
    assert run("analyze", "mobilenet", "--by", "type", "--columns", columns).code == 0
    text = str(explain("mobilenet", "separable_2/dwconv"))
    assert (
        "receptive field of separable_2/dwconv/relu: 11x11, stride 4x4, padding 2x2\n  11 = 1 + 2*1 + 2*2 + 2*2" in text
    )
    assert analyze("mobilenet").fields["conv"].size == (3, 3)
