"""Lifetimes of tensors: published and measured figures, and random graphs against a simulated allocator."""

import math
import time

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from costcalc import CostcalcError, analyze, load, sweep
from costcalc.errors import Source
from costcalc.metrics.memory import arena_bytes, spans
from costcalc.model.lives import Lives
from costcalc.model.planning import Span, planned
from costcalc.model.storage import POLICIES, stored
from costcalc.model.trace import trace
from costcalc.model.variables import settle
from costcalc.num import prod
from costcalc.read.spec.reader import read

# Peaks of exports by onnxsim 0.8.1, every node a tensor, fp32 (which leaves out rank-0 constants of 4 to 8 bytes), and
# by hand for 8 bits: network -> (fp32 unfused, int8 fused, layer of the second, its parts)
PEAKS = {
    "mobilenet": (6_422_528, 1_204_224, "separable_1/conv", 401_408 + 802_816),
    "mobilenet_v2": (9_633_792, 1_505_280, "bottleneck_2/1/dwconv", 1_204_224 + 301_056),
    "mobilenet_v3_large": (6_422_528, 1_003_520, "bneck_2/conv_1", 200_704 + 802_816),
    "resnet18": (6_422_528, 1_003_520, "maxpool", 802_816 + 200_704),
    "resnet50": (9_633_792, 2_408_448, "stage_conv2/bottleneck_1/add", 3 * 802_816),
    "vgg16": (25_690_112, 6_422_528, "stage_1/conv_2", 2 * 224 * 224 * 64),
    "googlenet": (6_422_528, 1_204_224, "lrn", 2 * 56 * 56 * 192),
    "squeezenet1_0": (9_462_528, 1_548_800, "fire_fire4/concat", 2 * 55 * 55 * 256),
    "alexnet": (2_323_200, 580_800, "conv_1/lrn", 2 * 55 * 55 * 96),
}


def lives(spec, policy="fused", at=(), **options):
    model = read(Source("net.yaml", spec)) if "\n" in spec else load(spec)
    return Lives(trace(model, settle(model, dict(at))), stored(policy, options))


def peak(*args, **options):
    return max(lives(*args, **options).live)


@pytest.mark.parametrize("name", PEAKS)
def test_the_peak_of_every_network_equals_the_measured_one(name):
    unfused, whole, place, parts = PEAKS[name]
    assert peak(name, "unfused") == unfused
    found = lives(name, activations=8)
    assert max(found.live) == whole == parts
    assert found.walked.rows[found.live.index(whole)].name == place


def test_the_peaks_of_mcunet():
    """MCUNet (arXiv:2007.10319), Table 1: 7.2 MB, 6.8 MB, 1.7 MB; MCUNetV2 (arXiv:2110.15352), Table 1: 1372 kB."""
    assert peak("resnet50", add=True, activations=8) == (64 + 256 + 256) * 56 * 56 == 1_806_336
    assert peak("resnet50", add=True) == 4 * (64 + 256 + 256) * 56 * 56 == 7_225_344
    assert peak("mobilenet_v2", block=True) == 4 * ((16 + 96) * 112**2 + 96 * 56**2) == 6_823_936
    assert peak("mobilenet_v2", block=True, activations=8) == 1_705_984
    assert peak("mobilenet_v2", "inplace", activations=8) == (16 + 96) * 112**2 == 1_404_928 == 1372 * 1024


def test_the_arena_of_person_detection():
    """TensorFlow Lite Micro (arXiv:2010.08678), Table 1: MobileNet 0.25 at 96x96 needs 55.30 kB that do not persist."""
    assert peak("mobilenet", at={"alpha": 0.25, "res": 96}, activations=8) == 48 * 48 * 8 + 48 * 48 * 16 == 55_296


TABLE_3 = {  # side -> (channels, bytes at 16 bits) of MobileNetV1, V2 and ShuffleNet (2x, g=3), as printed in kB
    56: ((128, 800), (32, 200), (48, 300)),
    28: ((256, 400), (64, 100), (400, 600)),
    14: ((512, 200), (160, 62), (800, 310)),
    7: ((1024, 199), (320, 32), (1600, 156)),
    1: ((1024, 2), (1280, 2), (1600, 3)),
}


def test_table_3_of_mobilenet_v2_and_its_erratum():
    """Sandler et al. 2018 (arXiv:1801.04381): 16-bit tensors between blocks. V1 at 7x7 is printed as twice its size."""
    wrong = []
    for side, row in TABLE_3.items():
        for network, (channels, printed) in enumerate(row):
            size = stored(options={"activations": 16}).of((side, side, channels), 1, 16)
            if abs(size / 1000 - printed) > max(1, printed * 0.05):
                wrong.append((side, network, size))
    assert wrong == [(7, 0, 100_352)]
    assert abs(2 * 100_352 / 1000 - 199) < 2
    found = [row.layer.shape for row in lives("mobilenet").walked.rows if len(row.layer.shape) == 3]
    assert {(side, side, TABLE_3[side][0][0]) for side in TABLE_3} <= {*found}


RESIDUAL = """
input: [8, 8, 4]
layers:
  - {conv: 1x1, out: 4}
  - add: [[{conv: 3x3, out: 4, then: [batchnorm, relu]}, {dwconv: 3x3}], []]
  - flatten
  - linear: 10
"""


def test_every_policy_on_a_residual_by_hand():
    grid = 8 * 8 * 4
    one = {"activations": 8}
    assert lives(RESIDUAL, "unfused", **one).live == [
        *(2 * grid, 2 * grid, 3 * grid, 3 * grid),  # conv; conv, batchnorm and relu while the block's input is held
        *(3 * grid, 3 * grid, 2 * grid, grid + 10),  # dwconv, add, flatten, linear
    ]
    assert lives(RESIDUAL, **one).live == [*[2 * grid] * 4, 3 * grid, 3 * grid, grid, grid + 10]
    assert lives(RESIDUAL, add=True, **one).live == [*[2 * grid] * 4, 3 * grid, 2 * grid, grid, grid + 10]
    assert lives(RESIDUAL, add=True, dw=True, **one).live == [
        *[2 * grid] * 4,
        2 * grid + 64,  # plus one channel
        *(2 * grid, grid, grid + 10),
    ]
    assert lives(RESIDUAL, input="streamed", **one).live[0] == grid


def test_a_concatenation_is_live_from_its_first_writer():
    spec = "input: [8, 8, 4]\nlayers: [{concat: [[{conv: 1x1, out: 2}], [{conv: 3x3, out: 6}]]}, {conv: 1x1, out: 1}]\n"
    assert lives(spec, activations=8).live == [256 + 128, 256 + 128 + 384, 1024, 512 + 64]
    assert lives(spec, concat=True, activations=8).live == [768, 768, 512, 512 + 64]


def test_a_branch_point_blocks_writing_over_it():
    spec = "input: [8, 8, 4]\nlayers:\n  - {conv: 1x1, out: 4, as: a}\n  - add: [[relu], []]\n"
    assert lives(spec, activations=8).live == [512, 512, 768]
    kept = "input: [8, 8, 4]\nlayers:\n  - {conv: 1x1, out: 4, as: a}\n  - relu\n  - {from: a, conv: 1x1, out: 1}\n"
    assert lives(kept, activations=8).live == [512, 512, 256 + 256 + 64]  # relu is an output without readers


def test_bits_batch_alignment_and_times():
    spec = "input: [5, 5, 1]\nlayers:\n  - {conv: 1x1, out: 1, times: 3}\n"
    assert lives(spec, activations=4).live == [13 + 38]
    assert lives(spec, activations=4, times="serial").live == [13 + 13]
    assert lives(spec, activations=8, batch=2).live == [50 + 150]
    assert lives(spec, activations=8, align=16).live == [32 + 80]


def test_workspaces_by_hand():
    spec = "input: [8, 8, 4]\nlayers:\n  - {conv: 3x3, out: 4}\n  - tokens\n  - {attention: 2}\n"
    assert lives(spec, activations=8, workspace="im2col").live[0] == 512 + 9 * 4 * 64
    plain = 2 * 256 + 4 * 256 + 2 * 64 * 64  # input and result; queries, keys, values, context; scores
    assert lives(spec, activations=8).live[-1] == plain
    assert lives(spec, activations=8, attention="fused").live[-1] == plain - 2 * 64 * 64
    cell = "input: [7, 3]\nlayers:\n  - {lstm: 5}\n"
    assert lives(cell, activations=8).live == [21 + 35 + (4 + 2) * 5]


def test_views_share_storage_where_values_lie_as_they_are():
    spec = "input: [4, 8, 6]\nlayers:\n  - {{conv: 1x1, out: 6}}\n  - {}\n  - {{conv: 1x1, out: 1}}\n"
    cut = "{slice: 2, axis: height}"
    assert lives(spec.format(cut), activations=8).live[1] == 192  # the whole base stays
    assert lives(spec.format(cut), activations=8, batch=2).live[1] == 2 * (192 + 96)  # no longer outermost
    assert lives(spec.format("{slice: 2}"), activations=8).live[1] == 192 + 64
    assert lives(spec.format("{permute: [1, 0, 2]}"), activations=8).live[1] == 2 * 192


def test_repeats_of_equal_blocks_do_not_raise_the_peak():
    spec = "input: [8, 8, 4]\nlayers:\n  - {{conv: 3x3, out: 4, repeat: {}}}\n"
    assert peak(spec.format(2)) == peak(spec.format(50))


@pytest.mark.parametrize("name", ["mobilenet", "squeezenet1_0", "mobilenet_v3_small"])
def test_a_sweep_gives_the_integers_of_single_points(name):
    names = ["peak_bytes", "floor_bytes", "arena_bytes", "resident_bytes", "bytes_moved"]
    frame = sweep(name, metrics=names, res=[96, 130, 224])
    for row in frame.to_dict("records"):
        assert {one: row[one] for one in names} == {
            one: analyze(name, res=row["res"], metrics=names).totals[one] for one in names
        }


def test_the_peak_grows_with_resolution_width_batch_and_bits():
    frame = sweep("mobilenet", metrics=["peak_bytes"], alpha=np.linspace(0.1, 2, 20), res=list(range(32, 300, 20)))
    table = frame.pivot(index="alpha", columns="res", values="peak_bytes").to_numpy()
    assert (np.diff(table, axis=0) >= 0).all()
    assert (np.diff(table, axis=1) >= 0).all()
    peaks = [peak("mobilenet", activations=bits, batch=batch) for bits, batch in ((4, 1), (8, 1), (8, 3), (16, 3))]
    assert peaks == sorted(peaks)


ONNXSIM_BYTES = {  # read and written, by onnxsim 0.8.1, whose export flattens the features and the classes
    "mobilenet": (138_678_464, 1024 + 1000),
    "mobilenet_v2": (173_091_264, 1280 + 1000),
    "resnet50": (426_028_224, 2048 + 1000),
    "squeezenet1_0": (105_463_148, 0),
}


@pytest.mark.parametrize("name", ONNXSIM_BYTES)
def test_bytes_moved_equal_those_of_onnxsim_but_for_its_flattening(name):
    total, flattened = ONNXSIM_BYTES[name]
    model = load(name)._replace(storage=stored("unfused"))
    assert analyze(model, metrics=["bytes_moved"]).totals["bytes_moved"] == total - 2 * 4 * flattened


def test_bytes_of_llm_viewer():
    """LLM-Viewer (arXiv:2402.16363): Llama-2-7B, 2048 tokens, 16 bits: q_proj, and the products with the scores."""
    spec = "inputs: {x: [2048, 4096]}\nlayers:\n  - {linear: 4096, bias: false}\n"
    model = read(Source("q.yaml", spec))._replace(storage=stored(options={"activations": 16, "weights": 16}))
    assert analyze(model, metrics=["bytes_moved"]).totals["bytes_moved"] == 67_108_864
    spec = "inputs: {q: [2048, 4096], k: [2048, 4096], v: [2048, 4096]}\nlayers:\n  - {attend: [q, k, v], heads: 32}\n"
    model = read(Source("a.yaml", spec))._replace(storage=stored(options={"activations": 16, "weights": 16}))
    scores, tensor = 2 * 32 * 2048**2, 2 * 2048 * 4096
    qk, softmax = 2 * tensor + scores, 2 * scores
    assert (qk, softmax) == (301_989_888, 536_870_912)
    sv = scores + 2 * tensor
    assert analyze(model, metrics=["bytes_moved"]).totals["bytes_moved"] == qk + softmax + sv


def test_folded_and_written_over_moves_nothing_more():
    spec = "input: [8, 8, 4]\nlayers:\n  - {conv: 1x1, out: 4, bias: false, then: [batchnorm, relu]}\n"
    model = read(Source("n.yaml", spec))
    report = analyze(model, metrics=["bytes_moved"])
    assert [line.more["bytes_moved"] for line in report.lines] == [4 * (16 + 512), 4 * 4, 0]


def test_a_policy_that_cannot_be_is_refused():
    for policy, options in (("fusd", {}), ("fused", {"batch": 0}), ("fused", {"input": "no"}), ("fused", {"x": 1})):
        with pytest.raises(CostcalcError):
            stored(policy, options)


def test_a_chain_of_a_hundred_thousand_layers_is_linear():
    times = []
    for count in (10_000, 99_000):
        found = trace(*_chain(count))
        started = time.process_time()
        one = Lives(found, stored())
        assert max(one.live) == 2 * 4 * 16
        times.append(time.process_time() - started)
    assert times[1] < 25 * times[0] + 0.5


def _chain(count):
    model = read(Source("c.yaml", f"input: [4, 4, 1]\nlayers:\n  - {{conv: 1x1, out: 1, repeat: {count}}}\n"))
    return model, {}


# random graphs

CHAIN = ["relu", "batchnorm", "flat", "conv", "dwconv", "pool"]


@st.composite
def networks(draw):
    """A spec of layers on one grid, with references to earlier names."""
    layers, names = [{"conv": "1x1", "out": 4, "as": "n0"}], ["n0"]
    for number in range(1, draw(st.integers(2, 12))):
        name, kind = f"n{number}", draw(st.sampled_from([*CHAIN, "add", "concat"]))
        source = draw(st.sampled_from(names))
        if kind in ("add", "concat"):
            layer = {kind: [source, draw(st.sampled_from(names))]}
            layer = {"add": [[*_as(layer["add"][0])], [*_as(layer["add"][1])]]} if kind == "add" else layer
        else:
            layer = {
                "conv": {"conv": "3x3", "out": draw(st.integers(1, 6)), "bias": False},
                "dwconv": {"dwconv": "3x3"},
                "pool": {"maxpool": "3x3", "stride": 1},
                "relu": {"relu": None},
                "batchnorm": {"batchnorm": None},
                "flat": {"identity": None},
            }[kind]
        layers.append({"from": source, **layer, "as": name})
        names.append(name)
    return yaml.safe_dump({"input": [6, 6, 3], "layers": layers})


def _as(name):
    """A branch that brings a tensor to a common width, so that sums match."""
    return [{"from": name, "conv": "1x1", "out": 4}]


POLICY = st.builds(
    lambda policy, more: stored(policy, more),
    st.sampled_from(list(POLICIES)),
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("fold", "act", "view", "add", "dw", "concat"), st.booleans()),
            "activations": st.sampled_from([4, 8, 32]),
            "batch": st.integers(1, 3),
            "align": st.sampled_from([1, 16]),
            "input": st.sampled_from(["held", "streamed"]),
        },
    ),
)


def simulated(walked):
    """The peak in fp32 bytes if results are allocated on writing and freed after their last reader."""
    size = {name: 4 * prod(shape) for name, shape in walked.inputs.items()}
    size.update((number, 4 * prod(row.layer.shape)) for number, row in enumerate(walked.rows))
    left = {made: sum(made in row.sources for row in walked.rows) for made in size}
    held, most = {*walked.inputs}, 0
    for number, row in enumerate(walked.rows):
        held.add(number)
        most = max(most, sum(size[made] for made in held))
        for made in {*row.sources}:
            left[made] -= 1
            if not left[made]:
                held.discard(made)
    return most


def is_sound(one):
    """Whether no row reads a tensor that was overwritten; storage is simulated as cells with versions."""
    cells, version, seen = {}, {}, {}

    def is_there(made):
        return one.buffer(made) is None or type(made) is str or all(version[cell] == at for cell, at in seen[made])

    for number, row in enumerate(one.walked.rows):
        if not all(map(is_there, row.sources)):
            return False
        alike = [made for made in cells if one.of.get(made) is one.of.get(number, ())]
        parts = [made for made in row.sources if (number, made) in one.sharer.absorbed]
        fresh = set() if alike else {("cell", number)}
        cells[number] = set().union(fresh, *(cells[made] for made in (*alike, *parts)))
        written = fresh if parts or not alike else cells[number]
        if row.op.name != "identity":
            version.update(dict.fromkeys(written, number))
        seen[number] = [(cell, version.setdefault(cell, number)) for cell in cells[number]]
    return all(map(is_there, one.walked.outputs))


@settings(max_examples=150, deadline=None)
@given(networks(), POLICY)
def test_random_graphs(text, storage):
    model = read(Source("net.yaml", text))
    walked = trace(model, {})
    one = Lives(walked, storage)
    assert is_sound(one)
    assert max(Lives(walked, stored("unfused")).live) == simulated(walked)
    _, sizes = spans(one)
    assert max(one.floors) <= max(one.live) <= arena_bytes(one) <= sum(sizes)
    held = [sum(buffer.size for buffer in alive) for alive in one.alive()]
    assert [work + size for work, size in zip(one.workspace, held, strict=True)] == one.live


@settings(max_examples=60, deadline=None)
@given(networks(), POLICY, st.integers(6, 9), st.integers(1, 3), st.integers(1, 3))
def test_random_graphs_need_more_with_more_samples_bits_and_positions(text, storage, side, batch, wider):
    tree = yaml.safe_load(text)
    larger = yaml.safe_dump({**tree, "input": [side, 6, 3]})
    walked, other = (trace(read(Source("net.yaml", one)), {}) for one in (text, larger))
    more = storage._replace(batch=storage.batch * batch, activations=storage.activations * wider)
    for a, b in ((Lives(walked, storage), Lives(walked, more)), (Lives(walked, storage), Lives(other, storage))):
        assert all(one <= two for one, two in zip(a.live, b.live, strict=True))
        assert all(one <= two for one, two in zip(a.floors, b.floors, strict=True))


def test_densenet_is_linear():
    """The deepest has 2.2 times the layers of the shallowest; quadratic time would be 4.8 times."""
    model = load("densenet121")
    walks = [trace(model, settle(model, {"layers": layers})) for layers in (121, 201, 264)]
    rows = [len(walk.rows) for walk in walks]
    times = [math.inf] * 3
    for _ in range(7):  # interleaved, so that disturbances affect all
        for at, walk in enumerate(walks):
            started = time.process_time()
            assert max(Lives(walk, stored("unfused")).live) > 0
            times[at] = min(times[at], time.process_time() - started)
    assert 2 < rows[2] / rows[0] < 2.5
    assert all(taken < 1.6 * many / rows[0] * times[0] for taken, many in zip(times, rows, strict=True))


def test_a_sweep_of_peaks_costs_at_most_three_sweeps_of_mult_adds():
    def seconds(metric):
        started = time.process_time()
        frame = sweep("mobilenet", metrics=[metric], alpha=np.linspace(0.25, 1.5, 1000), res=list(range(96, 1096)))
        assert len(frame) == 1_000_000
        return time.process_time() - started

    pairs = [(seconds("peak_bytes"), seconds("mult_adds")) for _ in range(3)]
    assert min(peak for peak, _ in pairs) < 3 * min(cost for _, cost in pairs)


@given(st.lists(st.builds(lambda size, a, b: Span(size, min(a, b), max(a, b)), *[st.integers(0, 9)] * 3), max_size=9))
def test_no_two_buffers_lie_over_each_other(buffers):
    placed = list(zip(planned(buffers), buffers, strict=True))
    for at, (offset, one) in enumerate(placed):
        for other_offset, other in placed[:at]:
            if one.first <= other.last and other.first <= one.last and one.size and other.size:
                assert offset + one.size <= other_offset or other_offset + other.size <= offset
