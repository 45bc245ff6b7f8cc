"""Verdicts over layers: the reported layer, the number of others, and unknown costs."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from costcalc.budget.config import limit_of
from costcalc.budget.judge import escaped, judge
from costcalc.errors import SpecError
from costcalc.metrics.conventions import find

PAPER = find("paper")


class Side:
    """The cost of a network in one metric: by layer, some as lower bounds, or as a whole."""

    def __init__(self, layers, unknown=(), whole=False):
        self.amounts, self.hidden, self.whole = layers, dict.fromkeys(unknown), whole

    def total(self, metric):
        return sum(self.amounts.values())

    def is_whole(self, metric):
        return self.whole

    def layers(self, metric):
        return self.amounts

    def unknown(self, metric):
        return self.hidden

    def row(self, name):
        return SimpleNamespace(places=(None,), layer=SimpleNamespace(unknown=self.hidden))


@pytest.fixture(autouse=True)
def without_causes(monkeypatch):
    """The line that causes an excess is not tested here."""
    monkeypatch.setattr("costcalc.budget.judge.cause", lambda *sides: None)


def judged(kind, where, text, now, base=None):
    """(status, layer, current amount, base amount, allowed, number of further failing layers, the worst one)."""
    found = judge(limit_of(kind, "mult_adds", where, text, PAPER), Side(now), base and Side(base))
    return found.status, found.layer, found.now, found.base, found.allowed, found.others, found.furthest


FOUR = {"a": 10, "b": 40, "c": 30, "d": 20}
CASES = [
    ("max", "any_layer", "40", FOUR, None, ("pass", "b", 40, None, 40, 0, 40)),
    ("max", "any_layer", "39", FOUR, None, ("over", "b", 40, None, 39, 0, 40)),
    ("max", "any_layer", "19", FOUR, None, ("over", "b", 40, None, 19, 2, 40)),
    ("max", "[acd]", "19", FOUR, None, ("over", "c", 30, None, 19, 1, 30)),
    ("min", "any_layer", "10", FOUR, None, ("pass", "a", 10, None, 10, 0, 10)),
    ("min", "any_layer", "31", FOUR, None, ("over", "a", 10, None, 31, 2, 10)),
    ("min", "any_layer", "5", {"a": 10, "relu": 0}, None, ("pass", "a", 10, None, 5, 0, 10)),
    ("min", "*", "5", {"a": 10, "relu": 0}, None, ("over", "relu", 0, None, 5, 0, 0)),
    ("max", "any_layer", "0", {"a": 0, "b": 0}, None, ("pass", "a", 0, None, 0, 0, 0)),
    ("max", "any_layer", "40%", FOUR, None, ("pass", "b", Fraction(2, 5), None, Fraction(2, 5), 0, Fraction(2, 5))),
    ("max", "any_layer", "25%", FOUR, None, ("over", "b", Fraction(2, 5), None, Fraction(1, 4), 1, Fraction(2, 5))),
    ("min", "any_layer", "25%", FOUR, None, ("over", "a", Fraction(1, 10), None, Fraction(1, 4), 1, Fraction(1, 10))),
    ("max", "any_layer", "25%", {"a": 0}, None, ("pass", "a", 0, None, Fraction(1, 4), 0, 0)),
    ("max", "any_layer", "25", FOUR, {"b": 20, "c": 20}, ("crossed", "b", 40, 20, 25, 1, 40)),
    ("max", "any_layer", "25", FOUR, {"b": 41, "c": 30}, ("already", "b", 40, 41, 25, 0, 40)),
    ("max", "any_layer", "25", FOUR, {"b": 40, "c": 29}, ("worse", "c", 30, 29, 25, 0, 40)),
    ("max", "any_layer", "25", FOUR, {"b": 25, "c": 30}, ("crossed", "b", 40, 25, 25, 0, 40)),
    ("min", "any_layer", "15", FOUR, {"a": 15}, ("crossed", "a", 10, 15, 15, 0, 10)),
    ("min", "any_layer", "15", FOUR, {"a": 10}, ("already", "a", 10, 10, 15, 0, 10)),
    ("min", "any_layer", "15", FOUR, {"a": 11}, ("worse", "a", 10, 11, 15, 0, 10)),
    ("max", "", "100", FOUR, None, ("pass", "", 100, None, 100, 0, 100)),
    ("max", "", "99", FOUR, {"a": 99}, ("crossed", "", 100, 99, 99, 0, 100)),
    ("vs_base", "", "+1%", {"a": 101}, {"a": 100}, ("pass", "", 101, 100, 101, 0, 101)),
    ("vs_base", "", "+0", {"a": 101}, {"a": 100}, ("grew", "", 101, 100, 100, 0, 101)),
    ("vs_base", "", "+0", {"a": 101}, None, ("skipped", "", 101, None, None, 0, None)),
]


@pytest.mark.parametrize(("kind", "where", "text", "now", "base", "wanted"), CASES)
def test_the_verdict_is_that_of_the_worst_layer(kind, where, text, now, base, wanted):
    assert judged(kind, where, text, now, base) == wanted


def test_the_share_of_a_layer_at_the_base_is_of_the_base():
    assert judged("max", "any_layer", "25%", FOUR, {"b": 30, "z": 70})[:4] == (
        "worse",
        "b",
        Fraction(2, 5),
        Fraction(3, 10),
    )


@pytest.mark.parametrize(
    ("glob", "help"), [("bb", "a similar name exists: `b`"), ("nothing_like_it", "the names are those of")]
)
def test_a_glob_without_a_layer(glob, help):
    layers = {"b": 1, "conv_first": 1}
    with pytest.raises(SpecError, match=f"no layer is called `{glob}`") as error:
        judge(limit_of("max", "mult_adds", glob, "1", PAPER), Side(layers))
    assert help in error.value.problems[0].help


ESCAPES = [
    ("a*", {"a1": 5}, {"b1": 5}, "`a1` is gone, `b1` is new"),
    ("a*", {"a1": 5}, {"a2": 5}, None),
    ("a*", {"a1": 5}, {}, None),
    ("a*", {"a1": 5}, {"a1": 5, "b1": 5}, None),
    ("a*", {"a1": 0}, {"b1": 5}, None),
    ("a*", {"a1": 5}, {"b1": 0}, None),
    ("a*", {"a1": 5, "b1": 5}, {"b1": 5}, None),
    ("any_layer", {"a1": 5}, {"b1": 5}, None),
    ("any_layer", {"any_layer": 5}, {"b1": 5}, None),
    ("", {"a1": 5}, {"b1": 5}, None),
]


@pytest.mark.parametrize(("where", "base", "now", "said"), ESCAPES)
def test_a_layer_that_leaves_its_glob(where, base, now, said):
    limit = limit_of("max", "mult_adds", where, "9", PAPER)
    found = [text.partition("(")[2].rstrip(")") for _, text in escaped([limit], Side(now), Side(base))]
    assert found == ([said] if said else [])


@pytest.mark.parametrize(("now", "base"), [(True, False), (False, True)])
def test_a_figure_of_the_whole_has_no_layers_to_leave(now, base):
    limit = limit_of("max", "mult_adds", "a*", "9", PAPER)
    assert not [*escaped([limit], Side({"b": 1}, whole=now), Side({"a": 1}, whole=base))]


BOUNDS = [
    ("max", "", "99", FOUR, None, "a", "", "over"),
    ("max", "", "100", FOUR, None, "a", "", ""),
    ("min", "", "101", FOUR, None, "a", "", ""),
    ("min", "", "100", FOUR, None, "a", "", "pass"),
    ("max", "any_layer", "39", FOUR, None, "a", "", "over"),
    ("max", "any_layer", "40", FOUR, None, "a", "", ""),
    ("max", "b", "40", FOUR, None, "a", "", "pass"),
    ("max", "b", "40", FOUR, None, "b", "", ""),
    ("max", "b", "40%", FOUR, None, "a", "", ""),
    ("max", "b", "39%", FOUR, None, "a", "", ""),
    ("vs_base", "", "+0", FOUR, {"a": 99}, "a", "", "grew"),
    ("vs_base", "", "+0", FOUR, {"a": 99}, "", "a", ""),
    ("vs_base", "", "+0", FOUR, {"a": 100}, "", "a", "pass"),
    ("vs_base", "", "+0", FOUR, {"a": 100}, "a", "", ""),
    ("max", "", "9", FOUR, {"a": 101}, "a", "", ""),
    ("max", "", "9", FOUR, {"a": 101}, "", "a", "already"),
]


@pytest.mark.parametrize(("kind", "where", "text", "now", "base", "here", "there", "wanted"), BOUNDS)
def test_a_lower_bound_can_break_a_limit_and_not_keep_it(kind, where, text, now, base, here, there, wanted):
    limit, sides = limit_of(kind, "mult_adds", where, text, PAPER), (Side(now, here), base and Side(base, there))
    if wanted:
        assert judge(limit, *sides).status == wanted
    else:
        with pytest.raises(SpecError, match=r"`mult_adds` cannot be judged: the figure of `[ab]` is unknown") as error:
            judge(limit, *sides)
        assert error.value.problems[0].code == "incomplete"


@pytest.mark.parametrize("kind", ["max", "vs_base"])
def test_what_is_as_it_was_is_as_sure_as_it_was(kind):
    """The base is the same object, so its unknown layers cost the same on both sides."""
    side = Side(FOUR, "a")
    assert judge(limit_of(kind, "mult_adds", "", "+0" if kind == "vs_base" else "9", PAPER), side, side).status in (
        "pass",
        "already",
    )
