"""Exceptions with hand-made values: which apply, which are stale, and how their amounts are written."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from costcalc.budget import exempting
from costcalc.budget.exempting import (
    between,
    by_path,
    decimal,
    exact,
    excepted,
    excused,
    folder_name,
    known,
    path_of,
    shown,
    stale,
    titled,
)
from costcalc.budget.loosening import Loosened
from costcalc.errors import Place, Problem, Source
from tests.budget.made import exemption, limit, outcome, verdict

DECIMALS = [  # a number, to the nearest, and rounded up
    (0, "0", "0"),
    (5, "5", "5"),
    (-5, "-5", "-5"),
    (100, "100", "100"),
    (Fraction(1, 2), "0.5", "0.5"),
    (Fraction(-1, 2), "-0.5", "-0.5"),
    (Fraction(1, 3), "0.333333333333", "0.333333333334"),
    (Fraction(2, 3), "0.666666666667", "0.666666666667"),
    (Fraction(-1, 3), "-0.333333333333", "-0.333333333333"),
    (Fraction(1, 10**12), "0.000000000001", "0.000000000001"),
    (Fraction(1, 10**13), "0", "0.000000000001"),
    (Fraction(10**12 + 1, 10**12), "1.000000000001", "1.000000000001"),
]


@pytest.mark.parametrize(("number", "nearest", "up"), DECIMALS)
def test_a_number_has_twelve_decimal_places(number, nearest, up):
    assert (decimal(number), decimal(number, up=True)) == (nearest, up)


def test_amounts_for_people_and_for_a_file():
    assert [shown(value, "mult_adds") for value in (2_626_000, Fraction(5, 2))] == ["2,626,000", "2.5"]
    assert shown(2_626_000, "weights_bytes") == "2,626,000 B"
    assert exact(2_626_000, "mult_adds") == "2626000"
    assert exact(Fraction(1, 3), "weights_bytes") == "0.333333333333B"
    assert exact(Fraction(1, 3), "weights_bytes", up=True) == "0.333333333334B"
    assert between(exemption(2_500_000, 2_626_000)) == "2,500,000 -> 2,626,000"
    assert between(exemption(1_000, 2_000, "weights_bytes")) == "1,000 B -> 2,000 B"


def test_a_spec_is_named_by_its_setting_and_by_its_path():
    one = exemption(1, 2, at={"a": 3, "deep": True})
    assert titled(one) == "models/net.yaml a=3 deep=True"
    far = one._replace(place=Place(Source("up/down/costcalc.yaml", ""), 9, 5), spec="../net.yaml")
    assert (path_of(one), path_of(far)) == ("models/net.yaml", "up/net.yaml")
    other = exemption(3, 4)
    assert by_path([one, far, other]) == {"models/net.yaml": (one, other), "up/net.yaml": (far,)}
    assert folder_name("up/costcalc.yaml", "net.yaml") == "up/net.yaml"
    assert folder_name("up/costcalc.yaml", "../net.yaml") == folder_name("costcalc.yaml", "net.yaml") == "net.yaml"


def side(*unknown):
    """The cost of a network with these metrics unknown."""
    return SimpleNamespace(unknown=lambda metric: {"a": None} if metric in unknown else {})


def grown(now=110, base=100, metric="params", **more):
    return verdict(now, "+5%", "vs_base", metric, base=base, **{"status": "grew", **more})


CHECK = outcome("models/net.yaml").check
EXCUSED = [  # exceptions as (from, to), the current amount, the one that applies and whether it suffices
    ([(100, 110)], 110, 0, "excepted"),
    ([(100, 110)], 111, 0, "grew"),
    ([(100, 109), (100, 120), (100, 119)], 110, 1, "excepted"),
    ([(100, 105), (100, 106)], 110, 1, "grew"),
    ([(101, 120)], 110, None, "grew"),
    ([(99, 120)], 110, None, "grew"),
    ([], 110, None, "grew"),
    ([(99, 200), (100, 120)], 110, 1, "excepted"),
]


@pytest.mark.parametrize(("pairs", "now", "at", "status"), EXCUSED)
def test_an_exception_covers_what_starts_where_it_does(pairs, now, at, status):
    all_of = [exemption(before, most, "params") for before, most in pairs]
    found = excused(grown(now), CHECK, all_of, side())
    assert (found.status, found.exemption) == (status, None if at is None else all_of[at])


def test_an_exception_is_for_one_metric_setting_and_convention():
    one = exemption(100, 120, "params")
    assert excused(grown(metric="mult_adds"), CHECK, [one], side()).exemption is None
    assert excused(grown(), CHECK._replace(at={"a": 1}), [one], side()).exemption is None
    assert excused(grown(), CHECK._replace(counted_by="torchinfo"), [one], side()).exemption is None
    assert excused(grown(), CHECK, [one], side("mult_adds")).status == "excepted"
    assert excused(grown(), CHECK, [one], side("params"))[1::8] == ("grew", one)


@pytest.mark.parametrize("status", ["pass", "already", "crossed", "skipped"])
def test_nothing_else_is_excused(status):
    one = grown(status=status)
    assert excused(one, CHECK, [exemption(100, 120, "params")], side()) is one


def why(one, *outcomes):
    """The reason why an exception is stale, or ""."""
    found = list(stale([one], outcomes))
    assert [each.exemption for each in found] == [one] * len(found)
    return found[0].why if found else ""


def test_an_exception_is_stale_once_the_base_is_another():
    one = exemption(100, 120, "params")
    here, net = "models/net.yaml", outcome
    assert why(one, net(here, grown())) == ""
    assert why(one, net(here, grown(status="pass"))) == ""
    assert why(one, net(here, grown(base=1_100, now=1_200))) == "the base has 1,100, not 100"
    assert why(one, net(here, grown(base=7)), net(here, grown())) == ""
    assert why(one, net(here, verdict(7, "+0", "vs_base", "params"))) == "the spec is new: there is nothing at the base"
    nothing = "no check limits how much it may grow"
    assert why(one) == nothing
    assert why(one, net(here, grown(metric="mult_adds"))) == nothing
    assert why(one, net(here, verdict(100, "99", metric="params", base=100))) == nothing
    assert why(one, net(here, grown(), settings={"a": 1})) == nothing
    assert why(one, net("models/other.yaml", grown())) == nothing
    bad = (Problem("x", "y"),)  # nothing is known then
    assert (why(one, net(here, problems=bad)), why(one, net("other.yaml", problems=bad))) == ("", nothing)


def test_a_stale_exception_says_where_it_is_and_what_removes_it():
    (found,) = stale([exemption(100, 120, "params")], [outcome("models/net.yaml", grown(base=7))])
    said = "params of models/net.yaml: the base has 7, not 100; costcalc check --update removes it"
    assert found.message == f"costcalc.yaml:9: stale exception: {said}"


def used(*exemptions):
    """The outcomes of a run with exceptions that applied and one that allowed too little."""
    many = [grown(status="excepted", exemption=one) for one in exemptions]
    return [outcome("models/net.yaml", *many, grown(exemption=OTHER))]


OTHER = exemption(100, 105, "params")


def test_exceptions_that_apply_or_are_new_are_told():
    one, looser, apart = exemption(100, 120, "params"), exemption(100, 121, "params"), exemption(99, 120, "params")
    then = known([("net.yaml", one)])
    assert then == {("net.yaml", (), "paper", "params"): [one]}
    for now, outcomes, count in (
        (one, [], 0),
        (exemption(100, 119, "params"), [], 0),
        (looser, [], 1),
        (apart, [], 1),
        (one, used(one), 1),
        (looser, used(looser), 1),
        (exemption(100, 120, "params", at={"a": 1}), [], 1),
    ):
        assert len([*excepted([("net.yaml", now)], then, outcomes)]) == count
    assert len([*excepted([("moved.yaml", one)], then, [])]) == 1
    assert not [*excepted([("net.yaml", OTHER)], known([("net.yaml", OTHER)]), used())]
    two = known([("net.yaml", apart), ("net.yaml", one)])
    assert [len(each) for each in two.values()] == [2]
    assert not [*excepted([("net.yaml", one), ("net.yaml", apart)], two, [])]


def test_how_an_exception_is_told():
    one = exemption(100, 120, "params", at={"a": 1}, reason="the head")
    (applies,) = excepted([("net.yaml", one)], {}, used(one))
    now = limit("+5%", "vs_base", "params")._replace(bound=None, text="100 -> 120", place=one.place)
    wanted = limit("+5%", "vs_base", "params"), now, ("net.yaml a=1",), "+5% except 100 -> 120 (the head)"
    assert applies == Loosened("exception", *wanted, "costcalc.yaml")
    (is_new,) = excepted([("net.yaml", one._replace(reason=""))], {}, [])
    assert (is_new.became, is_new.limit.text, is_new.limit.kind) == ("except 100 -> 120", "", "vs_base")
    assert is_new.message == "exception from a limit: vs_base params except 100 -> 120, of net.yaml a=1"


def test_places_of_a_ratio_are_those_that_a_limit_may_have():
    assert exempting.PLACES == 12
