"""Unit tests of verdicts, loosened limits, globs and file similarity, with values counted by hand."""

import itertools
import re
from fractions import Fraction

import pytest

from costcalc.budget import loosening, similarity
from costcalc.budget import verdict as verdicts
from costcalc.budget.amounts import apart, headline, metric_name, notes, rounded, short
from costcalc.budget.config import Check, Exemption
from costcalc.budget.loosening import Rule, key_of, left, loosened
from costcalc.budget.options import limits_of, pair_of
from costcalc.budget.paths import matcher
from costcalc.budget.similarity import alike, chunks
from costcalc.budget.verdict import FAILING, Outcome
from costcalc.errors import OptionError, Place, Problem, Source
from tests.budget.made import PAPER, limit, verdict


def stated(one):
    """A verdict whose limit is in a file."""
    return one._replace(limit=one.limit._replace(place=Place(Source("costcalc.yaml", "x\n"), 1, 1)))


SHORT = [  # an amount, its limit, the metric, its written form
    (181_500_000, "170M", "mult_adds", "181.5M"),
    (999, "170M", "mult_adds", "999"),
    (1_000, "170M", "mult_adds", "1k"),
    (999_999, "170M", "mult_adds", "1000k"),
    (1_000_000, "170M", "mult_adds", "1M"),
    (10**9, "170M", "mult_adds", "1G"),
    (-1_500_000, "170M", "mult_adds", "-1.5M"),
    (17_900_000, "4MB", "weights_bytes", "17.9MB"),
    (32 * 2**10, "4KiB", "weights_bytes", "32KiB"),
    (5 * 2**20, "4 MiB", "weights_bytes", "5MiB"),
    (3 * 2**30, "4 GiB", "weights_bytes", "3GiB"),
    (1_023, "4 GiB", "weights_bytes", "1,023B"),
    (Fraction(3, 2), "170M", "mult_adds", "1.5"),
]


@pytest.mark.parametrize(("amount", "text", "metric", "wanted"), SHORT)
def test_amounts_have_four_digits_and_the_units_of_the_limit(amount, text, metric, wanted):
    assert short(amount, verdict(amount, text, metric=metric)) == wanted


def test_shares_are_in_percent():
    one = verdict(Fraction(123_456, 10**6), "10%", where="any_layer")
    assert (one.is_share, short(one.now, one)) == (True, "12.35%")
    assert apart(one, Fraction(123_451, 10**6), Fraction(123_452, 10**6)) == ["12.3451%", "12.3452%"]
    assert not verdict(1, "+1%", "vs_base", base=1).is_share
    assert not verdict(1).is_share


def test_texts_differ_where_amounts_do():
    one = verdict(170_000_001)
    assert apart(one, 170_000_001, 170_000_000) == ["170,000,001", "170,000,000"]
    assert apart(one, 171_000_000, 170_000_000) == ["171M", "170M"]
    assert apart(one, 170_000_000, 170_000_000) == ["170M", "170M"]
    assert apart(one, Fraction(340_000_001, 2), 170_000_000) == ["170,000,000.500", "170,000,000"]
    held = verdict(1, "4MB", metric="weights_bytes")
    assert apart(held, 4_000_001, 4_000_000) == ["4,000,001 B", "4,000,000 B"]


HEADLINES = [
    (verdict(181_500_000), "{} 181.5M is 11.5M (6.8 %) over the limit 170M"),
    (verdict(170_000_000, status="pass"), "{} 170M of 170M"),
    (verdict(160_000_000, status="pass"), "{} 160M of 170M"),
    (verdict(170_000_001), "{} 170,000,001 is 1 (0.0 %) over the limit 170,000,000"),
    (verdict(153_000_000, kind="min"), "{} 153M is 17M (10.0 %) under the limit 170M"),
    (verdict(Fraction(1, 8), "10%", where="any_layer", layer="fc"), "{} of fc 12.5% is 2.5% over the limit 10%"),
    (verdict(7, "0"), "{} 7 is 7 (from nothing) over the limit 0"),
    (
        verdict(110, "+5%", "vs_base", base=100, status="grew"),
        "{} 100 -> 110, +10.0 %: more than +5%, which allows 105",
    ),
    (verdict(104, "+5%", "vs_base", base=100, status="pass"), "{} 100 -> 104, +4.0 %: +5% allowed"),
    (verdict(4, "+5", "vs_base", base=0, status="pass"), "{} 0 -> 4, from nothing: +5 allowed"),
]


@pytest.mark.parametrize(("one", "wanted"), HEADLINES)
def test_a_headline_says_what_and_by_how_much(one, wanted):
    assert headline(one) == wanted.format(metric_name("mult_adds"))


def outcome(*statuses, level="error", problems=()):
    check = Check("net.yaml", {}, PAPER, (), level)
    return Outcome(
        check, "net.yaml", {"a": 1, "b": 2}, tuple(verdict(1, status=one) for one in statuses), None, problems
    )


STATES = [
    (outcome("pass", "skipped"), "pass", 0),
    (outcome("pass", "already"), "warn", 0),
    (outcome("already", "crossed"), "fail", 1),
    (outcome("worse", "over", "grew"), "fail", 3),
    (outcome("over", level="warn"), "warn", 1),
    (outcome("over", problems=(Problem("x", "y"),)), "error", 1),
    (outcome(), "pass", 0),
]


@pytest.mark.parametrize(("one", "state", "failing"), STATES)
def test_the_state_of_an_outcome(one, state, failing):
    assert (one.state, len(one.failing), one.title) == (state, failing, "net.yaml a=1 b=2")


def test_statuses_are_those_that_are_documented():
    """Statuses are part of the JSON output."""
    assert list(verdicts.SAYS) == ["pass", "crossed", "worse", "over", "already", "grew", "skipped", "excepted"]
    assert verdicts.SAYS["pass"] == "within"
    assert frozenset(("crossed", "worse", "over", "grew")) == FAILING


def test_what_nobody_states_is_the_harmless_case():
    assert verdicts.Verdict(limit("1"), "over").others == 0
    assert verdicts.Shown("params", 7)[2:] == (None, True, True)
    assert not verdicts.Outcome(Check("net.yaml", {}, PAPER, ()), "net.yaml", {}).shipped
    assert not verdicts.Checked([], "").locked


BASE = verdicts.Base("main", "0123456789abcdef", "net.yaml")
CAUSE = verdicts.Cause(Place(Source("net.yaml", "layers: []\n"), 1, 3), "conv_1 changed", 1_234)
LINES = [  # a verdict, whether its limit is an option, the lines below it
    (verdict(110, "+5%", "vs_base", base=100, status="grew"), "base: main (0123456)"),
    (verdict(180_000_000, base=170_000_000), "base: 170M at main (0123456); this change adds 10M"),
    (verdict(180_000_000, base=190_000_000), "base: 190M at main (0123456); this change takes away 10M"),
    (verdict(180_000_001, base=180_000_000), "base: 180,000,000 at main (0123456); this change adds 1"),
    (verdict(180_000_000, base=180_000_000), "base: 180M at main (0123456); this change does not affect it"),
    (verdict(180_000_000, base=1, cause=CAUSE), "from: net.yaml:1:3  conv_1 changed  +1,234"),
    (verdict(180_000_000, cause=CAUSE), "from: net.yaml:1:3  conv_1 changed  1,234"),
    (verdict(180_000_000, others=1), "more: 1 other layer breaks it too"),
    (verdict(180_000_000, others=1_234), "more: 1,234 other layers break it too"),
    (verdict(180_000_000), "why: it must fit"),
    (verdict(180_000_000), "help: reduce it, or set a limit other than 170M"),
    (stated(verdict(180_000_000)), "help: reduce it, or raise the limit: costcalc check net.yaml --update"),
    (stated(verdict(7, kind="min")), "help: undo it, or lower the limit: costcalc check net.yaml --update"),
    (
        stated(verdict(110, "+5%", "vs_base", base=100, status="grew")),
        "help: reduce it, or record an exception for this change: costcalc check net.yaml --update",
    ),
]


@pytest.mark.parametrize(("one", "line"), LINES)
def test_lines_under_a_verdict(one, line):
    check = Check("net.yaml", {}, PAPER, (), "error", why="it must fit")
    found = [f"{kind}: {text}" for kind, text in notes(verdicts.Outcome(check, "net.yaml", {}, (one,), BASE), one)]
    assert line in found
    kinds = [one.partition(":")[0] for one in found]
    assert kinds == [kind for kind in ("base", "from", "more", "why", "help") if kind in kinds]


def test_what_was_over_before_needs_no_help_and_what_nobody_explains_no_reason():
    one = verdict(180_000_000, base=180_000_000, status="already")
    check = Check("net.yaml", {}, PAPER, ())
    assert [kind for kind, _ in notes(verdicts.Outcome(check, "net.yaml", {}, (one,), BASE), one)] == ["base"]


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ("excepted", "100 -> 110, +10.0 %: more than +5%; the exception allows 120"),
        ("grew", "100 -> 110, +10.0 %: more than +5%, which allows 105"),
        ("pass", "100 -> 110, +10.0 %: +5% allowed"),
    ],
)
def test_an_exception_is_named_where_it_decides(status, wanted):
    place = Place(Source("costcalc.yaml", "x\n"), 1, 1)
    exempt = Exemption("net.yaml", {}, "paper", "mult_adds", 100, 120, "", place, place, "120")
    one = verdict(110, "+5%", "vs_base", base=100, status=status, exemption=exempt)
    assert headline(one) == f"{metric_name('mult_adds')} {wanted}"
    lines = notes(verdicts.Outcome(Check("net.yaml", {}, PAPER, ()), "net.yaml", {}, (one,), BASE), one)
    assert ("note", "the exception at costcalc.yaml:1 allows 120") in lines


def test_bytes_are_decimal_unless_the_limit_is_binary():
    assert rounded(2**20, "weights_bytes") == "1.049MB"
    assert rounded(2**20, "weights_bytes", True) == "1MiB"


def test_the_excess_of_a_least_cost_is_what_is_missing():
    assert verdict(160_000_000, kind="min").excess == 10_000_000
    assert verdict(160_000_000).excess == -10_000_000


def rules(*texts, level="error", file="net.yaml", at=None, **more):
    """The rules on one spec: {key: rules}."""
    found = {}
    for text in texts:
        one = Rule(limit(text, **more), Check(file, at or {}, PAPER, (), level))
        found.setdefault(key_of(file, one), []).append(one)
    return found


def looser():
    """(limits before, limits now, each loosened limit)."""
    return [
        (rules("170M"), rules("170M"), []),
        (rules("170M"), rules("160M"), []),
        (rules("170M"), rules("171M"), [("raised", "170M -> 171M")]),
        (rules("170M"), rules("200M", "150M"), []),
        (rules("170M"), {}, [("removed", "170M")]),
        (rules("170M", kind="min"), rules("160M", kind="min"), [("raised", "170M -> 160M")]),
        (rules("170M", kind="min"), rules("170M", kind="min"), []),
        (rules("170M", kind="min"), rules("180M", kind="min"), []),
        (rules("170M", kind="min"), rules("170M"), [("removed", "170M")]),
        (rules("170M"), rules("170M", level="warn"), [("raised", "170M (level error -> warn)")]),
        (rules("170M", level="warn"), rules("170M"), []),
        (rules("170M", level="warn"), rules("170M", level="warn"), []),
        (rules("170M"), rules("170M", metric="params"), [("removed", "170M")]),
        (rules("170M"), rules("170M", where="any_layer"), [("removed", "170M")]),
        (rules("10%", where="fc"), rules("1", where="fc"), [("removed", "10%")]),
        (rules("10%", where="fc"), rules("12%", where="fc"), [("raised", "10% -> 12%")]),
        (rules("170M", at={"a": 1}), rules("170M", at={"a": "1"}), []),
        (rules("170M", at={"a": 1}), rules("170M", at={"a": 2}), [("removed", "170M")]),
        (rules("170M", at={"a": 1, "b": 2}), rules("170M", at={"b": 2, "a": 1}), []),
        (rules("+1%", kind="vs_base"), rules("+1%", kind="vs_base"), []),
        (rules("+1%", kind="vs_base"), rules("+2%", kind="vs_base"), [("raised", "+1% -> +2%")]),
        (rules("+1%", kind="vs_base"), rules("+1% and 2M", kind="vs_base"), [("raised", "+1% -> +1% and 2M")]),
        (rules("+1% and 2M", kind="vs_base"), rules("+1%", kind="vs_base"), []),
        (rules("+1% and 2M", kind="vs_base"), rules("+1M and 1%", kind="vs_base"), []),
        (rules("+2M", kind="vs_base"), rules("+1%", kind="vs_base"), [("raised", "+2M -> +1%")]),
        (
            {**rules("170M")},
            both(rules("200M"), rules("160M", level="warn")),
            [("raised", "170M (level error -> warn)")],
        ),
        (
            {**rules("170M")},
            both(rules("160M", level="warn"), rules("200M")),
            [("raised", "170M (level error -> warn)")],
        ),
    ]


def both(one, other):
    """Rules of one key."""
    (key,) = one
    return {key: one[key] + other[key]}


@pytest.mark.parametrize("number", range(len(looser())))
def test_limits_that_are_less_strict_than_they_were(number):
    then, now, wanted = looser()[number]
    found = loosened(then, now, lambda _: None, "costcalc.yaml")
    assert [(one.status, one.became) for one in found] == wanted
    assert all((one.specs, one.path, one.place) == (("net.yaml",), "costcalc.yaml", None) for one in found)


ONE = Rule(limit("170M"), Check("net.yaml", {}, PAPER, ()))


def priced(metric="mult_adds", **prices):
    """The rules of a limit under a modified `paper` convention."""
    convention = PAPER._replace(prices={**PAPER.prices, **prices})
    one = Rule(limit("170M", metric=metric), Check("net.yaml", {}, convention, ()))
    return {key_of("net.yaml", one): [one]}


def test_a_list_of_other_prices_loosens_a_limit_unless_the_metric_has_its_own():
    (one,) = loosened(priced(), priced(add=7), lambda _: None)
    assert (one.status, one.became) == ("raised", "170M (the price list paper has changed)")
    assert not loosened(priced("framework.params"), priced("framework.params", add=7), lambda _: None)


def test_all_of_a_price_list_that_is_counted_is_compared():
    """A new field is compared unless it is informational."""
    said = {"name", "title", "source", "mirrors", "differences", "notes"}
    for field in PAPER._fields:
        one = Rule(limit("170M"), Check("net.yaml", {}, PAPER._replace(**{field: {"other": 1}}), ()))
        found = loosened(rules("170M"), {key_of("net.yaml", one): [one]}, lambda _: None)
        assert len(found) == (field not in said), field


def test_a_lower_level_is_named_and_not_the_prices():
    (one,) = loosened(rules("170M", level="error"), rules("170M", level="warn"), lambda _: None)
    assert one.became == "170M (level error -> warn)"
    (one,) = loosened(rules("170M", level="warn"), priced(add=7), lambda _: None)
    assert one.became == "170M (the price list paper has changed)"


def test_of_two_limits_the_one_that_fails_a_run_is_named():
    warned = rules("170M", level="warn")
    (key,) = warned
    strict = priced(add=7)[key]
    for others in ([*warned[key], *strict], [*strict, *warned[key]]):
        (one,) = loosened(rules("170M"), {key: others}, lambda _: None)
        assert one.became == "170M (the price list paper has changed)"


def test_codes_are_those_that_are_documented():
    assert sorted(loosening.CODES.values()) == ["limit-exception", "limit-raised", "limit-removed", "limit-unmatched"]


def test_a_share_and_a_number_are_limits_of_their_own():
    assert key_of("net.yaml", Rule(limit("10%", where="fc"), ONE.check))[-1] is True
    assert key_of("net.yaml", Rule(limit("170M"), ONE.check))[-1] is False
    assert key_of("net.yaml", Rule(limit("+1%", "vs_base"), ONE.check))[-1] is False


def test_limits_that_judge_no_layer_any_more_are_those_of_the_base():
    then = {key_of("net.yaml", ONE): [ONE]}
    (one,) = left(then, [("net.yaml", ONE, "of conv_*"), ("other.yaml", ONE, "of fc")], "costcalc.yaml")
    assert (one.status, one.specs, one.became, one.path) == ("unmatched", ("net.yaml",), "of conv_*", "costcalc.yaml")
    assert one.message == "limit no longer judges a layer: max mult_adds of conv_*, of net.yaml"


def test_a_raised_limit_is_said_to_be_raised():
    (one,) = loosened(rules("170M"), rules("171M"), lambda _: None)
    assert one.message == "limit raised: max mult_adds 170M -> 171M, of net.yaml"


@pytest.mark.parametrize(
    ("then", "now", "looser"),
    [
        ("+1% and 2M", "+1% and 1M", False),
        ("+1% and 2M", "+2% and 1M", True),
        ("+1% and 2M", "+1% and 3M", True),
        ("+1% and 2M", "+2M", False),
        ("+2M", "+2M and 1%", True),
        ("+2M", "+1M and 1%", True),
    ],
)
def test_the_parts_of_a_change_are_compared_each_by_itself(then, now, looser):
    found = loosened(rules(then, kind="vs_base"), rules(now, kind="vs_base"), lambda _: None)
    assert bool(found) is looser
    assert loosening.SAYS[loosening.RAISED] == "limit raised"


def test_a_limit_of_a_file_that_is_gone_no_longer_judges_it():
    (one,) = loosened(rules("170M"), {}, lambda name: f"{name} is deleted")
    assert (one.status, one.became, one.now) == ("unmatched", "170M (net.yaml is deleted)", None)
    assert one.message.startswith(
        "limit no longer judges its spec: max mult_adds 170M (net.yaml is deleted), of net.yaml"
    )


def test_one_message_is_about_all_specs_of_a_limit_and_names_three():
    shared = Rule(limit("170M"), Check("*.yaml", {}, PAPER, ()))
    then = {key_of(f"n{at}.yaml", shared): [shared] for at in range(5)}
    (one,) = loosened(then, {}, lambda _: None)
    assert one.specs == tuple(f"n{at}.yaml" for at in range(5))
    assert one.message == "limit removed: max mult_adds 170M, of n0.yaml, n1.yaml, n2.yaml and 2 more"
    assert one._replace(specs=one.specs[:3]).message.endswith("of n0.yaml, n1.yaml, n2.yaml")
    assert one._replace(specs=one.specs[:4]).message.endswith("n2.yaml and 1 more")
    inner = one._replace(limit=limit("170M", where="any_layer"))
    assert inner.message.startswith("limit removed: max any_layer mult_adds 170M")


def brute(glob):
    """A glob as a regular expression, as the reference."""
    parts = ["(.*/)?" if part == "**" else re.escape(part) + "/" for part in glob.split("/")]
    text = "".join(parts).removesuffix("/")
    return re.compile(text.replace(r"\*", "[^/]*").replace(r"\?", "[^/]"))


GLOBS = [
    "a",
    "*",
    "?",
    "a*",
    "*/a",
    "a/*",
    "**/a",
    "**/*",
    "a/**/b",
    "**/a/b",
    "a/?",
    "**/a/**/b",
    "**/**/a",
    "[a]",
    "[a",
]


@pytest.mark.parametrize("glob", GLOBS)
def test_globs_are_what_the_regular_expression_is(glob):
    matches, due = matcher(glob), brute(glob)
    paths = ["/".join(parts) for size in range(1, 5) for parts in itertools.product(("a", "b", "ab"), repeat=size)]
    paths += ["[a]", "A", "a/[a]", "[a"]
    assert [path for path in paths if matches(path)] == [path for path in paths if due.fullmatch(path)]


def test_a_glob_of_many_stars_takes_no_time():
    matches = matcher("**/" * 300 + "b")
    assert matches("a/" * 300 + "b")
    assert not matches("a/" * 300 + "a")


def test_pieces_are_lines_or_64_bytes_of_a_longer_one():
    assert chunks(b"ab\nab\n\nc") == {b"ab\n": 2, b"\n": 1, b"c": 1}
    assert chunks(b"x" * 64) == {b"x" * 64: 1}
    assert chunks(b"x" * 63 + b"\n" + b"y") == {b"x" * 63 + b"\n": 1, b"y": 1}
    assert chunks(b"x" * 64 + b"\n") == {b"x" * 64: 1, b"\n": 1}
    assert chunks(b"x" * 130) == {b"x" * 64: 2, b"xx": 1}
    assert chunks(b"") == {}


ALIKE = [  # two files, the common share of the larger one
    (b"a\nb\n", b"a\nb\n", 1.0),
    (b"a\nb\n", b"b\na\n", 1.0),
    (b"a\nb\nc\nd\n", b"a\nb\n", 0.5),
    (b"a\nb\nc\nd\n", b"a\nb", 0.0),  # less than half the length
    (b"a\na\nb\n", b"a\nb\nb\n", 2 / 3),
    (b"aaa\nb\n", b"aaa\nc\n", 4 / 6),
    (b"aa\naa\naa\nb\n", b"aa\naa\naa\nc\n", 9 / 11),
    (b"a\n", b"b\n", 0.0),
    (b"", b"", 0.0),
    (b"", b"a", 0.0),
]


@pytest.mark.parametrize(("one", "other", "share"), ALIKE)
def test_how_alike_two_files_are(one, other, share):
    assert alike(one, other) == alike(other, one) == share
    assert similarity.LEAST == 0.5  # as for git


def given(**kinds):
    return [(one.kind, one.metric, one.where, one.text) for one in limits_of(kinds, PAPER)]


def test_limits_from_python():
    assert given(max={"params": "1M", "any_layer.params": 5, "layers": {"*/fc": {"params": "10%"}}}) == [
        ("max", "params", "", "1M"),
        ("max", "params", "any_layer", "5"),
        ("max", "params", "*/fc", "10%"),
    ]
    assert given(max={"any_layer": {"weights_bytes": 7}}, vs_base={"params": 5}, min={"framework.params": "1"}) == [
        ("max", "weights_bytes", "any_layer", "7B"),
        ("min", "framework.params", "", "1"),
        ("vs_base", "params", "", "+5"),
    ]
    assert given(max=None) == []


@pytest.mark.parametrize(
    ("kinds", "message", "help"),
    [
        ({"max": {"params": 1.5}}, "a limit is a text or a whole number, not 1.5", 'write {"mult_adds": "170M"}'),
        ({"max": {"params": True}}, "a limit is a text or a whole number, not True", 'write {"mult_adds": "170M"}'),
        ({"vs_base": {"any_layer.params": "+1"}}, "`vs_base` limits only the whole network", "use max or min"),
    ],
)
def test_what_is_no_limit_from_python(kinds, message, help):
    with pytest.raises(OptionError) as error:
        limits_of(kinds, PAPER)
    problem = error.value.problems[0]
    assert (problem.code, problem.message, problem.help) == ("bad-limit", message, help)


def test_limits_of_options():
    assert pair_of("max", " mult_adds = 170M ") == ("mult_adds", "170M")
    assert pair_of("max", "a=b=c") == ("a", "b=c")
    for kind, option, example in (("max", "--max", "170M"), ("vs_base", "--vs-base", "+1%")):
        for text in ("params", "params=", "=1M", " = ", "x" * 70):
            with pytest.raises(OptionError) as error:
                pair_of(kind, text)
            problem = error.value.problems[0]
            assert (problem.code, problem.message) == ("usage", f"`{option} {text[:60]}` limits nothing")
            assert problem.help == f"write {option} mult_adds={example}"


@pytest.mark.parametrize("given", [{"params": {"flops": 1}}, {"any_layer": 1}, {"layers": "1"}])
def test_a_map_of_limits_belongs_under_layers(given):
    with pytest.raises(OptionError):
        limits_of({"max": given}, PAPER)
