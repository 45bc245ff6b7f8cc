"""Tables in `vars:`, values for each position, and powers cost the same as the written-out network."""

import json

import numpy as np
import pytest

from costcalc import analyze, fit, formula, sweep
from costcalc.errors import OptionError, Source, SpecError
from costcalc.read.spec.reader import read

HEAD = "input: [56, 56, 16]\nlayers:\n"
EACH = """
vars:
  ks: {default: 3, choices: [3, 5, 7], each: 4}
  w: {default: [16, 24, 32, 48], each: 4, min: 1}
  alpha: 1.0
input: [56, 56, 16]
layers:
  - repeat: 4
    layers: [{dwconv: "ks[i]"}, {conv: 1x1, out: "floor(alpha * w[i])"}]
"""
TABLE = """
vars:
  variant: {default: b0, choices: [b0, b1]}
  phi: {default: 1, min: 0}
  depths: {b0: [1, 2], b1: [2, "2 + phi"]}
  acts: {b0: relu, b1: silu}
input: [56, 56, 16]
blocks:
  stage(depth, act): [{conv: 3x3, out: 8 * 2 ** phi, dilation: 2 ** i, repeat: depth, then: [act]}]
layers:
  - stage: [["depths[variant][0]", "acts[variant]"], ["depths[variant][1]", "acts[variant]"]]
"""
OFA = {  # kernel, expansion, depth -> mult-adds at 224 and 160, parameters: the counter of once-for-all
    (3, 3, 2): (121_278_672, 63_240_528, 3_410_792),
    (7, 6, 4): (566_170_656, 291_318_048, 7_664_760),
    (5, 4, 3): (250_746_944, 129_548_864, 4_551_792),
    (3, 6, 4): (433_141_536, 223_446_048, 7_299_960),
    (7, 3, 2): (151_290_192, 78_552_528, 3_493_352),
}
MIXED = {
    "ks": (3, 7, 3, 5, 3, 5, 5, 5, 7, 5, 3, 3, 5, 3, 5, 5, 7, 3, 7, 5),
    "e": (4, 6, 3, 6, 3, 4, 3, 3, 3, 6, 6, 3, 4, 6, 3, 4, 6, 3, 6, 3),
    "d": (3, 3, 4, 2, 3),
}


def loads(text):
    return read(Source("net.yaml", text))


def totals(text, **values):
    return analyze(loads(text), settings=values).totals


def written(kernels, widths):
    """The network of EACH, written layer by layer."""
    layers = [f"  - {{dwconv: {k}}}\n  - {{conv: 1x1, out: {w}}}\n" for k, w in zip(kernels, widths, strict=True)]
    return totals(HEAD + "".join(layers))


def test_each_position_has_its_own_value():
    assert totals(EACH) == written([3] * 4, [16, 24, 32, 48])
    assert totals(EACH, ks=(3, 5, 7, 3)) == written([3, 5, 7, 3], [16, 24, 32, 48])
    assert totals(EACH, ks=5, w=8) == written([5] * 4, [8] * 4)
    assert totals(EACH, **{"ks": 5, "ks[2]": 7, "w[0]": 9}) == written([5, 5, 7, 5], [9, 24, 32, 48])


def test_positions_are_variables_of_sweeps_fits_and_formulas():
    model = loads(EACH)
    frame = sweep(model, settings={"ks[1]": [3, 5, 7], "w[0]": [16, 8]})
    due = [written([3, k, 3, 3], [w, 24, 32, 48])["mult_adds"] for k in (3, 5, 7) for w in (16, 8)]
    assert frame.mult_adds.tolist() == due
    assert sweep(model, ks=[3, 5, 7]).params.tolist() == [
        written([k] * 4, [16, 24, 32, 48])["params"] for k in (3, 5, 7)
    ]
    best = fit(model, vary={"ks[0]": None}, limits={"mult_adds": due[0] + 100_000})
    assert best.columns["ks[0]"].tolist() == [3]
    form = formula(model, names=["w[0]"])["mult_adds"]
    assert [form(**{"w[0]": w}) for w in (8, 17)] == [written([3] * 4, [w, 24, 32, 48])["mult_adds"] for w in (8, 17)]


@pytest.mark.parametrize("given", [{"ks": 4}, {"ks": (3, 5, 7)}, {"ks": (3, 5, 7, 4)}, {"ks[4]": 3}, {"ks[0]": 1}])
def test_a_position_has_one_of_the_choices(given):
    with pytest.raises(OptionError):
        totals(EACH, **given)


@pytest.mark.parametrize(("variant", "phi"), [("b0", 0), ("b0", 2), ("b1", 0), ("b1", 1), ("b1", 3)])
def test_a_table_gives_what_is_written_in_it(variant, phi):
    depths = {"b0": [1, 2], "b1": [2, 2 + phi]}[variant]
    act = {"b0": "relu", "b1": "silu"}[variant]
    layers = [
        f"  - {{conv: 3x3, out: {8 * 2**phi}, dilation: {2**i}, then: [{act}]}}\n" for d in depths for i in range(d)
    ]
    assert totals(TABLE, variant=variant, phi=phi) == totals(HEAD + "".join(layers))


def test_a_table_is_looked_up_point_by_point():
    table = "vars: {n: {default: 0, min: 0}, t: [4, 2, 9]}\n" + HEAD + '  - {conv: 1x1, out: "t[n] * 2 ** n"}\n'
    frame = sweep(loads(table), n=np.arange(3))
    assert frame.params.tolist() == [16 * 4, 16 * 4, 16 * 36]
    with pytest.raises(SpecError, match="`t` has no value"):
        sweep(loads(table), n=[0, 3])


def test_tables_are_no_settings(run, tmp_path):
    (tmp_path / "net.yaml").write_text(TABLE)
    assert json.loads(run("analyze", "net.yaml", "--json").out)["vars"] == {"variant": "b0", "phi": 1}
    assert "variant=b0, phi=1; costcalc" in run("analyze", "net.yaml").out
    with pytest.raises(OptionError, match="table"):
        analyze(loads(TABLE), depths=3)


@pytest.mark.parametrize("setting", OFA)
def test_once_for_all_costs_what_its_own_counter_says(setting):
    values = dict(zip(("ks", "e", "d"), setting, strict=True))
    large, small, params = OFA[setting]
    assert analyze("ofa_mobilenet_v3", **values).totals["mult_adds"] == large
    assert analyze("ofa_mobilenet_v3", res=160, **values).totals["mult_adds"] == small
    assert analyze("ofa_mobilenet_v3", convention="framework", **values).totals["params"] == params


def test_a_mixed_network_of_once_for_all():
    assert analyze("ofa_mobilenet_v3", **MIXED).totals["mult_adds"] == 268_031_200
    assert analyze("ofa_mobilenet_v3", convention="framework", **MIXED).totals["params"] == 5_036_464
