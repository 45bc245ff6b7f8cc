"""Train and deploy phases: merged, dropped and folded layers, against networks re-parameterised in PyTorch."""

import json

import pytest

from costcalc import CostcalcError, analyze, reproduce, training
from costcalc.errors import Source
from costcalc.quantities import EXACT
from costcalc.read.loading import load
from costcalc.read.spec.reader import read
from costcalc.rewrite import drop, fold, merge, phased

# timm 1.0 at 224x224: mult-adds and parameters, before and after its reparameterize_model
NETWORKS = {
    "repvgg_a0": ((1_512_581_120, 9_108_968), (1_361_451_008, 8_309_384)),
    "repvgg_b0": ((3_397_191_680, 15_817_960), (3_057_600_512, 14_339_048)),
    "mobileone_s0": ((1_051_935_232, 5_293_272), (275_110_400, 2_078_504)),
    "repvit_m1": ((817_280_832, 5_485_248), (815_617_344, 5_067_056)),
    "mobileone_s1": ((830_062_080, 4_825_192), (825_057_024, 4_764_840)),
}


def spec(layers, shape="[8, 8, 4]"):
    return read(Source("n.yaml", f"input: {shape}\nlayers: {layers}\n"))


def totals(model):
    return tuple(analyze(model, convention="framework").totals.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_before_and_after(name):
    model = load(name)
    assert (totals(phased(model, "train")), totals(phased(model, "deploy"))) == NETWORKS[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_both_phases_side_by_side(run, name):
    code, out, _ = run("analyze", name, "--phase", "both", "-c", "framework", "--json")
    document = json.loads(out)
    found = tuple(tuple(document[side]["totals"].values()) for side in ("a", "b"))
    assert (code, found) == (0, NETWORKS[name])


CONV, ONE = "{conv: 3x3, out: 4}", "{conv: 1x1, out: 4}"


@pytest.mark.parametrize(
    ("branches", "mult_adds"),
    [  # on 8x8x4: 9*4*4*64 of the 3x3 convolution alone
        (f"[{CONV}], [{ONE}]", 9216),
        (f"[{CONV}], [{CONV}], [{ONE}]", 9216),
        (f"[{CONV}], []", 9216),
        (f"[{CONV}], [batchnorm]", 9216),
        ("[{conv: 3x3, out: 4, then: [batchnorm]}], []", 9216),
        ("[{dwconv: 3x3}], [{dwconv: 1x1}], []", 9 * 4 * 64),
        ("[{conv: 3x3, out: 4, padding: 1}], [{conv: 1x1, out: 4, padding: 0}]", 9216),
        ("[{conv: 1x3, out: 4}], [{conv: 1x1, out: 4}]", 3072),
    ],
)
def test_what_is_merged(branches, mult_adds):
    done = merge(spec(f"[{{add: [{branches}]}}]"))
    rows = analyze(done.model).lines
    assert [line.op for line in rows] == ["dwconv" if "dwconv" in branches else "conv"]
    assert analyze(done.model).totals["mult_adds"] == mult_adds
    assert done.left == {}


@pytest.mark.parametrize(
    ("branches", "reason"),
    [
        (f"[{CONV}, relu], [{ONE}]", "other than a convolution or batch norm"),
        (f"[{ONE}, {CONV}], []", "two convolutions"),
        ("[{dwconv: 3x3}], [{conv: 1x1, out: 4}]", "depthwise"),
        ("[{conv: 3x3, out: 4, groups: 2}], [{conv: 1x1, out: 4}]", "groups"),
        ("[{conv: 3x3, out: 4, dilation: 2}], [{conv: 1x1, out: 4}]", "dilated"),
        ("[{conv: 1x3, out: 4}], [{conv: 3x1, out: 4}]", "no kernel covers"),
        ("[{conv: 3x3, out: 4, padding: [[0, 2], [0, 2]]}], [{conv: 1x1, out: 4}]", "not alike"),
        ("[batchnorm], []", "no branch has a convolution"),
        (f"[{CONV}], [{{avgpool: 3x3, stride: 1}}]", "other than a convolution or batch norm"),
        (f"[{{conv: 3x3, out: 4, params: 10}}], [{ONE}]", "`params`"),
        (f"[{{conv: 3x3, out: 4, as: a}}], [{ONE}]", "named"),
    ],
)
def test_what_is_not_merged(branches, reason):
    model = spec(f"[{{add: [{branches}]}}]")
    done = merge(model)
    assert [reason in one for one in done.left.values()] == [True]
    assert totals(done.model) == totals(model)


def test_a_branch_of_another_grid_is_not_merged():
    """With a stride, the shapes of the input and the convolution differ, so the sum is invalid."""
    layers = "[{add: [[{conv: 3x3, out: 4, stride: [1, 1]}], [{conv: 1x1, out: 4}]]}]"
    assert [line.op for line in analyze(merge(spec(layers)).model).lines] == ["conv"]
    layers = "[{conv: 3x3, out: 4, as: a}, relu, {add: [a, []]}]"
    assert list(merge(spec(layers)).left.values()) == ["a branch is a layer by its name"]


def test_dropout_and_identities_are_dropped():
    layers = (
        "[{conv: 3x3, out: 4, then: [batchnorm, {dropout: 0.2}]}, identity, {dropout: 0.5, as: a}, {conv: 1x1, out: 2}]"
    )
    assert [line.op for line in analyze(drop(spec(layers)).model).lines] == ["conv", "batchnorm", "identity", "conv"]


HEAD = (
    "[{conv: 3x3, out: 4, as: features}, {layers: [{avgpool: global}, {linear: 10}], only: train, as: auxiliary}, "
    "{conv: 1x1, out: 2, from: features}, {conv: 1x1, out: 3, only: deploy}]"
)


def test_layers_of_one_phase():
    model = spec(HEAD)
    train, deploy = ([line.name for line in analyze(phased(model, one)).lines] for one in ("train", "deploy"))
    assert train == ["features", "auxiliary/avgpool", "auxiliary/linear", "conv"]
    assert deploy == [line.name for line in analyze(model).lines] == ["features", "conv_1", "conv_2"]
    assert [line.name for line in training(model).lines] == train
    with pytest.raises(CostcalcError, match="there is no phase"):
        phased(model, "test")
    with pytest.raises(CostcalcError, match="unknown phase"):
        spec("[{conv: 1x1, out: 2, only: testing}]")


def test_a_branch_of_one_phase():
    """A training-only branch does not exist in the deployed network; it does not become the identity."""
    model = spec(f"[{{add: [[{CONV}], [{{conv: 1x1, out: 4, only: train}}, {{batchnorm: , only: train}}]]}}]")
    train, deploy = (totals(phased(model, one))[0] for one in ("train", "deploy"))
    assert (train, deploy) == (9216 + 64 * 4 * 4, 9216)
    for one in (model, drop(model).model, phased(model, "deploy")):
        assert [line.op for line in analyze(one).lines] == ["conv"]
    for layers in ("[{add: [[{conv: 1x1, out: 4, only: train}]]}]", "[{concat: [[{relu: , only: train}]]}]"):
        for one in (spec(layers), drop(spec(layers)).model):
            with pytest.raises(CostcalcError, match="no branch has a layer in the phase `deploy`"):
                analyze(one)


@pytest.mark.parametrize(
    "layers",
    [
        "[{conv: 3x3, out: 4, then: [batchnorm], residual: true}]",
        f"[{{layers: [{CONV}, batchnorm], residual: true}}]",
        f"[{{layers: [{{add: [[{CONV}], [{ONE}]]}}], residual: true}}]",
        f"[{{layers: [{{layers: [{CONV}]}}, batchnorm], residual: true, repeat: 1, as: a}}]",
        f"[{{add: [[{{layers: [{CONV}]}}, batchnorm], [{ONE}], []]}}]",
        f"[{{identity: , as: x}}, {{add: [[{CONV}], [{ONE}], x]}}]",
        f"[{{add: [[{{layers: [{ONE}], residual: true}}], [{CONV}]]}}]",
    ],
)
def test_an_input_that_is_bridged_is_merged(layers):
    """x + f(x) with a linear f is one convolution in every spelling (RepVGG, arXiv:2101.03697, section 3.3)."""
    found = analyze(phased(spec(layers), "deploy"), convention="framework")
    assert [line.op for line in found.lines if line.op != "identity"] == ["conv"]
    assert tuple(found.totals.values()) == (9216, 9 * 4 * 4 + 4)


def test_a_block_that_is_bridged_is_merged():
    text = (
        "input: [8, 8, 4]\nblocks:\n  one(c): [{conv: 3x3, out: c}, batchnorm]\n"
        "layers: [{one: [4], residual: true, then: [relu]}]\n"
    )
    found = analyze(phased(read(Source("n.yaml", text)), "deploy"), convention="framework")
    assert [line.op for line in found.lines] == ["conv", "relu"]
    assert found.totals["params"] == 9 * 4 * 4 + 4


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ("[{conv: 3x3, out: 4, then: [relu], residual: true}]", "other than a convolution or batch norm"),
        (f"[{{layers: [{CONV}, {CONV}], residual: true}}]", "two convolutions"),
        ("[{batchnorm: , residual: true}]", "no branch has a convolution"),
        ("[{conv: 3x3, out: 4, residual: channels == 4}]", "depends on variables"),
        ("[{conv: 2x2, out: 4, dilation: 2, residual: true}]", "dilated"),
    ],
)
def test_what_is_bridged_and_not_merged(layers, reason):
    model = spec(layers)
    done = merge(model)
    assert [reason in one for one in done.left.values()] == [True]
    assert totals(done.model) == totals(model)


@pytest.mark.parametrize(
    ("layers", "ops", "params"),
    [
        ("[batchnorm, {linear: 10}]", ["linear"], 4 * 10 + 10),
        ("[batchnorm, {conv: 1x1, out: 5, bias: false, then: [batchnorm]}]", ["conv"], 4 * 5 + 5),
        ("[batchnorm, {conv: 3x3, out: 5, bias: false}]", ["batchnorm", "conv"], 8 + 180),
        ("[batchnorm, {conv: 1x1, out: 5, bias: false, padding: 1}]", ["batchnorm", "conv"], 8 + 20),
        ("[{batchnorm: , as: a}, {linear: 10}]", ["batchnorm", "linear"], 8 + 50),
        ("[batchnorm, {conv: 1x1, out: 4, bias: false, repeat: 2}]", ["batchnorm", "conv", "conv"], 8 + 32),
        ("[batchnorm, {conv: 1x1, out: 4, bias: false, residual: true}]", ["batchnorm", "conv", "add"], 8 + 16),
    ],
)
def test_a_norm_before_a_layer_that_takes_it(layers, ops, params):
    """W(sx + t) = (Ws)x + Wt without zero padding; RepViT folds the norm of its classifier this way."""
    found = analyze(fold(spec(layers)).model, convention="framework")
    assert ([line.op for line in found.lines], found.totals["params"]) == (ops, params)


def test_what_is_shown_says_which_phase(run, tmp_path):
    (tmp_path / "n.yaml").write_text(f"input: [8, 8, 4]\nlayers: {HEAD}\n")
    assert "phase deploy" in run("analyze", "n.yaml").out
    assert "phase train" in run("analyze", "n.yaml", "--phase", "train").out
    assert json.loads(run("analyze", "n.yaml", "--json").out)["phase"] == "phase deploy"
    assert "phase" not in run("analyze", "mobilenet").out


def test_limits_on_either_phase(run, tmp_path):
    (tmp_path / "n.yaml").write_text(f"input: [8, 8, 4]\nlayers: [{{add: [[{CONV}], [{ONE}]]}}]\n")
    (tmp_path / "costcalc.yaml").write_text(
        "checks:\n"
        "  - {spec: n.yaml, at: {phase: train}, min: {mult_adds: 10240}}\n"
        "  - {spec: n.yaml, at: {phase: deploy}, max: {mult_adds: 9216}}\n"
    )
    found = run("check", "--json")
    assert found.code == 0, found.out


def test_a_check_says_which_phase_it_judges(run, tmp_path):
    (tmp_path / "net.yaml").write_text(
        "input: [8, 8, 3]\nlayers: [{conv: 3x3, out: 8, only: train}, {conv: 1x1, out: 3}]\n"
    )
    out = run("check", "net.yaml", "--max", "params=20").out
    assert "net.yaml: phase deploy\n" in out
    (tmp_path / "net.yaml").write_text("input: [8, 8, 3]\nlayers: [{conv: 1x1, out: 3}]\n")
    assert "phase" not in run("check", "net.yaml", "--max", "params=20").out


@pytest.mark.parametrize("name", [*NETWORKS, "yolov8n", "yolov9_c"])
def test_published_figures_of_both_phases(name):
    """Figures printed by timm, Ultralytics and the authors of YOLOv9 before and after re-parameterisation."""
    found = reproduce(name)
    assert {one.claim.phase for one in found} == {"train", "deploy"}
    assert {one.verdict for one in found} == {EXACT}


def test_a_published_figure_of_a_phase(run, tmp_path):
    text = "input: [8, 8, 4]\nlayers: [{dropout: 0.5}, {conv: 1x1, out: 4, only: train}, {conv: 1x1, out: 2}]\n"
    rows = "published: [{source: A, rows: [{at: {phase: PHASE}, params: 10}, {params: 10}]}]\n"
    (tmp_path / "n.yaml").write_text(text + rows.replace("PHASE", "train"))
    found = json.loads(run("reproduce", "n.yaml", "--json").out)["figures"]
    assert [(one["phase"], one["setting"], one["computed"]) for one in found] == [
        ("train", "phase=train", 24),
        ("", "", 8),
    ]
    (tmp_path / "n.yaml").write_text(text + rows.replace("PHASE", "test"))
    assert "unknown phase `test`" in run("reproduce", "n.yaml").err
