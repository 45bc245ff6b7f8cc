"""Limits and exceptions rewritten in their files, with nothing else changed. Without git."""

from fractions import Fraction
from pathlib import Path

import pytest

from costcalc import CostcalcError
from costcalc.budget import keeping
from costcalc.budget.checking import Run
from costcalc.budget.keeping import Added, Exceptions, Removed, kept_exceptions
from costcalc.budget.updating import updated
from costcalc.budget.verdict import Checked
from tests.budget.made import exemption, limit, outcome, placed, verdict

NET = "input: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s}\n"  # 1,000 * out mult-adds, 10 * out params


def written(text, *spec, base=None, **more):
    """The file of checks after an update, and the printed lines."""
    Path("costcalc.yaml").write_bytes(text.encode())
    found = updated(Run([*spec], None, base).finished(), **more)
    return Path("costcalc.yaml").read_bytes().decode(), [one.line for one in found]


CHECK = "checks:\n- {spec: net.yaml, %s}\n"
BROKEN = [  # limits, their new values if exceeded, and with a margin of 5 % if not
    ("max: {params: 99}", "max: {params: 110}", None),
    ("max: {params: 110}", None, "max: {params: 110}"),
    ("max: {params: 200}", None, "max: {params: 116}"),  # 115.5, rounded up
    ("max: {params: 115}", None, "max: {params: 115}"),  # already tighter
    ("max: {params: 1k}", None, "max: {params: 116}"),
    ("max: {mult_adds: 1.5M}", None, "max: {mult_adds: 11.6k}"),
    ("max: {mult_adds: 10k}", "max: {mult_adds: 11k}", None),
    ("max: {mult_adds: 10.5 k}", "max: {mult_adds: 11.0 k}", None),
    ("max: {params: 0.1k}", "max: {params: 0.2k}", None),  # rounded up
    ("min: {params: 0.2k}", "min: {params: 0.1k}", None),  # rounded down
    ("max: {params: 0.116k}", None, "max: {params: 0.116k}"),  # already at the new value
    ("min: {params: 120}", "min: {params: 110}", None),
    ("min: {params: 110}", None, "min: {params: 110}"),
    ("min: {params: 10}", None, "min: {params: 104}"),  # 104.5, rounded down
    ("min: {params: 105}", None, "min: {params: 105}"),
    ("max: {any_layer: {params: 99}}", "max: {any_layer: {params: 110}}", None),
    ("max: {any_layer: {params: 50%}}", "max: {any_layer: {params: 100%}}", None),
    ('max: {params: "99"}', 'max: {params: "110"}', None),
    ("max: {params: '99'}", "max: {params: '110'}", None),
    ("max: {params: 99, mult_adds: 9k}", "max: {params: 110, mult_adds: 11k}", None),
]


@pytest.mark.parametrize(("limits", "raised", "tightened"), BROKEN)
def test_a_limit_becomes_what_the_network_costs(there, limits, raised, tightened):
    there({"net.yaml": NET % 11})
    text = CHECK % limits
    after = CHECK % (raised or limits)
    assert written(text)[0] == after
    margin = Fraction(1, 20)
    assert written(text, raising=False, tighten=margin)[0] == CHECK % (tightened or limits)
    assert written(text, tighten=margin)[0] == CHECK % (raised or tightened or limits)
    assert written(text, raising=False) == (text, [])


def test_the_line_of_an_edit(there):
    there({"net.yaml": NET % 11 + "budget: {params: 100}\n"})
    text = CHECK % "max: {params: 99, any_layer.params: 50%}, min: {params: 10}"
    after, lines = written(text, tighten=Fraction(0))
    assert lines == [
        "costcalc.yaml:2:34  max params 99 -> 110",
        "costcalc.yaml:2:56  max any_layer params 50% -> 100%",
        "costcalc.yaml:2:76  min params 10 -> 110",
        "net.yaml:4:18  max params 100 -> 110",
    ]
    assert Path("net.yaml").read_text() == NET % 11 + "budget: {params: 110}\n"
    assert written(after) == (after, [])


def test_a_limit_on_many_specs_suits_all_of_them(there):
    there({"a.yaml": NET % 11, "b.yaml": NET % 13, "c.yaml": NET % 9})
    text = "checks:\n- {spec: '*.yaml', max: {params: 100}, min: {mult_adds: 12k}}\n"
    after, _ = written(text)
    assert after == text.replace("100", "130").replace("12k", "9k")
    text = "checks:\n- {spec: '*.yaml', max: {params: 1000}, min: {mult_adds: 1k}}\n"
    assert written(text, tighten=Fraction(0))[0] == text.replace("1000", "130").replace("1k", "9.00k")


def test_layout_and_comments_stay(there):
    there({"net.yaml": NET % 11})
    text = "\ufeff# über 99\r\nchecks: # 99\r\n  - spec: net.yaml   # 99\r\n    max: { params:   '99' } # 99\r\n"
    assert written(text)[0] == text.replace("'99'", "'110'")
    text = "\ufeffchecks: [{spec: net.yaml, max: {params: 99, mult_adds: 9k}}]\n"
    assert written(text)[0] == text.replace("99", "110").replace("9k", "11k")
    text = "checks:\n- {spec: net.yaml, max: {params: 99}}\n\n# the end, without a line break"
    assert written(text)[0] == text.replace("99}", "110}")


@pytest.mark.parametrize(
    "limits", ['max: {mult_adds: "9\n      k"}', "max:\n    params: >-\n      99", 'max: {params: "\\x399"}']
)
def test_what_cannot_be_rewritten_leaves_every_file(there, limits):
    there({"net.yaml": NET % 11 + "budget: {params: 100}\n"})
    text = f"checks:\n- spec: net.yaml\n  {limits}\n"
    with pytest.raises(CostcalcError, match="this limit cannot be rewritten in its current form") as error:
        written(text)
    (problem,) = error.value.problems
    assert (problem.code, problem.help) == ("unwritable", "write it on one line, as in mult_adds: 170M")
    assert problem.place.line in (3, 4)
    assert Path("costcalc.yaml").read_text() == text
    assert Path("net.yaml").read_text().endswith("{params: 100}\n")


def test_limits_that_are_in_no_file_cannot_be_updated(there):
    there({"net.yaml": NET % 11})
    with pytest.raises(CostcalcError, match="limits from options cannot be updated") as error:
        updated(Run(["net.yaml"], None, None, {"max": {"params": "99"}}).finished())
    (problem,) = error.value.problems
    assert (problem.code, problem.help) == ("usage", "leave out --update: it rewrites limits in files")
    skipped = outcome("net.yaml", verdict(5, "+0", "vs_base", status="skipped"))
    assert updated(Checked([skipped], "")) == []  # it was not judged
    shipped = placed(verdict(7, "5"))
    source = shipped.limit.place.source._replace(path="no/file.yaml")
    gone = shipped._replace(limit=shipped.limit._replace(place=shipped.limit.place._replace(source=source)), furthest=7)
    with pytest.raises(CostcalcError, match=r"'no/file.yaml' is a shipped config, which is not rewritten") as error:
        updated(Checked([outcome("net.yaml", gone)], ""))
    assert error.value.problems[0].code == "unwritable"


GROWN = "checks:\n- {spec: net.yaml, vs_base: {params: +1%}}\n"
GROWN += "- {spec: net.yaml, at: {a: 2}, vs_base: {weights_bytes: +0}}\n"
WIDE = "vars: {a: 1, deep: true}\ninput: [10, 10, 10]\nlayers:\n  - {conv: 1x1, out: %s * a}\n"
ADDED = """
exceptions:
  - spec: net.yaml
    metric: params
    from: 90
    to: 110
  - spec: net.yaml
    at: {a: 2}
    metric: weights_bytes
    from: 720B
    to: 880B
"""


def test_a_change_that_adds_too_much_gets_an_exception(there):
    there({"net.yaml": WIDE % 11}, {"net.yaml": WIDE % 9, "costcalc.yaml": GROWN})
    after, lines = written(GROWN, base="main")
    assert after == GROWN + ADDED
    assert lines == [
        "costcalc.yaml  exception added: net.yaml params 90 -> 110; the limit +1% stays",
        "costcalc.yaml  exception added: net.yaml a=2 weights_bytes 720B -> 880B; the limit +0 stays",
    ]
    assert written(after, base="main") == (after, [])
    assert written(GROWN, base="main", raising=False) == (GROWN, [])
    there({"net.yaml": WIDE % 12}, {"net.yaml": WIDE % 9, "costcalc.yaml": GROWN})
    higher, lines = written(after, base="main")
    assert higher == after.replace("110", "120").replace("880B", "960B")
    assert lines == [
        "costcalc.yaml:9:9  exception net.yaml params 110 -> 120",
        "costcalc.yaml:14:9  exception net.yaml a=2 weights_bytes 880B -> 960B",
    ]
    there({"net.yaml": WIDE % 9}, {"net.yaml": WIDE % 9, "costcalc.yaml": GROWN})
    assert written(higher, base="main") == (higher, [])  # the base is unchanged
    there({"net.yaml": WIDE % 12}, {"net.yaml": WIDE % 12, "costcalc.yaml": GROWN})
    gone, lines = written(higher, base="main")
    assert gone == GROWN
    assert lines == [
        "costcalc.yaml:6:11  stale exception removed: net.yaml params",
        "costcalc.yaml:10:11  stale exception removed: net.yaml a=2 weights_bytes",
    ]


def test_one_goes_and_another_comes(there):
    checks = GROWN.partition("- {spec: net.yaml, at")[0]
    stale = "exceptions:\n- spec: net.yaml # why\n  metric: params\n  from: 80\n  to: 85\n# end\n"
    there({"net.yaml": WIDE % 11}, {"net.yaml": WIDE % 9, "costcalc.yaml": checks})
    after, lines = written("\ufeff" + checks + stale, base="main")
    assert after.startswith("\ufeff" + checks)
    assert after.endswith("# end\n\nexceptions:\n  - spec: net.yaml\n    metric: params\n    from: 90\n    to: 110\n")
    assert [one.partition(":")[2].split(" ")[0] or one for one in lines][1:] == ["4:9"]
    assert len(lines) == 2


def test_the_one_entry_of_a_line_goes(there):
    """The next line is another entry; a byte order mark stays before a list at the start of the file."""
    checks = "checks:\n- {spec: net.yaml, vs_base: {params: +1%, flops: +1%}}\n"
    lines = [f"- {{spec: net.yaml, metric: {name}, from: %s, to: 99999}}\n" for name in ("params", "flops")]
    there({"net.yaml": WIDE % 9}, {"net.yaml": WIDE % 9, "costcalc.yaml": checks})
    for mark in ("", "\ufeff"):
        text = f"{mark}exceptions:\n{lines[0] % 80}{lines[1] % 18_000}{checks}"
        assert written(text, base="main")[0] == text.replace(lines[0] % 80, "")
        text = f"{mark}exceptions:\n{lines[0] % 90}{lines[1] % 17_000}{checks}"
        assert written(text, base="main")[0] == text.replace(lines[1] % 17_000, "")
        text = f"{mark}exceptions:\n{lines[0] % 80}{checks}"
        assert written(text, base="main")[0] == mark + checks


def test_a_ratio_is_allowed_as_it_is_now(there):
    """Rounded down, the exception would not cover its change."""
    ratio = Fraction(4, 3)
    one = placed(verdict(ratio, "+0", "vs_base", "effective_alpha", status="grew", base=Fraction(2, 3)))
    (found,) = kept_exceptions(Checked([outcome("net.yaml", one)], "")).added
    assert (found.before, found.most) == ("0.666666666667", "1.333333333334")


def test_an_entry_names_the_spec_from_its_file_and_all_that_tells_it_apart(there):
    checks = "checks:\n- {spec: 'nets/*.yaml', at: {deep: true, a: 3}, convention: torchinfo, vs_base: {params: +0}}\n"
    there({"sub/nets/odd 1.yaml": WIDE % 11}, {"sub/nets/odd 1.yaml": WIDE % 9, "sub/costcalc.yaml": checks})
    Path("sub/costcalc.yaml").write_text(checks)
    (one,) = updated(Run([], "sub/costcalc.yaml", "main").finished())
    assert Path("sub/costcalc.yaml").read_text() == checks + (
        '\nexceptions:\n  - spec: "nets/odd 1.yaml"\n    at: {deep: true, a: 3}\n    convention: torchinfo\n'
        "    metric: params\n    from: 297\n    to: 363\n"
    )
    assert one.line.startswith("sub/costcalc.yaml  exception added: nets/odd 1.yaml deep=true a=3 params 297 -> 363;")
    assert Run([], "sub/costcalc.yaml", "main").finished().outcomes[0].verdicts[0].status == "excepted"


def test_one_entry_is_enough_for_two_limits_on_a_metric():
    one = placed(verdict(110, "+5%", "vs_base", "params", status="grew", base=100))
    other = placed(verdict(110, "+4", "vs_base", "params", status="grew", base=100), 5)
    apart = placed(verdict(110, "+4", "vs_base", "activations", status="grew", base=100), 6)
    found = kept_exceptions(Checked([outcome("net.yaml", one, other, apart)], ""))
    assert [(each.limit.text, each.limit.metric) for each in found.added] == [("+5%", "params"), ("+4", "activations")]
    assert (found.raised, found.removed) == ((), ())
    fine = placed(verdict(100, "+5%", "vs_base", "params", status="pass", base=100))
    assert kept_exceptions(Checked([outcome("net.yaml", fine)], "")) == Exceptions()


def test_an_exception_that_allows_too_little_is_raised_once():
    old = exemption(100, 105, "params")
    one = placed(verdict(110, "+1%", "vs_base", "params", status="grew", base=100, exemption=old))
    (edit,) = kept_exceptions(Checked([outcome("models/net.yaml", one, one)], "")).raised
    assert (edit.text, edit.limit.text, edit.place) == ("110", "105", old.most_place)
    assert edit.line == "costcalc.yaml:10:9  exception models/net.yaml params 105 -> 110"


@pytest.mark.parametrize("name", ["a*b.yaml", "a?b.yaml", "a:b.yaml", "a\\b.yaml", "a\x1bb.yaml"])
def test_a_spec_that_no_exception_can_name(name):
    one = placed(verdict(110, "+5%", "vs_base", "params", status="grew", base=100))
    with pytest.raises(CostcalcError, match="no exception can name 'a") as error:
        kept_exceptions(Checked([outcome(name, one)], ""))
    (problem,) = error.value.problems
    help = "rename the file: a path has no `*`, `?`, `:` or `\\`"
    assert (problem.code, problem.help) == ("unwritable", help)
    assert problem.message.isprintable()


def test_texts_that_could_be_something_else_have_quotes():
    plain = ("net.yaml", "a/b-c_d.yaml", "_x")
    quoted = ("1x", "a b", "a: b", "é", "-a", "", "a#b", "*.yaml")
    assert [keeping._text(one) for one in plain] == [*plain]
    assert [keeping._text(one) for one in quoted] == [f'"{one}"' for one in quoted]
    assert [keeping._word(one) for one in (True, False, 1, 0, 0.5, "x")] == ["true", "false", "1", "0", "0.5", "x"]


def entry(metric="params", before="100", most="200", counted_by="paper", at=None):
    return Added("costcalc.yaml", limit("+1%", "vs_base", metric), "net.yaml", at or {}, counted_by, before, most)


HEAD = "checks:\n- {spec: net.yaml, vs_base: {params: +1%}}\n"
LIST = "exceptions:\n- spec: net.yaml\n  metric: params\n  from: 100\n  to: 200\n"


def test_what_is_written_is_what_is_read(there):
    there({})
    for new in (
        entry(),
        entry(at={"a": 0.5, "b": True}),
        entry("paper.params", counted_by="torchinfo"),
        entry("flops"),
    ):
        text = Exceptions((new,)).written("costcalc.yaml", HEAD)
        keeping._verify("costcalc.yaml", HEAD, text, [], [new])
    old = exemption(100, 200, "params", line=4, spec="net.yaml")
    assert Exceptions(removed=(Removed(old),)).written("costcalc.yaml", HEAD + LIST) == HEAD
    assert Exceptions((entry(),)).written("other.yaml", HEAD) == HEAD
    for before, after, gone, new in (
        (HEAD, HEAD, [], [entry()]),  # it is not there
        (HEAD, HEAD + LIST, [], []),  # it was not expected
        (HEAD + LIST, HEAD, [], []),  # it was removed without a message
        (HEAD, HEAD + LIST, [], [entry(most="201")]),
        (HEAD, HEAD + LIST, [], [entry(before="101")]),
        (HEAD, HEAD + LIST, [], [entry("flops")]),
        (HEAD, HEAD.replace("net", "nut") + LIST, [], [entry()]),  # another check is there
    ):
        with pytest.raises(keeping.Unwritable):
            keeping._verify("costcalc.yaml", before, after, gone, new)
    keeping._verify("costcalc.yaml", HEAD + LIST, HEAD, [old], [])


@pytest.mark.parametrize(
    "text", [HEAD + "exceptions: [{spec: a.yaml, metric: flops, from: 1, to: 2}]\n", "{checks: []}\n"]
)
def test_a_list_that_cannot_be_changed_is_an_error(text):
    with pytest.raises(CostcalcError, match=r"the exceptions in 'costcalc\.yaml' cannot be rewritten") as error:
        Exceptions((entry(),)).written("costcalc.yaml", text)
    (problem,) = error.value.problems
    assert (problem.code, problem.help) == ("unwritable", keeping._HELP)
