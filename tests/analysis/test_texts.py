"""The library accepts the same texts as the command line: ranges and printed numbers."""

import pytest

from costcalc import CostcalcError, fit, reconcile, sweep


def test_a_range_in_a_text_is_the_list():
    pytest.importorskip("pandas")
    listed = sweep("mobilenet", alpha=[0.25, 0.5, 0.75, 1], res=[224, 192])
    texts = sweep("mobilenet", {"alpha": "0.25:1:0.25", "res": "224,192"})
    assert texts.to_dict() == listed.to_dict()
    assert sweep("mobilenet", alpha="1, 0.5").alpha.tolist() == [1, 0.5]
    assert sweep("mobilenet", rho="1,0.857").mult_adds.tolist() == sweep("mobilenet", rho=[1, 0.857]).mult_adds.tolist()
    lists = fit("mobilenet", vary={"res": [128, 160, 192]}, limits={"mult_adds": "300M"})
    assert fit("mobilenet", vary={"res": "128:192:32"}, limits={"mult_adds": "300M"}).frame().equals(lists.frame())


@pytest.mark.parametrize("values", ["0.25:1", "1:0:", "a", "", ",", "0:1:0"])
def test_a_text_that_is_no_range_is_one_error(values):
    with pytest.raises(CostcalcError):
        sweep("mobilenet", alpha=values)
    with pytest.raises(CostcalcError):
        sweep("mobilenet", rho=values)


@pytest.mark.parametrize("value", [["a"], [None], 0])
def test_a_rho_that_is_no_number_is_one_error(value):
    with pytest.raises(CostcalcError, match=r"`?rho`? cannot be"):
        sweep("mobilenet", rho=value)


def test_a_printed_number_is_explained_as_the_command_does(run):
    found = reconcile("squeezenet1_0", "paper", printed="1700M")
    assert (found.total, found.gap) == (832_667_936, 1_700_000_000 - 832_667_936)
    assert found.explained[0][0].text == "2 per mult-add"
    assert repr(found) == run("reconcile", "squeezenet1_0", "paper", "1700M").out.rstrip("\n")
    assert next(iter(found.frame())) in run("reconcile", "squeezenet1_0", "paper", "1700M", "--format", "csv").out
    assert "<table" in found._repr_html_()
    assert reconcile("mobilenet", printed=4_209_088, metric="params").explained
    assert reconcile("resnet50", "paper", "fvcore").gap == reconcile("resnet50", left="paper", right="fvcore").gap


@pytest.mark.parametrize(
    "how", [{}, {"right": "fvcore", "printed": "1G"}, {"printed": 1.5}, {"printed": True}, {"printed": "much"}]
)
def test_what_is_no_second_count_is_one_error(how):
    with pytest.raises(TypeError):
        reconcile("mobilenet", "paper", **how)
